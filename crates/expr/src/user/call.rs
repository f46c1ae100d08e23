//! Functions made from closures.

use std::cell::Cell;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Fields};
use flott_types::{Error, Result, RowField, TypeKind};

use super::types::{SqlRow, SqlType, typed};
use super::{Body, FunctionDefinition, FunctionKind, Typed};
use crate::function::Determinism;
use crate::value::Value;

/// A closure that can be a function: it has up to five parameters.
pub trait FunctionBody<Args>: Send + Sync + 'static {
    /// What it returns.
    type Returned;

    /// The types of its parameters.
    fn params() -> Vec<Typed>;

    /// Calls it for a row; `None` if an argument is NULL and its parameter cannot be.
    ///
    /// # Errors
    /// If an argument is not of its parameter's type.
    fn call(&self, args: &[Value], row: usize) -> Result<Option<Self::Returned>>;
}

pub(super) fn argument<T: SqlType>(args: &[Value], at: usize, row: usize) -> Result<Option<T>> {
    let value = args.get(at).ok_or_else(|| Error::internal("a function lacks an argument"))?;
    if value.is_null(row) && !T::NULLABLE {
        return Ok(None);
    }
    T::read(value.held().as_ref(), value.position(row)).map(Some)
}

macro_rules! bodies {
    ($(($($name:ident $at:tt $value:ident),*))*) => {
        $(impl<Func, Out, $($name: SqlType),*> FunctionBody<($($name,)*)> for Func
        where
            Func: Fn($($name),*) -> Out + Send + Sync + 'static,
        {
            type Returned = Out;

            fn params() -> Vec<Typed> {
                vec![$(typed::<$name>()),*]
            }

            fn call(&self, args: &[Value], row: usize) -> Result<Option<Out>> {
                let _ = (args, row);
                $(let Some($value) = argument::<$name>(args, $at, row)? else { return Ok(None) };)*
                Ok(Some(self($($value),*)))
            }
        })*
    };
}

bodies! {
    ()
    (A 0 a)
    (A 0 a, B 1 b)
    (A 0 a, B 1 b, C 2 c)
    (A 0 a, B 1 b, C 2 c, D 3 d)
    (A 0 a, B 1 b, C 2 c, D 3 d, E 4 e)
}

/// What a closure may return: a value, or a `Result` of one. An error ends the job.
pub trait Returned<T> {
    /// The value.
    ///
    /// # Errors
    /// The error of the function.
    fn returned(self) -> Result<T>;
}

impl<T: SqlType> Returned<T> for T {
    fn returned(self) -> Result<T> {
        Ok(self)
    }
}

impl<T> Returned<T> for Result<T> {
    fn returned(self) -> Result<T> {
        self
    }
}

impl<T: SqlRow> Returned<Vec<T>> for Vec<T> {
    fn returned(self) -> Result<Vec<T>> {
        Ok(self)
    }
}

/// A function that returns a value for each row.
///
/// ```
/// use flott_expr::user::scalar;
///
/// let shout = scalar(|text: String, times: Option<i32>| text.to_uppercase() + &"!".repeat(times.unwrap_or(1) as usize));
/// # let _ = shout;
/// ```
pub fn scalar<Args, T: SqlType, F: FunctionBody<Args>>(body: F) -> FunctionDefinition
where
    F::Returned: Returned<T>,
{
    FunctionDefinition {
        kind: FunctionKind::Scalar,
        params: F::params(),
        names: Vec::new(),
        result: typed::<T>(),
        determinism: Determinism::Always,
        body: Body::Rows(Arc::new(move |args, rows, _, computed| {
            let value = |row| {
                computed.set(row);
                body.call(args, row)?.map(Returned::returned).transpose()
            };
            Ok(T::array((0..rows).map(value).collect::<Result<_>>()?))
        })),
    }
}

/// What a function returns whose rows have these columns, `f0`, `f1`, ... unless they get other names.
pub(super) fn rows_of<T: SqlRow>() -> Typed {
    let fields = (0..).zip(T::types()).map(|(at, Typed { kind, nullable })| RowField {
        name: format!("f{at}"),
        ty: kind.with_nullable(nullable),
        comment: None,
    });
    let row = TypeKind::Row(fields.collect()).not_null();
    Typed { kind: TypeKind::Array(Box::new(row)), nullable: false }
}

/// A function that returns rows for each row: a `Vec` of values, or of tuples with a column for each field.
///
/// ```
/// use flott_expr::user::table;
///
/// let words = table(|text: String| text.split(' ').map(|word| (word.to_owned(), word.len() as i32)).collect::<Vec<_>>())
///     .columns(["word", "length"]);
/// # let _ = words;
/// ```
pub fn table<Args, T: SqlRow, F: FunctionBody<Args>>(body: F) -> FunctionDefinition
where
    F::Returned: Returned<Vec<T>>,
{
    FunctionDefinition {
        kind: FunctionKind::Table,
        params: F::params(),
        names: Vec::new(),
        result: rows_of::<T>(),
        determinism: Determinism::Always,
        body: Body::Rows(Arc::new(move |args, rows, wanted, computed| {
            lists(&body, args, rows, wanted, computed)
        })),
    }
}

fn lists<Args, T: SqlRow, F: FunctionBody<Args>>(
    body: &F,
    args: &[Value],
    rows: usize,
    wanted: &DataType,
    computed: &Cell<usize>,
) -> Result<ArrayRef>
where
    F::Returned: Returned<Vec<T>>,
{
    let (mut all, mut lengths, mut valid) = (Vec::new(), Vec::with_capacity(rows), Vec::with_capacity(rows));
    for at in 0..rows {
        computed.set(at);
        let mut returned = match body.call(args, at)? {
            Some(returned) => Some(returned.returned()?),
            None => None,
        };
        valid.push(returned.is_some());
        let before = all.len();
        all.append(returned.get_or_insert_default());
        lengths.push(all.len() - before);
    }
    let failed = |error| Error::internal("the rows of a table function").with_source(error);
    let DataType::List(item) = wanted else {
        return Err(Error::internal("a table function returns an ARRAY"));
    };
    let fields: Fields = match item.data_type() {
        DataType::Struct(fields) => fields.clone(),
        _ => Fields::empty(),
    };
    let count = all.len();
    let columns = T::columns(all);
    let structs = StructArray::try_new_with_length(fields, columns, None, count).map_err(failed)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls = NullBuffer::from(valid);
    let nulls = (nulls.null_count() > 0).then_some(nulls);
    Ok(Arc::new(ListArray::try_new(item.clone(), offsets, Arc::new(structs), nulls).map_err(failed)?))
}
