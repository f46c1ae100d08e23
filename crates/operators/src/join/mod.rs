//! Joins of two changelogs.
//!
//! Both sides are kept, over one index of the keys, which are the same: each distinct row once under its key, with how often it is there and, where the kind of the join
//! asks for it, how many rows of the other side match it. So a change costs the rows that it matches, and whether a row
//! of an outer, semi or anti join gains its first match or loses its last is one look at a number.
//!
//! | kind | matches are counted on |
//! |---|---|
//! | inner | neither side |
//! | left, semi, anti | the left |
//! | right | the right |
//! | full | both |
//!
//! Output is `+I` and `-D` in Flink's order: a padded row leaves before its first joined row comes, and comes after its
//! last joined row has left, unless another one has come in the same batch: an update of the only partner pads nothing. A retraction of what is not there is passed over. A row with NULL in a key that is compared with `=`
//! matches nothing, ever: it is not kept; an outer or anti join lets it through at once.
//!
//! Cost of a row: interning its key and the row (two hashes, two probes); the key's slot is that of the other side's rows, too. Of each candidate:
//! decoding the other side's row, a gather per column, and the condition, evaluated over some thousand pairs at once. No
//! more than [`CHUNK`] pairs are ever gathered, nor more bytes than fit into a batch; output leaves as it is made.

mod bound;
mod output;
mod side;

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{FieldRef, SchemaRef};
use flott_batch::bytes::RowBytes;
use flott_batch::{Batch, ChangeBatch, RowKind, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, Expr, JoinBound, JoinKind, Schema};
use flott_state::{ColumnIndex, OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Error, FastSet, Result, Timestamp, Watermark};

use self::bound::Bound;
use self::output::{Joined, Others, Parts};
use self::side::{Absorbed, Side, SideSpec};
use crate::BuildContext;
use crate::support::{Expression, columns_of, record_batch, take_columns};

/// So many candidates or output rows are gathered at once.
const CHUNK: usize = 4096;

/// The condition beside the keys, over left columns, then right columns.
struct Condition {
    expression: Expression,
    schema: SchemaRef,
}

/// The operator.
pub(crate) struct Join {
    schema: SchemaRef,
    kind: JoinKind,
    condition: Option<Condition>,
    index: ColumnIndex,
    left: Side,
    right: Side,
    bound: Option<Bound>,
    /// Keys that may have no rows on either side.
    abandoned: Vec<u32>,
    slots: Vec<u32>,
    batch_bytes: usize,
}

/// What a join is built from.
pub(crate) struct JoinParts<'a> {
    pub kind: JoinKind,
    pub left_keys: &'a [usize],
    pub right_keys: &'a [usize],
    pub null_safe: &'a [bool],
    pub condition: Option<&'a Expr>,
    pub ttl: i64,
    pub bound: Option<&'a JoinBound>,
}

/// Candidates: rows of the batch, each with a row of the other side, in the order of the batch.
#[derive(Default)]
struct Pairs {
    rows: Vec<u32>,
    entries: Vec<u32>,
    /// Rows whose candidates are all here or were before, with the number of pairs up to their last.
    complete: Vec<(u32, usize)>,
    /// How many bytes the pairs take up side by side.
    bytes: usize,
}

impl Join {
    pub fn new(node: &ChainedNode, parts: &JoinParts<'_>, context: &BuildContext) -> Result<Self> {
        let JoinParts { kind, left_keys, right_keys, null_safe, condition, ttl, bound } = *parts;
        if left_keys.len() != right_keys.len() || left_keys.len() != null_safe.len() {
            return Err(
                Error::internal("the keys of a join's sides do not correspond").in_operator(&node.node.name)
            );
        }
        let (left, right) = (crate::build::input(node, 0)?, crate::build::input(node, 1)?);
        let side = |name, input, keys, counts_matches| {
            Side::new(&SideSpec { name, input, keys, null_safe, counts_matches, ttl })
        };
        let condition = condition.map(|condition| {
            // Names may repeat; positions count.
            let both = left.columns.iter().chain(&right.columns).enumerate();
            let both = Schema::new(both.map(|(at, column)| (format!("c{at}"), column.ty.clone())));
            let expression = Expression::new(condition, &both, context)?;
            Ok::<_, Error>(Condition { expression, schema: arrow_type::schema(both.iter()) })
        });
        let schema = arrow_type::schema(node.node.schema.iter());
        let bound = bound.map(|bound| Bound::new(bound, kind, [left, right], schema.clone(), context));
        let left = side("left", left, left_keys, !matches!(kind, JoinKind::Inner | JoinKind::Right))?;
        let right = side("right", right, right_keys, matches!(kind, JoinKind::Right | JoinKind::Full))?;
        let same = |(left, right): (&FieldRef, &FieldRef)| left.data_type() == right.data_type();
        if !left.key_fields().iter().zip(right.key_fields()).all(same) {
            return Err(Error::internal("the keys of a join's sides are of different types")
                .in_operator(&node.node.name));
        }
        Ok(Join {
            schema,
            kind,
            condition: condition.transpose()?,
            index: ColumnIndex::new(left.key_fields(), left_keys.len(), context.max_parallelism)?,
            left,
            right,
            bound,
            abandoned: Vec::new(),
            slots: Vec::new(),
            batch_bytes: context.batch_bytes,
        })
    }

