//! Windows of time.

use flott_sql_parser::Position;
use flott_sql_parser::ast::{
    Argument, ArgumentValue, ExprKind, Ident, ObjectName, Relation, RelationKind, Select, TableAlias,
    TableArgument, TableSource,
};
use flott_types::{Error, Result};

use super::expression::ident;
use super::relational::{collected, group_items, items, select};
use super::{Expression, Table, col};

/// Windows of one length, one after the other.
///
/// ```
/// # use flott::prelude::*;
/// # use flott::table::{Schema, StreamTableEnvironment, Tumble, col, lit};
/// # let env = StreamExecutionEnvironment::new();
/// # env.set_parallelism(1);
/// # let tables = StreamTableEnvironment::new(&env)?;
/// let clicks = env.from_collection([("ann", 1_000_i64), ("bob", 2_000), ("ann", 61_000)]);
/// let clicks = clicks.assign_timestamps_and_watermarks(
///     WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|click: &(String, i64), _| click.1),
/// );
/// let schema = Schema::new()
///     .column_by_metadata("at", "TIMESTAMP_LTZ(3)", "rowtime")
///     .watermark("at", "SOURCE_WATERMARK()");
/// let clicks = tables.from_data_stream_with(&clicks, &schema)?;
/// let minutes = clicks.window(Tumble::over(lit(1).minutes()).on(col("at")).alias("w"));
/// let counts = minutes.group_by([col("w")]).select([col("f0").count()])?;
/// let counts = counts.to_data_stream::<i64>()?.execute_and_collect("clicks")?;
/// assert_eq!(counts.collect::<Result<Vec<_>>>()?, [2, 1]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tumble(Windows);

/// Windows of one length that overlap: one begins after each step.
#[derive(Clone, Debug)]
pub struct Slide(Windows);

/// Windows that grow by a step up to a length: all that begin together end at different times.
#[derive(Clone, Debug)]
pub struct Cumulate(Windows);

/// Windows of rows that follow each other in less than a gap.
#[derive(Clone, Debug)]
pub struct SessionWindow(Windows);

/// Windows with a time and a name.
#[derive(Clone, Debug)]
pub struct GroupWindow {
    windows: Windows,
    name: String,
}

#[derive(Clone, Debug)]
struct Windows {
    function: &'static str,
    /// The intervals that the function takes.
    intervals: Vec<Expression>,
    time: Option<Expression>,
}

impl Windows {
    fn new(function: &'static str, intervals: Vec<Expression>) -> Self {
        Windows { function, intervals, time: None }
    }
}

impl Tumble {
    /// Of this length: an INTERVAL, `lit(10).minutes()`.
    pub fn over(size: impl Into<Expression>) -> Self {
        Tumble(Windows::new("TUMBLE", vec![size.into()]))
    }
}

impl Slide {
    /// Of this length: an INTERVAL.
    pub fn over(size: impl Into<Expression>) -> Self {
        Slide(Windows::new("HOP", vec![size.into()]))
    }
}

impl Cumulate {
    /// Up to this length: an INTERVAL.
    pub fn over(size: impl Into<Expression>) -> Self {
        Cumulate(Windows::new("CUMULATE", vec![size.into()]))
    }
}

impl SessionWindow {
    /// Of this gap: an INTERVAL.
    pub fn with_gap(gap: impl Into<Expression>) -> Self {
        SessionWindow(Windows::new("SESSION", vec![gap.into()]))
    }
}

macro_rules! windows {
    ($($name:ident),*) => {$(
        impl $name {
            /// By this time attribute.
            #[must_use]
            pub fn on(mut self, time: impl Into<Expression>) -> Self {
                self.0.time = Some(time.into());
                self
            }

            /// Names them.
            pub fn alias(self, name: &str) -> GroupWindow {
                GroupWindow { windows: self.0, name: name.to_owned() }
            }
        }
    )*};
}

windows!(Tumble, Slide, Cumulate, SessionWindow);

macro_rules! windows_with_steps {
    ($($name:ident $what:literal),*) => {$(
        impl $name {
            #[doc = concat!($what, ": an INTERVAL.")]
            #[must_use]
            pub fn every(mut self, step: impl Into<Expression>) -> Self {
                self.0.intervals.insert(0, step.into());
                self
            }
        }
    )*};
}

