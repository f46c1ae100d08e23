//! IN over a list of constants: one lookup per row instead of one comparison per candidate.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray};
use arrow::datatypes::{Date32Type, Int8Type, Int16Type, Int32Type, Int64Type};
use flott_expr::function::{Argument, Call, PreparedFunction};
use flott_expr::kernel::as_ref;
use flott_expr::value::Value;
use flott_plan::Literal;
use flott_types::{Error, FastSet, Result, TypeKind};

/// With fewer candidates, comparing with each is faster than hashing.
const WORTH: usize = 4;

#[derive(Debug)]
struct InSet {
    members: Members,
    /// NULL is in the list: a value that is not found gives NULL, not FALSE.
    has_null: bool,
}

#[derive(Debug)]
enum Members {
    Integers(FastSet<i64>),
    Texts(FastSet<Box<str>>),
}

/// A set if the list is long, constant and of integers, dates or strings.
pub(super) fn prepare(args: &[Argument<'_>]) -> Result<Option<Box<dyn PreparedFunction>>> {
    let [value, list @ ..] = args else { return Ok(None) };
    let kind = &value.ty.kind;
    let is_integer = kind.is_integer() || *kind == TypeKind::Date;
    if list.len() < WORTH || !is_integer && !kind.is_character() || value.literal.is_some() {
        return Ok(None);
    }
    let (mut integers, mut texts, mut has_null) = (FastSet::default(), FastSet::default(), false);
    for candidate in list {
        match candidate.literal {
            Some(Literal::Null) => has_null = true,
            Some(Literal::Integer(member)) if is_integer => drop(integers.insert(*member)),
            Some(Literal::String(member)) if !is_integer => drop(texts.insert(member.as_str().into())),
            _ => return Ok(None),
        }
    }
    let members = if is_integer { Members::Integers(integers) } else { Members::Texts(texts) };
    Ok(Some(Box::new(InSet { members, has_null })))
}

impl PreparedFunction for InSet {
    fn evaluate(&self, args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
        let values = args[0].to_array(call.rows)?;
        let found = match (&self.members, &call.arg_types[0].kind) {
            (Members::Integers(set), TypeKind::TinyInt) => self.integers::<Int8Type>(&values, set),
            (Members::Integers(set), TypeKind::SmallInt) => self.integers::<Int16Type>(&values, set),
            (Members::Integers(set), TypeKind::Int) => self.integers::<Int32Type>(&values, set),
            (Members::Integers(set), TypeKind::BigInt) => self.integers::<Int64Type>(&values, set),
            (Members::Integers(set), _) => self.integers::<Date32Type>(&values, set),
            (Members::Texts(set), _) => values.as_string_opt::<i32>().map(|texts| {
                texts.iter().map(|text| self.answer(text.map(|text| set.contains(text)))).collect()
            }),
        };
        let wrong = || Error::internal(format!("IN over a column of type {}", values.data_type()));
        Ok(as_ref(found.ok_or_else(wrong)?))
    }
}

impl InSet {
    fn integers<T>(&self, values: &ArrayRef, set: &FastSet<i64>) -> Option<BooleanArray>
    where
        T: ArrowPrimitiveType,
        T::Native: Into<i64>,
    {
        let values = values.as_primitive_opt::<T>()?;
        Some(values.iter().map(|value| self.answer(value.map(|value| set.contains(&value.into())))).collect())
    }

    fn answer(&self, found: Option<bool>) -> Option<bool> {
        found.filter(|found| *found || !self.has_null)
    }
}
