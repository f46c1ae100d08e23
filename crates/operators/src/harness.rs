//! Runs operators in tests: text in, text out, in any number of parallel instances.

mod collected;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use flott_batch::hash::hash_columns;
use flott_batch::{Batch, ChangeBatch, WatermarkStatus, pretty};
use flott_expr::Functions;
use flott_operator::OperatorMetrics;
use flott_operator::checked::Checked;
use flott_operator::testing::{Stored, Subtasks, task_info};
use flott_plan::{ChainedNode, Expr, Node, OperatorSpec, Schema, Wishes};
use flott_runtime::{Outside, TaskOptions};
use flott_state::KeyedDelta;
use flott_types::{KeyGroup, LogicalType, OperatorUid, Result, Timestamp, TypeKind};

use crate::{BuildContext, build};
use collected::Collected;

const MAX_PARALLELISM: u32 = 128;

/// A type by its name.
pub(crate) fn ty(name: &str) -> LogicalType {
    let kind = match name {
        "BOOLEAN" => TypeKind::Boolean,
        "TINYINT" => TypeKind::TinyInt,
        "SMALLINT" => TypeKind::SmallInt,
        "INT" => TypeKind::Int,
        "BIGINT" => TypeKind::BigInt,
        "FLOAT" => TypeKind::Float,
        "DOUBLE" => TypeKind::Double,
        "STRING" => TypeKind::STRING,
        "DATE" => TypeKind::Date,
        "TIMESTAMP(3)" => TypeKind::Timestamp(3),
        "TIMESTAMP_LTZ(3)" => TypeKind::TimestampLtz(3),
        "DECIMAL(10,2)" => TypeKind::Decimal(10, 2),
        "DECIMAL(38,2)" => TypeKind::Decimal(38, 2),
        "DECIMAL(38,6)" => TypeKind::Decimal(38, 6),
        other => match other.split_once('<') {
            Some(("ARRAY", inner)) => TypeKind::Array(Box::new(ty(inner.trim_end_matches('>')))),
            Some(("MULTISET", inner)) => TypeKind::Multiset(Box::new(ty(inner.trim_end_matches('>')))),
            _ => panic!("type {other}"),
        },
    };
    kind.nullable()
}

/// Types by their names, separated by spaces.
pub(crate) fn types(names: &str) -> Vec<LogicalType> {
    names.split_whitespace().map(ty).collect()
}

/// Columns `a`, `b` ... of these types.
pub(crate) fn schema(names: &str) -> Schema {
    Schema::new(types(names).into_iter().zip('a'..).map(|(ty, name)| (name.to_string(), ty)))
}

/// A column as an expression.
pub(crate) fn column(index: usize, name: &str) -> Expr {
    Expr::column(index, ty(name))
}

/// A node with these inputs and output.
pub(crate) fn node(spec: OperatorSpec, inputs: &[&str], output: &str) -> ChainedNode {
    ChainedNode {
        node: Node {
            uid: OperatorUid("test".to_owned()),
            name: "test".to_owned(),
            spec,
            schema: schema(output),
            parallelism: 1,
            wishes: Wishes::default(),
            lineage: flott_plan::Lineage::default(),
        },
        parent: None,
        tag: None,
        inputs: inputs.iter().map(|input| schema(input)).collect(),
    }
}

/// An operator under test, with its parallel instances. Rows go to the instance that owns their key.
pub(crate) struct Harness {
    node: ChainedNode,
    context: BuildContext,
    outside: Outside,
    inputs: Vec<Vec<LogicalType>>,
    keys: Vec<Vec<usize>>,
    subtasks: Subtasks<Collected>,
    pub metrics: OperatorMetrics,
    stored: Stored,
}

impl Harness {
    /// One instance.
    pub fn new(node: ChainedNode) -> Self {
        Self::keyed(node, &[])
    }

    /// The same in a batch query.
    pub fn batch(mut self) -> Self {
        self.context.streaming = false;
        self.start(1);
        self
    }

