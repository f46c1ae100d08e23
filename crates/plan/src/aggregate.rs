//! Calls of aggregate functions.

use flott_types::{Error, LogicalType, Result, TypeKind};
use serde::{Deserialize, Serialize};

/// One aggregate of a GROUP BY or window aggregation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AggregateCall {
    /// The canonical upper-case name: `COUNT`, `SUM`, `AVG`, `MIN`, `MAX`, `LISTAGG`, ...
    pub function: String,
    /// The input columns it takes; empty for COUNT(*).
    pub args: Vec<usize>,
    /// The types of the arguments.
    pub arg_types: Vec<LogicalType>,
    /// Each distinct combination of arguments counts once.
    #[serde(default)]
    pub distinct: bool,
    /// A BOOLEAN input column: only rows where it is TRUE count.
    #[serde(default)]
    pub filter: Option<usize>,
    /// The result type.
    pub ty: LogicalType,
    /// The name of the result column.
    pub name: String,
}

impl AggregateCall {
    /// The accumulator columns of a call, by which the local phase of an aggregation hands its partial
    /// results to the global phase: names and types, in order.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Unsupported`] for calls that cannot be split into phases: DISTINCT, and
    /// functions whose result depends on the order of the rows or needs all of them. Aggregate in one phase
    /// then.
    ///
    /// ```
    /// use flott_plan::AggregateCall;
    /// use flott_types::TypeKind;
    ///
    /// let average = AggregateCall {
    ///     function: "AVG".to_owned(),
    ///     args: vec![1],
    ///     arg_types: vec![TypeKind::Int.nullable()],
    ///     distinct: false,
    ///     filter: None,
    ///     ty: TypeKind::Int.nullable(),
    ///     name: "a".to_owned(),
    /// };
    /// let columns = average.accumulators()?;
    /// let bigint = TypeKind::BigInt.nullable();
    /// assert_eq!(columns, [("a.sum".to_owned(), bigint.clone()), ("a.count".to_owned(), bigint)]);
    /// # Ok::<(), flott_types::Error>(())
    /// ```
    pub fn accumulators(&self) -> Result<Vec<(String, LogicalType)>> {
        let function = self.function.trim_start_matches('$');
        let refuse = |what: &str| Err(Error::unsupported(format!("{what} in two phases")));
        if self.distinct && !matches!(function, "MIN" | "MAX") {
            return refuse(&format!("{function}(DISTINCT ...)"));
        }
        let column = |name: &str, kind: TypeKind| (format!("{}.{name}", self.name), kind.nullable());
        let count = || column("count", TypeKind::BigInt);
        let argument = self.arg_types.first().map(|ty| ty.kind.clone());
        Ok(match (function, argument) {
            ("COUNT", _) => vec![count()],
            ("SUM" | "SUM0" | "AVG", Some(kind)) => {
                let sum = match kind {
                    TypeKind::Decimal(_, scale) => TypeKind::Decimal(38, scale),
                    TypeKind::Float if function != "AVG" => TypeKind::Float,
                    TypeKind::Float | TypeKind::Double => TypeKind::Double,
                    kind if kind.is_integer() => TypeKind::BigInt,
                    _ => return refuse(&format!("{function} of {kind}")),
                };
                vec![column("sum", sum), count()]
            }
            ("MIN" | "MAX", Some(TypeKind::Boolean)) => vec![column("value", TypeKind::TinyInt)],
            ("MIN" | "MAX", Some(kind)) => vec![column("value", kind)],
            ("STDDEV_POP" | "STDDEV_SAMP" | "STDDEV" | "VAR_POP" | "VAR_SAMP" | "VARIANCE", Some(_)) => {
                vec![count(), column("mean", TypeKind::Double), column("m2", TypeKind::Double)]
            }
            _ => return refuse(function),
        })
    }
}
