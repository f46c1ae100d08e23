//! Lookups: the suite finds what is wrong with them, and what stands between a lookup and a table holds the rules.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll as TaskPoll, Waker};

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use flott_batch::{Batch, ChangeBatch};
use flott_connector::conformance::{LookupUnderTest, check_lookup};
use flott_connector::lookup::{
    AsyncLookup, CacheLimits, Found, FullCache, Lookup, LookupContext, LookupFuture, LookupTable,
    PartialCache, SyncLookup,
};
use flott_connector::{
    Boundedness, EnumeratorContext, FixedSplits, Payload, Poll, ReaderContext, Source, SourceOutput,
    SourceReader, Split, SplitEnumerator,
};
use flott_operator::MetricGroup;
use flott_types::clock::ManualClock;
use flott_types::{CheckpointId, Error, Result, SubtaskIndex};
use parking_lot::Mutex;

/// Key and value; a NULL key is never found.
const ROWS: [(Option<i64>, &str); 6] =
    [(Some(2), "b"), (Some(1), "a"), (None, "never"), (Some(2), "c"), (Some(4), "e"), (Some(2), "d")];

fn schema() -> SchemaRef {
    let field = |name: &str, ty| Field::new(name, ty, true);
    Arc::new(Schema::new(vec![field("k", DataType::Int64), field("v", DataType::Utf8)]))
}

fn rows(rows: &[(Option<i64>, &str)]) -> RecordBatch {
    let keys: Int64Array = rows.iter().map(|(key, _)| *key).collect();
    let values: StringArray = rows.iter().map(|(_, value)| Some(*value)).collect();
    RecordBatch::try_new(schema(), vec![Arc::new(keys), Arc::new(values)]).unwrap()
}

fn keys(keys: &[i64]) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("k", DataType::Int64, false)]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from(keys.to_vec()))]).unwrap()
}

fn texts(rows: &RecordBatch) -> Vec<String> {
    let values = rows.column(0).as_string::<i32>();
    (0..rows.num_rows()).map(|row| values.value(row).to_owned()).collect()
}

/// What is wrong with an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wrong {
    Nothing,
    /// Only the first row of a key is found.
    OneRow,
    /// A key that stands there twice is answered once.
    OncePerKey,
    /// Rows of the key before are found for one that is missing.
    NearestKey,
    /// An answer without rows has no columns.
    NoColumns,
    /// The second question is answered as the first.
    Stuck,
    /// Answers of those who asked at once are exchanged.
    Mixed,
}

/// A table in memory that answers at once or later, and counts the keys that it is asked for.
#[derive(Clone)]
struct Table {
    wrong: Wrong,
    later: bool,
    asked: Arc<AtomicUsize>,
}

impl Table {
    fn new(wrong: Wrong, later: bool) -> Self {
        Table { wrong, later, asked: Arc::default() }
    }

    fn find(&self, keys: &RecordBatch) -> Result<Found> {
        self.asked.fetch_add(keys.num_rows(), Ordering::Relaxed);
        let keys = keys.column(0).as_primitive::<Int64Type>();
        let (mut found, mut numbers): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        for (number, key) in (0..).zip(keys.values()) {
            if self.wrong == Wrong::OncePerKey && keys.values()[..number as usize].contains(key) {
                continue;
            }
            let key = if self.wrong == Wrong::NearestKey && *key == 3 { 2 } else { *key };
            let mut of_key: Vec<u32> = (0..6).filter(|row| ROWS[*row as usize].0 == Some(key)).collect();
            of_key.truncate(if self.wrong == Wrong::OneRow { 1 } else { usize::MAX });
            numbers.extend(of_key.iter().map(|_| number));
            found.extend(of_key);
        }
        let values = rows(&ROWS).project(&[1]).unwrap();
        let rows = take_record_batch(&values, &UInt32Array::from(found)).unwrap();
        if self.wrong == Wrong::NoColumns && rows.num_rows() == 0 {
            return Found::new(RecordBatch::new_empty(Arc::new(Schema::empty())), Vec::new());
        }
        Found::new(rows, numbers)
    }
}

impl LookupTable for Table {
    fn is_async(&self) -> bool {
        self.later
    }

