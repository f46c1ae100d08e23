//! How expressions are written in a plan.
//!
//! A node contains its operands, as readers expect: `{"call":{"function":"+","args":[..],..}}`. That nests,
//! and JSON readers bound the depth; so an expression deeper than [`NESTED`] is written as the steps that
//! compute it, each of which takes its operands from earlier ones: `{"steps":[a, b, +]}`. Both forms are
//! read.

use flott_types::LogicalType;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Expr, Literal};

/// The greatest depth of an expression that is written with its operands inside.
const NESTED: usize = 6;

impl Serialize for Expr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.height() <= NESTED {
            return Nested(self).serialize(serializer);
        }
        // Nodes before operands, the last operand first: reversed, operands come before their node.
        let mut steps = Vec::new();
        let mut open = vec![self];
        while let Some(node) = open.pop() {
            open.extend(node.children());
            steps.push(Step::of(node));
        }
        steps.reverse();
        #[derive(Serialize)]
        #[serde(rename_all = "snake_case")]
        enum Flat<'a> {
            Steps(Vec<Step<&'a str, &'a Literal, &'a LogicalType>>),
        }
        Flat::Steps(steps).serialize(serializer)
    }
}

/// An expression with its operands inside.
struct Nested<'a>(&'a Expr);

impl Serialize for Nested<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "snake_case")]
        enum Form<'a> {
            Column { index: usize, ty: &'a LogicalType },
            Literal { value: &'a Literal, ty: &'a LogicalType },
            Call { function: &'a str, args: Vec<Nested<'a>>, ty: &'a LogicalType },
            Cast { input: Nested<'a>, ty: &'a LogicalType, is_try: bool },
            Case { branches: Vec<(Nested<'a>, Nested<'a>)>, otherwise: Nested<'a>, ty: &'a LogicalType },
        }
        let form = match self.0 {
            Expr::Column { index, ty } => Form::Column { index: *index, ty },
            Expr::Literal { value, ty } => Form::Literal { value, ty },
            Expr::Call { function, args, ty } => {
                Form::Call { function, args: args.iter().map(Nested).collect(), ty }
            }
            Expr::Cast { input, ty, is_try } => Form::Cast { input: Nested(input), ty, is_try: *is_try },
            Expr::Case { branches, otherwise, ty } => {
                let branches = branches.iter().map(|(when, then)| (Nested(when), Nested(then))).collect();
                Form::Case { branches, otherwise: Nested(otherwise), ty }
            }
        };
        form.serialize(serializer)
    }
}

/// A node whose operands are the values of the steps before it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step<T, L, Y> {
    Column { index: usize, ty: Y },
    Literal { value: L, ty: Y },
    Call { function: T, args: usize, ty: Y },
    Cast { ty: Y, is_try: bool },
    Case { branches: usize, ty: Y },
}

impl<'a> Step<&'a str, &'a Literal, &'a LogicalType> {
    fn of(node: &'a Expr) -> Self {
        match node {
            Expr::Column { index, ty } => Step::Column { index: *index, ty },
            Expr::Literal { value, ty } => Step::Literal { value, ty },
            Expr::Call { function, args, ty } => Step::Call { function, args: args.len(), ty },
            Expr::Cast { ty, is_try, .. } => Step::Cast { ty, is_try: *is_try },
            Expr::Case { branches, ty, .. } => Step::Case { branches: branches.len(), ty },
        }
    }
}

impl<'de> Deserialize<'de> for Expr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Written {
            Column { index: usize, ty: LogicalType },
            Literal { value: Literal, ty: LogicalType },
            Call { function: String, args: Vec<Expr>, ty: LogicalType },
            Cast { input: Box<Expr>, ty: LogicalType, is_try: bool },
            Case { branches: Vec<(Expr, Expr)>, otherwise: Box<Expr>, ty: LogicalType },
            Steps(Vec<Step<String, Literal, LogicalType>>),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Column { index, ty } => Expr::Column { index, ty },
            Written::Literal { value, ty } => Expr::Literal { value, ty },
            Written::Call { function, args, ty } => Expr::Call { function, args, ty },
            Written::Cast { input, ty, is_try } => Expr::Cast { input, ty, is_try },
            Written::Case { branches, otherwise, ty } => Expr::Case { branches, otherwise, ty },
            Written::Steps(steps) => from_steps(steps)
                .ok_or_else(|| D::Error::custom("the steps of an expression are inconsistent"))?,
        })
    }
}

/// The expression that the steps compute; `None` if one lacks operands, or if not one value is left.
fn from_steps(steps: Vec<Step<String, Literal, LogicalType>>) -> Option<Expr> {
    let mut values: Vec<Expr> = Vec::new();
    for step in steps {
        let (mut node, operands) = match step {
            Step::Column { index, ty } => (Expr::Column { index, ty }, 0),
            Step::Literal { value, ty } => (Expr::Literal { value, ty }, 0),
            Step::Call { function, args, ty } => (Expr::Call { function, args: Vec::new(), ty }, args),
            Step::Cast { ty, is_try } => (Expr::Cast { input: Box::new(Expr::nothing()), ty, is_try }, 1),
            Step::Case { branches, ty } => {
                let otherwise = Box::new(Expr::nothing());
                (Expr::Case { branches: Vec::new(), otherwise, ty }, branches.checked_mul(2)?.checked_add(1)?)
            }
        };
        let first = values.len().checked_sub(operands)?;
        node.put_operands(values.split_off(first));
        values.push(node);
    }
    let expr = values.pop()?;
    values.is_empty().then_some(expr)
}
