//! ARRAY_CONTAINS, ARRAY_POSITION, ARRAY_REMOVE: look for an element; NULL finds NULL.

use arrow::array::ArrayRef;
use arrow::datatypes::Int32Type;
use flott_expr::function::{Argument, Call, Function, Signature, no_signature};
use flott_expr::typing::casts::is_implicit;
use flott_expr::value::Value;
use flott_types::{LogicalType, Result, TypeKind};

use super::lists::{Encoder, Lists, Picker, element_type};
use crate::build::{booleans, primitives};
use crate::check::nullable_if;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "ARRAY_CONTAINS",
        |args, _| {
            let casts = with_element("ARRAY_CONTAINS", ["haystack", "needle"], args)?;
            Ok(Signature { casts, result: TypeKind::Boolean.with_nullable(args[0].ty.nullable) })
        },
        |args, call| {
            let finder = Finder::new(args)?;
            Ok(booleans(call.rows, |row| Some(finder.find(row)?.is_some())))
        },
    ),
    Function::new(
        "ARRAY_POSITION",
        |args, _| {
            let casts = with_element("ARRAY_POSITION", ["haystack", "needle"], args)?;
            Ok(Signature { casts, result: nullable_if(TypeKind::Int, args) })
        },
        |args, call| {
            let finder = Finder::new(args)?;
            Ok(primitives::<Int32Type>(call.rows, |row| {
                if args[1].is_null(row) {
                    return None;
                }
                Some(finder.find(row)?.map_or(0, |at| at as i32 + 1))
            }))
        },
    ),
    Function::new(
        "ARRAY_REMOVE",
        |args, _| {
            let casts = with_element("ARRAY_REMOVE", ["haystack", "needle"], args)?;
            Ok(Signature { casts, result: args[0].ty.clone() })
        },
        remove,
    ),
];

/// The casts of (array, element): the element's type must widen to the array's. Strings keep their length,
/// but for texts of a fixed length in arrays of such texts: as in Flink, they are cut or padded.
pub(super) fn with_element(name: &str, names: [&str; 2], args: &[Argument<'_>]) -> Result<Vec<LogicalType>> {
    let form = format!("{name}({} <ARRAY>, {} <ARRAY ELEMENT>)", names[0], names[1]);
    let [array, element] = args else {
        return Err(no_signature(name, args, &[&form]));
    };
    let own = element_type(array).ok_or_else(|| no_signature(name, args, &[&form]))?;
    let given = element.ty;
    let fits = given.kind == TypeKind::Null || given.same_kind(own) || is_implicit(&given.kind, &own.kind);
    if !fits {
        return Err(no_signature(name, args, &[&form]));
    }
    let is_fixed = matches!((&given.kind, &own.kind), (TypeKind::Char(_), TypeKind::Char(_)));
    let is_text = given.kind.is_character() && own.kind.is_character() && !is_fixed;
    let cast = if is_text { given.clone() } else { own.clone().with_nullable(given.nullable) };
    Ok(vec![array.ty.clone(), cast])
}

struct Finder<'a> {
    lists: Lists<'a>,
    elements: arrow::row::Rows,
    wanted: arrow::row::Rows,
    needle: &'a Value,
}

impl<'a> Finder<'a> {
    fn new(args: &'a [Value]) -> Result<Finder<'a>> {
        let lists = Lists::of(&args[0])?;
        let encoder = Encoder::new(lists.elements().data_type())?;
        let (elements, wanted) = (encoder.encode(lists.elements())?, encoder.encode(args[1].held())?);
        Ok(Finder { lists, elements, wanted, needle: &args[1] })
    }

    fn is_wanted(&self, row: usize, at: usize) -> bool {
        self.elements.row(at) == self.wanted.row(self.needle.position(row))
    }

    /// The outer `None` is a NULL array.
    fn find(&self, row: usize) -> Option<Option<usize>> {
        let range = self.lists.range(row)?;
        let start = range.start;
        Some(range.into_iter().find(|at| self.is_wanted(row, *at)).map(|at| at - start))
    }
}

fn remove(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let finder = Finder::new(args)?;
    let mut picker = Picker::new(call.rows);
    for row in 0..call.rows {
        let range = finder.lists.range(row);
        let valid = range.is_some();
        for at in range.into_iter().flatten() {
            if !finder.is_wanted(row, at) {
                picker.pick(at);
            }
        }
        picker.end(valid);
    }
    picker.lists(finder.lists.elements(), call)
}
