//! The types of a component's interface as types of SQL.
//!
//! | interface | SQL |
//! |---|---|
//! | `bool` | BOOLEAN |
//! | `s8`, `s16`, `s32`, `s64` | TINYINT, SMALLINT, INT, BIGINT |
//! | `f32`, `f64` | FLOAT, DOUBLE |
//! | `string`, `list<u8>` | STRING, BYTES |
//! | `option<t>` | the same with NULL |
//! | `result<t, string>` as a result | an error fails the job |
//! | `list` of one of these, of a `tuple` or a `record` as a result | the rows of a table function |

use flott_expr::user::{FunctionKind, Typed};
use flott_types::{Error, Result, RowField, TypeKind};
use wasmtime::component::Type;
use wasmtime::component::types::ComponentFunc;

/// A value without NULL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Bool,
    S8,
    S16,
    S32,
    S64,
    F32,
    F64,
    Text,
    Bytes,
}

/// A value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    pub kind: Kind,
    /// Whether it may be NULL.
    pub optional: bool,
}

/// How the columns of a row stand in a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RowForm {
    /// The row is its only column.
    Single,
    Tuple,
    Record,
}

/// What a function returns.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Returns {
    Value(Shape),
    Rows(RowForm, Vec<(String, Shape)>),
}

/// The types of a function.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Signature {
    pub params: Vec<(String, Shape)>,
    pub returns: Returns,
    /// Whether it returns a `result`.
    pub fallible: bool,
}

impl Shape {
    fn of(ty: &Type) -> Option<Shape> {
        let kind = match ty {
            Type::Bool => Kind::Bool,
            Type::S8 => Kind::S8,
            Type::S16 => Kind::S16,
            Type::S32 => Kind::S32,
            Type::S64 => Kind::S64,
            Type::Float32 => Kind::F32,
            Type::Float64 => Kind::F64,
            Type::String => Kind::Text,
            Type::List(list) if list.ty() == Type::U8 => Kind::Bytes,
            Type::Option(inner) => {
                let inner = Shape::of(&inner.ty()).filter(|inner| !inner.optional)?;
                return Some(Shape { optional: true, ..inner });
            }
            _ => return None,
        };
        Some(Shape { kind, optional: false })
    }

    pub fn typed(self) -> Typed {
        let kind = match self.kind {
            Kind::Bool => TypeKind::Boolean,
            Kind::S8 => TypeKind::TinyInt,
            Kind::S16 => TypeKind::SmallInt,
            Kind::S32 => TypeKind::Int,
            Kind::S64 => TypeKind::BigInt,
            Kind::F32 => TypeKind::Float,
            Kind::F64 => TypeKind::Double,
            Kind::Text => TypeKind::STRING,
            Kind::Bytes => TypeKind::BYTES,
        };
        Typed { kind, nullable: self.optional }
    }
}

impl Signature {
    /// # Errors
    /// If there is no SQL type for a type of the function.
    pub fn of(function: &ComponentFunc) -> Result<Signature> {
        let params = function.params().map(|(name, ty)| {
            let shape = Shape::of(&ty).ok_or_else(|| no_type(&format!("its parameter '{name}'"), &ty))?;
            Ok((column(name), shape))
        });
        let params = params.collect::<Result<Vec<_>>>()?;
        let mut results = function.results();
        let (Some(result), None) = (results.next(), results.next()) else {
            return Err(Error::invalid(
                "it returns nothing, and a function of SQL returns a value or a list of rows",
            ));
        };
        let (result, fallible) = match &result {
            Type::Result(either) => match (either.ok(), either.err()) {
                (Some(ok), None | Some(Type::String)) => (ok, true),
                _ => return Err(no_type("its result", &result)),
            },
            _ => (result, false),
        };
        let returns = returned(&result).ok_or_else(|| no_type("its result", &result))?;
        Ok(Signature { params, returns, fallible })
    }

    pub fn kind(&self) -> FunctionKind {
        match self.returns {
            Returns::Value(_) => FunctionKind::Scalar,
            Returns::Rows(..) => FunctionKind::Table,
        }
    }

    pub fn result(&self) -> Typed {
        match &self.returns {
            Returns::Value(shape) => shape.typed(),
            Returns::Rows(_, columns) => {
                let field = |(name, shape): &(String, Shape)| {
                    let Typed { kind, nullable } = shape.typed();
                    RowField { name: name.clone(), ty: kind.with_nullable(nullable), comment: None }
                };
                let row = TypeKind::Row(columns.iter().map(field).collect()).not_null();
                Typed { kind: TypeKind::Array(Box::new(row)), nullable: false }
            }
        }
    }
}

fn returned(ty: &Type) -> Option<Returns> {
    if let Some(shape) = Shape::of(ty) {
        return Some(Returns::Value(shape));
    }
    let Type::List(list) = ty else { return None };
    let row = list.ty();
    if let Some(shape) = Shape::of(&row) {
        return Some(Returns::Rows(RowForm::Single, vec![("f0".to_owned(), shape)]));
    }
    match row {
        Type::Tuple(tuple) => {
            let shapes = tuple.types().enumerate().map(|(at, ty)| Some((format!("f{at}"), Shape::of(&ty)?)));
            Some(Returns::Rows(RowForm::Tuple, shapes.collect::<Option<_>>()?))
        }
        Type::Record(record) => {
            let shapes = record.fields().map(|field| Some((column(field.name), Shape::of(&field.ty)?)));
            Some(Returns::Rows(RowForm::Record, shapes.collect::<Option<_>>()?))
        }
        _ => None,
    }
}

/// Names of interfaces have hyphens, those of SQL do not.
fn column(name: &str) -> String {
    name.replace('-', "_")
}

fn no_type(what: &str, ty: &Type) -> Error {
    let name = match ty {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => "an unsigned number: take s32 or s64",
        Type::Char => "a char: take string",
        Type::List(_) => "a list of another type than u8",
        _ => "of a type that SQL does not have",
    };
    Error::invalid(format!(
        "{what} is {name}; there are bool, s8, s16, s32, s64, f32, f64, string and list<u8>, option of them, as a result also \
         result<_, string> and lists of them, of tuples and of records"
    ))
}
