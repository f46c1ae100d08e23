//! Test connectors, and plans made by hand.

pub mod killed;
pub mod operators;
pub mod sink;
pub mod source;
pub mod storage;
pub mod timed;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use flott_cluster::{JobClient, LocalCluster, LocalClusterOptions, ResultStream};
use flott_connector::Registry;
use flott_plan::{
    AggregateCall, AggregatePhase, Exchange, Expr, Literal, Node, NodeId, OperatorSpec, Schema, SinkSpec,
    SortKey, SourceSpec, StreamGraph, TableSpec,
};
use flott_types::{LogicalType, OperatorUid, TypeKind};
use parking_lot::Mutex;

pub use sink::Committed;
pub use source::Controls;

/// `k BIGINT, v BIGINT`
pub fn schema() -> Schema {
    Schema::new([("k", bigint()), ("v", bigint())])
}

pub fn bigint() -> LogicalType {
    TypeKind::BigInt.nullable()
}

pub fn table(name: &str, connector: &str, options: &[(&str, &str)]) -> TableSpec {
    let mut all: BTreeMap<_, _> = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    all.insert("connector".to_owned(), connector.to_owned());
    TableSpec {
        name: name.to_owned(),
        connector: connector.to_owned(),
        options: all,
        schema: schema(),
        partition_keys: Vec::new(),
        primary_key: Vec::new(),
    }
}

fn count(name: &str) -> AggregateCall {
    AggregateCall {
        function: "COUNT".to_owned(),
        args: Vec::new(),
        arg_types: Vec::new(),
        distinct: false,
        filter: None,
        ty: TypeKind::BigInt.not_null(),
        name: name.to_owned(),
    }
}

/// A plan in the making.
pub struct Plan {
    pub graph: StreamGraph,
    pub configuration: BTreeMap<String, String>,
}

impl Plan {
    pub fn new(configuration: &[(&str, &str)]) -> Self {
        // A commit that fails is a failure here.
        let all = [("sink.committer.retries", "0")].iter().chain(configuration);
        let configuration = all.map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Plan { graph: StreamGraph::default(), configuration }
    }

    pub fn add(&mut self, uid: &str, spec: OperatorSpec, parallelism: u32) -> NodeId {
        self.graph.add(Node {
            uid: OperatorUid(uid.to_owned()),
            name: uid.to_owned(),
            spec,
            schema: schema(),
            parallelism,
            wishes: flott_plan::Wishes::default(),
            lineage: flott_plan::Lineage::default(),
        })
    }

    pub fn source(&mut self, uid: &str, options: &[(&str, &str)], parallelism: u32) -> NodeId {
        let table = table(uid, "test-source", options);
        let spec = SourceSpec {
            table,
            projection: vec![0, 1],
            paths: Vec::new(),
            metadata: Schema::default(),
            limit: None,
            watermark: None,
            errors: false,
        };
        self.add(uid, OperatorSpec::Source(spec), parallelism)
    }

    pub fn sink(&mut self, uid: &str, options: &[(&str, &str)], parallelism: u32) -> NodeId {
        let table = table(uid, "test-sink", options);
        let spec = SinkSpec {
            table,
            metadata: Schema::default(),
            overwrite: false,
            static_partition: BTreeMap::new(),
            drop_update_before: false,
        };
        self.add(uid, OperatorSpec::Sink(spec), parallelism)
    }

    /// k, v as they are.
    pub fn identity(&mut self, uid: &str, parallelism: u32) -> NodeId {
        let projection = vec![Expr::column(0, bigint()), Expr::column(1, bigint())];
        self.add(uid, OperatorSpec::Calc { condition: None, projection }, parallelism)
    }

    /// Only the row whose v is 0.
    pub fn first_row(&mut self, uid: &str, parallelism: u32) -> NodeId {
        let zero = Expr::literal(Literal::Integer(0), bigint());
        let condition = Expr::call("=", vec![Expr::column(1, bigint()), zero], TypeKind::Boolean.nullable());
        let projection = vec![Expr::column(0, bigint()), Expr::column(1, bigint())];
        self.add(uid, OperatorSpec::Calc { condition: Some(condition), projection }, parallelism)
    }

    /// No row at all.
    pub fn nothing(&mut self, uid: &str, parallelism: u32) -> NodeId {
        let condition = Expr::literal(Literal::Boolean(false), TypeKind::Boolean.nullable());
        let projection = vec![Expr::column(0, bigint()), Expr::column(1, bigint())];
        self.add(uid, OperatorSpec::Calc { condition: Some(condition), projection }, parallelism)
    }

