//! GROUP BY, with GROUPING SETS, ROLLUP and CUBE.

use flott_plan::{AggregateCall, Expr, Literal};
use flott_sql_parser::ast::{Expr as Ast, ExprKind, GroupItem, Literal as AstLiteral, Select};
use flott_types::{Error, FastSet, LogicalType, Result, TypeKind};

use super::expr::{BoundAggregate, ExprBinder};
use super::placeholder::{self, Placeholder};
use super::{Binder, Scope, group_window, unsupported, wrong};
use crate::logical::{Field, Rel, RelNode};

/// The keys of a GROUP BY, and which of them each grouping set contains.
#[derive(Default, Debug)]
pub(crate) struct Groups {
    /// The distinct key expressions.
    keys: Vec<Expr>,
    /// For each set, the positions of its keys. A plain GROUP BY has one set with all keys.
    sets: Vec<Vec<usize>>,
}

impl Binder<'_> {
    /// Binds GROUP BY [DISTINCT]; `None` if there is none.
    pub(crate) fn groups(
        &self,
        items: &[GroupItem],
        distinct: bool,
        scope: &Scope<'_>,
    ) -> Result<Option<Groups>> {
        if items.is_empty() {
            return Ok(None);
        }
        let binder = ExprBinder::scalar(self, scope);
        let mut groups = Groups { keys: Vec::new(), sets: vec![Vec::new()] };
        for item in items {
            if let (Some(window), true) = (&scope.group_window, group_window::is_group_window(item)) {
                for bound in window.first..window.first + 3 {
                    groups.keys.push(scope.column(bound));
                }
                let added: Vec<usize> = (groups.keys.len() - 3..groups.keys.len()).collect();
                groups.sets =
                    groups.sets.iter().map(|set| [set.as_slice(), added.as_slice()].concat()).collect();
                continue;
            }
            let alternatives = groups.alternatives(item, &binder)?;
            few_enough(groups.sets.len().checked_mul(alternatives.len()), item)?;
            groups.sets = groups
                .sets
                .iter()
                .flat_map(|set| alternatives.iter().map(|more| [set.as_slice(), more.as_slice()].concat()))
                .collect();
        }
        if distinct {
            let mut known: FastSet<Vec<usize>> = FastSet::default();
            groups.sets.retain(|set| {
                let mut set = set.clone();
                set.sort_unstable();
                set.dedup();
                known.insert(set)
            });
        }
        Ok(Some(groups))
    }

    /// Groups a relation. `exprs` are over the columns of FROM with aggregate placeholders before, and over
    /// the grouped relation afterwards.
    pub(crate) fn group(
        &self,
        rel: Rel,
        scope: &Scope<'_>,
        groups: Groups,
        aggregates: Vec<BoundAggregate>,
        exprs: Vec<&mut Expr>,
        select: &Select,
    ) -> Result<Rel> {
        let Groups { keys, sets } = groups;
        let sets = if sets.is_empty() { vec![Vec::new()] } else { sets };
        let plain = sets.len() == 1 && (0..keys.len()).all(|key| sets[0].contains(&key));

        // The input of the aggregation: keys, then arguments and filters.
        let mut inputs: Vec<(Expr, String)> =
            keys.iter().enumerate().map(|(index, key)| (key.clone(), key_name(key, scope, index))).collect();
        let mut grouping = Vec::new();
        let mut calls = Vec::new();
        // Where each placeholder's value ends up: an aggregate or a GROUPING function.
        let mut places = Vec::new();
        for BoundAggregate { call, args, filter } in aggregates {
            if matches!(call.function.as_str(), "GROUPING" | "GROUPING_ID" | "GROUP_ID") {
                let members =
                    args.iter().map(|arg| keys.iter().position(|key| key == arg)).collect::<Option<Vec<_>>>();
                let Some(members) = members else {
                    return Err(wrong(
                        format!("the arguments of {} must be keys of GROUP BY", call.function),
                        select,
                    ));
                };
                let values: Vec<i64> = sets
                    .iter()
                    .enumerate()
                    .map(|(number, set)| match call.function.as_str() {
                        "GROUP_ID" => sets[..number].iter().filter(|before| *before == set).count() as i64,
                        _ => members.iter().fold(0, |bits, key| bits << 1 | i64::from(!set.contains(key))),
                    })
                    .collect();
                places.push(Place::Grouping(grouping.len()));
                grouping.push(values);
                continue;
            }
            let mut column = |expr: Expr| match inputs.iter().position(|(known, _)| *known == expr) {
                Some(index) if index >= keys.len() || plain => index,
                _ => {
                    inputs.push((expr, format!("$f{}", inputs.len())));
                    inputs.len() - 1
                }
            };
            let args = args.into_iter().map(&mut column).collect();
            let filter = filter.map(&mut column);
            places.push(Place::Call(calls.len()));
            let name = format!("EXPR${}", calls.len());
            calls.push(AggregateCall { args, filter, name, ..call });
        }
        let input = rel.project(inputs);
        let key_count = keys.len();
        let (grouped, key_types, expand_id) = if plain {
            let types: Vec<LogicalType> =
                input.fields[..key_count].iter().map(|field| field.ty.clone()).collect();
            (input.aggregate((0..key_count).collect(), calls), types, None)
        } else {
            let expanded = expand(input, &sets, key_count);
            let types = expanded.fields[..key_count].iter().map(|field| field.ty.clone()).collect();
            let id = expanded.fields.len() - 1;
            let mut all: Vec<usize> = (0..key_count).collect();
            all.push(id);
            (expanded.aggregate(all, calls), types, Some(key_count))
        };
        let first_call = key_count + usize::from(expand_id.is_some());

        for expr in exprs {
            let taken = std::mem::replace(expr, Expr::column(0, TypeKind::Null.nullable()));
            let mut bound = over_groups(taken, &keys, &key_types);
            bound =
                placeholder::replace(bound, Placeholder::Aggregate, &mut |index, ty| match places[index] {
                    Place::Call(call) => grouped_column(first_call + call, ty),
                    Place::Grouping(function) => grouping_value(&grouping[function], expand_id),
                });
            if let Some(index) = stray_column(&bound) {
                let name = &scope.fields[index].name;
                return Err(wrong(format!("Expression '{name}' is not being grouped"), select));
            }
            *expr = bound.transform(&mut |node| match node {
                Expr::Call { function, mut args, .. } if function == GROUPED => args.remove(0),
                other => other,
            });
        }
        Ok(grouped)
    }
}

