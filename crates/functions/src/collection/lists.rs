//! Reads lists and maps, picks elements from them, and compares elements.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float32Array, Float64Array, ListArray, MapArray, StructArray, UInt32Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, FieldRef};
use arrow::row::{RowConverter, Rows, SortField};
use flott_batch::arrow_type::to_arrow;
use flott_expr::function::{Argument, Call};
use flott_expr::value::Value;
use flott_types::{Error, LogicalType, Result, TypeKind};

/// An internal error: arrow refused what was built for it.
pub(super) fn arrow_error(error: arrow::error::ArrowError) -> Error {
    Error::internal("cannot build a collection").with_source(error)
}

/// The type of an array argument's elements.
pub(super) fn element_type<'a>(arg: &Argument<'a>) -> Option<&'a LogicalType> {
    match &arg.ty.kind {
        TypeKind::Array(element) => Some(element),
        _ => None,
    }
}

/// The arrays of an argument, row by row.
pub(super) struct Lists<'a> {
    list: &'a ListArray,
    value: &'a Value,
    /// The elements of these rows: the list may be a slice of a longer one.
    elements: ArrayRef,
}

impl<'a> Lists<'a> {
    pub(super) fn of(value: &'a Value) -> Result<Lists<'a>> {
        let list = value.held().as_list_opt::<i32>();
        let list = list.ok_or_else(|| Error::internal(format!("{} is no list", value.held().data_type())))?;
        Ok(Lists { list, value, elements: part(list.values(), list.value_offsets()) })
    }

    /// The elements of all rows.
    pub(super) fn elements(&self) -> &ArrayRef {
        &self.elements
    }

    /// The range of a row's elements among all; `None` for NULL.
    #[inline]
    pub(super) fn range(&self, row: usize) -> Option<std::ops::Range<usize>> {
        let at = self.value.position(row);
        if self.list.is_null(at) {
            return None;
        }
        Some(places(self.list.value_offsets(), at))
    }
}

/// The elements between the first offset and the last.
fn part(elements: &ArrayRef, offsets: &[i32]) -> ArrayRef {
    let (first, end) = (offsets[0] as usize, offsets[offsets.len() - 1] as usize);
    if end - first == elements.len() { elements.clone() } else { elements.slice(first, end - first) }
}

/// The range of a row's elements in [`part`].
#[inline]
fn places(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    (offsets[row] - offsets[0]) as usize..(offsets[row + 1] - offsets[0]) as usize
}

/// The maps of an argument, row by row.
pub(super) struct Maps<'a> {
    map: &'a MapArray,
    value: &'a Value,
    keys: ArrayRef,
    values: ArrayRef,
}

impl<'a> Maps<'a> {
    pub(super) fn of(value: &'a Value) -> Result<Maps<'a>> {
        let map = value.held().as_map_opt();
        let map = map.ok_or_else(|| Error::internal(format!("{} is not a map", value.held().data_type())))?;
        let part = |of: &ArrayRef| part(of, map.value_offsets());
        Ok(Maps { map, value, keys: part(map.keys()), values: part(map.values()) })
    }

    pub(super) fn keys(&self) -> &ArrayRef {
        &self.keys
    }

    pub(super) fn values(&self) -> &ArrayRef {
        &self.values
    }

    /// The range of a row's entries among all; `None` for NULL.
    #[inline]
    pub(super) fn range(&self, row: usize) -> Option<std::ops::Range<usize>> {
        let at = self.value.position(row);
        if self.map.is_null(at) {
            return None;
        }
        Some(places(self.map.value_offsets(), at))
    }
}

/// Several arrays of one type concatenated, and where each begins.
pub(super) struct Pool {
    pub(super) all: ArrayRef,
    pub(super) starts: Vec<usize>,
}

impl Pool {
    pub(super) fn new(arrays: &[&ArrayRef], call: &Call<'_>) -> Result<Pool> {
        let mut starts = Vec::with_capacity(arrays.len());
        let mut next = 0;
        for array in arrays {
            starts.push(next);
            next += array.len();
        }
        let all = match arrays {
            [one] => (*one).clone(),
            _ => call.room().concat(&arrays.iter().map(|array| array.as_ref()).collect::<Vec<_>>())?,
        };
        Ok(Pool { all, starts })
    }
}

/// Collects, row by row, which elements make up a list.
pub(super) struct Picker {
    picked: Vec<u32>,
    offsets: Vec<i32>,
    valid: Vec<bool>,
}

impl Picker {
    pub(super) fn new(rows: usize) -> Picker {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Picker { picked: Vec::with_capacity(4 * rows), offsets, valid: Vec::with_capacity(rows) }
    }

