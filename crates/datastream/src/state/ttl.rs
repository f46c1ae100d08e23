//! State that expires.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit, TimestampMillisecondType};
use flott_state::ExpiryHand;
use flott_types::Timestamp;

/// When an entry's time to live begins anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TtlUpdateType {
    /// Never: the state does not expire.
    Disabled,
    /// When it is written.
    OnCreateAndWrite,
    /// When it is written or read.
    OnReadAndWrite,
}

/// Whether an entry can be seen that has expired and is still there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TtlVisibility {
    /// It cannot.
    NeverReturnExpired,
    /// It can, until it is cleaned up.
    ReturnExpiredIfNotCleanedUp,
}

/// How long the entries of a state live, by the clock (processing time).
///
/// Entries of lists and maps expire one by one. What has expired is looked for by the clock, whether records come or not, and dropped a little at
/// a time: a state holds what was used within one and a half times its time to live.
///
/// ```
/// # use std::time::Duration;
/// # use flott_datastream::{StateTtlConfig, TtlUpdateType, TtlVisibility};
/// let an_hour_after_the_last_use = StateTtlConfig::new(Duration::from_secs(3_600))
///     .update_type(TtlUpdateType::OnReadAndWrite)
///     .visibility(TtlVisibility::NeverReturnExpired)
///     .cleanup_full_snapshot();
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateTtlConfig {
    millis: i64,
    update: TtlUpdateType,
    visibility: TtlVisibility,
    background: bool,
    full_snapshot: bool,
}

impl StateTtlConfig {
    /// Entries live so long after they were last written, and are not seen after.
    pub fn new(ttl: Duration) -> Self {
        StateTtlConfig {
            millis: i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX).max(1),
            update: TtlUpdateType::OnCreateAndWrite,
            visibility: TtlVisibility::NeverReturnExpired,
            background: true,
            full_snapshot: false,
        }
    }

    /// When the time to live begins anew.
    #[must_use]
    pub fn update_type(mut self, update: TtlUpdateType) -> Self {
        self.update = update;
        self
    }

    /// Whether what has expired can be seen while it is there.
    #[must_use]
    pub fn visibility(mut self, visibility: TtlVisibility) -> Self {
        self.visibility = visibility;
        self
    }

    /// Savepoints and full checkpoints leave out what has expired. (What is cleaned up in between is left out in any case.)
    #[must_use]
    pub fn cleanup_full_snapshot(mut self) -> Self {
        self.full_snapshot = true;
        self
    }

    /// What has expired stays until it is written again, or found expired by a read.
    #[must_use]
    pub fn disable_cleanup_in_background(mut self) -> Self {
        self.background = false;
        self
    }

    /// Whether anything ever expires.
    pub(crate) fn is_enabled(&self) -> bool {
        self.update != TtlUpdateType::Disabled
    }

    pub(crate) fn expires_on_read(&self) -> bool {
        self.update == TtlUpdateType::OnReadAndWrite
    }

    pub(crate) fn hides_expired(&self) -> bool {
        self.visibility == TtlVisibility::NeverReturnExpired
    }

    pub(crate) fn cleans_in_background(&self) -> bool {
        self.background
    }

    pub(crate) fn cleans_full_snapshots(&self) -> bool {
        self.full_snapshot
    }

    /// Whether what was last used then has expired.
    #[inline]
    pub(crate) fn is_over(&self, stamp: Timestamp, now: Timestamp) -> bool {
        stamp.saturating_add(self.millis) <= now
    }
}

/// The column of a snapshot that says when an entry was last used.
const LAST_ACCESS: &str = "last_access";

/// The field and the values of [`LAST_ACCESS`].
pub(crate) fn stamp_column(stamps: impl Iterator<Item = Timestamp>) -> (FieldRef, ArrayRef) {
    let stamps: TimestampMillisecondArray = stamps.collect::<Vec<_>>().into();
    let field = Field::new(LAST_ACCESS, DataType::Timestamp(TimeUnit::Millisecond, None), true);
    (Arc::new(field), Arc::new(stamps))
}

/// When the rows of a snapshot were last used. A state that did not expire when it was written begins to live now.
pub(crate) fn stored_stamps(rows: &RecordBatch, now: Timestamp) -> Vec<Timestamp> {
    let stamps = rows.column_by_name(LAST_ACCESS);
    match stamps.and_then(|stamps| stamps.as_primitive_opt::<TimestampMillisecondType>()) {
        Some(stamps) => stamps.iter().map(|stamp| stamp.unwrap_or(now)).collect(),
        None => vec![now; rows.num_rows()],
    }
}

/// Whether the rows of a snapshot say when they were last used.
pub(crate) fn has_stamps(rows: &RecordBatch) -> bool {
    rows.column_by_name(LAST_ACCESS).is_some()
}