/// How many grouping sets GROUPING SETS, ROLLUP and CUBE may produce: each row is computed once for each set.
const MAX_SETS: usize = 4_096;

fn few_enough(sets: Option<usize>, item: &GroupItem) -> Result<()> {
    match sets {
        Some(..=MAX_SETS) => Ok(()),
        _ => Err(unsupported(format!("GROUP BY with more than {MAX_SETS} grouping sets"), item)),
    }
}

enum Place {
    Call(usize),
    Grouping(usize),
}

/// Marks columns of the grouped relation while columns of FROM may still remain.
const GROUPED: &str = "$grouped";

fn grouped_column(index: usize, ty: LogicalType) -> Expr {
    Expr::call(GROUPED, vec![Expr::column(index, ty.clone())], ty)
}

/// Replaces whole subexpressions that are keys, outermost first.
fn over_groups(expr: Expr, keys: &[Expr], types: &[LogicalType]) -> Expr {
    // A constant stays as it is, even if it is a key.
    let constant = matches!(expr, Expr::Literal { .. });
    if let Some(index) = keys.iter().position(|key| *key == expr).filter(|_| !constant) {
        return grouped_column(index, types[index].clone());
    }
    let recurse = |expr: Expr| over_groups(expr, keys, types);
    match expr {
        Expr::Call { function, args, ty } => {
            Expr::Call { function, args: args.into_iter().map(recurse).collect(), ty }
        }
        Expr::Cast { input, ty, is_try } => Expr::Cast { input: Box::new(recurse(*input)), ty, is_try },
        Expr::Case { branches, otherwise, ty } => Expr::Case {
            branches: branches.into_iter().map(|(when, then)| (recurse(when), recurse(then))).collect(),
            otherwise: Box::new(recurse(*otherwise)),
            ty,
        },
        leaf => leaf,
    }
}

