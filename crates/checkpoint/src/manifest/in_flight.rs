//! What was under way to a subtask when the barrier of a checkpoint overtook it: where it is kept, and which
//! new subtask it goes to.
//!
//! A subtask keeps one file for all its channels, with the elements of each in order. On restore they are
//! replayed in front of everything new:
//!
//! - With the parallelism of both ends unchanged, each channel gets its own elements again, watermarks too.
//! - A subtask of another parallelism reads the files of the old ones whose rows may be its own: by key groups
//!   where rows are spread by key, of which it takes its own; else each old subtask's rows go whole to one
//!   new one. Rows of one old channel stay in order; there is no order between channels.
//! - The same if the stream is spread in another way now, or by other columns: then old rows may be anybody's.
//!   If its rows have other columns, they are refused.
//! - Where channels change, watermarks are not replayed: a row that was on time in its old channel could be
//!   late behind the watermark of another. What the senders say after the restore is later than any of them.

use flott_types::{Error, KeyGroup, KeyGroupRange, OperatorUid, Result, SubtaskIndex};
use serde::{Deserialize, Serialize};

use super::{Checksum, Manifest, OperatorSnapshot, StateFile};

/// What was under way to one subtask of an operator, the head of its chain.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InFlight {
    /// The channels, as the file numbers them.
    pub channels: Vec<InFlightChannel>,
    /// The elements.
    pub file: StateFile,
}

/// A stream into an operator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputStream {
    /// The operator that sends.
    pub from: OperatorUid,
    /// Which side output of it; `None` is its main output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The input that receives.
    pub input: u32,
    /// Which of several streams of which all this is the same.
    #[serde(default)]
    pub nth: u32,
}

/// A channel of which something was under way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InFlightChannel {
    /// The stream.
    pub stream: InputStream,
    /// The subtask that sends.
    pub sender: u32,
    /// Of how many.
    pub senders: u32,
    /// What the stream was like. Builds that did not write it cannot be continued from.
    #[serde(default)]
    pub shape: Option<StreamShape>,
}

/// What a stream is like.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamShape {
    /// How it spreads rows.
    pub spread: Spread,
    /// Of the names and types of its columns. Records name their type themselves.
    pub columns: Checksum,
}

/// How a stream spreads its rows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// By key group of these columns; of records, by that of the key that they carry.
    ByKey(Vec<usize>),
    /// To anybody.
    Any,
    /// To the first subtask.
    First,
    /// So that nothing of it can be overtaken.
    Never,
}

/// A stream into a vertex of the job that is to be restored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InputEdge {
    /// The edge's position in the plan.
    pub edge: u32,
    /// What it is known by.
    pub stream: InputStream,
    /// The number of subtasks that send.
    pub senders: u32,
    /// What it is like.
    pub shape: StreamShape,
}

/// What a new subtask replays of one file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InFlightShare {
    /// The file.
    pub file: StateFile,
    /// Of these channels.
    pub channels: Vec<Replayed>,
}

/// A channel that is replayed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replayed {
    /// Its number in the file.
    pub at: u32,
    /// It is replayed on this edge of the plan ...
    pub edge: u32,
    /// ... in the channel of this sender.
    pub sender: u32,
    /// Only rows of the subtask's own key groups are.
    pub own_keys: bool,
    /// Nothing has changed: watermarks are replayed too.
    pub unchanged: bool,
}

impl Manifest {
    /// What each of `parallelism` new subtasks of an operator replays, whose streams are these.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if something was under way in a stream that the job does not have, or
    /// whose rows have other columns now.
    pub fn in_flight_shares(
        &self,
        uid: &OperatorUid,
        edges: &[InputEdge],
        parallelism: u32,
        max_parallelism: u32,
    ) -> Result<Vec<Vec<InFlightShare>>> {
        let mut shares = vec![Vec::new(); parallelism as usize];
        let Some(operator) = self.operator(uid) else { return Ok(shares) };
        for (old, subtask) in (0..).map(SubtaskIndex).zip(&operator.subtasks) {
            let Some(in_flight) = &subtask.in_flight else { continue };
            let mut channels: Vec<Vec<Replayed>> = vec![Vec::new(); parallelism as usize];
            for (at, channel) in (0..).zip(&in_flight.channels) {
                let edge = edges.iter().find(|edge| edge.stream == channel.stream);
                let edge = edge.filter(|edge| edge.shape.spread != Spread::Never);
                let edge = edge.ok_or_else(|| operator.no_such_stream(&channel.stream))?;
                let shape = channel.shape.as_ref().filter(|shape| shape.columns == edge.shape.columns);
                let shape = shape.ok_or_else(|| operator.other_columns(&channel.stream))?;
                let same_receivers =
                    operator.parallelism == parallelism && operator.max_parallelism == max_parallelism;
                let same_spread = shape.spread == edge.shape.spread;
                let same = same_receivers && same_spread;
                let replayed = Replayed {
                    at,
                    edge: edge.edge,
                    sender: channel.sender % edge.senders.max(1),
                    own_keys: !same && matches!(edge.shape.spread, Spread::ByKey(_)),
                    unchanged: same && channel.senders == edge.senders,
                };
                let to = match edge.shape.spread {
                    Spread::First => 0..1,
                    Spread::ByKey(_) if same => old.0..old.0 + 1,
                    Spread::ByKey(_) if same_spread => operator.heirs(old, parallelism, max_parallelism),
                    Spread::ByKey(_) => 0..parallelism,
                    Spread::Any | Spread::Never => old.0 % parallelism..old.0 % parallelism + 1,
                };
                for new in to {
                    channels[new as usize].push(replayed);
                }
            }
            for (share, channels) in shares.iter_mut().zip(channels) {
                if !channels.is_empty() {
                    share.push(InFlightShare { file: in_flight.file.clone(), channels });
                }
            }
        }
        Ok(shares)
    }
}

impl OperatorSnapshot {
    /// Whether rows were under way to it.
    pub fn has_in_flight(&self) -> bool {
        self.subtasks.iter().any(|subtask| subtask.in_flight.is_some())
    }

    /// The new subtasks that own key groups of an old one.
    fn heirs(&self, old: SubtaskIndex, parallelism: u32, max_parallelism: u32) -> std::ops::Range<u32> {
        if max_parallelism != self.max_parallelism {
            return 0..parallelism;
        }
        let KeyGroupRange { first, last } =
            KeyGroupRange::of_subtask(old, self.max_parallelism, self.parallelism);
        if first > last {
            return 0..0;
        }
        let of = |group: u16| KeyGroup(group).subtask(max_parallelism, parallelism).0;
        of(first)..of(last) + 1
    }

    fn no_such_stream(&self, stream: &InputStream) -> Error {
        let InputStream { from, input, .. } = stream;
        Error::state(format!(
            "the checkpoint was not aligned, and holds rows that were on their way from the operator with uid '{from}' to input \
             {} of '{}', between which the job has no such stream: restore it with the job that wrote it, take a savepoint, \
             which holds no such rows, and start the changed job from that",
            input + 1,
            self.name
        ))
    }

    fn other_columns(&self, stream: &InputStream) -> Error {
        let InputStream { from, input, .. } = stream;
        Error::state(format!(
            "the checkpoint was not aligned, and holds rows that were on their way from the operator with uid '{from}' to input \
             {} of '{}', whose columns are not those that the stream has in this job: restore it with the job that wrote it, \
             stop that with a savepoint, which holds no such rows, and start the changed job from that",
            input + 1,
            self.name
        ))
    }
}
