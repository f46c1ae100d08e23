//! The argument of a function: a column, or a constant held once.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayAccessor, ArrayRef, ArrowPrimitiveType, PrimitiveArray, UInt32Array, new_null_array,
};
use arrow::compute::take;
use arrow::downcast_primitive_array;
use flott_types::{Error, Result};

/// Values of one argument for all rows of a batch.
#[derive(Clone, Debug)]
pub struct Value {
    array: ArrayRef,
    constant: bool,
}

impl Value {
    /// One value per row.
    pub fn array(array: ArrayRef) -> Self {
        Value { array, constant: false }
    }

    /// The same value for every row; the array has one element.
    pub fn constant(array: ArrayRef) -> Self {
        debug_assert_eq!(array.len(), 1);
        Value { array, constant: true }
    }

    /// Whether the value is the same for every row.
    pub fn is_constant(&self) -> bool {
        self.constant
    }

    /// Whether the value is NULL for every row.
    pub fn is_constant_null(&self) -> bool {
        self.constant && self.is_null(0)
    }

    /// The array as stored: one element for a constant.
    pub fn held(&self) -> &ArrayRef {
        &self.array
    }

    /// One element per row: copies a constant this many times.
    pub fn to_array(&self, rows: usize) -> Result<ArrayRef> {
        if self.constant { repeat(&self.array, rows) } else { Ok(self.array.clone()) }
    }

    /// The position of a row's value in [`Value::held`].
    #[inline]
    pub fn position(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    /// Whether the row's value is NULL.
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        let at = self.position(row);
        self.array.is_null(at) || *self.array.data_type() == arrow::datatypes::DataType::Null
    }

    /// The typed values: `value.view::<StringArray>()?.get(row)` is an `Option<&str>`.
    pub fn view<A: Array + 'static>(&self) -> Result<View<'_, A>> {
        Ok(View { array: downcast(&self.array)?, constant: self.constant })
    }
}

/// Typed read access to a [`Value`].
#[derive(Debug)]
pub struct View<'a, A> {
    array: &'a A,
    constant: bool,
}

impl<A> Clone for View<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for View<'_, A> {}

impl<'a, A> View<'a, A>
where
    &'a A: ArrayAccessor,
{
    /// The row's value, or `None` for NULL.
    #[inline]
    pub fn get(&self, row: usize) -> Option<<&'a A as ArrayAccessor>::Item> {
        let at = if self.constant { 0 } else { row };
        self.array.is_valid(at).then(|| self.array.value(at))
    }

    /// The typed array as stored: one element for a constant.
    pub fn held(&self) -> &'a A {
        self.array
    }

    /// Whether the value is the same for every row.
    pub fn is_constant(&self) -> bool {
        self.constant
    }

    /// The constant's value: `Some(None)` is a constant NULL, `None` is not a constant.
    pub fn constant(&self) -> Option<Option<<&'a A as ArrayAccessor>::Item>> {
        self.constant.then(|| self.get(0))
    }
}

/// The array as its concrete type.
pub fn downcast<A: Array + 'static>(array: &ArrayRef) -> Result<&A> {
    array.as_any().downcast_ref::<A>().ok_or_else(|| {
        let want = std::any::type_name::<A>();
        Error::internal(format!("a column of type {} was read as {want}", array.data_type()))
    })
}

/// An array that repeats the only element of another one this many times.
pub fn repeat(one: &ArrayRef, rows: usize) -> Result<ArrayRef> {
    if rows == 1 {
        return Ok(one.clone());
    }
    let array = one.as_ref();
    downcast_primitive_array! {
        array => Ok(repeat_number(array, rows)),
        _ => {
            let first = UInt32Array::from(vec![0; rows]);
            take(one, &first, None)
                .map_err(|error| Error::internal("cannot repeat a constant").with_source(error))
        }
    }
}

fn repeat_number<T: ArrowPrimitiveType>(one: &PrimitiveArray<T>, rows: usize) -> ArrayRef {
    if one.is_null(0) {
        return new_null_array(one.data_type(), rows);
    }
    let numbers = PrimitiveArray::<T>::from_value(one.value(0), rows);
    Arc::new(numbers.with_data_type(one.data_type().clone()))
}
