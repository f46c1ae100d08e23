//! A full cache: a table that is read to its end and queried in memory.
//!
//! The table is read on its own thread. Lookups before the first read finishes wait for it; during a reload,
//! lookups see the previous content. Each lookup checks whether a reload is due, so a table that nobody
//! queries is not read again.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use flott_batch::{Batch, arrow_type};
use flott_plan::{LookupSpec, Schema, SourceSpec};
use flott_types::{Clock, Error, Result, Timestamp};
use parking_lot::Mutex;

use super::index::Index;
use super::read::read_all;
use super::{AsyncLookup, Found, Lookup, LookupContext, LookupFuture, LookupTable};
use crate::{Boundedness, Source};

/// Answers from memory what a bounded source holds. See the file's header.
#[derive(Clone)]
pub struct FullCache {
    source: Arc<dyn Source>,
    schema: SchemaRef,
    keys: Vec<usize>,
    columns: Vec<usize>,
    reload: Option<i64>,
}

impl FullCache {
    /// The rows of a source whose batches are of this schema: found by the columns `keys`, answered with the columns `columns`. It is read again
    /// when it is older than `reload`, in milliseconds; without it, it is read once.
    ///
    /// # Errors
    /// If the source does not end.
    pub fn new(
        source: Arc<dyn Source>,
        schema: SchemaRef,
        keys: Vec<usize>,
        columns: Vec<usize>,
        reload: Option<i64>,
    ) -> Result<Self> {
        if source.boundedness() == Boundedness::Unbounded {
            return Err(Error::invalid(
                "an unbounded table cannot be looked up: all of it would be kept in memory",
            ));
        }
        Ok(FullCache { source, schema, keys, columns, reload })
    }

    /// As [`FullCache::new`], of a table of SQL: `source` makes the source that reads it.
    ///
    /// # Errors
    /// If the source cannot be made, or does not end.
    pub fn of_table(
        spec: &LookupSpec,
        reload: Option<i64>,
        source: impl FnOnce(&SourceSpec) -> Result<Arc<dyn Source>>,
    ) -> Result<Self> {
        let mut projection = spec.projection.clone();
        let place = |key: &usize| {
            projection.iter().position(|column| column == key).unwrap_or_else(|| {
                projection.push(*key);
                projection.len() - 1
            })
        };
        let keys = spec.keys.iter().map(place).collect();
        let read = SourceSpec {
            table: spec.table.clone(),
            projection,
            paths: Vec::new(),
            metadata: Schema::default(),
            limit: None,
            watermark: None,
            errors: false,
        };
        let schema = arrow_type::schema(read.produced().iter());
        let table =
            FullCache::new(source(&read)?, schema, keys, (0..spec.projection.len()).collect(), reload);
        table.map_err(|error| error.context(format_args!("table {}", spec.table.name)))
    }

    fn load(&self, clock: &Arc<dyn Clock>, wanted: &dyn Fn() -> bool) -> Result<Index> {
        let mut batches = Vec::new();
        for batch in read_all(&*self.source, clock, wanted)? {
            let Batch::Changes(batch) = batch else {
                return Err(Error::internal("a lookup table must have columns, but its source emits values"));
            };
            if (0..batch.physical_rows()).any(|row| !batch.kind(row).is_addition()) {
                return Err(Error::invalid("a table of changes cannot be looked up: it has deletions"));
            }
            batches.push(batch.compact()?.columns().clone());
        }
        Index::new(&self.schema, &batches, &self.keys, &self.columns)
    }
}

impl LookupTable for FullCache {
    fn is_async(&self) -> bool {
        false
    }

    fn lookup(&self, context: LookupContext) -> Result<Lookup> {
        let shared = Arc::new(Mutex::new(State::default()));
        let mut lookup = CachedTable { table: self.clone(), clock: context.clock, shared };
        lookup.start()?;
        Ok(Lookup::Async(Box::new(lookup)))
    }
}

struct CachedTable {
    table: FullCache,
    clock: Arc<dyn Clock>,
    shared: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// What was read last, and when.
    index: Option<(Arc<Index>, Timestamp)>,
    /// It could not be read.
    failure: Option<Error>,
    is_loading: bool,
    waiting: Vec<Waker>,
}

impl State {
    /// What there is to find in, or why there is nothing. `None` as long as nothing was read.
    fn answer(&mut self) -> Option<Result<Arc<Index>>> {
        if let Some(failure) = &self.failure {
            return Some(Err(Error::new(failure.kind(), failure.to_string())));
        }
        self.index.as_ref().map(|(index, _)| Ok(index.clone()))
    }
}

impl CachedTable {
    /// Begins to read the table.
    fn start(&mut self) -> Result<()> {
        self.shared.lock().is_loading = true;
        let (table, clock) = (self.table.clone(), self.clock.clone());
        let shared = Arc::downgrade(&self.shared);
        let started = std::thread::Builder::new().name("lookup table".to_owned()).spawn(move || {
            let done = Done(shared);
            let index = table.load(&clock, &|| done.0.strong_count() > 0);
            done.tell(index, clock.now());
        });
        match started {
            Ok(_) => Ok(()),
            Err(error) => {
                self.shared.lock().is_loading = false;
                Err(Error::external("cannot start the thread that reads a lookup table").with_source(error))
            }
        }
    }

    /// Reads the table anew if it is time.
    fn look(&mut self) -> Result<()> {
        let Some(reload) = self.table.reload else { return Ok(()) };
        let now = self.clock.now();
        let is_old = {
            let state = self.shared.lock();
            let is_old = |read: &(Arc<Index>, Timestamp)| now >= read.1.saturating_add(reload);
            !state.is_loading && state.index.as_ref().is_some_and(is_old)
        };
        if is_old { self.start() } else { Ok(()) }
    }
}

impl AsyncLookup for CachedTable {
    fn lookup(&mut self, keys: RecordBatch) -> LookupFuture {
        if let Err(error) = self.look() {
            return Box::pin(ready(Err(error)));
        }
        let answer = self.shared.lock().answer();
        match answer {
            Some(answer) => Box::pin(ready(answer.and_then(|index| index.find(&keys)))),
            None => Box::pin(Loaded { keys, shared: self.shared.clone() }),
        }
    }
}

/// The end of a thread that reads: tells also of a panic.
struct Done(Weak<Mutex<State>>);

impl Done {
    fn tell(&self, index: Result<Index>, now: Timestamp) {
        let Some(shared) = self.0.upgrade() else { return };
        let mut state = shared.lock();
        match index {
            Ok(index) => state.index = Some((Arc::new(index), now)),
            Err(error) => state.failure = Some(error),
        }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        let Some(shared) = self.0.upgrade() else { return };
        let mut state = shared.lock();
        state.is_loading = false;
        if std::thread::panicking() {
            state.failure = Some(Error::internal("reading a lookup table panicked"));
        }
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// An answer that waits for the table to be read.
struct Loaded {
    keys: RecordBatch,
    shared: Arc<Mutex<State>>,
}

impl Future for Loaded {
    type Output = Result<Found>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Found>> {
        let mut state = self.shared.lock();
        match state.answer() {
            Some(answer) => {
                drop(state);
                Poll::Ready(answer.and_then(|index| index.find(&self.keys)))
            }
            None if !state.is_loading => Poll::Ready(Err(Error::internal("a lookup table was not read"))),
            None => {
                if !state.waiting.iter().any(|waiting| waiting.will_wake(context.waker())) {
                    state.waiting.push(context.waker().clone());
                }
                Poll::Pending
            }
        }
    }
}
