//! Alignment, event by event, with a task's actions as text.
//!
//! Events: `b<channel>.<id>` a barrier, `e<channel>` end of input, `t<id>` the coordinator's trigger, `a<id>`
//! its abort, `.` a tick.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flott_checkpoint::alignment::{AbortReason, Action, Alignment, Event, Mode};
use flott_checkpoint::{Barrier, CheckpointKind};
use flott_types::CheckpointId;

fn event(text: &str) -> Event {
    let number = |text: &str| text.parse::<u64>().unwrap();
    let barrier =
        |id| Barrier { checkpoint: CheckpointId(id), created_at: 0, kind: CheckpointKind::Checkpoint };
    let (kind, rest) = text.split_at(1);
    match kind {
        "b" => {
            let (channel, id) = rest.split_once('.').unwrap();
            Event::Barrier { channel: number(channel) as usize, barrier: barrier(number(id)) }
        }
        "e" => Event::EndOfInput { channel: number(rest) as usize },
        "t" => Event::Trigger(barrier(number(rest))),
        "a" => Event::Abort(CheckpointId(number(rest))),
        "." => Event::Tick,
        _ => panic!("no event: {text}"),
    }
}

fn show(action: &Action) -> String {
    match action {
        Action::Block(channel) => format!("block {channel}"),
        Action::Trigger(barrier) => format!("trigger {}", barrier.checkpoint),
        Action::Unblock => "unblock".to_owned(),
        Action::Abort { checkpoint, reason: AbortReason::Cancelled } => format!("abort {checkpoint}"),
        Action::Abort { checkpoint, reason: AbortReason::Superseded(by) } => {
            format!("abort {checkpoint} for {by}")
        }
    }
}

/// Each event and what follows from it; nothing is `-`.
fn play(mode: Mode, channels: usize, events: &str) -> String {
    let mut alignment = Alignment::new(mode, channels);
    let mut lines = Vec::new();
    for (now, text) in events.split_whitespace().enumerate() {
        lines.push(match alignment.step(event(text), now as i64) {
            Ok(actions) if actions.is_empty() => "-".to_owned(),
            Ok(actions) => actions.iter().map(show).collect::<Vec<_>>().join(", "),
            Err(error) => format!("error: {}", error.message()),
        });
    }
    lines.join(" | ")
}

#[test]
fn channels_that_are_ahead_are_blocked_until_the_barrier_came_through_all() {
    assert_eq!(
        play(Mode::ExactlyOnce, 3, "b1.1 b0.1 b2.1 b0.2 b2.2 b1.2"),
        "block 1 | block 0 | trigger 1, unblock | block 0 | block 2 | trigger 2, unblock"
    );
}

#[test]
fn at_least_once_blocks_nothing() {
    assert_eq!(play(Mode::AtLeastOnce, 3, "b1.1 b0.1 b2.1"), "- | - | trigger 1");
}

#[test]
fn one_channel_needs_no_alignment() {
    assert_eq!(play(Mode::ExactlyOnce, 1, "b0.1 b0.2 b0.5"), "trigger 1 | trigger 2 | trigger 5");
}

#[test]
fn a_source_starts_the_barrier_when_it_is_triggered_and_only_once() {
    assert_eq!(play(Mode::ExactlyOnce, 0, "t1 t1 t3 t2 t4"), "trigger 1 | - | trigger 3 | - | trigger 4");
}

#[test]
fn a_channel_that_has_ended_counts_as_arrived() {
    assert_eq!(play(Mode::ExactlyOnce, 3, "e1 b0.1 b2.1"), "- | block 0 | trigger 1, unblock");
    assert_eq!(play(Mode::ExactlyOnce, 3, "b0.1 b2.1 e1"), "block 0 | block 2 | trigger 1, unblock");
    // A channel may end behind its barrier, while the others are still behind.
    assert_eq!(play(Mode::AtLeastOnce, 3, "b0.1 e0 b1.1 b2.1"), "- | - | - | trigger 1");
}

