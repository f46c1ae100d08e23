//! Column pruning: only columns that are used are read and carried along.

use flott_plan::Expr;

use crate::logical::{Field, OverSpec, Rel, RelNode, Scan};

/// Prunes below the top; the plan's own columns stay.
pub(super) fn prune_columns(rel: Rel) -> Rel {
    let all: Vec<usize> = (0..rel.fields.len()).collect();
    prune(rel, &all)
}

/// The relation with only these columns, in this order.
fn prune(rel: Rel, needed: &[usize]) -> Rel {
    let Rel { node, fields } = rel;
    let kept = |needed: &[usize]| needed.iter().map(|column| fields[*column].clone()).collect::<Vec<Field>>();
    match node {
        RelNode::Scan(scan) => {
            let physical = scan.projection.len();
            // Physical columns come before metadata; the requested order is produced above the scan.
            let mut order: Vec<usize> = needed.to_vec();
            order.sort_unstable();
            order.dedup();
            let projection = order.iter().filter(|c| **c < physical).map(|c| scan.projection[*c]).collect();
            let metadata = order
                .iter()
                .filter(|c| **c >= physical)
                .map(|c| scan.metadata[*c - physical].clone())
                .collect();
            let rel = Rel::new(RelNode::Scan(Scan { projection, metadata, ..scan }), kept(&order));
            select(rel, &order, needed)
        }
        RelNode::Values(rows) => {
            let rows = rows
                .into_iter()
                .map(|row| needed.iter().map(|column| row[*column].clone()).collect())
                .collect();
            Rel::new(RelNode::Values(rows), kept(needed))
        }
        RelNode::Project { input, exprs } => {
            let exprs: Vec<Expr> = needed.iter().map(|column| exprs[*column].clone()).collect();
            let (input, exprs) = prune_under(*input, exprs);
            Rel::new(RelNode::Project { input: Box::new(input), exprs }, kept(needed))
        }
        RelNode::Filter { input, condition } => {
            let mut columns = needed.to_vec();
            condition.collect_columns(&mut columns);
            let (input, place) = prune_input(*input, columns);
            let condition = moved(condition, &place);
            let rel = input.filter(condition);
            select_placed(rel, &place, needed)
        }
        RelNode::Watermark { input, column, expr } => {
            let mut columns = needed.to_vec();
            columns.push(column);
            expr.collect_columns(&mut columns);
            let (input, place) = prune_input(*input, columns);
            let input_fields = input.fields.clone();
            let expr = moved(expr, &place);
            let column = place.of(column);
            let mut out = input_fields;
            out[column].time = Some(crate::logical::TimeAttribute::Event);
            let rel = Rel::new(RelNode::Watermark { input: Box::new(input), column, expr }, out);
            select_placed(rel, &place, needed)
        }
        RelNode::WindowTvf { input, mut window, partition } => {
            let width = input.fields.len();
            let mut columns: Vec<usize> = needed.iter().copied().filter(|column| *column < width).collect();
            columns.push(window.time_column);
            columns.extend(&partition);
            let (input, place) = prune_input(*input, columns);
            window.time_column = place.of(window.time_column);
            let partition = partition.into_iter().map(|column| place.of(column)).collect();
            let new_width = input.fields.len();
            let mut out: Vec<Field> = input.fields.iter().map(|field| field.windowed(&window)).collect();
            out.extend(fields[width..].iter().cloned());
            let rel = Rel::new(RelNode::WindowTvf { input: Box::new(input), window, partition }, out);
            let places: Vec<usize> = needed
                .iter()
                .map(|column| if *column < width { place.of(*column) } else { column - width + new_width })
                .collect();
            project_to(rel, &places)
        }
        RelNode::Aggregate { input, keys, calls } => {
            // Keys are kept; calls that nobody reads are dropped.
            let live: Vec<usize> =
                (0..calls.len()).filter(|call| needed.contains(&(keys.len() + call))).collect();
            let mut columns = keys.clone();
            for call in &live {
                columns.extend(&calls[*call].args);
                columns.extend(calls[*call].filter);
            }
            let (input, place) = prune_input(*input, columns);
            let key_count = keys.len();
            let keys = keys.into_iter().map(|key| place.of(key)).collect();
            let new_calls = live.iter().map(|call| place.call(&calls[*call])).collect();
            let mut out: Vec<Field> = fields[..key_count].to_vec();
            out.extend(live.iter().map(|call| fields[key_count + call].clone()));
            let rel = Rel::new(RelNode::Aggregate { input: Box::new(input), keys, calls: new_calls }, out);
            let places: Vec<usize> = needed
                .iter()
                .map(|column| match column.checked_sub(key_count) {
                    None => *column,
                    Some(call) => key_count + live.iter().position(|live| *live == call).unwrap_or(0),
                })
                .collect();
            project_to(rel, &places)
        }
        RelNode::WindowAggregate { input, mut window, attached, keys, calls, bounds } => {
            let mut columns = keys.clone();
            if let Some((start, end)) = attached {
                columns.extend([start, end]);
            } else {
                columns.push(window.time_column);
            }
            for call in &calls {
                columns.extend(&call.args);
                columns.extend(call.filter);
            }
            let (input, place) = prune_input(*input, columns);
            let attached = attached.map(|(start, end)| (place.of(start), place.of(end)));
            window.time_column = match attached {
                Some((_, end)) => end,
                None => place.of(window.time_column),
            };
            let keys = keys.into_iter().map(|key| place.of(key)).collect();
            let calls = calls.iter().map(|call| place.call(call)).collect();
            let node =
                RelNode::WindowAggregate { input: Box::new(input), window, attached, keys, calls, bounds };
            project_to(Rel::new(node, fields.clone()), needed)
        }
        RelNode::Join { left, right, kind, condition } => {
            let (left, right, sides) = prune_sides(*left, *right, needed, condition.as_ref());
            let condition = condition.map(|condition| sides.moved(condition));
            let places: Vec<usize> = needed.iter().map(|column| sides.of(*column)).collect();
            project_to(left.join(right, kind, condition), &places)
        }
        RelNode::TemporalJoin { left, right, kind, left_time, right_time, condition } => {
            let width = left.fields.len();
            let read = [needed, &[left_time, width + right_time]].concat();
            let (left, right, sides) = prune_sides(*left, *right, &read, condition.as_ref());
            let out = sides.fields(&fields);
            let places: Vec<usize> = needed.iter().map(|column| sides.of(*column)).collect();
            let node = RelNode::TemporalJoin {
                left: Box::new(left),
                right: Box::new(right),
                kind,
                left_time: sides.left.of(left_time),
                right_time: sides.right.of(right_time),
                condition: condition.map(|condition| sides.moved(condition)),
            };
            project_to(Rel::new(node, out), &places)
        }
        RelNode::LookupJoin { left, right, kind, condition, hint } => {
            let (left, right, sides) = prune_sides(*left, *right, needed, condition.as_ref());
            let out = sides.fields(&fields);
            let places: Vec<usize> = needed.iter().map(|column| sides.of(*column)).collect();
            let condition = condition.map(|condition| sides.moved(condition));
            let (left, right) = (Box::new(left), Box::new(right));
            let node = RelNode::LookupJoin { left, right, kind, condition, hint };
            project_to(Rel::new(node, out), &places)
        }
        RelNode::Union(inputs) => {
            let inputs = inputs.into_iter().map(|input| prune(input, needed)).collect();
            Rel::new(RelNode::Union(inputs), kept(needed))
        }
        RelNode::Expand { input, projections } => {
            let width = projections.first().map_or(0, Vec::len);
            let flat: Vec<Expr> = projections
                .iter()
                .flat_map(|projection| needed.iter().map(|column| projection[*column].clone()))
                .collect();
            debug_assert!(needed.iter().all(|column| *column < width));
            let (input, flat) = prune_under(*input, flat);
            let projections = flat.chunks(needed.len().max(1)).map(<[Expr]>::to_vec).collect();
            Rel::new(RelNode::Expand { input: Box::new(input), projections }, kept(needed))
        }
        RelNode::TopN { input, partition, order, from, to, rank } => {
            let width = input.fields.len();
            let mut columns: Vec<usize> = needed.iter().copied().filter(|column| *column < width).collect();
            columns.extend(&partition);
            columns.extend(order.iter().map(|key| key.column));
            let (input, place) = prune_input(*input, columns);
            let keep_rank = rank && needed.contains(&width);
            let partition = partition.into_iter().map(|column| place.of(column)).collect();
            let order = order.into_iter().map(|key| place.key(key)).collect();
            let new_width = input.fields.len();
            let mut out = input.fields.clone();
            if keep_rank {
                out.push(fields[width].clone());
            }
            let node = RelNode::TopN { input: Box::new(input), partition, order, from, to, rank: keep_rank };
            let places: Vec<usize> = needed
                .iter()
                .map(|column| if *column < width { place.of(*column) } else { new_width })
                .collect();
            project_to(Rel::new(node, out), &places)
        }
        RelNode::Unnest { input, collection, ordinality, keep_empty, condition } => {
            let width = input.fields.len();
            let mut columns: Vec<usize> = needed.iter().copied().filter(|column| *column < width).collect();
            collection.collect_columns(&mut columns);
            let (input, place) = prune_input(*input, columns);
            let collection = moved(collection, &place);
            let new_width = input.fields.len();
            let mut out = input.fields.clone();
            out.extend(fields[width..].iter().cloned());
            let node =
                RelNode::Unnest { input: Box::new(input), collection, ordinality, keep_empty, condition };
            let places: Vec<usize> = needed
                .iter()
                .map(|column| if *column < width { place.of(*column) } else { column - width + new_width })
                .collect();
            project_to(Rel::new(node, out), &places)
        }
        // Whole rows are compared: a change of a column that nobody reads is a change too.
        RelNode::ToChangelog { input, codes } => {
            let input = Box::new(prune_columns(*input));
            project_to(Rel::new(RelNode::ToChangelog { input, codes }, fields.clone()), needed)
        }
        RelNode::FromChangelog { input, column, codes } => {
            let input = Box::new(prune_columns(*input));
            project_to(Rel::new(RelNode::FromChangelog { input, column, codes }, fields.clone()), needed)
        }
        RelNode::AsyncCall { input, function, args, table, kind } => {
            let width = input.fields.len();
            let mut columns: Vec<usize> = needed.iter().copied().filter(|column| *column < width).collect();
            if !table && columns.len() == needed.len() {
                // Nobody reads what it returns.
                return prune(*input, needed);
            }
            args.iter().for_each(|arg| arg.collect_columns(&mut columns));
            let (input, place) = prune_input(*input, columns);
            let args = args.into_iter().map(|arg| moved(arg, &place)).collect();
            let new_width = input.fields.len();
            let mut out = input.fields.clone();
            out.extend(fields[width..].iter().cloned());
            let node = RelNode::AsyncCall { input: Box::new(input), function, args, table, kind };
            let places: Vec<usize> = needed
                .iter()
                .map(|column| if *column < width { place.of(*column) } else { column - width + new_width })
                .collect();
            project_to(Rel::new(node, out), &places)
        }
        // What a function reads of its tables is not known.
        RelNode::ProcessTable { inputs, spec } => {
            let inputs = inputs.into_iter().map(prune_columns).collect();
            project_to(Rel::new(RelNode::ProcessTable { inputs, spec }, fields.clone()), needed)
        }
        RelNode::TemporalSort { input, order } => {
            let mut columns = needed.to_vec();
            columns.extend(order.iter().map(|key| key.column));
            let (input, place) = prune_input(*input, columns);
            let order = order.into_iter().map(|key| place.key(key)).collect();
            let out = input.fields.clone();
            let rel = Rel::new(RelNode::TemporalSort { input: Box::new(input), order }, out);
            select_placed(rel, &place, needed)
        }
        RelNode::Match { input, mut spec } => {
            let mut columns = Vec::new();
            spec.columns_mut(&mut |column| columns.push(*column));
            let (input, place) = prune_input(*input, columns);
            spec.columns_mut(&mut |column| *column = place.of(*column));
            project_to(Rel::new(RelNode::Match { input: Box::new(input), spec }, fields.clone()), needed)
        }
        RelNode::Over { input, spec, calls } => {
            let width = input.fields.len();
            let mut columns: Vec<usize> = needed.iter().copied().filter(|column| *column < width).collect();
            columns.extend(&spec.partition);
            columns.extend(spec.order.iter().map(|key| key.column));
            for call in &calls {
                columns.extend(&call.args);
                columns.extend(call.filter);
            }
            let (input, place) = prune_input(*input, columns);
            let spec = OverSpec {
                partition: spec.partition.into_iter().map(|column| place.of(column)).collect(),
                order: spec.order.into_iter().map(|key| place.key(key)).collect(),
                ..spec
            };
            let calls = calls.iter().map(|call| place.call(call)).collect();
            let new_width = input.fields.len();
            let mut out = input.fields.clone();
            out.extend(fields[width..].iter().cloned());
            let rel = Rel::new(RelNode::Over { input: Box::new(input), spec, calls }, out);
            let places: Vec<usize> = needed
                .iter()
                .map(|column| if *column < width { place.of(*column) } else { column - width + new_width })
                .collect();
            project_to(rel, &places)
        }
    }
}

