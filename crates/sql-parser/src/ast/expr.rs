//! Expressions.
//!
//! What is long in a script is wide here and not deep: operators of one precedence in a row are one node, and
//! so are the operands of AND and of OR. How deep a tree can be is what [`crate::parse_script`] lets nest,
//! and derived code may recurse.

use flott_types::LogicalType;

use super::{Call, Ident, IntervalQualifier, Literal, Query, Text, TimeUnit};
use crate::error::Position;

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// The position of its first word, ignoring parentheses around it.
    pub position: Position,
    /// What it is.
    pub kind: ExprKind,
}

/// What an expression is.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// `a`, `t.a`, `t.row.field`: a column or field; only the catalog knows where the column ends.
    Name(Vec<Ident>),
    /// A constant.
    Literal(Literal),
    /// `a[1].b`, `f(x).y`
    Access {
        /// All before the first bracket, or before the dot behind something that is no name.
        root: Box<Expr>,
        /// At least one step.
        path: Vec<Access>,
    },
    /// A sign or NOT.
    Unary {
        /// Which.
        op: UnaryOp,
        /// What it is before.
        operand: Box<Expr>,
    },
    /// `a + b - c`, `a = b`: binary operators of one precedence, computed from left to right.
    Binary {
        /// The leftmost operand.
        first: Box<Expr>,
        /// Each operator with what is right of it, at least one.
        rest: Vec<(BinaryOp, Expr)>,
    },
    /// `a AND b AND c`: two operands at least.
    And(Vec<Expr>),
    /// `a OR b OR c`: two operands at least.
    Or(Vec<Expr>),
    /// `a < SOME (query)`, `a = ALL (query)`
    Quantified {
        /// The value.
        left: Box<Expr>,
        /// How it is compared.
        op: BinaryOp,
        /// ALL, and not ANY or SOME.
        all: bool,
        /// With what: a subquery, or the other forms that Flink accepts.
        right: Box<Expr>,
    },
    /// `a IS [NOT] NULL` and its like.
    Is {
        /// What is tested.
        operand: Box<Expr>,
        /// For what.
        test: IsTest,
        /// NOT
        negated: bool,
    },
    /// `a IS [NOT] DISTINCT FROM b`
    IsDistinct {
        /// One value.
        left: Box<Expr>,
        /// The other.
        right: Box<Expr>,
        /// NOT
        negated: bool,
    },
    /// `a [NOT] BETWEEN [SYMMETRIC] b AND c`
    Between {
        /// What is tested.
        operand: Box<Expr>,
        /// The first bound.
        low: Box<Expr>,
        /// The second bound.
        high: Box<Expr>,
        /// NOT
        negated: bool,
        /// The bounds may be in either order.
        symmetric: bool,
    },
    /// `a [NOT] LIKE b [ESCAPE 'c']`, `a [NOT] SIMILAR TO b [ESCAPE 'c']`
    Like {
        /// What is tested.
        operand: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
        /// ESCAPE
        escape: Option<Box<Text>>,
        /// SIMILAR TO, and not LIKE.
        similar: bool,
        /// NOT
        negated: bool,
    },
    /// `a [NOT] IN (b, c)`
    InList {
        /// What is looked for.
        operand: Box<Expr>,
        /// The values.
        list: Vec<Expr>,
        /// NOT
        negated: bool,
    },
    /// `a [NOT] IN (query)`
    InQuery {
        /// What is looked for.
        operand: Box<Expr>,
        /// Where.
        query: Box<Query>,
        /// NOT
        negated: bool,
    },
    /// `EXISTS (query)`
    Exists(Box<Query>),
    /// `(query)`
    Subquery(Box<Query>),
    /// CASE
    Case(Box<Case>),
    /// `CAST(a AS type)`, `TRY_CAST(a AS type)`, and UNKNOWN: a NULL of type BOOLEAN.
    Cast {
        /// What is cast.
        operand: Box<Expr>,
        /// To what type.
        ty: Box<LogicalType>,
        /// The units, if the type is an INTERVAL. A number is cast to that many of a single unit.
        interval: Option<Box<IntervalQualifier>>,
        /// TRY_CAST: NULL instead of an error.
        is_try: bool,
    },
    /// `(a, b)`, `ROW(a)`
    Row(Vec<Expr>),
    /// `ARRAY[a, b]`
    Array(Vec<Expr>),
    /// `MAP[k, v, ..]`
    Map(Vec<(Expr, Expr)>),
    /// `MULTISET[a, b]`
    Multiset(Vec<Expr>),
    /// `EXTRACT(unit FROM a)`
    Extract {
        /// The unit.
        unit: TimeUnit,
        /// Of what.
        operand: Box<Expr>,
    },
    /// `FLOOR(a [TO unit])`
    Floor {
        /// What is rounded.
        operand: Box<Expr>,
        /// TO: of a time.
        unit: Option<TimeUnit>,
    },
    /// `CEIL(a [TO unit])`
    Ceil {
        /// What is rounded.
        operand: Box<Expr>,
        /// TO: of a time.
        unit: Option<TimeUnit>,
    },
    /// `POSITION(a IN b [FROM n])`
    Position {
        /// What is looked for.
        operand: Box<Expr>,
        /// Where.
        text: Box<Expr>,
        /// From which character on.
        from: Option<Box<Expr>>,
    },
    /// `SUBSTRING(a FROM b [FOR c])`, `SUBSTRING(a, b [, c])`
    Substring {
        /// Of what.
        operand: Box<Expr>,
        /// The first character.
        from: Box<Expr>,
        /// How many.
        length: Option<Box<Expr>>,
    },
    /// `OVERLAY(a PLACING b FROM c [FOR d])`
    Overlay {
        /// What is changed.
        operand: Box<Expr>,
        /// What is put in.
        placing: Box<Expr>,
        /// Where.
        from: Box<Expr>,
        /// Instead of how many characters.
        length: Option<Box<Expr>>,
    },
    /// `TRIM([side] [characters] FROM a)`, `TRIM(a)`
    Trim {
        /// BOTH, LEADING or TRAILING, if said.
        side: Option<TrimSide>,
        /// What is cut off; a blank, if not said.
        characters: Option<Box<Expr>>,
        /// Of what.
        operand: Box<Expr>,
    },
    /// `(a - b) HOUR`: the interval between two times
    TimeDifference {
        /// `a` and `b`
        operands: Box<[Expr; 2]>,
        /// The units behind the parentheses.
        qualifier: Box<IntervalQualifier>,
    },
    /// `TIMESTAMPADD(unit, n, t)`, `TIMESTAMPDIFF(unit, a, b)`
    TimestampArithmetic {
        /// TIMESTAMPDIFF, and not TIMESTAMPADD.
        difference: bool,
        /// The unit.
        unit: TimeUnit,
        /// The two arguments.
        args: Box<[Expr; 2]>,
    },
    /// Any other function, the JSON functions with their clauses included.
    Call(Box<Call>),
    /// `FINAL a` of MATCH_RECOGNIZE's measures.
    Final(Box<Expr>),
    /// `RUNNING a` of MATCH_RECOGNIZE's measures.
    Running(Box<Expr>),
}