#[test]
fn a_trigger_is_remembered_for_a_task_whose_inputs_end_without_the_barrier() {
    assert_eq!(play(Mode::ExactlyOnce, 2, "t1 e0 e1 . ."), "- | - | - | trigger 1 | -");
    assert_eq!(play(Mode::ExactlyOnce, 2, "e0 e1 t1 t2"), "- | - | trigger 1 | trigger 2");
    // Normally the barrier comes with the stream, and the trigger has done nothing.
    assert_eq!(play(Mode::ExactlyOnce, 2, "t1 b0.1 b1.1 e0 e1"), "- | block 0 | trigger 1, unblock | - | -");
    assert_eq!(
        play(Mode::ExactlyOnce, 2, "t1 t2 b0.1 e1 e0 ."),
        "- | - | block 0 | trigger 1, unblock | - | trigger 2"
    );
}

#[test]
fn a_later_barrier_aborts_the_alignment_of_an_earlier_one() {
    assert_eq!(
        play(Mode::ExactlyOnce, 3, "b0.1 b1.2 b0.2 b2.1 b2.2"),
        "block 0 | abort 1 for 2, unblock, block 1 | block 0 | - | trigger 2, unblock"
    );
    assert_eq!(play(Mode::AtLeastOnce, 2, "b0.1 b0.2 b1.1 b1.2"), "- | abort 1 for 2 | - | trigger 2");
}

#[test]
fn an_abort_unblocks_and_what_is_still_on_the_way_is_let_pass() {
    assert_eq!(
        play(Mode::ExactlyOnce, 2, "b0.1 a1 b1.1 b0.2 b1.2"),
        "block 0 | abort 1, unblock | - | block 0 | trigger 2, unblock"
    );
}

#[test]
fn an_abort_before_the_barrier_is_remembered() {
    assert_eq!(
        play(Mode::ExactlyOnce, 2, "a1 b0.1 b1.1 b0.2 b1.2"),
        "- | - | - | block 0 | trigger 2, unblock"
    );
    assert_eq!(play(Mode::ExactlyOnce, 0, "a1 t1 t2"), "- | - | trigger 2");
    // It does not touch an earlier one that is aligning, unless the barrier itself overtakes that.
    assert_eq!(play(Mode::ExactlyOnce, 2, "b0.1 a2 b1.1"), "block 0 | - | trigger 1, unblock");
    assert_eq!(
        play(Mode::ExactlyOnce, 2, "b0.1 a2 b1.2 b0.2 b0.3 b1.3"),
        "block 0 | - | abort 1 for 2, unblock | - | block 0 | trigger 3, unblock"
    );
    assert_eq!(play(Mode::ExactlyOnce, 2, "b0.1 b1.1 a1"), "block 0 | trigger 1, unblock | -");
}

#[test]
fn a_broken_stream_is_an_error() {
    let broken = |events| play(Mode::ExactlyOnce, 2, events).split(" | ").last().unwrap().to_owned();
    assert_eq!(
        broken("b0.2 b1.2 b0.1"),
        "error: barrier 1 after barrier 2 in input channel 0: ids must increase"
    );
    assert_eq!(
        broken("b0.2 b1.2 b0.2"),
        "error: barrier 2 after barrier 2 in input channel 0: ids must increase"
    );
    assert_eq!(broken("b0.1 b0.2"), "error: barrier 2 from input channel 0, which is blocked");
    assert_eq!(broken("b0.1 e0"), "error: end of input channel 0, which is blocked");
    assert_eq!(broken("e0 b0.1"), "error: barrier 1 after the end of input channel 0");
    assert_eq!(broken("e0 e0"), "error: input channel 0 has ended twice");
    assert_eq!(broken("b7.1"), "error: there is no input channel 7");
}

#[test]
fn it_can_say_what_it_waits_for() {
    let mut alignment = Alignment::new(Mode::ExactlyOnce, 4);
    for text in ["e3", "b1.7"] {
        alignment.step(event(text), 42).unwrap();
    }
    assert_eq!(alignment.aligning(), Some((CheckpointId(7), 42)));
    assert_eq!(alignment.waiting_for().collect::<Vec<_>>(), [0, 2]);
}
