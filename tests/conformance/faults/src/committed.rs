//! A two-phase sink in memory, whose commits fail where a test wants them to.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott::batch::{Batch, ChangeBatch};
use flott::connector::{
    CommitOutcome, CommitRequest, Committable, Committer, CommitterContext, Connector, Options, Payload,
    Prepared, Sink, SinkContext, SinkWriter, TableContext,
};
use flott::plan::SinkSpec;
use flott::types::CheckpointId;
use flott::{Error, Result};
use parking_lot::Mutex;

/// The connector's name.
pub const COMMITTED: &str = "committed";

/// When a commit fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommitFault {
    /// Before it has done anything.
    Before,
    /// When everything is visible.
    After,
}

/// What was written, and what of it is visible. Clones are one.
#[derive(Clone, Default)]
pub struct Committed(Arc<Mutex<Store>>);

#[derive(Default)]
struct Store {
    /// Handed over and not committed, by transaction.
    open: BTreeMap<String, Vec<ChangeBatch>>,
    /// The transactions that were committed, in this order.
    committed: Vec<(String, Vec<ChangeBatch>)>,
    writers: u64,
    fault: Option<CommitFault>,
}

impl Committed {
    /// Lets the next commit of something fail.
    pub fn fail(&self, fault: CommitFault) {
        self.0.lock().fault = Some(fault);
    }

    /// What is visible.
    pub fn take(&self) -> Vec<ChangeBatch> {
        let committed = std::mem::take(&mut self.0.lock().committed);
        committed.into_iter().flat_map(|(_, batches)| batches).collect()
    }
}

impl Connector for Committed {
    fn name(&self) -> &'static str {
        COMMITTED
    }

    fn sink(&self, _: &SinkSpec, _: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Sink>> {
        Ok(Arc::new(self.clone()))
    }
}

impl Sink for Committed {
    fn writer(&self, _: SinkContext, _: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        let mut store = self.0.lock();
        store.writers += 1;
        let name = format!("writer {}", store.writers);
        Ok(Box::new(Writer { sink: self.clone(), name, transactions: 0, rows: Vec::new() }))
    }

    fn committer(&self, _: CommitterContext) -> Result<Box<dyn Committer>> {
        Ok(Box::new(self.clone()))
    }

    fn is_two_phase(&self) -> bool {
        true
    }
}

impl Committer for Committed {
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
        let mut store = self.0.lock();
        let fault = store.fault.take_if(|_| !requests.is_empty());
        if fault == Some(CommitFault::Before) {
            return Err(Error::external("the test lets a commit fail before it"));
        }
        let mut outcomes = Vec::new();
        for request in requests {
            let name = request.committable.payload.text("a transaction")?;
            outcomes.push(if let Some(rows) = store.open.remove(name) {
                store.committed.push((name.to_owned(), rows));
                CommitOutcome::Committed
            } else if store.committed.iter().any(|(other, _)| other == name) {
                CommitOutcome::AlreadyCommitted
            } else {
                CommitOutcome::Failed(format!("nobody has ever written '{name}'"))
            });
        }
        match fault {
            None => Ok(outcomes),
            Some(_) => Err(Error::external("the test lets a commit fail after it")),
        }
    }
}

struct Writer {
    sink: Committed,
    name: String,
    transactions: u64,
    rows: Vec<ChangeBatch>,
}

impl SinkWriter for Writer {
    fn write(&mut self, batch: Batch) -> Result<()> {
        match batch {
            Batch::Changes(changes) => self.rows.push(changes.compact()?),
            Batch::Records(_) => return Err(Error::internal("records instead of rows")),
        }
        Ok(())
    }

    fn prepare_commit(&mut self, _: CheckpointId, _: bool) -> Result<Prepared> {
        if self.rows.is_empty() {
            return Ok(Prepared::default());
        }
        self.transactions += 1;
        let name = format!("{}, transaction {}", self.name, self.transactions);
        self.sink.0.lock().open.insert(name.clone(), std::mem::take(&mut self.rows));
        Ok(vec![Committable::new(Payload::new(1, name))].into())
    }
}
