//! Sources whose values pass once: what is read depends on when it is read. Whatever the number of readers,
//! each value is read by one.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use flott_batch::Batch;
use flott_connector::conformance::{SourceUnderTest, check_source};
use flott_connector::{Produces, Source};
use flott_datastream::source::{ChannelSource, SocketTextSource};
use flott_types::Result;
use parking_lot::Mutex;

fn lines() -> impl Iterator<Item = String> {
    (0..20).map(|line| format!("line {line}"))
}

/// A source that is made for a run: by this function, together with what is outside of it.
struct Passing<S, M> {
    make: M,
    source: Mutex<Option<S>>,
}

impl<S, M: Fn() -> S> Passing<S, M> {
    fn new(make: M) -> Self {
        Passing { make, source: Mutex::new(None) }
    }
}

impl<S, M> SourceUnderTest for Passing<S, M>
where
    S: Produces<String> + Clone + 'static,
    M: Fn() -> S,
{
    fn source(&self) -> Result<Arc<dyn Source>> {
        let mut source = self.source.lock();
        Ok(Arc::new(source.get_or_insert_with(&self.make).clone()))
    }

    fn texts(&self, batch: Batch) -> Result<Vec<String>> {
        Ok(batch.into_records::<String>()?.values)
    }

    fn expected(&self) -> Vec<String> {
        lines().collect()
    }

    // What has come is a batch.
    fn most_rows_per_poll(&self) -> usize {
        lines().count()
    }

    fn is_replayable(&self) -> bool {
        false
    }

    fn begin(&self) {
        *self.source.lock() = None;
    }
}

#[test]
fn a_channel_gives_each_value_to_one_reader() {
    check_source(&Passing::new(|| {
        let (sender, receiver) = channel();
        lines().for_each(|line| sender.send(line).unwrap());
        ChannelSource::new(receiver)
    }))
    .unwrap();
}

#[test]
fn a_connection_gives_each_line_to_one_reader() {
    check_source(&Passing::new(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            lines().for_each(|line| writeln!(connection, "{line}").unwrap());
        });
        SocketTextSource::new("127.0.0.1", port).with_retry_delay(Duration::from_millis(1))
    }))
    .unwrap();
}
