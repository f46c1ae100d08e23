//! Debezium's envelope of a changed row: the row before, the row after, and what happened.
//!
//! What happened stands behind the rows, so the envelope is passed over first, and then the rows are read
//! from where they begin.

use flott_batch::RowKind;
use flott_plan::Column as PlanColumn;

use super::super::bytes::Bytes;
use super::super::decode::skip;
use super::super::resolve::{self, Wire};
use super::super::schema::{Names, Record, Schema};
use crate::bad::Bad;
use crate::rows::Rows;

/// How the envelopes of one schema are read.
pub(super) struct Envelope {
    fields: Vec<(Part, Schema)>,
    before: Wire,
    after: Wire,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Before,
    After,
    Op,
    /// Of no interest: where the change comes from, and when it was.
    Other,
}

impl Envelope {
    pub(super) fn new(record: &Record, columns: &[PlanColumn]) -> Result<Self, String> {
        let part = |name: &str| match name {
            "before" => Part::Before,
            "after" => Part::After,
            "op" => Part::Op,
            _ => Part::Other,
        };
        let row = super::row_type(columns.iter().map(|column| (column.name.as_str(), &column.ty)));
        let wire = |name: &str| {
            let found = record.fields.iter().find(|(field, _)| field == name);
            let (_, schema) = found.ok_or_else(|| {
                format!("the Avro record {} has no field '{name}' of Debezium's", record.name)
            })?;
            resolve::wire(schema, &row).map_err(|what| format!("field '{name}': {what}"))
        };
        let (before, after) = (wire("before")?, wire("after")?);
        if record.fields.iter().all(|(field, _)| field != "op") {
            return Err(format!("the Avro record {} has no field 'op' of Debezium's", record.name));
        }
        let fields = record.fields.iter().map(|(name, schema)| (part(name), schema.clone())).collect();
        Ok(Envelope { fields, before, after })
    }

    /// Appends the rows of a change, with their kinds.
    pub(super) fn read(&self, bytes: &mut Bytes<'_>, rows: &mut Rows, names: &Names) -> Result<(), Bad> {
        let (mut before, mut after, mut op) = (*bytes, *bytes, String::new());
        for (part, schema) in &self.fields {
            match part {
                Part::Before => before = *bytes,
                Part::After => after = *bytes,
                Part::Op => op = word(schema, &mut bytes.clone()).map_err(|bad| bad.within("op"))?,
                Part::Other => {}
            }
            skip(schema, bytes, names, 0)?;
        }
        let mut row = |name: &str, wire: &Wire, mut bytes: Bytes<'_>, kind: RowKind| {
            let is_there =
                wire.read_row(&mut bytes, &mut rows.columns, names).map_err(|bad| bad.within(name))?;
            if !is_there {
                let hint = if name == "before" {
                    ": Debezium must send whole old rows (in Postgres: REPLICA IDENTITY FULL)"
                } else {
                    ""
                };
                return Err(Bad::new(format!("'{name}' is null, and the change is '{op}'{hint}")));
            }
            rows.commit_change(kind);
            Ok(())
        };
        match op.as_str() {
            "c" | "r" => row("after", &self.after, after, RowKind::Insert),
            "u" => {
                row("before", &self.before, before, RowKind::UpdateBefore)?;
                row("after", &self.after, after, RowKind::UpdateAfter)
            }
            "d" => row("before", &self.before, before, RowKind::Delete),
            other => Err(Bad::new(format!("unknown \"op\" value \"{other}\" of Debezium's"))),
        }
    }
}

/// A text, perhaps of a union or an enum.
fn word(schema: &Schema, bytes: &mut Bytes<'_>) -> Result<String, Bad> {
    match schema {
        Schema::Text => bytes.text().map(str::to_owned),
        Schema::Enum(symbols) => {
            let index = bytes.index()?;
            symbols.get(index).cloned().ok_or_else(|| Bad::new(format!("{index} is no symbol of the enum")))
        }
        Schema::Union(branches) => {
            let index = bytes.index()?;
            let branch = branches.get(index);
            word(branch.ok_or_else(|| Bad::new(format!("{index} is no branch of the union")))?, bytes)
        }
        other => Err(Bad::new(format!("{} is no text", other.describe()))),
    }
}
