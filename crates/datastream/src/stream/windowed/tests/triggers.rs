//! When windows fire.

use std::time::Duration;

use super::harness::Harness;
use super::{Listing, Rec, Seen, global, rec, seen};
use crate::environment::StreamExecutionEnvironment;
use crate::facade::window::*;
use crate::stream::DataStream;
use flott_function::runtime_context::RuntimeContext;
use flott_function::state::{ReducingState, ValueState};
use flott_types::{Result, Timestamp};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn harness<A, Tr>(assigner: A, trigger: Tr) -> Harness<Rec, Seen>
where
    A: WindowAssigner<Rec>,
    Tr: Trigger<Rec, A::Window> + Clone,
    Listing: ProcessWindowFunction<String, A::Window, Rec, Out = Seen>,
{
    Harness::new(|records: DataStream<Rec>| {
        records.key_by_ref(|record| &record.key).window(assigner).trigger(trigger).process(Listing)
    })
}

fn a(number: i64) -> Rec {
    rec("a", number)
}

#[test]
fn by_count_windows_keep_what_they_have() {
    let mut windows = harness(GlobalWindows::create(), CountTrigger::of(2));
    let fired = windows.push_untimed([a(1), rec("b", 2), a(3), a(4)]).unwrap();
    assert_eq!(fired, [global("a", [1, 3])]);
    windows.rescale(3);
    assert_eq!(windows.push_untimed([a(5)]).unwrap(), [global("a", [1, 3, 4, 5])]);
    assert_eq!(windows.end(), []);
}

#[test]
fn purging_windows_begin_anew() {
    let mut windows = harness(GlobalWindows::create(), PurgingTrigger::of(CountTrigger::of(2)));
    assert_eq!(windows.push_untimed([a(1), a(2), a(3)]).unwrap(), [global("a", [1, 2])]);
    windows.checkpoint(false);
    assert_eq!(windows.push_untimed([a(4)]).unwrap(), [global("a", [3, 4])]);
    windows.checkpoint(false);
    assert_eq!(windows.rows(), 0, "what was purged is gone");
}

#[test]
fn a_purged_window_takes_records_until_it_is_over_and_does_not_fire_empty() {
    let mut windows =
        harness(TumblingEventTimeWindows::of(millis(10)), PurgingTrigger::of(CountTrigger::of(2)));
    assert_eq!(windows.push([(a(1), 1), (a(2), 2), (a(3), 3)]), [seen("a", 0, 10, [1, 2])]);
    assert_eq!(windows.push([(a(4), 4)]), [seen("a", 0, 10, [3, 4])]);
    assert_eq!(windows.watermark(9), []);
    windows.checkpoint(false);
    assert_eq!(windows.rows(), 0);
}

#[test]
fn a_purged_session_is_still_there_to_be_merged() {
    let mut windows =
        harness(EventTimeSessionWindows::with_gap(millis(10)), PurgingTrigger::of(CountTrigger::of(2)));
    assert_eq!(windows.push([(a(1), 0), (a(2), 5)]), [seen("a", 0, 15, [1, 2])]);
    windows.checkpoint(false);
    windows.restore(2);
    assert_eq!(windows.push([(a(3), 8), (a(4), 20)]), []);
    // The session reaches from the first record, although the records are gone.
    assert_eq!(windows.push([(a(5), 14)]), [seen("a", 0, 30, [3, 4, 5])]);
    windows.watermark(29);
    windows.checkpoint(false);
    assert_eq!(windows.rows(), 0);
}

#[test]
fn a_purged_session_that_is_never_over_is_still_there_after_a_restore() {
    let mut windows = Harness::new(|records: DataStream<Rec>| {
        let sessions = EventTimeSessionWindows::with_gap(millis(10));
        let windows = records.key_by_ref(|record| &record.key).window(sessions);
        let windows = windows.allowed_lateness(Duration::MAX);
        windows.trigger(PurgingTrigger::of(CountTrigger::of(2))).process(Listing)
    });
    assert_eq!(windows.push([(a(1), 0), (a(2), 5)]), [seen("a", 0, 15, [1, 2])]);
    windows.rescale(2);
    windows.watermark(1_000);
    assert_eq!(windows.push([(a(3), 12), (a(4), 7)]), [seen("a", 0, 22, [3, 4])]);
}

#[test]
fn counts_of_sessions_that_merge_are_added() {
    let mut windows = harness(EventTimeSessionWindows::with_gap(millis(10)), CountTrigger::of(3));
    assert_eq!(windows.push([(a(1), 0), (a(2), 18)]), []);
    windows.rescale(2);
    assert_eq!(windows.push([(a(3), 9)]), [seen("a", 0, 28, [1, 2, 3])]);
}

