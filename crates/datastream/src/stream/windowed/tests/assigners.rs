//! Which windows records go to.

use std::time::Duration;

use super::harness::Harness;
use super::{Listing, Rec, Seen, rec, seen};
use crate::environment::StreamExecutionEnvironment;
use crate::facade::window::*;
use crate::stream::DataStream;
use flott_function::keyed_process::TimeDomain;
use flott_types::{Error, Result, Timestamp};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn harness<A: WindowAssigner<Rec, Window = TimeWindow>>(assigner: A) -> Harness<Rec, Seen> {
    Harness::new(|records: DataStream<Rec>| {
        records.key_by_ref(|record| &record.key).window(assigner).process(Listing)
    })
}

#[test]
fn tumbling_windows_begin_at_their_offset_also_before_the_epoch() {
    let mut windows = harness(TumblingEventTimeWindows::of(millis(10)).offset_millis(3));
    assert_eq!(windows.push([(rec("a", 1), -8), (rec("a", 2), -7), (rec("a", 3), 2), (rec("a", 4), 3)]), []);
    assert_eq!(windows.watermark(-8), [seen("a", -17, -7, [1])]);
    assert_eq!(windows.watermark(2), [seen("a", -7, 3, [2, 3])]);
    assert_eq!(windows.end(), [seen("a", 3, 13, [4])]);
}

#[test]
fn a_record_is_in_several_sliding_windows() {
    let mut windows = harness(SlidingEventTimeWindows::of(millis(10), millis(5)));
    windows.push([(rec("a", 1), 7), (rec("a", 2), 3)]);
    assert_eq!(windows.watermark(9), [seen("a", -5, 5, [2]), seen("a", 0, 10, [1, 2])]);
    assert_eq!(windows.end(), [seen("a", 5, 15, [1])]);
}

#[test]
fn a_record_between_sliding_windows_is_not_late() {
    let mut windows = harness(SlidingEventTimeWindows::of(millis(2), millis(10)));
    windows.push([(rec("a", 1), 11), (rec("a", 2), 12)]);
    assert_eq!(windows.watermark(11), [seen("a", 10, 12, [1])]);
    windows.push([(rec("a", 3), 13)]);
    assert_eq!(windows.metrics.num_late_records_dropped.get(), 0);
    // By its own time it is late now, as in Flink.
    windows.push([(rec("a", 4), 5)]);
    assert_eq!(windows.metrics.num_late_records_dropped.get(), 1);
    assert_eq!(windows.end(), []);
}

#[test]
fn windows_by_the_clock_need_no_timestamps() {
    let mut windows = harness(TumblingProcessingTimeWindows::of(millis(10)));
    windows.clock(4);
    assert_eq!(windows.push_untimed([rec("a", 1), rec("b", 2)]).unwrap(), []);
    assert_eq!(windows.clock(8), []);
    windows.push_untimed([rec("a", 3)]).unwrap();
    assert_eq!(windows.clock(9), [seen("a", 0, 10, [1, 3]), seen("b", 0, 10, [2])]);
    windows.clock(12);
    windows.push_untimed([rec("a", 4)]).unwrap();
    windows.clock(25);
    windows.push_untimed([rec("a", 5)]).unwrap();
    assert_eq!(windows.clock(40), [seen("a", 20, 30, [5])]);
}

#[test]
fn windows_by_the_clock_that_have_not_ended_when_the_input_ends_do_not_fire() {
    let mut windows = harness(TumblingProcessingTimeWindows::of(millis(10)));
    windows.push_untimed([rec("a", 1)]).unwrap();
    assert_eq!(windows.end(), []);
}

#[test]
fn sliding_windows_by_the_clock() {
    let mut windows = harness(SlidingProcessingTimeWindows::of(millis(10), millis(5)).offset_millis(1));
    windows.clock(7);
    windows.push_untimed([rec("a", 1)]).unwrap();
    assert_eq!(windows.clock(10), [seen("a", 1, 11, [1])]);
    assert_eq!(windows.clock(15), [seen("a", 6, 16, [1])]);
}

#[test]
fn sessions_grow_and_are_joined() {
    let mut windows = harness(EventTimeSessionWindows::with_gap(millis(10)));
    windows.push([(rec("a", 1), 0), (rec("a", 2), 25), (rec("a", 3), 8), (rec("b", 4), 15)]);
    windows.watermark(10);
    // It joins both sessions; the second one only touches.
    windows.push([(rec("a", 5), 15)]);
    assert_eq!(windows.watermark(24), [seen("b", 15, 25, [4])]);
    assert_eq!(windows.watermark(34), [seen("a", 0, 35, [1, 2, 3, 5])]);
    assert_eq!(windows.end(), []);
}

#[test]
fn sessions_by_the_clock() {
    let mut windows = harness(ProcessingTimeSessionWindows::with_gap(millis(10)));
    windows.push_untimed([rec("a", 1)]).unwrap();
    windows.clock(6);
    windows.push_untimed([rec("a", 2)]).unwrap();
    assert_eq!(windows.clock(14), []);
    assert_eq!(windows.clock(15), [seen("a", 0, 16, [1, 2])]);
    windows.clock(16);
    windows.push_untimed([rec("a", 3)]).unwrap();
    assert_eq!(windows.clock(30), [seen("a", 16, 26, [3])]);
}

