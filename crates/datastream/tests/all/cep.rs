//! Patterns over the streams of whole programs: through savepoints, at another parallelism, in both times.

use std::sync::Arc;
use std::time::Duration;

use flott_datastream::cep::{
    AfterMatchSkipStrategy, Cep, Match, MatchContext, Pattern, PatternProcessFunction,
};
use flott_datastream::time::{WatermarkGenerator, WatermarkOutput};
use flott_datastream::*;
use flott_types::clock::ManualClock;

use crate::support::{Feed, Seen, cluster, environment, stop};

/// Key, time, letter.
type Event = (u32, i64, char);
/// Key, what came out, the letters with their times.
type Found = (u32, String, String);

fn timed(events: &DataStream<Event>) -> DataStream<Event> {
    let strategy =
        WatermarkStrategy::for_generator(|| TenBehind).with_timestamp_assigner(|event: &Event, _| event.1);
    events.assign_timestamps_and_watermarks(strategy).uid("times").parallelism(1)
}

/// A watermark ten milliseconds behind each event.
struct TenBehind;

impl WatermarkGenerator<Event> for TenBehind {
    fn on_event(&mut self, _: &Event, timestamp: Timestamp, output: &mut WatermarkOutput) {
        output.emit(Watermark(timestamp - 10));
    }

    fn on_periodic_emit(&mut self, _: &mut WatermarkOutput) {}
}

fn is(letter: char) -> impl Fn(&Event) -> bool + Send + Sync + 'static {
    move |event| event.2 == letter
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Puts out matches as text, and partial ones that run out of time.
#[derive(Clone)]
struct Text;

fn text(kind: &str, found: &Match<'_, Event>) -> Found {
    let stages = found.iter().map(|(stage, events)| {
        let events: Vec<String> = events.iter().map(|event| format!("{}{}", event.2, event.1)).collect();
        format!("{stage}={}", events.join("+"))
    });
    let key = found.iter().flat_map(|(_, events)| events).map(|event| event.0).next().unwrap_or_default();
    (key, kind.to_owned(), stages.collect::<Vec<_>>().join(" "))
}

impl PatternProcessFunction<Event> for Text {
    type Out = Found;

    fn process_match(
        &mut self,
        found: &Match<'_, Event>,
        context: &mut MatchContext<'_, '_, Found>,
    ) -> Result<()> {
        context.collect(text("match", found));
        Ok(())
    }

    fn process_timed_out_match(
        &mut self,
        partial: &Match<'_, Event>,
        context: &mut MatchContext<'_, '_, Found>,
    ) -> Result<()> {
        let kind = format!("timed out at {}", context.timestamp());
        context.collect(text(&kind, partial));
        Ok(())
    }
}

/// `a`, any number of `b` that may have others between them, `c`.
fn a_bs_c() -> Pattern<Event> {
    let pattern = Pattern::begin("a").where_(is('a'));
    let pattern = pattern.followed_by("b").where_(is('b')).one_or_more();
    pattern.followed_by("c").where_(is('c')).within(millis(100))
}

fn found(pattern: &Pattern<Event>, events: &[Event]) -> Result<Vec<Found>> {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(2);
    let events = timed(&env.from_collection(events.to_vec()));
    let matches = Cep::pattern(&events.key_by(|event| event.0), pattern).process(Text);
    let mut found: Vec<Found> = matches.execute_and_collect("test")?.collect::<Result<_>>()?;
    found.sort();
    Ok(found)
}

/// Rows of `(1, "match", text)`.
fn matches(texts: &[&str]) -> Vec<Found> {
    texts.iter().map(|text| (1, "match".to_owned(), (*text).to_owned())).collect()
}

#[test]
fn events_are_taken_in_the_order_of_their_timestamps() {
    let events = [(1, 3, 'c'), (1, 1, 'a'), (2, 1, 'a'), (1, 2, 'b'), (2, 4, 'c')];
    let mut expected = matches(&["a=a1 b=b2 c=c3"]);
    // More might have followed the first b, until the time was over.
    expected.push((1, "timed out at 101".to_owned(), "a=a1 b=b2".to_owned()));
    expected.push((2, "timed out at 101".to_owned(), "a=a1".to_owned()));
    assert_eq!(found(&a_bs_c(), &events).unwrap(), expected);
}

