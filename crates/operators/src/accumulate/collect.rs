//! COLLECT: the multiset of a group's values. Each distinct value is stored once, with its count.
//!
//! Cost per row: a step in a tree of encoded values, which sort like the values. Cost per result: its
//! distinct values.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, ListArray, MapArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type};
use arrow::row::{RowConverter, SortField};
use flott_batch::arrow_type;
use flott_state::{SlotColumns, with_default};
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::{Accumulator, Input, MergeInto};
use crate::support::kernel;

/// How often each value occurs in a group.
#[derive(Clone, Default)]
struct Counts {
    /// The encoded values.
    values: BTreeMap<Box<[u8]>, i64>,
    bytes: usize,
}

/// The values of every group.
pub(super) struct Collect {
    element: LogicalType,
    converter: RowConverter,
    /// The fields of one value in a snapshot.
    fields: Fields,
    list: FieldRef,
    counts: FieldRef,
    groups: Vec<Counts>,
}

impl Counts {
    fn add(&mut self, value: &[u8], count: i64) {
        match self.values.get_mut(value) {
            Some(known) => *known += count,
            // A retraction of a missing value is ignored.
            None if count < 0 => return,
            None => {
                self.values.insert(value.into(), count);
                self.bytes += value.len();
                return;
            }
        }
        if self.values.get(value).is_some_and(|known| *known <= 0) {
            self.values.remove(value);
            self.bytes -= value.len();
        }
    }
}

impl Collect {
    pub fn new(name: &str, element: &LogicalType) -> Result<Self> {
        let value = Field::new("f0", arrow_type::to_arrow(element), true);
        let sort = SortField::new(value.data_type().clone());
        let converter = RowConverter::new(vec![sort])
            .map_err(|error| Error::unsupported(format!("COLLECT of {element}")).with_source(error))?;
        let fields = Fields::from(vec![value]);
        let item = Field::new_list_field(DataType::Struct(fields.clone()), true);
        let list = Field::new(format!("{name}.list"), DataType::List(Arc::new(item)), true);
        let number = Field::new_list_field(DataType::Int64, true);
        let counts = Field::new(format!("{name}.counts"), DataType::List(Arc::new(number)), true);
        Ok(Collect {
            element: element.clone(),
            converter,
            fields,
            list: Arc::new(list),
            // Earlier builds wrote each value as often as it occurs.
            counts: with_default(&Arc::new(counts)),
            groups: Vec::new(),
        })
    }

    /// The distinct values of groups, where those of each group begin, and how often they occur.
    fn distinct(
        &self,
        slots: &[u32],
    ) -> Result<(ArrayRef, OffsetBuffer<i32>, impl Iterator<Item = i64> + '_)> {
        let bytes: usize = slots.iter().map(|slot| self.groups[*slot as usize].bytes).sum();
        if bytes > i32::MAX as usize {
            return Err(Error::unsupported("COLLECT of more than 2 GB"));
        }
        let groups: Vec<&Counts> = slots.iter().map(|slot| &self.groups[*slot as usize]).collect();
        let parser = self.converter.parser();
        let rows = groups.iter().flat_map(|group| group.values.keys()).map(|row| parser.parse(row));
        let values = self.converter.convert_rows(rows).map_err(kernel)?.remove(0);
        let offsets = OffsetBuffer::from_lengths(groups.iter().map(|group| group.values.len()));
        let counts = groups.into_iter().flat_map(|group| group.values.values().copied());
        Ok((values, offsets, counts))
    }
}

impl Accumulator for Collect {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let rows = self.converter.convert_columns(input.args).map_err(kernel)?;
        let nulls = input.arg()?.logical_nulls();
        let groups = &mut self.groups;
        input.for_each(nulls.as_ref(), |row, slot, sign| groups[slot].add(rows.row(row).as_ref(), sign));
        Ok(())
    }

    fn merge(&mut self, from: &[u32], to: &[u32], _: MergeInto) -> Result<()> {
        for (from, to) in from.iter().zip(to) {
            let more = self.groups[*from as usize].clone();
            more.values.iter().for_each(|(value, count)| self.groups[*to as usize].add(value, *count));
        }
        Ok(())
    }

    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        let (values, offsets, counts) = self.distinct(slots)?;
        let counts: Int32Array =
            counts.map(|count| i32::try_from(count).unwrap_or(i32::MAX)).collect::<Vec<_>>().into();
        let ty = arrow_type::to_arrow(&TypeKind::Multiset(Box::new(self.element.clone())).nullable());
        let DataType::Map(entries, _) = &ty else {
            return Err(Error::internal("a MULTISET is not a map"));
        };
        let DataType::Struct(fields) = entries.data_type() else {
            return Err(Error::internal("a map has no entries"));
        };
        let pairs =
            StructArray::try_new(fields.clone(), vec![values, Arc::new(counts)], None).map_err(kernel)?;
        Ok(Arc::new(MapArray::try_new(entries.clone(), offsets, pairs, None, false).map_err(kernel)?))
    }
}

