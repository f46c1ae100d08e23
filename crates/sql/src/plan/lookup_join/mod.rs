//! Joins of a stream with a table that is looked up.
//!
//! What the join asks of the table's columns becomes keys where it is an equality with a column as it is, and is asked of the rows that
//! were found where it is not: also what a view or a computed column of the table asks.

mod shown;

use flott_connector::Changelog;
use flott_expr::bind;
use flott_plan::{
    Chaining, Column, Exchange, Expr, JoinKind, LookupJoinSpec, LookupKey, LookupRequests, LookupSpec,
    OperatorSpec, Schema,
};
use flott_types::{Error, Result, TypeKind};

use self::shown::Lookup;
use super::{Planner, Stream, schema_of};
use crate::bind::placeholder::{conjunction, conjuncts, shift, substitute};
use crate::bind::table::{model_spec, table_spec};
use crate::logical::{LookupHint, Rel, RelNode, Scan};
use crate::optimize::is_deterministic;

/// The table of a lookup: what is made of its columns, and which of its rows count.
struct Looked<'r> {
    scan: &'r Scan,
    columns: &'r Rel,
    exprs: Vec<Expr>,
    conditions: Vec<Expr>,
}

/// What a join asks, over the columns of the left, then those of the table.
#[derive(Default)]
struct Asked {
    /// A column of the table, and what it is equal to.
    keys: Vec<(usize, Expr)>,
    of_left: Vec<Expr>,
    of_table: Vec<Expr>,
    of_both: Vec<Expr>,
}

