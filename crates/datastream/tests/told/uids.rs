//! Operators without a uid: whose state a changed program finds.

use flott_datastream::{
    DataStream, JobClient, KeyedContext, KeyedProcessFunction, Result, RuntimeContext,
    StreamExecutionEnvironment, ValueState,
};

use crate::support::{Feed, Log, Seen, environment, stop};

/// Adds up what it gets, with a factor, in a state that is called the same in all of them.
#[derive(Clone)]
struct Sum {
    factor: i64,
    sum: ValueState<i64>,
}

impl Sum {
    fn of(factor: i64) -> Self {
        Sum { factor, sum: ValueState::default() }
    }
}

impl KeyedProcessFunction<i64, i64> for Sum {
    type Out = i64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.sum = context.value_state("sum")?;
        Ok(())
    }

    fn process_element(&mut self, value: i64, ctx: &mut KeyedContext<'_, i64, i64>) -> Result<()> {
        let sum = self.sum.get(ctx).copied().unwrap_or_default() + self.factor * value;
        self.sum.set(ctx, sum);
        ctx.collect(sum);
        Ok(())
    }
}

fn sum(numbers: &DataStream<i64>, factor: i64) -> DataStream<i64> {
    numbers.key_by(|_| 0).process(Sum::of(factor))
}

struct Program {
    feed: Feed<i64>,
    seen: Seen<i64>,
    job: JobClient,
}

impl Program {
    fn start(
        savepoint: Option<&str>,
        configure: impl Fn(&StreamExecutionEnvironment),
        describe: impl Fn(&DataStream<i64>) -> DataStream<i64>,
    ) -> Result<Self> {
        let env = environment(1, savepoint);
        configure(&env);
        let feed = Feed::new();
        let seen = Seen::of(&describe(&feed.stream(&env)));
        let job = env.execute_async("uids")?;
        Ok(Program { feed, seen, job })
    }

    /// A program, stopped with a savepoint when its sum was 5.
    fn stopped(folder: &tempfile::TempDir, describe: impl Fn(&DataStream<i64>) -> DataStream<i64>) -> String {
        let program = Program::start(None, nothing, describe).unwrap();
        assert_eq!(program.tell(5), 5);
        stop(&program.job, folder)
    }

    fn tell(&self, value: i64) -> i64 {
        self.feed.push([value]);
        self.seen.take(1, &self.job)[0]
    }
}

fn refusal(started: Result<Program>) -> String {
    started.err().unwrap().to_string()
}

/// What a program does with its numbers.
type Describe = fn(&DataStream<i64>) -> DataStream<i64>;

fn nothing(_: &StreamExecutionEnvironment) {}

#[test]
fn an_inserted_operator_does_not_get_the_state_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let savepoint = Program::stopped(&folder, |numbers| sum(numbers, 1));
    // Upstream, downstream, and next to it.
    let inserted: [Describe; 3] = [
        |numbers| sum(&sum(numbers, 100), 1),
        |numbers| sum(&sum(numbers, 1), 100),
        |numbers| {
            sum(numbers, 100).discard();
            sum(numbers, 1)
        },
    ];
    for describe in inserted {
        let error = refusal(Program::start(Some(&savepoint), nothing, describe));
        assert!(
            error.contains("state of 'KeyedProcess'") && error.contains("ignore-unclaimed-state"),
            "{error}"
        );
        // It says how the state is handed to the operator that it belongs to.
        let uid = error.split(".uid(\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let program = Program::start(Some(&savepoint), nothing, |numbers| {
            sum(&sum(numbers, 100), 1).uid(uid).map(|sum| sum)
        });
        let program = program.unwrap();
        assert_eq!(program.tell(1), 105, "100 of the new one, 5 of the old one");
        program.job.cancel();
    }
}

#[test]
fn state_that_is_left_behind_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let savepoint = Program::stopped(&folder, |numbers| sum(numbers, 1));
    let log = Log::global();
    let leave = |env: &StreamExecutionEnvironment| {
        env.set("execution.state-recovery.ignore-unclaimed-state", true);
    };
    let program = Program::start(Some(&savepoint), leave, |numbers| sum(&sum(numbers, 10), 1)).unwrap();
    assert_eq!(program.tell(1), 10);
    assert!(!log.lines("its state is left behind").is_empty());
    program.job.cancel();
}

#[test]
fn what_does_not_matter_to_state_may_change() {
    let folder = tempfile::tempdir().unwrap();
    let savepoint = Program::stopped(&folder, |numbers| sum(numbers, 1));
    let changed: [Describe; 3] = [
        |numbers| sum(numbers, 1).name("another name").parallelism(1),
        |numbers| sum(numbers, 1).filter(|_| true).map(|sum| sum),
        |numbers| {
            let sums = sum(numbers, 1);
            sums.discard();
            numbers.map(|number| number * 2).discard();
            sums
        },
    ];
    for describe in changed {
        let program = Program::start(Some(&savepoint), nothing, describe).unwrap();
        assert_eq!(program.tell(1), 6);
        program.job.cancel();
    }
}

#[test]
fn state_of_a_build_that_numbered_operators_by_order_is_handed_over_by_its_uid() {
    let folder = tempfile::tempdir().unwrap();
    let savepoint = Program::stopped(&folder, |numbers| sum(numbers, 1).uid("KeyedProcess"));
    let error = refusal(Program::start(Some(&savepoint), nothing, |numbers| sum(numbers, 1)));
    assert!(error.contains("`.uid(\"KeyedProcess\")`"), "{error}");
}

#[test]
fn stateful_operators_without_a_uid_are_reported_once() {
    let log = Log::global();
    let warnings = || log.lines("these operators have state and no uid");
    let numbers = |env: &StreamExecutionEnvironment, name: &str| {
        env.from_sequence(1, 2)
            .uid(&format!("numbers of {name}"))
            .key_by(|_| 0)
            .process(Sum::of(1))
            .name(name)
    };
    let env = environment(1, None);
    numbers(&env, "without snapshots").discard();
    env.execute("silent").unwrap();
    let env = environment(1, None);
    env.set("execution.checkpointing.interval", "1 h");
    numbers(&env, "one").discard();
    numbers(&env, "two").uid("two").discard();
    numbers(&env, "three").discard();
    env.execute("told").unwrap();
    assert_eq!(warnings().iter().filter(|line| line.contains("without snapshots")).count(), 0);
    let told: Vec<_> = warnings().into_iter().filter(|line| line.contains("one, three")).collect();
    assert_eq!(told.len(), 1, "{:?}", warnings());
}
