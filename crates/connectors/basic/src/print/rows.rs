//! The connector `print` of SQL: `+I[1, a, null]`, rows as Java's `Row.toString` writes them; the identifier
//! is the option `print-identifier`.

use std::sync::Arc;

use flott_batch::{Batch, ChangeBatch};
use flott_connector::options::SINK_PARALLELISM;
use flott_connector::{
    AnyOption, Changelog, Connector, Manual, Options, Payload, Sink, SinkContext, SinkWriter, TableContext,
    TableOption, WithDefault,
};
use flott_plan::{SinkSpec, TableSpec};
use flott_types::{Error, LogicalType, Result};

use super::{Lines, Target};
use crate::row_text;

const IDENTIFIER: TableOption<String, WithDefault> =
    TableOption::text("print-identifier", "the text before each row").or("");
const STANDARD_ERROR: TableOption<bool, WithDefault> =
    TableOption::flag("standard-error", "rows go to standard error instead of standard output").or("false");

/// The connector `print`.
#[derive(Debug, Default)]
pub struct PrintConnector;

impl Connector for PrintConnector {
    fn name(&self) -> &'static str {
        "print"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&IDENTIFIER, &STANDARD_ERROR, &SINK_PARALLELISM];
        Manual {
            summary: "Writes each change as a line to standard output or standard error.",
            details: "\
A sink.
A line is `identifier:subtask> +I[1, a, null]`: the identifier if there is one, and the subtask's number from 1 if there are several.

It accepts every kind of change.
After a failure, rows since the last checkpoint are printed again.",
            example: "CREATE TABLE out_ (id BIGINT, item STRING) WITH (
  'connector' = 'print',
  'print-identifier' = 'out'
);",
            options: OPTIONS,
        }
    }

    fn sink(&self, spec: &SinkSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Sink>> {
        let types = spec.table.schema.iter().map(|(_, ty)| ty.clone()).collect();
        let target =
            Target { identifier: options.get(&IDENTIFIER)?, standard_error: options.get(&STANDARD_ERROR)? };
        Ok(Arc::new(Print { target, types }))
    }

    fn sink_changelog(&self, _: &TableSpec, _: &Options<'_>) -> Result<Changelog> {
        Ok(Changelog::Retract)
    }
}

struct Print {
    target: Target,
    types: Vec<LogicalType>,
}

impl Sink for Print {
    fn writer(&self, context: SinkContext, _restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        Ok(self.target.writer(&context, Rows(self.types.clone())))
    }
}

/// Rows, with their types.
pub(super) struct Rows(pub(super) Vec<LogicalType>);

impl Lines for Rows {
    fn append(&self, batch: Batch, prefix: &str, lines: &mut String) -> Result<()> {
        let Batch::Changes(batch) = batch else {
            return Err(Error::internal("the sink print got values instead of columns"));
        };
        write_lines(lines, &batch, &self.0, prefix);
        Ok(())
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
    use flott_connector::Registry;
    use flott_plan::Schema;
    use flott_types::TypeKind;

    use super::super::tests::context;
    use super::*;
    use crate::blackhole::BlackholeConnector;

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
            drop_update_before: false,
        }
    }

    fn table() -> TableContext {
        TableContext { batch: false, zone: "UTC".to_owned(), configuration: Default::default() }
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
        let mut registry = Registry::default();
        registry.register(Arc::new(PrintConnector));
        registry.register(Arc::new(BlackholeConnector));
        let good = spec("print", &[("connector", "print"), ("print-identifier", "x")]);
        assert!(registry.sink(&good, &table()).is_ok());
        let error = registry.sink(&spec("print", &[("prnt-identifier", "x")]), &table()).err().unwrap();
        assert!(
            error.to_string().contains("no option 'prnt-identifier'; did you mean 'print-identifier'?"),
            "{error}"
        );
        let error = registry.sink(&spec("blackhole", &[("x", "y")]), &table()).err().unwrap();
        assert!(error.to_string().contains("no option 'x'"), "{error}");
    }

    #[test]
    fn a_blackhole_takes_everything() {
        let mut registry = Registry::default();
        registry.register(Arc::new(BlackholeConnector));
        let sink = registry.sink(&spec("blackhole", &[]), &table()).unwrap();
        let mut writer = sink.writer(context(0, 1), Vec::new()).unwrap();
        let batch = pretty::parse("-D 1", &[TypeKind::Int.nullable()]).unwrap();
        writer.write(Batch::Changes(batch)).unwrap();
        assert!(
            writer.prepare_commit(flott_types::CheckpointId(1), true).unwrap().wait().unwrap().is_empty()
        );
    }
}