#[test]
fn a_trigger_that_cannot_merge_is_refused_for_sessions() {
    let env = StreamExecutionEnvironment::new();
    let sessions = env.from_collection([a(1)]).key_by_ref(|record| &record.key);
    let sessions = sessions.window(EventTimeSessionWindows::with_gap(millis(10)));
    let sessions = sessions.trigger(DeltaTrigger::of(1.0, |_: &Rec, _: &Rec| 0.0)).process(Listing);
    let refused = sessions.execute_and_collect("test").err().unwrap();
    assert!(refused.message().contains("a trigger that does not support merging"), "{refused}");
}

#[test]
fn continuously_by_event_time() {
    let trigger = ContinuousEventTimeTrigger::of(millis(10));
    let mut windows = harness(TumblingEventTimeWindows::of(millis(25)), trigger);
    windows.push([(a(1), 3), (a(2), 14)]);
    assert_eq!(windows.watermark(9), []);
    assert_eq!(windows.watermark(10), [seen("a", 0, 25, [1, 2])]);
    windows.checkpoint(false);
    windows.restore(2);
    windows.push([(a(3), 15)]);
    assert_eq!(windows.watermark(23), [seen("a", 0, 25, [1, 2, 3])]);
    assert_eq!(windows.watermark(24), [seen("a", 0, 25, [1, 2, 3])]);
    windows.checkpoint(false);
    assert_eq!(windows.rows(), 0, "no timer and no state is left");
    // At the end of the input it fires for each remaining multiple, and for the end of the window.
    windows.push([(a(4), 25)]);
    assert_eq!(windows.end(), [seen("a", 25, 50, [4]), seen("a", 25, 50, [4]), seen("a", 25, 50, [4])]);
}

#[test]
fn continuously_by_event_time_a_window_without_end_fires_once_at_the_end_of_the_input() {
    let mut windows = harness(GlobalWindows::create(), ContinuousEventTimeTrigger::of(millis(10)));
    windows.push([(a(1), 3)]);
    assert_eq!(windows.watermark(10), [global("a", [1])]);
    assert_eq!(windows.end(), [global("a", [1])]);
}

#[test]
fn continuously_by_event_time_in_sessions_that_merge() {
    let trigger = ContinuousEventTimeTrigger::of(millis(10));
    let mut windows = harness(EventTimeSessionWindows::with_gap(millis(10)), trigger);
    windows.push([(a(1), 3), (a(2), 16)]);
    windows.push([(a(3), 9)]);
    assert_eq!(windows.watermark(10), [seen("a", 3, 26, [1, 2, 3])]);
    assert_eq!(windows.watermark(24), [seen("a", 3, 26, [1, 2, 3])]);
    assert_eq!(windows.watermark(25), [seen("a", 3, 26, [1, 2, 3])]);
    windows.checkpoint(false);
    assert_eq!(windows.rows(), 0);
}

#[test]
fn continuously_by_the_clock() {
    let mut windows = harness(GlobalWindows::create(), ContinuousProcessingTimeTrigger::of(millis(10)));
    windows.clock(4);
    windows.push_untimed([a(1), a(2)]).unwrap();
    assert_eq!(windows.clock(10), [global("a", [1, 2])]);
    windows.rescale(2);
    assert_eq!(windows.clock(19), []);
    assert_eq!(windows.clock(20), [global("a", [1, 2])]);
    let trigger = ContinuousProcessingTimeTrigger::of(millis(10));
    let mut windows = harness(TumblingProcessingTimeWindows::of(millis(15)), trigger);
    windows.push_untimed([a(1)]).unwrap();
    assert_eq!(windows.clock(10), [seen("a", 0, 15, [1])]);
    assert_eq!(windows.clock(14), [seen("a", 0, 15, [1])]);
    assert_eq!(windows.clock(40), []);
}

#[test]
fn by_how_far_values_have_moved() {
    let moved = |before: &Rec, now: &Rec| (now.numbers[0] - before.numbers[0]) as f64;
    let trigger = PurgingTrigger::of(DeltaTrigger::of(10.0, moved));
    let mut windows = harness(GlobalWindows::create(), trigger);
    assert_eq!(windows.push_untimed([a(0), a(10)]).unwrap(), []);
    assert_eq!(windows.push_untimed([a(11)]).unwrap(), [global("a", [0, 10, 11])]);
    windows.rescale(2);
    assert_eq!(windows.push_untimed([a(21), a(22)]).unwrap(), [global("a", [21, 22])]);
}

