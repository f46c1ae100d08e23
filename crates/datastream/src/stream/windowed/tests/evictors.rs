//! What windows evict.

use std::time::Duration;

use super::harness::Harness;
use super::{Listing, Rec, Seen, global, rec};
use crate::facade::window::*;
use crate::stream::DataStream;
use flott_types::Result;

fn harness<E: Evictor<Rec, GlobalWindow> + Clone>(evictor: E) -> Harness<Rec, Seen> {
    Harness::new(|records: DataStream<Rec>| {
        let windows = records.key_by_ref(|record| &record.key).window(GlobalWindows::create());
        windows.trigger(CountTrigger::of(2)).evictor(evictor).process(Listing)
    })
}

fn a(number: i64, at: i64) -> (Rec, i64) {
    (rec("a", number), at)
}

#[test]
fn the_last_elements_are_kept() {
    let mut windows = harness(CountEvictor::of(3));
    let fired = windows.push([a(1, 0), a(2, 0), a(3, 0), a(4, 0)]);
    assert_eq!(fired, [global("a", [1, 2]), global("a", [2, 3, 4])]);
    windows.checkpoint(false);
    windows.restore(2);
    assert_eq!(windows.push([a(5, 0), a(6, 0)]), [global("a", [4, 5, 6])]);
}

#[test]
fn evicted_after_the_function_has_seen_them() {
    let mut windows = harness(CountEvictor::of(1).after());
    let fired = windows.push([a(1, 0), a(2, 0), a(3, 0), a(4, 0)]);
    assert_eq!(fired, [global("a", [1, 2]), global("a", [2, 3, 4])]);
    assert_eq!(windows.push([a(5, 0), a(6, 0)]), [global("a", [4, 5, 6])]);
}

#[test]
fn those_near_the_last_one_are_kept() {
    let far = |one: &Rec, last: &Rec| (one.numbers[0] - last.numbers[0]).abs() as f64;
    let mut windows = harness(DeltaEvictor::of(10.0, far));
    assert_eq!(windows.push([a(1, 0), a(10, 0)]), [global("a", [1, 10])]);
    assert_eq!(windows.push([a(11, 0), a(12, 0)]), [global("a", [10, 11, 12])]);
    let mut windows = harness(DeltaEvictor::of(10.0, far).after());
    assert_eq!(windows.push([a(1, 0), a(30, 0)]), [global("a", [1, 30])]);
    assert_eq!(windows.push([a(31, 0), a(32, 0)]), [global("a", [30, 31, 32])]);
}

#[test]
fn the_youngest_are_kept_also_over_a_restore() {
    let mut windows = harness(TimeEvictor::of(Duration::from_millis(10)));
    assert_eq!(windows.push([a(1, 0), a(2, 9)]), [global("a", [1, 2])]);
    assert_eq!(windows.push([a(3, 10), a(4, 5)]), [global("a", [2, 3, 4])]);
    windows.rescale(2);
    assert_eq!(windows.push([a(5, 17), a(6, 18)]), [global("a", [2, 3, 5, 6])]);
    let mut windows = harness(TimeEvictor::of(Duration::from_millis(10)).after());
    assert_eq!(windows.push([a(1, 0), a(2, 10)]), [global("a", [1, 2])]);
    assert_eq!(windows.push([a(3, 11), a(4, 12)]), [global("a", [2, 3, 4])]);
    let mut untimed = harness(TimeEvictor::of(Duration::from_millis(10)));
    assert_eq!(untimed.push_untimed([rec("a", 1), rec("a", 2)]).unwrap(), [global("a", [1, 2])]);
}

#[test]
fn what_an_evictor_leaves_is_reduced() {
    let mut windows = Harness::new(|records: DataStream<Rec>| {
        let keyed = records.key_by_ref(|record| &record.key);
        keyed.count_window_sliding(3, 2).sum(|record| &mut record.numbers[0])
    });
    let sums = windows.push((1..=7).map(|number| a(number, 0)));
    assert_eq!(sums, [rec("a", 1 + 2), rec("a", 2 + 3 + 4), rec("a", 4 + 5 + 6)]);
}

/// Removes everything before the function sees it.
#[derive(Clone)]
struct All;

impl<T, W> Evictor<T, W> for All {
    fn evict_before(
        &mut self,
        elements: &mut WindowElements<'_, T>,
        _: &W,
        context: &EvictorContext,
    ) -> Result<()> {
        assert!(!elements.is_empty());
        let times = elements.iter().filter_map(|(_, timestamp)| timestamp);
        assert!(times.max() > Some(context.current_watermark.0));
        elements.remove_first(elements.len());
        Ok(())
    }
}

#[test]
fn a_function_is_called_also_when_everything_was_evicted() {
    let mut windows = harness(All);
    assert_eq!(windows.push([a(1, 1), a(2, 2), a(3, 3)]), [global("a", [])]);
    windows.checkpoint(false);
    assert_eq!(windows.push([a(4, 4)]), [global("a", [])]);
    windows.checkpoint(false);
    assert_eq!(windows.rows(), 0);
}
