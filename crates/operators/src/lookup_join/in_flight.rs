//! Rows in a snapshot whose results have not been emitted yet: each batch is JSON text with a version and an
//! arrow IPC stream, `{"version":1,"rows":"AQ..."}`, which contains the names and types of its columns.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flott_batch::codec::{Decoder, Encoder};
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_plan::Schema;
use flott_state::{ListState, Redistribution, RestoredState};
use flott_types::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::support::{columns_of, record_batch};

const STATE: &str = "rows";
const VERSION: u32 = 1;

/// Writes rows into snapshots and reads them.
pub(super) struct InFlight {
    schema: arrow::datatypes::SchemaRef,
    table: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    version: u32,
    rows: String,
}

impl InFlight {
    pub fn new(input: &Schema, table: &str) -> Self {
        InFlight { schema: arrow_type::schema(input.iter()), table: table.to_owned() }
    }

    pub fn snapshot<'a>(&self, rows: impl Iterator<Item = &'a ChangeBatch>) -> Result<ListState> {
        let entry = |rows: &ChangeBatch| {
            // Under the names that the columns have in state.
            let columns = rows.columns().columns().to_vec();
            let columns = record_batch(&self.schema, columns, rows.physical_rows())?;
            let bytes = Encoder::default().encode(Batch::Changes(rows.with_columns(columns)))?;
            let entry = Entry { version: VERSION, rows: STANDARD.encode(bytes) };
            serde_json::to_string(&entry)
                .map_err(|error| Error::internal("rows in flight cannot be written").with_source(error))
        };
        Ok(ListState {
            name: STATE.to_owned(),
            redistribution: Redistribution::Split,
            entries: rows.map(entry).collect::<Result<_>>()?,
        })
    }

    pub fn restore(&self, restored: &mut RestoredState) -> Result<Vec<ChangeBatch>> {
        let entries = restored.lists.remove(STATE).unwrap_or_default();
        entries.iter().map(|entry| self.read(entry)).collect()
    }

    fn read(&self, text: &str) -> Result<ChangeBatch> {
        let unread =
            || Error::invalid(format!("rows that were in flight to table {} cannot be read", self.table));
        let entry: Entry = serde_json::from_str(text).map_err(|error| unread().with_source(error))?;
        if entry.version != VERSION {
            return Err(unread().context(format_args!("they have version {}", entry.version)));
        }
        let bytes = STANDARD.decode(entry.rows).map_err(|error| unread().with_source(error))?;
        self.fitting(&columns_of(Decoder::new(None).decode(&bytes)?)?)
    }

    /// The same rows with the columns that the operator reads now.
    fn fitting(&self, rows: &ChangeBatch) -> Result<ChangeBatch> {
        let has = rows.schema();
        if has.fields() == self.schema.fields() {
            return Ok(rows.clone());
        }
        let place = |field: &arrow::datatypes::Field| {
            let mut same = has.fields().iter().enumerate().filter(|(_, other)| other.name() == field.name());
            match (same.next(), same.next()) {
                (Some((at, other)), None) if other.data_type() == field.data_type() => Some(at),
                _ => None,
            }
        };
        let places = self.schema.fields().iter().map(|field| {
            place(field).ok_or_else(|| {
                Error::invalid(format!(
                    "{} rows were in flight to table {} when the snapshot was taken, and the query now reads a column '{}' that \
                     they do not have; continue with the query as it was, and change it from a snapshot without such rows",
                    rows.physical_rows(),
                    self.table,
                    field.name()
                ))
            })
        });
        let places = places.collect::<Result<Vec<_>>>()?;
        let columns = places.into_iter().map(|at| rows.column(at).clone()).collect();
        Ok(rows.with_columns(record_batch(&self.schema, columns, rows.physical_rows())?))
    }
}
