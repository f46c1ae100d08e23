//! Functions that have names of their own here. All others are known by [`call`](super::call).

use flott_sql_parser::Position;
use flott_sql_parser::ast::{
    Argument, ArgumentValue, Call, Case, CaseBranch, ExprKind, Over, Quantifier, TimeUnit,
};

use super::{Expression, function_name, ident};

/// All hold.
pub fn and<E: Into<Expression>>(conditions: impl IntoIterator<Item = E>) -> Expression {
    Expression::all_of(conditions.into_iter().map(Into::into).collect(), true)
}

/// One holds at least.
pub fn or<E: Into<Expression>>(conditions: impl IntoIterator<Item = E>) -> Expression {
    Expression::all_of(conditions.into_iter().map(Into::into).collect(), false)
}

/// It does not hold.
pub fn not(condition: impl Into<Expression>) -> Expression {
    !condition.into()
}

/// One value or the other (`ifThenElse`).
pub fn if_then_else(
    condition: impl Into<Expression>,
    then: impl Into<Expression>,
    otherwise: impl Into<Expression>,
) -> Expression {
    let (condition, then, otherwise) = (condition.into(), then.into(), otherwise.into());
    let branch = CaseBranch { conditions: vec![condition.expr.clone()], result: then.expr.clone() };
    let case = Case { operand: None, branches: vec![branch], otherwise: Some(otherwise.expr.clone()) };
    Expression::of(&[&condition, &then, &otherwise], ExprKind::Case(Box::new(case)))
}

fn collected<E: Into<Expression>>(
    items: impl IntoIterator<Item = E>,
    kind: impl FnOnce(Vec<flott_sql_parser::ast::Expr>) -> ExprKind,
) -> Expression {
    let items: Vec<Expression> = items.into_iter().map(Into::into).collect();
    let exprs = items.iter().map(|item| item.expr.clone()).collect();
    Expression::of(&items.iter().collect::<Vec<_>>(), kind(exprs))
}

/// A ROW.
pub fn row<E: Into<Expression>>(fields: impl IntoIterator<Item = E>) -> Expression {
    collected(fields, ExprKind::Row)
}

/// An ARRAY.
pub fn array<E: Into<Expression>>(elements: impl IntoIterator<Item = E>) -> Expression {
    collected(elements, ExprKind::Array)
}

/// A MAP.
pub fn map<K: Into<Expression>, V: Into<Expression>>(
    entries: impl IntoIterator<Item = (K, V)>,
) -> Expression {
    let entries: Vec<(Expression, Expression)> =
        entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
    let exprs = entries.iter().map(|(key, value)| (key.expr.clone(), value.expr.clone())).collect();
    let parts: Vec<&Expression> = entries.iter().flat_map(|(key, value)| [key, value]).collect();
    Expression::of(&parts, ExprKind::Map(exprs))
}

/// How many rows there are: `COUNT(*)`.
pub fn count_rows() -> Expression {
    let mut call = Call::new(function_name("COUNT"));
    call.args = vec![Argument { name: None, value: ArgumentValue::Star(Position::START) }];
    Expression::new(ExprKind::Call(Box::new(call)))
}

macro_rules! functions {
    ($($name:ident $function:literal $what:literal),*) => {
        impl Expression {
            $(
                #[doc = concat!($what, " (`", $function, "`).")]
                #[must_use]
                pub fn $name(&self) -> Self {
                    self.call($function, [] as [Expression; 0])
                }
            )*
        }
    };
}