/// One step into a value.
#[derive(Clone, PartialEq, Debug)]
pub enum Access {
    /// `.field`
    Field(Ident),
    /// `[index]`
    Element(Expr),
}

/// CASE
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    /// The operand between CASE and the first WHEN.
    pub operand: Option<Expr>,
    /// WHEN .. THEN, at least one.
    pub branches: Vec<CaseBranch>,
    /// ELSE
    pub otherwise: Option<Expr>,
}

/// `WHEN a, b THEN c`
#[derive(Clone, PartialEq, Debug)]
pub struct CaseBranch {
    /// At least one; more than one only of a CASE with an operand.
    pub conditions: Vec<Expr>,
    /// The value.
    pub result: Expr,
}

/// A sign or NOT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum UnaryOp {
    Plus,
    Minus,
    Not,
}

impl UnaryOp {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            UnaryOp::Plus => "+",
            UnaryOp::Minus => "-",
            UnaryOp::Not => "NOT",
        }
    }
}

/// An operator between two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BinaryOp {
    Plus,
    Minus,
    Multiply,
    Divide,
    Modulo,
    Concat,
    Eq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
    Overlaps,
}

impl BinaryOp {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            BinaryOp::Plus => "+",
            BinaryOp::Minus => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Modulo => "%",
            BinaryOp::Concat => "||",
            BinaryOp::Eq => "=",
            BinaryOp::NotEq => "<>",
            BinaryOp::Lt => "<",
            BinaryOp::LtEq => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::GtEq => ">=",
            BinaryOp::Overlaps => "OVERLAPS",
        }
    }
}

