//! Functions whose result needs every value of the group, in the order of arrival.
//!
//! A retraction takes away the earliest value that is equal. The whole list of a changed group is written by a
//! snapshot, as it is in Flink.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::row::{RowConverter, SortField};
use flott_batch::arrow_type;
use flott_plan::AggregateCall;
use flott_state::SlotColumns;
use flott_types::{Error, Result};

use super::outcome::{Lists, Outcome};
use super::{Accumulator, Input};
use crate::support::kernel;

/// The arguments of every row, by group.
pub(super) struct List {
    outcome: Outcome,
    /// The columns of one value.
    fields: Fields,
    field: FieldRef,
    converter: RowConverter,
    /// By slot, encoded.
    lists: Vec<Vec<Box<[u8]>>>,
}

impl List {
    pub fn new(outcome: Outcome, name: &str, call: &AggregateCall) -> Result<Self> {
        let value = |(at, ty)| Field::new(format!("f{at}"), arrow_type::to_arrow(ty), true);
        let fields: Fields = call.arg_types.iter().enumerate().map(value).collect();
        let sort = fields.iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let converter = RowConverter::new(sort).map_err(|error| {
            Error::unsupported(format!("{} of {}", call.function, call.arg_types[0])).with_source(error)
        })?;
        let item = Field::new_list_field(DataType::Struct(fields.clone()), true);
        let field = Arc::new(Field::new(format!("{name}.list"), DataType::List(Arc::new(item)), true));
        Ok(List { outcome, fields, field, converter, lists: Vec::new() })
    }

    fn item(&self) -> FieldRef {
        Arc::new(Field::new_list_field(DataType::Struct(self.fields.clone()), true))
    }

    /// The values of these groups as columns, and where each group's begin.
    fn columns(&self, slots: &[u32]) -> Result<(Vec<ArrayRef>, OffsetBuffer<i32>)> {
        let lists = || slots.iter().map(|slot| &self.lists[*slot as usize]);
        let parser = self.converter.parser();
        let rows = lists().flatten().map(|row| parser.parse(row));
        let columns = self.converter.convert_rows(rows).map_err(kernel)?;
        Ok((columns, OffsetBuffer::from_lengths(lists().map(Vec::len))))
    }
}

impl Accumulator for List {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let rows = self.converter.convert_columns(input.args).map_err(kernel)?;
        let nulls = if self.outcome.keeps_nulls() { None } else { input.arg()?.logical_nulls() };
        let lists = &mut self.lists;
        input.for_each(nulls.as_ref(), |row, slot, sign| {
            let row = rows.row(row);
            let bytes: &[u8] = row.as_ref();
            if sign > 0 {
                lists[slot].push(bytes.into());
            } else if let Some(at) = lists[slot].iter().position(|other| **other == *bytes) {
                lists[slot].remove(at);
            }
        });
        Ok(())
    }

    fn merge(&mut self, from: &[u32], to: &[u32], _: Option<&[ArrayRef]>) -> Result<()> {
        for (from, to) in from.iter().zip(to) {
            let more = self.lists[*from as usize].clone();
            self.lists[*to as usize].extend(more);
        }
        Ok(())
    }

    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        let (columns, offsets) = self.columns(slots)?;
        self.outcome.of(&Lists { columns, offsets })
    }
}

impl SlotColumns for List {
    fn fields(&self) -> Vec<FieldRef> {
        vec![self.field.clone()]
    }

    fn reset(&mut self, slot: u32) {
        if slot as usize >= self.lists.len() {
            self.lists.resize_with(slot as usize + 1, Vec::new);
        }
        self.lists[slot as usize] = Vec::new();
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let (columns, offsets) = self.columns(slots)?;
        let values = StructArray::try_new(self.fields.clone(), columns, None).map_err(kernel)?;
        Ok(vec![Arc::new(ListArray::try_new(self.item(), offsets, Arc::new(values), None).map_err(kernel)?)])
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let lists = columns.first().and_then(|column| column.as_list_opt::<i32>());
        let lists = lists.ok_or_else(|| Error::internal("a list of values was expected"))?;
        let rows = self.converter.convert_columns(lists.values().as_struct().columns()).map_err(kernel)?;
        for (at, slot) in slots.iter().enumerate() {
            let (start, end) = (lists.offsets()[at] as usize, lists.offsets()[at + 1] as usize);
            self.lists[*slot as usize] = (start..end).map(|row| rows.row(row).as_ref().into()).collect();
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.lists.iter().flatten().map(|row| row.len() + 16).sum()
    }
}