/// The new positions of an input's columns.
struct Places(Vec<usize>);

impl Places {
    fn of(&self, column: usize) -> usize {
        self.0.iter().position(|kept| *kept == column).unwrap_or(0)
    }

    fn key(&self, key: flott_plan::SortKey) -> flott_plan::SortKey {
        flott_plan::SortKey { column: self.of(key.column), ..key }
    }

    fn call(&self, call: &flott_plan::AggregateCall) -> flott_plan::AggregateCall {
        flott_plan::AggregateCall {
            args: call.args.iter().map(|arg| self.of(*arg)).collect(),
            filter: call.filter.map(|filter| self.of(filter)),
            ..call.clone()
        }
    }
}

/// Prunes both inputs of a join to the columns that are read above it and by its condition.
fn prune_sides(left: Rel, right: Rel, read: &[usize], condition: Option<&Expr>) -> (Rel, Rel, Sides) {
    let width = left.fields.len();
    let mut columns = read.to_vec();
    if let Some(condition) = condition {
        condition.collect_columns(&mut columns);
    }
    let (of_left, of_right): (Vec<usize>, Vec<usize>) =
        columns.into_iter().partition(|column| *column < width);
    let of_right = of_right.into_iter().map(|column| column - width).collect();
    let (left, left_places) = prune_input(left, of_left);
    let (right, right_places) = prune_input(right, of_right);
    let sides = Sides { width, left: left_places, right: right_places };
    (left, right, sides)
}

