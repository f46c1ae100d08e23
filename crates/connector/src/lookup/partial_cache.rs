//! A partial cache: remembers the results of lookups.
//!
//! A cached key is not looked up again, and a key is looked up once per batch however often it occurs. Beyond
//! the limit, the least recently used entries are evicted.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{interleave_record_batch, take_record_batch};
use flott_operator::{Counter, MetricGroup};
use flott_types::{Clock, Error, FastMap, Result, Timestamp};
use parking_lot::Mutex;

use super::index::{KeyBytes, wrong};
use super::{AsyncLookup, Found, Lookup, LookupContext, LookupFuture, LookupTable, SyncLookup};

/// How much is remembered, and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CacheLimits {
    /// This many rows, a key without any counting as one.
    pub max_rows: u64,
    /// This long after it was used last, in milliseconds.
    pub expire_after_access: Option<i64>,
    /// This long after it was asked for, in milliseconds.
    pub expire_after_write: Option<i64>,
    /// Whether it is remembered that a key has no rows.
    pub missing_keys: bool,
}

/// A table whose answers are remembered.
pub struct PartialCache<T> {
    table: T,
    limits: CacheLimits,
}

impl<T: LookupTable> PartialCache<T> {
    /// Remembers answers of a table.
    pub fn new(table: T, limits: CacheLimits) -> Self {
        PartialCache { table, limits }
    }
}

impl<T: LookupTable> LookupTable for PartialCache<T> {
    fn is_async(&self) -> bool {
        self.table.is_async()
    }

    fn lookup(&self, context: LookupContext) -> Result<Lookup> {
        let cache = Cache::new(self.limits, context.clock.clone(), &context.metrics);
        Ok(match self.table.lookup(context)? {
            Lookup::Sync(inner) => Lookup::Sync(Box::new(Remembering { inner, cache })),
            Lookup::Async(inner) => {
                Lookup::Async(Box::new(Remembering { inner, cache: Arc::new(Mutex::new(cache)) }))
            }
        })
    }
}

struct Remembering<L: ?Sized, C> {
    cache: C,
    inner: Box<L>,
}

impl SyncLookup for Remembering<dyn SyncLookup, Cache> {
    fn lookup(&mut self, keys: &RecordBatch) -> Result<Found> {
        let (question, missed) = self.cache.ask(keys)?;
        let found = match &missed {
            Some(keys) => Some(self.inner.lookup(keys)?),
            None => None,
        };
        self.cache.answer(question, found)
    }
}

impl AsyncLookup for Remembering<dyn AsyncLookup, Arc<Mutex<Cache>>> {
    fn lookup(&mut self, keys: RecordBatch) -> LookupFuture {
        let asked = self.cache.lock().ask(&keys);
        let (question, missed) = match asked {
            Ok(asked) => asked,
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
        let Some(missed) = missed else {
            let found = self.cache.lock().answer(question, None);
            return Box::pin(std::future::ready(found));
        };
        let (answer, cache) = (self.inner.lookup(missed), self.cache.clone());
        Box::pin(async move {
            let found = answer.await?;
            cache.lock().answer(question, Some(found))
        })
    }
}

/// The bytes of a key.
type Key = Arc<[u8]>;

struct Cache {
    limits: CacheLimits,
    clock: Arc<dyn Clock>,
    bytes: Option<KeyBytes>,
    entries: FastMap<Key, Entry>,
    /// Which key was used when: the first is the longest unused.
    used: BTreeMap<u64, Key>,
    turn: u64,
    rows: u64,
    /// No rows, with their columns: known from the first answer on.
    empty: Option<RecordBatch>,
    hits: Counter,
    misses: Counter,
}

struct Entry {
    /// `None` of a key without rows.
    rows: Option<Arc<RecordBatch>>,
    written: Timestamp,
    accessed: Timestamp,
    turn: u64,
}

/// What was asked, as far as it is answered from memory.
struct Question {
    /// For each key what is remembered, or which of the keys that were missed it is.
    parts: Vec<Part>,
    missed: Vec<Key>,
}

enum Part {
    Known(Option<Arc<RecordBatch>>),
    Missed(usize),
}

impl Cache {
    fn new(limits: CacheLimits, clock: Arc<dyn Clock>, metrics: &MetricGroup) -> Self {
        Cache {
            limits,
            clock,
            bytes: None,
            entries: FastMap::default(),
            used: BTreeMap::new(),
            turn: 0,
            rows: 0,
            empty: None,
            hits: metrics.counter("hitCount"),
            misses: metrics.counter("missCount"),
        }
    }