    /// Picks an element for the current row, by its position in the pool.
    #[inline]
    pub(super) fn pick(&mut self, at: usize) {
        self.picked.push(at as u32);
    }

    /// The elements picked for the current row.
    pub(super) fn row_mut(&mut self) -> &mut [u32] {
        let start = self.offsets.last().map_or(0, |offset| *offset as usize);
        &mut self.picked[start..]
    }

    /// Ends the current row: a list of what was picked, or NULL.
    pub(super) fn end(&mut self, valid: bool) {
        if !valid {
            self.picked.truncate(self.offsets.last().map_or(0, |offset| *offset as usize));
        }
        self.offsets.push(self.picked.len() as i32);
        self.valid.push(valid);
    }

    /// The lists, as the result of the call.
    pub(super) fn lists(self, pool: &ArrayRef, call: &Call<'_>) -> Result<ArrayRef> {
        let DataType::List(item) = to_arrow(call.result) else {
            return Err(Error::internal(format!("{} is no array", call.result)));
        };
        let values = call.room().take(pool, &UInt32Array::from(self.picked))?;
        let values = conform(values, &item)?;
        let offsets = OffsetBuffer::new(self.offsets.into());
        let list = ListArray::try_new(item, offsets, values, Some(NullBuffer::from(self.valid)))
            .map_err(arrow_error)?;
        Ok(Arc::new(list))
    }
}

/// Assembles maps from their parts.
pub(super) fn maps_of(
    keys: ArrayRef,
    values: ArrayRef,
    offsets: Vec<i32>,
    valid: Vec<bool>,
    ty: &LogicalType,
) -> Result<ArrayRef> {
    let DataType::Map(entries, _) = to_arrow(ty) else {
        return Err(Error::internal(format!("{ty} is not a map")));
    };
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(Error::internal(format!("{ty} has no entries")));
    };
    let columns = vec![conform(keys, &fields[0])?, conform(values, &fields[1])?];
    let structs = StructArray::try_new(fields.clone(), columns, None).map_err(arrow_error)?;
    let offsets = OffsetBuffer::new(offsets.into());
    let map = MapArray::try_new(entries, offsets, structs, Some(NullBuffer::from(valid)), false)
        .map_err(arrow_error)?;
    Ok(Arc::new(map))
}

/// The array with exactly the field's type: names of fields within may differ.
pub(super) fn conform(array: ArrayRef, field: &FieldRef) -> Result<ArrayRef> {
    if array.data_type() == field.data_type() {
        return Ok(array);
    }
    arrow::compute::cast(&array, field.data_type()).map_err(arrow_error)
}

/// The row encoding of elements: equal bytes, equal values.
pub(super) struct Encoder {
    converter: RowConverter,
}

impl Encoder {
    pub(super) fn new(ty: &DataType) -> Result<Encoder> {
        let converter = RowConverter::new(vec![SortField::new(ty.clone())]).map_err(|error| {
            Error::unsupported(format!("comparing array elements of type {ty}")).with_source(error)
        })?;
        Ok(Encoder { converter })
    }

    pub(super) fn encode(&self, array: &ArrayRef) -> Result<Rows> {
        let array = positive_zeros(array);
        self.converter.convert_columns(&[array]).map_err(arrow_error)
    }
}

/// `-0.0` equals `0.0`.
fn positive_zeros(array: &ArrayRef) -> ArrayRef {
    if let Some(floats) = array.as_any().downcast_ref::<Float64Array>() {
        return Arc::new(floats.unary::<_, arrow::datatypes::Float64Type>(|value| value + 0.0));
    }
    if let Some(floats) = array.as_any().downcast_ref::<Float32Array>() {
        return Arc::new(floats.unary::<_, arrow::datatypes::Float32Type>(|value| value + 0.0));
    }
    array.clone()
}
