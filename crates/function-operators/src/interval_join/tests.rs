//! The behaviour of interval joins.

use std::sync::Arc;

use flott_types::Result;
use proptest::prelude::*;

use super::*;
use crate::testing::{Harness, MAX_PARALLELISM, Stored, options};
use flott_function::join::{JoinContext, ProcessJoinFunction};
use flott_function::output::OutputTag;
use flott_function::runtime_context::RuntimeContext;
use flott_function::state::ByValue;

/// A key, and a number to distinguish records.
type Event = (u8, u32);

#[derive(Clone)]
struct Pair;

impl ProcessJoinFunction<Event, Event> for Pair {
    type Out = (u32, u32);

    fn process_element(
        &mut self,
        left: &Event,
        right: &Event,
        context: &mut JoinContext<'_, (u32, u32)>,
    ) -> Result<()> {
        assert_eq!(left.0, right.0);
        context.collect((left.1, right.1));
        Ok(())
    }
}

/// Declares a state with a name that the operator uses.
#[derive(Clone)]
struct Claims;

impl ProcessJoinFunction<Event, Event> for Claims {
    type Out = (u32, u32);

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        context.operator_list_state::<u32>("progress").map(drop)
    }

    fn process_element(&mut self, _: &Event, _: &Event, _: &mut JoinContext<'_, (u32, u32)>) -> Result<()> {
        Ok(())
    }
}

#[test]
#[should_panic(expected = "operator state 'progress' has a name that the operator uses itself")]
fn a_state_that_has_the_name_of_one_of_the_operators_own_is_refused() {
    let key = || Arc::new(ByValue(|event: &Event| event.0));
    let sides = JoinSides { left: key(), right: key(), late_left: None, late_right: None };
    let operator =
        IntervalJoin::new(Claims, sides, Bounds { lower: 0, upper: 1 }, MAX_PARALLELISM, options());
    Harness::restored::<(u32, u32)>(operator.unwrap(), &Stored::default(), 0, 1);
}

fn join(lower: i64, upper: i64, stored: &Stored, subtask: u32, parallelism: u32) -> Harness {
    let key = || Arc::new(ByValue(|event: &Event| event.0));
    let sides = JoinSides {
        left: key(),
        right: key(),
        late_left: Some(OutputTag::new("left")),
        late_right: Some(OutputTag::new("right")),
    };
    let operator = IntervalJoin::new(Pair, sides, Bounds { lower, upper }, MAX_PARALLELISM, options());
    let harness = Harness::restored::<(u32, u32)>(operator.unwrap(), stored, subtask, parallelism);
    harness.side::<Event>("left").side::<Event>("right")
}

fn push(task: &mut Harness, side: usize, event: Event, at: i64) -> Vec<String> {
    task.push_keyed(side, |event| event.0, [(event, at)]).unwrap()
}

#[test]
fn both_bounds_belong_to_the_interval_and_either_side_may_come_first() {
    let mut task = join(-5, 10, &Stored::default(), 0, 1);
    for (number, at) in [(0, 94), (1, 95), (2, 110), (3, 111)] {
        assert!(push(&mut task, 1, (1, number), at).is_empty());
    }
    assert!(push(&mut task, 1, (2, 9), 100).is_empty());
    assert_eq!(push(&mut task, 0, (1, 100), 100), ["(100, 1)@100", "(100, 2)@110"]);
    assert_eq!(push(&mut task, 1, (1, 4), 100), ["(100, 4)@100"]);
}

#[test]
fn records_are_kept_until_no_partner_can_come() {
    let mut stored = Stored::default();
    let mut task = join(-5, 10, &stored, 0, 1);
    push(&mut task, 0, (1, 1), 100);
    push(&mut task, 1, (1, 2), 200);
    task.snapshot(&mut stored);
    assert_eq!((stored.rows("left-buffer"), stored.rows("right-buffer")), (1, 1));
    // A partner at 110 is not late yet.
    assert_eq!(task.watermark(110), ["W110"]);
    assert_eq!(push(&mut task, 1, (1, 3), 110), ["(1, 3)@110"]);
    task.watermark(111);
    task.snapshot(&mut stored);
    assert_eq!((stored.rows("left-buffer"), stored.rows("right-buffer")), (0, 2));
    task.watermark(206);
    task.snapshot(&mut stored);
    assert_eq!((stored.rows("left-buffer"), stored.rows("right-buffer")), (0, 0));
}

