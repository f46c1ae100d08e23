//! Joins of two changelogs.
//!
//! Both sides are kept, over one shared index of the keys: each distinct row once under its key, with its
//! count and, if the kind of join needs it, the number of matching rows on the other side. So a change costs
//! the rows that it matches, and a single number tells whether a row of an outer, semi or anti join gains its
//! first match or loses its last. Rows that only append, or have a unique key, are not compared as a whole and
//! not counted ([`side`]).
//!
//! In a batch query the rows of an input are no longer kept once the other has ended ([`ended`]).
//!
//! If the condition bounds how far apart in event time matching rows are ([`bound`]), state is evicted by
//! event time and nothing is retracted.
//!
//! | kind | matches are counted on |
//! |---|---|
//! | inner | neither side |
//! | left, semi, anti | the left |
//! | right | the right |
//! | full | both |
//!
//! Output is `+I` and `-D` in Flink's order: a padded row is retracted before its first joined row is
//! emitted, and emitted after its last joined row is retracted, unless another one has arrived in the same
//! batch: an update of the only partner pads nothing. A retraction of a missing row is ignored. A row with
//! NULL in a key that is compared with `=` never matches: it is not kept; an outer or anti join emits it at
//! once.
//!
//! If nobody needs the -U of updates, an input whose rows have a unique key may come without them, and an
//! update that leaves the matches of its row as they are is `+U` for each of them.
//!
//! Cost per row: interning its key, and the row unless it only appends (one hash and probe each); the key's slot
//! is also that of the other side's rows. Per candidate: the condition, evaluated over some thousand pairs at once and over
//! the columns that it reads ([`narrow`]); per joined row a gather for each column. No more than [`CHUNK`](work::CHUNK) pairs are ever gathered,
//! nor more bytes than fit into a batch; output is emitted as it is produced.

mod absorb;
mod bound;
mod ended;
mod first;
mod narrow;
mod output;
mod restore;
mod side;
mod values;
mod work;

use arrow::datatypes::{FieldRef, SchemaRef};
use flott_batch::bytes::RowBytes;
use flott_batch::{Batch, ChangeBatch, RowKind, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, Expr, JoinBound, JoinKind, JoinRows, SortKey};
use flott_state::{OperatorSnapshot, RestoredState, SharedIndex, StateColumn};
use flott_types::{CheckpointId, Error, FastSet, Result, Timestamp, Watermark};

use self::absorb::Absorbed;
use self::bound::Bound;
use self::ended::Ended;
use self::narrow::Narrow;
use self::output::{Joined, Others};
use self::side::{Side, SideSpec};
use self::work::{Work, emitted, parts, shows_unmatched, sign};
use crate::BuildContext;
use crate::support::columns_of;

/// The operator.
pub(crate) struct Join {
    schema: SchemaRef,
    kind: JoinKind,
    narrow: Option<Narrow>,
    index: SharedIndex,
    left: Side,
    right: Side,
    bound: Option<Bound>,
    ended: Ended,
    emit_update_before: bool,
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
    /// How long rows of the left and of the right are kept.
    pub ttl: [i64; 2],
    pub bound: Option<&'a JoinBound>,
    /// What is known of the rows of the left and of the right.
    pub rows: &'a [JoinRows; 2],
    pub emit_update_before: bool,
    /// Of the rows with one key only the first by this order is wanted.
    pub first_by: &'a [SortKey],
}

