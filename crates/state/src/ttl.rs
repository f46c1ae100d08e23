//! State that expires when it is not used.
//!
//! Stamps lie beside the values of a table, so that they are in its snapshots. They are coarse, a sixteenth of the time to
//! live, so that a key that is used all the time is not written by every checkpoint on that account; rounded up, so that
//! nothing expires early. What has expired is not seen from that moment on ([`Ttl::is_expired`]), and is found and let go by a
//! hand that goes round the table.
//!
//! The hand is driven by the clock and not by the input: it goes round once in a quarter of the time to live. So whatever the
//! input does, a table holds what was touched within the last one and a half times to live, and no more: also when every
//! row is a new key, and when no row comes at all. A look costs a comparison in an array that is read in order; with
//! ever new keys there are about six for each of them. One call does a bounded piece of work, and says when it wants the next.
//!
//! A list in the order of last use would need no looking, but eight bytes more for each slot, two more places in memory for
//! each touch, and sorting after a restore.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{FieldRef, TimestampMillisecondType};
use flott_types::{Error, Result, Timestamp};

use crate::layout::with_default;
use crate::{KeyedMap, KeyedTable, PrimitiveColumn, SlotColumns};

/// How much later than its time to live an entry may expire, as a fraction of that time.
const GRAINS: i64 = 16;
/// How often the hand goes round within the time to live.
const ROUNDS: i64 = 4;
/// The longest pause of the hand, in milliseconds, so that its steps are small.
const LONGEST_PAUSE: i64 = 1_000;
/// So many slots are looked at in one call at most, and so many for each row of a batch besides.
const LOOKS: usize = 64 << 10;
const LOOKS_PER_ROW: usize = 8;
/// So many slots are found expired in one call at most, and so many for each row of a batch besides.
const FINDS: usize = 8 << 10;
const FINDS_PER_ROW: usize = 2;
/// The column's name in snapshots, unless the table has a column of that name.
const LAST_ACCESS: &str = "last_access";

/// The stamp of a slot that is not in use.
const UNUSED: Timestamp = Timestamp::MIN;
/// The stamp of a slot that was restored without one. The first sweep counts as its last use.
const UNKNOWN: Timestamp = Timestamp::MAX;

/// The hand that goes round slots that may have expired. It says how many to look at, and which. See the module's header.
#[derive(Debug)]
pub struct ExpiryHand {
    /// How long it takes round all slots.
    round: i64,
    /// How long it rests at most.
    pause: i64,
    at: usize,
    /// How many slots it is behind.
    owed: usize,
    swept: Option<Timestamp>,
}

impl ExpiryHand {
    /// For slots that live `ttl` milliseconds after their last use.
    pub fn new(ttl: i64) -> Self {
        let pause = (ttl / GRAINS).clamp(1, LONGEST_PAUSE);
        ExpiryHand { round: (ttl / ROUNDS).max(1), pause, at: 0, owed: 0, swept: None }
    }

    /// It is `now`, and there are slots up to `end`: how many to look at. `rows` have come since this was asked last.
    pub fn looks(&mut self, now: Timestamp, end: usize, rows: usize) -> usize {
        let elapsed = now.saturating_sub(self.swept.replace(now).unwrap_or(now)).max(0);
        let more = (end as u128 * elapsed as u128).div_ceil(self.round as u128);
        self.owed = self.owed.saturating_add(usize::try_from(more).unwrap_or(end)).min(end);
        self.owed.min(LOOKS + rows * LOOKS_PER_ROW)
    }

    /// How many that have expired are enough for one call; what is left is looked at in the next.
    pub fn enough(rows: usize) -> usize {
        FINDS + rows * FINDS_PER_ROW
    }

    /// The next slot to look at.
    #[inline]
    pub fn next(&mut self, end: usize) -> usize {
        let at = if self.at < end { self.at } else { 0 };
        self.at = at + 1;
        self.owed = self.owed.saturating_sub(1);
        at
    }

    /// When to ask for more looks; `None` before they were asked for first.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let swept = self.swept?;
        Some(if self.owed > 0 { swept } else { swept.saturating_add(self.pause) })
    }
}

