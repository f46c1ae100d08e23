//! Rows that leave memory, and come back: see [`spill`](crate::spill).

use arrow::datatypes::{DataType, FieldRef};
use flott_types::{Error, Result, Timestamp};

use super::write::{in_parts, stored_schema};
use super::{RowColumn, RowSource, Rows, Stored, StoredRows, WithStamps};
use crate::codec::RowCodec;
use crate::cut::runs;
use crate::spill::{Fetched, RowState, Spilled, SpilledTable};
use crate::{Index, StateColumn};

/// Rows are decoded so many at a time, or so many bytes.
const ROWS: usize = 16 << 10;
const BYTES: usize = 32 << 20;

impl<R: Rows> RowColumn<R> {
    /// The columns of a row that leaves: those that tell it apart, its values, its stamp.
    fn own_fields(&self) -> Vec<FieldRef> {
        [self.rows.key_fields(), self.value_fields()].concat()
    }

    pub(super) fn enable_eviction(&mut self) -> bool {
        let fields = self.own_fields();
        // They would come back as something else.
        let is_plain = |field: &FieldRef| !matches!(field.data_type(), DataType::Dictionary(..));
        if self.codec.is_none() && fields.iter().all(is_plain) && self.rows.can_spill() {
            self.codec = RowCodec::new(&fields).ok().map(Box::new);
        }
        self.codec.is_some()
    }

    pub(super) fn retain_evictable(&mut self, slots: &mut Vec<u32>) -> Result<()> {
        let RowColumn { rows, changes, .. } = self;
        slots.retain(|slot| rows.is_settled(*slot, |row| changes.is_dead(row)));
        rows.each_state(&mut |state| state.retain_settled(slots))
    }

    pub(super) fn last_expiry(&self, slot: u32) -> Timestamp {
        let mut rows = Vec::new();
        self.rows.rows_of(slot, &mut rows);
        let live = rows.into_iter().filter(|row| self.live.get(*row));
        let expiry = live.map(|row| self.ttl.as_ref().map_or(Timestamp::MAX, |ttl| ttl.expiry(row)));
        expiry.max().unwrap_or(Timestamp::MIN)
    }

    pub(super) fn evict(&mut self, slots: &[u32], into: &mut Spilled<'_>) -> Result<()> {
        self.note_reads();
        let RowColumn { name, rows, live, changes, ttl, codec, batch_bytes, .. } = self;
        let codec = codec.as_mut().ok_or_else(not_enabled)?;
        let state = into.state(name);
        let (mut of_key, mut leaving) = (Vec::new(), Vec::new());
        for (key, slot) in slots.iter().enumerate() {
            of_key.clear();
            rows.rows_of(*slot, &mut of_key);
            leaving.extend(of_key.iter().filter(|row| live.get(**row)).map(|row| (key as u32, *row)));
        }
        let source = WithStamps { rows, ttl: ttl.as_ref() };
        let bytes = |(_, row): (u32, u32)| source.key_bytes(row) + source.value_bytes(row);
        for run in runs(&leaving, *batch_bytes, bytes) {
            // The size of values of a user's type is known only when they are written.
            in_parts(run, |run| {
                let numbers: Vec<u32> = run.iter().map(|(_, row)| *row).collect();
                let mut columns = source.keys(&numbers)?;
                columns.append(&mut source.values(&numbers)?);
                codec.encode(&columns, numbers.len())?;
                for (at, (key, row)) in run.iter().enumerate() {
                    let what =
                        RowState { persisted: changes.is_persisted(*row), dirty: changes.is_dirty(*row) };
                    into.push(state, *key, what, codec.row(at));
                }
                Ok(())
            })?;
        }
        self.rows.each_state(&mut |nested| nested.spill(slots, into))
    }

    pub(super) fn forget_evicted(&mut self, slots: &[u32]) -> Result<()> {
        // What is nested first: nothing of it is left to be removed with its owner.
        self.rows.each_state(&mut |nested| nested.leave(slots))?;
        let mut of_key = Vec::new();
        for slot in slots {
            of_key.clear();
            self.rows.rows_of(*slot, &mut of_key);
            for row in &of_key {
                if self.live.unset(*row) {
                    self.rows.clear(*row);
                    self.ttl.iter_mut().for_each(|ttl| ttl.unset(*row));
                    self.changes.evicted(*row);
                    self.rows.forget(*row);
                }
            }
        }
        Ok(())
    }

    pub(super) fn take_back(&mut self, from: &Fetched<'_>) -> Result<()> {
        let RowColumn { name, rows, live, changes, ttl, codec, .. } = self;
        let codec = codec.as_ref().ok_or_else(not_enabled)?;
        let fetched: Vec<(u32, RowState, &[u8])> = from.rows(name).collect();
        let (key_fields, value_fields) = (rows.key_fields(), rows.value_fields());
        let whole = fetched.chunks(ROWS);
        for part in whole.flat_map(|part| runs(part, BYTES, |(_, _, bytes)| bytes.len())) {
            let mut columns = codec.decode(part.iter().map(|(_, _, bytes)| *bytes))?.into_iter();
            let mut stored = |fields: &[FieldRef]| {
                let column =
                    |field: &FieldRef| Some(Stored { field: field.clone(), column: columns.next()? });
                let stored: Option<Vec<Stored>> = fields.iter().map(column).collect();
                stored.ok_or_else(|| Error::internal("a row of spilled state has too few columns"))
            };
            let (keys, values) = (stored(&key_fields)?, stored(&value_fields)?);
            let stamps = ttl.as_ref().map(|ttl| stored(&[ttl.field()])).transpose()?;
            let slots = part.iter().map(|(slot, _, _)| *slot).collect();
            let (numbers, _) = rows.restore(StoredRows { slots, keys, values, complete: true })?;
            for (number, (_, state, _)) in numbers.iter().zip(part) {
                live.set(*number);
                changes.fetched(*number, state.persisted, state.dirty);
            }
            if let (Some(ttl), Some(stamps)) = (ttl.as_mut(), stamps.and_then(|mut stamps| stamps.pop())) {
                ttl.restore(&numbers, stamps)?;
            }
        }
        self.rows.each_state(&mut |nested| nested.fetch(from))
    }

    pub(super) fn describe_evicted(&mut self, index: &dyn Index, into: &mut Vec<SpilledTable>) -> Result<()> {
        let keys = self.rows.key_fields();
        let (schema, key_columns) = stored_schema(index, &keys, &self.value_fields());
        into.push(SpilledTable {
            name: self.name().to_owned(),
            schema,
            shared: index.fields(),
            own: self.own_fields(),
            key_columns,
            partition_columns: index.partition_columns(),
            full: false,
        });
        self.rows.each_state(&mut |nested| nested.describe(index, into))
    }
}

fn not_enabled() -> Error {
    Error::internal("rows of a state that cannot be spilled")
}
