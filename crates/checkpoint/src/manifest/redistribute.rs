//! Redistributes operator state among another number of subtasks.

use flott_types::FastMap;

use super::{OperatorState, Redistribution};

/// Deals out the operator state of the old subtasks to `parallelism` new ones.
///
/// - *Split*: with the parallelism unchanged every subtask keeps its own entries. Otherwise all entries, in
///   the order of the old subtasks, go round robin: sizes differ by one at most.
/// - *Union*: every subtask gets all entries, in the order of the old subtasks.
/// - *Broadcast*: every subtask gets the copy of one old subtask: its own, or that of `index % old
///   parallelism` (spread, so that one file is not read by all).
///
/// A state is listed for every new subtask, also with no entries, so that the operator knows that it was
/// restored.
pub fn redistribute(old: &[&[OperatorState]], parallelism: u32) -> Vec<Vec<OperatorState>> {
    // Names in order of first mention: the result does not depend on a hash.
    let mut names: Vec<(&str, Redistribution)> = Vec::new();
    // By name: the state of each old subtask that has it.
    let mut states: FastMap<&str, Vec<Option<&OperatorState>>> = FastMap::default();
    for (index, state) in old.iter().enumerate().flat_map(|(index, all)| all.iter().map(move |s| (index, s)))
    {
        let known = states.entry(&state.name).or_insert_with(|| {
            names.push((&state.name, state.redistribution));
            vec![None; old.len()]
        });
        if let Some(slot) = known.get_mut(index) {
            slot.get_or_insert(state);
        }
    }
    let new = parallelism as usize;
    let mut dealt = vec![Vec::with_capacity(names.len()); new];
    for (name, redistribution) in names {
        let states = states.remove(name).unwrap_or_default();
        let all = || states.iter().flatten().flat_map(|state| &state.entries).cloned();
        let own = |index: usize| states.get(index).copied().flatten().map(|state| state.entries.clone());
        let entries: Vec<Vec<_>> = match redistribution {
            Redistribution::Split if old.len() == new => {
                (0..new).map(|index| own(index).unwrap_or_default()).collect()
            }
            Redistribution::Split => {
                let mut hands = vec![Vec::new(); new];
                for (hand, entry) in (0..new).cycle().zip(all()) {
                    hands[hand].push(entry);
                }
                hands
            }
            Redistribution::Union => {
                let union: Vec<_> = all().collect();
                vec![union; new]
            }
            // A subtask that never touched the state has no copy of it: take the next that has one.
            Redistribution::Broadcast => {
                let of = |index: usize| (0..old.len()).find_map(|offset| own((index + offset) % old.len()));
                (0..new).map(|index| of(index).unwrap_or_default()).collect()
            }
        };
        for (states, entries) in dealt.iter_mut().zip(entries) {
            states.push(OperatorState { name: name.to_owned(), redistribution, entries });
        }
    }
    dealt
}
