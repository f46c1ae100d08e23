//! Expressions as Flink's DESCRIBE and SHOW CREATE print those of a table: validated and written anew, with
//! every name in backticks, functions by their names, and some shorthands as what they mean.

use std::fmt::{Display, Formatter, Result};

use flott_types::{LogicalType, TypeKind};

use super::expr::strength;
use super::{Quoted, list};
use crate::ast::{
    Access, ArgumentValue, BinaryOp, Call, Case, Expr, ExprKind, Ident, Literal, TimeUnit, UnaryOp,
};
use crate::expr::binding::{AND, COMPARE, IN, IS, NOT, OR, SIGN};

/// An expression of a column or a watermark as Flink prints it.
pub struct Validated<'a>(pub &'a Expr);

/// Functions that Flink's validator resolves to an identifier: they are printed in backticks.
const IDENTIFIERS: &[&str] = &[
    "ARRAY_APPEND",
    "ARRAY_CONCAT",
    "ARRAY_CONTAINS",
    "ARRAY_DISTINCT",
    "ARRAY_EXCEPT",
    "ARRAY_INTERSECT",
    "ARRAY_JOIN",
    "ARRAY_MAX",
    "ARRAY_MIN",
    "ARRAY_POSITION",
    "ARRAY_PREPEND",
    "ARRAY_REMOVE",
    "ARRAY_REVERSE",
    "ARRAY_SLICE",
    "ARRAY_SORT",
    "ARRAY_UNION",
    "BITMAP_AND",
    "BITMAP_ANDNOT",
    "BITMAP_BUILD",
    "BITMAP_CARDINALITY",
    "BITMAP_FROM_BYTES",
    "BITMAP_OR",
    "BITMAP_TO_ARRAY",
    "BITMAP_TO_BYTES",
    "BITMAP_TO_STRING",
    "BITMAP_XOR",
    "BTRIM",
    "ELT",
    "ENDSWITH",
    "GREATEST",
    "IFNULL",
    "INET_ATON",
    "INET_NTOA",
    "JSON_QUOTE",
    "JSON_STRING",
    "JSON_UNQUOTE",
    "LEAST",
    "MAP_ENTRIES",
    "MAP_FROM_ARRAYS",
    "MAP_KEYS",
    "MAP_UNION",
    "MAP_VALUES",
    "OBJECT_OF",
    "OBJECT_UPDATE",
    "PARSE_JSON",
    "PRINTF",
    "REGEXP_COUNT",
    "REGEXP_EXTRACT_ALL",
    "REGEXP_INSTR",
    "REGEXP_SUBSTR",
    "SOURCE_WATERMARK",
    "SPLIT",
    "STARTSWITH",
    "TO_TIMESTAMP_LTZ",
    "TRY_PARSE_JSON",
    "TYPEOF",
    "UNHEX",
    "URL_DECODE",
    "URL_ENCODE",
];

/// Functions that stand for EXTRACT.
const UNITS: [(&str, TimeUnit); 10] = [
    ("YEAR", TimeUnit::Year),
    ("QUARTER", TimeUnit::Quarter),
    ("MONTH", TimeUnit::Month),
    ("WEEK", TimeUnit::Week),
    ("DAYOFYEAR", TimeUnit::DayOfYear),
    ("DAYOFMONTH", TimeUnit::Day),
    ("DAYOFWEEK", TimeUnit::DayOfWeek),
    ("HOUR", TimeUnit::Hour),
    ("MINUTE", TimeUnit::Minute),
    ("SECOND", TimeUnit::Second),
];

/// An operand of something that takes what binds so tight without parentheses.
struct Operand<'a>(&'a Expr, u8);

impl Display for Operand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match strength(self.0) < self.1 {
            true => write!(f, "({})", Validated(self.0)),
            false => Validated(self.0).fmt(f),
        }
    }
}

fn name(f: &mut Formatter<'_>, ident: &Ident) -> Result {
    write!(f, "`{}`", ident.value.replace('`', "``"))
}

fn all<'a>(exprs: impl IntoIterator<Item = &'a Expr>) -> Vec<Validated<'a>> {
    exprs.into_iter().map(Validated).collect()
}

fn bracketed(f: &mut Formatter<'_>, open: &str, exprs: &[Validated<'_>], close: &str) -> Result {
    f.write_str(open)?;
    list(f, exprs, ", ")?;
    f.write_str(close)
}