/// When each slot was last used, and which have not been used for longer than the time to live. See the module's header.
#[derive(Debug)]
pub struct Ttl {
    ttl: i64,
    grain: i64,
    stamps: PrimitiveColumn<TimestampMillisecondType>,
    /// How many slots have a stamp.
    used: usize,
    /// Some slots may be of [`UNKNOWN`] age.
    any_unknown: bool,
    hand: ExpiryHand,
}

impl Ttl {
    /// For entries that live `ttl` milliseconds after their last use, in a table that has these columns besides.
    pub fn new(ttl: i64, others: &[FieldRef]) -> Self {
        let ttl = ttl.max(1);
        let taken = |name: &String| others.iter().any(|field| field.name() == name);
        let names = (2..).map(|number| format!("{LAST_ACCESS}#{number}"));
        let name = std::iter::once(LAST_ACCESS.to_owned()).chain(names).find(|name| !taken(name));
        Ttl {
            ttl,
            grain: (ttl / GRAINS).max(1),
            stamps: PrimitiveColumn::new(&name.unwrap_or_default(), UNUSED),
            used: 0,
            any_unknown: false,
            hand: ExpiryHand::new(ttl),
        }
    }

    /// Notes that a slot is used. Returns whether its stamp changed: then mark the slot.
    #[inline]
    pub fn touch(&mut self, slot: u32, now: Timestamp) -> bool {
        let stamp = (now.div_euclid(self.grain) + 1).saturating_mul(self.grain) - 1;
        let old = &mut self.stamps.values_mut()[slot as usize];
        let newer = *old < stamp || *old == UNKNOWN;
        if newer {
            self.used += usize::from(*old == UNUSED);
            *old = stamp;
        }
        newer
    }

    /// Whether a slot has not been used for longer than the time to live. One that is not in use has not expired.
    #[inline]
    pub fn is_expired(&self, slot: u32, now: Timestamp) -> bool {
        self.is_over(self.stamps.values()[slot as usize], now)
    }

    #[inline]
    fn is_over(&self, stamp: Timestamp, now: Timestamp) -> bool {
        stamp != UNUSED && stamp.saturating_add(self.ttl) <= now
    }

    /// Moves the hand as far as the clock asks for and adds the slots that have expired to `expired`; those that are not removed
    /// are found again. Call it after a restore, with each batch and the number of its rows, and at [`Ttl::wake_at`].
    pub fn sweep(&mut self, now: Timestamp, rows: usize, expired: &mut Vec<u32>) {
        if std::mem::take(&mut self.any_unknown) {
            for slot in 0..self.stamps.values().len() {
                if self.stamps.values()[slot] == UNKNOWN {
                    self.touch(slot as u32, now);
                }
            }
        }
        let end = self.stamps.values().len();
        let most = expired.len() + ExpiryHand::enough(rows);
        for _ in 0..self.hand.looks(now, end, rows) {
            if expired.len() == most {
                break;
            }
            let slot = self.hand.next(end);
            if self.is_over(self.stamps.values()[slot], now) {
                expired.push(slot as u32);
            }
        }
    }

    /// When to call [`Ttl::sweep`] again at the latest; `None` if nothing can expire.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.hand.wake_at().filter(|_| self.used > 0)
    }
}

impl SlotColumns for Ttl {
    /// State of a job that had no time to live begins to live when it is restored.
    fn fields(&self) -> Vec<FieldRef> {
        self.stamps.fields().iter().map(with_default).collect()
    }