/// What IS asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the key words")]
pub enum IsTest {
    Null,
    True,
    False,
    Unknown,
    Json(JsonItem),
}

/// What IS JSON asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the key words")]
pub enum JsonItem {
    Value,
    Object,
    Array,
    Scalar,
}

/// From which side TRIM cuts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the key words")]
pub enum TrimSide {
    Both,
    Leading,
    Trailing,
}

impl TrimSide {
    /// The key word.
    pub fn as_str(self) -> &'static str {
        match self {
            TrimSide::Both => "BOTH",
            TrimSide::Leading => "LEADING",
            TrimSide::Trailing => "TRAILING",
        }
    }
}

impl Expr {
    /// The name, if it is one of one part.
    pub fn as_ident(&self) -> Option<&Ident> {
        match &self.kind {
            ExprKind::Name(parts) if parts.len() == 1 => parts.first(),
            _ => None,
        }
    }

    /// The expressions right below this one; those inside of a subquery are not among them.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Name(_) | ExprKind::Literal(_) | ExprKind::Exists(_) | ExprKind::Subquery(_) => vec![],
            ExprKind::Access { root, path } => {
                let indices = path.iter().filter_map(|step| match step {
                    Access::Field(_) => None,
                    Access::Element(index) => Some(index),
                });
                std::iter::once(&**root).chain(indices).collect()
            }
            ExprKind::Unary { operand, .. }
            | ExprKind::Is { operand, .. }
            | ExprKind::InQuery { operand, .. }
            | ExprKind::Cast { operand, .. }
            | ExprKind::Extract { operand, .. }
            | ExprKind::Floor { operand, .. }
            | ExprKind::Ceil { operand, .. }
            | ExprKind::Final(operand)
            | ExprKind::Running(operand) => vec![operand],
            ExprKind::Binary { first, rest } => {
                std::iter::once(&**first).chain(rest.iter().map(|(_, right)| right)).collect()
            }
            ExprKind::And(operands)
            | ExprKind::Or(operands)
            | ExprKind::Row(operands)
            | ExprKind::Array(operands)
            | ExprKind::Multiset(operands) => operands.iter().collect(),
            ExprKind::Quantified { left, right, .. } | ExprKind::IsDistinct { left, right, .. } => {
                vec![left, right]
            }
            ExprKind::Between { operand, low, high, .. } => vec![operand, low, high],
            ExprKind::Like { operand, pattern, .. } => vec![operand, pattern],
            ExprKind::InList { operand, list, .. } => std::iter::once(&**operand).chain(list).collect(),
            ExprKind::Case(case) => {
                let branches =
                    case.branches.iter().flat_map(|b| b.conditions.iter().chain(std::iter::once(&b.result)));
                case.operand.iter().chain(branches).chain(&case.otherwise).collect()
            }
            ExprKind::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
            ExprKind::Position { operand, text, from } => {
                [operand, text].into_iter().chain(from).map(|expr| &**expr).collect()
            }
            ExprKind::Substring { operand, from, length } => {
                [operand, from].into_iter().chain(length).map(|expr| &**expr).collect()
            }
            ExprKind::Overlay { operand, placing, from, length } => {
                [operand, placing, from].into_iter().chain(length).map(|expr| &**expr).collect()
            }
            ExprKind::Trim { characters, operand, .. } => {
                characters.iter().chain([operand]).map(|expr| &**expr).collect()
            }
            ExprKind::TimestampArithmetic { args, .. } => args.iter().collect(),
            ExprKind::TimeDifference { operands, .. } => operands.iter().collect(),
            ExprKind::Call(call) => call.children(),
        }
    }

    /// This expression and all below it, those inside of subqueries aside, from left to right.
    pub fn walk(&self) -> impl Iterator<Item = &Expr> {
        let mut open = vec![self];
        std::iter::from_fn(move || {
            let next = open.pop()?;
            open.extend(next.children().into_iter().rev());
            Some(next)
        })
    }
}
