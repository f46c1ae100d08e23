//! Connectors of tables for programs: the columns of a table are those of the program's type.
//!
//! There is one implementation of each connector and format, that of SQL's tables; here it gets its options
//! from a builder, and its rows become values. So whatever a table can be read from or written to, a stream
//! can be as well.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::time::Duration;

use flott_batch::Record;
use flott_connector::{Registry, TableContext};
use flott_connector_combinators::{TypedSink, TypedSource};
use flott_function::output::Of;
use flott_plan::{Schema, SinkSpec, SourceSpec, TableSpec};
use flott_types::config::nearest;
use flott_types::config::secrets::Shown;
use flott_types::{Configuration, Error, LogicalType, Result};
use flott_values::RowCodec;

/// The connectors of tables that a program has without asking for more.
fn builtin() -> Registry {
    let mut registry = Registry::new(flott_formats::builtin());
    registry.register(std::sync::Arc::new(flott_connector_filesystem::FilesystemConnector));
    registry
}

/// A table of values: a connector with its options, as they are written in `WITH (...)`.
///
/// ```
/// # use flott_datastream::*;
/// # use flott_datastream::table::TableConnector;
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().to_str().unwrap();
/// # std::fs::write(folder.path().join("orders.csv"), "1,tea\n2,cake\n").unwrap();
/// let orders = TableConnector::<(u32, String)>::new("filesystem")
///     .option("path", path)
///     .option("format", "csv")
///     .source()?;
/// # let env = StreamExecutionEnvironment::new();
/// let orders = env.from_source(orders, WatermarkStrategy::no_watermarks(), "orders");
/// # let mut orders = orders.execute_and_collect("t")?.collect::<Result<Vec<_>>>()?;
/// # orders.sort();
/// assert_eq!(orders, [(1, "tea".to_owned()), (2, "cake".to_owned())]);
/// # Ok::<(), Error>(())
/// ```
pub struct TableConnector<T> {
    connector: String,
    registry: Option<Registry>,
    options: BTreeMap<String, String>,
    partition_keys: Vec<String>,
    /// Fields that come from metadata, with its key.
    metadata: BTreeMap<String, String>,
    of: Of<T>,
}

impl<T> Clone for TableConnector<T> {
    fn clone(&self) -> Self {
        TableConnector {
            connector: self.connector.clone(),
            registry: self.registry.clone(),
            options: self.options.clone(),
            partition_keys: self.partition_keys.clone(),
            metadata: self.metadata.clone(),
            of: PhantomData,
        }
    }
}

impl<T> fmt::Debug for TableConnector<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TableConnector({} {:?})", self.connector, Shown(&self.options))
    }
}

impl<T: Record> TableConnector<T> {
    /// The connector of this name.
    pub fn new(connector: &str) -> Self {
        let (options, partition_keys) = (BTreeMap::new(), Vec::new());
        TableConnector {
            connector: connector.to_owned(),
            registry: None,
            options,
            partition_keys,
            metadata: BTreeMap::new(),
            of: PhantomData,
        }
    }

    /// Looks for connector and format here, and not only among files (SQL's are in
    /// `flott::connectors::builtin()`).
    #[must_use]
    pub fn of_registry(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// An option of the connector or, with the format's name before it, of the format.
    #[must_use]
    pub fn option(mut self, key: &str, value: impl Display) -> Self {
        self.options.insert(key.to_owned(), value.to_string());
        self
    }

    /// The columns that are in the names of directories (PARTITIONED BY): `day=2024-06-01/`.
    #[must_use]
    pub fn partitioned_by<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.partition_keys = columns.into_iter().map(Into::into).collect();
        self
    }

    /// A field that a source reads from what the connector knows of a row (METADATA FROM): `file.path`,
    /// `timestamp`. The type is a struct.
    #[must_use]
    pub fn metadata(mut self, field: &str, key: &str) -> Self {
        self.metadata.insert(field.to_owned(), key.to_owned());
        self
    }

    fn table(&self) -> Result<TableSpec> {
        let columns = RowCodec::<T>::new()?;
        if let Some(field) =
            self.metadata.keys().find(|field| columns.columns().iter().all(|(name, _)| name != *field))
        {
            return Err(Error::invalid(format!("'{field}' is no field of {}", std::any::type_name::<T>())));
        }
        let physical = columns.columns().iter().filter(|(name, _)| !self.metadata.contains_key(name));
        let schema = Schema::new(physical.cloned());
        if let Some(key) = self.partition_keys.iter().find(|key| schema.index_of(key).is_none()) {
            let known: Vec<&str> = schema.iter().map(|(name, _)| name).collect();
            return Err(Error::invalid(format!(
                "the partition column '{key}' is no field of {}; there are: {}",
                std::any::type_name::<T>(),
                known.join(", ")
            )));
        }
        Ok(TableSpec {
            name: self.connector.clone(),
            connector: self.connector.clone(),
            options: self.options.clone(),
            schema,
            partition_keys: self.partition_keys.clone(),
            primary_key: Vec::new(),
        })
    }

