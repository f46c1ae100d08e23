//! Which new subtask replays what was under way to an old one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flott_checkpoint::manifest::{
    Blob, ChainedSnapshot, Checksum, FileKind, FileLocation, InFlight, InFlightChannel, InputEdge,
    InputStream, Manifest, ManifestKind, Spread, StateFile, StreamShape, SubtaskSnapshot, TaskSnapshot,
};
use flott_types::{CheckpointId, JobId, KeyGroupRange, OperatorUid, SubtaskIndex};

const GROUPS: u32 = 128;

fn stream(nth: u32) -> InputStream {
    InputStream { from: OperatorUid("sender".into()), tag: None, input: 0, nth }
}

fn shape(spread: Spread) -> StreamShape {
    StreamShape { spread, columns: Checksum::of(b"k INT, v INT") }
}

/// By the first column.
fn by_key() -> Spread {
    Spread::ByKey(vec![0])
}

/// Two subtasks, each with something under way from two senders.
fn manifest(kind: ManifestKind, spread: &Spread) -> Manifest {
    let mut manifest = Manifest::new(JobId(1), CheckpointId(3), kind, 0);
    for subtask in (0..2).map(SubtaskIndex) {
        let bytes = subtask.0.to_string().into_bytes();
        let file = StateFile {
            kind: FileKind::Full,
            key_groups: KeyGroupRange::of_subtask(subtask, GROUPS, 2),
            rows: 1,
            unpacked: None,
            checksum: Checksum::of(&bytes),
            location: FileLocation::Inline(Blob::from(bytes)),
        };
        let shape = || Some(shape(spread.clone()));
        let channel = |sender| InFlightChannel { stream: stream(0), sender, senders: 2, shape: shape() };
        let in_flight = InFlight { channels: (0..2).map(channel).collect(), file };
        let part = ChainedSnapshot {
            uid: OperatorUid("count".into()),
            name: "count".into(),
            max_parallelism: GROUPS,
            state: SubtaskSnapshot { in_flight: Some(in_flight), ..SubtaskSnapshot::default() },
        };
        manifest.add_task(subtask, 2, TaskSnapshot { operators: vec![part] });
    }
    manifest
}

/// For each new subtask: of which old ones it replays which channels, in those of which senders.
fn shares(spread: Spread, senders: u32, parallelism: u32) -> Vec<String> {
    changed(&spread.clone(), spread, senders, parallelism, GROUPS)
}

/// As [`shares`], of a stream that was spread in another way.
fn changed(old: &Spread, spread: Spread, senders: u32, parallelism: u32, groups: u32) -> Vec<String> {
    let manifest = manifest(ManifestKind::Checkpoint, old).to_json().unwrap();
    let manifest = Manifest::from_json(&manifest).unwrap();
    let edges = [InputEdge { edge: 5, stream: stream(0), senders, shape: shape(spread) }];
    let uid = OperatorUid("count".into());
    let all = manifest.in_flight_shares(&uid, &edges, parallelism, groups).unwrap();
    let show = |share: &flott_checkpoint::manifest::InFlightShare| {
        let FileLocation::Inline(bytes) = &share.file.location else { return "?".to_owned() };
        let old = String::from_utf8(bytes.to_vec()).unwrap();
        let channels = share.channels.iter().map(|channel| {
            assert_eq!(channel.edge, 5);
            let own = if channel.own_keys { " own" } else { "" };
            let unchanged = if channel.unchanged { " unchanged" } else { "" };
            format!("{old}:{}>{}{own}{unchanged}", channel.at, channel.sender)
        });
        channels.collect::<Vec<_>>().join(", ")
    };
    all.iter().map(|shares| shares.iter().map(show).collect::<Vec<_>>().join("; ")).collect()
}

#[test]
fn unchanged_each_channel_gets_its_own() {
    for spread in [by_key(), Spread::Any] {
        assert_eq!(
            shares(spread, 2, 2),
            ["0:0>0 unchanged, 0:1>1 unchanged", "1:0>0 unchanged, 1:1>1 unchanged"]
        );
    }
    // Watermarks of two old channels do not go through one.
    assert_eq!(shares(by_key(), 1, 2), ["0:0>0, 0:1>0", "1:0>0, 1:1>0"]);
}

