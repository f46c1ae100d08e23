//! MAP_KEYS, MAP_VALUES, MAP_ENTRIES, MAP_FROM_ARRAYS, MAP_UNION.

use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray, UInt32Array};
use arrow::datatypes::DataType;
use flott_batch::arrow_type::to_arrow;
use flott_expr::function::{Argument, Call, Function, Signature, any_nullable, no_signature};
use flott_expr::typing::merge;
use flott_expr::value::Value;
use flott_types::{Error, LogicalType, Result, RowField, TypeKind};

use super::lists::{Encoder, Lists, Maps, Picker, Pool, arrow_error, conform, element_type, maps_of};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "MAP_KEYS",
        |args, _| infer_part("MAP_KEYS", args, |key, _| key.clone()),
        |args, call| part(args, call, |maps| Ok(maps.keys().clone())),
    ),
    Function::new(
        "MAP_VALUES",
        |args, _| infer_part("MAP_VALUES", args, |_, value| value.clone()),
        |args, call| part(args, call, |maps| Ok(maps.values().clone())),
    ),
    Function::new("MAP_ENTRIES", |args, _| infer_part("MAP_ENTRIES", args, entry), entries),
    Function::new("MAP_FROM_ARRAYS", |args, _| infer_from_arrays(args), from_arrays),
    Function::new("MAP_UNION", |args, _| infer_union(args), union),
];

fn entry(key: &LogicalType, value: &LogicalType) -> LogicalType {
    let field =
        |name: &str, ty: &LogicalType| RowField { name: name.to_owned(), ty: ty.clone(), comment: None };
    TypeKind::Row(vec![field("key", key), field("value", value)]).nullable()
}

fn infer_part(
    name: &str,
    args: &[Argument<'_>],
    element: fn(&LogicalType, &LogicalType) -> LogicalType,
) -> Result<Signature> {
    match args {
        [map] => match &map.ty.kind {
            TypeKind::Map(key, value) => {
                let array = TypeKind::Array(Box::new(element(key, value)));
                Ok(Signature::as_is(args, array.with_nullable(map.ty.nullable)))
            }
            _ => Err(no_signature(name, args, &[&format!("{name}(input <MAP>)")])),
        },
        _ => Err(no_signature(name, args, &[&format!("{name}(input <MAP>)")])),
    }
}

fn part(args: &[Value], call: &Call<'_>, of: impl Fn(&Maps<'_>) -> Result<ArrayRef>) -> Result<ArrayRef> {
    let maps = Maps::of(&args[0])?;
    let pool = of(&maps)?;
    let mut picker = Picker::new(call.rows);
    for row in 0..call.rows {
        let range = maps.range(row);
        let valid = range.is_some();
        range.into_iter().flatten().for_each(|at| picker.pick(at));
        picker.end(valid);
    }
    picker.lists(&pool, call)
}

fn entries(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let DataType::List(item) = to_arrow(call.result) else {
        return Err(Error::internal("MAP_ENTRIES gives no array"));
    };
    let DataType::Struct(fields) = item.data_type() else {
        return Err(Error::internal("MAP_ENTRIES gives no rows"));
    };
    part(args, call, |maps| {
        let columns =
            vec![conform(maps.keys().clone(), &fields[0])?, conform(maps.values().clone(), &fields[1])?];
        Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None).map_err(arrow_error)?))
    })
}