windows_with_steps!(Slide "One begins after each", Cumulate "They grow by this");

/// Rows in windows.
#[derive(Clone, Debug)]
pub struct WindowedTable {
    table: Table,
    window: GroupWindow,
}

impl WindowedTable {
    pub(super) fn new(table: Table, window: GroupWindow) -> Self {
        WindowedTable { table, window }
    }

    /// Groups rows by windows, whose name must be among the keys, and by further keys.
    pub fn group_by<E: Into<Expression>>(&self, keys: impl IntoIterator<Item = E>) -> WindowGroupedTable {
        WindowGroupedTable { windowed: self.clone(), keys: collected(keys) }
    }
}

/// Rows in groups within windows.
#[derive(Clone, Debug)]
pub struct WindowGroupedTable {
    windowed: WindowedTable,
    keys: Vec<Expression>,
}

impl WindowGroupedTable {
    /// Computes columns of keys, aggregates, and [`start`](Expression::start), [`end`](Expression::end) and
    /// [`rowtime`](Expression::rowtime) of the window's name; a row for each group when its window has ended.
    ///
    /// # Errors
    /// If the windows have no time, or their name is no key; or as [`Table::select`].
    pub fn select<E: Into<Expression>>(&self, fields: impl IntoIterator<Item = E>) -> Result<Table> {
        let WindowedTable { table, window } = &self.windowed;
        let is_window = |key: &&Expression| key.as_column() == Some(&window.name);
        if !self.keys.iter().any(|key| is_window(&key)) {
            return Err(Error::invalid(format!(
                "group_by: the window '{}' is not among the keys",
                window.name
            )));
        }
        let keys: Vec<&Expression> = self.keys.iter().filter(|key| !is_window(key)).collect();
        let fields = collected(fields);
        let mut grouped = vec![col(&window.name).start(), col(&window.name).end()];
        let rowtime = col(&window.name).rowtime();
        if fields.iter().any(|field| field.expr.walk().any(|part| *part == rowtime.expr)) {
            grouped.push(rowtime);
        }
        let group_by = group_items(grouped.iter().chain(keys.iter().copied()))?;
        let relation = window.relation(table, &keys)?;
        table.bind(Select { group_by, ..select(items(fields, "select")?, relation) }, "window")
    }
}

impl GroupWindow {
    /// The table with the columns of the windows.
    fn relation(&self, table: &Table, keys: &[&Expression]) -> Result<Relation> {
        let Windows { function, intervals, time } = &self.windows;
        let Some(time) = time.as_ref().map(|time| time.unnamed("window")).transpose()? else {
            return Err(Error::invalid(format!("window: '{}' has no time; name one with `on`", self.name)));
        };
        let Some(time) = time.as_ident().cloned() else {
            return Err(Error::invalid(format!("window: the time of '{}' is no column: {time}", self.name)));
        };
        let wanted = if matches!(*function, "HOP" | "CUMULATE") { 2 } else { 1 };
        if intervals.len() != wanted {
            return Err(Error::invalid(format!("window: '{}' needs one step; say `every` once", self.name)));
        }
        let mut partition_by = Vec::new();
        if *function == "SESSION" {
            for key in keys {
                if !matches!(key.expr.kind, ExprKind::Name(_)) {
                    return Err(Error::invalid(format!(
                        "window: sessions are of keys that are columns; add {key} as one first (add_columns)"
                    )));
                }
                partition_by.push(key.unnamed("group_by")?);
            }
        }
        let source = TableArgument {
            position: Position::START,
            source: TableSource::Name(table.view_name()?),
            partition_by,
            order_by: Vec::new(),
        };
        let argument = |value| Argument { name: None, value };
        let mut args = vec![
            argument(ArgumentValue::Table(Box::new(source))),
            argument(ArgumentValue::Descriptor(Position::START, vec![time])),
        ];
        for interval in intervals {
            args.push(Argument::unnamed(interval.unnamed("window")?));
        }
        let name = ObjectName(vec![Ident::new(*function, Position::START)]);
        let mut relation =
            Relation::new(Position::START, RelationKind::Function { lateral: false, name, args });
        relation.alias = Some(TableAlias { name: ident(&self.name), columns: Vec::new() });
        Ok(relation)
    }
}