    fn registry(&self) -> Registry {
        self.registry.clone().unwrap_or_else(builtin)
    }

    /// Refuses options that the format does not have. In SQL they are only warned of, because scripts for Flink
    /// have such options; a program is written for Flott.
    fn check_format(&self, registry: &Registry) -> Result<()> {
        let Some(format) = self.options.get("format") else { return Ok(()) };
        let known: Vec<&str> =
            registry.formats().get(format)?.manual().options.iter().map(|option| option.key()).collect();
        let mut own = self.options.keys().filter_map(|key| key.strip_prefix(format)?.strip_prefix('.'));
        let Some(key) = own.find(|key| !known.contains(key)) else { return Ok(()) };
        let hint = nearest(known.iter().copied(), key);
        let hint = hint.map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
        Err(Error::invalid(format!("the format '{format}' has no option '{key}'{hint}")))
    }

    /// The source, for [`StreamExecutionEnvironment::from_source`](crate::StreamExecutionEnvironment::from_source).
    ///
    /// # Errors
    /// What is wrong with the options, or with the type: it must have a column for each field.
    pub fn source(&self) -> Result<TypedSource<T>> {
        let table = self.table()?;
        let registry = self.registry();
        self.check_format(&registry)?;
        let metadata = self.metadata_of(&registry, &table)?;
        let schema = table.schema.clone();
        let spec = SourceSpec {
            projection: (0..schema.len()).collect(),
            paths: Vec::new(),
            metadata: Schema::new(metadata.iter().map(|(_, key, ty)| (key.clone(), ty.clone()))),
            limit: None,
            watermark: None,
            errors: false,
            table,
        };
        let physical = schema.iter().map(|(name, ty)| (name.to_owned(), ty.clone()));
        let of_metadata = metadata.iter().map(|(field, _, ty)| (field.clone(), ty.clone()));
        let rows = Schema::new(physical.chain(of_metadata));
        TypedSource::new(registry.source(&spec, &context())?, &rows)
    }

    /// Fields that come from metadata: name, key and type of each.
    fn metadata_of(
        &self,
        registry: &Registry,
        table: &TableSpec,
    ) -> Result<Vec<(String, String, LogicalType)>> {
        if self.metadata.is_empty() {
            return Ok(Vec::new());
        }
        let readable = registry.table(table)?.readable_metadata();
        let of = |(field, key): (&String, &String)| match readable.iter().find(|(known, _)| known == key) {
            Some((_, ty)) => Ok((field.clone(), key.clone(), ty.clone())),
            None => {
                let known: Vec<&str> = readable.iter().map(|(key, _)| key.as_str()).collect();
                let (connector, known) = (&self.connector, known.join(", "));
                Err(Error::invalid(format!(
                    "the connector '{connector}' has no metadata '{key}'; there are: {known}"
                )))
            }
        };
        self.metadata.iter().map(of).collect()
    }

    /// The sink, for [`DataStream::sink_to`](crate::DataStream::sink_to).
    ///
    /// # Errors
    /// What is wrong with the options, or with the type: it must have a column for each field.
    pub fn sink(&self) -> Result<TypedSink<T>> {
        if let Some(field) = self.metadata.keys().next() {
            return Err(Error::unsupported(format!(
                "the field '{field}' is metadata, which is read and not written"
            )));
        }
        let table = self.table()?;
        let (metadata, static_partition) = (Schema::default(), BTreeMap::new());
        let drop_update_before = false;
        let spec = SinkSpec { table, metadata, overwrite: false, static_partition, drop_update_before };
        let registry = self.registry();
        self.check_format(&registry)?;
        TypedSink::new(registry.sink(&spec, &context())?)
    }
}

fn context() -> TableContext {
    TableContext { batch: false, zone: "UTC".to_owned(), configuration: Configuration::default() }
}