impl Planner<'_> {
    pub(super) fn lookup_join(&mut self, rel: &Rel) -> Result<Stream> {
        let RelNode::LookupJoin { left, right, kind, condition, hint } = &rel.node else {
            return Err(Error::internal("this is no lookup join"));
        };
        let looked = looked(right)?;
        let model = looked.scan.model;
        let table = match model {
            true => model_spec(&looked.scan.path, &looked.scan.table),
            false => table_spec(&looked.scan.path, &looked.scan.table)?,
        };
        if !model && self.changelog(&table)? != Changelog::InsertOnly {
            return Err(Error::invalid(format!(
                "table {} has deletions: a table of changes cannot be looked up",
                table.name
            )));
        }
        let width = left.fields.len();
        let over_both: Vec<Expr> = left
            .columns()
            .into_iter()
            .chain(looked.exprs.iter().map(|expr| shift(expr.clone(), width)))
            .collect();
        let on = condition.iter().cloned().flat_map(conjuncts).map(|test| substitute(test, &over_both));
        let tests = on.chain(looked.conditions.iter().map(|test| shift(test.clone(), width)));
        let asked = self.asked(tests.collect(), width, *kind, looked.columns)?;
        if asked.keys.is_empty() {
            return Err(Error::invalid(format!(
                "Temporal table join requires an equality condition on fields of table [{}].",
                table.name
            )));
        }
        // Only columns that somebody reads are read.
        let mut read: Vec<usize> = Vec::new();
        looked.exprs.iter().for_each(|expr| expr.collect_columns(&mut read));
        for test in asked.of_table.iter().chain(&asked.of_both) {
            let mut columns = Vec::new();
            test.collect_columns(&mut columns);
            read.extend(columns.into_iter().filter_map(|column| column.checked_sub(width)));
        }
        read.sort_unstable();
        read.dedup();
        let lookup = LookupSpec {
            table,
            keys: asked.keys.iter().map(|(column, _)| looked.scan.projection[*column]).collect(),
            projection: read.iter().map(|column| looked.scan.projection[*column]).collect(),
            model,
            function: None,
        };
        let is_async = self.connectors.lookup(&lookup, &self.table_context)?.is_async();

        let input = self.stream(left)?;
        if model {
            self.insert_only(&input, "MLPredictTableFunction")?;
        }
        let (columns, constants): (Vec<_>, Vec<_>) =
            asked.keys.iter().map(|(_, key)| key.clone()).partition(reads);
        let (input, mut places) = self.with_keys(input, columns);
        let by_rows = places.clone();
        let (mut places, mut constants) = (places.drain(..), constants.into_iter());
        let keys = asked.keys.iter().filter_map(|(_, key)| match reads(key) {
            true => places.next().map(LookupKey::Column),
            false => constants.next().map(LookupKey::Constant),
        });
        let keys: Vec<LookupKey> = keys.collect();
        let wide = input.schema.len();
        let moved = |test: Expr| {
            test.transform(&mut |node| match node {
                Expr::Column { index, ty } if index >= width => {
                    let place = read.iter().position(|column| width + column == index).unwrap_or(0);
                    Expr::Column { index: wide + place, ty }
                }
                other => other,
            })
        };
        let projection: Vec<Expr> =
            looked.exprs.iter().map(|expr| back(moved(shift(expr.clone(), width)), wide)).collect();
        let as_read = projection.len() == read.len()
            && (0..)
                .zip(&projection)
                .all(|(at, expr)| matches!(expr, Expr::Column { index, .. } if *index == at));
        let spec = LookupJoinSpec {
            kind: *kind,
            requests: self.requests(hint.as_ref(), input.updates(), is_async, model),
            keys,
            projection: if as_read { Vec::new() } else { projection.clone() },
            left_condition: conjunction(asked.of_left.clone()),
            condition: conjunction(asked.of_table.iter().chain(&asked.of_both).cloned().map(moved)),
            lookup,
        };
        let mut schema = input.schema.clone();
        schema.columns.extend(schema_of(rel).columns.into_iter().skip(width));
        let shuffled = hint.as_ref().is_some_and(|hint| hint.shuffle) && !by_rows.is_empty();
        let both = Schema { columns: left_and_table(&schema_of(left), looked.columns) };
        let table =
            Schema { columns: read.iter().map(|column| both.columns[width + column].clone()).collect() };
        let shown = Lookup {
            spec: &spec,
            input: &input.schema,
            key_columns: asked
                .keys
                .iter()
                .map(|(column, _)| both.columns[width + column].name.as_str())
                .collect(),
            of_table: asked.shown_of_table(width, looked.columns),
            of_both: asked.of_left.iter().chain(&asked.of_both).cloned().collect(),
            both: &both,
            table: &table,
            projection: &projection,
            output: &schema,
            is_async,
            shuffled,
            left_width: width,
        };
        let name = shown::describe(&shown);
        let (parallelism, exchange) = match shuffled {
            true => self.distribution(&by_rows),
            false => (input.parallelism, Exchange::Forward),
        };
        let operator = OperatorSpec::LookupJoin(spec);
        let joined = self.add(name, operator, schema, parallelism, &[(input, exchange)]);
        // While there is no room, nobody before it in its task may go on.
        self.graph.nodes[joined.id.0 as usize].wishes.chaining = Chaining::Head;
        if wide == width {
            return Ok(joined);
        }
        let target = schema_of(rel);
        let exprs = target.columns.iter().enumerate().map(|(index, column)| {
            let place = if index < width { index } else { index + wide - width };
            Expr::column(place, column.ty.clone())
        });
        Ok(self.project_stream(joined, exprs.collect(), None, target))
    }

    /// Sorts what a join asks. Constants come first: of two keys for one column one is asked of what was found.
    fn asked(&self, tests: Vec<Expr>, width: usize, kind: JoinKind, table: &Rel) -> Result<Asked> {
        let mut asked = Asked::default();
        let (constant, others): (Vec<_>, Vec<_>) = tests
            .into_iter()
            .map(|test| (self.key(&test, width, table), test))
            .partition(|(key, _)| key.as_ref().is_some_and(|(_, key)| !reads(key)));
        for (key, test) in constant.into_iter().chain(others) {
            let taken = |column| asked.keys.iter().any(|(known, _)| *known == column);
            if let Some((column, key)) = key
                && !taken(column)
            {
                asked.keys.push((column, key));
                continue;
            }
            let mut columns = Vec::new();
            test.collect_columns(&mut columns);
            let left = columns.iter().any(|column| *column < width);
            let right = columns.iter().any(|column| *column >= width);
            if matches!(&test, Expr::Call { function, .. } if function == "IS NOT DISTINCT FROM")
                && left
                && right
            {
                return Err(Error::invalid(
                    "LookupJoin doesn't support join condition contains 'a IS NOT DISTINCT FROM b' (or alternative '(a = b) \
                     or (a IS NULL AND b IS NULL)')",
                ));
            }
            match (left, right) {
                (true, false) if kind == JoinKind::Left && is_deterministic(&test, self.functions) => {
                    asked.of_left.push(test);
                }
                (false, true) => asked.of_table.push(test),
                _ => asked.of_both.push(test),
            }
        }
        Ok(asked)
    }

    /// The column of the table that is equal to something that is known before it is asked, and that.
    fn key(&self, test: &Expr, width: usize, table: &Rel) -> Option<(usize, Expr)> {
        let Expr::Call { function, args, .. } = test else { return None };
        let ("=", [a, b]) = (function.as_str(), args.as_slice()) else { return None };
        let column = |expr: &Expr| match expr {
            Expr::Column { index, .. } => index.checked_sub(width),
            _ => None,
        };
        let (column, key) = match (column(a), column(b)) {
            (Some(column), None) => (column, b),
            (None, Some(column)) => (column, a),
            _ => return None,
        };
        let mut read = Vec::new();
        key.collect_columns(&mut read);
        if read.iter().any(|column| *column >= width) || !is_deterministic(key, self.functions) {
            return None;
        }
        let (has, wants) = (&key.ty().kind, &table.fields.get(column)?.ty);
        // A text is the same in a longer column, and in no other.
        let fits = match (has, &wants.kind) {
            (TypeKind::Char(n) | TypeKind::Varchar(n), TypeKind::Varchar(most)) => n <= most,
            (has, wants) => has == wants,
        };
        let key = match key {
            Expr::Literal { value, ty } => {
                Expr::literal(value.clone(), wants.clone().with_nullable(ty.nullable))
            }
            key => bind::convert(key.clone(), wants.clone()),
        };
        fits.then_some((column, key))
    }

    fn requests(
        &self,
        hint: Option<&LookupHint>,
        updates: bool,
        is_async: bool,
        model: bool,
    ) -> LookupRequests {
        let set = if model { &self.options.predictions } else { &self.options.lookups };
        let unordered = hint.and_then(|hint| hint.unordered).unwrap_or(!set.ordered);
        LookupRequests {
            // The changes of a row do not pass each other.
            ordered: updates || !unordered,
            capacity: hint.and_then(|hint| hint.capacity).unwrap_or(set.capacity),
            // A table that answers from memory answers as soon as it has been read, however long that takes.
            timeout: if is_async { hint.and_then(|hint| hint.timeout).unwrap_or(set.timeout) } else { 0 },
            retry: hint.and_then(|hint| hint.retry),
            rows: set.rows,
        }
    }
}