    /// Lets go of what has expired on both sides: one may be silent.
    fn expire(&mut self, rows: usize, context: &mut Context<'_>) {
        for side in [&mut self.left, &mut self.right] {
            let next = side.expire(context.now, rows, &mut self.abandoned);
            next.into_iter().for_each(|at| context.schedule(at));
        }
        self.forget_keys();
    }

    /// Lets go of the rows on both sides whose time is over.
    fn let_go(&mut self, context: &mut Context<'_>) -> Result<()> {
        let Join { index, left, right, bound, abandoned, .. } = self;
        let Some(bound) = bound else { return Ok(()) };
        bound.let_go(0, left, index, abandoned, context)?;
        bound.let_go(1, right, index, abandoned, context)?;
        self.forget_keys();
        Ok(())
    }

    /// Forgets the keys that have no rows, and gives their slots out again.
    fn forget_keys(&mut self) {
        for key in self.abandoned.drain(..) {
            if !self.left.occupied(key) && !self.right.occupied(key) {
                self.index.keys_mut().remove(key);
            }
        }
    }

    /// Rows that can match nothing.
    fn without_match(&self, input: usize, batch: &ChangeBatch, context: &mut Context<'_>) -> Result<()> {
        let shown = matches!(
            (self.kind, input),
            (JoinKind::Left | JoinKind::Full | JoinKind::Anti, 0) | (JoinKind::Right | JoinKind::Full, 1)
        );
        if !shown || batch.is_empty() {
            return Ok(());
        }
        let mut joined = Joined::default();
        for row in 0..batch.physical_rows() {
            joined.push(sign(batch.kind(row).is_addition()), Some(row as u32), None);
        }
        let side = if input == 0 { &self.right } else { &self.left };
        let others = Others { side, keys: self.index.keys(), entries: &[], decoded: None };
        let joined =
            joined.build(&self.schema, parts(self.kind, input), batch.columns().columns(), &others)?;
        context.output.emit(Batch::Changes(joined))
    }
}

impl Operator for Join {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.left.restore(&mut self.index, &mut restored)?;
        self.right.restore(&mut self.index, &mut restored)?;
        if let Some(bound) = &mut self.bound {
            bound.restore(0, &self.left, &self.index)?;
            bound.restore(1, &self.right, &self.index)?;
        }
        self.expire(0, context);
        Ok(())
    }

    fn process(&mut self, input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let mut batch = columns_of(batch)?.compact()?;
        if let Some(bound) = &self.bound {
            batch = bound.on_time(input, batch, context)?;
        }
        let own = if input == 0 { &self.left } else { &self.right };
        let mut keys = own.key_columns(&batch);
        if let Some(joinable) = own.joinable(&keys) {
            let never = batch.clone().select(&!&joinable).compact()?;
            self.without_match(input, &never, context)?;
            batch = batch.select(&joinable).compact()?;
            keys = if input == 0 { &self.left } else { &self.right }.key_columns(&batch);
        }
        if batch.is_empty() {
            return Ok(());
        }
        let (now, rows) = (context.now, batch.physical_rows());
        let Join { schema, kind, condition, index, left, right, bound, abandoned, slots, batch_bytes } = self;
        let (own, other) = if input == 0 { (left, right) } else { (right, left) };
        index.keys_mut().intern(&keys, rows, slots, |slot, _| abandoned.push(slot))?;
        let absorbed = own.absorb(&batch, slots, now)?;
        if let Some(bound) = bound {
            bound.note(input, &batch, &absorbed.entries)?;
        }
        let mut work = Work {
            schema,
            kind: emitted(*kind, bound.is_some()),
            holds_back: bound.is_some() && *kind == JoinKind::Anti,
            input,
            condition: condition.as_ref(),
            batch: &batch,
            absorbed: &absorbed,
            matches: vec![0; rows],
            index,
            own,
            other,
            now,
            joined: Joined::default(),
            unmatched: FastSet::default(),
            unmatched_in_order: Vec::new(),
            bytes: RowBytes::new(batch.columns().columns()),
            batch_bytes: *batch_bytes,
        };
        work.run(slots, context)?;
        own.forget(&absorbed, abandoned);
        self.expire(rows, context);
        // Rows may come so late that they are over at once.
        self.let_go(context)
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        let Some(bound) = &mut self.bound else { return context.output.watermark(watermark) };
        let passed_on = bound.advance(watermark);
        self.let_go(context)?;
        context.output.watermark(passed_on)
    }

    fn processing_time(&mut self, _: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.expire(0, context);
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        for side in [&mut self.left, &mut self.right] {
            side.snapshot(&mut self.index, full, &mut self.abandoned, &mut snapshot.keyed)?;
        }
        self.forget_keys();
        Ok(snapshot)
    }
}

