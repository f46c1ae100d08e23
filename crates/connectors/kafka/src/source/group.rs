//! Commits offsets to the group, on a thread of its own: of checkpoints that follow one another quickly the
//! last one counts.

use std::sync::Arc;
use std::time::Duration;

use flott_kafka::{Client, ClientConfig, Stop};
use flott_types::{Error, Result};
use parking_lot::{Condvar, Mutex};

use super::progress::Commits;

type OffsetsToCommit = Vec<(String, i32, i64)>;

/// How long the end of a reader waits for the last commit.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Shared {
    wanted: Mutex<Option<OffsetsToCommit>>,
    changed: Condvar,
    /// The thread has ended.
    ended: Stop,
    /// Nothing more will be wanted.
    stop: Stop,
}

/// Commits offsets of a group.
pub(super) struct GroupOffsets {
    shared: Arc<Shared>,
}

impl GroupOffsets {
    pub(super) fn new(client: Arc<ClientConfig>, group: String, commits: Commits) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = shared.clone();
        std::thread::Builder::new()
            .name("kafka offsets".to_owned())
            .spawn(move || {
                of_thread.run(Client::new(client, Arc::default()), &group, &commits);
                of_thread.ended.set();
            })
            .map_err(|error| Error::external("cannot start a thread").with_source(error))?;
        Ok(GroupOffsets { shared })
    }

    /// These are read, and in a completed checkpoint.
    pub(super) fn commit(&self, offsets: OffsetsToCommit) {
        *self.shared.wanted.lock() = Some(offsets);
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn run(&self, mut client: Client, group: &str, commits: &Commits) {
        loop {
            let offsets = {
                let mut wanted = self.wanted.lock();
                loop {
                    if let Some(offsets) = wanted.take() {
                        break offsets;
                    }
                    if self.stop.is_set() {
                        return;
                    }
                    self.changed.wait(&mut wanted);
                }
            };
            // Nothing is restored from them: a commit that fails is made up for by the next.
            match client.commit_offsets(group, &offsets) {
                Ok(()) => commits.committed(&offsets),
                Err(failure) if failure.is_stopped() => {}
                Err(failure) => {
                    commits.failed.add(1);
                    tracing::warn!(
                        "Kafka: {failure}; the group '{group}' lags behind until the next checkpoint"
                    );
                }
            }
        }
    }
}

impl Drop for GroupOffsets {
    /// What is wanted is still committed, and is so before the job ends, if the brokers answer.
    fn drop(&mut self) {
        self.shared.stop.set();
        drop(self.shared.wanted.lock());
        self.shared.changed.notify_all();
        self.shared.ended.wait(PATIENCE);
    }
}