    /// The three rows with the least k.
    pub fn first(&mut self, uid: &str, parallelism: u32) -> NodeId {
        let order = vec![SortKey { column: 0, descending: false, nulls_first: true }];
        let (partition, from, to) = (Vec::new(), 1, Some(3));
        let spec = OperatorSpec::TopN {
            partition,
            order,
            from,
            to,
            output_rank: false,
            input_updates: true,
            ttl: 0,
            window_end: None,
            emit_update_before: true,
        };
        self.add(uid, spec, parallelism)
    }

    /// k, COUNT(*)
    pub fn count(&mut self, uid: &str, parallelism: u32) -> NodeId {
        self.aggregate(uid, vec![0], vec![count("v")], parallelism)
    }

    /// COUNT(*), COUNT(*)
    pub fn total(&mut self, uid: &str, parallelism: u32) -> NodeId {
        self.aggregate(uid, Vec::new(), vec![count("k"), count("v")], parallelism)
    }

    fn aggregate(
        &mut self,
        uid: &str,
        keys: Vec<usize>,
        aggregates: Vec<AggregateCall>,
        parallelism: u32,
    ) -> NodeId {
        let spec = OperatorSpec::GroupAggregate {
            keys,
            aggregates,
            phase: AggregatePhase::Single,
            input_updates: false,
            emit_update_before: true,
            ttl: 0,
        };
        self.add(uid, spec, parallelism)
    }

    pub fn connect(&mut self, from: NodeId, to: NodeId, exchange: Exchange) {
        self.graph.connect(from, to, 0, exchange);
    }

    pub fn build(&self) -> flott_plan::JobGraph {
        self.graph.clone().into_job_graph("test", self.configuration.clone(), 128, true).unwrap()
    }
}

pub struct World {
    pub cluster: LocalCluster,
    pub controls: Arc<Controls>,
    pub committed: Arc<Committed>,
}

pub fn world(task_managers: u32, slots: u32) -> World {
    world_with(task_managers, slots, |_| {})
}

/// A world of which the test has changed something.
pub fn world_with(task_managers: u32, slots: u32, change: impl FnOnce(&mut LocalClusterOptions)) -> World {
    let (controls, committed) = (Arc::<Controls>::default(), Arc::<Committed>::default());
    let mut registry = Registry::default();
    registry.register(Arc::new(source::TestSourceConnector(controls.clone())));
    registry.register(Arc::new(timed::TimedSourceConnector(controls.clone())));
    registry.register(Arc::new(sink::TestSinkConnector(committed.clone(), controls.clone())));
    let mut options = LocalClusterOptions::new(Arc::new(registry), Arc::new(operators::TestOperators), slots);
    options.task_managers = task_managers;
    change(&mut options);
    World { cluster: LocalCluster::start(options).unwrap(), controls, committed }
}

pub fn finish(client: &JobClient) {
    match client.wait_for(Duration::from_secs(30)) {
        Some(flott_cluster::JobStatus::Finished) => {}
        other => panic!("{other:?}: {:#?}", client.info()),
    }
}

/// Whether something becomes true within a few seconds.
pub fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    (0..5_000).any(|_| {
        let held = holds();
        if !held {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        held
    })
}

/// Runs a case for each seed, several at a time: jobs of tests mostly wait.
pub fn each_seed<T: Send>(seeds: std::ops::Range<u64>, case: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let (next, results) = (AtomicU64::new(seeds.start), Mutex::default());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let result = case(seed);
                    Mutex::<Vec<T>>::lock(&results).push(result);
                }
            });
        }
    });
    results.into_inner()
}

/// All rows, sorted.
pub fn collect(results: &ResultStream) -> Vec<(i64, i64)> {
    let mut rows = Vec::new();
    while let Some(batch) = results.next_rows().unwrap() {
        rows.extend(pairs(batch.columns()));
    }
    rows.sort_unstable();
    rows
}

pub fn pairs(batch: &arrow::array::RecordBatch) -> Vec<(i64, i64)> {
    let (k, v) = (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_primitive::<Int64Type>());
    assert_eq!(k.null_count(), 0);
    k.values().iter().copied().zip(v.values().iter().copied()).collect()
}
