//! UNNEST: the elements of a collection as rows, next to the row that contains it. The user's table functions
//! return collections too.

use flott_expr::bind;
use flott_expr::user::FunctionKind;
use flott_plan::{Expr, JoinKind, Literal};
use flott_sql_parser::ast::{
    Argument, Expr as Ast, Ident, Join, JoinConstraint, ObjectName, Relation, RelationKind, TableAlias,
};
use flott_types::{LogicalType, Result, TypeKind};

use super::expr::ExprBinder;
use super::placeholder::{self, shift_back};
use super::user_arguments::in_order;
use super::{Binder, Scope, at, unsupported, wrong};
use crate::logical::{Field, Rel, RelNode};

/// The parts of UNNEST(...) [WITH ORDINALITY] [AS alias (columns)].
struct Parts<'a> {
    collection: Collection<'a>,
    ordinality: bool,
    alias: Option<&'a TableAlias>,
}

/// Where the rows come from.
enum Collection<'a> {
    Value(&'a Ast),
    Function(&'a ObjectName, &'a [Argument]),
}

fn parts(relation: &Relation) -> Result<Option<Parts<'_>>> {
    let alias = relation.alias.as_ref();
    if let RelationKind::Function { name, args, .. } = &relation.kind {
        return Ok(Some(Parts { collection: Collection::Function(name, args), ordinality: false, alias }));
    }
    let RelationKind::Unnest { collections, ordinality } = &relation.kind else {
        return Ok(None);
    };
    match collections.as_slice() {
        [collection] => {
            let collection = Collection::Value(collection);
            Ok(Some(Parts { collection, ordinality: *ordinality, alias }))
        }
        _ => Err(wrong("UNNEST takes one collection", relation)),
    }
}

/// Whether a table of FROM reads the preceding tables.
pub(super) fn is_unnest(relation: &Relation) -> bool {
    matches!(relation.kind, RelationKind::Unnest { .. } | RelationKind::Function { lateral: true, .. })
}

