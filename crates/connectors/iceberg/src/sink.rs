//! The sink: files of data that are complete with each checkpoint, and one commit for all of them.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use flott_batch::Batch;
use flott_connector::{
    Committable, Committer, GlobalCommitterContext, Payload, Prepared, Sink, SinkContext, SinkWriter,
};
use flott_plan::SinkSpec;
use flott_storage::Location;
use flott_storage::files::{self, NewFile, Published};
use flott_types::{CheckpointId, Error, FastMap, Result};
use serde_json::Map;

use crate::committer::{TableCommitter, Written};
use crate::data_file::{FileWriter, cast};
use crate::manifest::DataFile;
use crate::options::Config;
use crate::partition::{PartitionSpec, Value};
use crate::schema::{Field, new_fields};
use crate::table::uuid;

pub(crate) struct IcebergSink {
    config: Config,
    spec: Arc<SinkSpec>,
}

impl IcebergSink {
    pub(crate) fn new(config: Config, spec: &SinkSpec) -> Result<Self> {
        let name = &spec.table.name;
        config.table.location.check_writable()?;
        // What the table cannot hold is told when the statement is planned.
        new_fields(&spec.table.schema).map_err(|error| error.context(format_args!("table {name}")))?;
        Ok(IcebergSink { config, spec: Arc::new(spec.clone()) })
    }

    /// The columns of the table, in the order of the rows, and how it is partitioned. It is created if there is none.
    fn layout(&self) -> Result<Layout> {
        let TableLayout { schema, partition_keys } =
            TableLayout { schema: &self.spec.table.schema, partition_keys: &self.spec.table.partition_keys };
        let (fields, last) = new_fields(schema)?;
        let new = PartitionSpec::identity(partition_keys, &fields)?;
        self.config.table.create((&fields, last), &new, Map::new())?;
        let metadata = self.config.table.existing()?.metadata;
        metadata.check_writable()?;
        let (own, partitioning) = (metadata.fields()?, metadata.partition_spec()?);
        let name = &self.spec.table.name;
        let mut places = Vec::with_capacity(own.len());
        for field in &own {
            let place = schema.iter().position(|(name, _)| name == field.name);
            if place.is_none() && field.required {
                return Err(Error::invalid(format!(
                    "table {name} has no column '{}', which is NOT NULL in the Iceberg table",
                    field.name
                )));
            }
            if let Some((_, ty)) = schema.iter().find(|(name, _)| *name == field.name) {
                field.check(ty).map_err(|error| error.context(format_args!("table {name}")))?;
            }
            places.push(place);
        }
        if let Some((unknown, _)) =
            schema.iter().find(|(name, _)| own.iter().all(|field| field.name != *name))
        {
            return Err(Error::invalid(format!("table {name}: the Iceberg table has no column '{unknown}'")));
        }
        Ok(Layout {
            fields: own,
            places,
            partitioning,
            data: Location::parse(metadata.location()?)?.join("data"),
        })
    }
}

/// What is said of a table here.
struct TableLayout<'a> {
    schema: &'a flott_plan::Schema,
    partition_keys: &'a [String],
}

/// How rows become files.
struct Layout {
    fields: Vec<Field>,
    /// For each field which column of a row it is.
    places: Vec<Option<usize>>,
    partitioning: PartitionSpec,
    data: Location,
}

impl Sink for IcebergSink {
    fn writer(&self, context: SinkContext, _: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(TableWriter {
            layout: Arc::new(self.layout()?),
            target_size: self.config.target_size,
            row_group_size: self.config.row_group_size,
            job: context.job.to_string(),
            prefix: format!("{:05}-{}-{}", context.subtask.0, context.attempt, uuid()),
            next: 0,
            open: FastMap::default(),
            held: 0,
            finished: Vec::new(),
        }))
    }

    fn is_two_phase(&self) -> bool {
        true
    }

    fn commits_globally(&self) -> bool {
        true
    }

    fn committer(&self, _: flott_connector::CommitterContext) -> Result<Box<dyn Committer>> {
        // Everything is committed for the job.
        Ok(Box::new(crate::committer::Nothing))
    }

    fn global_committer(&self, context: GlobalCommitterContext) -> Result<Box<dyn Committer>> {
        Ok(Box::new(TableCommitter::new(self.config.table.clone(), context.clock)))
    }

    fn check(&self) -> Result<()> {
        let name = &self.spec.table.name;
        let checked =
            files::check_writable(&self.config.table.location).and_then(|()| self.layout().map(drop));
        checked.map_err(|error| error.context(format_args!("table {name}")))
    }
}

struct TableWriter {
    layout: Arc<Layout>,
    target_size: u64,
    /// Of one file, and all that open files may hold.
    row_group_size: usize,
    job: String,
    /// What its files' names begin with: nobody else has it.
    prefix: String,
    next: u64,
    open: FastMap<Vec<Value>, OpenFile>,
    /// What the open files hold.
    held: usize,
    /// Since the last checkpoint.
    finished: Vec<DataFile>,
}

/// A file in progress.
struct OpenFile {
    rows: FileWriter,
    file: NewFile,
    location: Location,
    partition: Vec<Value>,
    written: u64,
}

impl OpenFile {
    /// Writes what is complete.
    fn write_out(&mut self) -> Result<()> {
        let bytes = self.rows.take();
        if bytes.is_empty() {
            return Ok(());
        }
        self.written += bytes.len() as u64;
        self.file.write(&bytes)?;
        self.rest();
        Ok(())
    }

    /// A file of many keeps no handle between its row groups.
    fn rest(&mut self) {
        if NewFile::too_many() {
            self.file.park();
        }
    }

