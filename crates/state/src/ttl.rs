//! State that expires when it is not used.
//!
//! Each row of a state has a stamp, which its snapshots contain too. The stamps of SQL are coarse, a
//! sixteenth of the time to live, so that a key in constant use is not written by every checkpoint just for
//! its stamp; they are rounded up, so that nothing expires early. An expired row is invisible from that
//! moment on ([`Ttl::is_expired`]); an [`ExpiryHand`] that sweeps over the rows finds and removes it.
//!
//! A list in order of last use would need no sweep, but eight bytes more for each row, two more memory
//! accesses for each touch, and sorting after a restore.
//!
//! A function reads its state by shared reference, and yet reading may extend a row's life; so stamps are
//! cells, and reads are remembered until [`Ttl::take_touched`].

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit, TimestampMillisecondType};
use flott_types::{Error, Result, Timestamp};

use crate::rows::Stored;
use crate::{ExpiryHand, with_default};

/// A row of SQL's state may expire later than its time to live by this fraction of it.
const GRAINS: i64 = 16;
/// The column's name in snapshots, unless the state has a column of that name.
const LAST_ACCESS: &str = "last_access";

/// The stamp of a row that is not in use.
const UNUSED: Timestamp = Timestamp::MIN;
/// The stamp of a row that was restored without one before the time was known. The first sweep counts as its
/// last use.
const UNKNOWN: Timestamp = Timestamp::MAX;

/// How rows expire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TtlPolicy {
    /// How long a row lives after its last use, in milliseconds.
    pub millis: i64,
    /// The granularity of stamps, in milliseconds.
    pub grain: i64,
    /// Whether reading a row counts as use, and not only writing.
    pub on_read: bool,
    /// Whether an expired row is invisible even if it is still there.
    pub hides_expired: bool,
    /// Whether expired rows are looked for in the background.
    pub background: bool,
    /// Whether full snapshots leave out expired rows.
    pub full_snapshots: bool,
}

impl TtlPolicy {
    /// SQL's policy: rows live this long after their last use, and a little more.
    pub fn coarse(millis: i64) -> Self {
        let millis = millis.max(1);
        TtlPolicy { grain: (millis / GRAINS).max(1), ..Self::exact(millis) }
    }

    /// Rows live this long after they were last written.
    pub fn exact(millis: i64) -> Self {
        TtlPolicy {
            millis: millis.max(1),
            grain: 1,
            on_read: false,
            hides_expired: true,
            background: true,
            full_snapshots: false,
        }
    }

    /// Whether a row with this stamp has expired.
    #[inline]
    pub fn is_over(&self, stamp: Timestamp, now: Timestamp) -> bool {
        stamp.saturating_add(self.millis) <= now
    }
}

/// When each row was last used, and which have not been used for longer than the time to live. See the
/// module's header.
#[derive(Debug)]
pub struct Ttl {
    policy: TtlPolicy,
    field: FieldRef,
    /// By row.
    stamps: Vec<Cell<Timestamp>>,
    /// How many rows have a stamp.
    used: usize,
    /// Some rows may have an [`UNKNOWN`] stamp.
    any_unknown: bool,
    /// Rows whose life was extended by reads, perhaps with duplicates.
    touched: RefCell<Vec<u32>>,
    /// Rows that reads found expired, perhaps with duplicates.
    found: RefCell<Vec<u32>>,
    /// The last time that was passed in.
    now: Cell<Option<Timestamp>>,
    hand: ExpiryHand,
}

impl Ttl {
    /// For rows of a state whose other columns are these. `now` is when a snapshot is restored, if that is
    /// already known.
    pub fn new(policy: TtlPolicy, now: Option<Timestamp>, others: &[FieldRef]) -> Self {
        let mut hand = ExpiryHand::new(policy.millis);
        if let Some(now) = now {
            hand.begin(now);
        }
        Ttl {
            policy,
            field: stamp_field(others),
            stamps: Vec::new(),
            used: 0,
            any_unknown: false,
            touched: RefCell::default(),
            found: RefCell::default(),
            now: Cell::new(now),
            hand,
        }
    }

