//! Matches one batch of a join with the other side.

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::SchemaRef;
use flott_batch::bytes::RowBytes;
use flott_batch::{Batch, ChangeBatch, RowKind};
use flott_operator::Context;
use flott_plan::JoinKind;
use flott_state::SharedIndex;
use flott_types::{FastSet, Result, Timestamp};

use super::absorb::Absorbed;
use super::narrow::Narrow;
use super::output::{Joined, Others, Parts};
use super::side::Side;

/// How many candidates or output rows are gathered at a time.
pub(super) const CHUNK: usize = 4096;

/// Candidates: rows of the batch, each with a row of the other side, in the order of the batch.
#[derive(Default)]
struct Pairs {
    rows: Vec<u32>,
    entries: Vec<u32>,
    /// Rows whose candidates have all been added, now or before, with the number of pairs up to their last.
    complete: Vec<(u32, usize)>,
    /// The size of the joined pairs in bytes.
    bytes: usize,
}

/// One batch while it is matched with the other side.
pub(super) struct Work<'a> {
    pub schema: &'a SchemaRef,
    pub kind: JoinKind,
    /// Rows without a match are emitted only when they are evicted.
    pub holds_back: bool,
    pub input: usize,
    pub narrow: Option<&'a mut Narrow>,
    /// The slots of the join's key, by row of the batch.
    pub keys: &'a [u32],
    /// Nobody needs -U, and nothing but the key decides what matches: a row that takes the place of another has
    /// its matches.
    pub in_place: bool,
    pub batch: &'a ChangeBatch,
    pub absorbed: &'a Absorbed,
    /// How many matches each row of the batch has so far.
    pub matches: Vec<i64>,
    pub index: &'a SharedIndex,
    pub own: &'a mut Side,
    pub other: &'a mut Side,
    pub now: Timestamp,
    pub joined: Joined,
    /// Rows of the other side that have lost their last match in this batch.
    pub unmatched: FastSet<u32>,
    /// In the order in which they lost it; may contain duplicates, and others.
    pub unmatched_in_order: Vec<u32>,
    /// The sizes of the batch's rows.
    pub bytes: RowBytes,
    pub batch_bytes: usize,
}