    /// It is there under its name, which nobody knows yet.
    fn close(mut self, layout: &Layout) -> Result<DataFile> {
        self.write_out()?;
        let (rest, rows, columns) = self.rows.finish(&layout.fields)?;
        self.written += rest.len() as u64;
        self.file.write(&rest)?;
        let upload = self.file.close()?;
        if upload.is_some()
            && files::publish(&self.location, &self.location, upload.as_ref())? == Published::Missing
        {
            return Err(Error::external(format!("the store has ended the upload of {}", self.location)));
        }
        if let Some(directory) = self.location.parent() {
            files::sync_directory(&directory)?;
        }
        Ok(DataFile {
            path: self.location.to_text()?,
            partition: self.partition,
            spec: layout.partitioning.id,
            rows,
            bytes: self.written,
            columns,
        })
    }
}

impl TableWriter {
    fn open(&mut self, partition: Vec<Value>) -> Result<OpenFile> {
        if let Some(open) = self.open.remove(&partition) {
            return Ok(open);
        }
        let directory = self.layout.partitioning.directory(&partition);
        let name = format!("{}-{:05}.parquet", self.prefix, self.next);
        self.next += 1;
        let location = self.layout.data.join(&directory).join(&name);
        let file = NewFile::create(&location, &location)?;
        let rows = FileWriter::new(&self.layout.fields)?;
        let mut open = OpenFile { rows, file, location, partition, written: 0 };
        open.rest();
        Ok(open)
    }

    fn add(&mut self, partition: Vec<Value>, columns: Vec<ArrayRef>) -> Result<()> {
        let mut file = self.open(partition)?;
        let before = file.rows.held();
        file.rows.write(columns)?;
        if file.rows.growth() >= self.row_group_size {
            file.rows.flush()?;
        }
        file.write_out()?;
        let held = file.rows.held();
        if file.written + file.rows.growth() as u64 >= self.target_size {
            self.held = self.held.saturating_sub(before);
            self.finished.push(file.close(&self.layout)?);
            return Ok(());
        }
        self.held = (self.held + held).saturating_sub(before);
        self.open.insert(file.partition.clone(), file);
        if self.held > self.row_group_size { self.make_room() } else { Ok(()) }
    }

    /// Closes row groups, the largest first, until the half is written out.
    fn make_room(&mut self) -> Result<()> {
        let mut largest: Vec<&mut OpenFile> = self.open.values_mut().collect();
        largest.sort_by_key(|file| std::cmp::Reverse(file.rows.held()));
        for file in largest {
            if self.held <= self.row_group_size / 2 {
                break;
            }
            let before = file.rows.held();
            file.rows.flush()?;
            file.write_out()?;
            self.held = (self.held + file.rows.held()).saturating_sub(before);
        }
        Ok(())
    }
}

impl SinkWriter for TableWriter {
    fn write(&mut self, batch: Batch) -> Result<()> {
        let Batch::Changes(batch) = batch else {
            return Err(Error::internal("the sink iceberg got values instead of columns"));
        };
        let batch = batch.compact()?;
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(());
        }
        let layout = self.layout.clone();
        let column = |(field, place): (&Field, &Option<usize>)| match place {
            Some(place) => cast(batch.column(*place), &field.ty.arrow(), &field.name),
            None => Ok(arrow::array::new_null_array(&field.ty.arrow(), rows)),
        };
        let columns = layout.fields.iter().zip(&layout.places).map(column).collect::<Result<Vec<_>>>()?;
        if layout.partitioning.fields.is_empty() {
            return self.add(Vec::new(), columns);
        }
        let mut partitions: Vec<(Vec<Value>, Vec<u32>)> = Vec::new();
        let mut known: FastMap<Vec<Value>, usize> = FastMap::default();
        let mut last: Option<usize> = None;
        for row in 0..rows {
            let values = layout.partitioning.of(&columns, row)?;
            // Rows of one partition mostly come together.
            let at = match last.filter(|at| partitions[*at].0 == values) {
                Some(at) => at,
                None => *known.entry(values.clone()).or_insert_with(|| {
                    partitions.push((values, Vec::new()));
                    partitions.len() - 1
                }),
            };
            last = Some(at);
            partitions[at].1.push(row as u32);
        }
        for (partition, rows) in partitions {
            let rows = UInt32Array::from(rows);
            let taken = columns.iter().map(|column| take(column, &rows, None)).collect::<Result<Vec<_>, _>>();
            let taken = taken.map_err(|error| Error::internal("rows of a partition").with_source(error))?;
            self.add(partition, taken)?;
        }
        Ok(())
    }

    fn prepare_commit(&mut self, _: CheckpointId, _: bool) -> Result<Prepared> {
        let open: Vec<OpenFile> = self.open.drain().map(|(_, file)| file).collect();
        self.held = 0;
        let mut finished = std::mem::take(&mut self.finished);
        if open.is_empty() && finished.is_empty() {
            return Ok(Prepared::default());
        }
        let (layout, job) = (self.layout.clone(), self.job.clone());
        Ok(Prepared::Later(Box::new(move || {
            for file in open {
                finished.push(file.close(&layout)?);
            }
            finished.sort_by(|a, b| a.path.cmp(&b.path));
            let committable = |file| Written { job: job.clone(), file }.to_committable();
            finished.into_iter().map(committable).collect::<Result<Vec<Committable>>>()
        })))
    }
}

impl Drop for TableWriter {
    /// What was not handed over is in no checkpoint. What an error here leaves behind, nobody sees.
    fn drop(&mut self) {
        for (_, OpenFile { file, location, .. }) in self.open.drain() {
            _ = file.upload().map(|upload| files::abandon(&location, upload));
            drop(file);
            _ = files::remove(&location);
        }
        for file in self.finished.drain(..) {
            _ = Location::parse(&file.path).and_then(|location| files::remove(&location));
        }
    }
}
