//! What an operator of the plan promises about its output, beyond the rules for all operators.

use flott_plan::{AggregatePhase, OperatorSpec};

pub(super) struct Promises {
    /// The plan says that no retraction arrives.
    pub insert_only_input: bool,
    /// Both halves of an update are adjacent, and agree in these columns.
    pub pairs: Option<Vec<usize>>,
    /// No row is behind the watermark in this time attribute.
    pub on_time: Option<usize>,
    /// Whatever is retracted was emitted before, provided that this holds for the inputs.
    pub consistent: bool,
}

impl Promises {
    pub fn of(spec: &OperatorSpec) -> Self {
        let all = Promises { insert_only_input: false, pairs: None, on_time: None, consistent: true };
        match spec {
            OperatorSpec::GroupAggregate { phase: AggregatePhase::Local, input_updates, .. } => {
                Promises { insert_only_input: !input_updates, ..all }
            }
            OperatorSpec::GroupAggregate { keys, input_updates, emit_update_before, .. } => Promises {
                insert_only_input: !input_updates,
                pairs: emit_update_before.then(|| (0..keys.len()).collect()),
                consistent: *emit_update_before,
                ..all
            },
            OperatorSpec::WindowAggregate {
                window,
                keys,
                aggregates,
                phase,
                window_columns,
                input_updates,
                ..
            } => {
                let [start, end, time] = *window_columns;
                let before = keys.len() + aggregates.len() + usize::from(start) + usize::from(end);
                let fires = window.event_time && time && *phase != AggregatePhase::Local;
                Promises { insert_only_input: !input_updates, on_time: fires.then_some(before), ..all }
            }
            OperatorSpec::TopN { partition, output_rank, input_updates, emit_update_before, .. } => {
                Promises {
                    insert_only_input: !input_updates,
                    pairs: (!output_rank && *emit_update_before).then(|| partition.clone()),
                    consistent: *emit_update_before,
                    ..all
                }
            }
            // With a bounded frame, a row is late relative to its key; with an unbounded one, relative to the
            // watermark.
            OperatorSpec::OverAggregate { time_column, preceding, .. } => Promises {
                insert_only_input: true,
                on_time: time_column.filter(|_| preceding.is_none()),
                ..all
            },
            OperatorSpec::FromChangelog { .. } => {
                Promises { insert_only_input: true, consistent: false, ..all }
            }
            OperatorSpec::TemporalSort { .. } | OperatorSpec::MatchRecognize(_) => {
                Promises { insert_only_input: true, ..all }
            }
            // What a function of a program takes back is what it says.
            OperatorSpec::ProcessTable(spec) => Promises {
                insert_only_input: spec.tables.iter().all(|table| !table.takes_updates),
                consistent: spec.output.is_insert_only(),
                ..all
            },
            OperatorSpec::ChangelogNormalize { keys, emit_update_before, .. } => Promises {
                pairs: emit_update_before.then(|| keys.clone()),
                consistent: *emit_update_before,
                ..all
            },
            OperatorSpec::UpdatingOver { emit_update_before, .. }
            | OperatorSpec::Join { emit_update_before, .. } => {
                Promises { consistent: *emit_update_before, ..all }
            }
            OperatorSpec::DropUpdateBefore | OperatorSpec::SinkMaterializer { .. } => {
                Promises { consistent: false, ..all }
            }
            // An expression may return something else for the same row (RAND, UUID).
            OperatorSpec::Calc { .. } | OperatorSpec::Expand { .. } | OperatorSpec::Unnest { .. } => {
                Promises { consistent: false, ..all }
            }
            // A table may have changed between a row and its retraction.
            OperatorSpec::LookupJoin(_) => Promises { consistent: false, ..all },
            OperatorSpec::LocalTopN { .. } | OperatorSpec::LocalWindowExtreme(_) => {
                Promises { insert_only_input: true, ..all }
            }
            // The changes of a program's stream are what the program says.
            OperatorSpec::Function { .. } => Promises { consistent: false, ..all },
            OperatorSpec::Source(_)
            | OperatorSpec::Values { .. }
            | OperatorSpec::WatermarkAssigner(_)
            | OperatorSpec::WindowTableFunction { .. }
            | OperatorSpec::ToChangelog { .. }
            | OperatorSpec::BatchRows
            | OperatorSpec::BatchOver { .. }
            | OperatorSpec::TemporalJoin(_)
            | OperatorSpec::Union
            | OperatorSpec::Sink(_)
            | OperatorSpec::Collect => all,
        }
    }
}
