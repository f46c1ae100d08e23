//! Types of aggregate and ranking functions.

use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::typing::casts::is_implicit;
use crate::typing::decimal;

/// The types of an aggregate function's arguments.
type Types<'a> = &'a [LogicalType];

/// Whether there is an aggregate or ranking function of this name.
pub fn is_aggregate(name: &str) -> bool {
    NAMES.contains(&name.to_ascii_uppercase().as_str())
}

/// The names of all aggregate and ranking functions.
pub const NAMES: &[&str] = &[
    "APPROX_COUNT_DISTINCT",
    "ARRAY_AGG",
    "AVG",
    "BITMAP_AND_AGG",
    "BITMAP_AND_CARDINALITY_AGG",
    "BITMAP_BUILD_AGG",
    "BITMAP_BUILD_CARDINALITY_AGG",
    "BITMAP_OR_AGG",
    "BITMAP_OR_CARDINALITY_AGG",
    "BITMAP_XOR_AGG",
    "BITMAP_XOR_CARDINALITY_AGG",
    "COLLECT",
    "COUNT",
    "CUME_DIST",
    "DENSE_RANK",
    "FIRST_VALUE",
    "JSON_ARRAYAGG",
    "JSON_OBJECTAGG",
    "LAG",
    "LAST_VALUE",
    "LEAD",
    "LISTAGG",
    "MAX",
    "MIN",
    "NTILE",
    "PERCENTILE",
    "PERCENT_RANK",
    "RANK",
    "ROW_NUMBER",
    "SINGLE_VALUE",
    "STDDEV",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "SUM",
    "SUM0",
    "VARIANCE",
    "VAR_POP",
    "VAR_SAMP",
];

/// The canonical name of an aggregate function: `STDDEV` is `STDDEV_SAMP`, `VARIANCE` is `VAR_SAMP`.
pub fn canonical(name: &str) -> String {
    match name.to_ascii_uppercase().as_str() {
        "STDDEV" => "STDDEV_SAMP".to_owned(),
        "VARIANCE" => "VAR_SAMP".to_owned(),
        other => other.to_owned(),
    }
}

