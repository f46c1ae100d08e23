use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Poll;

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::Int32Type;
use expect_test::expect;
use flott_batch::pretty;
use flott_connector::lookup::{
    AsyncLookup, Found, Lookup, LookupContext, LookupFuture, LookupTable, SyncLookup,
};
use flott_connector::{Connector, Options, Registry, TableContext};
use flott_plan::{
    Expr, JoinKind, Literal, LookupJoinSpec, LookupKey, LookupRequests, LookupRetry, LookupSpec,
    OperatorSpec, Schema, TableSpec,
};
use flott_runtime::Outside;
use flott_types::{Result, TypeKind};
use parking_lot::Mutex;

use crate::harness::{Harness, column, node, types};

/// number, key
const LEFT: &str = "INT INT";
/// key, name
const TABLE: &str = "INT STRING";
const ROWS: &str = "+I 1 one\n+I 2 two\n+I 2 deux\n+I 3 three\n";

/// A table whose answers wait until the test releases them.
#[derive(Clone)]
struct Names(Arc<Mutex<State>>);

struct State {
    rows: String,
    is_async: bool,
    /// The keys of each request, in order.
    asked: Vec<Vec<i32>>,
    /// Which requests may be answered.
    free: Vec<bool>,
    waiting: VecDeque<std::task::Waker>,
}

impl Names {
    fn new(is_async: bool) -> Self {
        let (asked, free, waiting) = (Vec::new(), Vec::new(), VecDeque::new());
        Names(Arc::new(Mutex::new(State { rows: ROWS.to_owned(), is_async, asked, free, waiting })))
    }

    fn asked(&self) -> Vec<Vec<i32>> {
        std::mem::take(&mut self.0.lock().asked)
    }

    /// Releases the answer of a request.
    fn answer(&self, number: usize) {
        let mut state = self.0.lock();
        if state.free.len() <= number {
            state.free.resize(number + 1, false);
        }
        state.free[number] = true;
        std::mem::take(&mut state.waiting).into_iter().for_each(std::task::Waker::wake);
    }

    fn set(&self, rows: &str) {
        self.0.lock().rows = rows.to_owned();
    }

    fn find(&self, keys: &RecordBatch) -> Result<Found> {
        let rows = pretty::parse(&self.0.lock().rows, &types(TABLE)).unwrap();
        let has = rows.column(0).as_primitive::<Int32Type>();
        let (mut found, mut numbers) = (Vec::new(), Vec::new());
        for (number, key) in (0..).zip(keys.column(0).as_primitive::<Int32Type>().values()) {
            let of_key = (0..has.len()).filter(|row| has.value(*row) == *key);
            of_key.for_each(|row| {
                found.push(row as u32);
                numbers.push(number);
            });
        }
        Found::new(take_record_batch(rows.columns(), &UInt32Array::from(found)).unwrap(), numbers)
    }

    fn note(&self, keys: &RecordBatch) -> usize {
        let keys = keys.column(0).as_primitive::<Int32Type>().values().to_vec();
        let mut state = self.0.lock();
        state.asked.push(keys);
        state.asked.len() - 1
    }
}

impl Connector for Names {
    fn name(&self) -> &'static str {
        "names"
    }

    fn lookup(&self, _: &LookupSpec, _: &Options<'_>, _: &TableContext) -> Result<Arc<dyn LookupTable>> {
        Ok(Arc::new(self.clone()))
    }
}

impl LookupTable for Names {
    fn lookup(&self, _: LookupContext) -> Result<Lookup> {
        Ok(match self.is_async() {
            true => Lookup::Async(Box::new(self.clone())),
            false => Lookup::Sync(Box::new(self.clone())),
        })
    }

    fn is_async(&self) -> bool {
        self.0.lock().is_async
    }
}

impl SyncLookup for Names {
    fn lookup(&mut self, keys: &RecordBatch) -> Result<Found> {
        self.note(keys);
        self.find(keys)
    }
}

impl AsyncLookup for Names {
    fn lookup(&mut self, keys: RecordBatch) -> LookupFuture {
        let (number, names) = (self.note(&keys), self.clone());
        Box::pin(std::future::poll_fn(move |context| {
            let is_free = names.0.lock().free.get(number).copied().unwrap_or_default();
            if is_free {
                return Poll::Ready(names.find(&keys));
            }
            names.0.lock().waiting.push_back(context.waker().clone());
            Poll::Pending
        }))
    }
}