#[test]
fn partial_matches_and_waiting_events_go_through_a_savepoint_to_another_parallelism() {
    let folder = tempfile::tempdir().unwrap();
    let run = |parallelism, from: Option<&str>, events: &[Event], expected: &[Found]| {
        let env = environment(parallelism, from);
        let feed = Feed::new();
        let late = OutputTag::<Event>::new("late");
        let events_of = timed(&feed.stream(&env)).key_by(|event| event.0);
        let matches =
            Cep::pattern(&events_of, &a_bs_c()).side_output_late_data(&late).process(Text).uid("cep");
        let late = matches
            .side_output(&late)
            .map(|(key, at, letter)| (key, "late".to_owned(), format!("{letter}{at}")));
        let seen = Seen::of(&matches.union(&late));
        let job = env.execute_async("cep").unwrap();
        feed.push(events.to_vec());
        assert_eq!(seen.take(expected.len(), &job), expected);
        stop(&job, &folder)
    };
    let say = |key, kind: &str, text: &str| (key, kind.to_owned(), text.to_owned());
    // Up to 15 has been matched; the second b of key 1 and all of key 3 wait.
    let savepoint = run(
        2,
        None,
        &[
            (1, 1, 'a'),
            (2, 2, 'a'),
            (1, 3, 'b'),
            (2, 4, 'b'),
            (2, 5, 'c'),
            (1, 18, 'b'),
            (3, 20, 'a'),
            (9, 25, 'x'),
        ],
        &[say(2, "match", "a=a2 b=b4 c=c5")],
    );
    let savepoint = run(
        3,
        Some(&savepoint),
        &[(1, 7, 'c'), (3, 21, 'b'), (1, 30, 'c'), (9, 50, 'x')],
        &[say(1, "late", "c7"), say(1, "match", "a=a1 b=b3 c=c30"), say(1, "match", "a=a1 b=b3+b18 c=c30")],
    );
    run(
        1,
        Some(&savepoint),
        &[(9, 129, 'x'), (9, 131, 'x')],
        &[
            say(1, "timed out at 101", "a=a1 b=b3+b18"),
            say(2, "timed out at 102", "a=a2 b=b4"),
            say(3, "timed out at 120", "a=a20 b=b21"),
        ],
    );
}

#[test]
fn another_pattern_does_not_go_on_with_the_partial_matches_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let start = |from: Option<&str>, pattern: &Pattern<Event>, events: &[Event]| {
        let env = environment(1, from);
        env.set("restart-strategy.type", "none");
        let feed = Feed::new();
        let events_of = timed(&feed.stream(&env)).key_by(|event| event.0);
        let seen = Seen::of(&Cep::pattern(&events_of, pattern).process(Text).uid("cep"));
        let job = env.execute_async("cep").unwrap();
        feed.push(events.to_vec());
        (job, seen)
    };
    let events = [(1, 1, 'a'), (1, 2, 'b'), (2, 1, 'a'), (2, 2, 'b'), (2, 3, 'c'), (9, 20, 'x')];
    let (job, seen) = start(None, &a_bs_c(), &events);
    seen.take(1, &job);
    let savepoint = stop(&job, &folder);
    let other = Pattern::begin("a").where_(is('a')).next("c").where_(is('c')).within(millis(100));
    let (job, _) = start(Some(&savepoint), &other, &[(1, 30, 'c'), (9, 50, 'x')]);
    let error = job.wait().unwrap_err().to_string();
    assert!(error.contains("the pattern is another one than that of the snapshot"), "{error}");
}

#[test]
fn conditions_see_what_has_matched() {
    let rising = Pattern::begin("first").where_(is('a')).followed_by("more").where_(is('b')).one_or_more();
    // Each b comes at least twice as late as all before it.
    let rising = rising.where_matched(|event: &Event, so_far| {
        let before = so_far.events("first").into_iter().chain(so_far.events("more"));
        before.map(|event| event.1).all(|at| event.1 >= 2 * at)
    });
    let rising = rising.followed_by("end").where_(is('c'));
    let rising = rising.after_match(AfterMatchSkipStrategy::skip_past_last_event());
    let events = [(1, 2, 'a'), (1, 4, 'b'), (1, 7, 'b'), (1, 8, 'b'), (1, 9, 'c')];
    assert_eq!(found(&rising, &events).unwrap(), matches(&["first=a2 more=b4+b8 end=c9"]));
}