#[test]
fn each_record_may_say_how_long_its_session_waits() {
    let gap = |record: &Rec| record.numbers[0];
    let mut windows = harness(EventTimeSessionWindows::with_dynamic_gap(gap));
    windows.push([(rec("a", 5), 0), (rec("a", 20), 3), (rec("a", 1), 24)]);
    assert_eq!(windows.end(), [seen("a", 0, 23, [5, 20]), seen("a", 24, 25, [1])]);
    let refused = windows.try_push([(rec("a", 0), 100)]).unwrap_err();
    assert_eq!(refused.message(), "the gap of a session is 0 ms; it must be at least 1 ms");
    let mut windows = harness(ProcessingTimeSessionWindows::with_dynamic_gap(gap));
    windows.push_untimed([rec("a", 5)]).unwrap();
    assert_eq!(windows.clock(4), [seen("a", 0, 5, [5])]);
}

#[test]
fn windows_of_event_time_refuse_records_without_timestamps() {
    let mut windows = harness(TumblingEventTimeWindows::of(millis(10)));
    let refused = windows.push_untimed([rec("a", 1)]).unwrap_err();
    assert!(refused.message().contains("call `assign_timestamps_and_watermarks` before"), "{refused}");
}

#[test]
fn windows_that_cannot_be_are_refused_before_the_job_runs() {
    fn refused<A: WindowAssigner<Rec>>(assigner: A) -> Error {
        let env = StreamExecutionEnvironment::new();
        let stream = env.from_collection([rec("a", 1)]).key_by_ref(|record| &record.key).window(assigner);
        stream.reduce(|one, _| one).execute_and_collect("test").err().unwrap()
    }
    let size = refused(TumblingEventTimeWindows::of(millis(0)));
    assert_eq!(size.message(), "the size of windows is 0 ms; it must be at least 1 ms");
    let slide = refused(SlidingProcessingTimeWindows::of(millis(5), millis(0)));
    assert_eq!(slide.message(), "the slide of windows is 0 ms; it must be at least 1 ms");
    let offset = refused(SlidingEventTimeWindows::of(millis(50), millis(5)).offset_millis(-5));
    assert!(
        offset.message().starts_with("the offset of windows is -5 ms; it must be less than the slide, 5 ms")
    );
    let gap = refused(EventTimeSessionWindows::with_gap(millis(0)));
    assert_eq!(gap.message(), "the gap of sessions is 0 ms; it must be at least 1 ms");
}

#[test]
fn windows_may_begin_when_the_first_record_comes() {
    let mut windows = harness(TumblingProcessingTimeWindows::of(millis(10)).stagger(WindowStagger::Natural));
    windows.clock(14);
    windows.push_untimed([rec("a", 1)]).unwrap();
    assert_eq!(windows.clock(22), []);
    assert_eq!(windows.clock(23), [seen("a", 14, 24, [1])]);
    let mut windows = harness(TumblingEventTimeWindows::of(millis(10)).stagger(WindowStagger::Random));
    windows.push([(rec("a", 1), 0), (rec("b", 2), 0), (rec("c", 3), 10)]);
    let fired = windows.end();
    assert!(fired.iter().all(|seen| seen.end - seen.start == 10));
    assert_eq!((fired[0].start, fired[2].start), (fired[1].start, fired[0].start + 10));
}

/// Records with numbers in the same hundred share a window as long as their numbers are next to each other.
#[derive(Clone)]
struct Neighbours;

impl WindowAssigner<Rec> for Neighbours {
    type Window = TimeWindow;

    const MERGES: bool = true;

    fn assign_windows(
        &mut self,
        element: &Rec,
        _: Option<Timestamp>,
        _: &AssignerContext,
        windows: &mut Vec<TimeWindow>,
    ) -> Result<()> {
        let number = element.numbers[0];
        windows.push(TimeWindow::new(number, number + 1));
        Ok(())
    }

    fn default_trigger(&self) -> AnyTrigger<Rec, TimeWindow> {
        AnyTrigger::new(EventTimeTrigger)
    }

    fn time_domain(&self) -> TimeDomain {
        TimeDomain::EventTime
    }

    fn merge_windows(&self, windows: &mut [TimeWindow], merges: &mut Merges<TimeWindow>) {
        windows.sort();
        let together = |one: &TimeWindow, next: &TimeWindow| {
            one.end == next.start && one.start / 100 == next.start / 100
        };
        for group in windows.chunk_by(together).filter(|group| group.len() > 1) {
            merges.merge(group, group[0].cover(&group[group.len() - 1]));
        }
    }
}

#[test]
fn a_program_may_bring_its_own_merging_windows() {
    let mut windows = harness(Neighbours);
    windows.push([98, 99, 100, 5, 3, 4].map(|number| (rec("a", number), 0)));
    assert_eq!(windows.watermark(5), [seen("a", 3, 6, [3, 4, 5])]);
    assert_eq!(windows.end(), [seen("a", 98, 100, [98, 99]), seen("a", 100, 101, [100])]);
}
