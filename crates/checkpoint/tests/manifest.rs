//! The manifest's format, its checks, and what a restore reads.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use flott_checkpoint::manifest::{
    Blob, ChainedSnapshot, Checksum, Column, FileKind, FileLocation, FileSlice, KeyedTable, Manifest,
    ManifestKind, OperatorState, Redistribution, StateFile, SubtaskRestore, SubtaskSnapshot, TableRestore,
    TaskSnapshot, redistribute,
};
use flott_types::{CheckpointId, ErrorKind, JobId, JobKey, KeyGroupRange, OperatorUid, SubtaskIndex};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

fn range(first: u16, last: u16) -> KeyGroupRange {
    KeyGroupRange { first, last }
}

fn file(path: &str, kind: FileKind, key_groups: KeyGroupRange) -> StateFile {
    let location = FileLocation::File { path: path.to_owned(), size: 3 };
    StateFile { location, kind, key_groups, rows: 1, unpacked: None, checksum: Checksum::of(b"abc") }
}

fn table(files: Vec<StateFile>) -> KeyedTable {
    let column = |name: &str, type_: &str| Column { name: name.into(), type_: type_.into(), nullable: false };
    KeyedTable {
        name: "count".into(),
        columns: vec![column("carrier", "STRING"), column("n", "BIGINT")],
        partition_columns: 1,
        key_columns: 1,
        properties: BTreeMap::from([("kind".to_owned(), "value".to_owned())]),
        files,
    }
}

fn state(name: &str, redistribution: Redistribution, entries: &[&str]) -> OperatorState {
    let entries = entries.iter().map(|e| Blob::from(e.as_bytes().to_vec())).collect();
    OperatorState { name: name.into(), redistribution, entries }
}

fn sample() -> Manifest {
    let mut manifest =
        Manifest::new(JobId(0xabc), CheckpointId(7), ManifestKind::Checkpoint, 1_700_000_000_000);
    manifest.flott_version = "0.1.0".into();
    manifest.key = Some(JobKey("daily totals".into()));
    manifest.restored_from = Some("file:///tmp/checkpoints/1/chk-3".into());
    for subtask in 0..2u32 {
        let inline = b"PAR1".to_vec();
        let small = StateFile {
            kind: FileKind::Delta,
            key_groups: KeyGroupRange::of_subtask(SubtaskIndex(subtask), 128, 2),
            rows: 2,
            unpacked: None,
            checksum: Checksum::of(&inline),
            location: FileLocation::Inline(inline.into()),
        };
        let keyed = vec![table(vec![file("shared/a.parquet", FileKind::Full, range(0, 127)), small])];
        let operator =
            vec![state("splits", Redistribution::Split, &["x", "y"][subtask as usize..=subtask as usize])];
        let snapshot = ChainedSnapshot {
            uid: OperatorUid("aggregate by carrier".into()),
            name: "GroupAggregate".into(),
            max_parallelism: 128,
            state: SubtaskSnapshot { keyed, operator, ..SubtaskSnapshot::default() },
        };
        manifest.add_task(SubtaskIndex(subtask), 2, TaskSnapshot { operators: vec![snapshot] });
    }
    manifest.operators[0].enumerator = Some(Blob::from(vec![1, 2, 3]));
    manifest
}

/// Written by version 1, which had neither checksum nor key. Never to be changed: a later build must read
/// what an earlier one wrote.
const VERSION_1: &str = include_str!("manifests/v1.json");
/// Written by version 2. Never to be changed, but for fields that may be missing.
const VERSION_2: &str = include_str!("manifests/v2.json");

#[test]
fn a_manifest_of_version_1_is_read() {
    let manifest = Manifest::from_json(VERSION_1.as_bytes()).unwrap();
    assert_eq!(manifest, Manifest { version: 1, key: None, ..sample() });
    assert_eq!(manifest.files().count(), 4);
    assert_eq!(manifest.files().filter_map(StateFile::path).next(), Some("shared/a.parquet"));
}