#[test]
fn by_count_or_when_the_time_is_out() {
    let trigger = ProcessingTimeoutTrigger::of(PurgingTrigger::of(CountTrigger::of(3)), millis(10));
    let mut windows = harness(GlobalWindows::create(), trigger.clone());
    windows.push_untimed([a(1)]).unwrap();
    windows.clock(5);
    windows.push_untimed([a(2)]).unwrap();
    // The nested trigger does not fire by time, so nothing is purged; but its count starts over.
    assert_eq!(windows.clock(10), [global("a", [1, 2])]);
    assert_eq!(windows.push_untimed([a(3), a(4)]).unwrap(), []);
    assert_eq!(windows.push_untimed([a(5)]).unwrap(), [global("a", [1, 2, 3, 4, 5])]);
    assert_eq!(windows.clock(50), [], "the time begins with the next record");

    let trigger = trigger.reset_timer_on_new_record(true).clear_on_timeout(false);
    let mut windows = harness(GlobalWindows::create(), trigger);
    windows.clock(100);
    windows.push_untimed([a(1)]).unwrap();
    windows.clock(105);
    windows.push_untimed([a(2)]).unwrap();
    assert_eq!(windows.clock(110), []);
    assert_eq!(windows.clock(115), [global("a", [1, 2])]);
    assert_eq!(windows.push_untimed([a(3)]).unwrap(), [global("a", [1, 2, 3])], "the count went on");
}

#[test]
fn never_and_at_the_end_of_the_input() {
    let mut windows = harness(GlobalWindows::create(), NeverTrigger);
    windows.push([(a(1), 1)]);
    assert_eq!(windows.end(), []);
    let mut windows = Harness::new(|records: DataStream<Rec>| {
        let keyed = records.key_by_ref(|record| &record.key);
        keyed.window(GlobalWindows::create_with_end_of_stream_trigger()).process(Listing)
    });
    windows.push([(a(1), 1)]);
    assert_eq!(windows.watermark(1_000), []);
    windows.rescale(2);
    windows.push([(a(2), 2)]);
    assert_eq!(windows.end(), [global("a", [1, 2])]);
}

#[test]
fn by_event_time_windows_by_the_clock_may_fire() {
    // The clock ends them, event time does not.
    let mut windows = harness(TumblingEventTimeWindows::of(millis(10)), ProcessingTimeTrigger);
    windows.push([(a(1), 1)]);
    assert_eq!(windows.clock(9), [seen("a", 0, 10, [1])]);
    assert_eq!(windows.watermark(9), []);
    assert_eq!(windows.end(), []);
}

/// Fires when the numbers of a window add up to a hundred, and 5 ms of event time after that.
#[derive(Clone, Default)]
struct Hundred {
    sum: ReducingState<i64>,
    last: ValueState<Timestamp>,
}

impl Trigger<Rec, TimeWindow> for Hundred {
    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.sum = context.reducing_state("sum", |one: i64, other| one + other)?;
        self.last = context.value_state("last")?;
        Ok(())
    }

    fn on_element(
        &mut self,
        element: &Rec,
        timestamp: Option<Timestamp>,
        _: &TimeWindow,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        self.sum.add(context, element.numbers[0]);
        self.last.set(context, timestamp.unwrap_or_default());
        if self.sum.get(context).is_some_and(|sum| *sum < 100) {
            return Ok(TriggerResult::Continue);
        }
        self.sum.clear(context);
        context.register_event_time_timer(timestamp.unwrap_or_default() + 5);
        Ok(TriggerResult::Fire)
    }

    fn on_event_time(
        &mut self,
        time: Timestamp,
        window: &TimeWindow,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        let last = self.last.get(context).copied();
        Ok(if time < window.end - 1 && last.is_some() {
            TriggerResult::FireAndPurge
        } else {
            TriggerResult::Continue
        })
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge(&mut self, _: &TimeWindow, context: &mut OnMergeContext<'_>) -> Result<()> {
        context.merge_reducing_state(self.sum);
        context.merge_state(self.last, Timestamp::max);
        Ok(())
    }

    fn clear(&mut self, _: &TimeWindow, context: &mut TriggerContext<'_>) -> Result<()> {
        self.sum.clear(context);
        self.last.clear(context);
        Ok(())
    }
}

#[test]
fn a_program_may_bring_its_own_trigger() {
    let mut windows = harness(TumblingEventTimeWindows::of(millis(50)), Hundred::default());
    assert_eq!(windows.push([(a(60), 1), (rec("b", 60), 1), (a(40), 2)]), [seen("a", 0, 50, [40, 60])]);
    windows.rescale(3);
    assert_eq!(windows.watermark(7), [seen("a", 0, 50, [40, 60])]);
    windows.push([(a(1), 8)]);
    assert_eq!(windows.end(), []);
    let mut windows = harness(EventTimeSessionWindows::with_gap(millis(10)), Hundred::default());
    assert_eq!(windows.push([(a(50), 0), (a(49), 18)]), []);
    assert_eq!(windows.push([(a(1), 9)]), [seen("a", 0, 28, [1, 49, 50])]);
}
