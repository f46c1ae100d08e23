//! Sources and watermarks.

use flott_connector::Changelog;
use flott_connector::options::SCAN_PARALLELISM;
use flott_plan::{Exchange, Expr, OperatorSpec, Schema, SourceSpec, WatermarkSpec};
use flott_types::{Error, Result};

use super::{Planner, Stream, describe, meaning, schema_of};
use crate::bind::table::table_spec;
use crate::changelog::{Keys, Kinds, Relation};
use crate::logical::{Rel, RelNode, Scan};

impl Planner<'_> {
    pub(super) fn scan(&mut self, rel: &Rel, scan: &Scan) -> Result<Stream> {
        self.read(rel, scan, None)
    }

    /// `watermark`: what the source is to generate watermarks by, if it does so for each split.
    fn read(&mut self, rel: &Rel, scan: &Scan, watermark: Option<WatermarkSpec>) -> Result<Stream> {
        let table = table_spec(&scan.path, &scan.table)?;
        let changelog = self.changelog(&table)?;
        if !self.options.streaming && changelog != Changelog::InsertOnly {
            return Err(Error::invalid(format!(
                "Querying a table in batch mode is currently only possible for INSERT-only table sources. But the source for \
                 table '{}' produces other changelog messages than just INSERT.",
                table.name
            )));
        }
        let parallelism = SCAN_PARALLELISM.read_from(&table.options)?.unwrap_or(self.options.parallelism);
        let mut projection = scan.projection.clone();
        let mut schema = schema_of(rel);
        // An upsert stream needs its whole rows and its key, to make the changelog complete.
        let normalize = changelog == Changelog::Upsert;
        if normalize {
            if table.primary_key.is_empty() {
                return Err(Error::invalid(format!(
                    "table {} is read as an upsert stream and needs a PRIMARY KEY",
                    table.name
                )));
            }
            for key in &table.primary_key {
                if !projection.contains(key) {
                    let column = &table.schema.columns[*key];
                    let at = projection.len();
                    projection.push(*key);
                    schema.columns.insert(at, column.clone());
                }
            }
        }
        let metadata = Schema::new(scan.metadata.iter().cloned());
        let paths = scan.paths.clone();
        let errors = scan.errors.is_some();
        let spec = SourceSpec { table, projection, paths, metadata, limit: scan.limit, watermark, errors };
        // A wrong option is reported now, with the statement, and not when the job starts.
        self.connectors.source(&spec, &self.table_context)?;
        let mut name = describe::source(&spec, &schema);
        if let Some(errors) = &scan.errors {
            let into = errors.sink.table.name.replace('.', ", ");
            name = name.replacen("]], fields", &format!(", errors=[{into}]]], fields"), 1);
        }
        // Where a table was read to has nothing to do with how its watermarks are made. Two tables of errors may be
        // one with other options.
        let lineage = match &scan.errors {
            Some(errors) => self.lineage_of(&format!("{name}\n{:?}", errors.sink.table.options), &[]),
            None => self.lineage_of(&name, &[]),
        };
        if let Some(watermark) = &spec.watermark {
            let expression = describe::expr(&watermark.expression, &schema);
            name = name.replacen("]], fields", &format!(", watermark=[{expression}]]], fields"), 1);
        }
        let keys: Vec<usize> = spec
            .table
            .primary_key
            .iter()
            .filter_map(|key| spec.projection.iter().position(|column| column == key))
            .collect();
        let declared = spec.table.primary_key.len();
        let whole_key = declared > 0 && keys.len() == declared && spec.paths.is_empty();
        let width = rel.fields.len();
        let spec = OperatorSpec::Source(spec);
        let identity = meaning::identify("Source", &spec, &[], &schema);
        let relation = Relation {
            kinds: Kinds::of_source(changelog),
            keys: if whole_key { Keys::one(keys.iter().copied()) } else { Keys::none() },
            always_before: changelog == Changelog::Retract,
        };
        let stream =
            self.add_as((lineage, identity), (name, spec, schema.clone(), parallelism), relation, &[]);
        if let Some(errors) = &scan.errors {
            self.note_errors(&stream, errors);
        }
        if !normalize {
            return Ok(stream);
        }
        let name = describe::normalize(&keys, &schema);
        let spec = OperatorSpec::ChangelogNormalize {
            keys: keys.clone(),
            ttl: self.options.state_ttl,
            emit_update_before: true,
        };
        let normalized = self.keyed(name, spec, schema.clone(), stream, &keys);
        if schema.len() == width {
            return Ok(normalized);
        }
        // The requested columns are all except the added keys.
        let wanted = schema_of(rel);
        let exprs = wanted.columns.iter().map(|column| {
            let index = schema.index_of(&column.name).unwrap_or(0);
            Expr::column(index, column.ty.clone())
        });
        Ok(self.project_stream(normalized, exprs.collect(), None, wanted))
    }

    pub(super) fn watermark(&mut self, input: &Rel, column: usize, expr: &Expr, rel: &Rel) -> Result<Stream> {
        let spec = WatermarkSpec {
            time_column: column,
            expression: expr.clone(),
            interval: self.options.watermark_interval,
            idle_timeout: self.options.idle_timeout,
        };
        if let RelNode::Scan(scan) = &input.node
            && self.watermark_per_split(scan)?
        {
            return self.read(rel, scan, Some(spec));
        }
        let input = self.stream(input)?;
        let name = describe::watermark(&spec, &input.schema);
        let parallelism = input.parallelism;
        let operator = OperatorSpec::WatermarkAssigner(spec);
        Ok(self.add(name, operator, schema_of(rel), parallelism, &[(input, Exchange::Forward)]))
    }

    /// Whether the source of a table can generate watermarks for each split. One of a stream of upserts
    /// cannot: its rows come from the operator that completes them.
    fn watermark_per_split(&self, scan: &Scan) -> Result<bool> {
        let table = table_spec(&scan.path, &scan.table)?;
        if self.changelog(&table)? == Changelog::Upsert {
            return Ok(false);
        }
        let metadata = Schema::new(scan.metadata.iter().cloned());
        let (projection, paths) = (scan.projection.clone(), scan.paths.clone());
        let (limit, errors) = (scan.limit, scan.errors.is_some());
        let spec = SourceSpec { table, projection, paths, metadata, limit, watermark: None, errors };
        Ok(self.connectors.source(&spec, &self.table_context)?.watermark_per_split())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use flott_connector::{
        Boundedness, Connector, EnumeratorContext, Options, Payload, ReaderContext, Registry, Source,
        SourceReader, SplitEnumerator, TableContext,
    };
    use flott_types::clock::ManualClock;
    use flott_types::{Configuration, Error, Result};

    use crate::session::{Outcome, Session};

    struct Log(bool);

    impl Connector for Log {
        fn name(&self) -> &'static str {
            if self.0 { "per-split" } else { "plain" }
        }

        fn source(
            &self,
            _: &super::SourceSpec,
            _: &Options<'_>,
            _: &TableContext,
        ) -> Result<Arc<dyn Source>> {
            Ok(Arc::new(Log(self.0)))
        }
    }

    impl Source for Log {
        fn boundedness(&self) -> Boundedness {
            Boundedness::Unbounded
        }

        fn enumerator(&self, _: Option<&Payload>, _: EnumeratorContext) -> Result<Box<dyn SplitEnumerator>> {
            Err(Error::unsupported("a job"))
        }

        fn reader(&self, _: ReaderContext) -> Result<Box<dyn SourceReader>> {
            Err(Error::unsupported("a job"))
        }

        fn watermark_per_split(&self) -> bool {
            self.0
        }
    }

    /// Names and uids of the operators of `SELECT * FROM log`.
    fn plan(connector: &str, columns: &str, delay: u32) -> Vec<(String, String)> {
        let mut registry = Registry::default();
        registry.register(Arc::new(Log(true)));
        registry.register(Arc::new(Log(false)));
        let clock = Arc::new(ManualClock::new(0));
        let mut session =
            Session::new(Arc::new(registry), flott_functions::builtin(), Configuration::default(), clock, 1);
        let script = format!(
            "CREATE TABLE log (a INT, ts TIMESTAMP(3), {columns} WATERMARK FOR ts AS ts - INTERVAL '{delay}' SECOND)
             WITH ('connector' = '{connector}'); SELECT * FROM log;"
        );
        for statement in flott_sql_parser::parse_script(&script).unwrap() {
            if let Outcome::Query(job) = session.execute(&statement).unwrap() {
                let operators = job.graph.vertices.iter().flat_map(|vertex| &vertex.operators);
                return operators.map(|o| (o.node.name.clone(), o.node.uid.0.clone())).collect();
            }
        }
        Vec::new()
    }

    #[test]
    fn a_source_that_can_generates_its_watermarks() {
        let pushed = plan("per-split", "", 5);
        assert_eq!(pushed.len(), 2);
        assert_eq!(
            pushed[0].0,
            "TableSourceScan(table=[[default_catalog, default_database, log, watermark=[(ts - 5000:INTERVAL SECOND(3))]]], fields=[a, ts])"
        );
        // Its position is found again after the watermark was changed.
        let other = plan("per-split", "", 7);
        assert!(other[0].0 != pushed[0].0 && other[0].1 == pushed[0].1);
    }

    #[test]
    fn others_have_an_operator_for_it() {
        for (connector, columns) in [("plain", ""), ("per-split", "b AS a + 1,")] {
            let plan = plan(connector, columns, 5);
            assert!(plan.iter().any(|(name, _)| name.starts_with("WatermarkAssigner(")), "{plan:?}");
        }
    }
}