#[test]
fn a_manifest_of_version_2_is_read_and_written_as_ever() {
    assert_eq!(String::from_utf8(sample().to_json().unwrap()).unwrap(), VERSION_2.trim_end());
    assert_eq!(Manifest::from_json(VERSION_2.trim_end().as_bytes()).unwrap(), sample());
    // For people and tools it is JSON as before.
    let read: serde_json::Value = serde_json::from_str(VERSION_2).unwrap();
    assert_eq!((&read["key"], &read["checkpoint"]), (&"daily totals".into(), &7.into()));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let whole = sample().to_json().unwrap();
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << bit;
            let error = Manifest::from_json(&damaged).expect_err("a flipped bit");
            assert_eq!(error.kind(), ErrorKind::State, "byte {at}, bit {bit}: {error}");
        }
    }
    for len in 0..whole.len() {
        Manifest::from_json(&whole[..len]).expect_err("a manifest without its end");
    }
}

#[test]
fn what_cannot_be_read_says_why() {
    let error = |text: &str| {
        let error = Manifest::from_json(text.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State);
        error.to_string()
    };
    let build = env!("CARGO_PKG_VERSION");
    assert!(error("PAR1").starts_with("this is not a manifest: "));
    assert_eq!(error("{}"), "this is not a manifest: it has no field 'version'");
    assert_eq!(
        error(&VERSION_1.replacen("\"version\":1", "\"version\":9", 1)),
        format!("the manifest has version 9; this build of Flott ({build}) reads versions 1 and 2")
    );
    assert!(error(&VERSION_1.replacen("\"job\"", "\"jab\"", 1)).contains("unknown field `jab`"));
    let headless = VERSION_1.replacen("\"checkpoint\":7,", "", 1);
    assert!(error(&headless).contains("missing field `checkpoint`"));
    assert!(error(&VERSION_1[..VERSION_1.len() / 2]).contains("EOF"));
    assert!(error(&VERSION_1.replacen("UEFSMQ==", "UEFSM", 1)).contains("not base64"));
}

#[test]
fn columns_other_than_keys_may_differ_between_subtasks() {
    let mut manifest = sample();
    // Subtask 1 has had no change since an operator with one column fewer was restored.
    let columns = &mut manifest.operators[0].subtasks[0].keyed[0].columns;
    columns.push(Column { name: "last_access".into(), ..columns[1].clone() });
    let json = manifest.to_json().unwrap();
    assert_eq!(Manifest::from_json(&json).unwrap().operators, manifest.operators);
}

#[test]
fn what_contradicts_itself_is_neither_read_nor_written() {
    let error = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = sample();
        change(&mut manifest);
        manifest.to_json().unwrap_err().to_string()
    };
    assert_eq!(
        error(&|m| m.checkpoint = CheckpointId(0)),
        "the manifest has checkpoint id 0; ids begin with 1"
    );
    let uid = "operator 'aggregate by carrier'";
    assert_eq!(
        error(&|m| m.operators.push(m.operators[0].clone())),
        "operator uid 'aggregate by carrier' occurs twice"
    );
    assert_eq!(
        error(&|m| m.operators[0].parallelism = 3),
        format!("{uid}: it has 2 subtasks, its parallelism is 3")
    );
    assert_eq!(
        error(&|m| m.operators[0].max_parallelism = 1),
        format!("{uid}: parallelism 2 is not in 1..=1 (its max parallelism)")
    );
    let at = format!("{uid}: subtask 1, keyed state 'count'");
    assert_eq!(
        error(&|m| m.operators[0].subtasks[1].keyed[0].columns[0].type_ = "INT".into()),
        format!("{at}: its keys differ from those of an earlier subtask")
    );
    assert_eq!(
        error(&|m| m.operators[0].subtasks[1].keyed[0].key_columns = 3),
        format!("{at}: 1 partition columns, 3 key columns and 2 columns do not nest")
    );
    assert_eq!(
        error(&|m| m.operators[0].subtasks[1].keyed[0].files[0].key_groups = range(0, 128)),
        format!("{at}: a file has key groups 0-128, the operator has 0-127")
    );
    for path in ["/etc/passwd", "../x", "a//b", ""] {
        let named = error(&|m| {
            m.operators[0].subtasks[1].keyed[0].files[0] = file(path, FileKind::Full, range(0, 127));
        });
        assert_eq!(named, format!("{at}: '{path}' is neither a path within the checkpoint folder nor a URL"));
    }
    assert_eq!(
        error(&|m| {
            m.kind = ManifestKind::Savepoint;
            m.operators[0].subtasks[1].keyed[0].files[0] = file("s3://b/x", FileKind::Full, range(0, 127));
        }),
        format!("{at}: a savepoint is self-contained, but names 's3://b/x' outside its folder")
    );
}

