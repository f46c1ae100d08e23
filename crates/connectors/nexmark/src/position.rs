//! Splits and the events that belong to them.

use flott_connector::{Payload, Split};
use flott_types::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::Config;

/// This many consecutive events belong to one split: few enough to keep splits close together in event time,
/// and enough for columns.
pub(crate) const BLOCK: u64 = 1_000;

const VERSION: u32 = 2;

/// Every `count`-th block of events from block `index`. In checkpoints.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Position {
    /// 1, where payloads had no version yet; that is the form of today without it.
    #[serde(default, skip_serializing)]
    version: u32,
    pub(crate) index: u64,
    pub(crate) count: u64,
    /// The place of the next event in the stream of all events.
    pub(crate) next: u64,
    /// The time of the first event of the stream in milliseconds.
    pub(crate) base_time: i64,
    /// When the job started, in milliseconds: rate-limited events are due from then on.
    pub(crate) started: i64,
}

impl Position {
    /// The beginning of a split.
    pub(crate) fn new(index: u64, count: u64, base_time: i64, started: i64) -> Self {
        Position { version: 0, index, count, next: index * BLOCK, base_time, started }
    }

    pub(crate) fn read(split: &Split) -> Result<Self> {
        const WHAT: &str = "a position of nexmark";
        let read: Position = split.payload.from_json(&[Payload::UNVERSIONED, VERSION], WHAT)?;
        if read.version > 1 {
            return Err(Error::state(format!("{WHAT} has version {} instead of 1", read.version)));
        }
        Ok(Position { version: 0, ..read })
    }

    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.index, self.count)
    }

    pub(crate) fn to_split(&self) -> Result<Split> {
        Ok(Split { id: self.id(), payload: Payload::json(VERSION, self)? })
    }

    /// The end of the block that the next event is in.
    pub(crate) fn block_end(&self) -> u64 {
        (self.next / BLOCK + 1) * BLOCK
    }

    /// Advances to an event within the block, or to its end.
    pub(crate) fn advance(&mut self, to: u64) {
        self.next = if to == self.block_end() { to + (self.count - 1) * BLOCK } else { to };
    }

    /// The first event that is not due yet.
    pub(crate) fn due(&self, config: &Config, now: i64) -> u64 {
        let elapsed = (now - self.started + 1).max(0);
        let due = (elapsed as u128 * u128::from(config.rate)).div_ceil(1_000);
        u64::try_from(due).unwrap_or(u64::MAX)
    }

    /// When the next event is due.
    pub(crate) fn due_at(&self, config: &Config) -> i64 {
        self.started + config.elapsed(self.next)
    }
}