    fn lookup(&self, _: LookupContext) -> Result<Lookup> {
        let asking = Asking { table: self.clone(), last: None };
        Ok(if self.later { Lookup::Async(Box::new(asking)) } else { Lookup::Sync(Box::new(asking)) })
    }
}

struct Asking {
    table: Table,
    last: Option<Found>,
}

impl SyncLookup for Asking {
    fn lookup(&mut self, keys: &RecordBatch) -> Result<Found> {
        if let Some(last) = self.last.clone().filter(|_| self.table.wrong == Wrong::Stuck) {
            return Ok(last);
        }
        let found = self.table.find(keys)?;
        self.last = Some(found.clone());
        Ok(found)
    }
}

impl AsyncLookup for Asking {
    fn lookup(&mut self, keys: RecordBatch) -> LookupFuture {
        let found = SyncLookup::lookup(self, &keys);
        match self.table.wrong {
            // As if it were answered in the order in which it is waited for.
            Wrong::Mixed => {
                let (table, keys) = (self.table.clone(), keys.slice(0, keys.num_rows().min(1)));
                Box::pin(SecondTime(false, Some(Box::new(move || table.find(&keys)))))
            }
            _ => Box::pin(SecondTime(false, Some(Box::new(move || found)))),
        }
    }
}

type Answer = Box<dyn FnOnce() -> Result<Found> + Send>;

/// Is there when it is asked for the second time.
struct SecondTime(bool, Option<Answer>);

impl Future for SecondTime {
    type Output = Result<Found>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> TaskPoll<Result<Found>> {
        if !std::mem::replace(&mut self.0, true) {
            context.waker().wake_by_ref();
            return TaskPoll::Pending;
        }
        self.1.take().map_or(TaskPoll::Pending, |answer| TaskPoll::Ready(answer()))
    }
}

struct UnderTest<T>(T);

impl<T: LookupTable + Clone + 'static> LookupUnderTest for UnderTest<T> {
    fn table(&self) -> Result<Arc<dyn LookupTable>> {
        Ok(Arc::new(self.0.clone()))
    }

    fn keys(&self) -> RecordBatch {
        keys(&[1, 2, 3, 4])
    }

    fn expected(&self) -> Vec<Vec<String>> {
        [&["a"][..], &["b", "c", "d"], &[], &["e"]]
            .map(|rows| rows.iter().map(|row| (*row).to_owned()).collect())
            .to_vec()
    }

    fn texts(&self, rows: &RecordBatch) -> Result<Vec<String>> {
        Ok(texts(rows))
    }
}

#[test]
fn lookups_that_break_a_rule_are_told_which() {
    for later in [false, true] {
        check_lookup(&UnderTest(Table::new(Wrong::Nothing, later))).unwrap();
        for (wrong, when) in [
            (Wrong::OneRow, "all keys"),
            (Wrong::OncePerKey, "each key twice"),
            (Wrong::NearestKey, "all keys"),
            (Wrong::NoColumns, "only keys that there are not"),
            (Wrong::Stuck, "backwards"),
        ] {
            let error = check_lookup(&UnderTest(Table::new(wrong, later))).unwrap_err().to_string();
            assert!(error.contains(when), "{wrong:?}: {error}");
        }
    }
    let error = check_lookup(&UnderTest(Table::new(Wrong::Mixed, true))).unwrap_err().to_string();
    assert!(error.contains("key 1, asked for as number 1"), "{error}");
}

#[test]
fn answers_must_fit_their_keys() {
    let values = rows(&ROWS).project(&[1]).unwrap();
    assert!(Found::new(values.clone(), vec![0; 5]).is_err());
    assert!(Found::new(values, vec![0, 2, 1, 3, 4, 5]).is_err());
}

const LIMITS: CacheLimits =
    CacheLimits { max_rows: 100, expire_after_access: None, expire_after_write: None, missing_keys: true };

#[derive(Clone)]
struct Remembered(Table, CacheLimits);

impl LookupTable for Remembered {
    fn is_async(&self) -> bool {
        self.0.is_async()
    }

    fn lookup(&self, context: LookupContext) -> Result<Lookup> {
        PartialCache::new(self.0.clone(), self.1).lookup(context)
    }
}