    /// The same with batches of this many bytes.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.context.batch_bytes = bytes;
        self.start(1);
        self
    }

    /// The same where state has this much memory and may not leave it.
    pub fn resident(mut self, memory: &str) -> Self {
        let settings = [("state.backend.type", "hashmap"), ("taskmanager.memory.managed.size", memory)];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
        self.context.options = Some(Arc::new(TaskOptions::parse(&BTreeMap::from(settings)).unwrap()));
        self.start(1);
        self
    }

    /// Everything that was emitted.
    pub fn batches(&self) -> &[ChangeBatch] {
        &self.subtasks.output.batches
    }

    /// Ends all inputs; returns the output.
    pub fn finish(&mut self) -> String {
        self.subtasks.finish().unwrap();
        self.taken()
    }

    /// With the key columns of each input.
    pub fn keyed(node: ChainedNode, keys: &[&[usize]]) -> Self {
        Self::within(node, keys, Outside::nothing())
    }

    /// With external dependencies.
    pub fn within(node: ChainedNode, keys: &[&[usize]], outside: Outside) -> Self {
        Self::with(node, keys, outside, flott_functions::builtin())
    }

    /// With functions of a user.
    pub fn calling(node: ChainedNode, keys: &[&[usize]], functions: Functions) -> Self {
        Self::with(node, keys, Outside::nothing(), functions)
    }

    fn with(node: ChainedNode, keys: &[&[usize]], outside: Outside, functions: Functions) -> Self {
        let types =
            |schema: &Schema| schema.columns.iter().map(|column| column.ty.clone()).collect::<Vec<_>>();
        // State that can leave memory does so at once: what comes out is the same.
        let tight = BTreeMap::from([("taskmanager.memory.managed.size".to_owned(), "100 bytes".to_owned())]);
        let mut options = TaskOptions::parse(&tight).unwrap();
        options.state.folder = None;
        let subtasks = Subtasks::new(Collected { types: types(&node.node.schema), ..Collected::default() });
        let mut harness = Harness {
            context: BuildContext {
                max_parallelism: MAX_PARALLELISM,
                functions,
                options: Some(Arc::new(options)),
                memory: Some(outside.memory.clone()),
                ..BuildContext::default()
            },
            outside,
            inputs: node.inputs.iter().map(types).collect(),
            keys: keys.iter().map(|keys| keys.to_vec()).collect(),
            metrics: subtasks.metrics.clone(),
            subtasks,
            stored: Stored::default(),
            node,
        };
        harness.start(1);
        harness
    }

    /// Builds and opens the instances from the last snapshot.
    fn start(&mut self, parallelism: u32) {
        self.try_start(parallelism).unwrap();
    }

    fn try_start(&mut self, parallelism: u32) -> Result<()> {
        self.subtasks.clear();
        for subtask in 0..parallelism {
            let operator = build(&self.node, &self.context, &self.outside).unwrap();
            let operator = Box::new(Checked::new(operator, &self.node));
            let info = task_info(subtask, parallelism, MAX_PARALLELISM);
            self.subtasks.open(info, operator, &self.stored)?;
        }
        Ok(())
    }

    fn taken(&mut self) -> String {
        std::mem::take(&mut self.subtasks.output.text)
    }

    /// Pushes rows into input 0; returns the output.
    pub fn push(&mut self, rows: &str) -> String {
        self.push_to(0, rows)
    }

    /// Pushes rows into an input; returns the output.
    pub fn push_to(&mut self, input: usize, rows: &str) -> String {
        self.try_push(input, rows).unwrap();
        self.taken()
    }

    /// Pushes rows into an input.
    pub fn try_push(&mut self, input: usize, rows: &str) -> Result<()> {
        let batch = pretty::parse(rows, &self.inputs[input]).unwrap();
        self.try_feed(input, batch)
    }

    /// Pushes a batch into an input; returns the output.
    pub fn feed(&mut self, input: usize, batch: ChangeBatch) -> String {
        self.try_feed(input, batch).unwrap();
        self.taken()
    }

    fn try_feed(&mut self, input: usize, batch: ChangeBatch) -> Result<()> {
        let parallelism = self.subtasks.len() as u32;
        if parallelism == 1 {
            return self.subtasks.process(0, input, Batch::Changes(batch));
        }
        let parts = flott_batch::hash::partition(&batch, &self.keys[input], MAX_PARALLELISM, parallelism)?;
        for (instance, part) in parts.into_iter().enumerate() {
            if let Some(part) = part {
                self.subtasks.process(instance, input, Batch::Changes(part))?;
            }
        }
        Ok(())
    }

    /// Advances event time; returns the output.
    pub fn watermark(&mut self, at: Timestamp) -> String {
        self.try_watermark(at).unwrap();
        self.taken()
    }

    /// Like [`Harness::watermark`], where the operator may refuse.
    pub fn try_watermark(&mut self, at: Timestamp) -> Result<()> {
        self.subtasks.watermark(at)
    }

    /// Advances processing time by this many milliseconds; returns the output.
    pub fn advance(&mut self, millis: i64) -> String {
        self.try_advance(millis).unwrap();
        self.taken()
    }

    /// Advances processing time by this many milliseconds.
    pub fn try_advance(&mut self, millis: i64) -> Result<()> {
        self.subtasks.clock(self.subtasks.now + millis)
    }

    /// Wakes the operator, because work elsewhere made progress; returns the output.
    pub fn woken(&mut self) -> String {
        self.subtasks.call_each(|operator, context| operator.woken(context)).unwrap();
        self.taken()
    }

    /// Reports that the input has no more rows for now; returns the output.
    pub fn dry(&mut self) -> String {
        self.subtasks.call_each(|operator, context| operator.input_dry(context)).unwrap();
        self.taken()
    }

    /// The input becomes idle or active.
    pub fn status(&mut self, status: WatermarkStatus) {
        self.subtasks.call_each(|operator, context| operator.watermark_status(status, context)).unwrap();
        self.taken();
    }

    /// Ends an input; returns the output.
    pub fn end(&mut self, input: usize) -> String {
        self.subtasks.call_each(|operator, context| operator.end_input(input, context)).unwrap();
        self.taken()
    }

    /// Takes a snapshot; returns how many rows it wrote.
    pub fn checkpoint(&mut self, full: bool) -> usize {
        self.subtasks.checkpoint(&mut self.stored, full).unwrap()
    }

    /// Forgets the running instances and starts again from the last snapshot.
    pub fn restore(&mut self, parallelism: u32) {
        self.start(parallelism);
        assert_eq!(self.taken(), "");
    }

    /// Starts again from the last snapshot, built from another specification.
    pub fn restore_as(&mut self, spec: OperatorSpec) {
        self.node.node.spec = spec;
        self.restore(1);
    }

    /// Like [`Harness::restore_as`], where the operator may refuse.
    pub fn try_restore_as(&mut self, spec: OperatorSpec) -> Result<()> {
        self.node.node.spec = spec;
        self.try_start(1)
    }

    /// Continues from the last snapshot with another operator, which retracts results that it has never sent
    /// in this form.
    pub fn continue_as(&mut self, node: ChainedNode) {
        self.subtasks.output.types =
            node.node.schema.columns.iter().map(|column| column.ty.clone()).collect();
        self.subtasks.output.upsert = true;
        self.node = node;
        self.restore(1);
    }

    /// Rewrites a table of the last snapshot as earlier versions wrote it: all of its columns tell rows
    /// apart, and `number` follows the others. The first `partition` columns are the key.
    pub fn as_earlier(&mut self, name: &str, partition: usize, number: &str) {
        let Some(rows) = self.stored.table(name).unwrap() else { return };
        let (at, _) = rows.schema_ref().column_with_name(number).unwrap();
        let order: Vec<usize> = (0..rows.num_columns()).filter(|column| *column != at).chain([at]).collect();
        let rows = rows.project(&order).unwrap();
        let mut hashes = Vec::new();
        hash_columns(&rows.columns()[..partition], rows.num_rows(), &mut hashes);
        let key_groups = hashes.iter().map(|hash| KeyGroup::of_hash(*hash, MAX_PARALLELISM).0).collect();
        let earlier = KeyedDelta {
            name: name.to_owned(),
            key_columns: rows.num_columns(),
            partition_columns: partition,
            key_groups,
            deleted: None,
            full: true,
            rows,
        };
        self.stored.set_table(&task_info(0, 1, MAX_PARALLELISM), &earlier).unwrap();
    }

    /// The rows of a table in the last snapshot, as text.
    pub fn table(&self, name: &str) -> String {
        let Some(all) = self.stored.table(name).unwrap() else {
            return String::new();
        };
        let names: Vec<_> = all.schema().fields().iter().map(|field| field.name().clone()).collect();
        format!("{}\n{}", names.join(" "), display(&all))
    }

    /// Expects +U without -U.
    pub fn upsert(mut self) -> Self {
        self.subtasks.output.upsert = true;
        self
    }

    /// The rows that result from the changelog so far, sorted.
    pub fn result(&self) -> String {
        self.subtasks
            .output
            .rows
            .iter()
            .flat_map(|(row, count)| (0..*count).map(move |_| format!("{row}\n")))
            .collect()
    }

    /// The names of the tables in the last snapshot that have rows.
    pub fn tables(&self) -> Vec<&str> {
        self.stored.tables().collect()
    }

    /// The batch that was emitted last.
    pub fn last(&self) -> &ChangeBatch {
        self.batches().last().unwrap()
    }
}