impl Display for Validated<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let expr = self.0;
        match &expr.kind {
            ExprKind::Name(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    f.write_str(if index > 0 { "." } else { "" })?;
                    name(f, part)?;
                }
                Ok(())
            }
            ExprKind::Literal(literal) => write_literal(f, literal),
            ExprKind::Access { root, path } => {
                Validated(root).fmt(f)?;
                path.iter().try_for_each(|step| match step {
                    Access::Field(field) => {
                        f.write_str(".")?;
                        name(f, field)
                    }
                    Access::Element(index) => write!(f, "[{}]", Validated(index)),
                })
            }
            ExprKind::Unary { op: UnaryOp::Not, operand } => write!(f, "NOT {}", Operand(operand, NOT)),
            ExprKind::Unary { op, operand } => match &operand.kind {
                ExprKind::Literal(_) => write!(f, "{}{}", op.as_str(), Validated(operand)),
                _ => write!(f, "{} {}", op.as_str(), Operand(operand, SIGN + 1)),
            },
            ExprKind::Binary { first, rest } if rest.iter().all(|(op, _)| *op != BinaryOp::Overlaps) => {
                let binds = strength(expr);
                Operand(first, binds).fmt(f)?;
                rest.iter()
                    .try_for_each(|(op, right)| write!(f, " {} {}", op.as_str(), Operand(right, binds + 1)))
            }
            ExprKind::And(operands) => chain(f, operands, " AND ", AND),
            ExprKind::Or(operands) => chain(f, operands, " OR ", OR),
            ExprKind::Is { operand, test, negated } => {
                let not = if *negated { "NOT " } else { "" };
                write!(f, "{} IS {not}{}", Operand(operand, IS), super::expr::test_words(*test))
            }
            ExprKind::IsDistinct { left, right, negated } => {
                let not = if *negated { "NOT " } else { "" };
                write!(f, "{} IS {not}DISTINCT FROM {}", Operand(left, COMPARE), Operand(right, COMPARE + 1))
            }
            ExprKind::Between { operand, low, high, negated, symmetric } => {
                let not = if *negated { "NOT " } else { "" };
                let word = if *symmetric { "SYMMETRIC" } else { "ASYMMETRIC" };
                let (low, high) = (Operand(low, IN + 1), Operand(high, IN + 1));
                write!(f, "{} {not}BETWEEN {word} {low} AND {high}", Operand(operand, IN))
            }
            ExprKind::Like { operand, pattern, escape, similar, negated } => {
                let not = if *negated { "NOT " } else { "" };
                let word = if *similar { "SIMILAR TO" } else { "LIKE" };
                write!(f, "{} {not}{word} {}", Operand(operand, IN), Operand(pattern, IN + 1))?;
                escape.iter().try_for_each(|escape| write!(f, " ESCAPE {}", Quoted(&escape.value)))
            }
            ExprKind::InList { operand, list, negated } => {
                let not = if *negated { "NOT " } else { "" };
                write!(f, "{} {not}IN ", Operand(operand, IN))?;
                bracketed(f, "(", &all(list), ")")
            }
            ExprKind::Case(case) => write_case(f, case),
            ExprKind::Cast { operand, ty, interval: None, is_try } => {
                let word = if *is_try { "TRY_CAST" } else { "CAST" };
                write!(f, "{word}({} AS {})", Validated(operand), Written(ty))
            }
            ExprKind::Row(fields) => bracketed(f, "ROW(", &all(fields), ")"),
            ExprKind::Array(elements) => bracketed(f, "ARRAY[", &all(elements), "]"),
            ExprKind::Map(entries) => {
                bracketed(f, "MAP[", &all(entries.iter().flat_map(|(key, value)| [key, value])), "]")
            }
            ExprKind::Extract { unit, operand } => write_extract(f, *unit, operand),
            ExprKind::Floor { operand, unit } => rounded(f, "FLOOR", operand, *unit),
            ExprKind::Ceil { operand, unit } => rounded(f, "CEIL", operand, *unit),
            ExprKind::Position { operand, text, from: None } => {
                write!(f, "POSITION({} IN {})", Operand(operand, IN + 1), Validated(text))
            }
            ExprKind::Substring { operand, from, length } => {
                bracketed(f, "SUBSTRING(", &all([&**operand, from].into_iter().chain(length.as_deref())), ")")
            }
            ExprKind::Overlay { operand, placing, from, length } => {
                let (operand, placing, from) = (Validated(operand), Validated(placing), Validated(from));
                write!(f, "OVERLAY({operand} PLACING {placing} FROM {from}")?;
                length.iter().try_for_each(|length| write!(f, " FOR {}", Validated(length)))?;
                f.write_str(")")
            }
            ExprKind::Trim { side, characters, operand } => {
                let side = side.map_or("BOTH", |side| side.as_str());
                write!(f, "TRIM({side} ")?;
                match characters {
                    Some(characters) => Validated(characters).fmt(f)?,
                    None => f.write_str("' '")?,
                }
                write!(f, " FROM {})", Validated(operand))
            }
            ExprKind::TimeDifference { operands, qualifier } => {
                write!(f, "({} - {}) {qualifier}", Validated(&operands[0]), Validated(&operands[1]))
            }
            ExprKind::TimestampArithmetic { difference, unit, args } => {
                let word = if *difference { "TIMESTAMPDIFF" } else { "TIMESTAMPADD" };
                write!(f, "{word}({unit}, {}, {})", Validated(&args[0]), Validated(&args[1]))
            }
            ExprKind::Call(call) => write_call(f, call),
            // Not in the expressions of a table, or written alike.
            _ => expr.fmt(f),
        }
    }
}

