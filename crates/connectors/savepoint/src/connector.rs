//! The connector: its options.

use std::sync::Arc;

use flott_connector::options::SCAN_PARALLELISM;
use flott_connector::{AnyOption, Connector, Manual, Options, Required, Source, TableContext, TableOption};
use flott_plan::SourceSpec;
use flott_types::{Error, Result};

use crate::savepoint::{Savepoint, no_state, summary};
use crate::source::{Layout, SavepointSource};

const PATH: TableOption<String, Required> = TableOption::text(
    "state.path",
    "the folder of a checkpoint or savepoint, or that of a job, which means its newest checkpoint",
)
.required();
const OPERATOR: TableOption<String, Required> = TableOption::text(
    "operator.uid",
    "the operator's uid as `flott state show` tells it; its name, if no other operator has it",
)
.required();
const STATE: TableOption<String> = TableOption::text(
    "state.name",
    "the state's name within the operator; may be left out if the operator has one keyed state",
);

static OPTIONS: &[&dyn AnyOption] = &[&PATH, &OPERATOR, &STATE, &SCAN_PARALLELISM];

/// `savepoint`
#[derive(Clone, Copy, Default, Debug)]
pub struct SavepointConnector;

impl Connector for SavepointConnector {
    fn name(&self) -> &'static str {
        "savepoint"
    }

    fn manual(&self) -> Manual {
        Manual {
            summary: "The state of an operator, as it is in a checkpoint or savepoint.",
            details: "\
A source that ends.
`flott state show PATH` prints what is in a snapshot, with a CREATE TABLE for each state.

A keyed state is a table: the columns of its key, then those of its values, each named by what it means (`SUM(orders.amount).sum`).
A table declares those that it wants, in any order; a column is read as the declared type if no value is changed by that.
A list of entries that belong to no key (positions of a source: `splits`) has the single column `entry` STRING.

The state is read in pieces by key groups, one for each reader.
The folder must not change while it is read: savepoints do not, and checkpoints are deleted by their job when newer ones replace them.

Differences from Flink: columns are declared by their names, without `fields.#.state-name` and the like; states of windows and timers are tables as others.",
            example: "CREATE TABLE sums (
  `orders.customer` BIGINT,
  `SUM(orders.amount).sum` BIGINT
) WITH (
  'connector' = 'savepoint',
  'state.path' = '/savepoints/savepoint-40e039-0c6ad2ac3ad2',
  'operator.uid' = 'GroupAggregate-fdb4e0f18e61df91',
  'state.name' = 'groups'
);",
            options: OPTIONS,
        }
    }

    fn source(&self, spec: &SourceSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Source>> {
        let table = &spec.table.name;
        let (path, uid) = (options.get(&PATH)?, options.get(&OPERATOR)?);
        if let Some(column) = spec.metadata.columns.first() {
            return Err(Error::invalid(format!("table {table} has no metadata '{}'", column.name)));
        }
        let in_table = |error: Error| error.context(format_args!("table {table}"));
        let savepoint = Savepoint::open(&path).map_err(in_table)?;
        let operator = savepoint.operator(&uid).map_err(in_table)?.clone();
        let of = summary(&operator);
        let name = match options.get(&STATE)? {
            Some(name) => name,
            None => match of.states.as_slice() {
                [only] => only.name.clone(),
                _ => return Err(in_table(no_state(&operator, "")).context("'state.name' is needed")),
            },
        };
        let layout = match (
            of.states.iter().find(|state| state.name == name),
            of.lists.iter().find(|list| list.name == name),
        ) {
            (Some(state), _) => Layout::of_state(spec, state),
            (None, Some(_)) => Layout::of_list(spec),
            (None, None) => Err(no_state(&operator, &name)),
        };
        let layout = layout.map_err(in_table)?;
        Ok(Arc::new(SavepointSource::new(
            savepoint,
            operator.uid,
            operator.max_parallelism,
            name,
            layout,
            spec.limit,
        )))
    }
}
