//! Functions whose result needs every value of the group, in the order of arrival.
//!
//! A retraction removes the earliest equal value. A snapshot writes the whole list of a changed group, as in
//! Flink.
//!
//! Cost per row: appending it, or finding by hash the value that it removes. Cost per result: its size. The
//! text of LISTAGG is kept in addition to the values and only copied; a retraction rebuilds it once per
//! batch.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, StringArray, StringBuilder, StructArray, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::interleave;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::row::{RowConverter, SortField};
use flott_batch::arrow_type;
use flott_plan::AggregateCall;
use flott_state::SlotColumns;
use flott_types::{Error, Result};

use super::outcome::{Lists, Outcome};
use super::values::Values;
use super::{Accumulator, Input, MergeInto};
use crate::support::kernel;

/// The arguments of every row, by group.
pub(super) struct List {
    outcome: Outcome,
    retracts: bool,
    /// The columns of one value.
    fields: Fields,
    field: FieldRef,
    converter: RowConverter,
    /// By slot.
    lists: Vec<Values>,
    /// By slot, for LISTAGG: the joined text.
    texts: Vec<String>,
}

impl List {
    pub fn new(outcome: Outcome, name: &str, call: &AggregateCall, retracts: bool) -> Result<Self> {
        let value = |(at, ty)| Field::new(format!("f{at}"), arrow_type::to_arrow(ty), true);
        let fields: Fields = call.arg_types.iter().enumerate().map(value).collect();
        let sort = fields.iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let converter = RowConverter::new(sort).map_err(|error| {
            Error::unsupported(format!("{} of {}", call.function, call.arg_types[0])).with_source(error)
        })?;
        let item = Field::new_list_field(DataType::Struct(fields.clone()), true);
        let field = Arc::new(Field::new(format!("{name}.list"), DataType::List(Arc::new(item)), true));
        Ok(List { outcome, retracts, fields, field, converter, lists: Vec::new(), texts: Vec::new() })
    }

    fn item(&self) -> FieldRef {
        Arc::new(Field::new_list_field(DataType::Struct(self.fields.clone()), true))
    }

    /// The values of these groups as columns, and where each group's values begin.
    fn columns(&self, slots: &[u32]) -> Result<(Vec<ArrayRef>, OffsetBuffer<i32>)> {
        let lists = || slots.iter().map(|slot| &self.lists[*slot as usize]);
        if lists().map(Values::size).sum::<usize>() > i32::MAX as usize {
            return Err(too_large());
        }
        let parser = self.converter.parser();
        let rows = lists().flat_map(Values::iter).map(|row| parser.parse(row));
        let columns = self.converter.convert_rows(rows).map_err(kernel)?;
        Ok((columns, OffsetBuffer::from_lengths(lists().map(Values::len))))
    }

    fn is_text(&self) -> bool {
        self.outcome == Outcome::Text
    }

    /// The first or last value of each group.
    fn ends(&self, slots: &[u32], last: bool) -> Result<ArrayRef> {
        let parser = self.converter.parser();
        let (mut rows, mut picks) = (Vec::new(), Vec::with_capacity(slots.len()));
        for slot in slots {
            let mut values = self.lists[*slot as usize].iter();
            match if last { values.next_back() } else { values.next() } {
                Some(row) => {
                    picks.push((0, rows.len()));
                    rows.push(parser.parse(row));
                }
                None => picks.push((1, 0)),
            }
        }
        let all = rows.len() == slots.len();
        let values = self.converter.convert_rows(rows).map_err(kernel)?.remove(0);
        if all {
            return Ok(values);
        }
        let absent = new_null_array(values.data_type(), 1);
        interleave(&[values.as_ref(), absent.as_ref()], &picks).map_err(kernel)
    }

    /// Rebuilds the texts of groups.
    fn join(&mut self, slots: &[u32]) -> Result<()> {
        let (columns, offsets) = self.columns(slots)?;
        let parts = Parts::new(&columns)?;
        for (at, slot) in slots.iter().enumerate() {
            let text = &mut self.texts[*slot as usize];
            text.clear();
            for row in offsets[at] as usize..offsets[at + 1] as usize {
                parts.append(row, row > offsets[at] as usize, text);
            }
        }
        Ok(())
    }
}

