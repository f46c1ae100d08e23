//! Runs operators in tests: text in, text out, in any number of parallel instances.

mod collected;

use std::collections::BTreeMap;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use flott_batch::hash::hash_columns;
use flott_batch::{Batch, ChangeBatch, pretty};
use flott_operator::checked::Checked;
use flott_operator::{Context, Operator, OperatorMetrics, TaskInfo};
use flott_plan::{ChainedNode, Expr, Node, OperatorSpec, Schema, Wishes};
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{
    CheckpointId, JobId, KeyGroup, KeyGroupRange, LogicalType, OperatorUid, Result, SubtaskIndex, Timestamp,
    TypeKind, Waker, Watermark,
};

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

/// Types by their names, separated by blanks.
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
        },
        parent: None,
        tag: None,
        inputs: inputs.iter().map(|input| schema(input)).collect(),
    }
}

struct Instance {
    operator: Box<dyn Operator>,
    info: TaskInfo,
    wake_at: Option<Timestamp>,
}

/// An operator under test, with its parallel instances. Rows go to the instance that owns their key.
pub(crate) struct Harness {
    node: ChainedNode,
    context: BuildContext,
    inputs: Vec<Vec<LogicalType>>,
    keys: Vec<Vec<usize>>,
    instances: Vec<Instance>,
    output: Collected,
    pub metrics: OperatorMetrics,
    now: Timestamp,
    watermark: Watermark,
    snapshot: Tables,
    /// How many were taken.
    checkpoints: u64,
    /// Operator state of the last checkpoint, that of all instances together.
    lists: BTreeMap<String, Vec<String>>,
}

/// What a checkpoint storage would hold: for each table the live rows by key.
type Tables = BTreeMap<String, Table>;

#[derive(Default, Clone)]
struct Table {
    rows: BTreeMap<Vec<u8>, (u16, RecordBatch)>,
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

