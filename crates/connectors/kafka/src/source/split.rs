//! A split: a partition, and where in it.

use flott_connector::{Payload, Split};
use flott_types::Result;
use serde::{Deserialize, Serialize};

/// A partition while it is read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct PartitionSplit {
    pub(super) topic: String,
    pub(super) partition: i32,
    /// The next offset to be read.
    pub(super) offset: i64,
    /// The first one that is not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<i64>,
}

const VERSION: u32 = 1;

impl PartitionSplit {
    pub(super) fn id(topic: &str, partition: i32) -> String {
        format!("{topic}-{partition}")
    }

    pub(super) fn to_split(&self) -> Result<Split> {
        Ok(Split { id: Self::id(&self.topic, self.partition), payload: Payload::json(VERSION, self)? })
    }

    pub(super) fn from_split(split: &Split) -> Result<Self> {
        split.payload.from_json(&[VERSION], &format!("the position in partition {}", split.id))
    }

    /// Whether all of it is read.
    pub(super) fn is_done(&self) -> bool {
        self.end.is_some_and(|end| self.offset >= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form that checkpoints have.
    #[test]
    fn positions_of_the_first_version_are_read() {
        let payload = |text: &str| Split { id: "t-3".to_owned(), payload: Payload::new(1, text) };
        let read =
            PartitionSplit::from_split(&payload(r#"{"topic":"t","partition":3,"offset":42}"#)).unwrap();
        assert_eq!((read.offset, read.end, read.is_done()), (42, None, false));
        let text = r#"{"topic":"t","partition":3,"offset":42,"end":42}"#;
        let read = PartitionSplit::from_split(&payload(text)).unwrap();
        assert!(read.is_done());
        assert_eq!(read.to_split().unwrap(), payload(text));
    }
}