impl SlotColumns for Collect {
    fn fields(&self) -> Vec<FieldRef> {
        vec![self.list.clone(), self.counts.clone()]
    }

    fn reset(&mut self, slot: u32) {
        if slot as usize >= self.groups.len() {
            self.groups.resize_with(slot as usize + 1, Counts::default);
        }
        self.groups[slot as usize] = Counts::default();
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let (values, offsets, counts) = self.distinct(slots)?;
        let counts: ArrayRef = Arc::new(Int64Array::from_iter_values(counts));
        let values: ArrayRef =
            Arc::new(StructArray::try_new(self.fields.clone(), vec![values], None).map_err(kernel)?);
        let list = |field: &FieldRef, values| match field.data_type() {
            DataType::List(item) => {
                ListArray::try_new(item.clone(), offsets.clone(), values, None).map_err(kernel)
            }
            _ => Err(Error::internal("a list was expected")),
        };
        Ok(vec![Arc::new(list(&self.list, values)?), Arc::new(list(&self.counts, counts)?)])
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let wrong = || Error::internal("a multiset was expected");
        let [lists, counts] = columns else { return Err(wrong()) };
        let lists = lists.as_list_opt::<i32>().ok_or_else(wrong)?;
        let counts = counts.as_list_opt::<i32>().ok_or_else(wrong)?;
        let rows = self.converter.convert_columns(lists.values().as_struct().columns()).map_err(kernel)?;
        for (at, slot) in slots.iter().enumerate() {
            let (start, end) = (lists.offsets()[at] as usize, lists.offsets()[at + 1] as usize);
            let known = counts.is_valid(at).then(|| counts.value(at));
            let known = known.as_ref().and_then(|counts| counts.as_primitive_opt::<Int64Type>());
            self.groups[*slot as usize] = Counts::default();
            for row in start..end {
                let count = known
                    .filter(|known| known.len() == end - start)
                    .map_or(1, |known| known.value(row - start));
                self.groups[*slot as usize].add(rows.row(row).as_ref(), count);
            }
        }
        Ok(())
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.groups[slot as usize].bytes
    }

    fn memory(&self) -> usize {
        let entry = size_of::<Box<[u8]>>() + size_of::<i64>();
        self.groups.iter().map(|group| group.bytes + group.values.len() * entry).sum()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{StringArray, new_null_array};

    use super::*;

    fn update(collect: &mut Collect, values: &[&str], retract: bool) {
        let args: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
        let (rows, slots) = ((0..values.len() as u32).collect::<Vec<_>>(), vec![0; values.len()]);
        let retract = vec![retract; values.len()];
        let input = Input { rows: &rows, slots: &slots, retract: Some(&retract), args: &[args] };
        collect.update(&input).unwrap();
    }

    fn content(collect: &Collect) -> Vec<(String, i32)> {
        let values = collect.values(&[0]).unwrap();
        let entries = values.as_map().value(0);
        let counts = entries.column(1).as_primitive::<arrow::datatypes::Int32Type>().values();
        let values = entries.column(0).as_string::<i32>().iter().map(|value| value.unwrap().to_owned());
        values.zip(counts.iter().copied()).collect()
    }

    #[test]
    fn a_multiset_counts_and_is_restored_from_either_form() {
        let new = || {
            let mut collect = Collect::new("c", &TypeKind::STRING.nullable()).unwrap();
            collect.reset(0);
            collect
        };
        let mut collect = new();
        update(&mut collect, &["b", "a", "b", "c"], false);
        update(&mut collect, &["c", "d", "b"], true);
        let expected = [("a".to_owned(), 1), ("b".to_owned(), 1)];
        assert_eq!(content(&collect), expected);
        update(&mut collect, &["b"], false);
        let stored = collect.read(&[0]).unwrap();
        let mut restored = new();
        restored.write(&[0], &stored).unwrap();
        assert_eq!(content(&restored), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
        // Earlier builds wrote a value as often as it occurred, and no counts.
        let values: ArrayRef = Arc::new(StringArray::from(vec!["b", "a", "b"]));
        let values = StructArray::try_new(collect.fields.clone(), vec![values], None).unwrap();
        let DataType::List(item) = collect.list.data_type() else { panic!() };
        let offsets = OffsetBuffer::from_lengths([3]);
        let old = ListArray::try_new(item.clone(), offsets, Arc::new(values), None).unwrap();
        let none = new_null_array(collect.counts.data_type(), 1);
        let mut restored = new();
        restored.write(&[0], &[Arc::new(old), none]).unwrap();
        assert_eq!(content(&restored), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
    }

    #[test]
    fn a_value_that_comes_often_is_kept_once() {
        let mut collect = Collect::new("c", &TypeKind::STRING.nullable()).unwrap();
        collect.reset(0);
        update(&mut collect, &vec!["again"; 10_000], false);
        assert_eq!(
            (content(&collect), collect.groups[0].values.len()),
            (vec![("again".to_owned(), 10_000)], 1)
        );
        assert_eq!(collect.read(&[0]).unwrap()[0].as_list::<i32>().values().len(), 1);
    }
}
