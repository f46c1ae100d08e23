//! `print`: writes each change as a line to standard output or standard error.
//!
//! `identifier:subtask> +I[1, a, null]`: the identifier where one is given (`print-identifier`), the subtask's number
//! from 1 where there are several, and rows as Java's `Row.toString` writes them.

use std::io::Write;
use std::sync::Arc;

use flott_batch::{Batch, ChangeBatch};
use flott_connector::{Changelog, Connector, Options, Payload, Sink, SinkContext, SinkWriter, TableContext};
use flott_plan::{SinkSpec, TableSpec};
use flott_types::{Error, LogicalType, Result};

use crate::row_text;

/// The connector `print`.
#[derive(Debug, Default)]
pub struct PrintConnector;

impl Connector for PrintConnector {
    fn name(&self) -> &'static str {
        "print"
    }

    fn sink(&self, spec: &SinkSpec, _context: &TableContext) -> Result<Arc<dyn Sink>> {
        let mut options = Options::new(&spec.table.name, &spec.table.options);
        let identifier = options.text("print-identifier").unwrap_or("").to_owned();
        let standard_error = options.flag("standard-error", false)?;
        // The planner's: how many writers there are.
        options.parsed::<u32>("sink.parallelism", "a number")?;
        options.text("property-version");
        options.finish()?;
        let types = spec.table.schema.iter().map(|(_, ty)| ty.clone()).collect();
        Ok(Arc::new(Print { identifier, standard_error, types }))
    }

    fn sink_changelog(&self, _spec: &TableSpec) -> Changelog {
        Changelog::Retract
    }
}

struct Print {
    identifier: String,
    standard_error: bool,
    types: Vec<LogicalType>,
}

impl Print {
    /// What stands before each row.
    fn prefix(&self, context: &SinkContext) -> String {
        let several = context.parallelism > 1;
        let number = if several { (context.subtask.0 + 1).to_string() } else { String::new() };
        let colon = if several && !self.identifier.is_empty() { ":" } else { "" };
        let end = if several || !self.identifier.is_empty() { "> " } else { "" };
        format!("{}{colon}{number}{end}", self.identifier)
    }
}

impl Sink for Print {
    fn writer(&self, context: SinkContext, _restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(PrintWriter {
            prefix: self.prefix(&context),
            types: self.types.clone(),
            standard_error: self.standard_error,
            lines: String::new(),
        }))
    }
}

struct PrintWriter {
    prefix: String,
    types: Vec<LogicalType>,
    standard_error: bool,
    /// The lines of a batch, written in one go so that those of other subtasks do not come between.
    lines: String,
}

impl SinkWriter for PrintWriter {
    fn write(&mut self, batch: Batch) -> Result<()> {
        let Batch::Changes(batch) = batch else {
            return Err(Error::internal("the sink print got values instead of columns"));
        };
        self.lines.clear();
        write_lines(&mut self.lines, &batch, &self.types, &self.prefix);
        let written = if self.standard_error {
            std::io::stderr().lock().write_all(self.lines.as_bytes())
        } else {
            std::io::stdout().lock().write_all(self.lines.as_bytes())
        };
        written.map_err(|error| Error::output("cannot print rows", error))
    }

    fn flush(&mut self) -> Result<()> {
        let flushed = if self.standard_error { std::io::stderr().flush() } else { std::io::stdout().flush() };
        flushed.map_err(|error| Error::output("cannot print rows", error))
    }
}

fn write_lines(out: &mut String, batch: &ChangeBatch, types: &[LogicalType], prefix: &str) {
    let mut line = |row| {
        out.push_str(prefix);
        row_text::write_row(out, batch.kind(row), batch.columns().columns(), types, row);
        out.push('\n');
    };
    match batch.selection() {
        None => (0..batch.physical_rows()).for_each(&mut line),
        Some(selection) => selection.set_indices().for_each(&mut line),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use flott_batch::pretty;
    use flott_plan::Schema;
    use flott_types::clock::ManualClock;
    use flott_types::{JobId, SubtaskIndex, TypeKind};

    use super::*;
    use crate::BlackholeConnector;

    fn spec(connector: &str, options: &[(&str, &str)]) -> SinkSpec {
        let options: BTreeMap<String, String> =
            options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        SinkSpec {
            table: TableSpec {
                name: "c.d.t".to_owned(),
                connector: connector.to_owned(),
                options,
                schema: Schema::new([("a", TypeKind::Int.nullable()), ("b", TypeKind::STRING.nullable())]),
                partition_keys: Vec::new(),
                primary_key: Vec::new(),
            },
            metadata: Schema::default(),
            overwrite: false,
            static_partition: BTreeMap::new(),
        }
    }

    fn context(subtask: u32, parallelism: u32) -> SinkContext {
        SinkContext {
            job: JobId(1),
            attempt: 0,
            subtask: SubtaskIndex(subtask),
            parallelism,
            restored: None,
            schema: None,
            metrics: Default::default(),
            waker: Default::default(),
            clock: Arc::new(ManualClock::new(0)),
        }
    }

    fn table() -> TableContext {
        TableContext { batch: false, zone: "UTC".to_owned(), configuration: Default::default() }
    }

    fn prefix(identifier: &str, parallelism: u32) -> String {
        Print { identifier: identifier.to_owned(), standard_error: false, types: Vec::new() }
            .prefix(&context(1, parallelism))
    }

    #[test]
    fn the_prefix_is_flinks() {
        assert_eq!(prefix("", 1), "");
        assert_eq!(prefix("", 4), "2> ");
        assert_eq!(prefix("out", 1), "out> ");
        assert_eq!(prefix("out", 4), "out:2> ");
    }

    #[test]
    fn selected_changes_are_written_with_their_kinds() {
        let types = [TypeKind::Int.nullable(), TypeKind::STRING.nullable()];
        let batch = pretty::parse("+I 1 a\n-U 1 a\n+U 1 NULL\n-D 2 b", &types).unwrap();
        let batch = batch.select(&[true, true, true, false].into_iter().collect());
        let mut out = String::new();
        write_lines(&mut out, &batch, &types, "p> ");
        assert_eq!(out, "p> +I[1, a]\np> -U[1, a]\np> +U[1, null]\n");
    }

    #[test]
    fn unknown_options_are_refused() {
        let good = PrintConnector
            .sink(&spec("print", &[("connector", "print"), ("print-identifier", "x")]), &table());
        assert!(good.is_ok());
        let error = PrintConnector.sink(&spec("print", &[("prnt", "x")]), &table()).err().unwrap();
        assert!(error.to_string().contains("no option 'prnt'"), "{error}");
        let error = BlackholeConnector.sink(&spec("blackhole", &[("x", "y")]), &table()).err().unwrap();
        assert!(error.to_string().contains("no option 'x'"), "{error}");
    }

    #[test]
    fn a_blackhole_takes_everything() {
        let sink = BlackholeConnector.sink(&spec("blackhole", &[]), &table()).unwrap();
        let mut writer = sink.writer(context(0, 1), Vec::new()).unwrap();
        let batch = pretty::parse("-D 1", &[TypeKind::Int.nullable()]).unwrap();
        writer.write(Batch::Changes(batch)).unwrap();
        assert!(
            writer.prepare_commit(flott_types::CheckpointId(1), true).unwrap().wait().unwrap().is_empty()
        );
    }
}
