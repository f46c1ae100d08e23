//! A table in a temporary directory, a driver for its source, and one for its sink.

use flott_connector::conformance::ByHand;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flott_batch::{Batch, pretty};
use flott_connector::*;
use flott_connector_filesystem::FilesystemConnector;
use flott_plan::{Schema, SinkSpec, SourceSpec, TableSpec};
use flott_types::clock::ManualClock;
use flott_types::{CheckpointId, JobId, LogicalType, Result, SubtaskIndex, TypeKind};

pub struct Table {
    pub directory: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
    pub spec: SourceSpec,
}

impl Table {
    /// A table whose path is `path` below the temporary directory.
    pub fn new(path: &str, columns: &[(&str, TypeKind)], options: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut options: BTreeMap<String, String> =
            options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let full = directory.path().join(path).to_str().unwrap().to_owned();
        options.insert("path".to_owned(), full);
        options.entry("format".to_owned()).or_insert("csv".to_owned());
        options.insert("connector".to_owned(), "filesystem".to_owned());
        let schema = Schema::new(columns.iter().map(|(name, kind)| (*name, kind.clone().nullable())));
        let table = TableSpec {
            name: "c.d.t".to_owned(),
            connector: "filesystem".to_owned(),
            options,
            schema,
            partition_keys: Vec::new(),
            primary_key: Vec::new(),
        };
        let spec = SourceSpec {
            projection: (0..columns.len()).collect(),
            table,
            paths: Vec::new(),
            metadata: Schema::default(),
            limit: None,
            watermark: None,
            errors: false,
        };
        Table { directory, clock: Arc::new(ManualClock::new(1_700_000_000_000)), spec }
    }

