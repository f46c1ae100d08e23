//! A table in a warehouse of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use flott_batch::{Batch, pretty};
use flott_connector::conformance::{ByHand, commit};
use flott_connector::{
    Committable, Poll, ReaderContext, Registry, Sink, SinkContext, Source, SourceOutput, SourceReader,
    TableContext,
};
use flott_connector_iceberg::IcebergConnector;
use flott_plan::{Schema, SinkSpec, SourceSpec, TableSpec};
use flott_types::clock::ManualClock;
use flott_types::{CheckpointId, JobId, LogicalType, Result, SubtaskIndex, TypeKind, Waker};
use parquet::file::reader::{FileReader, SerializedFileReader};

/// A table in a warehouse.
pub(crate) struct Lake {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) spec: SourceSpec,
}

impl Lake {
    pub(crate) fn new(options: &[(&str, &str)], partition_keys: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut options: BTreeMap<String, String> =
            options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        options.insert("connector".to_owned(), "iceberg".to_owned());
        options.insert("warehouse".to_owned(), directory.path().to_str().unwrap().to_owned());
        let columns = [("a", TypeKind::BigInt), ("b", TypeKind::STRING), ("p", TypeKind::STRING)];
        let table = TableSpec {
            name: "c.d.t".to_owned(),
            connector: "iceberg".to_owned(),
            options,
            schema: Schema::new(columns.map(|(name, kind)| (name, kind.nullable()))),
            partition_keys: partition_keys.iter().map(|key| (*key).to_owned()).collect(),
            primary_key: Vec::new(),
        };
        let spec = SourceSpec {
            projection: vec![0, 1, 2],
            table,
            paths: Vec::new(),
            metadata: Schema::default(),
            limit: None,
            watermark: None,
            errors: false,
        };
        Lake { directory, clock: Arc::new(ManualClock::new(1_700_000_000_000)), spec }
    }

    pub(crate) fn registry() -> Registry {
        let mut registry = Registry::new(flott_formats::builtin());
        registry.register(Arc::new(IcebergConnector));
        registry
    }

    pub(crate) fn context() -> TableContext {
        TableContext { batch: false, zone: "UTC".to_owned(), configuration: Default::default() }
    }

    pub(crate) fn source(&self) -> Result<Arc<dyn Source>> {
        Lake::registry().source(&self.spec, &Lake::context())
    }

    pub(crate) fn sink(&self) -> Arc<dyn Sink> {
        let spec = SinkSpec {
            table: self.spec.table.clone(),
            metadata: Schema::default(),
            overwrite: false,
            static_partition: BTreeMap::new(),
            drop_update_before: false,
        };
        Lake::registry().sink(&spec, &Lake::context()).unwrap()
    }

    pub(crate) fn types(&self) -> Vec<LogicalType> {
        self.spec.table.schema.iter().map(|(_, ty)| ty.clone()).collect()
    }

    pub(crate) fn batch(&self, rows: &str) -> Batch {
        Batch::Changes(pretty::parse(rows, &self.types()).unwrap())
    }

    /// What a writer hands over for a checkpoint.
    pub(crate) fn handed_over(&self, checkpoint: u64, rows: &str) -> Vec<Committable> {
        self.handed_over_of(checkpoint, &[rows.to_owned()])
    }

    /// The same of several batches.
    pub(crate) fn handed_over_of(&self, checkpoint: u64, batches: &[String]) -> Vec<Committable> {
        let context = SinkContext {
            job: JobId(9),
            attempt: 0,
            succession: None,
            subtask: SubtaskIndex(0),
            parallelism: 1,
            restored: None,
            schema: None,
            metrics: Default::default(),
            clock: self.clock.clone(),
            waker: Waker::default(),
        };
        let mut writer = self.sink().writer(context, Vec::new()).unwrap();
        batches.iter().for_each(|rows| writer.write(self.batch(rows)).unwrap());
        writer.prepare_commit(CheckpointId(checkpoint), true).unwrap().wait().unwrap()
    }

    pub(crate) fn write(&self, rows: &str) {
        commit(&*self.sink(), &self.handed_over(1, rows)).unwrap();
    }

    /// The rows of the table, as it is read at once.
    pub(crate) fn rows(&self) -> Vec<String> {
        self.try_rows().unwrap()
    }

    pub(crate) fn try_rows(&self) -> Result<Vec<String>> {
        if !self.metadata("version-hint.text").exists() {
            return Ok(Vec::new());
        }
        let source = self.source()?;
        let mut splits = ByHand::new(&*source, None, 1, self.clock.clone())?;
        let mut reader = self.reader()?;
        let mut text = Text { text: String::new(), types: self.types() };
        while let Some(found) = splits.ask(SubtaskIndex(0))? {
            reader.add_splits(found)?;
            while reader.poll(&mut text)? != Poll::SplitsDone {}
        }
        let mut rows: Vec<String> = text.text.lines().map(str::to_owned).collect();
        rows.sort();
        Ok(rows)
    }

    pub(crate) fn reader(&self) -> Result<Box<dyn SourceReader>> {
        self.source()?.reader(ReaderContext {
            subtask: SubtaskIndex(0),
            parallelism: 1,
            batch_size: 1_000,
            clock: self.clock.clone(),
            waker: Waker::default(),
            metrics: Default::default(),
        })
    }

    /// The files of its rows.
    pub(crate) fn data(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.directory.path().join("d/t/data")];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => files.push(path),
                }
            }
        }
        files.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
        files
    }

    /// How many row groups each of them has.
    pub(crate) fn row_groups(&self) -> Vec<usize> {
        let groups = |path: &PathBuf| {
            let file = std::fs::File::open(path).unwrap();
            SerializedFileReader::new(file).unwrap().metadata().num_row_groups()
        };
        self.data().iter().map(groups).collect()
    }

    /// The newest version of the table.
    pub(crate) fn newest(&self) -> serde_json::Value {
        let path = self.metadata(&format!("v{}.metadata.json", self.versions()));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    /// Another engine changes the newest version.
    pub(crate) fn change(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let mut document = self.newest();
        change(&mut document);
        let path = self.metadata(&format!("v{}.metadata.json", self.versions()));
        std::fs::write(path, document.to_string()).unwrap();
    }

    /// A file of its metadata.
    pub(crate) fn metadata(&self, name: &str) -> PathBuf {
        self.directory.path().join("d/t/metadata").join(name)
    }

    pub(crate) fn versions(&self) -> usize {
        let files = std::fs::read_dir(self.directory.path().join("d/t/metadata")).unwrap();
        let name =
            |file: std::io::Result<std::fs::DirEntry>| file.unwrap().file_name().into_string().unwrap();
        files.map(name).filter(|name| name.ends_with(".metadata.json")).count()
    }
}

pub(crate) struct Text {
    text: String,
    types: Vec<LogicalType>,
}

impl SourceOutput for Text {
    fn emit(&mut self, _: &str, batch: Batch) -> Result<()> {
        let Batch::Changes(batch) = batch else { panic!("columns are wanted") };
        self.text.push_str(&pretty::print(&batch, &self.types));
        Ok(())
    }

    fn skipped(&mut self, _: u64) {}
}