    /// What is remembered of these keys, and those that are not.
    fn ask(&mut self, keys: &RecordBatch) -> Result<(Question, Option<RecordBatch>)> {
        if self.bytes.is_none() {
            self.bytes = Some(KeyBytes::new(keys.columns())?);
        }
        let Some(bytes) = &self.bytes else {
            return Ok((Question { parts: Vec::new(), missed: Vec::new() }, None));
        };
        let encoded = bytes.of(keys.columns())?;
        let now = self.clock.now();
        let mut parts = Vec::with_capacity(keys.num_rows());
        let (mut missed, mut rows): (Vec<Key>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut places: FastMap<Key, usize> = FastMap::default();
        for (row, key) in (0..).zip(encoded.iter()) {
            let key: &[u8] = key.as_ref();
            if let Some(known) = self.known(key, now) {
                self.hits.add(1);
                parts.push(Part::Known(known));
                continue;
            }
            if let Some(place) = places.get(key) {
                parts.push(Part::Missed(*place));
                continue;
            }
            self.misses.add(1);
            let key: Key = key.into();
            parts.push(Part::Missed(missed.len()));
            places.insert(key.clone(), missed.len());
            missed.push(key);
            rows.push(row);
        }
        let misses = match rows.is_empty() {
            true => None,
            false => {
                let rows = take_record_batch(keys, &UInt32Array::from(rows));
                Some(rows.map_err(|error| wrong("keys of a lookup", error))?)
            }
        };
        Ok((Question { parts, missed }, misses))
    }

    /// What is remembered of a key, if anything is.
    fn known(&mut self, key: &[u8], now: Timestamp) -> Option<Option<Arc<RecordBatch>>> {
        let entry = self.entries.get_mut(key)?;
        let is_over = |since: Timestamp, limit: Option<i64>| {
            limit.is_some_and(|limit| now >= since.saturating_add(limit))
        };
        if is_over(entry.written, self.limits.expire_after_write)
            || is_over(entry.accessed, self.limits.expire_after_access)
        {
            let turn = entry.turn;
            self.forget(turn);
            return None;
        }
        self.turn += 1;
        let key = self.used.remove(&entry.turn)?;
        self.used.insert(self.turn, key);
        (entry.turn, entry.accessed) = (self.turn, now);
        Some(entry.rows.clone())
    }

    fn forget(&mut self, turn: u64) {
        if let Some(entry) = self.used.remove(&turn).and_then(|key| self.entries.remove(&key)) {
            self.rows -= entry.size();
        }
    }

    /// Puts what was remembered and what was found together, and remembers it.
    fn answer(&mut self, question: Question, found: Option<Found>) -> Result<Found> {
        let mut answers: Vec<Option<Arc<RecordBatch>>> = vec![None; question.missed.len()];
        if let Some(found) = &found {
            self.empty = Some(found.rows().slice(0, 0));
            let mut rest = found.keys();
            let mut at = 0;
            while let Some(number) = rest.first() {
                let count = rest.partition_point(|other| other == number);
                if let Some(answer) = answers.get_mut(*number as usize) {
                    *answer = Some(Arc::new(found.rows().slice(at, count)));
                }
                at += count;
                rest = rest.get(count..).unwrap_or_default();
            }
        }
        let now = self.clock.now();
        for (key, rows) in question.missed.into_iter().zip(&answers) {
            if rows.is_some() || self.limits.missing_keys {
                self.remember(key, rows.clone(), now);
            }
        }
        put_together(&question.parts, &answers, self.empty.as_ref())
    }

    fn remember(&mut self, key: Key, rows: Option<Arc<RecordBatch>>, now: Timestamp) {
        // Two who asked at the same time are answered the same.
        if let Some(turn) = self.entries.get(&key).map(|entry| entry.turn) {
            self.forget(turn);
        }
        self.turn += 1;
        let entry = Entry { rows, written: now, accessed: now, turn: self.turn };
        self.rows += entry.size();
        self.used.insert(self.turn, key.clone());
        self.entries.insert(key, entry);
        while self.rows > self.limits.max_rows {
            let Some(turn) = self.used.keys().next().copied() else { break };
            self.forget(turn);
        }
    }
}

impl Entry {
    fn size(&self) -> u64 {
        self.rows.as_ref().map_or(1, |rows| rows.num_rows() as u64)
    }
}

/// The rows of all keys, in the order of the keys. `empty` are none, with their columns.
fn put_together(
    parts: &[Part],
    answers: &[Option<Arc<RecordBatch>>],
    empty: Option<&RecordBatch>,
) -> Result<Found> {
    let mut batches: Vec<&RecordBatch> = Vec::new();
    let (mut places, mut numbers) = (Vec::new(), Vec::new());
    for (number, part) in (0..).zip(parts) {
        let rows = match part {
            Part::Known(rows) => rows.as_ref(),
            Part::Missed(place) => answers.get(*place).and_then(Option::as_ref),
        };
        let Some(rows) = rows else { continue };
        places.extend((0..rows.num_rows()).map(|row| (batches.len(), row)));
        numbers.extend(std::iter::repeat_n(number, rows.num_rows()));
        batches.push(rows);
    }
    if batches.is_empty() {
        let empty = empty.ok_or_else(|| Error::internal("a lookup was asked for no keys"))?;
        return Found::new(empty.clone(), Vec::new());
    }
    let rows = interleave_record_batch(&batches, &places);
    Found::new(rows.map_err(|error| wrong("rows of a lookup", error))?, numbers)
}