/// A column of FROM that is neither a key nor inside an aggregate.
fn stray_column(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Column { index, .. } => Some(*index),
        Expr::Call { function, .. } if function == GROUPED => None,
        other => other.children().into_iter().find_map(stray_column),
    }
}

/// GROUPING and similar functions: a number for each grouping set, chosen by the row's set. GROUPING(a, b)
/// has one bit for each argument, which is 1 if the set lacks it.
fn grouping_value(values: &[i64], expand_id: Option<usize>) -> Expr {
    let ty = TypeKind::BigInt.not_null();
    let literal = |value| Expr::literal(Literal::Integer(value), ty.clone());
    let (first, rest) = values.split_first().unwrap_or((&0, &[]));
    let (Some(id), false) = (expand_id, rest.is_empty()) else { return literal(*first) };
    let id = grouped_column(id, ty.clone());
    let branches = rest.iter().zip(1..).map(|(value, number)| {
        let is_set = Expr::call("=", vec![id.clone(), literal(number)], TypeKind::Boolean.not_null());
        (is_set, literal(*value))
    });
    Expr::Case { branches: branches.collect(), otherwise: Box::new(literal(*first)), ty: ty.clone() }
}

/// Emits each row once for every grouping set, with the keys that the set lacks as NULL, and the set's number
/// as the last column.
fn expand(input: Rel, sets: &[Vec<usize>], keys: usize) -> Rel {
    let mut fields = input.fields.clone();
    for (index, field) in fields.iter_mut().enumerate() {
        field.time = None;
        if index < keys && !sets.iter().all(|set| set.contains(&index)) {
            field.ty.nullable = true;
            field.window = None;
        }
    }
    fields.push(Field::new("$e", TypeKind::BigInt.not_null()));
    let projections = sets
        .iter()
        .enumerate()
        .map(|(number, set)| {
            let mut exprs: Vec<Expr> = (0..input.fields.len())
                .map(|index| {
                    if index < keys && !set.contains(&index) {
                        Expr::literal(Literal::Null, fields[index].ty.clone())
                    } else {
                        input.column(index)
                    }
                })
                .collect();
            exprs.push(Expr::literal(Literal::Integer(number as i64), TypeKind::BigInt.not_null()));
            exprs
        })
        .collect();
    Rel::new(RelNode::Expand { input: Box::new(input), projections }, fields)
}

fn key_name(key: &Expr, scope: &Scope<'_>, index: usize) -> String {
    match key {
        Expr::Column { index, .. } => scope.fields[*index].name.clone(),
        _ => format!("$f{index}"),
    }
}

impl Groups {
    fn key(&mut self, ast: &Ast, binder: &ExprBinder<'_, '_>) -> Result<usize> {
        let expr = binder.bind(ast)?;
        if Placeholder::reads_outer(&expr) {
            return Err(unsupported("GROUP BY of a column of the outer query", ast));
        }
        if let Some(index) = self.keys.iter().position(|key| *key == expr) {
            return Ok(index);
        }
        let is_map = matches!(expr.ty().kind, TypeKind::Map(..) | TypeKind::Multiset(_));
        if is_map && !binder.binder.context.streaming {
            let message =
                format!("{} is not an orderable data type: it is no key of GROUP BY in batch", expr.ty());
            return Err(wrong(message, ast));
        }
        self.keys.push(expr);
        Ok(self.keys.len() - 1)
    }