#[test]
fn by_key_the_owners_of_key_groups_read_what_may_be_theirs() {
    assert_eq!(shares(by_key(), 2, 1), ["0:0>0 own, 0:1>1 own; 1:0>0 own, 1:1>1 own"]);
    assert_eq!(
        shares(by_key(), 2, 3),
        ["0:0>0 own, 0:1>1 own", "0:0>0 own, 0:1>1 own; 1:0>0 own, 1:1>1 own", "1:0>0 own, 1:1>1 own"]
    );
}

#[test]
fn otherwise_rows_of_an_old_subtask_go_whole_to_one() {
    assert_eq!(shares(Spread::Any, 2, 3), ["0:0>0, 0:1>1", "1:0>0, 1:1>1", ""]);
    assert_eq!(shares(Spread::Any, 2, 1), ["0:0>0, 0:1>1; 1:0>0, 1:1>1"]);
    assert_eq!(shares(Spread::First, 2, 3), ["0:0>0, 0:1>1; 1:0>0, 1:1>1", "", ""]);
}

#[test]
fn a_stream_that_is_gone_is_refused_and_a_savepoint_holds_nothing_under_way() {
    let manifest = manifest(ManifestKind::Checkpoint, &by_key());
    let uid = OperatorUid("count".into());
    let refused =
        |edges: &[InputEdge]| manifest.in_flight_shares(&uid, edges, 2, GROUPS).unwrap_err().to_string();
    let other = InputEdge { edge: 0, stream: stream(1), senders: 2, shape: shape(by_key()) };
    let aligned = InputEdge { edge: 0, stream: stream(0), senders: 2, shape: shape(Spread::Never) };
    for edges in [&[][..], &[other], &[aligned]] {
        let told = refused(edges);
        assert!(told.contains("uid 'sender' to input 1 of 'count'") && told.contains("savepoint"), "{told}");
    }
    assert!(manifest.in_flight_shares(&OperatorUid("other".into()), &[], 2, GROUPS).is_ok());
    let told = self::manifest(ManifestKind::Savepoint, &by_key()).to_json().unwrap_err().to_string();
    assert!(told.contains("a savepoint holds none"), "{told}");
}

#[test]
fn a_stream_that_is_spread_in_another_way_gives_rows_to_the_owners_of_their_keys() {
    let everybody_takes_their_own = ["0:0>0 own, 0:1>1 own; 1:0>0 own, 1:1>1 own"; 2];
    for old in [Spread::ByKey(vec![1]), Spread::Any, Spread::First] {
        assert_eq!(changed(&old, by_key(), 2, 2, GROUPS), everybody_takes_their_own);
    }
    // Other key groups.
    assert_eq!(changed(&by_key(), by_key(), 2, 2, 256), everybody_takes_their_own);
    assert_eq!(changed(&by_key(), Spread::Any, 2, 2, GROUPS), ["0:0>0, 0:1>1", "1:0>0, 1:1>1"]);
    assert_eq!(changed(&by_key(), Spread::First, 2, 2, GROUPS), ["0:0>0, 0:1>1; 1:0>0, 1:1>1", ""]);
}

#[test]
fn rows_with_other_columns_are_refused() {
    let uid = OperatorUid("count".into());
    let now = StreamShape { columns: Checksum::of(b"k INT, v STRING"), ..shape(by_key()) };
    let edges = [InputEdge { edge: 5, stream: stream(0), senders: 2, shape: now }];
    let written = manifest(ManifestKind::Checkpoint, &by_key());
    let mut unknown = written.clone();
    for subtask in &mut unknown.operators[0].subtasks {
        subtask.in_flight.as_mut().unwrap().channels.iter_mut().for_each(|channel| channel.shape = None);
    }
    for manifest in [written, unknown] {
        let told = manifest.in_flight_shares(&uid, &edges, 2, GROUPS).unwrap_err().to_string();
        assert!(told.contains("columns") && told.contains("with a savepoint"), "{told}");
    }
}