/// The type of the result. No argument means `COUNT(*)`. `grouped` is false for an aggregation over all rows,
/// whose result is NULL if there are none.
pub fn infer(function: &str, args: Types<'_>, distinct: bool, grouped: bool) -> Result<LogicalType> {
    let name = canonical(function);
    let refuse = |forms: &str| {
        let types = args.iter().map(|ty| format!("<{}>", ty.kind)).collect::<Vec<_>>().join(", ");
        Error::invalid(format!(
            "Cannot apply '{name}' to arguments of type '{name}({types})'. Supported form(s): '{forms}'"
        ))
    };
    let numeric = |forms: &str| match args {
        [arg] if arg.kind.is_numeric() => Ok(arg),
        _ => Err(refuse(forms)),
    };
    // Without GROUP BY, no rows at all give NULL.
    let nullable = |ty: &LogicalType| !grouped || ty.nullable;
    Ok(match name.as_str() {
        "COUNT" if distinct && args.len() != 1 => {
            return Err(refuse("COUNT(DISTINCT <ANY>)"));
        }
        "COUNT" if args.len() > 1 => return Err(refuse("COUNT(<ANY>)")),
        "COUNT" => TypeKind::BigInt.not_null(),
        "APPROX_COUNT_DISTINCT" if args.len() == 1 => TypeKind::BigInt.not_null(),
        "SUM" | "SUM0" => {
            let arg = numeric("SUM(<NUMERIC>)")?;
            let kind = match arg.kind {
                TypeKind::Decimal(_, scale) => TypeKind::Decimal(decimal::MAX_PRECISION, scale),
                ref kind => kind.clone(),
            };
            kind.with_nullable(name == "SUM" && nullable(arg))
        }
        "AVG" => {
            let arg = numeric("AVG(<NUMERIC>)")?;
            average(&arg.kind).with_nullable(nullable(arg))
        }
        "STDDEV_POP" | "STDDEV_SAMP" | "VAR_POP" | "VAR_SAMP" => {
            let arg = numeric(&format!("{name}(<NUMERIC>)"))?;
            // A single row has no sample variance.
            average(&arg.kind).with_nullable(nullable(arg) || name.ends_with("SAMP"))
        }
        "MIN" | "MAX" => match args {
            [arg] if is_ordered(&arg.kind) => arg.clone().with_nullable(nullable(arg)),
            _ => return Err(refuse(&format!("{name}(<COMPARABLE_TYPE>)"))),
        },
        "FIRST_VALUE" | "LAST_VALUE" | "SINGLE_VALUE" => match args {
            [arg] => arg.clone().with_nullable(nullable(arg)),
            _ => return Err(refuse(&format!("{name}(<ANY>)"))),
        },
        "LISTAGG" => match args {
            [value] if value.kind.is_character() => TypeKind::STRING.with_nullable(nullable(value)),
            [value, separator] if value.kind.is_character() && separator.kind.is_character() => {
                TypeKind::STRING.with_nullable(nullable(value))
            }
            _ => return Err(refuse("LISTAGG(<CHARACTER>[, <CHARACTER>])")),
        },
        "COLLECT" => match args {
            [arg] => TypeKind::Multiset(Box::new(arg.clone())).not_null(),
            _ => return Err(refuse("COLLECT(<ANY>)")),
        },
        "ARRAY_AGG" => match args {
            [arg] => TypeKind::Array(Box::new(arg.clone())).nullable(),
            _ => return Err(refuse("ARRAY_AGG(<ANY>)")),
        },
        "JSON_OBJECTAGG" => match args {
            [key, value] if key.kind.is_character() => {
                json_value(value)?;
                TypeKind::Varchar(2000).not_null()
            }
            _ => return Err(refuse("JSON_OBJECTAGG(<CHARACTER>, <ANY>)")),
        },
        "JSON_ARRAYAGG" => match args {
            [value] => {
                json_value(value)?;
                TypeKind::Varchar(2000).not_null()
            }
            _ => return Err(refuse("JSON_ARRAYAGG(<ANY>)")),
        },
        "BITMAP_BUILD_AGG" | "BITMAP_BUILD_CARDINALITY_AGG" => match args {
            [arg] if matches!(arg.kind, TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int) => {
                bitmap_result(&name)
            }
            _ => return Err(refuse(&format!("{name}(<INT>)"))),
        },
        bitmap if bitmap.starts_with("BITMAP_") && NAMES.contains(&bitmap) => match args {
            [arg] if arg.kind == TypeKind::Bitmap => bitmap_result(&name),
            _ => return Err(refuse(&format!("{name}(<BITMAP>)"))),
        },
        "PERCENTILE" => match args {
            [value, percentage, rest @ ..]
                if value.kind.is_numeric()
                    && rest.len() <= 1
                    && rest.iter().all(|frequency| frequency.kind.is_integer()) =>
            {
                match &percentage.kind {
                    kind if kind.is_numeric() => TypeKind::Double.nullable(),
                    TypeKind::Array(element) if element.kind.is_numeric() => {
                        TypeKind::Array(Box::new(TypeKind::Double.nullable())).nullable()
                    }
                    _ => {
                        return Err(refuse("PERCENTILE(<NUMERIC>, <NUMERIC> | ARRAY<NUMERIC>[, <INTEGER>])"));
                    }
                }
            }
            _ => {
                return Err(refuse("PERCENTILE(<NUMERIC>, <NUMERIC> | ARRAY<NUMERIC>[, <INTEGER>])"));
            }
        },
        "ROW_NUMBER" | "RANK" | "DENSE_RANK" if args.is_empty() => TypeKind::BigInt.not_null(),
        "CUME_DIST" | "PERCENT_RANK" if args.is_empty() => TypeKind::Double.not_null(),
        "NTILE" => match args {
            [buckets] if buckets.kind.is_integer() => TypeKind::BigInt.not_null(),
            _ => return Err(refuse("NTILE(<INTEGER>)")),
        },
        "LEAD" | "LAG" => match args {
            [value] => value.clone().with_nullable(true),
            [value, offset] if offset.kind.is_integer() => value.clone().with_nullable(true),
            [value, offset, default]
                if offset.kind.is_integer() && !is_implicit(&default.kind, &value.kind) =>
            {
                return Err(Error::invalid(format!(
                    "Please explicitly cast default value {default} to {value}."
                )));
            }
            [value, offset, default] if offset.kind.is_integer() => {
                value.clone().with_nullable(value.nullable || default.nullable)
            }
            _ => return Err(refuse(&format!("{name}(<ANY>[, <INTEGER>[, <ANY>]])"))),
        },
        _ if NAMES.contains(&name.as_str()) => return Err(refuse(&format!("{name}()"))),
        _ => {
            return Err(Error::invalid(format!("No match found for aggregate function {name}")));
        }
    })
}

/// Refuses types that JSON cannot represent.
fn json_value(ty: &LogicalType) -> Result<()> {
    match ty.kind {
        TypeKind::Date | TypeKind::Time(_) | TypeKind::IntervalYearMonth | TypeKind::IntervalDaySecond => {
            Err(Error::invalid(format!("Type '{ty}' is not scalar or cannot be converted into JSON.")))
        }
        _ => Ok(()),
    }
}

/// Without values there is no bitmap, not even in a group.
fn bitmap_result(name: &str) -> LogicalType {
    if name.ends_with("_CARDINALITY_AGG") { TypeKind::BigInt.nullable() } else { TypeKind::Bitmap.nullable() }
}

/// AVG and the variances have the type of their argument; a DECIMAL gets at least six fraction digits.
fn average(kind: &TypeKind) -> TypeKind {
    match kind {
        TypeKind::Decimal(_, scale) => {
            let (precision, scale) = decimal::divide((decimal::MAX_PRECISION, *scale), (20, 0));
            TypeKind::Decimal(precision, scale)
        }
        kind => kind.clone(),
    }
}

fn is_ordered(kind: &TypeKind) -> bool {
    !matches!(
        kind,
        TypeKind::Array(_)
            | TypeKind::Map(..)
            | TypeKind::Multiset(_)
            | TypeKind::Row(_)
            | TypeKind::Structured(..)
            | TypeKind::Variant
            | TypeKind::Bitmap
    )
}