fn infer_from_arrays(args: &[Argument<'_>]) -> Result<Signature> {
    let form = ["MAP_FROM_ARRAYS(keysArray <ARRAY>, valuesArray <ARRAY>)"];
    let [keys, values] = args else {
        return Err(no_signature("MAP_FROM_ARRAYS", args, &form));
    };
    match (element_type(keys), element_type(values)) {
        (Some(key), Some(value)) => {
            let map = TypeKind::Map(Box::new(key.clone()), Box::new(value.clone()));
            Ok(Signature::as_is(args, map.with_nullable(any_nullable(args))))
        }
        _ => Err(no_signature("MAP_FROM_ARRAYS", args, &form)),
    }
}

/// If keys are equal, the last value wins, at the position of the first.
struct Merger {
    keys: Vec<u32>,
    values: Vec<u32>,
    offsets: Vec<i32>,
    valid: Vec<bool>,
}

impl Merger {
    fn new() -> Merger {
        Merger { keys: Vec::new(), values: Vec::new(), offsets: vec![0], valid: Vec::new() }
    }

    fn add(&mut self, key: usize, value: usize, encoded: &arrow::row::Rows) {
        let start = self.offsets.last().map_or(0, |offset| *offset as usize);
        let known =
            self.keys[start..].iter().position(|known| encoded.row(*known as usize) == encoded.row(key));
        match known {
            Some(at) => self.values[start + at] = value as u32,
            None => {
                self.keys.push(key as u32);
                self.values.push(value as u32);
            }
        }
    }

    fn end(&mut self, valid: bool) {
        let start = self.offsets.last().map_or(0, |offset| *offset as usize);
        if !valid {
            self.keys.truncate(start);
            self.values.truncate(start);
        }
        self.offsets.push(self.keys.len() as i32);
        self.valid.push(valid);
    }

    fn finish(self, keys: &ArrayRef, values: &ArrayRef, call: &Call<'_>) -> Result<ArrayRef> {
        let keys = call.room().take(keys, &UInt32Array::from(self.keys))?;
        let values = call.room().take(values, &UInt32Array::from(self.values))?;
        maps_of(keys, values, self.offsets, self.valid, call.result)
    }
}

fn from_arrays(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (keys, values) = (Lists::of(&args[0])?, Lists::of(&args[1])?);
    let encoded = Encoder::new(keys.elements().data_type())?.encode(keys.elements())?;
    let mut merger = Merger::new();
    for row in 0..call.rows {
        let (Some(key), Some(value)) = (keys.range(row), values.range(row)) else {
            merger.end(false);
            continue;
        };
        if key.len() != value.len() {
            return Err(Error::data(format!(
                "Invalid function MAP_FROM_ARRAYS call: The length of the keys array {} is not equal to the length of \
                 the values array {}",
                key.len(),
                value.len()
            )));
        }
        for (key, value) in key.zip(value) {
            if arrow::array::Array::is_null(keys.elements(), key) {
                return Err(Error::data("a key of MAP_FROM_ARRAYS is NULL"));
            }
            merger.add(key, value, &encoded);
        }
        merger.end(true);
    }
    merger.finish(keys.elements(), values.elements(), call)
}

fn infer_union(args: &[Argument<'_>]) -> Result<Signature> {
    let form = ["MAP_UNION(<COMMON>, <COMMON>...)"];
    if args.is_empty() || !args.iter().all(|arg| matches!(arg.ty.kind, TypeKind::Map(..))) {
        return Err(no_signature("MAP_UNION", args, &form));
    }
    let types: Vec<LogicalType> = args.iter().map(|arg| arg.ty.clone()).collect();
    let common = merge(&types).ok_or_else(|| no_signature("MAP_UNION", args, &form))?;
    Ok(Signature {
        casts: types.iter().map(|ty| common.clone().with_nullable(ty.nullable)).collect(),
        result: common.with_nullable(any_nullable(args)),
    })
}

/// NULL if any map is; if keys are equal, the last one wins.
fn union(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let maps = args.iter().map(Maps::of).collect::<Result<Vec<_>>>()?;
    let keys = Pool::new(&maps.iter().map(Maps::keys).collect::<Vec<_>>(), call)?;
    let values = Pool::new(&maps.iter().map(Maps::values).collect::<Vec<_>>(), call)?;
    let encoded = Encoder::new(keys.all.data_type())?.encode(&keys.all)?;
    let mut merger = Merger::new();
    for row in 0..call.rows {
        let ranges: Option<Vec<_>> = maps.iter().map(|maps| maps.range(row)).collect();
        let valid = ranges.is_some();
        for (which, range) in ranges.into_iter().flatten().enumerate() {
            for at in range {
                merger.add(keys.starts[which] + at, values.starts[which] + at, &encoded);
            }
        }
        merger.end(valid);
    }
    merger.finish(&keys.all, &values.all, call)
}
