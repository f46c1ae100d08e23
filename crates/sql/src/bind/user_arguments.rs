//! Arguments of users' functions, by position or by name.

use flott_expr::user::UserFunction;
use flott_sql_parser::ast::{Argument, ArgumentValue, Call, Expr as Ast, Quantifier};
use flott_types::Result;

use super::expr::ExprBinder;
use super::{Place, unsupported, wrong};

impl ExprBinder<'_, '_> {
    /// The arguments of a call in the order of the parameters. Also whether DISTINCT was given.
    pub(super) fn user_arguments<'f>(
        &self,
        user: &UserFunction,
        function: &'f Call,
        ast: &Ast,
    ) -> Result<(Vec<&'f Ast>, bool)> {
        let name = function.name.to_string();
        if function.args.iter().all(|arg| arg.name.is_none()) {
            return self.arguments(&name, function, ast);
        }
        if !function.order_by.is_empty() {
            return Err(unsupported(format!("'ORDER BY' in a call of {name}"), ast));
        }
        let distinct = function.quantifier == Some(Quantifier::Distinct);
        Ok((in_order(user, &name, &function.args, ast)?, distinct))
    }
}

/// Expressions in the order of the parameters: all by position, or all by name.
pub(super) fn in_order<'a>(
    user: &UserFunction,
    function: &str,
    args: &'a [Argument],
    node: &impl Place,
) -> Result<Vec<&'a Ast>> {
    let expression = |arg: &'a Argument| match &arg.value {
        ArgumentValue::Expr(value) => Ok(value),
        _ => Err(unsupported(format!("the argument '{arg}' in a call of {function}"), node)),
    };
    if args.iter().all(|arg| arg.name.is_none()) {
        return args.iter().map(expression).collect();
    }
    if let Some(arg) = args.iter().find(|arg| arg.name.is_none()) {
        let message = format!(
            "the argument '{arg}' of {function} has no name, and others have: name all of them or none"
        );
        return Err(wrong(message, node));
    }
    let parameters = user.parameters();
    let known = || match parameters.as_slice() {
        [] => "its parameters have no names".to_owned(),
        names => format!("its parameters are {}", names.join(", ")),
    };
    let mut found: Vec<Option<&Ast>> = vec![None; parameters.len()];
    for arg in args {
        let place =
            arg.name.as_ref().and_then(|name| parameters.iter().position(|known| *known == name.value));
        match place.and_then(|place| found.get_mut(place)) {
            Some(place @ None) => *place = Some(expression(arg)?),
            Some(Some(_)) => {
                return Err(wrong(format!("the argument '{arg}' of {function} is given twice"), node));
            }
            None => {
                let message = format!("{function} does not take the argument '{arg}' by name: {}", known());
                return Err(wrong(message, node));
            }
        }
    }
    let missing = |(name, found): (&&str, Option<&'a Ast>)| {
        found.ok_or_else(|| wrong(format!("the call of {function} lacks the argument '{name}'"), node))
    };
    parameters.iter().zip(found).map(missing).collect()
}