/// What LISTAGG joins.
struct Parts<'a> {
    values: &'a StringArray,
    separators: Option<&'a StringArray>,
}

impl<'a> Parts<'a> {
    fn new(columns: &'a [ArrayRef]) -> Result<Self> {
        let text = |column: &'a ArrayRef| {
            let text = column.as_string_opt::<i32>();
            text.ok_or_else(|| Error::internal("LISTAGG of what is not text"))
        };
        let [values, separators @ ..] = columns else {
            return Err(Error::internal("LISTAGG without an argument"));
        };
        Ok(Parts { values: text(values)?, separators: separators.first().map(text).transpose()? })
    }

    #[inline]
    fn append(&self, row: usize, further: bool, text: &mut String) {
        if further {
            text.push_str(self.separators.map_or(",", |separators| separators.value(row)));
        }
        text.push_str(self.values.value(row));
    }
}

fn too_large() -> Error {
    Error::unsupported("an aggregate of one group with more than 2 GB of values")
}

impl Accumulator for List {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let rows = self.converter.convert_columns(input.args).map_err(kernel)?;
        let nulls = if self.outcome.keeps_nulls() { None } else { input.arg()?.logical_nulls() };
        let parts = if self.is_text() { Some(Parts::new(input.args)?) } else { None };
        let (lists, texts) = (&mut self.lists, &mut self.texts);
        // Groups whose text no longer matches their values.
        let mut stale = Vec::new();
        input.for_each(nulls.as_ref(), |row, slot, sign| {
            let encoded = rows.row(row);
            if sign < 0 {
                if lists[slot].take(encoded.as_ref()) && parts.is_some() {
                    stale.push(slot as u32);
                }
                return;
            }
            let further = lists[slot].len() > 0;
            lists[slot].push(encoded.as_ref());
            if let Some(parts) = &parts {
                parts.append(row, further, &mut texts[slot]);
            }
        });
        stale.sort_unstable();
        stale.dedup();
        if stale.is_empty() { Ok(()) } else { self.join(&stale) }
    }

    fn merge(&mut self, from: &[u32], to: &[u32], _: MergeInto) -> Result<()> {
        for (from, to) in from.iter().zip(to) {
            let more = self.lists[*from as usize].clone();
            more.iter().for_each(|value| self.lists[*to as usize].push(value));
        }
        if !self.is_text() {
            return Ok(());
        }
        let mut stale = to.to_vec();
        stale.sort_unstable();
        stale.dedup();
        self.join(&stale)
    }

    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        match self.outcome {
            Outcome::First => self.ends(slots, false),
            Outcome::Last => self.ends(slots, true),
            Outcome::Text => {
                let texts = || slots.iter().map(|slot| self.texts[*slot as usize].as_str());
                let bytes: usize = texts().map(str::len).sum();
                if bytes > i32::MAX as usize {
                    return Err(too_large());
                }
                let mut builder = StringBuilder::with_capacity(slots.len(), bytes);
                for (slot, text) in slots.iter().zip(texts()) {
                    builder.append_option((self.lists[*slot as usize].len() > 0).then_some(text));
                }
                Ok(Arc::new(builder.finish()))
            }
            _ => {
                let (columns, offsets) = self.columns(slots)?;
                self.outcome.of(&Lists { columns, offsets })
            }
        }
    }
}

impl SlotColumns for List {
    fn fields(&self) -> Vec<FieldRef> {
        vec![self.field.clone()]
    }

    fn reset(&mut self, slot: u32) {
        let empty = || if self.retracts { Values::retractable() } else { Values::default() };
        if slot as usize >= self.lists.len() {
            self.lists.resize_with(slot as usize + 1, empty);
        }
        self.lists[slot as usize] = empty();
        if self.outcome == Outcome::Text {
            self.texts.resize_with(self.lists.len(), String::new);
            self.texts[slot as usize] = String::new();
        }
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
            self.reset(*slot);
            (start..end).for_each(|row| self.lists[*slot as usize].push(rows.row(row).as_ref()));
        }
        if self.is_text() { self.join(slots) } else { Ok(()) }
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.lists[slot as usize].size()
    }

    fn memory(&self) -> usize {
        self.lists.iter().map(Values::memory).sum::<usize>()
            + self.texts.iter().map(String::capacity).sum::<usize>()
    }
}
