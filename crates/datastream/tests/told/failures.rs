//! Failures, and fields that a type has lost.

use flott_datastream::{KeyedContext, KeyedProcessFunction, Result, RuntimeContext};
use flott_datastream::{Record, ValueState};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

use crate::support::{Feed, LONG, Log, Seen, environment, stop};

#[test]
fn each_restart_is_reported_with_its_number_and_reason() {
    let log = Log::global();
    let env = environment(1, None);
    env.set("execution.checkpointing.interval", "1 h")
        .set("restart-strategy.type", "fixed-delay")
        .set("restart-strategy.fixed-delay.attempts", 2)
        .set("restart-strategy.fixed-delay.delay", "0 ms");
    let odd = env.from_sequence(1, 3).try_map(|n| match n {
        1 => Err(flott_datastream::Error::external("one-is-odd")),
        n => Ok(n),
    });
    odd.uid("odd").discard();
    env.execute("told restarts").unwrap_err();
    let restarts: Vec<String> =
        log.lines("will be restarted").into_iter().filter(|line| line.contains("one-is-odd")).collect();
    assert_eq!(restarts.len(), 2, "{restarts:?}");
    for (restart, number) in restarts.iter().zip(1..) {
        assert!(
            restart.contains(&format!("restart={number}")) && restart.contains("told restarts"),
            "{restart}"
        );
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Before {
    owner: String,
    amount: i64,
}

#[derive(Clone, Serialize, Deserialize)]
struct After {
    owner: String,
    #[serde(default)]
    sum: i64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Aliased {
    owner: String,
    #[serde(default, alias = "amount")]
    sum: i64,
}

trait Last: Record + Clone {
    fn new(amount: i64) -> Self;
    fn sum(&self) -> i64;
}

macro_rules! last {
    ($type:ident, $field:ident) => {
        impl Last for $type {
            fn new($field: i64) -> Self {
                $type { owner: "ann".to_owned(), $field }
            }

            fn sum(&self) -> i64 {
                self.$field + self.owner.len() as i64
            }
        }
    };
}

last!(Before, amount);
last!(After, sum);
last!(Aliased, sum);

/// Puts out what it was given the time before.
#[derive(Clone)]
struct Remember<L> {
    last: ValueState<Vec<L>>,
    of: PhantomData<fn() -> L>,
}

impl<L: Last> KeyedProcessFunction<i64, i64> for Remember<L> {
    type Out = i64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.last = context.value_state("renamed-field")?;
        Ok(())
    }

    fn process_element(&mut self, value: i64, ctx: &mut KeyedContext<'_, i64, i64>) -> Result<()> {
        let last = self.last.take(ctx).and_then(|last| last.first().map(L::sum));
        self.last.set(ctx, vec![L::new(value)]);
        ctx.collect(last.unwrap_or(-1));
        Ok(())
    }
}

/// Starts a version of the program, tells it a number and stops it.
fn version<L: Last>(folder: &tempfile::TempDir, savepoint: Option<&str>, number: i64) -> (i64, String) {
    let env = environment(1, savepoint);
    let feed = Feed::new();
    let function = Remember::<L> { last: ValueState::default(), of: PhantomData };
    let seen = Seen::of(&feed.stream(&env).key_by(|_| 0).process(function).uid("remember"));
    let job = env.execute_async("fields").unwrap();
    feed.push([number]);
    let told = seen.take(1, &job)[0];
    let savepoint = stop(&job, folder);
    assert!(job.wait_for(LONG).is_some());
    (told, savepoint)
}

#[test]
fn the_latest_of_a_first_start_is_a_new_start_and_says_so() {
    let log = Log::global();
    let folder = tempfile::tempdir().unwrap();
    let env = environment(1, Some("latest"));
    env.set("execution.checkpointing.dir", folder.path().display());
    env.from_sequence(1, 3).uid("numbers").discard();
    env.execute("told-first-start").unwrap();
    let told = log.lines("it starts from the beginning");
    assert!(told.iter().any(|line| line.contains("told-first-start")), "{told:?}");
}

#[test]
fn a_renamed_field_is_reported_as_dropped_and_new() {
    let log = Log::global();
    let folder = tempfile::tempdir().unwrap();
    let (_, savepoint) = version::<Before>(&folder, None, 5);
    let told = || {
        log.lines("fields of state are dropped").iter().filter(|line| line.contains("renamed-field")).count()
    };
    assert_eq!(version::<Aliased>(&folder, Some(&savepoint), 6).0, 8, "5 and the length of the name");
    assert_eq!(told(), 0, "an alias is the same field");
    assert_eq!(version::<After>(&folder, Some(&savepoint), 6).0, 3, "the sum is its default");
    let lines = log.lines("fields of state are dropped").join("\n");
    assert!(lines.contains("dropped=\"amount\"") && lines.contains("new=\"sum\""), "{lines}");
}