impl Join {
    pub fn new(node: &ChainedNode, parts: &JoinParts<'_>, context: &BuildContext) -> Result<Self> {
        let JoinParts { kind, left_keys, right_keys, null_safe, condition, ttl, bound, rows, .. } = *parts;
        if left_keys.len() != right_keys.len() || left_keys.len() != null_safe.len() {
            return Err(
                Error::internal("the keys of a join's sides do not correspond").in_operator(&node.node.name)
            );
        }
        let (left, right) = (crate::build::input(node, 0)?, crate::build::input(node, 1)?);
        let side = |name, input, keys, counts_matches, ttl, rows| {
            Side::new(&SideSpec { name, input, keys, null_safe, counts_matches, ttl, rows })
        };
        let keeps_all = context.streaming && bound.is_none() && ttl.iter().all(|ttl| *ttl <= 0);
        let appends = rows.iter().all(JoinRows::only_appends);
        if !parts.first_by.is_empty() && (kind != JoinKind::Inner || !keeps_all || !appends) {
            return Err(
                Error::internal("a join whose rows change has no first ones").in_operator(&node.node.name)
            );
        }
        let narrow = Narrow::new(condition, parts.first_by, [left, right], context)?;
        let schema = arrow_type::schema(node.node.schema.iter());
        let bound = bound.map(|bound| Bound::new(bound, kind, [left, right], schema.clone(), context));
        let counts = [
            !matches!(kind, JoinKind::Inner | JoinKind::Right),
            matches!(kind, JoinKind::Right | JoinKind::Full),
        ];
        let mut left = side("left", left, left_keys, counts[0], ttl[0], &rows[0])?;
        let mut right = side("right", right, right_keys, counts[1], ttl[1], &rows[1])?;
        let same = |(left, right): (&FieldRef, &FieldRef)| left.data_type() == right.data_type();
        if !left.key_fields().iter().zip(right.key_fields()).all(same) {
            return Err(Error::internal("the keys of a join's sides are of different types")
                .in_operator(&node.node.name));
        }
        let mut index = SharedIndex::new(left.key_fields(), left_keys.len(), context.max_parallelism)?;
        // What event time evicts is found by its time.
        if bound.is_none() {
            let ttl = ttl.iter().all(|ttl| *ttl > 0).then(|| ttl[0].max(ttl[1]));
            index.spill_with(&mut [&mut left.rows, &mut right.rows], context.table_memory(), ttl)?;
        } else {
            index.count_with(context.table_memory())?;
        }
        Ok(Join {
            schema,
            kind,
            narrow,
            index,
            left,
            right,
            ended: Ended::new(!context.streaming && bound.is_none()),
            bound,
            emit_update_before: parts.emit_update_before,
            slots: Vec::new(),
            batch_bytes: context.batch_bytes,
        })
    }

    /// Removes expired rows on both sides, because one may be silent, and memory of rows that are gone.
    fn expire(&mut self, rows: usize, context: &mut Context<'_>) -> Result<()> {
        for side in [&mut self.left, &mut self.right] {
            let next = side.expire(context.now, rows, self.index.freed())?;
            next.into_iter().for_each(|at| context.schedule(at));
        }
        let Join { index, left, right, .. } = self;
        for key in index.sweep(&mut [&mut left.rows, &mut right.rows], context.now, rows) {
            left.remove_expired(key, context.now, index.freed());
            right.remove_expired(key, context.now, index.freed());
        }
        index.wake_at().into_iter().for_each(|at| context.schedule(at));
        self.forget_keys();
        Ok(())
    }

    /// Lets keys leave memory if both sides together hold too much. All that are free are released.
    fn make_room(&mut self) -> Result<()> {
        if !self.index.wants_room() {
            return Ok(());
        }
        self.forget_keys();
        let Join { index, left, right, .. } = self;
        let held = left.rows.memory() + right.rows.memory();
        index.make_room(&mut [&mut left.rows, &mut right.rows], held)
    }

    /// Evicts the expired rows of both sides.
    fn evict(&mut self, context: &mut Context<'_>) -> Result<()> {
        let Join { index, left, right, bound, .. } = self;
        let Some(bound) = bound else { return Ok(()) };
        bound.evict(0, left, index, context)?;
        bound.evict(1, right, index, context)?;
        left.tidy()?;
        right.tidy()?;
        self.forget_keys();
        Ok(())
    }

    /// Forgets the keys that have no rows, and frees their slots.
    fn forget_keys(&mut self) {
        self.index.release(|key| self.left.occupied(key) || self.right.occupied(key));
    }