/// One batch on its way through the other side.
struct Work<'a> {
    schema: &'a SchemaRef,
    kind: JoinKind,
    /// Nothing leaves before it is let go.
    holds_back: bool,
    input: usize,
    condition: Option<&'a Condition>,
    batch: &'a ChangeBatch,
    absorbed: &'a Absorbed,
    /// How many matches each row of the batch has so far.
    matches: Vec<i64>,
    index: &'a ColumnIndex,
    own: &'a mut Side,
    other: &'a mut Side,
    now: Timestamp,
    joined: Joined,
    /// Rows of the other side that have lost their last match in this batch.
    unmatched: FastSet<u32>,
    /// In the order in which they did; perhaps several times, perhaps with others.
    unmatched_in_order: Vec<u32>,
    /// Of the batch's rows.
    bytes: RowBytes,
    batch_bytes: usize,
}

impl Work<'_> {
    fn run(&mut self, keys: &[u32], context: &mut Context<'_>) -> Result<()> {
        let mut pairs = Pairs::default();
        for (row, key) in keys.iter().enumerate() {
            if self.absorbed.ignored[row] {
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
        self.tell_unmatched(context)
    }

    /// Whether it suffices to know how many matches a row has, and that is known.
    fn knows(&self, row: usize) -> bool {
        self.counts_only() && self.absorbed.known[row] >= 0
    }

    fn counts_only(&self) -> bool {
        self.input == 0 && matches!(self.kind, JoinKind::Semi | JoinKind::Anti)
    }

    fn join(&mut self, pairs: Pairs, context: &mut Context<'_>) -> Result<()> {
        let joins = !matches!(self.kind, JoinKind::Semi | JoinKind::Anti);
        let decoded = match self.condition.is_some() || (joins && !pairs.entries.is_empty()) {
            true => Some(self.other.rows_of(self.index.keys(), &pairs.entries)?),
            false => None,
        };
        let holds = match (self.condition, &decoded) {
            (Some(condition), Some(decoded)) => {
                Some(self.evaluate(condition, &pairs.rows, decoded, context)?)
            }
            _ => None,
        };
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

    fn evaluate(
        &self,
        condition: &Condition,
        rows: &[u32],
        decoded: &[ArrayRef],
        context: &Context<'_>,
    ) -> Result<BooleanBuffer> {
        let own = take_columns(self.batch.columns().columns(), rows)?;
        let columns = match self.input {
            0 => [&own, decoded].concat(),
            _ => [decoded, &own].concat(),
        };
        let columns = record_batch(&condition.schema, columns, rows.len())?;
        condition.expression.holds(&columns, context)
    }

    /// A candidate: joins it if the condition holds.
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
        let (before, after) = self.other.add_match(entry, if adds { 1 } else { -1 }, self.now);
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
        let first = changes && adds && before == 0 && !self.unmatched.remove(&entry);
        // The other copies of a row count as well.
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
            put(sign(adds), Some(row))?;
        }
        if last && self.unmatched.insert(entry) {
            self.unmatched_in_order.push(entry);
        }
        Ok(())
    }

    /// Tells of the rows of the other side whose last match has left and not come back within the batch.
    fn tell_unmatched(&mut self, context: &mut Context<'_>) -> Result<()> {
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

    /// All candidates of a row have been seen.
    fn complete(&mut self, row: u32) {
        let at = row as usize;
        let adds = self.batch.kind(at).is_addition();
        let known = self.absorbed.known[at];
        let number = if known >= 0 && (!adds || self.counts_only()) { known } else { self.matches[at] };
        let shown = match (self.kind, self.input) {
            (JoinKind::Semi, 0) => number > 0,
            (JoinKind::Left | JoinKind::Full | JoinKind::Anti, 0) | (JoinKind::Right | JoinKind::Full, 1) => {
                number == 0
            }
            _ => false,
        };
        if shown && !self.holds_back {
            self.joined.push(sign(adds), Some(row), None);
        }
        if adds {
            self.own.set_matches(self.absorbed.entries[at], number);
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

/// What a join shows while rows come: with a bound, rows without a match come when they are let go.
fn emitted(kind: JoinKind, bounded: bool) -> JoinKind {
    match kind {
        JoinKind::Left | JoinKind::Right | JoinKind::Full if bounded => JoinKind::Inner,
        other => other,
    }
}

fn sign(adds: bool) -> RowKind {
    if adds { RowKind::Insert } else { RowKind::Delete }
}

fn parts(kind: JoinKind, input: usize) -> Parts {
    match (kind, input) {
        (JoinKind::Semi | JoinKind::Anti, 0) => Parts::Own,
        (JoinKind::Semi | JoinKind::Anti, _) => Parts::Other,
        (_, 0) => Parts::OwnThenOther,
        _ => Parts::OtherThenOwn,
    }
}

#[cfg(test)]
mod bound_tests;
#[cfg(test)]
mod tests;