    /// The sets of keys that an item stands for, one of which each set of the clause takes.
    fn alternatives(&mut self, item: &GroupItem, binder: &ExprBinder<'_, '_>) -> Result<Vec<Vec<usize>>> {
        Ok(match item {
            GroupItem::Sets(_, sets) => {
                let mut all = Vec::new();
                for set in sets {
                    match set.as_slice() {
                        [nested] if !matches!(nested, GroupItem::Expr(_)) => {
                            all.append(&mut self.alternatives(nested, binder)?);
                        }
                        items => all.push(self.key_list(items, binder)?),
                    }
                    few_enough(Some(all.len()), item)?;
                }
                all
            }
            GroupItem::Rollup(_, parts) => {
                let parts = self.key_lists(parts, binder)?;
                (0..=parts.len()).rev().map(|len| parts[..len].concat()).collect()
            }
            GroupItem::Cube(_, parts) => {
                let parts = self.key_lists(parts, binder)?;
                few_enough(1usize.checked_shl(parts.len() as u32), item)?;
                let has = |mask: usize, bit: usize| mask & (1 << (parts.len() - 1 - bit)) != 0;
                let set_of = |mask| {
                    (0..parts.len())
                        .filter(|bit| has(mask, *bit))
                        .flat_map(|bit| parts[bit].clone())
                        .collect()
                };
                (0..1usize << parts.len()).rev().map(set_of).collect()
            }
            GroupItem::Expr(ast) => match &ast.kind {
                ExprKind::Row(members) => {
                    let keys = members.iter().map(|member| self.key(member, binder));
                    vec![keys.collect::<Result<_>>()?]
                }
                ExprKind::Literal(AstLiteral::Null) => {
                    return Err(wrong("Illegal use of 'NULL' in GROUP BY", item));
                }
                _ => vec![vec![self.key(ast, binder)?]],
            },
        })
    }

    fn key_list(&mut self, items: &[GroupItem], binder: &ExprBinder<'_, '_>) -> Result<Vec<usize>> {
        let key = |item: &GroupItem| match item {
            GroupItem::Expr(ast) => self.key(ast, binder),
            _ => Err(wrong("GROUPING SETS, CUBE and ROLLUP stand in GROUP BY only", item)),
        };
        items.iter().map(key).collect()
    }

    fn key_lists(
        &mut self,
        parts: &[Vec<GroupItem>],
        binder: &ExprBinder<'_, '_>,
    ) -> Result<Vec<Vec<usize>>> {
        parts.iter().map(|part| self.key_list(part, binder)).collect()
    }
}

/// What only the arguments of an aggregate tell, and not their types.
pub(super) fn check_arguments(name: &str, args: &[Expr], ast: &Ast) -> Result<()> {
    if args.iter().any(|arg| arg.ty().kind == TypeKind::Null) {
        return Err(wrong(format!("Illegal use of 'NULL' in {name}: write CAST(NULL AS <type>)"), ast));
    }
    let Some(percentage) = args.get(1).filter(|_| name == "PERCENTILE") else { return Ok(()) };
    let constant = match percentage {
        Expr::Literal { value: Literal::Integer(value), .. } => Some(*value as f64),
        Expr::Literal {
            value: Literal::Decimal(value),
            ty: LogicalType { kind: TypeKind::Decimal(_, scale), .. },
        } => Some(*value as f64 / 10f64.powi(i32::from(*scale))),
        Expr::Literal { value: Literal::Double(value), .. } => Some(*value),
        _ => None,
    };
    if percentage.ty().nullable || constant.is_some_and(|constant| !(0.0..=1.0).contains(&constant)) {
        return Err(wrong("the percentage of PERCENTILE is NOT NULL and between 0 and 1", ast));
    }
    Ok(())
}

/// Whether values of these types can be counted by APPROX_COUNT_DISTINCT here. The count is exact, which is as near as any estimate.
pub(super) fn approximate(types: &[LogicalType], streaming: bool) -> Result<()> {
    if streaming {
        return Err(Error::invalid(
            "APPROX_COUNT_DISTINCT aggregate function does not support yet for streaming. Write COUNT(DISTINCT ...)",
        ));
    }
    let is_counted =
        |ty: &LogicalType| ty.kind.is_numeric() || ty.kind.is_character() || ty.kind.is_datetime();
    match types.iter().find(|ty| !is_counted(ty)) {
        Some(ty) => Err(Error::invalid(format!(
            "APPROX_COUNT_DISTINCT aggregate function does not support type: '{}'. Write COUNT(DISTINCT ...)",
            ty.kind
        ))),
        None => Ok(()),
    }
}