    /// Emits rows that cannot match anything.
    fn without_match(&self, input: usize, batch: &ChangeBatch, context: &mut Context<'_>) -> Result<()> {
        if !shows_unmatched(self.kind, input) || batch.is_empty() {
            return Ok(());
        }
        let mut joined = Joined::default();
        for row in 0..batch.physical_rows() {
            let kind = match batch.kind(row) {
                RowKind::UpdateAfter if !self.emit_update_before => RowKind::UpdateAfter,
                kind => sign(kind.is_addition()),
            };
            joined.push(kind, Some(row as u32), None);
        }
        let side = if input == 0 { &self.right } else { &self.left };
        let others = Others { side, keys: self.index.keys(), entries: &[], decoded: None };
        let joined =
            joined.build(&self.schema, parts(self.kind, input), batch.columns().columns(), &others)?;
        context.output.emit(Batch::Changes(joined))
    }
}

impl Operator for Join {
    fn restores_in_parts(&self) -> bool {
        self.bound.is_none()
    }

    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.left.rows.begin(context.now);
        self.right.rows.begin(context.now);
        loop {
            self.left.restore(&mut self.index, &mut restored)?;
            self.right.restore(&mut self.index, &mut restored)?;
            self.index.grew();
            self.make_room()?;
            if !restored.next_part()? {
                break;
            }
        }
        self.ended.restore(&mut restored);
        if let Some(bound) = &mut self.bound {
            bound.progress.restore(&mut restored, context.info)?;
            bound.restore(0, &self.left, &self.index)?;
            bound.restore(1, &self.right, &self.index)?;
        }
        self.expire(0, context)
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
        let keeps = self.ended.keeps(input)?;
        let in_place = !self.emit_update_before && self.narrow.is_none();
        let Join { schema, kind, narrow, index, left, right, bound, slots, batch_bytes, .. } = self;
        let (own, other) = if input == 0 { (left, right) } else { (right, left) };
        let (batch, absorbed) = if keeps {
            let known = index.freed().len();
            index.intern_with(&keys, rows, slots, &mut [&mut own.rows, &mut other.rows])?;
            // Slots of keys that are new in memory may have been those of others.
            let new = index.freed().get(known..).unwrap_or_default();
            narrow.iter_mut().for_each(|narrow| narrow.forget(new));
            own.absorb(batch, slots, index, now)?
        } else {
            index.lookup_with(&keys, rows, slots, &mut [&mut own.rows, &mut other.rows])?;
            (batch, Absorbed::let_through(rows))
        };
        if let Some(bound) = bound {
            bound.note(input, batch.columns().columns(), &absorbed.entries)?;
        }
        let mut work = Work {
            schema,
            kind: emitted(*kind, bound.is_some()),
            holds_back: bound.is_some() && *kind == JoinKind::Anti,
            input,
            narrow: narrow.as_mut(),
            keys: slots,
            in_place,
            batch: &batch,
            absorbed: &absorbed,
            matches: vec![0; batch.physical_rows()],
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
        work.run(context)?;
        own.forget(&absorbed, index.freed());
        self.expire(rows, context)?;
        // Rows may be so late that they expire at once.
        self.evict(context)?;
        self.make_room()
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        let Some(bound) = &mut self.bound else { return context.output.watermark(watermark) };
        let passed_on = bound.advance(watermark);
        self.evict(context)?;
        context.output.watermark(passed_on)
    }

    fn end_input(&mut self, input: usize, _: &mut Context<'_>) -> Result<()> {
        self.ended.end(input);
        Ok(())
    }

    fn processing_time(&mut self, _: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.expire(0, context)
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        for side in [&mut self.left, &mut self.right] {
            side.snapshot(&mut self.index, full, &mut snapshot.keyed)?;
        }
        let Join { index, left, right, .. } = self;
        let spilled = index.spilled_as(&mut [left.state(), right.state()], &snapshot.keyed)?;
        snapshot.spilled.extend(spilled);
        self.forget_keys();
        if let Some(bound) = &self.bound {
            bound.progress.save(&mut snapshot);
        }
        self.ended.save(&mut snapshot);
        Ok(snapshot)
    }
}

#[cfg(test)]
mod bound_tests;
#[cfg(test)]
mod first_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unique_tests;
