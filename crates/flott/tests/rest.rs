//! SQL's jobs by the REST server.

use std::io::{Read, Write};
use std::net::TcpStream;

use flott::connectors::builtin;
use flott::sql::{Environment, Outcome, parse_script};
use flott::types::Configuration;

#[test]
fn jobs_of_a_session_are_served() {
    let mut configuration = Configuration::default();
    configuration.set("rest.port", "0").unwrap();
    let mut environment = Environment::new(builtin(), configuration).unwrap();
    let statement = &parse_script("SELECT 1 AS two").unwrap()[0];
    let Outcome::Query(job) = environment.session.execute(statement).unwrap() else { unreachable!() };
    let client = environment.cluster.submit(&job.graph).unwrap();
    let mut stream = TcpStream::connect(environment.serve_rest().unwrap().unwrap()).unwrap();
    stream.write_all(b"GET /jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(&client.job_id().to_string()), "{answer}");
    assert!(Environment::local().unwrap().serve_rest().unwrap().is_none());
}
