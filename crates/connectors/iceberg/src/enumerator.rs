//! Finds the files of a table: those of a snapshot at once, and those of later commits in the background.

use flott_connector::{
    Assignments, Background, Discovery, EnumeratorContext, Payload, Split, SplitEnumerator, SplitQueue,
};
use flott_types::{CheckpointId, Error, Result, SubtaskIndex, Timestamp};
use serde::{Deserialize, Serialize};

use crate::manifest::FoundFile;
use crate::metadata::{Snapshot, TableMetadata};
use crate::options::{Reading, Starting};
use crate::source::FileSplit;
use crate::table::IcebergTable;

const VERSION: u32 = 1;

/// What is in the checkpoint.
#[derive(Serialize, Deserialize)]
struct State {
    pending: Vec<Split>,
    /// All up to this snapshot was found.
    seen: Option<i64>,
}

/// What a look has found.
type Found = (Vec<FoundFile>, Option<i64>);

pub(crate) struct TableEnumerator {
    table: IcebergTable,
    reading: Reading,
    queue: SplitQueue,
    seen: Option<i64>,
    look: Background<Found>,
    next_look: Timestamp,
}

impl TableEnumerator {
    pub(crate) fn new(
        table: IcebergTable,
        reading: Reading,
        restored: Option<&Payload>,
        context: &EnumeratorContext,
    ) -> Result<Self> {
        let mut enumerator = TableEnumerator {
            queue: SplitQueue::default(),
            seen: None,
            look: Background::new("a look at an Iceberg table", context.waker.clone()),
            next_look: context.clock.now(),
            table,
            reading,
        };
        match restored {
            Some(payload) => {
                let state: State = payload.from_json(&[VERSION], "the files of an Iceberg table")?;
                enumerator.queue = SplitQueue::new(state.pending);
                enumerator.seen = state.seen;
            }
            None => {
                let found = first(&enumerator.table, &enumerator.reading)?;
                enumerator.found(found)?;
                enumerator.next_look += enumerator.reading.monitor_interval.unwrap_or(0);
            }
        }
        Ok(enumerator)
    }

    fn found(&mut self, (files, seen): Found) -> Result<()> {
        for file in files {
            self.queue.push(FileSplit::new(file).to_split()?);
        }
        self.seen = seen;
        Ok(())
    }
}

fn unknown(id: i64) -> Error {
    Error::invalid(format!("the Iceberg table has no snapshot {id}"))
}

/// What is read at the start.
fn first(table: &IcebergTable, reading: &Reading) -> Result<Found> {
    let metadata = table.existing()?.metadata;
    let current = metadata.current();
    let newest = current.as_ref().map(Snapshot::id).transpose()?;
    if reading.monitor_interval.is_none() {
        let snapshot = match (reading.snapshot, reading.as_of) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid("'snapshot-id' and 'as-of-timestamp' exclude each other"));
            }
            (Some(id), None) => Some(metadata.snapshot(id).ok_or_else(|| unknown(id))?),
            (None, Some(at)) => Some(metadata.as_of(at).ok_or_else(|| {
                Error::invalid("the Iceberg table had no snapshot at the time of 'as-of-timestamp'")
            })?),
            (None, None) => current,
        };
        let files = snapshot.map_or(Ok(Vec::new()), |snapshot| table.files(&snapshot))?;
        return Ok((files, newest));
    }
    let Some(current) = current else { return Ok((Vec::new(), None)) };
    let from = match reading.starting {
        Starting::TableScan => return Ok((table.files(&current)?, newest)),
        Starting::Latest => current.parent(),
        Starting::Earliest => None,
        Starting::SnapshotId => {
            let id = reading.start_snapshot.ok_or_else(|| {
                Error::invalid("the starting-strategy INCREMENTAL_FROM_SNAPSHOT_ID needs 'start-snapshot-id'")
            })?;
            metadata.snapshot(id).ok_or_else(|| unknown(id))?.parent()
        }
    };
    Ok((added_since(table, &metadata, from)?, newest))
}

/// What commits have added after a snapshot, oldest first.
fn added_since(table: &IcebergTable, metadata: &TableMetadata, seen: Option<i64>) -> Result<Vec<FoundFile>> {
    let mut since = Vec::new();
    let mut is_there = seen.is_none();
    for snapshot in metadata.ancestors(metadata.current()) {
        if Some(snapshot.id()?) == seen {
            is_there = true;
            break;
        }
        // What came before the oldest that is kept is gone.
        is_there |= snapshot.parent().is_some() && snapshot.parent() == seen;
        since.push(snapshot);
    }
    if !is_there {
        return Err(Error::state(format!(
            "the snapshot {} up to which the Iceberg table was read is not among those before the current one: it has expired, or the \
             table was set back",
            seen.unwrap_or(-1)
        )));
    }
    let mut files = Vec::new();
    for snapshot in since.iter().rev() {
        if let Some(operation) =
            snapshot.summary("operation").filter(|operation| !matches!(*operation, "append" | "replace"))
        {
            tracing::warn!(
                "snapshot {} of a watched Iceberg table is passed over: it is of the kind '{operation}'",
                snapshot.id()?
            );
        }
        files.extend(table.added(snapshot)?);
    }
    Ok(files)
}

impl SplitEnumerator for TableEnumerator {
    fn reader_registered(&mut self, reader: SubtaskIndex, _: &[String], _: &mut Assignments) -> Result<()> {
        self.queue.registered(reader);
        Ok(())
    }

    fn splits_requested(&mut self, reader: SubtaskIndex, assignments: &mut Assignments) -> Result<()> {
        self.queue.requested(reader, self.reading.monitor_interval.is_some(), assignments);
        Ok(())
    }

    fn splits_returned(
        &mut self,
        reader: SubtaskIndex,
        splits: Vec<Split>,
        assignments: &mut Assignments,
    ) -> Result<()> {
        self.queue.returned(reader, splits, assignments);
        Ok(())
    }

    fn work(&mut self, now: Timestamp, assignments: &mut Assignments) -> Result<()> {
        match self.look.take() {
            None => {}
            Some(Ok(found)) => {
                self.found(found)?;
                self.queue.serve(assignments);
            }
            Some(Err(error)) if error.is_retryable() => {
                tracing::warn!("an Iceberg table cannot be looked at: {error}");
            }
            Some(Err(error)) => return Err(error),
        }
        let Some(interval) = self.reading.monitor_interval else { return Ok(()) };
        if now >= self.next_look && !self.look.is_busy() {
            self.next_look = now + interval;
            let (table, seen) = (self.table.clone(), self.seen);
            self.look.start(move || {
                let metadata = table.existing()?.metadata;
                let newest = metadata.current().as_ref().map(Snapshot::id).transpose()?;
                match newest == seen {
                    true => Ok((Vec::new(), seen)),
                    false => Ok((added_since(&table, &metadata, seen)?, newest)),
                }
            })?;
        }
        Ok(())
    }

    fn next_time(&self) -> Option<Timestamp> {
        (self.reading.monitor_interval.is_some() && !self.look.is_busy()).then_some(self.next_look)
    }

    fn discovery(&self) -> Discovery {
        if self.look.is_busy() { Discovery::Again } else { Discovery::None }
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Payload> {
        Payload::json(VERSION, &State { pending: self.queue.pending(), seen: self.seen })
    }

    fn end_position(&self) -> Option<String> {
        self.seen.map(|id| id.to_string())
    }
}
