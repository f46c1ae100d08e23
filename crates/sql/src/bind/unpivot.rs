//! UNPIVOT: columns become rows.

use flott_expr::{bind, literal_text};
use flott_plan::Expr;
use flott_types::{Result, TypeKind};
use sqlparser::ast::{Expr as Ast, ExprWithAlias, Ident};

use super::expr::ExprBinder;
use super::{Binder, Scope, at, unsupported, wrong};
use crate::logical::{Field, Rel, RelNode};

impl Binder<'_> {
    /// `UNPIVOT [INCLUDE NULLS] (value FOR name IN (a, b AS 'c'))`: for each row and listed column a row with the other
    /// columns, the column's name and its value.
    pub(crate) fn unpivot(
        &self,
        input: Rel,
        scope: &Scope<'_>,
        value: &Ast,
        name: &Ident,
        columns: &[ExprWithAlias],
        include_nulls: bool,
    ) -> Result<Rel> {
        let Ast::Identifier(value_name) = value else {
            return Err(unsupported("UNPIVOT into several value columns", value));
        };
        let binder = ExprBinder::scalar(self, scope);
        let mut listed = Vec::with_capacity(columns.len());
        for column in columns {
            let Expr::Column { index, .. } = binder.bind(&column.expr)? else {
                return Err(wrong("UNPIVOT lists columns", &column.expr));
            };
            let label = column
                .alias
                .as_ref()
                .map_or_else(|| input.fields[index].name.clone(), |alias| alias.value.clone());
            listed.push((index, label));
        }
        let types: Vec<_> = listed.iter().map(|(index, _)| input.fields[*index].ty.clone()).collect();
        let value_ty = at(bind::common_type(&types), value)?;
        let length = listed.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(1) as u32;
        let label_ty = TypeKind::Varchar(length).not_null();
        let kept: Vec<usize> = (0..input.fields.len())
            .filter(|index| listed.iter().all(|(column, _)| column != index))
            .collect();
        let mut projections = Vec::with_capacity(listed.len());
        for (index, label) in &listed {
            let mut exprs: Vec<Expr> = kept.iter().map(|column| input.column(*column)).collect();
            exprs.push(bind::cast(literal_text::string(label.as_str()), label_ty.clone(), false)?);
            exprs.push(at(bind::cast(input.column(*index), value_ty.clone(), false), value)?);
            projections.push(exprs);
        }
        let mut fields: Vec<Field> = kept.iter().map(|column| input.fields[*column].clone()).collect();
        fields.push(Field::new(name.value.clone(), label_ty));
        fields.push(Field::new(value_name.value.clone(), value_ty));
        let unpivoted = Rel::new(RelNode::Expand { input: Box::new(input), projections }, fields);
        if include_nulls {
            return Ok(unpivoted);
        }
        let last = unpivoted.fields.len() - 1;
        let present = at(bind::call("IS NOT NULL", vec![unpivoted.column(last)], self.context), value)?;
        let mut rel = unpivoted.filter(present);
        // Without NULLs the value column cannot be NULL any more.
        rel.fields[last].ty.nullable = false;
        Ok(rel)
    }
}
