//! JSON lines, for programs: `{"columns": [...]}` once, then `{"kind": "+I", "row": [...]}` for each change.
//! Values are written as text, as the shell prints them; NULL is `null`.

use std::io::{Result, Write};

use flott::batch::RowKind;
use flott::plan::Schema;
use serde_json::{Value, json};

use super::ResultWriter;

pub(super) struct Jsonl {
    columns: Value,
}

impl Jsonl {
    pub fn new(schema: &Schema) -> Self {
        let columns: Vec<Value> =
            schema.iter().map(|(name, ty)| json!({"name": name, "type": ty.to_string()})).collect();
        Jsonl { columns: json!({ "columns": columns }) }
    }
}

impl ResultWriter for Jsonl {
    fn start(&mut self, out: &mut dyn Write) -> Result<()> {
        writeln!(out, "{}", self.columns)
    }

    fn row(&mut self, out: &mut dyn Write, kind: RowKind, cells: Vec<Option<String>>) -> Result<()> {
        writeln!(out, "{}", json!({"kind": kind.symbol(), "row": cells}))
    }

    fn end(&mut self, out: &mut dyn Write, _: bool) -> Result<()> {
        out.flush()
    }
}
