//! Functions with OVER.

use flott_expr::aggregate;
use flott_plan::{AggregateCall, Expr, Literal, SortKey};
use flott_sql_parser::ast::{Call, Expr as Ast, FrameBound, Ident, Over, Select, WindowSpec};
use flott_types::{Result, TypeKind};

use super::aggregate::{approximate, check_arguments};
use super::expr::{BoundAggregate, ExprBinder};
use super::placeholder::Placeholder;
use super::query::sort_key;
use super::{Binder, at, unsupported, wrong};
use crate::logical::{Field, OverSpec, Rel, RelNode};
use crate::optimize::is_deterministic;

/// The option that allows different windows in a SELECT over a stream.
pub(crate) const SEVERAL_OVERS: &str = "table.exec.over.several-windows";

/// A function with OVER whose parts are still expressions.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct OverCall {
    aggregate: BoundAggregate,
    partition: Vec<Expr>,
    order: Vec<(Expr, SortKey)>,
    frame: Frame,
}

/// ROWS or RANGE, from `preceding` before the row to `following` after it. A negative number points the other
/// way, `None` is UNBOUNDED.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Frame {
    rows: bool,
    preceding: Option<i64>,
    following: Option<i64>,
}

impl OverCall {
    /// All expressions in it.
    pub fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.partition
            .iter_mut()
            .chain(self.order.iter_mut().map(|(expr, _)| expr))
            .chain(&mut self.aggregate.args)
            .chain(&mut self.aggregate.filter)
    }
}

impl ExprBinder<'_, '_> {
    /// `name(...) OVER (...)`; becomes a placeholder.
    pub fn over_function(&self, name: &str, function: &Call, ast: &Ast) -> Result<Expr> {
        if self.overs.is_some() && !aggregate::is_aggregate(name) {
            return Err(wrong(format!("{name} is not a function that takes OVER"), ast));
        }
        // The arguments may hold aggregates when the SELECT is grouped: SUM(COUNT(*)) OVER (...).
        self.over(name, function, ast, || self.over_aggregate(name, function, ast))
    }

    /// An aggregate with OVER; becomes a placeholder.
    pub(super) fn over(
        &self,
        name: &str,
        function: &Call,
        ast: &Ast,
        bound: impl FnOnce() -> Result<BoundAggregate>,
    ) -> Result<Expr> {
        let Some(overs) = &self.overs else {
            return Err(wrong(format!("{name} with OVER is not allowed here"), ast));
        };
        if let Some(filter) = &function.filter {
            return Err(wrong(format!("{name} takes FILTER or OVER, not both"), filter));
        }
        let spec = match &function.over {
            Some(Over::Window(spec)) => self.refined(spec.clone(), 0)?,
            Some(Over::Name(name)) => self.named_window(name, 0)?,
            None => return Err(wrong("expected OVER", ast)),
        };
        let aggregate = bound()?;
        let partition = spec.partition_by.iter().map(|expr| self.bind(expr)).collect::<Result<Vec<_>>>()?;
        if let Some(at) = partition.iter().position(|key| key.ty().kind == TypeKind::Null) {
            return Err(wrong("Illegal use of 'NULL' in PARTITION BY", &spec.partition_by[at]));
        }
        let mut order = Vec::with_capacity(spec.order_by.len());
        for item in &spec.order_by {
            let expr = self.bind(&item.expr)?;
            if self.binder.context.streaming && matches!(expr, Expr::Literal { .. }) {
                return Err(wrong("ORDER BY of OVER takes a column, not a constant", &item.expr));
            }
            order.push((expr, sort_key(0, item)));
        }
        let frame = self.frame(name, &spec, &order, ast)?;
        let ty = aggregate.call.ty.clone();
        let call = OverCall { aggregate, partition, order, frame };
        let mut overs = overs.borrow_mut();
        let index = match overs.iter().position(|known| *known == call) {
            Some(index) => index,
            None => {
                overs.push(call);
                overs.len() - 1
            }
        };
        Ok(Placeholder::Over.expr(index, ty))
    }

    fn over_aggregate(&self, name: &str, function: &Call, ast: &Ast) -> Result<BoundAggregate> {
        let (args, distinct) = self.arguments(name, function, ast)?;
        let args = args.into_iter().map(|arg| self.bind(arg)).collect::<Result<Vec<_>>>()?;
        check_arguments(name, &args, ast)?;
        let types: Vec<_> = args.iter().map(|arg| arg.ty().clone()).collect();
        let ty = at(aggregate::infer(name, &types, distinct, true), ast)?;
        let mut canonical = aggregate::canonical(name);
        let mut distinct = distinct;
        if name == "APPROX_COUNT_DISTINCT" {
            at(approximate(&types, self.binder.context.streaming), ast)?;
            "COUNT".clone_into(&mut canonical);
            distinct = true;
        }
        let call = AggregateCall {
            function: canonical,
            args: Vec::new(),
            arg_types: types,
            distinct,
            filter: None,
            ty,
            name: String::new(),
        };
        Ok(BoundAggregate { call, args, filter: None })
    }

