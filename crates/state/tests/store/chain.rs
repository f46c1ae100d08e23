//! Chains of files against a plain map: many checkpoints, lost ones, restores at other parallelisms.

use flott_state::spill::{SpillOptions, StateMemory};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;

/// Moves away the folder that files go into, so that writing one fails half-way through a snapshot.
fn without_shared(job: &JobStorage, act: impl FnOnce()) {
    let shared = path_of(job).join("shared");
    let aside = path_of(job).join("aside");
    let had = std::fs::rename(&shared, &aside).is_ok();
    std::fs::create_dir_all(path_of(job)).unwrap();
    std::fs::write(&shared, b"in the way").unwrap();
    act();
    std::fs::remove_file(&shared).unwrap();
    if had {
        std::fs::rename(&aside, &shared).unwrap();
    }
}

#[test]
fn a_chain_adds_up_to_the_state_at_any_parallelism() {
    for seed in 0..5 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let (_dir, storage) = storage();
        let mut vertex = Vertex::new(storage.job(JOB), rng.random_range(1..5));
        // Long texts make files, short ones lie in the manifest.
        let long = if seed % 3 == 0 { 0 } else { 300 };
        let mut completed = None;
        for id in 1..30 {
            let at = format!("seed {seed} checkpoint {id}");
            for _ in 0..rng.random_range(0..60) {
                let number = rng.random_range(0..400);
                if rng.random_bool(0.7) {
                    let text = rng.random_bool(0.9).then(|| noise(rng.random(), long));
                    vertex.set(number, rng.random(), text.as_deref());
                } else {
                    vertex.remove(number);
                }
            }
            match rng.random_range(0..10) {
                // Nobody completes it; what was written stays in the chain.
                0 => _ = vertex.snapshot(id, &Target::Checkpoint).unwrap(),
                // The write may fail; the next snapshot is a full one.
                1 => {
                    let job = vertex.job.clone();
                    without_shared(&job, || _ = vertex.snapshot(id, &Target::Checkpoint));
                }
                // In between a savepoint, which the checkpoints do not build on.
                2 => {
                    let folder = block_on(storage.savepoint(None, JOB, rng.random())).unwrap();
                    let (manifest, _) = vertex.snapshot(id, &Target::Savepoint(folder.clone())).unwrap();
                    let url = block_on(Snapshot::complete_savepoint(&folder, &manifest)).unwrap();
                    let found = block_on(storage.resolve(&url)).unwrap();
                    let restored = Vertex::restored(storage.job(JobId(7)), &found.snapshot, 3).unwrap();
                    assert_eq!(restored.model, vertex.model, "{at}");
                }
                _ => {
                    vertex.checkpoint(id);
                    if let Some(older) = completed.replace(CheckpointId(id)) {
                        block_on(vertex.job.discard(older, &[CheckpointId(id)])).unwrap();
                    }
                    let found = block_on(vertex.job.latest()).unwrap().unwrap();
                    assert_eq!(found.snapshot.manifest.checkpoint, CheckpointId(id));
                    assert!(found.damaged.is_empty());
                    for table in found.snapshot.manifest.operators[0].subtasks.iter().flat_map(|s| &s.keyed) {
                        assert!(table.files.len() <= 8, "{at}: {} files", table.files.len());
                    }
                    let restored =
                        Vertex::restored(vertex.job.clone(), &found.snapshot, rng.random_range(1..6))
                            .unwrap();
                    assert_eq!(restored.model, vertex.model, "{at}");
                    if rng.random_bool(0.25) {
                        vertex = restored;
                        if rng.random_bool(0.3) {
                            block_on(vertex.job.sweep()).unwrap();
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_checkpoint_writes_what_changed() {
    let (_dir, storage) = storage();
    let mut vertex = Vertex::new(storage.job(JOB), 1);
    (0..4000).for_each(|number| vertex.set(number, number, Some(&noise(number as u64, 100))));
    let base = vertex.checkpoint(1);
    assert!(base > 300_000);
    let mut total = 0;
    for id in 2..60 {
        (0..10).for_each(|number| vertex.set(number * 13 + id as i64, 1, None));
        let bytes = vertex.checkpoint(id);
        assert!(bytes < base / 10, "checkpoint {id} wrote {bytes} of {base} bytes");
        total += bytes;
    }
    assert!(total < base, "merging wrote {total} bytes for 580 small rows beside a base of {base}");
    assert_eq!(vertex.checkpoint(60), "v1:60/0".len() as u64);
}

#[test]
fn small_state_is_in_the_manifest() {
    let (_dir, storage) = storage();
    let mut vertex = Vertex::new(storage.job(JOB), 2);
    (0..50).for_each(|number| vertex.set(number, number, Some("text")));
    vertex.checkpoint(1);
    assert_eq!(files_of(&vertex.job), ["chk-1/_metadata"]);
    vertex.set(1, 1, Some(&noise(1, 30_000)));
    vertex.checkpoint(2);
    assert_eq!(files_of(&vertex.job).iter().filter(|file| file.starts_with("shared/2-3-")).count(), 1);
}

#[test]
fn a_restore_after_a_scale_up_does_not_see_the_others_deltas() {
    let (_dir, storage) = storage();
    let mut vertex = Vertex::new(storage.job(JOB), 1);
    (0..500).for_each(|number| vertex.set(number, 0, Some(&noise(number as u64, 100))));
    vertex.checkpoint(1);
    let snapshot = block_on(vertex.job.read(CheckpointId(1))).unwrap();
    let mut two = Vertex::restored(vertex.job.clone(), &snapshot, 2).unwrap();
    (0..500).step_by(7).for_each(|number| two.remove(number));
    (0..500).step_by(5).for_each(|number| two.set(number, 5, None));
    two.checkpoint(2);
    // Both name the file of the one before; each has deltas for its own half.
    let snapshot = block_on(two.job.read(CheckpointId(2))).unwrap();
    let mut named: Vec<&str> = snapshot.manifest.files().filter_map(|file| file.path()).collect();
    named.dedup();
    assert!(named.len() < snapshot.manifest.files().count());
    for parallelism in [1, 2, 3, 16] {
        let again = Vertex::restored(two.job.clone(), &snapshot, parallelism).unwrap();
        assert_eq!(again.model, two.model);
    }
}

#[test]
fn a_snapshot_of_changes_is_refused_when_the_one_before_was_lost() {
    let (_dir, storage) = storage();
    let mut vertex = Vertex::new(storage.job(JOB), 1);
    vertex.set(1, 1, None);
    vertex.checkpoint(1);
    vertex.writers[0].lost();
    assert!(vertex.writers[0].full_needed());
    vertex.set(2, 2, None);
    let keyed = vertex.tables[0].snapshot(false).unwrap();
    let operator = HandOver {
        uid: uid(),
        name: "Count".to_owned(),
        max_parallelism: MAX_PARALLELISM,
        snapshot: OperatorSnapshot { keyed, ..OperatorSnapshot::default() },
        finished: false,
        in_flight: None,
    };
    let refused = block_on(vertex.writers[0].write(CheckpointId(2), &Target::Checkpoint, vec![operator]));
    assert_eq!(refused.unwrap_err().to_string(), "Count: a full snapshot of state 'aggregate' was needed");
    vertex.checkpoint(3);
    assert!(!vertex.writers[0].full_needed());
    let found = block_on(vertex.job.latest()).unwrap().unwrap();
    assert_eq!(Vertex::restored(vertex.job.clone(), &found.snapshot, 1).unwrap().model, vertex.model);
}

/// What the only subtask of a vertex hands over, with what is not in memory.
fn handed_over(vertex: &mut Vertex, full: bool) -> HandOver {
    let mut snapshot = OperatorSnapshot::default();
    vertex.tables[0].snapshot_into(full, &mut snapshot).unwrap();
    let (uid, name) = (uid(), "Count".to_owned());
    HandOver { uid, name, max_parallelism: MAX_PARALLELISM, snapshot, finished: false, in_flight: None }
}

/// A vertex with a chain of one file of some 100 KB, restored by one with little memory.
fn spilling(storage: &CheckpointStorage) -> Vertex {
    let mut vertex = Vertex::new(storage.job(JOB), 1);
    (0..300).for_each(|number| vertex.set(number, 1, Some(&noise(number as u64, 300))));
    vertex.checkpoint(1);
    let found = block_on(vertex.job.latest()).unwrap().unwrap();
    let mut vertex = Vertex::restored(vertex.job.clone(), &found.snapshot, 1).unwrap();
    let options = SpillOptions { budget: Some(10_000), ..SpillOptions::default() };
    let memory = Arc::new(StateMemory::default()).join(options);
    vertex.tables[0] = table().with_spilling(memory).unwrap();
    vertex.tables[0].restore(&mut restore(&found.snapshot).unwrap()).unwrap();
    vertex.tables[0].make_room().unwrap();
    assert!(vertex.tables[0].len() < 200, "some have left");
    vertex.writers = vertex.writers.into_iter().map(|writer| writer.merging_at_most(50_000)).collect();
    vertex
}

#[test]
fn a_chain_that_does_not_fit_into_memory_is_not_merged_after_a_restore() {
    let (_dir, storage) = storage();
    let mut vertex = spilling(&storage);
    let before = files_of(&vertex.job);
    (0..300).for_each(|number| vertex.set(number, 2, Some(&noise(number as u64 + 1_000, 400))));
    let handed_over = handed_over(&mut vertex, false);
    assert_eq!(handed_over.snapshot.spilled.len(), 1);
    let written = vertex.writers[0].write(CheckpointId(2), &Target::Checkpoint, vec![handed_over]);
    let written = block_on(written).unwrap();
    let mut manifest = Manifest::new(JOB, CheckpointId(2), ManifestKind::Checkpoint, 0);
    let named: Vec<String> =
        written.snapshot.operators[0].state.files().map(|file| format!("{:?}", file.location)).collect();
    assert!(named.len() == 2 && before.iter().any(|file| named[0].contains(file)), "{before:?} {named:?}");
    manifest.add_task(SubtaskIndex(0), 1, written.snapshot);
    block_on(vertex.job.complete(&manifest)).unwrap();
    let found = block_on(vertex.job.latest()).unwrap().unwrap();
    assert_eq!(Vertex::restored(vertex.job.clone(), &found.snapshot, 2).unwrap().model, vertex.model);
}

#[test]
fn spilled_changes_are_refused_when_the_snapshot_before_was_lost() {
    let (_dir, storage) = storage();
    let mut vertex = spilling(&storage);
    vertex.writers[0].lost();
    let mut handed_over = handed_over(&mut vertex, false);
    handed_over.snapshot.keyed.clear();
    let refused = block_on(vertex.writers[0].write(CheckpointId(2), &Target::Checkpoint, vec![handed_over]));
    assert_eq!(refused.unwrap_err().to_string(), "Count: a full snapshot of state 'aggregate' was needed");
}

#[test]
fn a_row_outside_the_subtasks_key_groups_is_a_defect() {
    let (_dir, storage) = storage();
    let mut vertex = Vertex::new(storage.job(JOB), 2);
    // All keys in the first subtask's table.
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(0..20));
    vertex.tables[0].intern(&[keys], 20, &mut Vec::new(), |_, _| ()).unwrap();
    let error = vertex.snapshot(1, &Target::Checkpoint).unwrap_err().to_string();
    assert!(error.ends_with("the subtask owns 0-7"), "{error}");
}