impl Work<'_> {
    pub fn run(&mut self, context: &mut Context<'_>) -> Result<()> {
        let mut pairs = Pairs::default();
        for (row, key) in self.keys.iter().enumerate() {
            if self.absorbed.ignored[row] || self.has_no_effect(row) {
                continue;
            }
            let total = if self.knows(row) { 0 } else { self.other.len_of(*key) };
            let mut at = 0;
            loop {
                let end = total.min(at + CHUNK - pairs.rows.len().min(CHUNK));
                while at < end && pairs.bytes < self.batch_bytes {
                    if let Some(entry) = self.other.nth(*key, at, self.now) {
                        pairs.rows.push(row as u32);
                        pairs.entries.push(entry);
                        pairs.bytes += self.bytes.of(row) + self.other.bytes_of(self.index, entry);
                    }
                    at += 1;
                }
                if at == total {
                    pairs.complete.push((row as u32, pairs.rows.len()));
                    break;
                }
                self.join(std::mem::take(&mut pairs), context)?;
            }
            let full = pairs.rows.len() >= CHUNK || pairs.bytes >= self.batch_bytes;
            if full || pairs.complete.len() >= CHUNK {
                self.join(std::mem::take(&mut pairs), context)?;
            }
        }
        self.join(pairs, context)?;
        self.emit_unmatched(context)
    }

    /// Whether a row takes the place of another in all that it matches.
    #[inline]
    fn updates(&self, row: usize) -> bool {
        self.in_place && self.absorbed.replaces(row)
    }

    /// Whether a row is replaced by the next one, or replaces one of which only the number matters. Even such a row
    /// keeps those that it matches alive, if they expire.
    fn has_no_effect(&self, row: usize) -> bool {
        let only_counted = self.input == 1 && matches!(self.kind, JoinKind::Semi | JoinKind::Anti);
        self.updates(row + 1) || (only_counted && self.updates(row) && !self.other.expires())
    }

    /// How many matches a row has, if that is known before it is matched.
    fn known(&self, row: usize) -> Option<i64> {
        // A row that is taken away had the matches with which it was emitted.
        let taken = !self.batch.kind(row).is_addition();
        (taken || (self.counts_only() && self.still_matches(row))).then(|| self.before(row)).flatten()
    }

    /// How many matches the stored row had that a row takes the place of, or that it is equal to.
    fn before(&self, row: usize) -> Option<i64> {
        let known = self.absorbed.known[row];
        (known >= 0).then_some(known)
    }

    /// Whether a row matches all that the stored row did: it is not another version whose condition may hold for
    /// others, and no rows of the other side have expired since.
    fn still_matches(&self, row: usize) -> bool {
        let conditional = self.narrow.as_ref().is_some_and(|narrow| narrow.has_condition());
        let changed = self.absorbed.replaces(row) && conditional;
        !changed && !self.other.expires()
    }

    /// Whether only the number of matches of a row is needed, and it is known.
    fn knows(&self, row: usize) -> bool {
        self.counts_only() && self.known(row).is_some()
    }

    fn counts_only(&self) -> bool {
        self.input == 0 && matches!(self.kind, JoinKind::Semi | JoinKind::Anti)
    }

    fn join(&mut self, pairs: Pairs, context: &mut Context<'_>) -> Result<()> {
        let (decoded, holds) = self.wanted(&pairs, context)?;
        let mut pair = 0;
        for (row, end) in &pairs.complete {
            while pair < *end {
                self.pair(pair, &pairs, holds.as_ref(), decoded.as_deref(), context)?;
                pair += 1;
            }
            self.complete(*row);
            if self.joined.len() >= CHUNK {
                self.emit(&pairs, decoded.as_deref(), context)?;
            }
        }
        while pair < pairs.rows.len() {
            self.pair(pair, &pairs, holds.as_ref(), decoded.as_deref(), context)?;
            pair += 1;
        }
        self.emit(&pairs, decoded.as_deref(), context)
    }

    /// Which pairs are wanted, if not all are; and the rows of the other side, if they had to be read as a whole to find
    /// out.
    fn wanted(
        &mut self,
        pairs: &Pairs,
        context: &Context<'_>,
    ) -> Result<(Option<Vec<ArrayRef>>, Option<BooleanBuffer>)> {
        let Some(narrow) = &mut self.narrow else { return Ok((None, None)) };
        if pairs.rows.is_empty() {
            return Ok((None, None));
        }
        let (reads, keys) = (narrow.reads(1 - self.input), self.index.keys());
        let (decoded, theirs) = match self.other.reads_columns() {
            true => (None, self.other.columns_of(keys, &pairs.entries, reads)?),
            false => {
                let all = self.other.rows_of(keys, &pairs.entries)?;
                let read = reads.iter().map(|column| all[*column].clone()).collect();
                (Some(all), read)
            }
        };
        let own = (self.input, self.batch.columns().columns());
        Ok((decoded, Some(narrow.wanted(own, &pairs.rows, theirs, self.keys, context)?)))
    }

    /// Handles a candidate: joins it if the condition holds.
    fn pair(
        &mut self,
        pair: usize,
        pairs: &Pairs,
        holds: Option<&BooleanBuffer>,
        decoded: Option<&[ArrayRef]>,
        context: &mut Context<'_>,
    ) -> Result<()> {
        if holds.is_some_and(|holds| !holds.value(pair)) {
            return Ok(());
        }
        let (row, entry) = (pairs.rows[pair], pairs.entries[pair]);
        let times = self.other.count(entry);
        self.matches[row as usize] += times;
        if self.counts_only() {
            return Ok(());
        }
        let adds = self.batch.kind(row as usize).is_addition();
        let updates = self.updates(row as usize);
        let delta = if updates {
            0
        } else if adds {
            1
        } else {
            -1
        };
        let (before, after) = self.other.add_match(entry, delta, self.now);
        if self.holds_back {
            return Ok(());
        }
        let pads_nulls = match (self.kind, self.input) {
            (JoinKind::Inner | JoinKind::Semi, _) | (JoinKind::Left, 0) | (JoinKind::Right, 1) => false,
            (JoinKind::Left | JoinKind::Right | JoinKind::Full | JoinKind::Anti, _) => true,
        };
        let joins = !matches!(self.kind, JoinKind::Semi | JoinKind::Anti);
        let changes = pads_nulls || !joins;
        let last = changes && !adds && before > 0 && after == 0;
        let first = changes && adds && before == 0 && after > 0 && !self.unmatched.remove(&entry);
        // All copies of a row count.
        let bytes =
            if times > 1 { self.bytes.of(row as usize) + self.other.bytes_of(self.index, entry) } else { 0 };
        let fills = |copies: i64| copies as usize * bytes / self.batch_bytes;
        let mut put = |kind: RowKind, row: Option<u32>| -> Result<()> {
            for copy in 1..=times {
                self.joined.push(kind, row, Some(pair as u32));
                if self.joined.len() >= CHUNK || fills(copy) > fills(copy - 1) {
                    let others = Others {
                        side: self.other,
                        keys: self.index.keys(),
                        entries: &pairs.entries,
                        decoded,
                    };
                    let own = self.batch.columns().columns();
                    let joined =
                        self.joined.build(self.schema, parts(self.kind, self.input), own, &others)?;
                    context.output.emit(Batch::Changes(joined))?;
                }
            }
            Ok(())
        };
        if first {
            put(sign(!pads_nulls), None)?;
        }
        if joins {
            put(if updates { RowKind::UpdateAfter } else { sign(adds) }, Some(row))?;
        }
        if last && self.unmatched.insert(entry) {
            self.unmatched_in_order.push(entry);
        }
        Ok(())
    }

    /// Emits the rows of the other side that lost their last match and gained none within the batch.
    fn emit_unmatched(&mut self, context: &mut Context<'_>) -> Result<()> {
        let entries = std::mem::take(&mut self.unmatched_in_order);
        let kind = sign(self.kind != JoinKind::Semi);
        let mut pairs = Pairs::default();
        for entry in entries {
            if !self.unmatched.remove(&entry) {
                continue;
            }
            for _ in 0..self.other.count(entry) {
                self.joined.push(kind, None, Some(pairs.entries.len() as u32));
                pairs.entries.push(entry);
                pairs.bytes += self.other.bytes_of(self.index, entry);
                if pairs.entries.len() >= CHUNK || pairs.bytes >= self.batch_bytes {
                    self.emit(&pairs, None, context)?;
                    pairs.entries.clear();
                    pairs.bytes = 0;
                }
            }
        }
        self.emit(&pairs, None, context)
    }

    /// Called when all candidates of a row have been seen.
    fn complete(&mut self, row: u32) {
        let at = row as usize;
        let adds = self.batch.kind(at).is_addition();
        let number = self.known(at).unwrap_or(self.matches[at]);
        let shown = |number: i64| match (self.kind, self.input) {
            (JoinKind::Semi, 0) => number > 0,
            (kind, input) => number == 0 && shows_unmatched(kind, input),
        };
        let change = match (self.updates(at), shown(number)) {
            // Its matches have expired, or all but those have that hid it.
            (true, is) if self.counts_only() => match (self.before(at).is_some_and(shown), is) {
                (true, true) => Some((RowKind::UpdateAfter, row)),
                (true, false) => Some((RowKind::Delete, row - 1)),
                (false, true) => Some((RowKind::Insert, row)),
                (false, false) => None,
            },
            (true, true) => Some((RowKind::UpdateAfter, row)),
            (false, true) => Some((sign(adds), row)),
            (_, false) => None,
        };
        if let Some((kind, row)) = change
            && !self.holds_back
        {
            self.joined.push(kind, Some(row), None);
        }
        if adds && let Some(entry) = self.absorbed.entries.get(at) {
            self.own.set_matches(*entry, number);
        }
    }

    fn emit(&mut self, pairs: &Pairs, decoded: Option<&[ArrayRef]>, context: &mut Context<'_>) -> Result<()> {
        if self.joined.len() == 0 {
            return Ok(());
        }
        let others = Others { side: self.other, keys: self.index.keys(), entries: &pairs.entries, decoded };
        let own = self.batch.columns().columns();
        let joined = self.joined.build(self.schema, parts(self.kind, self.input), own, &others)?;
        context.output.emit(Batch::Changes(joined))
    }
}

/// The kind of join to apply while rows arrive: with a bound, rows without a match are emitted when they are
/// evicted.
pub(super) fn emitted(kind: JoinKind, bounded: bool) -> JoinKind {
    match kind {
        JoinKind::Left | JoinKind::Right | JoinKind::Full if bounded => JoinKind::Inner,
        other => other,
    }
}

pub(super) fn sign(adds: bool) -> RowKind {
    if adds { RowKind::Insert } else { RowKind::Delete }
}

/// Whether the output includes the rows of an input that have no match.
pub(super) fn shows_unmatched(kind: JoinKind, input: usize) -> bool {
    matches!(
        (kind, input),
        (JoinKind::Left | JoinKind::Full | JoinKind::Anti, 0) | (JoinKind::Right | JoinKind::Full, 1)
    )
}

pub(super) fn parts(kind: JoinKind, input: usize) -> Parts {
    match (kind, input) {
        (JoinKind::Semi | JoinKind::Anti, 0) => Parts::Own,
        (JoinKind::Semi | JoinKind::Anti, _) => Parts::Other,
        (_, 0) => Parts::OwnThenOther,
        _ => Parts::OtherThenOwn,
    }
}