functions!(
    count "COUNT" "How many values there are that are not NULL",
    sum "SUM" "Their sum, NULL without values",
    min "MIN" "The least of them",
    max "MAX" "The greatest of them",
    avg "AVG" "Their mean",
    first_value "FIRST_VALUE" "The first of them",
    last_value "LAST_VALUE" "The last of them",
    collect "COLLECT" "All of them, as a MULTISET",
    stddev_pop "STDDEV_POP" "Their standard deviation, that of a population",
    stddev_samp "STDDEV_SAMP" "Their standard deviation, that of a sample",
    var_pop "VAR_POP" "Their variance, that of a population",
    var_samp "VAR_SAMP" "Their variance, that of a sample",
    abs "ABS" "Without its sign",
    sqrt "SQRT" "The square root",
    floor "FLOOR" "The next whole number below",
    ceil "CEIL" "The next whole number above",
    upper_case "UPPER" "In capital letters",
    lower_case "LOWER" "In small letters",
    char_length "CHAR_LENGTH" "How many characters it has",
    trim "TRIM" "Without blanks at its ends",
    cardinality "CARDINALITY" "How many elements it has",
    element "ELEMENT" "The one element"
);

impl Expression {
    /// An aggregate of the values that differ.
    #[must_use]
    pub fn distinct(mut self) -> Self {
        match &mut self.expr.kind {
            ExprKind::Call(call) => {
                call.quantifier = Some(Quantifier::Distinct);
                self
            }
            _ => self.wrong("DISTINCT of what is no aggregate function".to_owned()),
        }
    }

    /// An aggregate over a window of [`Table::over_window`](crate::table::Table::over_window).
    #[must_use]
    pub fn over(mut self, window: &str) -> Self {
        match &mut self.expr.kind {
            ExprKind::Call(call) => {
                call.over = Some(Over::Name(ident(window)));
                self
            }
            _ => self.wrong("OVER of what is no function".to_owned()),
        }
    }

    /// The texts one after the other, with something between them.
    #[must_use]
    pub fn list_agg(&self, separator: &str) -> Self {
        self.call("LISTAGG", [separator])
    }

    /// Another value if it is NULL.
    #[must_use]
    pub fn if_null(&self, otherwise: impl Into<Expression>) -> Self {
        self.call("IFNULL", [otherwise.into()])
    }

    /// Rounded to so many digits behind the point.
    #[must_use]
    pub fn round(&self, digits: i32) -> Self {
        self.call("ROUND", [digits])
    }

    /// Characters from one on, the first being 1.
    #[must_use]
    pub fn substring(&self, from: i32, length: i32) -> Self {
        self.call("SUBSTRING", [from, length])
    }

    /// With one text instead of another.
    #[must_use]
    pub fn replace(&self, from: &str, to: &str) -> Self {
        self.call("REPLACE", [from, to])
    }

    /// A part of a time.
    #[must_use]
    pub fn extract(&self, unit: TimeUnit) -> Self {
        Expression::of(&[self], ExprKind::Extract { unit, operand: self.boxed() })
    }

    /// The beginning of the unit in which a time is.
    #[must_use]
    pub fn floor_to(&self, unit: TimeUnit) -> Self {
        Expression::of(&[self], ExprKind::Floor { operand: self.boxed(), unit: Some(unit) })
    }

    /// The end of the unit in which a time is.
    #[must_use]
    pub fn ceil_to(&self, unit: TimeUnit) -> Self {
        Expression::of(&[self], ExprKind::Ceil { operand: self.boxed(), unit: Some(unit) })
    }

    /// A text as a DATE.
    #[must_use]
    pub fn to_date(&self) -> Self {
        self.cast("DATE")
    }

    /// A text as a TIME.
    #[must_use]
    pub fn to_time(&self) -> Self {
        self.cast("TIME")
    }

    /// A text as a TIMESTAMP.
    #[must_use]
    pub fn to_timestamp(&self) -> Self {
        self.cast("TIMESTAMP(3)")
    }

    /// When a window begins, by the window's name.
    #[must_use]
    pub fn start(&self) -> Self {
        self.get("window_start")
    }

    /// When a window ends, by the window's name.
    #[must_use]
    pub fn end(&self) -> Self {
        self.get("window_end")
    }

    /// The last moment of a window as a time attribute, by the window's name: of event time, or of processing time.
    #[must_use]
    pub fn rowtime(&self) -> Self {
        self.get("window_time")
    }
}
