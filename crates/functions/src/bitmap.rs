//! Functions on BITMAPs: sets of INTs, treated as unsigned numbers.

use std::sync::Arc;

use arrow::array::Int32Builder;
use arrow::array::{Array, ArrayRef, BinaryArray, Int32Array, ListArray, ListBuilder};
use arrow::datatypes::Int64Type;
use flott_batch::bitmap;
use flott_expr::function::{Argument, Call, Function, ScalarFunction, Signature, any_nullable, no_signature};
use flott_expr::value::{Value, downcast};
use flott_types::{Error, Result, TypeKind};
use roaring::RoaringBitmap;

use super::build::{try_binaries, try_primitives, try_strings};
use super::check::{Family, infer, nullable_if};

const ONE: &[&[Family]] = &[&[Family::Bitmap]];
const TWO: &[&[Family]] = &[&[Family::Bitmap, Family::Bitmap]];

macro_rules! of_two {
    ($name:literal, $operation:expr) => {
        Function::new(
            $name,
            infer!(with_null $name, TWO, |args| nullable_if(TypeKind::Bitmap, args)),
            |args, call| combine(args, call, $operation),
        )
    };
}

const FUNCTIONS: &[Function] = &[
    Function::new("BITMAP_BUILD", |args, _| infer_build(args), build),
    Function::new(
        "BITMAP_FROM_BYTES",
        infer!(with_null "BITMAP_FROM_BYTES", &[&[Family::Binary]], |args| nullable_if(TypeKind::Bitmap, args)),
        |args, call| {
            let bytes = args[0].view::<BinaryArray>()?;
            binaries(call, |row| bytes.get(row).map(|bytes| bitmap::write(bitmap::read(bytes)?)).transpose())
        },
    ),
    Function::new(
        "BITMAP_TO_BYTES",
        infer!(with_null "BITMAP_TO_BYTES", ONE, |args| nullable_if(TypeKind::BYTES, args)),
        |args, call| {
            let bytes = args[0].view::<BinaryArray>()?;
            binaries(call, |row| bytes.get(row).map(bitmap::to_portable).transpose())
        },
    ),
    Function::new(
        "BITMAP_TO_ARRAY",
        infer!(with_null "BITMAP_TO_ARRAY", ONE, |args| {
            nullable_if(TypeKind::Array(Box::new(TypeKind::Int.nullable())), args)
        }),
        to_array,
    ),
    Function::new(
        "BITMAP_TO_STRING",
        infer!(with_null "BITMAP_TO_STRING", ONE, |args| nullable_if(TypeKind::STRING, args)),
        |args, call| {
            let bytes = args[0].view::<BinaryArray>()?;
            try_strings(call, |row, out| {
                bytes.get(row).map(|bytes| bitmap::write_text(out, bytes)).transpose()
            })
        },
    ),
    Function::new(
        "BITMAP_CARDINALITY",
        infer!(with_null "BITMAP_CARDINALITY", ONE, |args| nullable_if(TypeKind::BigInt, args)),
        |args, call| {
            let bytes = args[0].view::<BinaryArray>()?;
            try_primitives::<Int64Type>(call.rows, |row| {
                bytes.get(row).map(|bytes| Ok(bitmap::read(bytes)?.len() as i64)).transpose()
            })
        },
    ),
    of_two!("BITMAP_AND", |a, b| a & b),
    of_two!("BITMAP_OR", |a, b| a | b),
    of_two!("BITMAP_XOR", |a, b| a ^ b),
    of_two!("BITMAP_ANDNOT", |a, b| a - b),
];

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    FUNCTIONS.iter().map(|function| function.boxed()).collect()
}

fn infer_build(args: &[Argument<'_>]) -> Result<Signature> {
    let forms = ["BITMAP_BUILD(<ARRAY<INT>>)"];
    let [array] = args else {
        return Err(no_signature("BITMAP_BUILD", args, &forms));
    };
    let fits = match &array.ty.kind {
        TypeKind::Array(element) => {
            matches!(element.kind, TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int)
        }
        kind => *kind == TypeKind::Null,
    };
    if !fits {
        return Err(no_signature("BITMAP_BUILD", args, &forms));
    }
    let nullable = any_nullable(args);
    let ints = TypeKind::Array(Box::new(TypeKind::Int.nullable())).with_nullable(nullable);
    Ok(Signature { casts: vec![ints], result: TypeKind::Bitmap.with_nullable(nullable) })
}

fn binaries(call: &Call<'_>, mut each: impl FnMut(usize) -> Result<Option<Vec<u8>>>) -> Result<ArrayRef> {
    try_binaries(call, |row, out| {
        Ok(each(row)?.map(|bytes| {
            *out = bytes;
        }))
    })
}

/// NULLs in the array are ignored.
fn build(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let lists = downcast::<ListArray>(args[0].held())?;
    let numbers = lists.values().as_any().downcast_ref::<Int32Array>();
    let numbers = numbers.ok_or_else(|| Error::internal("BITMAP_BUILD of other numbers than INT"))?;
    binaries(call, |row| {
        let at = args[0].position(row);
        if lists.is_null(at) {
            return Ok(None);
        }
        let offsets = lists.value_offsets();
        let range = offsets[at] as usize..offsets[at + 1] as usize;
        let set: RoaringBitmap =
            range.filter(|at| numbers.is_valid(*at)).map(|at| numbers.value(at) as u32).collect();
        bitmap::write(set).map(Some)
    })
}

fn to_array(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = args[0].view::<BinaryArray>()?;
    let mut lists = ListBuilder::new(Int32Builder::new());
    for row in 0..call.rows {
        if let Some(bytes) = bytes.get(row) {
            for number in bitmap::read(bytes)? {
                lists.values().append_value(number as i32);
            }
            call.room().fits(size_of_val(lists.values().values_slice()))?;
            lists.append(true);
        } else {
            lists.append(false);
        }
    }
    Ok(Arc::new(lists.finish()))
}

fn combine(
    args: &[Value],
    call: &Call<'_>,
    operation: fn(RoaringBitmap, RoaringBitmap) -> RoaringBitmap,
) -> Result<ArrayRef> {
    let (left, right) = (args[0].view::<BinaryArray>()?, args[1].view::<BinaryArray>()?);
    binaries(call, |row| match (left.get(row), right.get(row)) {
        (Some(left), Some(right)) => {
            bitmap::write(operation(bitmap::read(left)?, bitmap::read(right)?)).map(Some)
        }
        _ => Ok(None),
    })
}