impl Binder<'_> {
    /// UNNEST as the first table of FROM: only the elements.
    pub(super) fn unnest_alone<'p>(
        &self,
        relation: &Relation,
        outer: Option<&'p Scope<'p>>,
    ) -> Result<(Rel, Scope<'p>)> {
        let ty = TypeKind::Int.not_null();
        let row = vec![Expr::literal(Literal::Integer(0), ty.clone())];
        let one = Rel::new(RelNode::Values(vec![row]), vec![Field::new("ZERO", ty)]);
        let scope = Scope { parent: outer, ..Scope::default() };
        let (rel, scope) = self.unnest(one, scope, relation, JoinKind::Inner)?;
        let columns: Vec<usize> = scope.visible;
        let exprs =
            columns.iter().map(|column| (rel.column(*column), rel.fields[*column].name.clone())).collect();
        let rel = rel.project(exprs);
        let alias = scope.relations.first().map(|(alias, _)| alias.as_str());
        let scope = Scope::of(alias, rel.fields.clone(), outer);
        Ok((rel, scope))
    }

    /// `left JOIN UNNEST(...) ON ...`
    pub(super) fn join_unnest<'p>(
        &self,
        left: Rel,
        left_scope: Scope<'p>,
        kind: JoinKind,
        constraint: &JoinConstraint,
        join: &Join,
    ) -> Result<(Rel, Scope<'p>)> {
        let condition = match constraint {
            JoinConstraint::None => None,
            JoinConstraint::On(on) => Some(on),
            _ => return Err(wrong("UNNEST is joined by CROSS JOIN or with ON", join)),
        };
        let (rel, scope) = self.unnest(left, left_scope, &join.relation, kind)?;
        let Some(condition) = condition else { return Ok((rel, scope)) };
        let bound = ExprBinder::scalar(self, &scope).condition(condition)?;
        match (&bound, kind) {
            (Expr::Literal { value: Literal::Boolean(true), .. }, _) => Ok((rel, scope)),
            (_, JoinKind::Inner) => Ok((rel.filter(bound), scope)),
            _ => self.unnest_on(rel, bound, condition).map(|rel| (rel, scope)),
        }
    }

    /// `LEFT JOIN UNNEST(...) ON condition`: a row of which no element fits is kept, with NULLs.
    fn unnest_on(&self, mut rel: Rel, bound: Expr, condition: &Ast) -> Result<Rel> {
        let fits = match &mut rel.node {
            RelNode::Unnest { input, condition, .. } => {
                let width = input.fields.len();
                let mut columns = Vec::new();
                bound.collect_columns(&mut columns);
                let of_elements = columns.iter().all(|column| *column >= width);
                of_elements.then(|| *condition = Some(shift_back(bound, width))).is_some()
            }
            _ => false,
        };
        match fits {
            true => Ok(rel),
            false => {
                Err(unsupported("LEFT JOIN UNNEST with a condition on columns of the left side", condition))
            }
        }
    }

    /// Joins each row of a relation with each element of its collection.
    pub(super) fn unnest<'p>(
        &self,
        left: Rel,
        mut scope: Scope<'p>,
        relation: &Relation,
        kind: JoinKind,
    ) -> Result<(Rel, Scope<'p>)> {
        let Some(Parts { collection, ordinality, alias }) = parts(relation)? else {
            return Err(unsupported("a table that reads the tables before it", relation));
        };
        if !matches!(kind, JoinKind::Inner | JoinKind::Left) {
            return Err(wrong(
                "UNNEST is only allowed on the right of CROSS JOIN, INNER JOIN or LEFT JOIN",
                relation,
            ));
        }
        if let Some(alias) = alias
            && scope.relation(&alias.name.value).is_some()
        {
            let name = &alias.name.value;
            let message = format!("Duplicate relation name '{name}' in FROM clause: give one an alias");
            return Err(wrong(message, relation));
        }
        let expr = match collection {
            Collection::Value(collection) => ExprBinder::scalar(self, &scope).bind(collection)?,
            Collection::Function(name, args) => self.table_function_call(name, args, &scope, relation)?,
        };
        if placeholder::Placeholder::reads_outer(&expr) {
            return Err(unsupported("UNNEST of a column of the outer query", relation));
        }
        let keep_empty = kind == JoinKind::Left;
        let element = |ty: &LogicalType, name: &str| match ty.kind.fields() {
            Some(fields) => fields
                .iter()
                .map(|field| {
                    let nullable = field.ty.nullable || ty.nullable;
                    (field.name.clone(), field.ty.clone().with_nullable(nullable))
                })
                .collect(),
            None => vec![(name.to_owned(), ty.clone())],
        };
        let mut columns: Vec<(String, LogicalType)> = match &expr.ty().kind {
            TypeKind::Array(ty) | TypeKind::Multiset(ty) => element(ty, "f0"),
            TypeKind::Map(key, value) => {
                vec![("f0".to_owned(), (**key).clone()), ("f1".to_owned(), (**value).clone())]
            }
            _ => {
                let message = format!("UNNEST takes an ARRAY, MAP or MULTISET, not {}", expr.ty());
                return Err(wrong(message, relation));
            }
        };
        if ordinality {
            columns.push(("ORDINALITY".to_owned(), TypeKind::Int.not_null()));
        }
        rename(&mut columns, alias.map_or(&[], |alias| alias.columns.as_slice()), relation)?;
        let width = left.fields.len();
        let mut fields = left.fields.clone();
        fields.extend(columns.into_iter().map(|(name, ty)| {
            let nullable = ty.nullable || keep_empty;
            Field::new(name, ty.with_nullable(nullable))
        }));
        let added: Vec<usize> = (width..fields.len()).collect();
        scope.fields.clone_from(&fields);
        if let Some(alias) = alias {
            scope.relations.push((alias.name.value.clone(), added.clone()));
        }
        scope.visible.extend(added);
        let node = RelNode::Unnest {
            input: Box::new(left),
            collection: expr,
            ordinality,
            keep_empty,
            condition: None,
        };
        Ok((Rel::new(node, fields), scope))
    }
}

impl Binder<'_> {
    /// A call of one of the user's table functions, over the preceding tables.
    fn table_function_call(
        &self,
        name: &ObjectName,
        args: &[Argument],
        scope: &Scope<'_>,
        relation: &Relation,
    ) -> Result<Expr> {
        let Some(function) = self.user_function(name)? else {
            return Err(wrong(format!("No match found for table function {name}"), relation));
        };
        if !matches!(function.kind(), FunctionKind::Table | FunctionKind::AsyncTable) {
            return Err(wrong(format!("{name} is not a table function"), relation));
        }
        let binder = ExprBinder::scalar(self, scope);
        let args = in_order(&function, &name.to_string(), args, relation)?;
        let args = args.into_iter().map(|arg| binder.bind(arg));
        at(bind::call_of(function.as_ref(), args.collect::<Result<_>>()?, self.context), relation)
    }
}

/// Renames the columns as the alias says, which names all of them or none.
fn rename(columns: &mut [(String, LogicalType)], names: &[Ident], relation: &Relation) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    if names.len() != columns.len() {
        let message =
            format!("the alias of UNNEST names {} columns; there are {}", names.len(), columns.len());
        return Err(wrong(message, relation));
    }
    for ((name, _), ident) in columns.iter_mut().zip(names) {
        name.clone_from(&ident.value);
    }
    Ok(())
}