    fn reset(&mut self, slot: u32) {
        let old = self.stamps.values().get(slot as usize).is_some_and(|stamp| *stamp != UNUSED);
        self.used -= usize::from(old);
        self.stamps.reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.stamps.read(slots)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let stamps = columns.first().and_then(|column| column.as_primitive_opt::<TimestampMillisecondType>());
        let stamps = stamps.ok_or_else(|| Error::internal("a column of times was expected"))?;
        for (row, slot) in slots.iter().enumerate() {
            let stamp = if stamps.is_valid(row) { stamps.value(row) } else { UNKNOWN };
            let old = &mut self.stamps.values_mut()[*slot as usize];
            self.used -= usize::from(*old != UNUSED);
            self.used += usize::from(stamp != UNUSED);
            self.any_unknown |= stamp == UNKNOWN;
            *old = stamp;
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.stamps.memory()
    }
}

/// The values of a table whose entries expire, or do not.
#[derive(Debug)]
pub struct Expiring<V> {
    /// The values.
    pub values: V,
    /// When each entry was last used; `None` if they live for ever.
    pub ttl: Option<Ttl>,
}

impl<V: SlotColumns> Expiring<V> {
    /// For entries that live `millis` after their last use, or for ever if that is not above 0. `keys` are the table's columns
    /// beside those of the values.
    pub fn new(values: V, millis: i64, keys: &[FieldRef]) -> Self {
        let ttl = (millis > 0).then(|| Ttl::new(millis, &[keys, &values.fields()].concat()));
        Expiring { values, ttl }
    }

    /// See [`Ttl::touch`].
    #[inline]
    pub fn touch(&mut self, slot: u32, now: Timestamp) -> bool {
        self.ttl.as_mut().is_some_and(|ttl| ttl.touch(slot, now))
    }

    /// See [`Ttl::is_expired`].
    #[inline]
    pub fn is_expired(&self, slot: u32, now: Timestamp) -> bool {
        self.ttl.as_ref().is_some_and(|ttl| ttl.is_expired(slot, now))
    }

    /// Some of what has expired and is still there. See [`Ttl::sweep`].
    pub fn sweep(&mut self, now: Timestamp, rows: usize) -> Vec<u32> {
        let mut expired = Vec::new();
        self.ttl.iter_mut().for_each(|ttl| ttl.sweep(now, rows, &mut expired));
        expired
    }

    /// See [`Ttl::wake_at`].
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.ttl.as_ref().and_then(Ttl::wake_at)
    }
}

impl<V: SlotColumns> SlotColumns for Expiring<V> {
    fn fields(&self) -> Vec<FieldRef> {
        let mut fields = self.values.fields();
        fields.extend(self.ttl.iter().flat_map(SlotColumns::fields));
        fields
    }

    fn reset(&mut self, slot: u32) {
        self.values.reset(slot);
        self.ttl.iter_mut().for_each(|ttl| ttl.reset(slot));
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut columns = self.values.read(slots)?;
        if let Some(ttl) = &self.ttl {
            columns.append(&mut ttl.read(slots)?);
        }
        Ok(columns)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let own = columns.len().saturating_sub(usize::from(self.ttl.is_some()));
        let (values, stamps) = columns.split_at(own);
        self.values.write(slots, values)?;
        self.ttl.iter_mut().try_for_each(|ttl| ttl.write(slots, stamps))
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.values.bytes_of(slot)
    }

    fn memory(&self) -> usize {
        self.values.memory() + self.ttl.as_ref().map_or(0, SlotColumns::memory)
    }
}

impl<V: SlotColumns> KeyedTable<Expiring<V>> {
    /// Removes some of what has expired; `rows` as for [`Ttl::sweep`]. Returns when to call this again at the latest.
    pub fn expire(&mut self, now: Timestamp, rows: usize) -> Option<Timestamp> {
        let expired = self.values_mut().sweep(now, rows);
        expired.into_iter().for_each(|slot| self.remove(slot));
        self.values().wake_at()
    }
}

impl<V: SlotColumns> KeyedMap<Expiring<V>> {
    /// As for a table; `leaves` is told each entry before it is removed. Keys without entries are forgotten too.
    pub fn expire(&mut self, now: Timestamp, rows: usize, mut leaves: impl FnMut(u32)) -> Option<Timestamp> {
        let expired = self.values_mut().sweep(now, rows);
        if !expired.is_empty() {
            for entry in expired {
                leaves(entry);
                self.remove(entry);
            }
            self.forget_keys();
        }
        self.values().wake_at()
    }
}
