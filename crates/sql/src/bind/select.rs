//! SELECT ... FROM ... WHERE ... GROUP BY ... HAVING ... QUALIFY.

use std::cell::RefCell;

use flott_plan::{Expr, SortKey, WindowKind};
use flott_sql_parser::ast::{Access, Expr as Ast, ExprKind, Ident, OrderItem, Select, SelectItem};
use flott_types::{FastMap, FastSet, Result};

use super::expr::{ExprBinder, illegal_null, is_bare_null};
use super::query::{Ordered, ordinal, sort_key};
use super::{Binder, Scope, at, wrong};
use crate::logical::{Field, Rel, RelNode, WindowBound};
use crate::optimize::window_of;

/// An item of the select list, or an expression that is computed along with it.
struct Item {
    expr: Expr,
    name: String,
}

impl Binder<'_> {
    /// Binds a SELECT with the ORDER BY of its enclosing query, which may refer to columns that are not
    /// selected.
    pub(crate) fn select(
        &self,
        select: &Select,
        order: &[OrderItem],
        outer: Option<&Scope<'_>>,
    ) -> Result<Ordered> {
        let (rel, scope) = self.under_hints(&select.hints, || self.from(&select.from, outer))?;
        let rel = match &select.condition {
            Some(condition) => self.filter(rel, &scope, condition)?,
            None => rel,
        };
        let (rel, scope) = self.group_window(rel, scope, &select.group_by)?;

        // The select list, HAVING, QUALIFY and ORDER BY over the columns of FROM, with placeholders.
        let binder = ExprBinder {
            binder: self,
            scope: &scope,
            aggregates: Some(RefCell::default()),
            overs: Some(RefCell::default()),
            subqueries: Some(RefCell::default()),
            grouped: !select.group_by.is_empty(),
            windows: &select.windows,
            aliases: RefCell::default(),
        };
        let mut items = self.select_list(&select.items, &binder)?;
        let visible = items.len();
        let having = select.having.as_ref().map(|having| binder.condition(having)).transpose()?;
        let qualify = select.qualify.as_ref().map(|qualify| binder.condition(qualify)).transpose()?;
        let order = self.order(order, &binder, &mut items, select, visible)?;
        let groups = self.groups(&select.group_by, select.group_distinct, &scope)?;
        let parts = SelectParts { items, visible, having, qualify, order, groups };
        self.finish_select(rel, &scope, &binder, select, parts)
    }

    fn finish_select(
        &self,
        rel: Rel,
        scope: &Scope<'_>,
        binder: &ExprBinder<'_, '_>,
        select: &Select,
        parts: SelectParts,
    ) -> Result<Ordered> {
        let SelectParts { mut items, visible, mut having, mut qualify, order, groups } = parts;
        let mut aggregates = binder.aggregates.as_ref().map(RefCell::take).unwrap_or_default();
        let mut overs = binder.overs.as_ref().map(RefCell::take).unwrap_or_default();
        let subqueries = binder.subqueries.as_ref().map(RefCell::take).unwrap_or_default();
        let grouped = groups.is_some() || !aggregates.is_empty() || having.is_some();

        let mut rel = rel;
        if grouped {
            let arguments =
                aggregates.iter_mut().flat_map(|call| call.args.iter_mut().chain(&mut call.filter));
            rel = at(self.join_subqueries(rel, &subqueries, arguments.collect()), select)?;
            let mut exprs: Vec<&mut Expr> = items.iter_mut().map(|item| &mut item.expr).collect();
            exprs.extend(having.as_mut());
            exprs.extend(qualify.as_mut());
            for over in &mut overs {
                exprs.extend(over.exprs_mut());
            }
            rel = self.group(rel, scope, groups.unwrap_or_default(), aggregates, exprs, select)?;
            if scope.group_window.is_none() {
                check_slices(&rel, select)?;
            }
        }
        let mut exprs: Vec<&mut Expr> = items.iter_mut().map(|item| &mut item.expr).collect();
        exprs.extend(having.as_mut());
        exprs.extend(qualify.as_mut());
        for over in &mut overs {
            exprs.extend(over.exprs_mut());
        }
        rel = at(self.join_subqueries(rel, &subqueries, exprs), select)?;
        if let Some(having) = having {
            rel = rel.filter(having);
        }
        if !overs.is_empty() {
            let mut exprs: Vec<&mut Expr> = items.iter_mut().map(|item| &mut item.expr).collect();
            exprs.extend(qualify.as_mut());
            rel = self.over(rel, overs, exprs, select)?;
        }
        if let Some(qualify) = qualify {
            rel = rel.filter(qualify);
        }
        let mut rel = rel.project(items.into_iter().map(|Item { expr, name }| (expr, name)).collect());
        // A hint is for what the SELECT itself joins and aggregates.
        rel.fields.iter_mut().for_each(|field| field.state_ttl = None);
        if select.distinct {
            if visible != rel.fields.len() {
                return Err(wrong("ORDER BY of SELECT DISTINCT takes selected columns only", select));
            }
            rel = distinct(rel);
            check_slices(&rel, select)?;
        }
        Ok(Ordered { rel, visible, order })
    }

    fn select_list(&self, list: &[SelectItem], binder: &ExprBinder<'_, '_>) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        for item in list {
            match item {
                SelectItem::Expr { expr: ast, alias } => {
                    let expr = binder.bind(ast)?;
                    if is_bare_null(&expr) {
                        return Err(illegal_null(ast));
                    }
                    let name = alias.as_ref().or_else(|| derived_name(ast)).map(|name| name.value.clone());
                    items.push(Item { expr, name: name.unwrap_or_else(|| format!("EXPR${}", items.len())) });
                }
                SelectItem::Wildcard(_) => {
                    if binder.scope.fields.is_empty() {
                        return Err(wrong("* needs a FROM clause", item));
                    }
                    for (_, columns) in &binder.scope.relations {
                        distinct_columns(columns, binder.scope, item)?;
                    }
                    // A query in FROM without an alias.
                    if binder.scope.relations.is_empty() {
                        distinct_columns(&binder.scope.visible, binder.scope, item)?;
                    }
                    self.columns(&binder.scope.visible, binder.scope, &mut items);
                }
                SelectItem::QualifiedWildcard(names) => match &names[..] {
                    [alias] if binder.scope.relation(&alias.value).is_some() => {
                        let columns = binder.scope.relation(&alias.value).unwrap_or_default();
                        self.columns(columns, binder.scope, &mut items);
                    }
                    names => self.row_fields(names, binder, &mut items)?,
                },
            }
        }
        Ok(items)
    }

    fn columns(&self, columns: &[usize], scope: &Scope<'_>, items: &mut Vec<Item>) {
        items.extend(
            columns
                .iter()
                .map(|column| Item { expr: scope.column(*column), name: scope.fields[*column].name.clone() }),
        );
    }

    /// `row.*`: all fields of a ROW.
    fn row_fields(&self, parts: &[Ident], binder: &ExprBinder<'_, '_>, items: &mut Vec<Item>) -> Result<()> {
        let row = binder.scope.resolve(parts)?;
        let Some(fields) = row.ty().kind.fields().map(<[_]>::to_vec) else {
            return Err(wrong("only a table or a ROW has columns for *", &parts[0]));
        };
        for field in fields {
            let name = Ident::new(field.name.clone(), parts[0].position);
            let expr = super::scope::fields_of(row.clone(), &[name])?;
            items.push(Item { expr, name: field.name });
        }
        Ok(())
    }

    /// ORDER BY: selected columns by alias or position, or expressions, which become hidden items.
    fn order(
        &self,
        order: &[OrderItem],
        binder: &ExprBinder<'_, '_>,
        items: &mut Vec<Item>,
        select: &Select,
        visible: usize,
    ) -> Result<Vec<SortKey>> {
        let mut keys = Vec::with_capacity(order.len());
        let named = |item: &Item| (item.name.clone(), item.expr.clone());
        binder.aliases.replace(items[..visible].iter().map(named).collect());
        for item in order {
            let ast = &item.expr;
            let named = |name: &Ident| items[..visible].iter().position(|item| item.name == name.value);
            let column = match ordinal(ast, visible)?.or_else(|| ast.as_ident().and_then(named)) {
                Some(column) => column,
                None => {
                    let expr = binder.bind(ast)?;
                    if is_bare_null(&expr) {
                        return Err(illegal_null(ast));
                    }
                    match items.iter().position(|item| item.expr == expr) {
                        Some(column) => column,
                        None if select.distinct => {
                            return Err(wrong(
                                "ORDER BY of SELECT DISTINCT takes selected columns only",
                                ast,
                            ));
                        }
                        None => {
                            items.push(Item { expr, name: format!("$order{}", items.len()) });
                            items.len() - 1
                        }
                    }
                }
            };
            keys.push(sort_key(column, item));
        }
        binder.aliases.take();
        Ok(keys)
    }
}

