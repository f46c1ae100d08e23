//! Expressions with resolved columns, functions and types.
//!
//! An expression may be wide and, within the planner's bounds, deep: the walks here do not recurse.

mod written;

use flott_types::LogicalType;
use serde::{Deserialize, Serialize};

/// An expression over the columns of one input row. Every node knows its type.
#[derive(Clone, PartialEq, Debug)]
pub enum Expr {
    /// A column of the input by position.
    Column {
        /// The position.
        index: usize,
        /// The column's type.
        ty: LogicalType,
    },
    /// A constant.
    Literal {
        /// The value.
        value: Literal,
        /// Its type.
        ty: LogicalType,
    },
    /// A function or operator by its canonical upper-case name (`+`, `AND`, `UPPER`); `flott_expr` holds the
    /// registry.
    Call {
        /// The name.
        function: String,
        /// The arguments, already cast to the parameter types.
        args: Vec<Expr>,
        /// The result type.
        ty: LogicalType,
    },
    /// A conversion with Flink's semantics.
    Cast {
        /// What is converted.
        input: Box<Expr>,
        /// To which type.
        ty: LogicalType,
        /// TRY_CAST: NULL instead of an error.
        is_try: bool,
    },
    /// The searched CASE: the first branch whose condition is TRUE; other branches are not evaluated for the
    /// row.
    Case {
        /// Conditions and values.
        branches: Vec<(Expr, Expr)>,
        /// The value when no condition is TRUE.
        otherwise: Box<Expr>,
        /// The result type, to which all values are cast already.
        ty: LogicalType,
    },
}

/// A constant. The variant for a type follows from its representation in `flott_batch::arrow_type`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Literal {
    /// NULL of any type.
    Null,
    /// BOOLEAN
    Boolean(bool),
    /// TINYINT to BIGINT; DATE (days); TIME (milliseconds of the day); intervals (months, milliseconds).
    Integer(i64),
    /// DECIMAL: the unscaled value; the scale is the type's.
    #[serde(with = "text_i128")]
    Decimal(i128),
    /// FLOAT, DOUBLE
    #[serde(with = "text_f64")]
    Double(f64),
    /// TIMESTAMP, TIMESTAMP_LTZ: nanoseconds since the epoch.
    #[serde(with = "text_i128")]
    Timestamp(i128),
    /// CHAR, VARCHAR
    String(String),
    /// BINARY, VARBINARY
    Binary(Vec<u8>),
}

impl Expr {
    /// A column.
    pub fn column(index: usize, ty: LogicalType) -> Self {
        Expr::Column { index, ty }
    }

    /// A constant.
    pub fn literal(value: Literal, ty: LogicalType) -> Self {
        Expr::Literal { value, ty }
    }

    /// A call.
    pub fn call(function: impl Into<String>, args: Vec<Expr>, ty: LogicalType) -> Self {
        Expr::Call { function: function.into(), args, ty }
    }

    /// A CAST, or the expression itself when it has that type already (nullability aside).
    pub fn cast(self, ty: LogicalType) -> Self {
        if self.ty().kind == ty.kind {
            return self;
        }
        Expr::Cast { input: Box::new(self), ty, is_try: false }
    }

    /// The type of the value.
    pub fn ty(&self) -> &LogicalType {
        match self {
            Expr::Column { ty, .. }
            | Expr::Literal { ty, .. }
            | Expr::Call { ty, .. }
            | Expr::Cast { ty, .. }
            | Expr::Case { ty, .. } => ty,
        }
    }