/// When each entry was last used, by the number of the entry.
///
/// Reading takes the state by shared reference, and yet may begin an entry's time anew; so stamps are cells, and what was read
/// is remembered until [`Stamps::take_touched`].
pub(crate) struct Stamps {
    pub config: StateTtlConfig,
    at: Vec<Cell<Timestamp>>,
    touched: RefCell<Vec<u32>>,
    /// Found expired by a read.
    found: RefCell<Vec<u32>>,
    latest: Cell<Timestamp>,
    hand: Hand,
}

impl Stamps {
    /// For entries of which those of a snapshot are restored now.
    pub fn new(config: StateTtlConfig, now: Timestamp) -> Self {
        Stamps {
            at: Vec::new(),
            touched: RefCell::default(),
            found: RefCell::default(),
            latest: Cell::new(now),
            hand: Hand::new(&config, now),
            config,
        }
    }

    /// The last time that this was told.
    pub fn now(&self) -> Timestamp {
        self.latest.get()
    }

    /// The entry is written.
    #[inline]
    pub fn set(&mut self, entry: u32, now: Timestamp) {
        let at = entry as usize;
        if at >= self.at.len() {
            self.at.resize((at + 1).next_power_of_two(), Cell::new(Timestamp::MIN));
        }
        self.at[at].set(now);
        self.hand.used();
    }

    pub fn get(&self, entry: u32) -> Timestamp {
        self.at[entry as usize].get()
    }

    #[inline]
    pub fn is_expired(&self, entry: u32, now: Timestamp) -> bool {
        self.config.is_over(self.get(entry), now)
    }

    /// The entry is read; says whether it can be seen.
    pub fn read(&self, entry: u32, now: Timestamp) -> bool {
        self.latest.set(now);
        if self.is_expired(entry, now) {
            remember(&self.found, entry, self.at.len());
            return !self.config.hides_expired();
        }
        let stamp = &self.at[entry as usize];
        if self.config.expires_on_read() && stamp.get() < now {
            stamp.set(now);
            remember(&self.touched, entry, self.at.len());
        }
        true
    }

    /// Entries that were read since this was asked last, perhaps several times: their stamps must be written.
    pub fn take_touched(&mut self) -> Vec<u32> {
        std::mem::take(self.touched.get_mut())
    }

    /// Looks at what reads have found, and at as many entries as the clock asks for; answers those that are live and have
    /// expired, perhaps several times. `rows` have come since this was asked last.
    pub fn sweep(&mut self, now: Timestamp, rows: usize, is_live: impl Fn(u32) -> bool) -> Vec<u32> {
        self.latest.set(now);
        let mut expired = std::mem::take(self.found.get_mut());
        expired.retain(|entry| is_live(*entry) && self.is_expired(*entry, now));
        let (config, at) = (&self.config, &self.at);
        self.hand.go(now, at.len(), rows, |entry| {
            let live = is_live(entry as u32);
            let over = live && config.is_over(at[entry].get(), now);
            if over {
                expired.push(entry as u32);
            }
            Look { live, over }
        });
        expired
    }

    /// When to sweep again at the latest.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.hand.wake_at()
    }
}

/// The hand that goes round the entries of a state and finds what has expired. It rests when there is nothing.
pub(crate) struct Hand {
    hand: ExpiryHand,
    enabled: bool,
    /// How many entries were looked at since one was live.
    empty: usize,
    /// Whether there may be an entry.
    used: bool,
}

/// What was found at an entry.
pub(crate) struct Look {
    pub live: bool,
    pub over: bool,
}

impl Hand {
    pub fn new(config: &StateTtlConfig, now: Timestamp) -> Self {
        let mut hand = ExpiryHand::new(config.millis);
        // Time runs from now on.
        hand.looks(now, 0, 0);
        Hand { hand, enabled: config.cleans_in_background(), empty: 0, used: false }
    }

    /// There is an entry.
    #[inline]
    pub fn used(&mut self) {
        (self.used, self.empty) = (true, 0);
    }

    /// Looks at as many of the entries up to `end` as the clock asks for.
    pub fn go(&mut self, now: Timestamp, end: usize, rows: usize, mut look: impl FnMut(usize) -> Look) {
        if !self.enabled || !self.used {
            return;
        }
        let mut found = 0;
        for _ in 0..self.hand.looks(now, end, rows) {
            if found == ExpiryHand::enough(rows) {
                break;
            }
            let Look { live, over } = look(self.hand.next(end));
            found += usize::from(over);
            self.empty = if live && !over { 0 } else { self.empty + 1 };
        }
        self.used = self.empty <= end;
    }

    /// When to go on at the latest.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.hand.wake_at().filter(|_| self.enabled && self.used)
    }
}

/// Entries may be remembered twice, but not without end.
pub(crate) fn remember(list: &RefCell<Vec<u32>>, entry: u32, entries: usize) {
    let mut list = list.borrow_mut();
    if list.last() == Some(&entry) {
        return;
    }
    if list.len() >= 2 * entries + 1_024 {
        list.sort_unstable();
        list.dedup();
    }
    list.push(entry);
}
