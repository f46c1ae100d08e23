//! Where tables and streams meet: what a planner of tables needs of a program.
//!
//! A planner's result is a graph of operators as data, and so is what a program's graph becomes; the two are
//! joined there, and run as one job. A stream that a table reads is an operator in front of the planner's
//! ([`RowStream`]): values become rows. A stream that a table becomes is one behind them
//! ([`PlannedStream`]): rows become values. This crate knows no planner; `flott` brings the two together.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_batch::{Record, RowKind};
use flott_connector::TableContext;
use flott_function_operators::rows::{FromChanges, FromRows, Rows, ToChanges, ToRows, Values};
use flott_plan::{Exchange, OperatorSpec, Schema, SourceSpec, StreamGraph, TableSpec};
use flott_types::{Error, LogicalType, Result};
use flott_values::RowCodec;

use crate::environment::{Shared, StreamExecutionEnvironment};
use crate::graph::{Met, NodeKind, Upstream};
use crate::program::MakeOperator;
pub use crate::program::Tables;
use crate::stream::DataStream;
use crate::stream::transform::factory;

/// The connector of tables that are streams of the program.
pub const STREAM_CONNECTOR: &str = "datastream";

/// The option that names the stream.
pub const STREAM: &str = "stream";

/// Names and types of columns.
pub type Columns = [(String, LogicalType)];

type MakeRows = Arc<dyn Fn(&Columns, Option<String>) -> Result<MakeOperator> + Send + Sync>;

/// A stream whose values can be the rows of a table.
#[derive(Clone)]
pub struct RowStream {
    shared: Shared,
    upstreams: Vec<Upstream>,
    columns: Vec<(String, LogicalType)>,
    rows: MakeRows,
}

impl<T: Record> DataStream<T> {
    /// The stream as rows that are inserted.
    ///
    /// # Errors
    /// If a part of the type has no column.
    pub fn to_rows(&self) -> Result<RowStream> {
        let codec = RowCodec::<T>::new()?;
        let columns = codec.columns().to_vec();
        let rows: MakeRows = Arc::new(move |columns, timestamps| {
            let rows = Rows::new(codec.writer(columns)?, timestamps);
            Ok(factory(rows, |rows, _, _| Ok(Box::new(ToRows::new(rows)))))
        });
        Ok(RowStream { shared: self.shared.clone(), upstreams: self.upstreams.clone(), columns, rows })
    }
}

impl<T: Record> DataStream<(RowKind, T)> {
    /// The stream as changes of rows.
    ///
    /// # Errors
    /// If a part of the type has no column.
    pub fn to_changes(&self) -> Result<RowStream> {
        let codec = RowCodec::<T>::new()?;
        let columns = codec.columns().to_vec();
        let rows: MakeRows = Arc::new(move |columns, timestamps| {
            let rows = Rows::new(codec.writer(columns)?, timestamps);
            Ok(factory(rows, |rows, _, _| Ok(Box::new(ToChanges::new(rows)))))
        });
        Ok(RowStream { shared: self.shared.clone(), upstreams: self.upstreams.clone(), columns, rows })
    }
}

impl RowStream {
    /// Names and types of the columns, by the type of the values.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Whether rows can have these columns.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, columns: &Columns) -> Result<()> {
        (self.rows)(columns, None).map(|_| ())
    }

    /// How many subtasks it comes from.
    ///
    /// # Errors
    /// If the configuration is wrong.
    pub fn parallelism(&self) -> Result<u32> {
        let env = StreamExecutionEnvironment { shared: self.shared.clone() };
        self.shared.graph.parallelism_behind(&self.upstreams, &env.settings("tables")?)
    }

    /// A name that the stream has in the next start of the program too: the uid of the operator behind it, if
    /// it has one.
    pub fn identity(&self) -> String {
        self.shared.graph.identity(&self.upstreams)
    }

    /// Whether it ends by itself.
    pub fn is_bounded(&self) -> bool {
        self.shared.graph.ends(&self.upstreams)
    }

    /// Whether it is a stream of this environment.
    pub fn is_of(&self, environment: &StreamExecutionEnvironment) -> bool {
        self.shared.graph.is(&environment.shared.graph)
    }

    fn read(&self, spec: &SourceSpec) -> Result<Met> {
        let produced: Vec<_> =
            spec.produced().columns.into_iter().map(|column| (column.name, column.ty)).collect();
        let timestamps = spec.metadata.columns.first().map(|column| column.name.clone());
        let beside = self.upstreams.first().is_some_and(|first| first.exchange == Exchange::Forward);
        Ok(Met::Reads {
            upstreams: self.upstreams.clone(),
            operator: (self.rows)(&produced, timestamps)?,
            beside,
        })
    }
}

