//! The environment of expressions. Nothing here reads a clock: time is passed in.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use chrono_tz::Tz;
use flott_batch::bytes::{BATCH_BYTES, Room};
use flott_types::Timestamp;
use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{RngCore, SeedableRng};

use crate::registry::Functions;
use crate::user::ArtifactLimits;

/// What is known while a statement is planned.
#[derive(Clone, PartialEq, Debug)]
pub struct PlanContext {
    /// `table.local-time-zone`.
    pub time_zone: Tz,
    /// When the statement started, in milliseconds since the epoch.
    pub query_time: Timestamp,
    /// The current catalog.
    pub catalog: String,
    /// The current database.
    pub database: String,
    /// In a stream each row has a current time; a batch query has one for the whole statement.
    pub streaming: bool,
    /// A SELECT over a stream may have OVERs of different windows.
    pub several_overs: bool,
    /// Whether MATCH_RECOGNIZE takes patterns that Flink refuses.
    pub extended_patterns: bool,
    /// The functions that may be called.
    pub functions: Functions,
    /// What functions of files may use.
    pub limits: ArtifactLimits,
}

impl Default for PlanContext {
    fn default() -> Self {
        PlanContext {
            time_zone: Tz::UTC,
            query_time: 0,
            catalog: "default_catalog".to_owned(),
            database: "default_database".to_owned(),
            streaming: true,
            several_overs: false,
            extended_patterns: false,
            functions: Functions::default(),
            limits: ArtifactLimits::default(),
        }
    }
}

/// What is known while rows are computed. One per operator instance; the operator advances `now` and the
/// watermark once per batch.
#[derive(Debug)]
pub struct EvalContext {
    functions: Functions,
    time_zone: Tz,
    query_time: Timestamp,
    database: String,
    streaming: bool,
    now: AtomicI64,
    watermark: AtomicI64,
    random: Mutex<SmallRng>,
    batch_bytes: usize,
    /// The number of rows in the current batch.
    rows: AtomicUsize,
}

impl EvalContext {
    /// Takes over what planning knew, with a seed for RAND and UUID.
    pub fn new(plan: &PlanContext, seed: u64) -> Self {
        EvalContext {
            functions: plan.functions.clone(),
            time_zone: plan.time_zone,
            query_time: plan.query_time,
            database: plan.database.clone(),
            streaming: plan.streaming,
            now: AtomicI64::new(plan.query_time),
            watermark: AtomicI64::new(i64::MIN),
            random: Mutex::new(SmallRng::seed_from_u64(seed)),
            batch_bytes: BATCH_BYTES,
            rows: AtomicUsize::new(1),
        }
    }

    /// Limits columns to about this many bytes instead of [`BATCH_BYTES`], if they have more than one row.
    #[must_use]
    pub fn with_batch_bytes(self, batch_bytes: usize) -> Self {
        EvalContext { batch_bytes, ..self }
    }

    /// Sets how many rows the current batch has.
    pub(crate) fn set_rows(&self, rows: usize) {
        self.rows.store(rows, Ordering::Relaxed);
    }

    /// How large a column computed for the current batch may become, even if it holds elements or only some
    /// of the rows.
    pub fn room(&self) -> Room {
        Room::of(self.rows.load(Ordering::Relaxed), self.batch_bytes)
    }

    /// The functions that may be called.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// The session's time zone.
    pub fn time_zone(&self) -> Tz {
        self.time_zone
    }

    /// The current database, for CURRENT_DATABASE().
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The current time of CURRENT_TIMESTAMP, NOW(), LOCALTIME, ...: the time of the batch of rows in a
    /// stream, the time of the statement in a batch query. Milliseconds since the epoch.
    pub fn now(&self) -> Timestamp {
        if self.streaming { self.row_now() } else { self.query_time }
    }

    /// The current time of CURRENT_ROW_TIMESTAMP(): the time of the batch of rows, even in a batch query.
    pub fn row_now(&self) -> Timestamp {
        self.now.load(Ordering::Relaxed)
    }

    /// Sets the current time, in milliseconds since the epoch; to be called before each batch of rows.
    pub fn set_now(&self, now: Timestamp) {
        self.now.store(now, Ordering::Relaxed);
    }

    /// The operator's current watermark, for CURRENT_WATERMARK(); `None` before the first.
    pub fn watermark(&self) -> Option<Timestamp> {
        Some(self.watermark.load(Ordering::Relaxed)).filter(|watermark| *watermark != i64::MIN)
    }

    /// Sets the operator's watermark.
    pub fn set_watermark(&self, watermark: Timestamp) {
        self.watermark.store(watermark, Ordering::Relaxed);
    }

    /// Fills a buffer with random bits, for RAND and UUID without a seed.
    pub fn fill_random(&self, buffer: &mut [u64]) {
        let mut random = self.random.lock();
        buffer.fill_with(|| random.next_u64());
    }
}
