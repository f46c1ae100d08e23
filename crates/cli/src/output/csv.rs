//! CSV with a header line. NULL is an empty field, an empty string is `""`. An updating result has the kind
//! of each change as its first column.

use std::io::{Result, Write};

use flott::batch::RowKind;
use flott::plan::Schema;

use super::ResultWriter;

pub(super) struct Csv {
    header: Vec<String>,
    updates: bool,
}

impl Csv {
    pub fn new(schema: &Schema, updates: bool) -> Self {
        Csv { header: schema.iter().map(|(name, _)| name.to_owned()).collect(), updates }
    }
}

impl ResultWriter for Csv {
    fn start(&mut self, out: &mut dyn Write) -> Result<()> {
        let kind = self.updates.then(|| "op".to_owned());
        let cells: Vec<Option<String>> = kind.into_iter().chain(self.header.clone()).map(Some).collect();
        line(out, &cells)
    }

    fn row(&mut self, out: &mut dyn Write, kind: RowKind, cells: Vec<Option<String>>) -> Result<()> {
        if !self.updates {
            return line(out, &cells);
        }
        let with_kind: Vec<Option<String>> =
            std::iter::once(Some(kind.symbol().to_owned())).chain(cells).collect();
        line(out, &with_kind)
    }

    fn end(&mut self, out: &mut dyn Write, _: bool) -> Result<()> {
        out.flush()
    }
}

fn line(out: &mut dyn Write, cells: &[Option<String>]) -> Result<()> {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        match cell {
            None => {}
            Some(text) if text.is_empty() || text.contains([',', '"', '\n', '\r']) => {
                write!(out, "\"{}\"", text.replace('"', "\"\""))?;
            }
            Some(text) => out.write_all(text.as_bytes())?,
        }
    }
    out.write_all(b"\n")
}