/// The rows of a table that become a stream.
pub struct PlannedStream {
    shared: Shared,
    upstream: Upstream,
}

/// How rows of a table are read as values. It is made before the rows are: what cannot be read is not attached.
pub struct ReadAs<T: Record>(Values<T>);

impl PlannedStream {
    /// The rows as values.
    pub fn values<T: Record>(self, read: ReadAs<T>) -> DataStream<T> {
        self.stream("From Rows", factory(read.0, |values, _, _| Ok(Box::new(FromRows::new(values)))))
    }

    /// The changes of rows as values.
    pub fn changes<T: Record>(self, read: ReadAs<T>) -> DataStream<(RowKind, T)> {
        self.stream("From Changes", factory(read.0, |values, _, _| Ok(Box::new(FromChanges::new(values)))))
    }

    fn stream<T: Record>(self, shape: &'static str, operator: MakeOperator) -> DataStream<T> {
        let beside = self.upstream.exchange == Exchange::Forward;
        let node = self.shared.graph.add(shape, NodeKind::Operator(operator), vec![vec![self.upstream]]);
        self.shared.graph.change(node, |node| node.beside_input = beside);
        DataStream::of_node(self.shared, node)
    }
}

impl<T: Record> ReadAs<T> {
    /// Of rows of these columns; this one is also the timestamp.
    ///
    /// # Errors
    /// What does not match.
    pub fn new(schema: &Schema, time: Option<usize>) -> Result<Self> {
        values(schema, time).map(ReadAs)
    }
}

fn values<T: Record>(schema: &Schema, time: Option<usize>) -> Result<Values<T>> {
    let columns: Vec<_> = schema.iter().map(|(name, ty)| (name.to_owned(), ty.clone())).collect();
    let codec = RowCodec::<T>::new()?;
    let (unread, missing) = codec.unmatched(&columns);
    let of = std::any::type_name::<T>();
    if !missing.is_empty() {
        return Err(Error::invalid(format!(
            "{of} has fields that the table has no columns for: {}; select columns of these names, or make the fields `Option`s",
            missing.join(", ")
        )));
    }
    // A time attribute is not lost: it is the timestamp.
    let lost: Vec<&str> =
        unread.iter().filter(|at| Some(**at) != time).map(|at| columns[*at].0.as_str()).collect();
    if !lost.is_empty() {
        return Err(Error::invalid(format!(
            "the table has columns that {of} has no fields for: {}; select only those that it has",
            lost.join(", ")
        )));
    }
    Ok(Values::new(codec.reader(&columns)?, time))
}

impl StreamExecutionEnvironment {
    /// An environment with the same streams and settings that runs only what is added to it.
    pub fn fork(&self) -> Self {
        let graph = self.shared.graph.fork();
        StreamExecutionEnvironment {
            shared: Shared { graph, collecting: Arc::default(), ..self.shared.clone() },
        }
    }

    /// The configuration of the program.
    pub fn configuration(&self) -> flott_types::Configuration {
        self.shared.settings.lock().configuration.clone()
    }

    /// Adds the operators of a plan, whose tables of [`STREAM_CONNECTOR`] are streams by name; for each that is
    /// written, in the order of the plan, its stream. The job has these settings, which the operators read when
    /// they run.
    ///
    /// # Errors
    /// If the plan's tables cannot be read or written.
    pub fn attach(
        &self,
        plan: &StreamGraph,
        settings: BTreeMap<String, String>,
        at: (&Tables, &TableContext),
        streams: &BTreeMap<String, RowStream>,
    ) -> Result<Vec<PlannedStream>> {
        let is_stream = |table: &TableSpec| table.connector == STREAM_CONNECTOR;
        let stream = |table: &TableSpec| {
            let name = table.options.get(STREAM).map_or("", String::as_str);
            streams.get(name).ok_or_else(|| Error::internal(format!("there is no stream '{name}'")))
        };
        let written = self.shared.graph.attach(plan, settings, at, |node| match &node.spec {
            OperatorSpec::Source(spec) if is_stream(&spec.table) => stream(&spec.table)?.read(spec),
            OperatorSpec::Sink(spec) if is_stream(&spec.table) => Ok(Met::Writes),
            _ => Ok(Met::AsPlanned),
        })?;
        let stream = |upstream| PlannedStream { shared: self.shared.clone(), upstream };
        Ok(written.into_iter().map(stream).collect())
    }
}