struct SelectParts {
    items: Vec<Item>,
    visible: usize,
    having: Option<Expr>,
    qualify: Option<Expr>,
    order: Vec<SortKey>,
    groups: Option<super::aggregate::Groups>,
}

/// SELECT DISTINCT: GROUP BY all columns.
pub(crate) fn distinct(rel: Rel) -> Rel {
    let keys = (0..rel.fields.len()).collect();
    rel.aggregate(keys, Vec::new())
}

/// The name of an unnamed item: that of its column or field.
fn derived_name(ast: &Ast) -> Option<&Ident> {
    match &ast.kind {
        ExprKind::Name(parts) => parts.last(),
        ExprKind::Access { path, .. } => match path.last() {
            Some(Access::Field(name)) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// Refuses `*` for a relation with two columns of the same name.
fn distinct_columns(columns: &[usize], scope: &Scope<'_>, item: &SelectItem) -> Result<()> {
    let name = |column: &usize| scope.fields[*column].name.as_str();
    match columns
        .iter()
        .enumerate()
        .find(|(at, column)| columns[..*at].iter().any(|c| name(c) == name(column)))
    {
        Some((_, column)) => Err(wrong(format!("Column '{}' is ambiguous", name(column)), item)),
        None => Ok(()),
    }
}

/// Numbers names that repeat in the result of a statement, as in Flink: `a`, `a0`, `a1`. Within a statement a
/// repeated name is ambiguous.
pub(super) fn unique_names(fields: &mut [Field]) {
    let mut taken: FastSet<String> = FastSet::default();
    // The number from which to look for a free one.
    let mut next: FastMap<String, usize> = FastMap::default();
    for field in fields {
        if taken.contains(&field.name) {
            let base = field.name.clone();
            let number = next.entry(base.clone()).or_default();
            while taken.contains(&field.name) {
                field.name = format!("{base}{number}");
                *number += 1;
            }
        }
        taken.insert(field.name.clone());
    }
}

/// Rows may have any windows, but aggregates over those of a window table function are computed by slices that
/// windows share, as in Flink.
fn check_slices(rel: &Rel, select: &Select) -> Result<()> {
    match &rel.node {
        RelNode::Project { input, .. } | RelNode::Filter { input, .. } => check_slices(input, select),
        RelNode::Aggregate { input, keys, .. } => {
            let has = |bound| keys.iter().any(|key| input.fields[*key].window == Some(bound));
            match window_of(input).map(|window| window.kind) {
                Some(WindowKind::Hop { size, slide, .. })
                    if size % slide != 0 && has(WindowBound::Start) && has(WindowBound::End) =>
                {
                    let message = format!(
                        "HOP table function based aggregate requires size must be an integral multiple of slide, but got \
                         size {size} ms and slide {slide} ms"
                    );
                    Err(wrong(message, select))
                }
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
