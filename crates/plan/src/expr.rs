//! Expressions with resolved columns, functions and types.

use flott_types::LogicalType;
use serde::{Deserialize, Serialize};

/// An expression over the columns of one input row. Every node knows its type.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// A function or operator by its canonical upper-case name (`+`, `AND`, `UPPER`); `flott_expr` holds the registry.
    Call {
        /// The name.
        function: String,
        /// The arguments, already cast to what the function takes.
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
    /// The searched CASE: the first branch whose condition is TRUE; other branches are not evaluated for the row.
    Case {
        /// Conditions and values.
        branches: Vec<(Expr, Expr)>,
        /// The value when no condition is TRUE.
        otherwise: Box<Expr>,
        /// The result type, to which all values are cast already.
        ty: LogicalType,
    },
}

/// A constant. Which variant belongs to a type follows from how `flott_batch::arrow_type` holds it.
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

    /// The same expression with every node replaced bottom-up.
    #[must_use]
    pub fn transform(self, change: &mut impl FnMut(Expr) -> Expr) -> Expr {
        let inner = match self {
            leaf @ (Expr::Column { .. } | Expr::Literal { .. }) => leaf,
            Expr::Call { function, args, ty } => {
                Expr::Call { function, args: args.into_iter().map(|arg| arg.transform(change)).collect(), ty }
            }
            Expr::Cast { input, ty, is_try } => {
                Expr::Cast { input: Box::new(input.transform(change)), ty, is_try }
            }
            Expr::Case { branches, otherwise, ty } => {
                let branches =
                    branches.into_iter().map(|(when, then)| (when.transform(change), then.transform(change)));
                Expr::Case {
                    branches: branches.collect(),
                    otherwise: Box::new(otherwise.transform(change)),
                    ty,
                }
            }
        };
        change(inner)
    }

    /// Adds the positions of the columns it reads.
    pub fn collect_columns(&self, columns: &mut Vec<usize>) {
        if let Expr::Column { index, .. } = self {
            columns.push(*index);
        }
        for child in self.children() {
            child.collect_columns(columns);
        }
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
}
