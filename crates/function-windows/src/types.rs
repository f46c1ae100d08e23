//! What windows are.

use std::fmt::Debug;
use std::hash::Hash;

use flott_batch::Record;
pub use flott_operator::windows::TimeWindow;
use flott_types::Timestamp;
use serde::{Deserialize, Serialize};

/// A bucket of records of one key.
///
/// Windows are values: those that are equal are one. The windows of a key are kept in order, so they have
/// one.
pub trait Window: Record + Clone + Eq + Ord + Hash + Debug {
    /// The greatest timestamp that still belongs to the window. Results carry it.
    fn max_timestamp(&self) -> Timestamp;
}

impl Window for TimeWindow {
    #[inline]
    fn max_timestamp(&self) -> Timestamp {
        self.last()
    }
}

/// The one window that everything belongs to. It has no end.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "GlobalName", into = "GlobalName")]
pub struct GlobalWindow;

/// How it is written in snapshots.
#[derive(Serialize, Deserialize)]
enum GlobalName {
    Global,
}

impl From<GlobalName> for GlobalWindow {
    fn from(GlobalName::Global: GlobalName) -> Self {
        GlobalWindow
    }
}

impl From<GlobalWindow> for GlobalName {
    fn from(GlobalWindow: GlobalWindow) -> Self {
        GlobalName::Global
    }
}

impl Window for GlobalWindow {
    fn max_timestamp(&self) -> Timestamp {
        Timestamp::MAX
    }
}

/// The key of windows over a whole stream: there is only one.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub struct NoKey;

impl From<u8> for NoKey {
    fn from(_: u8) -> Self {
        NoKey
    }
}

impl From<NoKey> for u8 {
    fn from(NoKey: NoKey) -> u8 {
        0
    }
}
