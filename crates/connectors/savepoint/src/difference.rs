//! How two snapshots differ: state by state, how many rows are new, gone, and changed.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::FieldRef;
use arrow::row::{OwnedRow, RowConverter, SortField};
use flott_types::{Error, FastMap, Result};

use crate::savepoint::{OperatorSummary, Savepoint};

/// A state that is not the same in both.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The uid of its operator.
    pub uid: String,
    /// The state's name; none if it is about the operator as a whole.
    pub state: Option<String>,
    /// How it differs.
    pub what: StateDifference,
}

/// How a state differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StateDifference {
    /// Only the first snapshot has it.
    Gone,
    /// Only the second one has it.
    New,
    /// Other columns: rows are not compared.
    Columns {
        /// Only in the first.
        gone: Vec<String>,
        /// Only in the second.
        new: Vec<String>,
    },
    /// Rows.
    Rows {
        /// Keys that only the first has.
        gone: u64,
        /// Keys that only the second has.
        new: u64,
        /// Keys that both have, with other values.
        changed: u64,
        /// Keys with the same values.
        same: u64,
    },
    /// Entries of a list.
    Entries {
        /// Only in the first.
        gone: u64,
        /// Only in the second.
        new: u64,
    },
}

/// All differences, operator by operator.
///
/// # Errors
/// If a file is missing or damaged.
pub fn differences(first: &Savepoint, second: &Savepoint) -> Result<Vec<Difference>> {
    let by_uid = |savepoint: &Savepoint| -> BTreeMap<String, OperatorSummary> {
        savepoint.operators().into_iter().map(|operator| (operator.uid.clone(), operator)).collect()
    };
    let (before, after) = (by_uid(first), by_uid(second));
    let mut found = Vec::new();
    for (uid, old) in &before {
        match after.get(uid) {
            Some(new) => operator(first, second, old, new, &mut found)?,
            None if has_state(old) => found.push(whole(uid, StateDifference::Gone)),
            None => {}
        }
    }
    let new = after.iter().filter(|(uid, operator)| !before.contains_key(*uid) && has_state(operator));
    found.extend(new.map(|(uid, _)| whole(uid, StateDifference::New)));
    Ok(found)
}

fn has_state(operator: &OperatorSummary) -> bool {
    !operator.states.is_empty() || operator.lists.iter().any(|list| list.entries > 0)
}

fn whole(uid: &str, what: StateDifference) -> Difference {
    Difference { uid: uid.to_owned(), state: None, what }
}

fn operator(
    first: &Savepoint,
    second: &Savepoint,
    old: &OperatorSummary,
    new: &OperatorSummary,
    found: &mut Vec<Difference>,
) -> Result<()> {
    let uid = first.operator(&old.uid)?.uid.clone();
    // Read once for all states of the operator.
    let (mut before, mut after) = (first.state(&uid, 0, 1)?, second.state(&uid, 0, 1)?);
    let mut tell = |state: &str, what| {
        found.push(Difference { uid: old.uid.clone(), state: Some(state.to_owned()), what });
    };
    for state in &old.states {
        let Some(other) = new.states.iter().find(|other| other.name == state.name) else {
            tell(&state.name, StateDifference::Gone);
            continue;
        };
        let names = |columns: &[crate::StateColumn]| -> Vec<String> {
            columns.iter().map(|column| format!("{} {}", column.name, column.ty)).collect()
        };
        let (columns, others) = (names(&state.columns), names(&other.columns));
        let gone: Vec<String> = columns.iter().filter(|name| !others.contains(name)).cloned().collect();
        let more: Vec<String> = others.iter().filter(|name| !columns.contains(name)).cloned().collect();
        if !gone.is_empty() || !more.is_empty() {
            tell(&state.name, StateDifference::Columns { gone, new: more });
            continue;
        }
        let keys = state.columns.iter().filter(|column| column.is_key).count();
        let order: Vec<&str> = state.columns.iter().map(|column| column.name.as_str()).collect();
        let what = rows(&before.take_keyed(&state.name), &after.take_keyed(&state.name), &order, keys)?;
        if !matches!(what, StateDifference::Rows { gone: 0, new: 0, changed: 0, .. }) {
            tell(&state.name, what);
        }
    }
    for state in new.states.iter().filter(|state| old.states.iter().all(|other| other.name != state.name)) {
        tell(&state.name, StateDifference::New);
    }
    let mut lists: Vec<&str> = old.lists.iter().chain(&new.lists).map(|list| list.name.as_str()).collect();
    lists.sort_unstable();
    lists.dedup();
    for list in lists {
        let mut counts: FastMap<String, i64> = FastMap::default();
        before.take_list(list).into_iter().for_each(|entry| *counts.entry(entry).or_default() -= 1);
        after.take_list(list).into_iter().for_each(|entry| *counts.entry(entry).or_default() += 1);
        let of = |sign: i64| counts.values().map(|count| (count * sign).max(0) as u64).sum::<u64>();
        let (gone, new) = (of(-1), of(1));
        if gone + new > 0 {
            tell(list, StateDifference::Entries { gone, new });
        }
    }
    Ok(())
}

/// Compares rows by their keys, the first of these columns.
fn rows(
    before: &[RecordBatch],
    after: &[RecordBatch],
    order: &[&str],
    keys: usize,
) -> Result<StateDifference> {
    let failed = |error| Error::state("rows of states cannot be compared").with_source(error);
    let Some(some) = before.first().or(after.first()) else {
        return Ok(StateDifference::Rows { gone: 0, new: 0, changed: 0, same: 0 });
    };
    let fields: Vec<FieldRef> = order
        .iter()
        .map(|name| some.schema().field_with_name(name).map(|field| field.clone().into()).map_err(failed))
        .collect::<Result<_>>()?;
    let converter = |fields: &[FieldRef]| {
        let fields = fields.iter().map(|field| SortField::new(field.data_type().clone()));
        RowConverter::new(fields.collect()).map_err(failed)
    };
    let (of_keys, of_values) = fields.split_at(keys.min(fields.len()));
    let (of_keys, of_values) = (converter(of_keys)?, converter(of_values)?);
    let convert = |batch: &RecordBatch| {
        let columns = order
            .iter()
            .map(|name| {
                batch
                    .column_by_name(name)
                    .cloned()
                    .ok_or_else(|| Error::state(format!("a file has no column '{name}'")))
            })
            .collect::<Result<Vec<_>>>()?;
        let (of_key, of_value) = columns.split_at(keys.min(columns.len()));
        let keys = of_keys.convert_columns(of_key).map_err(failed)?;
        // A state may be a set of keys.
        let values = match of_value.is_empty() {
            true => None,
            false => Some(of_values.convert_columns(of_value).map_err(failed)?),
        };
        Ok::<_, Error>((keys, values))
    };
    let mut known: FastMap<OwnedRow, Option<OwnedRow>> = FastMap::default();
    for batch in before {
        let (keys, values) = convert(batch)?;
        for (at, key) in keys.iter().enumerate() {
            known.insert(key.owned(), values.as_ref().map(|values| values.row(at).owned()));
        }
    }
    let (mut new, mut changed, mut same) = (0, 0, 0);
    for batch in after {
        let (keys, values) = convert(batch)?;
        for (at, key) in keys.iter().enumerate() {
            match known.remove(&key.owned()) {
                None => new += 1,
                Some(value) if value == values.as_ref().map(|values| values.row(at).owned()) => same += 1,
                Some(_) => changed += 1,
            }
        }
    }
    Ok(StateDifference::Rows { gone: known.len() as u64, new, changed, same })
}
