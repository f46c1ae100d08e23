//! Lines of a connection.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use flott_connector::{Poll, Waker};
use flott_datastream::source::SocketTextSource;
use flott_types::Result;

use crate::support::Single;

/// A server, and a reader that has connected to it.
struct World {
    listener: TcpListener,
    run: Single<String>,
    woken: Receiver<()>,
}

impl World {
    fn new(source: impl FnOnce(SocketTextSource) -> SocketTextSource) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let source =
            source(SocketTextSource::new("127.0.0.1", port).with_retry_delay(Duration::from_millis(1)));
        let (wake, woken) = channel();
        let waker = Waker::new(move || wake.send(()).unwrap_or_default());
        World { listener, run: Single::new(&source, 100, waker), woken }
    }

    fn accept(&mut self) -> TcpStream {
        // The first poll connects.
        self.run.poll().unwrap();
        self.run.poll().unwrap();
        self.listener.accept().unwrap().0
    }

    /// Polls until there is something: a reader that has nothing must wake its task when something comes.
    fn next(&mut self) -> Result<Option<Vec<String>>> {
        loop {
            let before = self.run.output.values.len();
            match self.run.poll()? {
                None => return Ok(None),
                Some(Poll::Wait(_)) => self.woken.recv_timeout(Duration::from_secs(20)).unwrap(),
                Some(_) => {}
            }
            if self.run.output.values.len() > before {
                return Ok(Some(self.run.output.values[before..].to_vec()));
            }
        }
    }

    fn lines(&mut self, count: usize) -> Vec<String> {
        let before = self.run.output.values.len();
        while self.run.output.values.len() < before + count {
            self.next().unwrap().unwrap();
        }
        self.run.output.values[before..].to_vec()
    }
}

#[test]
fn lines_come_as_they_are_sent_and_the_source_ends_with_the_connection() {
    let mut world = World::new(|source| source);
    let mut stream = world.accept();
    stream.write_all(b"one\r\ntwo\nthr").unwrap();
    assert_eq!(world.lines(2), ["one", "two"]);
    stream.write_all(b"ee\n").unwrap();
    assert_eq!(world.lines(1), ["three"]);
    stream.write_all(b"rest").unwrap();
    drop(stream);
    assert_eq!(world.lines(1), ["rest"]);
    assert_eq!(world.next().unwrap(), None);
    assert!(world.run.reader.snapshot(flott_types::CheckpointId(1)).unwrap().is_empty());
    assert_eq!(world.run.output.finished, 1);
}

#[test]
fn another_delimiter_may_be_longer_than_a_byte() {
    let mut world = World::new(|source| source.with_delimiter("||").unwrap());
    let mut stream = world.accept();
    stream.write_all(b"a|b\n|").unwrap();
    stream.flush().unwrap();
    stream.write_all(b"|c||").unwrap();
    assert_eq!(world.lines(2), ["a|b\n", "c"]);
    assert!(SocketTextSource::new("x", 1).with_delimiter("").is_err());
}

#[test]
fn a_connection_that_ends_is_tried_again() {
    let mut world = World::new(|source| source.with_retries(Some(3)));
    for round in ["a", "b", "c"] {
        let mut stream = world.accept();
        stream.write_all(format!("{round}\n").as_bytes()).unwrap();
        assert_eq!(world.lines(1), [round]);
    }
}

#[test]
fn a_missing_server_is_named_after_the_last_try() {
    let mut world = World::new(|source| source.with_retries(Some(2)));
    let address = world.listener.local_addr().unwrap();
    world.listener = TcpListener::bind("127.0.0.1:0").unwrap();
    world.run.poll().unwrap();
    let error = world.next().unwrap_err().to_string();
    assert!(error.contains(&format!("cannot connect to {address}")), "{error}");
}

#[test]
fn a_reader_that_goes_away_takes_its_thread_along() {
    let clock = Arc::new(());
    let held = clock.clone();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = SocketTextSource::new("127.0.0.1", listener.local_addr().unwrap().port());
    let waker = Waker::new(move || drop(held.clone()));
    let mut run = Single::<String>::new(&source, 100, waker);
    run.poll().unwrap();
    run.poll().unwrap();
    let _stream = listener.accept().unwrap();
    drop(run);
    // The thread holds the waker while it lives.
    let gone = (0..2_000).any(|_| {
        std::thread::park_timeout(Duration::from_millis(5));
        Arc::strong_count(&clock) == 1
    });
    assert!(gone, "the thread of the connection lives on");
}
