//! The client against real brokers: `make test-services` starts them and says where they are.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flott_kafka::{
    Client, ClientConfig, Compression, Isolation, OffsetAt, PreparedTransaction, Properties, TransactionEnd,
};
use support::{Topic, client, config, read, write};

const NEEDS: &str = "FLOTT_KAFKA names no brokers: run `make test-services`";

#[test]
#[ignore = "needs brokers: make test-services"]
fn records_survive_with_every_compression() {
    for compression in
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd]
    {
        let topic = Topic::new("compressed", 3);
        let rows: Vec<String> = (0..2_000).map(|row| format!("row {row} of many that are alike")).collect();
        let ended = write(&topic.name, 3, compression, None, &rows);
        assert_eq!(ended.wait().unwrap(), None);
        let mut expected = rows;
        expected.sort();
        assert_eq!(read(&topic.name, 3, Isolation::ReadCommitted), expected, "{compression:?}");
    }
}

fn prepared(topic: &Topic, id: &str, rows: &[String]) -> PreparedTransaction {
    write(&topic.name, 2, Compression::None, Some(id), rows).wait().unwrap().unwrap()
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn a_prepared_transaction_is_committed_by_another_client_and_again() {
    let topic = Topic::new("prepared", 2);
    let rows = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
    let transaction = prepared(&topic, &format!("{}-1", topic.name), &rows);
    assert_eq!(read(&topic.name, 2, Isolation::ReadCommitted), Vec::<String>::new());
    assert_eq!(read(&topic.name, 2, Isolation::ReadUncommitted), rows);
    for _ in 0..2 {
        assert_eq!(client().end_transaction(&transaction, true).unwrap(), TransactionEnd::Done);
        assert_eq!(read(&topic.name, 2, Isolation::ReadCommitted), rows);
    }
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn open_transactions_are_found_and_aborted_and_then_not_committed() {
    let topic = Topic::new("lingering", 2);
    let id = format!("{}-1", topic.name);
    let transaction = prepared(&topic, &id, &["lost".to_owned()]);
    let is_open = |client: &mut Client| {
        client.open_transactions().unwrap().iter().any(|open| open.transactional_id == id)
    };
    let mut client = client();
    assert!(is_open(&mut client));
    client.init_producer(Some(&id), Duration::from_secs(60)).unwrap();
    assert!(!is_open(&mut client));
    assert!(matches!(client.end_transaction(&transaction, true).unwrap(), TransactionEnd::Otherwise(_)));
    assert_eq!(read(&topic.name, 2, Isolation::ReadCommitted), Vec::<String>::new());
    // What comes after it is read.
    let after = prepared(&topic, &format!("{}-2", topic.name), &["kept".to_owned()]);
    client.end_transaction(&after, true).unwrap();
    assert_eq!(read(&topic.name, 2, Isolation::ReadCommitted), ["kept"]);
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn a_producer_that_goes_aborts_its_transaction() {
    let topic = Topic::new("dropped", 1);
    let id = format!("{}-1", topic.name);
    let producer = support::producer(Compression::None, Some(&id));
    let number = producer.topic(&topic.name);
    producer.write().push(number, 0, support::record(b"x")).unwrap();
    producer.flush();
    let is_open = || client().open_transactions().unwrap().iter().any(|open| open.transactional_id == id);
    support::until("the transaction is open", is_open);
    drop(producer);
    support::until("the transaction is aborted", || !is_open());
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn offsets_are_listed_and_committed() {
    let topic = Topic::new("offsets", 2);
    let rows: Vec<String> = (0..10).map(|row| row.to_string()).collect();
    write(&topic.name, 2, Compression::None, None, &rows).wait().unwrap();
    let mut client = client();
    let partitions = [(topic.name.clone(), 0), (topic.name.clone(), 1)];
    let values = |offsets: std::collections::BTreeMap<(String, i32), Option<i64>>| {
        offsets.into_values().collect::<Vec<_>>()
    };
    let at =
        |client: &mut Client, at| values(client.offsets(&partitions, at, Isolation::ReadCommitted).unwrap());
    assert_eq!(at(&mut client, OffsetAt::Earliest), [Some(0), Some(0)]);
    assert_eq!(at(&mut client, OffsetAt::Latest), [Some(5), Some(5)]);
    assert_eq!(at(&mut client, OffsetAt::Timestamp(1_000)), [Some(0), Some(0)]);
    assert_eq!(at(&mut client, OffsetAt::Timestamp(i64::MAX / 2)), [None, None]);
    assert_eq!(values(client.committed(&topic.name, &partitions).unwrap()), [None, None]);
    client.commit_offsets(&topic.name, &[(topic.name.clone(), 1, 4)]).unwrap();
    assert_eq!(values(client.committed(&topic.name, &partitions).unwrap()), [None, Some(4)]);
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn brokers_say_how_long_transactions_may_be() {
    let most = client().broker_config("transaction.max.timeout.ms").unwrap();
    assert_eq!(most.as_deref(), Some("900000"));
    let failure = client().init_producer(Some("too-long"), Duration::from_secs(3_600)).unwrap_err();
    assert!(failure.to_string().contains("transaction.max.timeout.ms"), "{failure}");
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn users_are_known_by_their_passwords() {
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        for (password, good) in [("alice-secret", true), ("wrong", false)] {
            let properties = [
                ("bootstrap.servers", std::env::var("FLOTT_KAFKA_SASL").expect(NEEDS)),
                ("security.protocol", "SASL_PLAINTEXT".to_owned()),
                ("sasl.mechanism", mechanism.to_owned()),
                (
                    "sasl.jaas.config",
                    format!("x.LoginModule required username=\"alice\" password=\"{password}\";"),
                ),
            ];
            let properties = properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let config = ClientConfig::new(&Properties::new(properties, "properties.")).unwrap();
            let topics = Client::new(Arc::new(config), Arc::default()).topics(None, false);
            match good {
                true => _ = topics.unwrap(),
                false => assert!(topics.unwrap_err().to_string().contains("uthentication"), "{mechanism}"),
            }
        }
    }
}

/// What a client answers that is configured so.
fn topics_of(servers: &str, more: &[(&str, &str)]) -> flott_kafka::Result<()> {
    let servers = std::env::var(servers).expect(NEEDS);
    let mut properties = vec![("bootstrap.servers", servers.as_str())];
    properties.extend(more);
    let owned = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let config = ClientConfig::new(&Properties::new(owned.collect(), "properties.")).unwrap();
    Client::new(Arc::new(config), Arc::default()).topics(None, false).map(drop)
}

/// A service that tells a token, and how often it was asked.
fn token_service(token: &str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    let body = format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3600}}"#);
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut request, mut bytes) = (String::new(), [0; 4096]);
            // The head says who asks, the body what for.
            while !request.contains("scope=kafka+all") {
                let read = stream.read(&mut bytes).unwrap();
                assert_ne!(read, 0, "{request}");
                request.push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
            // me:it's secret
            let is_known = request.to_lowercase().contains("authorization: basic bwu6axqncybzzwnyzxq=");
            let (status, body) =
                if is_known { ("200 OK", body.as_str()) } else { ("401 Unauthorized", "who?") };
            counted.fetch_add(1, Ordering::SeqCst);
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    (url, asked)
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn a_token_tells_who_the_client_is() {
    // Without a signature; the brokers of the tests take it. {"alg":"none"}.{"sub":"alice","iat":0,"exp":4102444800}.
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSIsImlhdCI6MCwiZXhwIjo0MTAyNDQ0ODAwfQ.";
    let connect = |url: &str, secret: &str| {
        let config =
            format!("x.OAuth required clientId=\"me\" clientSecret=\"{secret}\" scope=\"kafka all\";");
        topics_of(
            "FLOTT_KAFKA_SASL",
            &[
                ("security.protocol", "SASL_PLAINTEXT"),
                ("sasl.mechanism", "OAUTHBEARER"),
                ("sasl.oauthbearer.token.endpoint.url", url),
                ("sasl.jaas.config", &config),
            ],
        )
    };
    let (url, asked) = token_service(token);
    connect(&url, "it's secret").unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let failure = connect(&url, "wrong").unwrap_err().to_string();
    assert!(failure.contains("401 Unauthorized: who?"), "{failure}");
    let (url, _) = token_service("nonsense");
    let failure = connect(&url, "it's secret").unwrap_err().to_string();
    assert!(failure.contains("uthentication failed"), "{failure}");
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn connections_are_encrypted_and_both_ends_are_known() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/services/tls");
    let (ca, client) = (format!("{folder}/ca.pem"), format!("{folder}/client.pem"));
    let trust = [("security.protocol", "SSL"), ("ssl.truststore.type", "PEM")];
    let known = [("ssl.truststore.location", ca.as_str())];
    let shown = [("ssl.keystore.type", "PEM"), ("ssl.keystore.location", client.as_str())];
    let connect =
        |more: &[(&str, &str)]| topics_of("FLOTT_KAFKA_TLS", more).map_err(|failure| failure.to_string());
    connect(&[&trust[..], &known, &shown].concat()).unwrap();
    // In the properties themselves, and in the older protocol.
    let (ca_text, client_text) =
        (std::fs::read_to_string(&ca).unwrap(), std::fs::read_to_string(&client).unwrap());
    let inline = [
        ("ssl.truststore.certificates", ca_text.as_str()),
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.certificate.chain", client_text.as_str()),
        ("ssl.keystore.key", client_text.as_str()),
        ("ssl.enabled.protocols", "TLSv1.2"),
    ];
    connect(&[&trust[..], &inline].concat()).unwrap();
    // Nobody in the world vouches for the brokers.
    let failure = connect(&[&trust[..1], &shown].concat()).unwrap_err();
    assert!(failure.contains("UnknownIssuer"), "{failure}");
    // Without a certificate the brokers take nobody. They say so at the first request, or break off.
    let failure = connect(&[&trust[..], &known, &[("default.api.timeout.ms", "1")]].concat()).unwrap_err();
    assert!(failure.contains("Alert") || failure.contains("alert") || failure.contains("broke"), "{failure}");
    // A client that speaks TLS where nobody does, and the other way round.
    let all = [&trust[..], &known, &shown].concat();
    let failure = topics_of(
        "FLOTT_KAFKA",
        &[&all[..], &[("default.api.timeout.ms", "1"), ("request.timeout.ms", "3000")]].concat(),
    );
    assert!(failure.unwrap_err().to_string().contains("TLS"));
    let failure = topics_of("FLOTT_KAFKA_TLS", &[("default.api.timeout.ms", "1")]).unwrap_err().to_string();
    assert!(failure.contains("broke") || failure.contains("security.protocol"), "{failure}");
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn brokers_are_known_by_their_names() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/services/tls");
    let (ca, client) = (format!("{folder}/ca.pem"), format!("{folder}/client.pem"));
    // Their certificates are of 127.0.0.1.
    let servers = std::env::var("FLOTT_KAFKA_TLS").expect(NEEDS).replace("127.0.0.1", "localhost");
    let connect = |algorithm: &str| {
        let properties = [
            ("bootstrap.servers", servers.as_str()),
            ("security.protocol", "SSL"),
            ("ssl.truststore.type", "PEM"),
            ("ssl.truststore.location", &ca),
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.location", &client),
            ("ssl.endpoint.identification.algorithm", algorithm),
        ];
        let owned = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let config = ClientConfig::new(&Properties::new(owned, "properties.")).unwrap();
        Client::new(Arc::new(config), Arc::default()).topics(None, false)
    };
    let failure = connect("https").unwrap_err().to_string();
    assert!(failure.contains("localhost"), "{failure}");
    connect("").unwrap();
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn records_that_are_gone_are_told() {
    let topic = Topic::new("gone", 1);
    let rows: Vec<String> = (0..10).map(|row| format!("{row:02}")).collect();
    write(&topic.name, 1, Compression::None, None, &rows).wait().unwrap();
    client().delete_records(&topic.name, 0, 4).unwrap();
    let fetcher = support::fetcher(Isolation::ReadCommitted, None);
    fetcher.add(&topic.name, 0, 2);
    let failure = support::wait_for("a failure", || fetcher.take().err());
    assert!(failure.to_string().contains("begins at 4 now"), "{failure}");
    let fetcher = support::fetcher(Isolation::ReadCommitted, Some(OffsetAt::Earliest));
    fetcher.add(&topic.name, 0, 2);
    assert_eq!(support::rows_of(&fetcher, &[10]), rows[4..]);
    let lost = fetcher.take_lost();
    assert_eq!((lost.len(), lost[0].offset, lost[0].next), (1, 2, 4));
}

#[test]
fn wrong_properties_are_told() {
    for (name, value, expected) in [
        ("bootstrap.servers", "localhost", "host:port"),
        ("request.timeout.ms", "soon", "a whole number"),
        ("security.protocol", "SECURE", "SASL_PLAINTEXT"),
        ("ssl.truststore.type", "JKS", "must be 'PEM'"),
        ("ssl.enabled.protocols", "SSLv3", "TLSv1.2"),
        ("ssl.endpoint.identification.algorithm", "ldap", "https"),
    ] {
        let tls = [("security.protocol", "SSL"), ("ssl.truststore.location", "/nowhere/ca.pem")];
        let tls = if name.starts_with("ssl.") { &tls[..] } else { &[] };
        let tls: &[_] = if name == "ssl.truststore.type" { tls } else { &tls[..tls.len().min(1)] };
        let error = config(&[tls, &[(name, value)]].concat()).unwrap_err();
        assert!(error.message().contains(&format!("'properties.{name}'")), "{error}");
        assert!(error.message().contains(expected), "{error}");
    }
}
