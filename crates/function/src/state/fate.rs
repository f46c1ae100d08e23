//! The fate of a snapshot's states, for the log: kept, new, migrated or dropped.

use flott_state::{Migration, RestoredState};

/// Reports the fate of a keyed state. `found` is whether the snapshot contains the operator, `known` whether
/// it contains the state.
pub fn tell(operator: &str, state: &str, known: bool, migration: Option<&Migration>, found: bool) {
    match migration {
        Some(migration) => {
            let Migration { from, to, .. } = migration;
            tracing::info!(operator, state, from, to, "state is migrated");
            tell_fields(operator, state, migration);
        }
        None if known => tracing::info!(operator, state, "state is kept"),
        None if found => tracing::info!(operator, state, "state is new"),
        None => {}
    }
}

/// The values of a removed field are lost. If it was only renamed, the user should know.
pub fn tell_fields(operator: &str, state: &str, fields: &Migration) {
    if !fields.dropped.is_empty() {
        tracing::warn!(
            operator,
            state,
            dropped = fields.dropped.join(", "),
            new = fields.new.join(", "),
            "fields of state are dropped: the type does not have them; a renamed field needs #[serde(alias = \"...\")]"
        );
    } else if !fields.new.is_empty() {
        tracing::info!(operator, state, new = fields.new.join(", "), "fields of state are new");
    }
}

/// Called when all states are declared: reports what is left of a snapshot, because it will not be in the
/// next savepoint.
pub fn tell_dropped(operator: &str, restored: &RestoredState) {
    for (state, _) in restored.keyed.iter().filter(|(_, rows)| !rows.is_empty()) {
        tracing::warn!(operator, state, "state is dropped: the snapshot has it, but no function declares it");
    }
    for (state, _) in restored.lists.iter().filter(|(_, entries)| !entries.is_empty()) {
        tracing::warn!(
            operator,
            state,
            "operator state is dropped: the snapshot has it, but no function declares it"
        );
    }
}
