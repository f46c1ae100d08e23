//! The life of a task, event by event, as text.
//!
//! Events: `o` opened, `O` opened at the end of the job's inputs, `w<channel>` the first word of a channel,
//! `r` what the source is to read is known, `b<channel>.<id>` a barrier, `e<channel>` end of input, `s` the
//! source has ended, `t<id>` the coordinator's trigger, `T<id>` that of a stop, `a<id>` an abort, `c<id>`
//! completion, `f<id>` the end, `+` something outstanding, `-` nothing.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flott_checkpoint::alignment::Mode;
use flott_checkpoint::life::{Action, Event, Stage, TaskLife};
use flott_checkpoint::{Barrier, CheckpointKind};
use flott_types::CheckpointId;

fn event(text: &str) -> Event {
    let number = |text: &str| text.parse::<u64>().unwrap();
    let id = |text: &str| CheckpointId(number(text));
    let barrier =
        |text: &str, kind| Barrier { checkpoint: id(text), created_at: 0, kind, overtakes_after: None };
    let (kind, rest) = text.split_at(1);
    match kind {
        "o" => Event::Opened { at_end: false },
        "O" => Event::Opened { at_end: true },
        "b" => {
            let (channel, checkpoint) = rest.split_once('.').unwrap();
            let barrier = barrier(checkpoint, CheckpointKind::Checkpoint);
            Event::Barrier { channel: number(channel) as usize, barrier }
        }
        "e" => Event::EndOfInput { channel: number(rest) as usize },
        "w" => Event::Begin { channel: number(rest) as usize },
        "r" => Event::Assigned,
        "s" => Event::SourceEnded,
        "t" => Event::Trigger(barrier(rest, CheckpointKind::Checkpoint)),
        "T" => Event::Trigger(barrier(rest, CheckpointKind::Suspend)),
        "a" => Event::Aborted(id(rest)),
        "c" => Event::Complete(id(rest)),
        "f" => Event::Finish(Some(id(rest))),
        "+" => Event::Outstanding(true),
        "-" => Event::Outstanding(false),
        _ => panic!("no event: {text}"),
    }
}

fn show(action: &Action) -> String {
    match action {
        Action::Block(channel) => format!("block {channel}"),
        Action::Unblock => "unblock".to_owned(),
        Action::Snapshot { barrier, ended: false, .. } => {
            format!("barrier {0}, snapshot {0}", barrier.checkpoint)
        }
        Action::Snapshot { barrier, ended: true, .. } => format!("snapshot {}", barrier.checkpoint),
        Action::Keep { checkpoint, channels } => format!("keep {channels:?} for {checkpoint}"),
        Action::Kept(checkpoint) => format!("kept {checkpoint}"),
        Action::Decline(checkpoint) => format!("decline {checkpoint}"),
        Action::Begin => "begin".to_owned(),
        Action::EndInput(input) => format!("end input {input}"),
        Action::Settle => "settle".to_owned(),
        Action::Finish => "finish".to_owned(),
        Action::End => "end".to_owned(),
        Action::ReportDrained => "drained".to_owned(),
        Action::Commit(checkpoint) => format!("commit {checkpoint}"),
        Action::Forget(checkpoint) => format!("forget {checkpoint}"),
        Action::Leave => "leave".to_owned(),
    }
}

/// Each event and what follows from it; nothing is `-`.
fn play(mode: Mode, input_of: &[usize], events: &str) -> String {
    let mut life = TaskLife::new(mode, input_of.to_vec());
    let mut lines = Vec::new();
    for text in events.split_whitespace() {
        let actions = life.step(event(text), 0).unwrap();
        let line = actions.iter().map(show).collect::<Vec<_>>().join(", ");
        lines.push(if line.is_empty() { "-".to_owned() } else { line });
    }
    lines.join(" | ")
}

#[test]
fn a_source_ends_once_and_stays_for_checkpoints() {
    assert_eq!(
        play(Mode::ExactlyOnce, &[], "o t1 s - s t2 c2 f3"),
        "- | barrier 1, snapshot 1 | settle | finish, end, drained | - | snapshot 2 | commit 2 | commit 3, leave"
    );
    assert_eq!(play(Mode::ExactlyOnce, &[], "O - t1"), "settle | finish, end, drained | snapshot 1");
}

#[test]
fn only_a_source_ends_on_request() {
    assert_eq!(play(Mode::ExactlyOnce, &[0], "O s e0"), "- | - | end input 0, settle");
}

#[test]
fn an_input_ends_with_its_last_channel_and_the_task_with_its_last_input() {
    assert_eq!(
        play(Mode::ExactlyOnce, &[0, 1, 0], "o w1 e0 e2 e1 -"),
        "- | block 1 | - | unblock, begin, end input 0 | end input 1, settle | finish, end, drained"
    );
}