fn display(rows: &RecordBatch) -> String {
    let options = arrow::util::display::FormatOptions::new().with_null("NULL");
    let columns: Vec<_> = rows
        .columns()
        .iter()
        .map(|column| arrow::util::display::ArrayFormatter::try_new(column, &options).unwrap())
        .collect();
    let line =
        |row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(" ") + "\n";
    (0..rows.num_rows()).map(line).collect()
}

/// A call of an aggregate function: `SUM(1:INT)->BIGINT`-like parts.
pub(crate) fn call(function: &str, args: &[(usize, &str)], result: &str) -> flott_plan::AggregateCall {
    let (function, distinct) = match function.strip_suffix(" DISTINCT") {
        Some(function) => (function, true),
        None => (function, false),
    };
    let args_text: Vec<_> = args.iter().map(|(arg, _)| arg.to_string()).collect();
    flott_plan::AggregateCall {
        function: function.to_owned(),
        args: args.iter().map(|(arg, _)| *arg).collect(),
        arg_types: args.iter().map(|(_, name)| ty(name)).collect(),
        distinct,
        filter: None,
        ty: ty(result),
        name: format!(
            "{}{}_{}",
            if distinct { "d" } else { "" },
            function.to_lowercase(),
            args_text.join("_")
        ),
    }
}