    /// For a state of SQL whose rows live this many milliseconds after their last use, or forever if that is
    /// not above 0.
    pub fn coarse(millis: i64, others: &[FieldRef]) -> Option<Self> {
        (millis > 0).then(|| Ttl::new(TtlPolicy::coarse(millis), None, others))
    }

    /// Notes that a row is used. Returns whether its stamp changed, in which case the row must be written.
    #[inline]
    pub fn touch(&mut self, row: u32, now: Timestamp) -> bool {
        let grain = self.policy.grain;
        let stamp = if grain == 1 { now } else { (now.div_euclid(grain) + 1).saturating_mul(grain) - 1 };
        let old = self.stamp(row);
        let newer = *old < stamp || *old == UNKNOWN;
        if newer {
            let new = *old == UNUSED;
            *old = stamp;
            self.used += usize::from(new);
        }
        newer
    }

    #[inline]
    fn stamp(&mut self, row: u32) -> &mut Timestamp {
        if row as usize >= self.stamps.len() {
            self.grow(row);
        }
        self.stamps[row as usize].get_mut()
    }

    #[cold]
    fn grow(&mut self, row: u32) {
        self.stamps.resize((row as usize + 1).max(self.stamps.len() * 2), Cell::new(UNUSED));
    }

    /// Notes that the row is gone.
    pub fn unset(&mut self, row: u32) {
        if let Some(stamp) = self.stamps.get_mut(row as usize) {
            self.used -= usize::from(stamp.replace(UNUSED) != UNUSED);
        }
    }

    /// Whether a row has not been used for longer than the time to live. An unused number has not expired.
    #[inline]
    pub fn is_expired(&self, row: u32, now: Timestamp) -> bool {
        self.stamps.get(row as usize).is_some_and(|stamp| self.is_over(stamp.get(), now))
    }

    #[inline]
    fn is_over(&self, stamp: Timestamp, now: Timestamp) -> bool {
        stamp != UNUSED && self.policy.is_over(stamp, now)
    }

    /// Notes that a row is read; returns whether it is visible.
    pub fn read(&self, row: u32, now: Timestamp) -> bool {
        self.now.set(Some(now));
        if self.is_expired(row, now) {
            remember(&self.found, row, self.stamps.len());
            return !self.policy.hides_expired;
        }
        if self.policy.on_read
            && let Some(stamp) = self.stamps.get(row as usize)
            && stamp.get() < now
        {
            stamp.set(now);
            remember(&self.touched, row, self.stamps.len());
        }
        true
    }

    /// Rows that were read since the last call, perhaps with duplicates: their stamps must be written.
    pub fn take_touched(&mut self) -> Vec<u32> {
        std::mem::take(self.touched.get_mut())
    }

    /// Whether a full snapshot leaves out a row.
    pub fn is_left_out(&self, row: u32) -> bool {
        self.policy.full_snapshots && self.now.get().is_some_and(|now| self.is_expired(row, now))
    }

    /// Moves the hand as far as the clock asks for and adds expired rows to `expired`, including those that
    /// reads found, perhaps with duplicates; those that are not removed will be found again. Call it after a
    /// restore, with each batch and the number of its rows, and at [`Ttl::wake_at`].
    pub fn sweep(&mut self, now: Timestamp, rows: usize, expired: &mut Vec<u32>) {
        self.now.set(Some(now));
        if std::mem::take(&mut self.any_unknown) {
            for row in 0..self.stamps.len() {
                if self.stamps[row].get() == UNKNOWN {
                    self.touch(row as u32, now);
                }
            }
        }
        let found = std::mem::take(self.found.get_mut());
        expired.extend(found.into_iter().filter(|row| self.is_expired(*row, now)));
        if self.used == 0 {
            self.hand.begin(now);
        }
        if self.used == 0 || !self.policy.background {
            return;
        }
        let (policy, stamps) = (&self.policy, &self.stamps);
        self.hand.go(now, stamps.len(), rows, |row| {
            let stamp = stamps[row].get();
            let over = stamp != UNUSED && policy.is_over(stamp, now);
            if over {
                expired.push(row as u32);
            }
            over
        });
    }

