//! The source: the files of a snapshot, then those that later commits add.

use std::collections::VecDeque;
use std::sync::Arc;

use flott_batch::Batch;
use flott_connector::{
    Boundedness, EnumeratorContext, Payload, Poll, ReaderContext, Source, SourceOutput, SourceReader, Split,
    SplitEnumerator,
};
use flott_plan::SourceSpec;
use flott_types::{CheckpointId, Error, Result};
use serde::{Deserialize, Serialize};

use crate::data_file::{FileReader, Wanted};
use crate::enumerator::TableEnumerator;
use crate::manifest::{FoundFile, open};
use crate::options::Config;

const VERSION: u32 = 1;

/// A file, and how many of its rows were read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct FileSplit {
    path: String,
    bytes: u64,
    rows: u64,
}

impl FileSplit {
    pub(crate) fn new(file: FoundFile) -> Self {
        FileSplit { path: file.path, bytes: file.bytes, rows: 0 }
    }

    pub(crate) fn to_split(&self) -> Result<Split> {
        Ok(Split { id: self.path.clone(), payload: Payload::json(VERSION, self)? })
    }

    fn from_split(split: &Split) -> Result<Self> {
        split.payload.from_json(&[VERSION], "a split of an Iceberg table")
    }
}

pub(crate) struct IcebergSource {
    config: Config,
    spec: Arc<SourceSpec>,
}

impl IcebergSource {
    pub(crate) fn new(config: Config, spec: &SourceSpec) -> Self {
        IcebergSource { config, spec: Arc::new(spec.clone()) }
    }
}

impl Source for IcebergSource {
    fn boundedness(&self) -> Boundedness {
        match self.config.reading.monitor_interval {
            Some(_) => Boundedness::Unbounded,
            None => Boundedness::Bounded,
        }
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let table = self.config.table.clone();
        Ok(Box::new(TableEnumerator::new(table, self.config.reading.clone(), restored, &context)?))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        let metadata = self.config.table.existing()?.metadata;
        let fields = metadata.fields()?;
        let column = |at: &usize| {
            let column = &self.spec.table.schema.columns[*at];
            let field = fields.iter().find(|field| field.name == column.name);
            let field = field.ok_or_else(|| {
                Error::invalid(format!(
                    "table {}: the Iceberg table has no column '{}'",
                    self.spec.table.name, column.name
                ))
            })?;
            field
                .check(&column.ty)
                .map_err(|error| error.context(format_args!("table {}", self.spec.table.name)))?;
            Ok(Wanted {
                is_identity: metadata.is_identity(field.id),
                is_mapped: metadata.is_mapped(field)?,
                field: field.clone(),
                column: column.clone(),
            })
        };
        let columns = self.spec.projection.iter().map(column).collect::<Result<_>>()?;
        Ok(Box::new(TableReader {
            columns,
            batch_size: context.batch_size,
            waiting: VecDeque::new(),
            current: None,
            wanted: self.spec.limit,
        }))
    }
}

struct TableReader {
    columns: Vec<Wanted>,
    batch_size: usize,
    waiting: VecDeque<FileSplit>,
    current: Option<(FileSplit, FileReader)>,
    /// How many rows are still wanted, if there is a limit.
    wanted: Option<u64>,
}

impl SourceReader for TableReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in &splits {
            self.waiting.push_back(FileSplit::from_split(split)?);
        }
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        if self.wanted == Some(0) {
            self.waiting.clear();
            self.current = None;
        }
        let in_file = |error: Error, path: &str| error.context(format!("file {path}"));
        if self.current.is_none() {
            let Some(split) = self.waiting.pop_front() else { return Ok(Poll::SplitsDone) };
            let file = Arc::new(open(&split.path)?);
            let reader = FileReader::new(file, split.rows, &self.columns)
                .map_err(|error| in_file(error, &split.path))?;
            self.current = Some((split, reader));
        }
        if let Some((split, reader)) = &mut self.current {
            match reader.read(self.batch_size).map_err(|error| in_file(error, &split.path))? {
                Some(batch) => {
                    let read = batch.num_rows() as u64;
                    split.rows += read;
                    let rows = self.wanted.map_or(read, |wanted| wanted.min(read));
                    output.emit(&split.path, Batch::Changes(batch.slice(0, rows as usize)))?;
                    self.wanted = self.wanted.map(|wanted| wanted - rows);
                }
                None => self.current = None,
            }
        }
        let nothing_left = self.current.is_none() && self.waiting.is_empty();
        Ok(if nothing_left { Poll::SplitsDone } else { Poll::More })
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        let current = self.current.as_ref().map(|(split, _)| split);
        current.into_iter().chain(&self.waiting).map(FileSplit::to_split).collect()
    }
}