#[test]
fn a_damaged_file_is_named() {
    let good = file("shared/a.parquet", FileKind::Full, range(0, 127));
    good.verify(b"abc").unwrap();
    assert!(
        good.verify(b"abd")
            .unwrap_err()
            .to_string()
            .starts_with("'shared/a.parquet' is damaged: its checksum is ")
    );
    let short = good.verify(b"ab").unwrap_err().to_string();
    assert_eq!(short, "'shared/a.parquet' is damaged: it has 2 bytes, the manifest says 3");
}

/// Files read by a new subtask, as `path first-last`.
fn files(manifest: &Manifest, subtask: u32, parallelism: u32) -> Vec<String> {
    let uid = OperatorUid("op".into());
    let restore = manifest.restore(&uid, SubtaskIndex(subtask), parallelism, 8).unwrap().unwrap();
    let show =
        |s: &flott_checkpoint::manifest::FileSlice| format!("{} {}", s.file.path().unwrap(), s.key_groups);
    restore.keyed.iter().flat_map(|t| &t.files).map(show).collect()
}

fn with_files(subtasks: Vec<Vec<StateFile>>) -> Manifest {
    let mut manifest = Manifest::new(JobId(1), CheckpointId(1), ManifestKind::Checkpoint, 0);
    let parallelism = subtasks.len() as u32;
    for (subtask, files) in (0..).map(SubtaskIndex).zip(subtasks) {
        let state = SubtaskSnapshot { keyed: vec![table(files)], ..SubtaskSnapshot::default() };
        let part =
            ChainedSnapshot { uid: OperatorUid("op".into()), name: "op".into(), max_parallelism: 8, state };
        manifest.add_task(subtask, parallelism, TaskSnapshot { operators: vec![part] });
    }
    manifest.validate().unwrap();
    manifest
}

#[test]
fn a_subtask_reads_its_key_groups_only_and_nothing_that_was_replaced() {
    use FileKind::{Delta, Full};
    let manifest = with_files(vec![
        vec![file("a", Full, range(0, 3)), file("b", Delta, range(0, 3))],
        vec![file("c", Full, range(4, 7)), file("d", Delta, range(4, 7)), file("e", Full, range(4, 7))],
    ]);
    assert_eq!(files(&manifest, 0, 1), ["a 0-3", "b 0-3", "e 4-7"]);
    assert_eq!(files(&manifest, 1, 2), ["e 4-7"]);
    assert_eq!(files(&manifest, 1, 4), ["a 2-3", "b 2-3"]);
    assert_eq!(files(&manifest, 1, 3), ["a 3-3", "b 3-3", "e 4-5"]);
    // A full file in the middle of an older one leaves both ends of it.
    let middle = with_files(vec![vec![file("a", Full, range(0, 7)), file("b", Full, range(2, 4))]]);
    assert_eq!(files(&middle, 0, 1), ["a 0-1", "a 5-7", "b 2-4"]);
}

#[test]
fn after_a_scale_up_the_rest_of_a_shared_file_is_skipped() {
    // Both halves name the file of the one subtask before; each has changed its own half since.
    let manifest = with_files(vec![
        vec![file("old", FileKind::Full, range(0, 7)), file("low", FileKind::Delta, range(0, 3))],
        vec![file("old", FileKind::Full, range(0, 7)), file("high", FileKind::Delta, range(4, 7))],
    ]);
    assert_eq!(files(&manifest, 0, 1), ["old 0-3", "low 0-3", "old 4-7", "high 4-7"]);
}

#[test]
fn another_number_of_key_groups_is_refused_and_an_unknown_operator_is_none() {
    let manifest = with_files(vec![vec![file("a", FileKind::Full, range(0, 7))]]);
    let error = manifest.restore(&OperatorUid("op".into()), SubtaskIndex(0), 1, 16).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the state of operator 'op' has max parallelism 8, the job has 16; set 'pipeline.max-parallelism' to 8"
    );
    assert_eq!(manifest.restore(&OperatorUid("new".into()), SubtaskIndex(0), 1, 16).unwrap(), None);
    // More subtasks than key groups: a larger maximum would not help.
    let error = manifest.shares(&OperatorUid("op".into()), 200, 256).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    let text = error.to_string();
    assert!(text.contains("8 key groups, which 200 subtasks cannot share: lower its parallelism"), "{text}");
}