    /// The same with batches of so many bytes.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.context.batch_bytes = bytes;
        self.start(1);
        self
    }

    /// Everything that came out.
    pub fn batches(&self) -> &[ChangeBatch] {
        &self.output.batches
    }

    /// All inputs have ended; what comes out.
    pub fn finish(&mut self) -> String {
        for instance in 0..self.instances.len() {
            self.call(instance, |operator, context| operator.finish(context)).unwrap();
        }
        self.taken()
    }

    /// With the key columns of each input.
    pub fn keyed(node: ChainedNode, keys: &[&[usize]]) -> Self {
        let types =
            |schema: &Schema| schema.columns.iter().map(|column| column.ty.clone()).collect::<Vec<_>>();
        let mut harness = Harness {
            context: BuildContext { max_parallelism: MAX_PARALLELISM, ..BuildContext::default() },
            inputs: node.inputs.iter().map(types).collect(),
            keys: keys.iter().map(|keys| keys.to_vec()).collect(),
            instances: Vec::new(),
            output: Collected { types: types(&node.node.schema), ..Collected::default() },
            metrics: OperatorMetrics::default(),
            now: 0,
            watermark: Watermark::MIN,
            snapshot: Tables::new(),
            checkpoints: 0,
            lists: BTreeMap::new(),
            node,
        };
        harness.start(1);
        harness
    }

    /// Builds and opens the instances from the last snapshot.
    fn start(&mut self, parallelism: u32) {
        self.instances.clear();
        for subtask in (0..parallelism).map(SubtaskIndex) {
            let key_groups = KeyGroupRange::of_subtask(subtask, MAX_PARALLELISM, parallelism);
            let info = TaskInfo {
                job: JobId(0),
                uid: OperatorUid("test".to_owned()),
                name: "test".to_owned(),
                subtask,
                parallelism,
                max_parallelism: MAX_PARALLELISM,
                key_groups,
                attempt: 0,
            };
            let mut restored = RestoredState::default();
            restored.lists.extend(self.lists.clone());
            for (name, table) in &self.snapshot {
                let mine = |(group, row): &(u16, RecordBatch)| {
                    key_groups.contains(KeyGroup(*group)).then(|| row.clone())
                };
                let rows: Vec<_> = table.rows.values().filter_map(mine).collect();
                if let Some(first) = rows.first() {
                    let all = concat_batches(&first.schema(), &rows).unwrap();
                    restored.keyed.insert(name.clone(), vec![all]);
                }
            }
            restored.found = self.checkpoints > 0;
            let operator = build(&self.node, &self.context).unwrap();
            let operator = Box::new(Checked::new(operator, &self.node));
            self.instances.push(Instance { operator, info, wake_at: None });
            self.call(subtask.index(), |operator, context| operator.open(restored, context)).unwrap();
        }
    }

    fn call(
        &mut self,
        instance: usize,
        call: impl FnOnce(&mut dyn Operator, &mut Context<'_>) -> Result<()>,
    ) -> Result<()> {
        let Instance { operator, info, wake_at } = &mut self.instances[instance];
        let mut context = Context {
            info,
            now: self.now,
            watermark: self.watermark,
            output: &mut self.output,
            metrics: &self.metrics,
            wake_at,
            waker: &Waker::default(),
        };
        call(operator.as_mut(), &mut context)
    }

    fn taken(&mut self) -> String {
        std::mem::take(&mut self.output.text)
    }

    /// Rows of input 0; what comes out.
    pub fn push(&mut self, rows: &str) -> String {
        self.push_to(0, rows)
    }

    /// Rows of an input; what comes out.
    pub fn push_to(&mut self, input: usize, rows: &str) -> String {
        self.try_push(input, rows).unwrap();
        self.taken()
    }

    /// Rows of an input.
    pub fn try_push(&mut self, input: usize, rows: &str) -> Result<()> {
        let batch = pretty::parse(rows, &self.inputs[input]).unwrap();
        self.try_feed(input, batch)
    }

    /// A batch of an input; what comes out.
    pub fn feed(&mut self, input: usize, batch: ChangeBatch) -> String {
        self.try_feed(input, batch).unwrap();
        self.taken()
    }

    fn try_feed(&mut self, input: usize, batch: ChangeBatch) -> Result<()> {
        let parallelism = self.instances.len() as u32;
        if parallelism == 1 {
            return self.call(0, |operator, context| operator.process(input, Batch::Changes(batch), context));
        }
        let parts = flott_batch::hash::partition(&batch, &self.keys[input], MAX_PARALLELISM, parallelism)?;
        for (instance, part) in parts.into_iter().enumerate() {
            if let Some(part) = part {
                self.call(instance, |operator, context| {
                    operator.process(input, Batch::Changes(part), context)
                })?;
            }
        }
        Ok(())
    }

    /// Event time advances; what comes out.
    pub fn watermark(&mut self, at: Timestamp) -> String {
        self.watermark = Watermark(at);
        for instance in 0..self.instances.len() {
            self.call(instance, |operator, context| operator.watermark(Watermark(at), context)).unwrap();
        }
        self.taken()
    }

    /// Processing time advances by so many milliseconds; what comes out.
    pub fn advance(&mut self, millis: i64) -> String {
        self.now += millis;
        let now = self.now;
        for instance in 0..self.instances.len() {
            while self.instances[instance].wake_at.is_some_and(|at| at <= now) {
                self.instances[instance].wake_at = None;
                self.call(instance, |operator, context| operator.processing_time(now, context)).unwrap();
            }
        }
        self.taken()
    }

    /// The input has no more rows for now; what comes out.
    pub fn dry(&mut self) -> String {
        for instance in 0..self.instances.len() {
            self.call(instance, |operator, context| operator.input_dry(context)).unwrap();
        }
        self.taken()
    }

    /// An input has ended; what comes out.
    pub fn end(&mut self, input: usize) -> String {
        for instance in 0..self.instances.len() {
            self.call(instance, |operator, context| operator.end_input(input, context)).unwrap();
        }
        self.taken()
    }

    /// Takes a snapshot; how many rows it wrote.
    pub fn checkpoint(&mut self, full: bool) -> usize {
        let mut rows = 0;
        self.lists.clear();
        self.checkpoints += 1;
        let checkpoint = CheckpointId(self.checkpoints);
        for instance in 0..self.instances.len() {
            self.call(instance, |operator, context| operator.prepare_barrier(context)).unwrap();
            let snapshot = self.instances[instance].operator.snapshot(checkpoint, full).unwrap();
            rows += snapshot.keyed.iter().map(|delta| delta.rows.num_rows()).sum::<usize>();
            self.apply(instance, snapshot);
        }
        rows
    }

    fn apply(&mut self, instance: usize, snapshot: OperatorSnapshot) {
        let owned = self.instances[instance].info.key_groups;
        for list in snapshot.lists {
            assert_eq!(list.redistribution, flott_state::Redistribution::Union);
            self.lists.entry(list.name).or_default().extend(list.entries);
        }
        for delta in snapshot.keyed {
            let table = self.snapshot.entry(delta.name.clone()).or_default();
            if delta.full {
                table.rows.retain(|_, (group, _)| !owned.contains(KeyGroup(*group)));
            }
            assert_eq!(delta.key_groups.len(), delta.rows.num_rows());
            let keys = &delta.rows.columns()[..delta.key_columns];
            let mut hashes = Vec::new();
            hash_columns(&keys[..delta.partition_columns], delta.rows.num_rows(), &mut hashes);
            let fields = keys.iter().map(|key| arrow::row::SortField::new(key.data_type().clone())).collect();
            let converter = arrow::row::RowConverter::new(fields).unwrap();
            let encoded = (!keys.is_empty()).then(|| converter.convert_columns(keys).unwrap());
            for (row, hash) in hashes.iter().enumerate() {
                let group = KeyGroup::of_hash(*hash, MAX_PARALLELISM);
                assert_eq!(delta.key_groups[row], group.0, "key group of {}", delta.name);
                assert!(owned.contains(group), "a key of another subtask");
                let key = encoded.as_ref().map(|rows| rows.row(row).as_ref().to_vec()).unwrap_or_default();
                if delta.deleted.as_ref().is_some_and(|deleted| deleted.value(row)) {
                    assert!(
                        table.rows.remove(&key).is_some(),
                        "deleted what was not there in {}",
                        delta.name
                    );
                } else {
                    let at = UInt32Array::from(vec![row as u32]);
                    table.rows.insert(key, (group.0, take_record_batch(&delta.rows, &at).unwrap()));
                }
            }
        }
    }

    /// Forgets the running instances and starts anew from the last snapshot.
    pub fn restore(&mut self, parallelism: u32) {
        self.start(parallelism);
        assert_eq!(self.taken(), "");
    }

    /// Starts anew from the last snapshot, built from another specification.
    pub fn restore_as(&mut self, spec: OperatorSpec) {
        self.node.node.spec = spec;
        self.restore(1);
    }

    /// The rows of a table in the last snapshot, as text.
    pub fn table(&self, name: &str) -> String {
        let Some(table) = self.snapshot.get(name) else {
            return String::new();
        };
        let rows: Vec<_> = table.rows.values().map(|(_, row)| row.clone()).collect();
        let Some(first) = rows.first() else {
            return String::new();
        };
        let all = concat_batches(&first.schema(), &rows).unwrap();
        let names: Vec<_> = all.schema().fields().iter().map(|field| field.name().clone()).collect();
        format!("{}\n{}", names.join(" "), display(&all))
    }

    /// +U will come without -U.
    pub fn upsert(mut self) -> Self {
        self.output.upsert = true;
        self
    }

    /// The rows that the changelog so far amounts to, sorted.
    pub fn result(&self) -> String {
        self.output
            .rows
            .iter()
            .flat_map(|(row, count)| (0..*count).map(move |_| format!("{row}\n")))
            .collect()
    }

    /// The names of the tables in the last snapshot that have rows.
    pub fn tables(&self) -> Vec<&str> {
        self.snapshot
            .iter()
            .filter(|(_, table)| !table.rows.is_empty())
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// The batch that came out last.
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
