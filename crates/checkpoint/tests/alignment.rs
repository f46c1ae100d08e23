//! Alignment, event by event, with a task's actions as text.
//!
//! Events: `b<channel>.<id>` a barrier, `e<channel>` end of input, `t<id>` the coordinator's trigger, `a<id>`
//! its abort, `.` a tick, `q<channel>.<id>` a barrier that arrives in a queue, `Q<channel>` an end that does.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flott_checkpoint::alignment::{AbortReason, Action, Alignment, Event, Mode};
use flott_checkpoint::{Barrier, CheckpointKind};
use flott_types::CheckpointId;

fn event(text: &str) -> Event {
    event_of(text, None)
}

fn event_of(text: &str, overtakes_after: Option<i64>) -> Event {
    let number = |text: &str| text.parse::<u64>().unwrap();
    let kind = CheckpointKind::Checkpoint;
    let barrier = |id| Barrier { checkpoint: CheckpointId(id), created_at: 0, kind, overtakes_after };
    let (kind, rest) = text.split_at(1);
    match kind {
        "b" => {
            let (channel, id) = rest.split_once('.').unwrap();
            Event::Barrier { channel: number(channel) as usize, barrier: barrier(number(id)) }
        }
        "q" => {
            let (channel, id) = rest.split_once('.').unwrap();
            Event::Arrived { channel: number(channel) as usize, barrier: barrier(number(id)) }
        }
        "Q" => Event::EndArrived { channel: number(rest) as usize },
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
        Action::Overtake { barrier, channels } => format!("overtake {} in {channels:?}", barrier.checkpoint),
        Action::Kept(checkpoint) => format!("kept {checkpoint}"),
        Action::Unblock => "unblock".to_owned(),
        Action::Abort { checkpoint, reason: AbortReason::Cancelled } => format!("abort {checkpoint}"),
        Action::Abort { checkpoint, reason: AbortReason::Superseded(by) } => {
            format!("abort {checkpoint} for {by}")
        }
    }
}

/// Each event and what follows from it; nothing is `-`.
fn play(mode: Mode, channels: usize, events: &str) -> String {
    play_with(Alignment::new(mode, channels), None, events)
}

/// With barriers that overtake at this time, in channels of which `1` can be overtaken. Each event takes a
/// millisecond.
fn overtaking(at: i64, channels: &str, events: &str) -> String {
    let can_be_overtaken: Vec<bool> = channels.chars().map(|can| can == '1').collect();
    let alignment = Alignment::new(Mode::ExactlyOnce, channels.len()).with_overtaking(&can_be_overtaken);
    play_with(alignment, Some(at), events)
}

fn play_with(mut alignment: Alignment, overtakes_after: Option<i64>, events: &str) -> String {
    let mut lines = Vec::new();
    for (now, text) in events.split_whitespace().enumerate() {
        let due = alignment.next_deadline().is_some_and(|at| at <= now as i64);
        assert!(!due || overtakes_after == Some(now as i64), "a barrier should have overtaken before {text}");
        lines.push(match alignment.step(event_of(text, overtakes_after), now as i64) {
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

#[test]
fn a_barrier_overtakes_and_what_still_arrives_before_it_is_kept() {
    // When it arrives behind others in one channel.
    assert_eq!(overtaking(0, "11", "t1 q1.1 q0.1 b0.1 b1.1"), "- | overtake 1 in [0, 1] | kept 1 | - | -");
    // Also if the coordinator's message is late or lost.
    assert_eq!(overtaking(0, "11", "q1.1 t1 q0.1 b1.1 b0.1"), "overtake 1 in [0, 1] | - | kept 1 | - | -");
    // Its end completes a channel too, whether it waits there or was read.
    assert_eq!(overtaking(0, "111", "e2 Q1 t1 q0.1"), "- | - | - | overtake 1 in [0, 1], kept 1");
    assert_eq!(overtaking(0, "11", "Q0 t1 q1.1"), "- | - | overtake 1 in [0, 1], kept 1");
    // If nothing can arrive any more, that message is all there is.
    assert_eq!(overtaking(0, "11", "Q0 Q1 t1"), "- | - | overtake 1 in [0, 1], kept 1");
}

#[test]
fn a_barrier_overtakes_when_alignment_takes_too_long() {
    assert_eq!(
        overtaking(4, "11", "t1 q0.1 b0.1 . . q1.1"),
        "- | - | block 0 | - | overtake 1 in [1], unblock | kept 1"
    );
    // In time, it is aligned.
    assert_eq!(
        overtaking(9, "11", "t1 q0.1 b0.1 q1.1 b1.1 ."),
        "- | - | block 0 | - | trigger 1, unblock | -"
    );
}

#[test]
fn what_cannot_be_overtaken_is_aligned() {
    assert_eq!(
        overtaking(0, "101", "t1 q0.1 q2.1 b0.1 q1.1 b1.1"),
        "- | - | - | block 0 | - | block 1, overtake 1 in [2], unblock, kept 1"
    );
    assert_eq!(overtaking(0, "00", "t1 q0.1 b0.1 q1.1 b1.1"), "- | - | block 0 | - | trigger 1, unblock");
}

#[test]
fn a_later_barrier_or_an_abort_ends_what_is_kept() {
    assert_eq!(
        overtaking(0, "11", "q0.1 q1.2 q0.2"),
        "overtake 1 in [0, 1] | abort 1 for 2, overtake 2 in [0, 1] | kept 2"
    );
    assert_eq!(overtaking(0, "11", "q0.1 a1 q1.1"), "overtake 1 in [0, 1] | abort 1 | -");
    // Two may be kept at a time.
    assert_eq!(
        overtaking(0, "11", "t1 t2 q0.1 q0.2 q1.1 q1.2"),
        "- | - | overtake 1 in [0, 1] | overtake 2 in [0, 1] | kept 1 | kept 2"
    );
}

/// The coordinator's clock says something else than the task's, which may be set back.
#[test]
fn when_a_barrier_overtakes_is_told_by_the_clock_of_the_task() {
    let (checkpoint, kind) = (CheckpointId(1), CheckpointKind::Checkpoint);
    let of = |after| Barrier { checkpoint, created_at: 1_000_000, kind, overtakes_after: Some(after) };
    let new = || Alignment::new(Mode::ExactlyOnce, 2).with_overtaking(&[true, true]);
    let is_taken =
        |actions: &[Action]| actions.iter().any(|action| matches!(action, Action::Overtake { .. }));
    let mut at_once = new();
    assert!(!is_taken(&at_once.step(Event::Trigger(of(0)), 50).unwrap()));
    let arrived = |barrier| Event::Arrived { channel: 0, barrier };
    assert!(is_taken(&at_once.step(arrived(of(0)), 5).unwrap()));
    let mut later = new();
    assert!(!is_taken(&later.step(arrived(of(4)), 5).unwrap()));
    assert_eq!(later.next_deadline(), Some(9));
    assert!(
        !is_taken(&later.step(Event::Tick, 8).unwrap()) && is_taken(&later.step(Event::Tick, 9).unwrap())
    );
}
