//! Casts of ARRAY, MAP, MULTISET and ROW: their children one by one.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use flott_batch::arrow_type::{list_item, to_arrow};
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::{CastOptions, cast_array};
use crate::kernel::arrow_error;

pub(super) fn cast_nested(
    array: &ArrayRef,
    from: &LogicalType,
    to: &LogicalType,
    options: CastOptions,
) -> Result<ArrayRef> {
    let wrong = || Error::internal(format!("no cast from {} to {}", from.kind, to.kind));
    match (&from.kind, &to.kind) {
        (TypeKind::Array(a), TypeKind::Array(b)) => {
            let list = array.as_list_opt::<i32>().ok_or_else(wrong)?;
            // Only the elements of these rows: the array may be a slice of a larger one.
            let (start, end) = (list.value_offsets()[0], list.value_offsets()[list.len()]);
            let values = list.values().slice(start as usize, (end - start) as usize);
            let values = cast_array(&values, a, b, options)?;
            let lengths = list.value_offsets().windows(2).map(|ends| (ends[1] - ends[0]) as usize);
            let offsets = OffsetBuffer::from_lengths(lengths);
            let list = ListArray::try_new(list_item(b), offsets, values, list.nulls().cloned());
            Ok(Arc::new(list.map_err(arrow_error)?))
        }
        (TypeKind::Map(ak, av), TypeKind::Map(bk, bv)) => {
            cast_map(array, (ak, bk), Some((av, bv)), to, options)
        }
        (TypeKind::Multiset(a), TypeKind::Multiset(b)) => cast_map(array, (a, b), None, to, options),
        (TypeKind::Row(a) | TypeKind::Structured(_, a), TypeKind::Row(b) | TypeKind::Structured(_, b)) => {
            let row = array.as_struct_opt().ok_or_else(wrong)?;
            let columns = row.columns().iter().zip(a.iter().zip(b));
            let columns = columns.map(|(column, (a, b))| cast_array(column, &a.ty, &b.ty, options));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            let DataType::Struct(fields) = to_arrow(to) else {
                return Err(wrong());
            };
            let row = if fields.is_empty() {
                StructArray::new_empty_fields(row.len(), row.nulls().cloned())
            } else {
                StructArray::try_new(fields, columns, row.nulls().cloned()).map_err(arrow_error)?
            };
            Ok(Arc::new(row))
        }
        _ => Err(wrong()),
    }
}

fn cast_map(
    array: &ArrayRef,
    (from_key, to_key): (&LogicalType, &LogicalType),
    value: Option<(&LogicalType, &LogicalType)>,
    to: &LogicalType,
    options: CastOptions,
) -> Result<ArrayRef> {
    let map =
        array.as_map_opt().ok_or_else(|| Error::internal(format!("{} is not a map", array.data_type())))?;
    let keys = cast_array(map.keys(), from_key, to_key, options)?;
    if keys.null_count() > map.keys().null_count() {
        return Err(Error::data(format!("CAST to {}: a key becomes NULL", to.kind)));
    }
    let values = match value {
        Some((from, to)) => cast_array(map.values(), from, to, options)?,
        None => map.values().clone(),
    };
    let DataType::Map(entries_field, sorted) = to_arrow(to) else {
        return Err(Error::internal(format!("{} is not a map", to.kind)));
    };
    let DataType::Struct(fields) = entries_field.data_type() else {
        return Err(Error::internal("the entries of a map are a struct"));
    };
    let entries = StructArray::try_new(fields.clone(), vec![keys, values], None).map_err(arrow_error)?;
    let field: Arc<Field> = entries_field.clone();
    let map = MapArray::try_new(field, map.offsets().clone(), entries, map.nulls().cloned(), sorted);
    Ok(Arc::new(map.map_err(arrow_error)?))
}