    pub fn partitioned(mut self, keys: &[&str]) -> Self {
        self.spec.table.partition_keys = keys.iter().map(|key| (*key).to_owned()).collect();
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// The names of all files below a directory, hidden ones too, with their content; without what writers
    /// keep for themselves.
    pub fn files(&self) -> BTreeMap<String, String> {
        let mut files = self.all_files();
        files.retain(|name, _| !name.contains("/.writers/"));
        files
    }

    /// As [`Table::files`], with what writers keep for themselves.
    pub fn all_files(&self) -> BTreeMap<String, String> {
        fn visit(root: &Path, directory: &Path, found: &mut BTreeMap<String, String>) {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    visit(root, &path, found);
                } else {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                    found.insert(name, std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        let mut found = BTreeMap::new();
        visit(self.directory.path(), self.directory.path(), &mut found);
        found
    }

    pub fn context(&self) -> TableContext {
        TableContext { batch: false, zone: "UTC".to_owned(), configuration: Default::default() }
    }

    pub fn source(&self) -> Result<Arc<dyn Source>> {
        registry().source(&self.spec, &self.context())
    }

    pub fn sink_spec(&self) -> SinkSpec {
        SinkSpec {
            table: self.spec.table.clone(),
            metadata: Schema::default(),
            overwrite: false,
            static_partition: BTreeMap::new(),
            drop_update_before: false,
        }
    }

    pub fn sink(&self) -> Arc<dyn Sink> {
        registry().sink(&self.sink_spec(), &self.context()).unwrap()
    }

    pub fn types(&self) -> Vec<LogicalType> {
        let columns =
            self.spec.projection.iter().map(|index| self.spec.table.schema.columns[*index].ty.clone());
        columns.chain(self.spec.metadata.iter().map(|(_, ty)| ty.clone())).collect()
    }

    pub fn batch(&self, rows: &str) -> Batch {
        let types: Vec<LogicalType> = self.spec.table.schema.iter().map(|(_, ty)| ty.clone()).collect();
        Batch::Changes(pretty::parse(rows, &types).unwrap())
    }

    pub fn read(&self) -> Result<Read> {
        Run::new(self, 1, 1_000)?.all()
    }

    pub fn rows(&self) -> String {
        self.read().unwrap().text
    }
}

/// The connector with the formats that there are.
pub fn registry() -> Registry {
    let mut registry = Registry::new(flott_formats::builtin());
    registry.register(Arc::new(FilesystemConnector));
    registry
}

/// What a source gave.
#[derive(Default, Debug, PartialEq)]
pub struct Read {
    pub text: String,
    pub skipped: u64,
    pub batches: usize,
    types: Vec<LogicalType>,
}

impl SourceOutput for Read {
    fn emit(&mut self, _split: &str, batch: Batch) -> Result<()> {
        let Batch::Changes(batch) = batch else { panic!("columns are wanted") };
        self.batches += 1;
        self.text.push_str(&pretty::print(&batch, &self.types));
        Ok(())
    }

    fn skipped(&mut self, rows: u64) {
        self.skipped += rows;
    }
}

/// A source that is read by several readers.
pub struct Run {
    pub source: Arc<dyn Source>,
    pub enumerator: ByHand,
    pub readers: Vec<Box<dyn SourceReader>>,
    pub output: Read,
    context: ReaderContext,
}

impl Run {
    pub fn new(table: &Table, parallelism: u32, batch_size: usize) -> Result<Self> {
        let source = table.source()?;
        let clock: Arc<dyn flott_types::Clock> = table.clock.clone();
        let enumerator = ByHand::new(&*source, None, parallelism, clock.clone())?;
        let context = ReaderContext {
            subtask: SubtaskIndex(0),
            parallelism,
            batch_size,
            clock,
            waker: Waker::default(),
            metrics: Default::default(),
        };
        let readers = (0..parallelism)
            .map(|subtask| source.reader(ReaderContext { subtask: SubtaskIndex(subtask), ..context.clone() }))
            .collect::<Result<_>>()?;
        Ok(Run {
            source,
            enumerator,
            readers,
            output: Read { types: table.types(), ..Read::default() },
            context,
        })
    }

    /// Lets one reader work; false when it is done for good.
    pub fn step(&mut self, reader: usize) -> Result<bool> {
        match self.readers[reader].poll(&mut self.output)? {
            Poll::More | Poll::Wait(_) => Ok(true),
            Poll::SplitsDone => match self.enumerator.ask(SubtaskIndex(reader as u32))? {
                None => Ok(false),
                Some(splits) => {
                    self.readers[reader].add_splits(splits)?;
                    Ok(true)
                }
            },
        }
    }

    /// Takes a snapshot, throws everything away and continues from it with the splits handed to other
    /// readers.
    pub fn restart(&mut self) -> Result<()> {
        let splits: Vec<Vec<Split>> =
            self.readers.iter_mut().map(|reader| reader.snapshot(CheckpointId(1))).collect::<Result<_>>()?;
        let state = self.enumerator.snapshot()?;
        let ReaderContext { parallelism, clock, .. } = &self.context;
        self.enumerator = ByHand::new(&*self.source, Some(&state), *parallelism, clock.clone())?;
        for reader in &mut self.readers {
            *reader = self.source.reader(self.context.clone())?;
        }
        self.readers.rotate_left(1);
        for (reader, splits) in self.readers.iter_mut().zip(splits) {
            reader.add_splits(splits)?;
        }
        Ok(())
    }

    pub fn all(mut self) -> Result<Read> {
        let mut open: Vec<usize> = (0..self.readers.len()).collect();
        while !open.is_empty() {
            let mut still = Vec::new();
            for reader in open {
                if self.step(reader)? {
                    still.push(reader);
                }
            }
            open = still;
        }
        Ok(self.output)
    }
}

/// What a killed process leaves: the writer goes, and everything that it had on the disk is as it was.
pub fn kill(table: &Table, writer: Box<dyn SinkWriter>) {
    let files = table.all_files();
    drop(writer);
    for (name, content) in files {
        table.put(&name, content);
    }
}

pub fn sink_context(table: &Table, attempt: u32, subtask: u32) -> SinkContext {
    SinkContext {
        job: JobId(7),
        attempt,
        succession: None,
        subtask: SubtaskIndex(subtask),
        parallelism: 2,
        restored: (attempt > 0).then_some(CheckpointId(1)),
        schema: None,
        metrics: Default::default(),
        waker: Waker::default(),
        clock: table.clock.clone(),
    }
}

/// What commits for the whole job.
pub fn global_committer(table: &Table, sink: &dyn Sink) -> Box<dyn Committer> {
    let context = GlobalCommitterContext {
        job: JobId(7),
        succession: None,
        parallelism: 2,
        clock: table.clock.clone(),
    };
    sink.global_committer(context).unwrap()
}
