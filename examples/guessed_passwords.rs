//! Tells who got in after three wrong passwords in a row within a minute, and how many had been tried.
//!
//! Logins come over a socket as lines `user,right` or `user,wrong`: `nc -lk 9999` in one terminal, and in
//! another `cargo run -p examples --bin guessed_passwords -- --port 9999`.

use flott::args::Args;
use flott::datastream::cep::{AfterMatchSkipStrategy, Cep, Pattern};
use flott::prelude::*;

#[derive(Debug, Serialize, Deserialize)]
struct Login {
    user: String,
    right: bool,
}

fn parse(line: String) -> Result<Login> {
    let wrong = || Error::invalid(format!("'{line}' is not a line like ann,right"));
    let (user, password) = line.split_once(',').ok_or_else(wrong)?;
    let right = match password.trim() {
        "right" => true,
        "wrong" => false,
        _ => return Err(wrong()),
    };
    Ok(Login { user: user.trim().to_owned(), right })
}

fn guessed(logins: &DataStream<Login>) -> DataStream<String> {
    let pattern = Pattern::begin("wrong")
        .where_(|login: &Login| !login.right)
        .times_or_more(3)
        .consecutive()
        .next("right")
        .where_(|login| login.right)
        .within(Duration::from_secs(60))
        .after_match(AfterMatchSkipStrategy::skip_past_last_event());
    Cep::pattern(&logins.key_by_ref(|login| &login.user), &pattern)
        .in_processing_time()
        .flat_select(|found, ctx| {
            for login in found.get("right") {
                ctx.collect(format!("{} after {} wrong passwords", login.user, found.get("wrong").len()));
            }
        })
        .uid("guessed")
}

fn main() -> Result<()> {
    let args = Args::new("Tells who got in after three wrong passwords in a row.");
    let args = args.option("port", "9999", "the server's port").parse();
    let env = args.environment();
    // One subtask parses: logins must not overtake each other.
    let logins = env.socket_text_stream("localhost", args.get("port")?).try_map(parse).parallelism(1);
    guessed(&logins).print();
    env.execute("Guessed Passwords")?;
    Ok(())
}
