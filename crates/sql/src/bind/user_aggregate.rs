//! Calls of users' aggregate functions.

use flott_expr::bind;
use flott_expr::user::UserFunction;
use flott_plan::{AggregateCall, Expr};
use flott_sql_parser::ast::{Call, Expr as Ast};
use flott_types::{Error, LogicalType, Result};

use super::expr::{BoundAggregate, ExprBinder};
use super::{at, unsupported};

impl ExprBinder<'_, '_> {
    /// A call of an aggregate function of a user; becomes a placeholder.
    pub(super) fn user_aggregate(&self, user: &UserFunction, function: &Call, ast: &Ast) -> Result<Expr> {
        let name = function.name.to_string();
        if function.ignore_nulls.is_some() || !function.within_group.is_empty() {
            return Err(unsupported(format!("{name} with IGNORE NULLS or WITHIN GROUP"), ast));
        }
        if function.over.is_some() {
            // The arguments may hold aggregates when the SELECT is grouped.
            return self.over(&name, function, ast, || {
                self.user_call(user, function, true, |arg| self.bind(arg), ast)
            });
        }
        self.aggregate(&name, ast, || {
            let inner = ExprBinder::scalar(self.binder, self.scope);
            let filter = function.filter.as_ref().map(|filter| inner.condition(filter)).transpose()?;
            let bound = self.user_call(user, function, self.grouped, |arg| inner.bind(arg), ast)?;
            Ok(BoundAggregate { filter, ..bound })
        })
    }

    /// The call with its arguments, which are cast to the types of the parameters. An aggregation of all rows, not of groups,
    /// has a result of no rows, too.
    fn user_call(
        &self,
        user: &UserFunction,
        function: &Call,
        grouped: bool,
        bind: impl Fn(&Ast) -> Result<Expr>,
        ast: &Ast,
    ) -> Result<BoundAggregate> {
        let name = function.name.to_string();
        let (args, distinct) = self.user_arguments(user, function, ast)?;
        let args = args.into_iter().map(bind).collect::<Result<Vec<_>>>()?;
        let Expr::Call { function, args, .. } = at(bind::call_of(user, args, self.binder.context), ast)?
        else {
            return Err(Error::internal(format!("'{name}' became no call")));
        };
        let ty = user.aggregated();
        let types: Vec<LogicalType> = args.iter().map(|arg| arg.ty().clone()).collect();
        let call = AggregateCall {
            function,
            args: Vec::new(),
            arg_types: types,
            distinct,
            filter: None,
            ty: ty.clone().with_nullable(ty.nullable || !grouped),
            name: String::new(),
        };
        Ok(BoundAggregate { call, args, filter: None })
    }
}