/// The new positions of the columns of a join's inputs.
struct Sides {
    /// How many columns the left side had.
    width: usize,
    left: Places,
    right: Places,
}

impl Sides {
    fn of(&self, column: usize) -> usize {
        match column.checked_sub(self.width) {
            None => self.left.of(column),
            Some(right) => self.left.0.len() + self.right.of(right),
        }
    }

    /// The remaining columns of a join.
    fn fields(&self, all: &[Field]) -> Vec<Field> {
        let right = self.right.0.iter().map(|column| self.width + column);
        self.left.0.iter().copied().chain(right).map(|column| all[column].clone()).collect()
    }

    fn moved(&self, expr: Expr) -> Expr {
        expr.transform(&mut |node| match node {
            Expr::Column { index, ty } => Expr::Column { index: self.of(index), ty },
            other => other,
        })
    }
}

/// Prunes an input to these columns, in their order in the input.
fn prune_input(input: Rel, mut columns: Vec<usize>) -> (Rel, Places) {
    columns.sort_unstable();
    columns.dedup();
    if columns.is_empty() && !input.fields.is_empty() {
        // A relation has at least one column, so that its rows can be counted.
        columns.push(cheapest(&input));
    }
    (prune(input, &columns), Places(columns))
}

fn prune_under(input: Rel, exprs: Vec<Expr>) -> (Rel, Vec<Expr>) {
    let mut columns = Vec::new();
    for expr in &exprs {
        expr.collect_columns(&mut columns);
    }
    let (input, place) = prune_input(input, columns);
    let exprs = exprs.into_iter().map(|expr| moved(expr, &place)).collect();
    (input, exprs)
}

