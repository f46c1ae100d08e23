//! Bottom-up: what an operator makes of the changes and keys of its inputs.

use flott_plan::{
    AggregatePhase, ChangeCodes, ChangelogMode, Exchange, JoinKind, OperatorSpec, ProcessTableSpec,
};

use super::{Keys, Kinds, Relation};

/// An input of an operator.
pub(crate) struct Input<'a> {
    /// What is known of its rows.
    pub relation: &'a Relation,
    /// How they are spread over the operator's subtasks.
    pub exchange: &'a Exchange,
    /// How many columns it has.
    pub width: usize,
}

impl Input<'_> {
    /// Its keys where they come in.
    fn keys(&self) -> Keys {
        match self.exchange {
            Exchange::Forward | Exchange::Global | Exchange::Broadcast => self.relation.keys.clone(),
            Exchange::Hash(columns) => self.relation.keys.covering(columns),
            Exchange::Rebalance | Exchange::Rescale | Exchange::Custom => Keys::none(),
        }
    }
}

/// The relation that an operator computes. Of a source its plan knows: it counts as rows that come and stay.
pub(crate) fn derive(spec: &OperatorSpec, inputs: &[Input<'_>], streaming: bool) -> Relation {
    let kinds = inputs.iter().map(|input| input.relation.kinds).fold(Kinds::INSERTS, Kinds::or);
    let first = || inputs.first().map_or_else(Keys::none, Input::keys);
    let inserts = |keys| Relation::new(Kinds::INSERTS, keys);
    match spec {
        OperatorSpec::Calc { projection, .. } => Relation::new(kinds, first().projected(projection)),
        OperatorSpec::WatermarkAssigner(_)
        | OperatorSpec::LocalTopN { .. }
        | OperatorSpec::LocalWindowExtreme(_)
        | OperatorSpec::DropUpdateBefore
        | OperatorSpec::Sink(_)
        | OperatorSpec::Collect => Relation::new(kinds, first()),
        OperatorSpec::GroupAggregate { phase: AggregatePhase::Local, .. } => inserts(Keys::none()),
        OperatorSpec::GroupAggregate { keys, .. } => {
            let kinds = Kinds { updates: true, deletes: !kinds.is_insert_only() };
            Relation::new(kinds, Keys::one(0..keys.len()))
        }
        OperatorSpec::Join { bound: Some(bound), .. } if bound.windows => inserts(Keys::none()),
        OperatorSpec::Join { kind, left_keys, right_keys, bound, .. } => {
            let [left, right] = inputs else { return Relation::new(Kinds::ALL, Keys::none()) };
            let appends = matches!(kind, JoinKind::Inner | JoinKind::Semi);
            let kinds = if bound.is_some() || appends { kinds } else { Kinds::ALL };
            let on = [left_keys.as_slice(), right_keys.as_slice()];
            let keys = Keys::joined(*kind, &left.keys(), &right.keys(), on, left.width);
            Relation::new(kinds, keys)
        }
        OperatorSpec::TemporalJoin(spec) => {
            let [left, right] = inputs else { return inserts(Keys::none()) };
            let on = [spec.left_keys.as_slice(), spec.right_keys.as_slice()];
            let keys = Keys::joined(spec.kind, &left.keys(), &right.keys(), on, left.width);
            Relation::new(left.relation.kinds, keys)
        }
        OperatorSpec::TopN { partition, order, from, to, output_rank, window_end, .. } => {
            let grows = order.is_empty() && kinds.is_insert_only();
            let kinds = if !streaming || window_end.is_some() || grows { Kinds::INSERTS } else { Kinds::ALL };
            let width = inputs.first().map_or(0, |input| input.width);
            // A single wanted row is updated in place, whatever its rank: by another row of the input.
            let keys = if *to == Some((*from).max(1)) {
                Keys::one(partition.iter().copied())
            } else {
                // With ranks, an update is of a rank: the row that leaves it for good has no deletion of its own.
                match output_rank {
                    true => Keys::one(partition.iter().copied().chain([width])),
                    false => first().covering(partition),
                }
            };
            Relation::new(kinds, keys)
        }
        OperatorSpec::OverAggregate { partition, .. } => inserts(first().covering(partition)),
        OperatorSpec::UpdatingOver { partition, .. } => {
            Relation::new(Kinds::ALL, first().covering(partition))
        }
        OperatorSpec::ChangelogNormalize { keys, .. } | OperatorSpec::SinkMaterializer { keys, .. } => {
            Relation::new(Kinds::ALL, Keys::one(keys.iter().copied()))
        }
        OperatorSpec::Expand { projections } => {
            // A column that is the same in all copies of a row, and the number of the copy, which is the last.
            let same = |at: usize| {
                let first = projections.first()?.get(at)?;
                projections.iter().all(|exprs| exprs.get(at) == Some(first)).then(|| first.clone())
            };
            let width = projections.first().map_or(0, Vec::len);
            let places: Vec<_> = (0..width).filter_map(|at| Some((at, same(at)?))).collect();
            let exprs: Vec<_> = places.iter().map(|(_, expr)| expr.clone()).collect();
            let last = width.checked_sub(1);
            let keys = first().projected(&exprs);
            let keys =
                keys.iter().map(|key| key.iter().map(|at| places[*at].0).chain(last).collect::<Vec<_>>());
            let keys = keys.fold(Keys::none(), |all, key| all.and(Keys::one(key)));
            Relation::new(kinds, keys)
        }
        OperatorSpec::ProcessTable(spec) => processed(spec),
        OperatorSpec::FromChangelog { codes, .. } => {
            Relation { always_before: !codes.0[1].is_empty(), ..Relation::new(named(codes), Keys::none()) }
        }
        OperatorSpec::Union | OperatorSpec::Unnest { .. } | OperatorSpec::LookupJoin(_) => {
            Relation::new(kinds, Keys::none())
        }
        OperatorSpec::Source(_)
        | OperatorSpec::Values { .. }
        | OperatorSpec::WindowTableFunction { .. }
        | OperatorSpec::WindowAggregate { .. }
        | OperatorSpec::TemporalSort { .. }
        | OperatorSpec::MatchRecognize(_)
        | OperatorSpec::BatchRows
        | OperatorSpec::BatchOver { .. }
        | OperatorSpec::ToChangelog { .. }
        | OperatorSpec::Function { .. } => inserts(Keys::none()),
    }
}

/// What a function gives: it has one row for each key where it does without `-U`. The key stands there once for each table.
fn processed(spec: &ProcessTableSpec) -> Relation {
    let ChangelogMode { updates, update_before, deletes, .. } = spec.output;
    let mut keys = Keys::none();
    if !spec.output.is_insert_only() && !update_before {
        let widths = spec.tables.iter().map(|table| table.partition.as_ref().map_or(0, Vec::len));
        let mut from = 0;
        for width in widths {
            keys = keys.and(Keys::one(from..from + width));
            from += width;
        }
    }
    Relation { always_before: update_before, ..Relation::new(Kinds { updates, deletes }, keys) }
}

/// The kinds that codes stand for.
fn named(codes: &ChangeCodes) -> Kinds {
    let [_, before, after, delete] = &codes.0;
    Kinds { updates: !before.is_empty() || !after.is_empty(), deletes: !delete.is_empty() }
}
