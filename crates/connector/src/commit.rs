//! Committers: their requests and outcomes. [`flott_checkpoint::commit`] decides what to commit when.

use flott_checkpoint::commit;
use flott_types::Result;

use crate::Committable;

/// Something to commit.
pub type CommitRequest = commit::CommitRequest<Committable>;

/// Makes output visible. It runs on its own thread and may block.
pub trait Committer: Send {
    /// Commits each of these; answers for each, in their order. Any of them may be committed already, by this
    /// committer or another one, before a failure or at this moment: a second time must be harmless.
    ///
    /// # Errors
    /// If there is no answer for any: all are tried again where the error allows it.
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<commit::CommitOutcome>>;
}

/// A committer that is made when there is something to commit, and made again after an error.
pub struct MadeCommitter<F> {
    make: F,
    committer: Option<Box<dyn Committer>>,
}

impl<F: FnMut() -> Result<Box<dyn Committer>>> MadeCommitter<F> {
    /// Not made yet.
    pub fn new(make: F) -> Self {
        MadeCommitter { make, committer: None }
    }

    /// See [`Committer::commit`].
    ///
    /// # Errors
    /// If the committer cannot be made, or has no answer.
    pub fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<commit::CommitOutcome>> {
        let mut current = match self.committer.take() {
            Some(committer) => committer,
            None => (self.make)()?,
        };
        let outcomes = current.commit(requests)?;
        self.committer = Some(current);
        Ok(outcomes)
    }
}