    /// The latest time to call [`Ttl::sweep`] again; `None` if nothing can expire.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.hand.wake_at().filter(|_| self.policy.background && self.used > 0)
    }

    /// Rows that are restored without a stamp live from now on.
    pub(crate) fn begin(&self, now: Timestamp) {
        self.now.set(Some(now));
    }

    /// How long a row lives after its last use, in milliseconds.
    pub(crate) fn millis(&self) -> i64 {
        self.policy.millis
    }

    /// Whether expired rows are looked for.
    pub(crate) fn is_swept(&self) -> bool {
        self.policy.background
    }

    /// When a row expires.
    pub(crate) fn expiry(&self, row: u32) -> Timestamp {
        let stamp = self.stamps.get(row as usize).map_or(UNUSED, Cell::get);
        if stamp == UNUSED { UNUSED } else { stamp.saturating_add(self.policy.millis) }
    }

    /// The column of the stamps.
    pub fn field(&self) -> FieldRef {
        self.field.clone()
    }

    /// The stamps of rows.
    pub fn column(&self, rows: &[u32]) -> ArrayRef {
        let stamp = |row: &u32| self.stamps.get(*row as usize).map(Cell::get);
        let stamps: TimestampMillisecondArray = rows.iter().map(stamp).collect();
        Arc::new(stamps)
    }

    /// Sets the stamps of rows that come out of a snapshot.
    pub(crate) fn restore(&mut self, rows: &[u32], stored: Stored) -> Result<()> {
        let stamps = stored.column.as_primitive_opt::<TimestampMillisecondType>();
        let stamps = stamps.ok_or_else(|| Error::state(format!("'{}' are no times", self.field.name())))?;
        let unknown = self.now.get().unwrap_or(UNKNOWN);
        for (at, row) in rows.iter().enumerate() {
            let stamp = if stamps.is_valid(at) { stamps.value(at) } else { unknown };
            self.any_unknown |= stamp == UNKNOWN;
            let old = std::mem::replace(self.stamp(*row), stamp);
            self.used -= usize::from(old != UNUSED);
            self.used += usize::from(stamp != UNUSED);
        }
        Ok(())
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.stamps.capacity() * 8 + (self.touched.borrow().capacity() + self.found.borrow().capacity()) * 4
    }
}

/// The column of stamps of a state whose other columns are these. State of a job that had no time to live
/// lacks it; its rows start to age when they are restored.
pub fn stamp_field(others: &[FieldRef]) -> FieldRef {
    let taken = |name: &String| others.iter().any(|field| field.name() == name);
    let names = (2..).map(|number| format!("{LAST_ACCESS}#{number}"));
    let name = std::iter::once(LAST_ACCESS.to_owned()).chain(names).find(|name| !taken(name));
    let data_type = DataType::Timestamp(TimeUnit::Millisecond, None);
    with_default(&Arc::new(Field::new(name.unwrap_or_default(), data_type, true)))
}

/// Whether a column of this name holds stamps.
pub(crate) fn is_stamp(name: &str) -> bool {
    name.strip_prefix(LAST_ACCESS).is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
}

/// Remembers a row. Duplicates are possible, but bounded.
pub fn remember(list: &RefCell<Vec<u32>>, row: u32, rows: usize) {
    let mut list = list.borrow_mut();
    if list.last() == Some(&row) {
        return;
    }
    if list.len() >= 2 * rows + 1_024 {
        list.sort_unstable();
        list.dedup();
    }
    list.push(row);
}
