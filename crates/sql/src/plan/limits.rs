//! How deep a plan may be: its walks recurse, and its readers bound the depth of JSON.

use flott_plan::Expr;
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::logical::Rel;

/// The maximum depth of an expression. The parser bounds what is written in one place; this is for
/// expressions that grow by merging.
pub(crate) const MAX_HEIGHT: usize = 600;
/// Up to this height and size, expressions of relations on top of one another become one.
pub(crate) const MAX_MERGED_HEIGHT: usize = 300;
pub(crate) const MAX_MERGED_SIZE: usize = 10_000;
/// So many relations may lie within one another.
pub(crate) const MAX_RELATIONS: usize = 400;

/// Refuses a plan that is too high to be written, read and run.
pub(crate) fn check(rel: &Rel) -> Result<()> {
    let mut open = vec![(rel, 1)];
    while let Some((rel, level)) = open.pop() {
        if level > MAX_RELATIONS {
            return Err(Error::unsupported(format!(
                "a query of more than {MAX_RELATIONS} nested relations, including those of views, is not supported"
            )));
        }
        rel.exprs().into_iter().try_for_each(check_expr)?;
        rel.fields.iter().try_for_each(|field| check_type(&field.ty))?;
        open.extend(rel.inputs().into_iter().map(|input| (input, level + 1)));
    }
    Ok(())
}

fn check_expr(expr: &Expr) -> Result<()> {
    if expr.height() > MAX_HEIGHT {
        return Err(Error::unsupported(format!(
            "an expression of more than {MAX_HEIGHT} nested operators, including those of subqueries and \
             views, is not supported"
        )));
    }
    expr.walk().try_for_each(|node| check_type(node.ty()))
}

/// Refuses types that lie too deep within one another.
pub(crate) fn check_type(ty: &LogicalType) -> Result<()> {
    match ty.kind.depth() > TypeKind::MAX_DEPTH {
        true => Err(Error::unsupported(format!(
            "a type of more than {} nested types is not supported",
            TypeKind::MAX_DEPTH
        ))),
        false => Ok(()),
    }
}
