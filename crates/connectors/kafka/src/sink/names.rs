//! Transactional ids: of which sink, whose, and after which checkpoint.

use flott_types::{CheckpointId, JobId};

/// Which start of which job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Run {
    pub(super) job: JobId,
    pub(super) attempt: u32,
}

/// What an id says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct TransactionName {
    pub(super) prefix: String,
    pub(super) subtask: u32,
    pub(super) run: Run,
    /// The writer, of which there may be several in a run: a job may write to a table in two places.
    pub(super) writer: u64,
    /// The last checkpoint before the transaction was begun; 0 before the first.
    pub(super) after: CheckpointId,
}

impl TransactionName {
    pub(super) fn id(&self) -> String {
        let TransactionName { prefix, subtask, run: Run { job, attempt }, writer, after } = self;
        format!("{prefix}-{subtask}-{job}.{attempt}-{writer:016x}-{}", after.0)
    }

    /// Of an id of this prefix; none of any other id.
    pub(super) fn parse(id: &str, prefix: &str) -> Option<Self> {
        let rest = id.strip_prefix(prefix)?.strip_prefix('-')?;
        let mut parts = rest.split('-');
        let subtask = parts.next()?.parse().ok()?;
        let (job, attempt) = parts.next()?.split_once('.')?;
        let run = Run { job: job.parse().ok()?, attempt: attempt.parse().ok()? };
        let writer = u64::from_str_radix(parts.next()?, 16).ok()?;
        let after = CheckpointId(parts.next()?.parse().ok()?);
        parts.next().is_none().then(|| TransactionName {
            prefix: prefix.to_owned(),
            subtask,
            run,
            writer,
            after,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_what_they_are_made_of() {
        let name = TransactionName {
            prefix: "my-shop-1".to_owned(),
            subtask: 3,
            run: Run { job: JobId(77), attempt: 2 },
            writer: 0xfeed,
            after: CheckpointId(41),
        };
        let id = name.id();
        assert_eq!(id, "my-shop-1-3-0000000000000000000000000000004d.2-000000000000feed-41");
        assert_eq!(TransactionName::parse(&id, "my-shop-1"), Some(name));
        // Those of another prefix, even if it begins alike, and of other programs.
        for (id, prefix) in
            [(id.as_str(), "my-shop"), (&format!("{id}-1"), "my-shop-1"), ("my-shop-1-0-5", "my-shop-1")]
        {
            assert_eq!(TransactionName::parse(id, prefix), None, "{id} of {prefix}");
        }
    }
}