impl Asked {
    /// What is asked of the table alone, with keys that are the same for all rows, over its columns.
    fn shown_of_table(&self, width: usize, table: &Rel) -> Vec<Expr> {
        let constants = self.keys.iter().filter(|(_, key)| !reads(key)).map(|(column, key)| {
            Expr::call("=", vec![table.column(*column), key.clone()], TypeKind::Boolean.nullable())
        });
        constants.chain(self.of_table.iter().map(|test| back(test.clone(), width))).collect()
    }
}

fn left_and_table(left: &Schema, table: &Rel) -> Vec<Column> {
    left.columns.iter().chain(&schema_of(table).columns).cloned().collect()
}

/// The table, and what stands above it.
fn looked(rel: &Rel) -> Result<Looked<'_>> {
    match &rel.node {
        RelNode::Scan(scan) if scan.errors.is_some() => Err(Error::invalid(format!(
            "ERRORS INTO is for tables that are read from end to end, and table {} is looked up",
            scan.path
        ))),
        RelNode::Scan(scan) if scan.metadata.is_empty() && scan.paths.iter().all(Vec::is_empty) => {
            Ok(Looked { scan, columns: rel, exprs: rel.columns(), conditions: Vec::new() })
        }
        RelNode::Scan(scan) => Err(Error::unsupported(format!(
            "a lookup of METADATA columns, those of table {}, is not supported",
            scan.path
        ))),
        RelNode::Project { input, exprs } => {
            let below = looked(input)?;
            let exprs = exprs.iter().map(|expr| substitute(expr.clone(), &below.exprs)).collect();
            Ok(Looked { exprs, ..below })
        }
        RelNode::Filter { input, condition } => {
            let mut below = looked(input)?;
            let condition = substitute(condition.clone(), &below.exprs);
            below.conditions.extend(conjuncts(condition));
            Ok(below)
        }
        // Event time of a table that is not read from end to end means nothing.
        RelNode::Watermark { input, .. } => looked(input),
        _ => Err(Error::internal("a lookup of something else than a table")),
    }
}

fn reads(expr: &Expr) -> bool {
    let mut columns = Vec::new();
    expr.collect_columns(&mut columns);
    !columns.is_empty()
}

fn back(expr: Expr, by: usize) -> Expr {
    expr.transform(&mut |node| match node {
        Expr::Column { index, ty } => Expr::Column { index: index.saturating_sub(by), ty },
        other => other,
    })
}
