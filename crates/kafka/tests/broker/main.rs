//! The client against real brokers: `make test-services` starts them and says where they are.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::sync::Arc;
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
    ] {
        let error = config(&[(name, value)]).unwrap_err();
        assert!(error.message().contains(&format!("'properties.{name}'")), "{error}");
        assert!(error.message().contains(expected), "{error}");
    }
}