#[test]
fn what_is_outstanding_delays_the_end_and_no_checkpoint() {
    assert_eq!(
        play(Mode::ExactlyOnce, &[0, 0], "o t1 e0 e1 + t2 + - t3"),
        "- | - | - | end input 0, settle | barrier 1, snapshot 1 | barrier 2, snapshot 2 | - | finish, end, drained \
         | snapshot 3"
    );
}

/// Otherwise it would be a race which of its subtasks have finished in this checkpoint.
#[test]
fn an_announced_checkpoint_is_taken_after_the_end() {
    assert_eq!(
        play(Mode::ExactlyOnce, &[0, 0], "o t1 e0 e1 -"),
        "- | - | - | end input 0, settle | finish, end, drained, snapshot 1"
    );
}

#[test]
fn what_came_through_a_channel_is_taken_before_the_end() {
    assert_eq!(
        play(Mode::ExactlyOnce, &[0, 0], "o b0.1 e1 e0 -"),
        "- | block 0 | barrier 1, snapshot 1, unblock, begin | end input 0, settle | finish, end, drained"
    );
    assert_eq!(
        play(Mode::AtLeastOnce, &[0, 0], "o w0 w1 b0.1 e0 e1 -"),
        "- | block 0 | unblock, begin | - | - | barrier 1, snapshot 1, end input 0, settle | finish, end, drained"
    );
}

#[test]
fn a_source_pauses_after_a_stop_until_that_is_aborted() {
    let mut life = TaskLife::new(Mode::ExactlyOnce, Vec::new());
    let mut reads = |text| {
        life.step(event(text), 0).unwrap();
        life.reads()
    };
    let seen: Vec<bool> = ["o", "t1", "T2", "a1", "a2", "s"].into_iter().map(&mut reads).collect();
    assert_eq!(seen, [true, true, false, false, true, false]);
    // The abort overtook the trigger.
    let mut life = TaskLife::new(Mode::ExactlyOnce, Vec::new());
    for text in ["o", "a2", "T2"] {
        life.step(event(text), 0).unwrap();
    }
    assert!(life.reads());
}

#[test]
fn an_operator_finishes_once_unless_rows_come_again() {
    let mut stage = Stage::restored(false);
    assert!(!stage.rows().unwrap() && stage.is_called() && !stage.has_finished());
    assert!(stage.finish() && stage.has_finished() && !stage.finish());
    assert_eq!(stage.rows().unwrap_err().message(), "rows arrive at an operator that has finished");

    let mut stage = Stage::restored(true);
    assert!(!stage.is_called() && !stage.finish() && stage.has_finished());
    assert!(stage.rows().unwrap() && stage.is_called() && !stage.has_finished());
    assert!(!stage.rows().unwrap() && stage.finish());
}

/// Whether a row is late must not depend on which source heard first from its enumerator.
#[test]
fn nobody_reads_before_all_channels_have_begun() {
    assert_eq!(
        play(Mode::ExactlyOnce, &[0, 0, 1], "o w2 w0 w1 w1"),
        "- | block 2 | block 0 | unblock, begin | -"
    );
    // The end is a word too, and then the first one of this task.
    assert_eq!(
        play(Mode::ExactlyOnce, &[0, 0], "o w0 e1 e0"),
        "- | block 0 | unblock, begin | end input 0, settle"
    );
    assert_eq!(play(Mode::ExactlyOnce, &[0], "o e0 -"), "- | end input 0, settle | finish, end, drained");
    // A source begins once, and not when it has ended.
    assert_eq!(play(Mode::ExactlyOnce, &[], "o r r"), "- | begin | -");
    assert_eq!(play(Mode::ExactlyOnce, &[], "o s - r"), "- | settle | finish, end, drained | -");
}

#[test]
fn the_beginning_and_a_barrier_do_not_wait_for_each_other() {
    // The barrier of one comes before its first word: it counts as one, and stays blocked by the alignment.
    assert_eq!(
        play(Mode::ExactlyOnce, &[0, 0, 0], "o w0 b1.1 w2 b0.1 b2.1"),
        "- | block 0 | block 1 | unblock, block 1, begin | block 0 | barrier 1, snapshot 1, unblock"
    );
    // An abort in the meantime does not let channels be read that have begun.
    assert_eq!(
        play(Mode::ExactlyOnce, &[0, 0, 0], "o w0 b1.1 a1 w2"),
        "- | block 0 | block 1 | decline 1, unblock, block 0, forget 1 | unblock, begin"
    );
}
