//! Tables that a job reads in several places are read once: every scan of a table reads what all of them
//! need, so that the planner finds them equal. Positions in a table then belong to the job, however many
//! statements read it (`table.optimizer.reuse-source-enabled`).
//!
//! A scan that may stop early (a limit) stays separate.

use flott_plan::Expr;
use flott_types::LogicalType;

use crate::logical::{Field, Rel, RelNode, Scan};

/// What is read of a table: columns, fields of columns, metadata. In the order in which a scan has them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Read {
    Physical(usize, Vec<usize>),
    Metadata(String),
}

/// Everything that is read of one table.
struct Shared {
    scan: Scan,
    reads: Vec<(Read, Field, Option<LogicalType>)>,
}

/// Makes all scans of a table read the same.
pub(super) fn share_sources(roots: Vec<Rel>) -> Vec<Rel> {
    let mut tables: Vec<Shared> = Vec::new();
    roots.iter().for_each(|rel| collect(rel, &mut tables));
    tables.iter_mut().for_each(|table| table.reads.sort_by(|a, b| a.0.cmp(&b.0)));
    roots.into_iter().map(|rel| rewrite(rel, &tables)).collect()
}

fn collect(rel: &Rel, tables: &mut Vec<Shared>) {
    rel.inputs().into_iter().for_each(|input| collect(input, tables));
    let RelNode::Scan(scan) = &rel.node else { return };
    if scan.limit.is_some() {
        return;
    }
    let at = tables.iter().position(|table| is_of(table, scan)).unwrap_or_else(|| {
        tables.push(Shared { scan: scan.clone(), reads: Vec::new() });
        tables.len() - 1
    });
    for (read, field) in reads(scan).into_iter().zip(&rel.fields) {
        if tables[at].reads.iter().all(|(known, ..)| *known != read) {
            let metadata = match &read {
                Read::Metadata(key) => {
                    scan.metadata.iter().find(|(known, _)| known == key).map(|(_, ty)| ty.clone())
                }
                Read::Physical(..) => None,
            };
            tables[at].reads.push((read, field.clone(), metadata));
        }
    }
}

fn is_of(table: &Shared, scan: &Scan) -> bool {
    table.scan.path == scan.path
        && table.scan.table == scan.table
        && table.scan.projects_fields == scan.projects_fields
        && table.scan.errors == scan.errors
}

fn reads(scan: &Scan) -> Vec<Read> {
    let path = |position: usize| scan.paths.get(position).cloned().unwrap_or_default();
    let physical = scan.projection.iter().enumerate().map(|(at, column)| Read::Physical(*column, path(at)));
    physical.chain(scan.metadata.iter().map(|(key, _)| Read::Metadata(key.clone()))).collect()
}

fn rewrite(rel: Rel, tables: &[Shared]) -> Rel {
    let Rel { node, fields } = rel;
    match node {
        RelNode::Scan(scan) => match widened(&scan, tables) {
            Some((wide, places)) => select(wide, &places, fields),
            None => Rel::new(RelNode::Scan(scan), fields),
        },
        // A source generates watermarks itself if it can, so nothing may come between.
        RelNode::Watermark { input, column, expr } => {
            let wide = match &input.node {
                RelNode::Scan(scan) => widened(scan, tables),
                _ => None,
            };
            let Some((wide, places)) = wide else {
                let input = Box::new(rewrite(*input, tables));
                return Rel::new(RelNode::Watermark { input, column, expr }, fields);
            };
            let expr = expr.transform(&mut |node| match node {
                Expr::Column { index, ty } => Expr::Column { index: places[index], ty },
                other => other,
            });
            let mut wide_fields = wide.fields.clone();
            places.iter().zip(&fields).for_each(|(place, field)| wide_fields[*place] = field.clone());
            let node = RelNode::Watermark { input: Box::new(wide), column: places[column], expr };
            select(Rel::new(node, wide_fields), &places, fields)
        }
        node => Rel::new(node, fields).map_inputs(&mut |input| rewrite(input, tables)),
    }
}

/// The scan that reads everything that is read of its table, and the positions of this scan's columns in it;
/// `None` if it already reads everything.
fn widened(scan: &Scan, tables: &[Shared]) -> Option<(Rel, Vec<usize>)> {
    if scan.limit.is_some() {
        return None;
    }
    let table = tables.iter().find(|table| is_of(table, scan))?;
    let own = reads(scan);
    if own.iter().eq(table.reads.iter().map(|(read, ..)| read)) {
        return None;
    }
    let mut wide = Scan { projection: Vec::new(), paths: Vec::new(), metadata: Vec::new(), ..scan.clone() };
    for (read, _, ty) in &table.reads {
        match read {
            Read::Physical(column, path) => {
                wide.projection.push(*column);
                wide.paths.push(path.clone());
            }
            Read::Metadata(key) => wide.metadata.extend(ty.iter().map(|ty| (key.clone(), ty.clone()))),
        }
    }
    if wide.paths.iter().all(Vec::is_empty) {
        wide.paths.clear();
    }
    let place = |read: &Read| table.reads.iter().position(|(known, ..)| known == read);
    let places = own.iter().map(place).collect::<Option<Vec<_>>>()?;
    let fields = table.reads.iter().map(|(_, field, _)| field.clone()).collect();
    Some((Rel::new(RelNode::Scan(wide), fields), places))
}

/// Only these columns, as these fields.
fn select(rel: Rel, places: &[usize], fields: Vec<Field>) -> Rel {
    let exprs = places.iter().map(|place| rel.column(*place)).collect();
    Rel::new(RelNode::Project { input: Box::new(rel), exprs }, fields)
}