/// Random writes, checkpoints and rescales; reading the files as the manifest says must give what a plain map
/// holds.
#[test]
fn any_sequence_of_rescales_reads_back_what_was_written() {
    const GROUPS: u32 = 8;
    for seed in 0..500 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut model: BTreeMap<u16, u32> = BTreeMap::new();
        let mut contents: BTreeMap<String, BTreeMap<u16, Option<u32>>> = BTreeMap::new();
        let mut lists: Vec<Vec<StateFile>> = vec![vec![]];
        for round in 0..8u32 {
            let parallelism = lists.len() as u32;
            for (subtask, list) in (0..).map(SubtaskIndex).zip(&mut lists) {
                let owned = KeyGroupRange::of_subtask(subtask, GROUPS, parallelism);
                let mut changes = BTreeMap::new();
                for group in owned.first..=owned.last {
                    match rng.random_range(0..4) {
                        0 => changes.insert(group, model.remove(&group).and(None)),
                        1 => {
                            model.insert(group, round);
                            changes.insert(group, Some(round))
                        }
                        _ => continue,
                    };
                }
                let full = rng.random_bool(0.3);
                if full {
                    changes =
                        (owned.first..=owned.last).filter_map(|g| Some((g, Some(*model.get(&g)?)))).collect();
                }
                let path = format!("{round}-{subtask}");
                list.push(file(&path, if full { FileKind::Full } else { FileKind::Delta }, owned));
                contents.insert(path, changes);
            }
            let manifest = with_files(lists.clone());
            let new = rng.random_range(1..=4);
            let mut read: BTreeMap<u16, u32> = BTreeMap::new();
            lists = (0..new)
                .map(|subtask| {
                    let restore = manifest
                        .restore(&OperatorUid("op".into()), SubtaskIndex(subtask), new, GROUPS)
                        .unwrap()
                        .unwrap();
                    let slices = &restore.keyed[0].files;
                    for slice in slices {
                        for (group, value) in &contents[slice.file.path().unwrap()] {
                            if slice.key_groups.contains(flott_types::KeyGroup(*group)) {
                                match value {
                                    Some(value) => read.insert(*group, *value),
                                    None => read.remove(group),
                                };
                            }
                        }
                    }
                    // The new subtask continues with the files it was given, clipped.
                    slices.iter().map(|s| StateFile { key_groups: s.key_groups, ..s.file.clone() }).collect()
                })
                .collect();
            assert_eq!(read, model, "seed {seed}, round {round}, to {new}");
        }
    }
}

/// Entries of the new subtasks, `|` between them.
fn dealt(old: &[&[OperatorState]], parallelism: u32) -> String {
    let text = |state: &OperatorState| {
        state.entries.iter().map(|e| String::from_utf8(e.to_vec()).unwrap()).collect::<Vec<_>>().concat()
    };
    let lists = redistribute(old, parallelism);
    lists
        .iter()
        .map(|states| states.iter().map(text).collect::<Vec<_>>().join(","))
        .collect::<Vec<_>>()
        .join("|")
}

#[test]
fn operator_state_is_dealt_out_by_its_kind() {
    use Redistribution::{Broadcast, Split, Union};
    let split = [vec![state("s", Split, &["a", "b", "c"])], vec![state("s", Split, &["d"])]];
    let split: Vec<_> = split.iter().map(Vec::as_slice).collect();
    assert_eq!(dealt(&split, 2), "abc|d");
    assert_eq!(dealt(&split, 1), "abcd");
    assert_eq!(dealt(&split, 3), "ad|b|c");
    assert_eq!(dealt(&split, 5), "a|b|c|d|");
    let union = [vec![state("u", Union, &["a"])], vec![], vec![state("u", Union, &["b", "c"])]];
    let union: Vec<_> = union.iter().map(Vec::as_slice).collect();
    assert_eq!(dealt(&union, 2), "abc|abc");
    let broadcast = [vec![state("b", Broadcast, &["x", "y"])], vec![]];
    let broadcast: Vec<_> = broadcast.iter().map(Vec::as_slice).collect();
    assert_eq!(dealt(&broadcast, 3), "xy|xy|xy");
    let two = [vec![state("s", Split, &["a"]), state("u", Union, &["b"])]];
    assert_eq!(dealt(&[&two[0]], 2), "a,b|,b");
    assert_eq!(dealt(&[], 2), "|");
}