    /// A window of the WINDOW clause, with what it inherits from others.
    fn named_window(&self, name: &Ident, depth: usize) -> Result<WindowSpec> {
        // Each window of the clause is visited at most once, unless their references form a cycle.
        if depth > self.windows.len() {
            return Err(wrong(format!("WINDOW {} refers to itself", name.value), name));
        }
        match self.windows.iter().find(|window| window.name.value == name.value) {
            Some(window) => self.refined(window.spec.clone(), depth + 1),
            None => Err(wrong(format!("there is no WINDOW {}", name.value), name)),
        }
    }

    /// A window with what it inherits from the one it names.
    fn refined(&self, spec: WindowSpec, depth: usize) -> Result<WindowSpec> {
        let Some(base) = &spec.base else { return Ok(spec) };
        let base = self.named_window(base, depth)?;
        Ok(WindowSpec {
            base: None,
            partition_by: if spec.partition_by.is_empty() { base.partition_by } else { spec.partition_by },
            order_by: if spec.order_by.is_empty() { base.order_by } else { spec.order_by },
            frame: spec.frame.or(base.frame),
        })
    }

    /// ROWS or RANGE with its bounds. A stream supports only frames that end with the current row.
    fn frame(&self, name: &str, spec: &WindowSpec, order: &[(Expr, SortKey)], ast: &Ast) -> Result<Frame> {
        let Some(frame) = &spec.frame else {
            return Ok(Frame { rows: false, preceding: None, following: Some(0) });
        };
        if matches!(
            name,
            "ROW_NUMBER" | "RANK" | "DENSE_RANK" | "NTILE" | "PERCENT_RANK" | "CUME_DIST" | "LEAD" | "LAG"
        ) {
            return Err(wrong(format!("{name} takes no ROWS or RANGE"), ast));
        }
        let rows = frame.rows;
        let streaming = self.binder.context.streaming;
        let following = match &frame.end {
            None | Some(FrameBound::CurrentRow) => Some(0),
            Some(_) if streaming => {
                return Err(unsupported("a frame of a stream that does not end with CURRENT ROW", ast));
            }
            Some(FrameBound::Following(None)) => None,
            Some(FrameBound::Preceding(None)) => {
                return Err(wrong("a frame cannot end with UNBOUNDED PRECEDING", ast));
            }
            Some(FrameBound::Following(Some(bound))) => Some(self.distance(bound, rows)?),
            Some(FrameBound::Preceding(Some(bound))) => Some(-self.distance(bound, rows)?),
        };
        let preceding = match &frame.start {
            FrameBound::Preceding(None) => None,
            FrameBound::CurrentRow => Some(0),
            FrameBound::Following(None) => {
                return Err(wrong("a frame cannot start with UNBOUNDED FOLLOWING", ast));
            }
            FrameBound::Following(Some(_)) if streaming => {
                return Err(unsupported("a frame of a stream that starts with FOLLOWING", ast));
            }
            FrameBound::Following(Some(bound)) => Some(-self.distance(bound, rows)?),
            FrameBound::Preceding(Some(bound)) => Some(self.distance(bound, rows)?),
        };
        if order.is_empty() {
            return Err(wrong("ROWS and RANGE need an ORDER BY", ast));
        }
        Ok(Frame { rows, preceding, following })
    }

    /// The distance of a bound from the current row: rows, or with RANGE milliseconds; in a batch query also
    /// a difference of numbers.
    fn distance(&self, bound: &Ast, rows: bool) -> Result<i64> {
        let expr = flott_expr::fold(self.bind(bound)?, self.binder.context)?;
        match &expr {
            Expr::Literal { value: Literal::Integer(n), ty }
                if *n >= 0
                    && match rows {
                        true => ty.kind.is_integer(),
                        false => {
                            ty.kind == TypeKind::IntervalDaySecond
                                || (!self.binder.context.streaming && ty.kind.is_integer())
                        }
                    } =>
            {
                Ok(*n)
            }
            _ => {
                let what = if rows { "a number of rows" } else { "an INTERVAL of days or less" };
                Err(wrong(format!("expected {what} before PRECEDING or FOLLOWING"), bound))
            }
        }
    }
}