fn cheapest(rel: &Rel) -> usize {
    let fixed = |field: &Field| {
        field.ty.kind.is_integer() || field.ty.kind.is_datetime() || field.ty.kind.is_approximate()
    };
    rel.fields.iter().position(fixed).unwrap_or(0)
}

fn moved(expr: Expr, place: &Places) -> Expr {
    expr.transform(&mut |node| match node {
        Expr::Column { index, ty } => Expr::Column { index: place.of(index), ty },
        other => other,
    })
}

fn select_placed(rel: Rel, place: &Places, needed: &[usize]) -> Rel {
    let places: Vec<usize> = needed.iter().map(|column| place.of(*column)).collect();
    project_to(rel, &places)
}

fn select(rel: Rel, have: &[usize], needed: &[usize]) -> Rel {
    let places: Vec<usize> =
        needed.iter().map(|column| have.iter().position(|kept| kept == column).unwrap_or(0)).collect();
    project_to(rel, &places)
}

/// The relation with the columns at these positions; unchanged if they are all its columns in order.
fn project_to(rel: Rel, places: &[usize]) -> Rel {
    if places.len() == rel.fields.len() && places.iter().enumerate().all(|(index, place)| index == *place) {
        return rel;
    }
    let columns = places.iter().map(|place| (rel.column(*place), rel.fields[*place].name.clone())).collect();
    rel.project(columns)
}