#[test]
fn an_operator_stays_finished_at_any_parallelism_if_all_subtasks_had_finished() {
    let with = |finished: [bool; 2], keyed: bool| {
        let mut manifest = sample();
        for (subtask, finished) in manifest.operators[0].subtasks.iter_mut().zip(finished) {
            subtask.finished = finished;
            if !keyed {
                subtask.keyed.clear();
            }
        }
        // Also through its written form.
        Manifest::from_json(&manifest.to_json().unwrap()).unwrap()
    };
    let uid = OperatorUid("aggregate by carrier".into());
    let restored = |manifest: &Manifest, parallelism: u32| {
        let restore = |subtask| manifest.restore(&uid, SubtaskIndex(subtask), parallelism, 128);
        (0..parallelism)
            .map(|subtask| restore(subtask).map(|restore| restore.unwrap().finished))
            .collect::<Result<Vec<_>, _>>()
    };
    for keyed in [true, false] {
        for (finished, at) in [([true, true], 3), ([true, true], 1), ([false, false], 3)] {
            assert_eq!(restored(&with(finished, keyed), at).unwrap(), vec![finished[0]; at as usize]);
        }
        assert_eq!(restored(&with([true, false], keyed), 2).unwrap(), [true, false]);
    }
    // Without keyed state there is nothing of which a part was put out.
    assert_eq!(restored(&with([true, false], false), 3).unwrap(), [false; 3]);
    let error = restored(&with([true, false], true), 3).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(
        error.to_string().contains("1 of its 2 subtasks") && error.to_string().contains("with parallelism 2")
    );
}

#[test]
fn a_restore_in_parts_reads_each_key_group_of_each_file_once() {
    for seed in 0..50 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut random = |from: u16| {
            let first = rng.random_range(from..=127);
            range(first, rng.random_range(first..=127))
        };
        // A file that says nothing is taken for a compressed one.
        let mut slice = |path: &str, from: u16, unpacked: Option<u64>| {
            let key_groups = random(from);
            let location = FileLocation::File { path: path.to_owned(), size: 1 << 20 };
            let file = StateFile { location, unpacked, ..file(path, FileKind::Delta, key_groups) };
            FileSlice { file, key_groups }
        };
        let known = Some(1 << 20);
        let files =
            vec![slice("a", 0, known), slice("b", 30, known), slice("c", 100, None), slice("d", 0, known)];
        let of = table(Vec::new());
        let whole = TableRestore {
            name: of.name,
            columns: of.columns,
            partition_columns: 1,
            key_columns: 1,
            properties: of.properties,
            files,
        };
        let splits = state("splits", Redistribution::Split, &["x"]);
        let restore = SubtaskRestore {
            keyed: vec![whole.clone()],
            operator: vec![splits],
            finished: true,
            in_flight: Vec::new(),
        };
        assert_eq!(restore.keyed_bytes(), 6 << 20);
        assert_eq!(restore.clone().in_parts(6 << 20), std::slice::from_ref(&restore), "seed {seed}");
        let parts = restore.clone().in_parts(0);
        assert!(parts.len() > 1 || whole.files.iter().all(|slice| slice.key_groups == range(127, 127)));
        let (mut seen, mut last) = (Vec::new(), None);
        for (number, part) in parts.iter().enumerate() {
            assert_eq!(part.finished && part.operator == restore.operator, number == 0);
            let groups = || part.keyed[0].files.iter().map(|slice| slice.key_groups);
            assert!(
                groups().all(|range| last.is_none_or(|last| range.first > last)),
                "seed {seed}: ascending"
            );
            last = groups().map(|range| range.last).max().or(last);
            for slice in &part.keyed[0].files {
                seen.extend(
                    (slice.key_groups.first..=slice.key_groups.last).map(|g| (slice.file.clone(), g)),
                );
            }
        }
        for slice in &whole.files {
            for group in slice.key_groups.first..=slice.key_groups.last {
                let times = seen.iter().filter(|(file, g)| *file == slice.file && *g == group).count();
                assert_eq!(times, 1, "seed {seed}, group {group}");
            }
        }
    }
}
