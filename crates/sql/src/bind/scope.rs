//! Which names an expression can see.

use flott_plan::Expr;
use flott_sql_parser::ast::Ident;
use flott_types::{Result, TypeKind};

use super::group_window::GroupWindow;
use super::placeholder::{self, Placeholder};
use super::row_pattern_scope::PatternScope;
use super::wrong;
use crate::catalog::ObjectPath;
use crate::logical::Field;

/// The visible columns and their names.
#[derive(Clone, Default, Debug)]
pub(crate) struct Scope<'p> {
    /// The columns of the relation that expressions are over.
    pub fields: Vec<Field>,
    /// The tables of FROM: alias, and the positions of their columns.
    pub relations: Vec<(String, Vec<usize>)>,
    /// The full names of those that are tables under their own names.
    pub tables: Vec<(String, ObjectPath)>,
    /// The columns that a bare name or `*` refers to, in order.
    pub visible: Vec<usize>,
    /// In a SELECT grouped by TUMBLE(...), HOP(...) or SESSION(...): that window.
    pub group_window: Option<GroupWindow>,
    /// Within MATCH_RECOGNIZE: columns are those of matched rows.
    pub pattern: Option<&'p PatternScope<'p>>,
    /// The scope of the outer query, for correlated subqueries.
    pub parent: Option<&'p Scope<'p>>,
}

impl<'p> Scope<'p> {
    /// The columns of one relation under an alias.
    pub fn of(alias: Option<&str>, fields: Vec<Field>, parent: Option<&'p Scope<'p>>) -> Self {
        let all: Vec<usize> = (0..fields.len()).collect();
        let relations = alias.map(|alias| (alias.to_owned(), all.clone())).into_iter().collect();
        Scope { fields, relations, visible: all, parent, ..Scope::default() }
    }

    /// The columns of two relations side by side.
    pub fn beside(mut self, right: Scope<'_>) -> Self {
        let shift = self.fields.len();
        self.fields.extend(right.fields);
        let shifted =
            |columns: Vec<usize>| columns.into_iter().map(|column| column + shift).collect::<Vec<_>>();
        self.relations.extend(right.relations.into_iter().map(|(alias, columns)| (alias, shifted(columns))));
        self.tables.extend(right.tables);
        self.visible.extend(shifted(right.visible));
        self
    }

    /// A column by position.
    pub fn column(&self, index: usize) -> Expr {
        Expr::column(index, self.fields[index].ty.clone())
    }

    /// The columns of the table with this alias.
    pub fn relation(&self, alias: &str) -> Option<&[usize]> {
        self.relations.iter().find(|(name, _)| name == alias).map(|(_, columns)| columns.as_slice())
    }

    /// What a dotted name refers to: `column`, `table.column`, either followed by fields of a ROW.
    pub fn resolve(&self, parts: &[Ident]) -> Result<Expr> {
        let mut outward = Some(self);
        let mut depth = 0;
        while let Some(scope) = outward {
            if let Some((expr, used)) = scope.find(parts)? {
                let expr = (0..depth).fold(expr, |expr, _| placeholder::outer(expr));
                return fields_of(expr, &parts[used..]);
            }
            outward = scope.parent;
            depth += 1;
        }
        let name = parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
        let message = match parts {
            [table, _, ..] if self.relations.iter().all(|(alias, _)| *alias != table.value) => {
                format!("Table '{}' not found", table.value)
            }
            [table, column, ..] => format!("Column '{}' not found in table '{}'", column.value, table.value),
            _ => format!("Column '{name}' not found in any table"),
        };
        let is_table = message.starts_with("Table");
        let known = self.visible.iter().map(|column| self.fields[*column].name.as_str());
        let nearest = parts
            .last()
            .filter(|_| !is_table)
            .and_then(|part| known.into_iter().find(|name| name.eq_ignore_ascii_case(&part.value)));
        let message = match nearest {
            Some(nearest) => format!("{message}; did you mean '{nearest}'?"),
            None => message,
        };
        Err(wrong(message, &parts[0]))
    }

    /// Looks only in this scope; returns the column and how many parts of the name were used.
    fn find(&self, parts: &[Ident]) -> Result<Option<(Expr, usize)>> {
        if let Some(pattern) = self.pattern {
            return pattern.find(self, parts);
        }
        if let [table, column, ..] = parts
            && let Some(columns) = self.relation(&table.value)
            && let Some(index) = self.unique(columns, column)?
        {
            return Ok(Some((self.column(index), 2)));
        }
        if let Some(index) = self.unique(&self.visible, &parts[0])? {
            return Ok(Some((self.column(index), 1)));
        }
        // `database.table.column`, `catalog.database.table.column`
        for (alias, path) in &self.tables {
            let full = [&path.catalog, &path.database, &path.object];
            for from in 0..2 {
                let name = &full[from..];
                let Some(column) = parts.get(name.len()) else { continue };
                if name.iter().zip(parts).all(|(name, part)| **name == part.value)
                    && let Some(index) = self.unique(self.relation(alias).unwrap_or_default(), column)?
                {
                    return Ok(Some((self.column(index), name.len() + 1)));
                }
            }
        }
        Ok(None)
    }

    pub(super) fn unique(&self, columns: &[usize], name: &Ident) -> Result<Option<usize>> {
        let mut found = columns.iter().copied().filter(|column| self.fields[*column].name == name.value);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(wrong(format!("Column '{}' is ambiguous", name.value), name)),
            (first, _) => Ok(first),
        }
    }
}

/// `expr.a.b`: fields of a ROW.
pub(crate) fn fields_of(mut expr: Expr, names: &[Ident]) -> Result<Expr> {
    for name in names {
        let Some(fields) = expr.ty().kind.fields() else {
            return Err(wrong(
                format!("'{}' is taken from a value of type {}, which has no fields", name.value, expr.ty()),
                name,
            ));
        };
        let Some(index) = fields.iter().position(|field| field.name == name.value) else {
            return Err(wrong(format!("there is no field '{}' in {}", name.value, expr.ty()), name));
        };
        let nullable = expr.ty().nullable || fields[index].ty.nullable;
        let ty = fields[index].ty.clone().with_nullable(nullable);
        let index = Expr::literal(flott_plan::Literal::Integer(index as i64), TypeKind::Int.not_null());
        expr = Expr::call("FIELD", vec![expr, index], ty);
    }
    Ok(expr)
}

impl Placeholder {
    /// Whether an expression reads the outer query.
    pub fn reads_outer(expr: &Expr) -> bool {
        placeholder::contains(expr, Placeholder::Outer)
    }
}