    /// The direct operands.
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Expr::Column { .. } | Expr::Literal { .. } => Vec::new(),
            Expr::Call { args, .. } => args.iter().collect(),
            Expr::Cast { input, .. } => vec![input],
            Expr::Case { branches, otherwise, .. } => {
                branches.iter().flat_map(|(when, then)| [when, then]).chain([&**otherwise]).collect()
            }
        }
    }

    /// The same expression with every node replaced bottom-up, from left to right. Does not recurse: an
    /// expression may be deep.
    #[must_use]
    pub fn transform(self, change: &mut impl FnMut(Expr) -> Expr) -> Expr {
        // The nodes above the current one: without operands, with those still to do and those that are done.
        let mut above: Vec<(Expr, std::vec::IntoIter<Expr>, Vec<Expr>)> = Vec::new();
        let mut node = self;
        loop {
            let operands = node.take_operands();
            let mut done = match operands.is_empty() {
                true => change(node),
                false => {
                    let mut todo = operands.into_iter();
                    let first = todo.next();
                    let finished = Vec::with_capacity(todo.len() + 1);
                    above.push((node, todo, finished));
                    match first {
                        Some(first) => {
                            node = first;
                            continue;
                        }
                        None => Expr::nothing(),
                    }
                }
            };
            loop {
                let Some((_, todo, finished)) = above.last_mut() else { return done };
                finished.push(done);
                if let Some(next) = todo.next() {
                    node = next;
                    break;
                }
                let Some((mut parent, _, finished)) = above.pop() else { return Expr::nothing() };
                parent.put_operands(finished);
                done = change(parent);
            }
        }
    }

    /// A placeholder where an operand has been taken.
    fn nothing() -> Expr {
        Expr::Literal { value: Literal::Null, ty: flott_types::TypeKind::Null.nullable() }
    }

    /// Takes the direct operands out, in the order of [`Expr::children`].
    fn take_operands(&mut self) -> Vec<Expr> {
        match self {
            Expr::Column { .. } | Expr::Literal { .. } => Vec::new(),
            Expr::Call { args, .. } => std::mem::take(args),
            Expr::Cast { input, .. } => vec![std::mem::replace(&mut **input, Expr::nothing())],
            Expr::Case { branches, otherwise, .. } => {
                let mut operands = Vec::with_capacity(2 * branches.len() + 1);
                operands.extend(std::mem::take(branches).into_iter().flat_map(|(when, then)| [when, then]));
                operands.push(std::mem::replace(&mut **otherwise, Expr::nothing()));
                operands
            }
        }
    }

    /// Puts back what [`Expr::take_operands`] took, or replacements.
    fn put_operands(&mut self, operands: Vec<Expr>) {
        match self {
            Expr::Column { .. } | Expr::Literal { .. } => {}
            Expr::Call { args, .. } => *args = operands,
            Expr::Cast { input, .. } => {
                if let Some(operand) = operands.into_iter().next() {
                    **input = operand;
                }
            }
            Expr::Case { branches, otherwise, .. } => {
                let mut operands = operands.into_iter();
                while let Some(when) = operands.next() {
                    match operands.next() {
                        Some(then) => branches.push((when, then)),
                        None => **otherwise = when,
                    }
                }
            }
        }
    }

    /// This expression and all below it, from left to right.
    pub fn walk(&self) -> impl Iterator<Item = &Expr> {
        let mut open = vec![self];
        std::iter::from_fn(move || {
            let next = open.pop()?;
            open.extend(next.children().into_iter().rev());
            Some(next)
        })
    }

    /// How many nodes it has.
    pub fn size(&self) -> usize {
        self.walk().count()
    }

    /// How many nodes are on the longest path to a leaf, including both ends.
    pub fn height(&self) -> usize {
        let mut open = vec![(self, 1)];
        let mut height = 1;
        while let Some((node, level)) = open.pop() {
            height = height.max(level);
            open.extend(node.children().into_iter().map(|child| (child, level + 1)));
        }
        height
    }

    /// Adds the positions of the columns it reads.
    pub fn collect_columns(&self, columns: &mut Vec<usize>) {
        columns.extend(self.walk().filter_map(|node| match node {
            Expr::Column { index, .. } => Some(*index),
            _ => None,
        }));
    }
}