#[test]
fn late_records_go_to_the_side_outputs() {
    let mut task = join(-5, 10, &Stored::default(), 0, 1);
    push(&mut task, 0, (1, 1), 100);
    task.watermark(100);
    let mut stored = Stored::default();
    task.snapshot(&mut stored);
    let mut task = join(-5, 10, &stored, 0, 1);
    assert_eq!(push(&mut task, 1, (1, 2), 99), ["right:(1, 2)@99"]);
    assert_eq!(push(&mut task, 0, (1, 3), 99), ["left:(1, 3)@99"]);
    assert_eq!(push(&mut task, 1, (1, 4), 100), ["(1, 4)@100"]);
}

#[test]
fn a_snapshot_holds_what_changed() {
    let mut stored = Stored::default();
    let mut task = join(-5, 10, &stored, 0, 1);
    (0..50).for_each(|number| _ = push(&mut task, 0, (number as u8, number), 100));
    task.snapshot(&mut stored);
    assert_eq!(stored.changes, 50);
    push(&mut task, 0, (7, 1_000), 100);
    push(&mut task, 0, (7, 1_001), 101);
    task.snapshot(&mut stored);
    assert_eq!((stored.changes, stored.rows("left-buffer")), (2, 51));
    task.snapshot(&mut stored);
    assert_eq!(stored.changes, 0);
    task.watermark(111);
    // Back before the snapshot that would have deleted it.
    push(&mut task, 0, (7, 1_002), 111);
    task.snapshot(&mut stored);
    assert_eq!((stored.changes, stored.rows("left-buffer")), (51, 2));
}

#[test]
fn a_record_without_a_timestamp_is_refused() {
    let mut task = join(0, 1, &Stored::default(), 0, 1);
    let error = task.push_keyed(0, |event: &Event| event.0, [((1, 1), i64::MIN)]).unwrap_err().to_string();
    assert!(error.starts_with("an interval join meets a record without a timestamp"), "{error}");
}

/// What happens: a record of a side, with a key, at a time; a watermark; a restore at a parallelism.
#[derive(Clone, Debug)]
enum Step {
    Record(usize, u8, i64),
    Watermark(i64),
    Restore(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0..2usize, 0..4u8, 0..60i64).prop_map(|(side, key, at)| Step::Record(side, key, at)),
        2 => (0..60i64).prop_map(Step::Watermark),
        1 => (1..4u32).prop_map(Step::Restore),
    ]
}

proptest! {
    /// Each pair within the bounds is emitted once, whatever the order and whatever is restored in between;
    /// late records do not take part.
    #[test]
    fn pairs_are_those_of_a_nested_loop(
        steps in prop::collection::vec(step(), 1..60),
        lower in -20..20i64,
        width in 0..20i64,
    ) {
        let upper = lower + width;
        let mut stored = Stored::default();
        let mut subtasks = vec![join(lower, upper, &stored, 0, 1)];
        let (mut seen, mut expected, mut found) = ([Vec::new(), Vec::new()], Vec::new(), Vec::new());
        let mut watermark = i64::MIN;
        for (number, step) in (0..).zip(steps) {
            match step {
                Step::Record(side, key, at) => {
                    let parallelism = subtasks.len() as u32;
                    let hash = flott_values::key_hash(&key).unwrap();
                    let group = flott_types::KeyGroup::of_hash(hash, MAX_PARALLELISM);
                    let range = |subtask| flott_types::KeyGroupRange::of_subtask(
                        flott_types::SubtaskIndex(subtask), MAX_PARALLELISM, parallelism);
                    let mine = (0..parallelism).find(|subtask| range(*subtask).contains(group)).unwrap();
                    let out = push(&mut subtasks[mine as usize], side, (key, number), at);
                    found.extend(out.into_iter().filter(|text| text.starts_with('(')));
                    if at < watermark {
                        continue;
                    }
                    for (other_key, other, other_at) in &seen[1 - side] {
                        let (left, right) = if side == 0 { (at, *other_at) } else { (*other_at, at) };
                        if key == *other_key && (lower..=upper).contains(&(right - left)) {
                            let pair = if side == 0 { (number, *other) } else { (*other, number) };
                            expected.push(format!("{pair:?}@{}", left.max(right)));
                        }
                    }
                    seen[side].push((key, number, at));
                }
                Step::Watermark(at) if at > watermark => {
                    watermark = at;
                    subtasks.iter_mut().for_each(|task| _ = task.watermark(at));
                }
                Step::Watermark(_) => {}
                Step::Restore(parallelism) => {
                    subtasks.iter_mut().for_each(|task| _ = task.snapshot(&mut stored));
                    subtasks = (0..parallelism)
                        .map(|subtask| join(lower, upper, &stored, subtask, parallelism))
                        .collect();
                    if watermark > i64::MIN {
                        subtasks.iter_mut().for_each(|task| _ = task.watermark(watermark));
                    }
                }
            }
        }
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
    }
}