fn spec(kind: JoinKind) -> LookupJoinSpec {
    let schema = Schema::new(["key", "name"].map(str::to_owned).into_iter().zip(types(TABLE)));
    let table = TableSpec {
        name: "names".to_owned(),
        connector: "names".to_owned(),
        options: [("connector".to_owned(), "names".to_owned())].into(),
        schema,
        partition_keys: Vec::new(),
        primary_key: Vec::new(),
    };
    LookupJoinSpec {
        kind,
        lookup: LookupSpec { table, keys: vec![0], projection: vec![0, 1], model: false, function: None },
        keys: vec![LookupKey::Column(1)],
        projection: Vec::new(),
        left_condition: None,
        condition: None,
        requests: LookupRequests { ordered: true, capacity: 2, timeout: 1_000, retry: None, rows: None },
    }
}

fn harness(names: &Names, spec: LookupJoinSpec) -> Harness {
    let mut registry = Registry::default();
    registry.register(Arc::new(names.clone()));
    let outside = Outside { registry: Arc::new(registry), ..Outside::nothing() };
    let node = node(OperatorSpec::LookupJoin(spec), &[LEFT], &format!("{LEFT} {TABLE}"));
    Harness::within(node, &[], outside)
}

#[test]
fn each_row_is_joined_with_the_rows_of_its_key() {
    let names = Names::new(false);
    let mut join = harness(&names, spec(JoinKind::Left));
    expect![[r#"
        +I 1 1 1 one
        +I 2 9 NULL NULL
        +I 3 2 2 two
        +I 3 2 2 deux
        +I 4 NULL NULL NULL
    "#]]
    .assert_eq(&join.push("+I 1 1\n+I 2 9\n+I 3 2\n+I 4 NULL\n"));
    // NULL is not looked up.
    assert_eq!(names.asked(), [[1, 9, 2]]);
    let mut join = harness(&names, spec(JoinKind::Inner));
    expect![[r#"
        +I 3 2 2 two
        +I 3 2 2 deux
    "#]]
    .assert_eq(&join.push("+I 2 9\n+I 3 2\n+I 4 NULL\n"));
}

#[test]
fn conditions_and_projections_apply_before_a_row_counts_as_unmatched() {
    let names = Names::new(false);
    let is = |at: usize, name: &str, value: Literal| {
        let ty = column(at, name).ty().clone();
        Expr::call("<>", vec![column(at, name), Expr::literal(value, ty)], TypeKind::Boolean.nullable())
    };
    let upper = Expr::call("UPPER", vec![column(1, "STRING")], TypeKind::STRING.nullable());
    let left = LookupJoinSpec {
        // Over number, key, then the found key and name.
        condition: Some(is(3, "STRING", Literal::String("two".to_owned()))),
        left_condition: Some(is(0, "INT", Literal::Integer(5))),
        projection: vec![column(0, "INT"), upper],
        ..spec(JoinKind::Left)
    };
    let mut join = harness(&names, left);
    expect![[r#"
        +I 1 1 1 ONE
        +I 3 2 2 DEUX
        +I 5 3 NULL NULL
    "#]]
    .assert_eq(&join.push("+I 1 1\n+I 3 2\n+I 5 3\n"));
    assert_eq!(names.asked(), [[1, 2]]);
}

#[test]
fn updates_keep_their_kinds_if_each_row_has_one_partner() {
    let mut join = harness(&Names::new(false), spec(JoinKind::Left));
    assert_eq!(join.push("+I 1 1\n"), "+I 1 1 1 one\n");
    expect![[r#"
        -U 1 1 1 one
        +U 1 3 3 three
    "#]]
    .assert_eq(&join.push("-U 1 1\n+U 1 3\n"));
    expect![[r#"
        -D 1 3 3 three
        +I 1 2 2 two
        +I 1 2 2 deux
    "#]]
    .assert_eq(&join.push("-U 1 3\n+U 1 2\n"));
}

#[test]
fn asynchronous_answers_are_emitted_in_order_and_before_the_watermark_behind_them() {
    let names = Names::new(true);
    let mut join = harness(&names, spec(JoinKind::Inner));
    assert_eq!(join.push("+I 1 1\n"), "");
    assert_eq!(join.watermark(5), "");
    assert_eq!(join.push("+I 2 2\n"), "");
    // There is no room for a third request.
    assert_eq!(join.push("+I 3 3\n"), "");
    assert_eq!(names.0.lock().asked.clone(), [[1], [2]]);
    names.answer(1);
    assert_eq!(join.woken(), "");
    names.answer(0);
    expect![[r#"
        +I 1 1 1 one
        watermark 5
        +I 2 2 2 two
        +I 2 2 2 deux
    "#]]
    .assert_eq(&join.woken());
    names.answer(2);
    expect![[r#"
        +I 3 3 3 three
    "#]]
    .assert_eq(&join.woken());
}

#[test]
fn in_unordered_mode_only_watermarks_hold_answers_back() {
    let names = Names::new(true);
    let requests = LookupRequests { ordered: false, ..spec(JoinKind::Inner).requests };
    let mut join = harness(&names, LookupJoinSpec { requests, ..spec(JoinKind::Inner) });
    assert_eq!(join.push("+I 1 1\n") + &join.push("+I 2 2\n"), "");
    names.answer(1);
    expect![[r#"
        +I 2 2 2 two
        +I 2 2 2 deux
    "#]]
    .assert_eq(&join.woken());
}

#[test]
fn a_request_is_for_as_many_rows_as_it_may() {
    let names = Names::new(true);
    let requests = LookupRequests { rows: Some(1), capacity: 2, ..spec(JoinKind::Inner).requests };
    let mut join = harness(&names, LookupJoinSpec { requests, ..spec(JoinKind::Inner) });
    assert_eq!(join.push("+I 1 1\n+I 2 2\n+I 3 3\n"), "");
    assert_eq!(names.asked(), [[1], [2]], "one row each, and no more than two at once");
    names.answer(0);
    assert_eq!(join.woken(), "+I 1 1 1 one\n");
    assert_eq!(names.asked(), [[3]]);
}

#[test]
fn rows_in_flight_are_in_the_snapshot_and_asked_for_again() {
    let names = Names::new(true);
    let mut join = harness(&names, spec(JoinKind::Left));
    let push = |join: &mut Harness, rows: &str| assert_eq!(join.push(rows), "");
    push(&mut join, "+I 1 1\n");
    push(&mut join, "+I 2 2\n-U 2 2\n+U 2 3\n");
    push(&mut join, "+I 3 3\n");
    names.answer(1);
    assert_eq!(join.woken(), "");
    join.checkpoint(false);
    assert_eq!(names.asked().len(), 2);
    names.0.lock().free.clear();
    join.restore(1);
    assert_eq!(names.0.lock().asked, [vec![1], vec![2, 2, 3]]);
    (0..3).for_each(|number| names.answer(number));
    expect![[r#"
        +I 1 1 1 one
        +I 2 2 2 two
        +I 2 2 2 deux
        -D 2 2 2 two
        -D 2 2 2 deux
        +I 2 3 3 three
        +I 3 3 3 three
    "#]]
    .assert_eq(&join.woken());
    // What was emitted is not asked for again.
    join.checkpoint(false);
    names.asked();
    join.restore(1);
    assert_eq!(names.asked(), [[0; 0]; 0]);
}

#[test]
fn keys_without_rows_are_asked_for_again() {
    for ordered in [true, false] {
        let names = Names::new(false);
        let retry = Some(LookupRetry { delay: 10, attempts: 2 });
        let requests = LookupRequests { ordered, capacity: 10, timeout: 0, retry, rows: None };
        let mut join = harness(&names, LookupJoinSpec { requests, ..spec(JoinKind::Left) });
        let mut out = join.push("+I 1 1\n+I 2 7\n+I 3 8\n");
        // In unordered mode, what was found does not wait.
        assert_eq!(out, if ordered { "" } else { "+I 1 1 1 one\n" });
        names.set("+I 7 seven\n");
        out += &join.advance(10);
        out += &join.advance(9);
        assert_eq!(names.asked(), [vec![1, 7, 8], vec![7, 8]]);
        out += &join.advance(1);
        let expected = "+I 1 1 1 one\n+I 2 7 7 seven\n+I 3 8 NULL NULL\n";
        assert_eq!(out, expected, "ordered: {ordered}");
    }
}

#[test]
fn a_lookup_that_times_out_fails_the_job() {
    let names = Names::new(true);
    let mut join = harness(&names, spec(JoinKind::Left));
    join.push("+I 1 1\n");
    assert_eq!(join.advance(999), "");
    let error = join.try_advance(1).unwrap_err().to_string();
    assert!(error.contains("table names has not answered within 1000 ms"), "{error}");
}
