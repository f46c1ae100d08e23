//! UNPIVOT: columns become rows.

use flott_expr::{bind, literal_text};
use flott_plan::Expr;
use flott_sql_parser::ast::Unpivot;
use flott_types::{Result, TypeKind};

use super::{Binder, Scope, at, unsupported, wrong};
use crate::logical::{Field, Rel, RelNode};

impl Binder<'_> {
    /// `UNPIVOT [INCLUDE NULLS] (value FOR name IN (a, b AS 'c'))`: for each row and listed column, a row
    /// with the other columns, the column's name and its value.
    pub(crate) fn unpivot(&self, input: Rel, scope: &Scope<'_>, clause: &Unpivot) -> Result<Rel> {
        let [value] = &clause.values[..] else {
            let several = clause.values.first().unwrap_or(&clause.name);
            return Err(unsupported("UNPIVOT into several value columns", several));
        };
        let mut listed = Vec::with_capacity(clause.columns.len());
        for column in &clause.columns {
            let [name] = &column.columns[..] else {
                return Err(wrong("UNPIVOT lists columns", column.columns.first().unwrap_or(value)));
            };
            let Expr::Column { index, .. } = scope.resolve(std::slice::from_ref(name))? else {
                return Err(wrong("UNPIVOT lists columns", name));
            };
            let label = column.label.as_ref().map(|label| label.value.clone());
            listed.push((index, label.unwrap_or_else(|| input.fields[index].name.clone())));
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
        fields.push(Field::new(clause.name.value.clone(), label_ty));
        fields.push(Field::new(value.value.clone(), value_ty));
        let unpivoted = Rel::new(RelNode::Expand { input: Box::new(input), projections }, fields);
        if clause.include_nulls == Some(true) {
            return Ok(unpivoted);
        }
        let last = unpivoted.fields.len() - 1;
        let present = at(bind::call("IS NOT NULL", vec![unpivoted.column(last)], self.context), value)?;
        let mut rel = unpivoted.filter(present);
        // If NULLs are excluded, the value column is not nullable.
        rel.fields[last].ty.nullable = false;
        Ok(rel)
    }
}