#[test]
fn what_is_remembered_holds_the_rules() {
    for later in [false, true] {
        for limits in
            [LIMITS, CacheLimits { max_rows: 2, ..LIMITS }, CacheLimits { missing_keys: false, ..LIMITS }]
        {
            check_lookup(&UnderTest(Remembered(Table::new(Wrong::Nothing, later), limits))).unwrap();
        }
    }
}

/// A lookup with its clock.
struct Session {
    lookup: Lookup,
    clock: Arc<ManualClock>,
}

impl Session {
    fn new(table: &dyn LookupTable) -> Self {
        let clock = Arc::new(ManualClock::new(0));
        let context = LookupContext {
            subtask: SubtaskIndex(0),
            parallelism: 1,
            clock: clock.clone(),
            metrics: MetricGroup::default(),
        };
        Session { lookup: table.lookup(context).unwrap(), clock }
    }

    fn ask(&mut self, numbers: &[i64]) -> Result<Vec<String>> {
        let found = match &mut self.lookup {
            Lookup::Sync(lookup) => lookup.lookup(&keys(numbers)),
            Lookup::Async(lookup) => wait(lookup.lookup(keys(numbers))),
        };
        Ok(texts(found?.rows()))
    }
}

/// Polls until there is an answer; whoever answers wakes.
fn wait(mut answer: LookupFuture) -> Result<Found> {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker: Waker = Arc::new(Unpark(std::thread::current())).into();
    loop {
        match answer.as_mut().poll(&mut Context::from_waker(&waker)) {
            TaskPoll::Ready(found) => return found,
            TaskPoll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn what_is_remembered_is_not_asked_for_again() {
    for later in [false, true] {
        let table = Table::new(Wrong::Nothing, later);
        let mut session = Session::new(&PartialCache::new(table.clone(), LIMITS));
        let asked = || table.asked.swap(0, Ordering::Relaxed);
        assert_eq!(session.ask(&[1, 2, 1, 3, 3]).unwrap(), ["a", "b", "c", "d", "a"]);
        assert_eq!(asked(), 3, "each key once");
        assert_eq!(session.ask(&[3, 2, 4]).unwrap(), ["b", "c", "d", "e"]);
        assert_eq!(asked(), 1, "only what is new");
        assert_eq!(session.ask(&[3]).unwrap(), [""; 0]);
        assert_eq!(asked(), 0, "also that there is nothing");
    }
}

#[test]
fn what_was_not_used_for_long_is_forgotten() {
    let table = Table::new(Wrong::Nothing, false);
    let asked = || table.asked.swap(0, Ordering::Relaxed);
    let cache = |limits| Session::new(&PartialCache::new(table.clone(), limits));

    // Four rows have room: those of 2 (three of them), and of one more key.
    let mut session = cache(CacheLimits { max_rows: 4, ..LIMITS });
    session.ask(&[1]).unwrap();
    session.ask(&[2]).unwrap();
    session.ask(&[1]).unwrap();
    assert_eq!(asked(), 2);
    session.ask(&[4]).unwrap();
    session.ask(&[1, 4]).unwrap();
    assert_eq!(asked(), 1, "the longest unused has gone");
    session.ask(&[2]).unwrap();
    assert_eq!(asked(), 1);

    let mut session = cache(CacheLimits { expire_after_access: Some(10), ..LIMITS });
    session.ask(&[1]).unwrap();
    for _ in 0..3 {
        session.clock.advance(9);
        session.ask(&[1]).unwrap();
    }
    assert_eq!(asked(), 1);
    session.clock.advance(10);
    session.ask(&[1]).unwrap();
    assert_eq!(asked(), 1);

    let mut session = cache(CacheLimits { expire_after_write: Some(10), ..LIMITS });
    for _ in 0..3 {
        session.ask(&[1]).unwrap();
        session.clock.advance(5);
    }
    assert_eq!(asked(), 2, "however often it was used");

    let mut session = cache(CacheLimits { missing_keys: false, ..LIMITS });
    session.ask(&[3]).unwrap();
    session.ask(&[3]).unwrap();
    assert_eq!(asked(), 2);
}

/// A source of columns that a test changes.
#[derive(Clone, Default)]
struct Rows(Arc<Mutex<Content>>);

#[derive(Clone, Default)]
struct Content {
    rows: Vec<(Option<i64>, &'static str)>,
    failure: Option<&'static str>,
    endless: bool,
    reads: usize,
}

impl Source for Rows {
    fn boundedness(&self) -> Boundedness {
        if self.0.lock().endless { Boundedness::Unbounded } else { Boundedness::Bounded }
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        _: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        self.0.lock().reads += 1;
        let split = |part: usize| Split { id: part.to_string(), payload: Payload::new(1, part.to_string()) };
        Ok(Box::new(FixedSplits::new(restored, || Ok((0..2).map(split).collect()))?))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(RowsReader {
            content: self.0.lock().clone(),
            splits: Vec::new(),
            context,
            waited: false,
        }))
    }
}

/// Each of two splits has every second row. Before the first it has nothing, and wakes.
struct RowsReader {
    content: Content,
    splits: Vec<usize>,
    context: ReaderContext,
    waited: bool,
}

impl SourceReader for RowsReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        self.splits.extend(splits.iter().map(|split| split.id.parse::<usize>().unwrap()));
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        if !std::mem::replace(&mut self.waited, true) {
            self.context.waker.wake();
            return Ok(Poll::Wait(i64::MAX));
        }
        if let Some(failure) = self.content.failure {
            return Err(Error::external(failure));
        }
        let Some(split) = self.splits.pop() else { return Ok(Poll::SplitsDone) };
        let mine: Vec<_> = self.content.rows.iter().copied().skip(split).step_by(2).collect();
        output.emit("", Batch::Changes(ChangeBatch::insert_only(rows(&mine))))?;
        Ok(Poll::More)
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        Ok(Vec::new())
    }
}

fn content(rows: &[(Option<i64>, &'static str)]) -> Rows {
    Rows(Arc::new(Mutex::new(Content { rows: rows.to_vec(), ..Content::default() })))
}

fn full(source: &Rows, reload: Option<i64>) -> Result<FullCache> {
    FullCache::new(Arc::new(source.clone()), schema(), vec![0], vec![1], reload)
}

#[test]
fn a_table_in_memory_holds_the_rules() {
    check_lookup(&UnderTest(full(&content(&ROWS), None).unwrap())).unwrap();
    // And with another cache before it.
    #[derive(Clone)]
    struct Both(FullCache);
    impl LookupTable for Both {
        fn is_async(&self) -> bool {
            false
        }

        fn lookup(&self, context: LookupContext) -> Result<Lookup> {
            PartialCache::new(self.0.clone(), LIMITS).lookup(context)
        }
    }
    check_lookup(&UnderTest(Both(full(&content(&ROWS), None).unwrap()))).unwrap();
    // A table without rows has none of any key.
    let mut session = Session::new(&full(&content(&[]), None).unwrap());
    assert_eq!(session.ask(&[1, 2]).unwrap(), [""; 0]);
}

#[test]
fn a_table_in_memory_is_read_anew_when_it_is_old() {
    let source = content(&[(Some(1), "old")]);
    let mut session = Session::new(&full(&source, Some(100)).unwrap());
    assert_eq!(session.ask(&[1]).unwrap(), ["old"]);
    source.0.lock().rows = vec![(Some(1), "new")];
    session.clock.advance(99);
    assert_eq!(session.ask(&[1]).unwrap(), ["old"]);
    assert_eq!(source.0.lock().reads, 1);
    session.clock.advance(1);
    // What was read before is answered until the table is read.
    while session.ask(&[1]).unwrap() == ["old"] {
        std::thread::yield_now();
    }
    assert_eq!(session.ask(&[1]).unwrap(), ["new"]);
    assert_eq!(source.0.lock().reads, 2);
    let mut once = Session::new(&full(&source, None).unwrap());
    once.ask(&[1]).unwrap();
    once.clock.advance(1_000_000);
    once.ask(&[1]).unwrap();
    assert_eq!(source.0.lock().reads, 3);
}

#[test]
fn a_table_that_cannot_be_read_is_told_to_all_who_ask() {
    let source = content(&ROWS);
    source.0.lock().failure = Some("the disk is away");
    let mut session = Session::new(&full(&source, None).unwrap());
    for _ in 0..2 {
        let error = session.ask(&[1]).unwrap_err();
        assert!(error.to_string().contains("the disk is away") && error.is_retryable(), "{error}");
    }
    source.0.lock().endless = true;
    assert!(full(&source, None).err().unwrap().to_string().contains("an unbounded table"));
}