/// JSON has no infinities and no NaN.
mod text_f64 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// JSON numbers do not hold 128 bits.
mod text_i128 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &i128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use flott_types::TypeKind;

    use super::*;

    #[test]
    fn literals_survive_serialisation() {
        let values = [
            Literal::Null,
            Literal::Integer(i64::MIN),
            Literal::Decimal(-(10i128.pow(38) - 1)),
            Literal::Double(f64::NEG_INFINITY),
            Literal::Double(5e-324),
            Literal::Timestamp(i128::from(i64::MAX) * 1_000),
            Literal::String("it's".to_owned()),
            Literal::Binary(vec![0, 255]),
        ];
        for value in values {
            let expr = Expr::literal(value, TypeKind::BigInt.nullable());
            let json = serde_json::to_string(&expr).unwrap();
            assert_eq!(serde_json::from_str::<Expr>(&json).unwrap(), expr, "{json}");
        }
        let nan = serde_json::to_string(&Literal::Double(f64::NAN)).unwrap();
        assert!(matches!(serde_json::from_str(&nan).unwrap(), Literal::Double(value) if value.is_nan()));
    }

    fn number(value: i64) -> Expr {
        Expr::literal(Literal::Integer(value), TypeKind::BigInt.not_null())
    }

    /// `a + 1 + 2 ..`
    fn sum(height: i64) -> Expr {
        let ty = TypeKind::BigInt.nullable();
        (1..height)
            .fold(Expr::column(3, ty.clone()), |left, n| Expr::call("+", vec![left, number(n)], ty.clone()))
    }

    #[test]
    fn expressions_of_any_height_survive_serialisation() {
        let ty = TypeKind::BigInt.nullable();
        let case = |operand: Expr| Expr::Case {
            branches: vec![(operand.clone(), number(1)), (number(2), operand)],
            otherwise: Box::new(Expr::Cast { input: Box::new(number(3)), ty: ty.clone(), is_try: true }),
            ty: ty.clone(),
        };
        for height in [1, 2, 4, 5, 40, 600] {
            let expr = case(Expr::call("f", vec![sum(height), case(number(0))], ty.clone()));
            let json = serde_json::to_string(&expr).unwrap();
            assert_eq!(json.contains("steps"), expr.height() > 6, "{height}");
            let read: Expr = serde_json::from_str(&json).unwrap();
            assert!(read == expr, "{height}");
        }
    }

    #[test]
    fn high_expressions_that_are_written_with_their_operands_inside_are_read() {
        let old = r#"{"call":{"function":"+","args":[{"call":{"function":"+","args":[{"column":{"index":3,"ty":{"kind":"BigInt","nullable":true}}},
            {"literal":{"value":{"integer":1},"ty":{"kind":"BigInt","nullable":false}}}],"ty":{"kind":"BigInt","nullable":true}}},
            {"literal":{"value":{"integer":2},"ty":{"kind":"BigInt","nullable":false}}}],"ty":{"kind":"BigInt","nullable":true}}}"#;
        assert_eq!(serde_json::from_str::<Expr>(old).unwrap(), sum(3));
        let same: serde_json::Value = serde_json::from_str(old).unwrap();
        assert_eq!(serde_json::to_value(sum(3)).unwrap(), same);
    }

    #[test]
    fn steps_that_do_not_fit_are_refused() {
        let json = serde_json::to_string(&sum(9)).unwrap();
        let broken = json.replacen(r#""args":2"#, r#""args":3"#, 1);
        let left_over = json.replacen(r#""args":2"#, r#""args":1"#, 1);
        for text in [broken, left_over, r#"{"steps":[]}"#.to_owned()] {
            let error = serde_json::from_str::<Expr>(&text).unwrap_err();
            assert!(error.to_string().contains("are inconsistent"), "{error}");
        }
    }

    #[test]
    fn transform_goes_bottom_up_from_left_to_right() {
        let ty = TypeKind::BigInt.nullable();
        let expr = Expr::Case {
            branches: vec![(number(1), Expr::call("f", vec![number(2), number(3)], ty.clone()))],
            otherwise: Box::new(Expr::Cast { input: Box::new(number(4)), ty: ty.clone(), is_try: true }),
            ty,
        };
        let mut seen = Vec::new();
        let same = expr.clone().transform(&mut |node| {
            seen.push(match &node {
                Expr::Literal { value: Literal::Integer(n), .. } => n.to_string(),
                Expr::Call { args, .. } => format!("f{}", args.len()),
                Expr::Cast { .. } => "cast".to_owned(),
                _ => "case".to_owned(),
            });
            node
        });
        assert_eq!(same, expr);
        assert_eq!(seen, ["1", "2", "3", "f2", "4", "cast", "case"]);
        assert_eq!(expr.walk().count(), 8 - 1);
        assert_eq!(expr.size(), 7);
        assert_eq!(expr.height(), 3);
    }
}
