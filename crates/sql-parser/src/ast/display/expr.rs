//! Expressions.

use std::fmt::{Display, Formatter, Result};

use super::{Quoted, list, parenthesised};
use crate::ast::{
    Access, Case, Expr, ExprKind, Interval, IntervalQualifier, IsTest, JsonItem, Literal, TrimSide, UnaryOp,
};
use crate::expr::binding::{AND, COMPARE, IN, IS, NOT, OPERAND, OR, SIGN, binary};

/// An operand of something that takes what binds so tight without parentheses.
struct Operand<'a>(&'a Expr, u8);

impl Display for Operand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match strength(self.0) < self.1 {
            true => write!(f, "({})", self.0),
            false => self.0.fmt(f),
        }
    }
}

/// How tight an expression holds together.
pub(super) fn strength(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Or(_) => OR,
        ExprKind::And(_) => AND,
        ExprKind::Unary { op: UnaryOp::Not, .. } => NOT,
        ExprKind::Unary { .. } => SIGN,
        ExprKind::Is { .. } => IS,
        ExprKind::IsDistinct { .. } | ExprKind::Quantified { .. } => COMPARE,
        ExprKind::Between { .. }
        | ExprKind::Like { .. }
        | ExprKind::InList { .. }
        | ExprKind::InQuery { .. } => IN,
        ExprKind::Binary { rest, .. } => rest.first().map_or(OPERAND, |(op, _)| binary(*op)),
        _ => OPERAND,
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

fn operands(f: &mut Formatter<'_>, operands: &[Expr], word: &str, binds: u8) -> Result {
    let operands: Vec<Operand<'_>> = operands.iter().map(|operand| Operand(operand, binds + 1)).collect();
    list(f, &operands, word)
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.kind {
            ExprKind::Name(parts) => list(f, parts, "."),
            ExprKind::Literal(literal) => literal.fmt(f),
            ExprKind::Access { root, path } => {
                let bare = match &root.kind {
                    ExprKind::Name(_) => matches!(path.first(), Some(Access::Element(_))),
                    ExprKind::Call(_) | ExprKind::Array(_) | ExprKind::Map(_) | ExprKind::Subquery(_) => true,
                    _ => false,
                };
                if bare {
                    root.fmt(f)?
                } else {
                    write!(f, "({root})")?
                }
                list(f, path, "")
            }
            ExprKind::Unary { op: UnaryOp::Not, operand } => write!(f, "NOT {}", Operand(operand, NOT)),
            ExprKind::Unary { op, operand } => write!(f, "{}{}", op.as_str(), Operand(operand, SIGN + 1)),
            ExprKind::Binary { first, rest } => {
                let binds = strength(self);
                let is_chain = matches!(first.kind, ExprKind::Binary { .. });
                Operand(first, binds + u8::from(is_chain)).fmt(f)?;
                rest.iter()
                    .try_for_each(|(op, right)| write!(f, " {} {}", op.as_str(), Operand(right, binds + 1)))
            }
            ExprKind::And(conditions) => operands(f, conditions, " AND ", AND),
            ExprKind::Or(conditions) => operands(f, conditions, " OR ", OR),
            ExprKind::Quantified { left, op, all, right } => {
                let word = if *all { "ALL" } else { "SOME" };
                write!(f, "{} {} {word} ", Operand(left, COMPARE), op.as_str())?;
                match right.kind {
                    ExprKind::Subquery(_) => right.fmt(f),
                    _ => write!(f, "({right})"),
                }
            }
            ExprKind::Is { operand, test, negated } => {
                write!(f, "{} IS {}{}", Operand(operand, IS), not(*negated), test_words(*test))
            }
            ExprKind::IsDistinct { left, right, negated } => {
                let (left, right) = (Operand(left, COMPARE), Operand(right, COMPARE + 1));
                write!(f, "{left} IS {}DISTINCT FROM {right}", not(*negated))
            }
            ExprKind::Between { operand, low, high, negated, symmetric } => {
                let (low, high) = (Operand(low, IN + 1), Operand(high, IN + 1));
                let symmetric = if *symmetric { "SYMMETRIC " } else { "" };
                write!(f, "{} {}BETWEEN {symmetric}{low} AND {high}", Operand(operand, IN), not(*negated))
            }
            ExprKind::Like { operand, pattern, escape, similar, negated } => {
                let word = if *similar { "SIMILAR TO" } else { "LIKE" };
                let pattern = Operand(pattern, IN + 1);
                write!(f, "{} {}{word} {pattern}", Operand(operand, IN), not(*negated))?;
                escape.iter().try_for_each(|escape| write!(f, " ESCAPE {}", Quoted(&escape.value)))
            }
            ExprKind::InList { operand, list, negated } => {
                write!(f, "{} {}IN ", Operand(operand, IN), not(*negated))?;
                parenthesised(f, list)
            }
            ExprKind::InQuery { operand, query, negated } => {
                write!(f, "{} {}IN ({query})", Operand(operand, IN), not(*negated))
            }
            ExprKind::Exists(query) => write!(f, "EXISTS ({query})"),
            ExprKind::Subquery(query) => write!(f, "({query})"),
            ExprKind::Case(case) => case.fmt(f),
            ExprKind::Cast { operand, ty, interval, is_try } => {
                let word = if *is_try { "TRY_CAST" } else { "CAST" };
                match interval {
                    Some(units) => write!(f, "{word}({operand} AS INTERVAL {units})"),
                    None => write!(f, "{word}({operand} AS {ty})"),
                }
            }
            ExprKind::Row(fields) => {
                if fields.len() < 2 {
                    f.write_str("ROW")?;
                }
                parenthesised(f, fields)
            }
            ExprKind::Array(elements) => constructor(f, "ARRAY", elements),
            ExprKind::Multiset(elements) => constructor(f, "MULTISET", elements),
            ExprKind::Map(entries) => {
                let flat: Vec<&Expr> = entries.iter().flat_map(|(key, value)| [key, value]).collect();
                constructor(f, "MAP", &flat)
            }
            ExprKind::Extract { unit, operand } => write!(f, "EXTRACT({unit} FROM {operand})"),
            ExprKind::Floor { operand, unit } => rounded(f, "FLOOR", operand, *unit),
            ExprKind::Ceil { operand, unit } => rounded(f, "CEIL", operand, *unit),
            ExprKind::Position { operand, text, from } => {
                write!(f, "POSITION({} IN {text}", Operand(operand, IN + 1))?;
                end(f, " FROM ", from)
            }
            ExprKind::Substring { operand, from, length } => {
                write!(f, "SUBSTRING({operand} FROM {from}")?;
                end(f, " FOR ", length)
            }
            ExprKind::Overlay { operand, placing, from, length } => {
                write!(f, "OVERLAY({operand} PLACING {placing} FROM {from}")?;
                end(f, " FOR ", length)
            }
            ExprKind::Trim { side, characters, operand } => trim(f, *side, characters.as_deref(), operand),
            ExprKind::TimeDifference { operands, qualifier } => {
                write!(f, "({} - {}) {qualifier}", operands[0], operands[1])
            }
            ExprKind::TimestampArithmetic { difference, unit, args } => {
                let word = if *difference { "TIMESTAMPDIFF" } else { "TIMESTAMPADD" };
                write!(f, "{word}({unit}, {}, {})", args[0], args[1])
            }
            ExprKind::Call(call) => call.fmt(f),
            ExprKind::Final(operand) => write!(f, "FINAL {operand}"),
            ExprKind::Running(operand) => write!(f, "RUNNING {operand}"),
        }
    }
}

