//! Fields of ROWs are read as separate columns, if the connector supports it: the rest of the ROW is neither
//! read nor carried along.
//!
//! An access such as `r.a.b` moves down through projections, filters, watermarks and joins to its scan. If
//! another operator needs the ROW, it gets the whole ROW.

use flott_plan::{Expr, Literal};
use flott_types::{LogicalType, TypeKind};

use crate::logical::{Field, Rel, RelNode, Scan};

/// Moves accesses to fields into the scans that can read them.
pub(super) fn read_fields(rel: Rel) -> Rel {
    if !can_read_fields(&rel) {
        return rel;
    }
    let whole: Vec<Access> = (0..rel.fields.len()).map(Access::whole).collect();
    narrow(rel, &whole)
}

fn can_read_fields(rel: &Rel) -> bool {
    match &rel.node {
        RelNode::Scan(scan) => scan.projects_fields,
        _ => rel.inputs().into_iter().any(can_read_fields),
    }
}

/// A column, or a field in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Access {
    column: usize,
    /// Positions of fields, from the outside in.
    path: Vec<usize>,
}

impl Access {
    fn whole(column: usize) -> Self {
        Access { column, path: Vec::new() }
    }

    /// The access that an expression is, if it does nothing else.
    fn of(expr: &Expr) -> Option<Self> {
        match expr {
            Expr::Column { index, .. } => Some(Access::whole(*index)),
            Expr::Call { function, args, .. } if function == "FIELD" => match args.as_slice() {
                [row, Expr::Literal { value: Literal::Integer(at), .. }] => {
                    let mut access = Access::of(row)?;
                    access.path.push(usize::try_from(*at).ok()?);
                    Some(access)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Applies the access to a value.
    fn apply(&self, value: Expr) -> Expr {
        self.path.iter().fold(value, |row, at| {
            let (_, ty) = step(row.ty(), *at);
            let at = Expr::literal(Literal::Integer(*at as i64), TypeKind::Int.not_null());
            Expr::call("FIELD", vec![row, at], ty)
        })
    }

    /// The column that the access becomes, in a relation with these columns.
    fn field(&self, fields: &[Field]) -> Field {
        let column = &fields[self.column];
        if self.path.is_empty() {
            return column.clone();
        }
        let (mut name, mut ty) = (column.name.clone(), column.ty.clone());
        for at in &self.path {
            let (field, inner) = step(&ty, *at);
            name = format!("{name}_{field}");
            ty = inner;
        }
        Field::new(name, ty)
    }
}

/// Name and type of a field of a ROW; it is nullable if the ROW is.
fn step(row: &LogicalType, at: usize) -> (String, LogicalType) {
    match &row.kind {
        TypeKind::Row(fields) | TypeKind::Structured(_, fields) if at < fields.len() => {
            let ty = fields[at].ty.clone();
            let nullable = row.nullable || ty.nullable;
            (fields[at].name.clone(), ty.with_nullable(nullable))
        }
        _ => (String::new(), row.clone()),
    }
}

/// The relation with only these columns and fields, which are sorted and do not contain each other.
fn narrow(rel: Rel, wanted: &[Access]) -> Rel {
    let Rel { node, fields } = rel;
    let out = wanted.iter().map(|access| access.field(&fields)).collect::<Vec<Field>>();
    let column = |access: &Access| Expr::column(access.column, fields[access.column].ty.clone());
    match node {
        RelNode::Scan(scan) if scan.projects_fields => Rel::new(RelNode::Scan(reading(scan, wanted)), out),
        RelNode::Project { input, exprs } => {
            let exprs = wanted.iter().map(|access| access.apply(exprs[access.column].clone()));
            let (input, exprs) = narrow_under(*input, exprs.collect());
            Rel::new(RelNode::Project { input: Box::new(input), exprs }, out)
        }
        RelNode::Filter { input, condition } => {
            let mut exprs: Vec<Expr> = wanted.iter().map(|access| access.apply(column(access))).collect();
            exprs.push(condition);
            let (input, mut exprs) = narrow_under(*input, exprs);
            match exprs.pop() {
                Some(condition) => projected(input.filter(condition), exprs, out),
                None => projected(input, exprs, out),
            }
        }
        RelNode::Watermark { input, column: time, expr } => {
            let mut exprs: Vec<Expr> = wanted.iter().map(|access| access.apply(column(access))).collect();
            exprs.extend([Expr::column(time, fields[time].ty.clone()), expr]);
            let (input, mut exprs) = narrow_under(*input, exprs);
            let (expr, place) = (exprs.pop(), exprs.pop());
            let (Some(expr), Some(Expr::Column { index, .. })) = (expr, place) else {
                return projected(input, exprs, out);
            };
            let mut marked = input.fields.clone();
            marked[index].time = fields[time].time;
            let node = RelNode::Watermark { input: Box::new(input), column: index, expr };
            projected(Rel::new(node, marked), exprs, out)
        }
        RelNode::Join { left, right, kind, condition } => {
            let mut exprs: Vec<Expr> = wanted.iter().map(|access| access.apply(column(access))).collect();
            exprs.extend(condition);
            let mut reads = reads_of(&exprs);
            let width = left.fields.len();
            let (mut of_left, mut of_right): (Vec<Access>, Vec<Access>) =
                reads.drain(..).partition(|access| access.column < width);
            // Columns were pruned before: each side keeps one, so that rows can be counted.
            if of_left.is_empty() && width > 0 {
                of_left.push(Access::whole(0));
            }
            if of_right.is_empty() && !right.fields.is_empty() {
                of_right.push(Access::whole(width));
            }
            reads.extend(of_left.iter().chain(&of_right).cloned());
            let mut exprs = placed(exprs, &reads, width + right.fields.len());
            of_right.iter_mut().for_each(|access| access.column -= width);
            let condition = if exprs.len() > wanted.len() { exprs.pop() } else { None };
            let (left, right) = (narrow(*left, &of_left), narrow(*right, &of_right));
            projected(left.join(right, kind, condition), exprs, out)
        }
        node => {
            let exprs = wanted.iter().map(|access| access.apply(column(access))).collect();
            projected(Rel::new(node, fields).map_inputs(&mut read_fields), exprs, out)
        }
    }
}

/// The scan with these columns. Metadata columns come last; their fields are not read separately.
fn reading(scan: Scan, wanted: &[Access]) -> Scan {
    let physical = scan.projection.len();
    let (of_table, metadata): (Vec<&Access>, Vec<&Access>) =
        wanted.iter().partition(|access| access.column < physical);
    let projection = of_table.iter().map(|access| scan.projection[access.column]).collect();
    let metadata = metadata.iter().map(|access| scan.metadata[access.column - physical].clone()).collect();
    let paths: Vec<Vec<usize>> = of_table.iter().map(|access| access.path.clone()).collect();
    let paths = if paths.iter().all(Vec::is_empty) { Vec::new() } else { paths };
    Scan { projection, paths, metadata, ..scan }
}

/// The input with what these expressions read, and the expressions over it.
fn narrow_under(input: Rel, exprs: Vec<Expr>) -> (Rel, Vec<Expr>) {
    let mut reads = reads_of(&exprs);
    if reads.is_empty() && !input.fields.is_empty() {
        // Columns were pruned before: one is kept, so that rows can be counted.
        reads.push(Access::whole(0));
    }
    let exprs = placed(exprs, &reads, input.fields.len());
    (narrow(input, &reads), exprs)
}

/// What these expressions read: sorted, and none inside another.
fn reads_of(exprs: &[Expr]) -> Vec<Access> {
    let mut reads = Vec::new();
    for expr in exprs {
        collect(expr, &mut reads);
    }
    reads.sort();
    // A path sorts right before those inside it.
    reads.dedup_by(|inner, outer| inner.column == outer.column && inner.path.starts_with(&outer.path));
    reads
}

/// Rewrites expressions over `width` columns to expressions over only what they read.
fn placed(exprs: Vec<Expr>, reads: &[Access], width: usize) -> Vec<Expr> {
    let place = |expr: Expr| {
        // The new columns are distinguished from the old ones by an offset until all are replaced.
        let moved = expr.transform(&mut |node| match Access::of(&node) {
            Some(access) if access.column < width => match reads.binary_search(&access) {
                Ok(at) => Expr::column(width + at, node.ty().clone()),
                Err(_) => node,
            },
            _ => node,
        });
        moved.transform(&mut |node| match node {
            Expr::Column { index, ty } => Expr::Column { index: index - width, ty },
            other => other,
        })
    };
    exprs.into_iter().map(place).collect()
}

fn collect(expr: &Expr, reads: &mut Vec<Access>) {
    match Access::of(expr) {
        Some(access) => reads.push(access),
        None => expr.children().into_iter().for_each(|child| collect(child, reads)),
    }
}

/// The relation with these columns computed from its own; unchanged if they are all its columns in order.
fn projected(rel: Rel, exprs: Vec<Expr>, fields: Vec<Field>) -> Rel {
    let same = exprs.len() == rel.fields.len()
        && exprs
            .iter()
            .enumerate()
            .all(|(at, expr)| matches!(expr, Expr::Column { index, .. } if *index == at));
    if same {
        return Rel { fields, ..rel };
    }
    Rel::new(RelNode::Project { input: Box::new(rel), exprs }, fields)
}