impl Binder<'_> {
    /// Computes functions with OVER; the placeholders in `exprs` become columns.
    pub(crate) fn over(
        &self,
        mut rel: Rel,
        overs: Vec<OverCall>,
        exprs: Vec<&mut Expr>,
        select: &Select,
    ) -> Result<Rel> {
        // Expressions that are needed as columns are added after the existing columns.
        let before = rel.fields.len();
        let mut columns: Vec<(Expr, String)> =
            rel.columns().into_iter().zip(rel.fields.iter().map(|field| field.name.clone())).collect();
        let mut column = |expr: &Expr| match columns.iter().position(|(known, _)| known == expr) {
            Some(index) => index,
            None => {
                columns.push((expr.clone(), format!("$o{}", columns.len())));
                columns.len() - 1
            }
        };
        // One node for each window; calls of the same window share it.
        let mut windows: Vec<(OverSpec, Vec<AggregateCall>)> = Vec::new();
        let mut places = Vec::with_capacity(overs.len());
        for (index, over) in overs.iter().enumerate() {
            let order = over
                .order
                .iter()
                .map(|(expr, key)| SortKey { column: column(expr), ..key.clone() })
                .collect();
            let spec = OverSpec {
                partition: over.partition.iter().map(&mut column).collect(),
                order,
                rows: over.frame.rows,
                preceding: over.frame.preceding,
                following: over.frame.following,
            };
            let call = AggregateCall {
                args: over.aggregate.args.iter().map(&mut column).collect(),
                filter: over.aggregate.filter.as_ref().map(&mut column),
                name: format!("w0$o{index}"),
                ..over.aggregate.call.clone()
            };
            let window = match windows.iter().position(|(known, _)| *known == spec) {
                Some(window) => window,
                None => {
                    windows.push((spec, Vec::new()));
                    windows.len() - 1
                }
            };
            places.push((window, windows[window].1.len()));
            windows[window].1.push(call);
        }
        if self.context.streaming && windows.len() > 1 && !self.context.several_overs {
            return Err(wrong(
                format!(
                    "Over Agg: a stream takes one OVER window in a SELECT; these have different ones, which \
                     SET '{SEVERAL_OVERS}' = 'true' allows"
                ),
                select,
            ));
        }
        let computed: Vec<(usize, Expr)> =
            (before..).zip(columns[before..].iter().map(|(expr, _)| expr.clone())).collect();
        if columns.len() > before {
            rel = rel.project(columns);
        }
        let mut starts = vec![0; windows.len()];
        let mut windows: Vec<_> = windows.into_iter().enumerate().collect();
        windows.sort_by_key(|(_, (spec, calls))| place_in_chain(spec, calls, &rel));
        for (window, (spec, calls)) in windows {
            let mut fields = rel.fields.clone();
            starts[window] = fields.len();
            fields.extend(calls.iter().map(|call| Field::aggregated(call, &rel.fields)));
            rel = Rel::new(RelNode::Over { input: Box::new(rel), spec, calls }, fields);
        }
        // What is a column already is not computed again, so that one column stands for both. A constant stays one: it may be the
        // number in a placeholder.
        let functions = &self.context.functions;
        let known = |node: &Expr| computed.iter().find(|(_, expr)| expr == node).map(|(column, _)| *column);
        let is_known = |node: &Expr| match node {
            Expr::Literal { .. } => None,
            node => known(node).filter(|_| is_deterministic(node, functions)),
        };
        for expr in exprs {
            let taken = std::mem::replace(expr, Expr::column(0, TypeKind::Null.nullable()));
            *expr = taken.transform(&mut |node| {
                if let Some(index) = Placeholder::Over.index(&node) {
                    let (window, call) = places[index];
                    return Expr::column(starts[window] + call, node.ty().clone());
                }
                match is_known(&node) {
                    Some(column) => Expr::column(column, node.ty().clone()),
                    None => node,
                }
            });
        }
        Ok(rel)
    }
}

/// Where a window comes among others of its SELECT in a stream, each of which takes what the one before it emits: those
/// ordered by time, which take and emit only insertions, before those whose results change. Among equals a ROW_NUMBER
/// comes last, where a condition on it makes it a Top-N.
fn place_in_chain(spec: &OverSpec, calls: &[AggregateCall], input: &Rel) -> (bool, bool) {
    let changes = spec.order.first().is_none_or(|key| input.fields[key.column].time.is_none());
    (changes, calls.iter().all(|call| call.function == "ROW_NUMBER"))
}