fn constructor<T: Display>(f: &mut Formatter<'_>, word: &str, elements: &[T]) -> Result {
    write!(f, "{word}[")?;
    list(f, elements, ", ")?;
    f.write_str("]")
}

/// What may stand last in the parentheses of a function.
fn end(f: &mut Formatter<'_>, word: &str, last: &Option<Box<Expr>>) -> Result {
    last.iter().try_for_each(|last| write!(f, "{word}{last}"))?;
    f.write_str(")")
}

fn rounded(f: &mut Formatter<'_>, word: &str, operand: &Expr, unit: Option<crate::ast::TimeUnit>) -> Result {
    match unit {
        Some(unit) => write!(f, "{word}({operand} TO {unit})"),
        None => write!(f, "{word}({operand})"),
    }
}

fn trim(f: &mut Formatter<'_>, side: Option<TrimSide>, characters: Option<&Expr>, operand: &Expr) -> Result {
    f.write_str("TRIM(")?;
    side.iter().try_for_each(|side| write!(f, "{} ", side.as_str()))?;
    characters.iter().try_for_each(|characters| write!(f, "{characters} "))?;
    if side.is_some() || characters.is_some() {
        f.write_str("FROM ")?;
    }
    write!(f, "{operand})")
}

pub(super) fn test_words(test: IsTest) -> &'static str {
    match test {
        IsTest::Null => "NULL",
        IsTest::True => "TRUE",
        IsTest::False => "FALSE",
        IsTest::Unknown => "UNKNOWN",
        IsTest::Json(JsonItem::Value) => "JSON",
        IsTest::Json(JsonItem::Object) => "JSON OBJECT",
        IsTest::Json(JsonItem::Array) => "JSON ARRAY",
        IsTest::Json(JsonItem::Scalar) => "JSON SCALAR",
    }
}

impl Display for Access {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Access::Field(name) => write!(f, ".{name}"),
            Access::Element(index) => write!(f, "[{index}]"),
        }
    }
}

impl Display for Case {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("CASE")?;
        self.operand.iter().try_for_each(|operand| write!(f, " {operand}"))?;
        for branch in &self.branches {
            f.write_str(" WHEN ")?;
            list(f, &branch.conditions, ", ")?;
            write!(f, " THEN {}", branch.result)?;
        }
        self.otherwise.iter().try_for_each(|otherwise| write!(f, " ELSE {otherwise}"))?;
        f.write_str(" END")
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Literal::Number(digits) => f.write_str(digits),
            Literal::String(text) => Quoted(text).fmt(f),
            Literal::Binary(digits) => write!(f, "x'{digits}'"),
            Literal::Boolean(true) => f.write_str("TRUE"),
            Literal::Boolean(false) => f.write_str("FALSE"),
            Literal::Null => f.write_str("NULL"),
            Literal::Date(text) => write!(f, "DATE {}", Quoted(text)),
            Literal::Time(text) => write!(f, "TIME {}", Quoted(text)),
            Literal::Timestamp(text) => write!(f, "TIMESTAMP {}", Quoted(text)),
            Literal::Interval(interval) => interval.fmt(f),
        }
    }
}

impl Display for Interval {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let sign = if self.negative { "-" } else { "" };
        write!(f, "INTERVAL {sign}{} {}", Quoted(&self.text), self.qualifier)
    }
}

impl Display for IntervalQualifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.first.fmt(f)?;
        match (self.precision, self.last, self.fraction) {
            (Some(precision), None, Some(fraction)) => write!(f, "({precision}, {fraction})"),
            (precision, last, fraction) => {
                precision.iter().try_for_each(|precision| write!(f, "({precision})"))?;
                last.iter().try_for_each(|last| write!(f, " TO {last}"))?;
                fraction.iter().try_for_each(|fraction| write!(f, "({fraction})"))
            }
        }
    }
}