/// Files of a format: `json`, `csv`, `parquet` or `raw`. A record is a value; its fields are the columns.
///
/// ```
/// # use flott_datastream::*;
/// # use flott_datastream::table::Files;
/// # use serde::{Deserialize, Serialize};
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().to_str().unwrap();
/// #[derive(Clone, Serialize, Deserialize, PartialEq, Debug)]
/// struct Sale {
///     product: String,
///     amount: u32,
/// }
///
/// # let env = StreamExecutionEnvironment::new();
/// # env.set_parallelism(1);
/// let sales = env.from_collection([Sale { product: "tea".to_owned(), amount: 3 }]);
/// sales.sink_to(Files::<Sale>::json(path).sink()?);
/// env.execute("write")?;
///
/// let sales = env.from_source(Files::<Sale>::json(path).source()?, WatermarkStrategy::no_watermarks(), "sales");
/// let sales = sales.execute_and_collect("read")?.collect::<Result<Vec<_>>>()?;
/// assert_eq!(sales, [Sale { product: "tea".to_owned(), amount: 3 }]);
/// # Ok::<(), Error>(())
/// ```
///
/// Sinks are exactly once: a file becomes visible with the checkpoint that it is part of. Lines of text are
/// read by [`TextFileSource`](crate::source::TextFileSource), and any other encoding is written by
/// [`FileSink`](crate::sink::FileSink).
#[derive(Debug)]
pub struct Files<T> {
    connector: TableConnector<T>,
    format: String,
}

impl<T> Clone for Files<T> {
    fn clone(&self) -> Self {
        Files { connector: self.connector.clone(), format: self.format.clone() }
    }
}

impl<T: Record> Files<T> {
    /// Files of this format: a file, a folder with all below it, or for a source a glob.
    pub fn new(format: &str, path: &str) -> Self {
        let connector = TableConnector::new("filesystem").option("path", path).option("format", format);
        Files { connector, format: format.to_owned() }
    }

    /// A JSON object in each line.
    pub fn json(path: &str) -> Self {
        Files::new("json", path)
    }

    /// Comma-separated values, in the order of the fields.
    pub fn csv(path: &str) -> Self {
        Files::new("csv", path)
    }

    /// Parquet.
    pub fn parquet(path: &str) -> Self {
        Files::new("parquet", path)
    }

    /// An option of the format: `ignore-parse-errors`, `field-delimiter`.
    #[must_use]
    pub fn format_option(self, key: &str, value: impl Display) -> Self {
        let key = format!("{}.{key}", self.format);
        Files { connector: self.connector.option(&key, value), ..self }
    }

    fn with(self, key: &str, value: impl Display) -> Self {
        Files { connector: self.connector.option(key, value), ..self }
    }

    /// A source also reads files that come later, looks for them this often, and never ends.
    #[must_use]
    pub fn monitor_continuously(self, interval: Duration) -> Self {
        self.with("source.monitor-interval", format_args!("{} ms", interval.as_millis()))
    }

    /// A source reads at most this many rows per second, all readers together.
    #[must_use]
    pub fn rate_limit(self, rows_per_second: f64) -> Self {
        self.with("source.rate-limit.rows-per-second", rows_per_second)
    }

    /// These fields are in the names of directories and not in the files (Flink's bucket assigner):
    /// `day=2024-06-01/`.
    #[must_use]
    pub fn partitioned_by<S: Into<String>>(self, fields: impl IntoIterator<Item = S>) -> Self {
        Files { connector: self.connector.partitioned_by(fields), ..self }
    }

    /// A sink closes a file when it has this many bytes; by default 128 MiB.
    #[must_use]
    pub fn file_size(self, bytes: u64) -> Self {
        self.with("sink.rolling-policy.file-size", format_args!("{bytes} b"))
    }

    /// A sink closes a file when it is this old, or nothing was written to it for this long; by default half an
    /// hour each.
    #[must_use]
    pub fn intervals(self, rollover: Duration, inactivity: Duration) -> Self {
        self.with("sink.rolling-policy.rollover-interval", format_args!("{} ms", rollover.as_millis()))
            .with("sink.rolling-policy.inactivity-interval", format_args!("{} ms", inactivity.as_millis()))
    }

    /// A sink puts this file into a directory of [`Files::partitioned_by`] when it has new files.
    #[must_use]
    pub fn success_file(self, name: &str) -> Self {
        self.with("sink.partition-commit.policy.kind", "success-file")
            .with("sink.partition-commit.success-file.name", name)
    }

    /// The source.
    ///
    /// # Errors
    /// As [`TableConnector::source`].
    pub fn source(&self) -> Result<TypedSource<T>> {
        self.connector.source()
    }

    /// The sink.
    ///
    /// # Errors
    /// As [`TableConnector::sink`].
    pub fn sink(&self) -> Result<TypedSink<T>> {
        self.connector.sink()
    }
}