#[test]
fn what_must_not_follow_is_known_when_the_time_is_over() {
    let pattern = Pattern::begin("a").where_(is('a')).not_followed_by("b").where_(is('b')).within(millis(10));
    let events = [(1, 1, 'a'), (1, 5, 'x'), (1, 20, 'a'), (1, 25, 'b')];
    assert_eq!(found(&pattern, &events).unwrap(), matches(&["a=a1"]));
}

#[test]
fn groups_repeat() {
    let pair = Pattern::begin("a").where_(is('a')).next("b").where_(is('b'));
    let pattern = Pattern::begin_group(pair).times(2).consecutive().next("c").where_(is('c'));
    let events: Vec<Event> = "ababcabac".chars().zip(1..).map(|(letter, at)| (1, at, letter)).collect();
    assert_eq!(found(&pattern, &events).unwrap(), matches(&["a=a1+a3 b=b2+b4 c=c5"]));
}

#[test]
fn a_stream_without_keys_is_one_sequence() {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(2);
    let events = timed(&env.from_collection([(1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')]));
    let matches = Cep::pattern(&events, &a_bs_c()).select(|found| text("match", found).2);
    let found: Vec<String> = matches.execute_and_collect("test").unwrap().collect::<Result<_>>().unwrap();
    assert_eq!(found, ["a=a1 b=b2 c=c3"]);
}

#[test]
fn partial_matches_that_run_out_of_time_go_to_a_side_output() {
    let env = StreamExecutionEnvironment::new();
    let events = timed(&env.from_collection([(1, 1, 'a'), (1, 2, 'b'), (2, 2, 'a'), (1, 3, 'c')]));
    let tag = OutputTag::<(u32, i64)>::new("timed out");
    let matches = Cep::pattern(&events.key_by(|event| event.0), &a_bs_c()).select_with_timeout(
        &tag,
        |partial, at| (partial.first("a").unwrap().0, at),
        |found| text("match", found).2,
    );
    let timed_out = matches.side_output(&tag).map(|(key, at)| format!("{key} at {at}"));
    let found = matches.union(&timed_out).execute_and_collect("test").unwrap();
    let mut found: Vec<String> = found.collect::<Result<_>>().unwrap();
    found.sort();
    assert_eq!(found, ["1 at 101", "2 at 102", "a=a1 b=b2 c=c3"]);
}

#[test]
fn in_processing_time_the_clock_decides() {
    let clock = Arc::new(ManualClock::new(1_000));
    let env = StreamExecutionEnvironment::on(cluster(&clock));
    env.set_parallelism(1);
    let feed = Feed::new();
    let events = feed.stream(&env).key_by(|event: &Event| event.0);
    let seen = Seen::of(&Cep::pattern(&events, &a_bs_c()).in_processing_time().process(Text));
    let job = env.execute_async("cep").unwrap();
    feed.push([(1, 0, 'a'), (1, 0, 'b'), (1, 0, 'c'), (2, 0, 'a')]);
    assert_eq!(seen.take(1, &job), matches(&["a=a0 b=b0 c=c0"]));
    feed.push([(3, 0, 'a'), (3, 0, 'b'), (3, 0, 'c')]);
    assert_eq!(seen.take(1, &job), [(3, "match".to_owned(), "a=a0 b=b0 c=c0".to_owned())]);
    clock.advance(100);
    let end: Vec<u32> = seen.take(3, &job).into_iter().map(|found| found.0).collect();
    assert_eq!(end, [1, 2, 3]);
    job.cancel();
}

#[test]
fn what_cannot_be_a_pattern_is_refused_before_anything_runs() {
    let refused = |pattern: Pattern<Event>| found(&pattern, &[]).unwrap_err().to_string();
    assert_eq!(
        refused(Pattern::begin("a").not_followed_by("b")),
        "a pattern that ends with `not_followed_by` needs `within`: otherwise it would never be known that nothing follows"
    );
    assert_eq!(refused(Pattern::begin("a").next("a")), "the pattern has two stages 'a'");
    assert_eq!(refused(Pattern::begin("a").greedy()), "stage 'a' of the pattern is greedy and comes once");
    assert_eq!(
        refused(Pattern::begin("a").after_match(AfterMatchSkipStrategy::skip_to_last("b"))),
        "the pattern skips to 'b', and has no stage of this name"
    );
    assert_eq!(
        refused(Pattern::begin_group(Pattern::begin("a").optional()).one_or_more()),
        "a group that repeats must have a part that is not optional"
    );
}