fn chain(f: &mut Formatter<'_>, operands: &[Expr], word: &str, binds: u8) -> Result {
    list(f, &operands.iter().map(|operand| Operand(operand, binds + 1)).collect::<Vec<_>>(), word)
}

fn write_extract(f: &mut Formatter<'_>, unit: TimeUnit, operand: &Expr) -> Result {
    write!(f, "EXTRACT({unit} FROM {})", Validated(operand))
}

fn rounded(f: &mut Formatter<'_>, word: &str, operand: &Expr, unit: Option<TimeUnit>) -> Result {
    write!(f, "{word}({}", Validated(operand))?;
    unit.iter().try_for_each(|unit| write!(f, " TO {unit}"))?;
    f.write_str(")")
}

fn write_literal(f: &mut Formatter<'_>, literal: &Literal) -> Result {
    match literal {
        Literal::Number(digits) => f.write_str(&digits.to_uppercase()),
        Literal::Binary(digits) => write!(f, "X'{}'", digits.to_uppercase()),
        Literal::String(text) if !text.is_ascii() => {
            f.write_str("u&'")?;
            for unit in text.replace('\'', "''").encode_utf16() {
                match u8::try_from(unit) {
                    Ok(byte) if byte.is_ascii() => write!(f, "{}", char::from(byte))?,
                    _ => write!(f, "\\{unit:04x}")?,
                }
            }
            f.write_str("'")
        }
        other => other.fmt(f),
    }
}

/// `CASE a WHEN 1 ...` is `CASE WHEN a = 1 ...`, and has always an ELSE.
fn write_case(f: &mut Formatter<'_>, case: &Case) -> Result {
    f.write_str("CASE")?;
    for branch in &case.branches {
        f.write_str(" WHEN ")?;
        for (index, condition) in branch.conditions.iter().enumerate() {
            f.write_str(if index > 0 { ", " } else { "" })?;
            if let Some(operand) = &case.operand {
                write!(f, "{} = ", Operand(operand, COMPARE))?;
            }
            Validated(condition).fmt(f)?;
        }
        write!(f, " THEN {}", Validated(&branch.result))?;
    }
    match &case.otherwise {
        Some(otherwise) => write!(f, " ELSE {} END", Validated(otherwise)),
        None => f.write_str(" ELSE NULL END"),
    }
}

fn write_call(f: &mut Formatter<'_>, call: &Call) -> Result {
    let args: Option<Vec<&Expr>> = call
        .args
        .iter()
        .map(|arg| match (&arg.name, &arg.value) {
            (None, ArgumentValue::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect();
    let (Some(function), Some(args)) = (call.name.single(), args) else { return call.fmt(f) };
    let upper = function.value.to_ascii_uppercase();
    if call.json.is_some() || call.quantifier.is_some() {
        return call.fmt(f);
    }
    match (upper.as_str(), args.as_slice()) {
        ("NULLIF", [value, other]) => {
            let condition = Operand(value, COMPARE);
            let (other, value) = (Operand(other, COMPARE + 1), Validated(value));
            return write!(f, "CASE WHEN {condition} = {other} THEN NULL ELSE {value} END");
        }
        (word, [operand]) if !function.quoted => {
            if let Some((_, unit)) = UNITS.iter().find(|(known, _)| *known == word) {
                return write_extract(f, *unit, operand);
            }
        }
        _ => {}
    }
    match upper.as_str() {
        known if IDENTIFIERS.contains(&known) => write!(f, "`{known}`")?,
        "TRANSLATE" => f.write_str("`TRANSLATE3`")?,
        _ => f.write_str(&upper)?,
    }
    match call.parentheses {
        true => bracketed(f, "(", &all(args), ")"),
        false => Ok(()),
    }
}

/// A type as SQL's standard names it.
struct Written<'a>(&'a LogicalType);

impl Display for Written<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.0.kind {
            TypeKind::Int => f.write_str("INTEGER")?,
            TypeKind::Array(element) => write!(f, "ARRAY< {} >", Written(element))?,
            TypeKind::Multiset(element) => write!(f, "MULTISET< {} >", Written(element))?,
            TypeKind::Map(key, value) => write!(f, "MAP< {}, {} >", Written(key), Written(value))?,
            TypeKind::Row(fields) => {
                f.write_str("ROW< ")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    write!(f, "{comma}`{}` {}", field.name.replace('`', "``"), Written(&field.ty))?;
                }
                f.write_str(" >")?;
            }
            other => other.fmt(f)?,
        }
        f.write_str(if self.0.nullable { "" } else { " NOT NULL" })
    }
}
