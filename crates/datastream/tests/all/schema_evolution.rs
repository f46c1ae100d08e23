//! Types that change between one version of a program and the next, and savepoints written by earlier builds.
//!
//! `tests/data/savepoint-v1` was written by the program below with `v1::Account`, by the test
//! `write_savepoint_v1`. It is never written again: later builds must read what this one wrote. When the
//! format changes, another one is written beside it.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flott_datastream::{
    BroadcastContext, BroadcastProcessFunction, BroadcastState, JobClient, KeyedContext,
    KeyedProcessFunction, ListState, MapState, OperatorListState, ReadOnlyContext, ReducingState, Result,
    RuntimeContext, StateTtlConfig, StreamExecutionEnvironment, Timestamp, ValueState,
};
use flott_types::clock::ManualClock;

use crate::accounts::{Account, v1, v2, v3};
use crate::support::{Feed, LONG, Seen, cluster, stop};

/// Accounts in each kind of keyed state, and a timer for each.
#[derive(Clone)]
struct Bank<A> {
    current: ValueState<A>,
    history: ListState<A>,
    by_amount: MapState<i32, A>,
    highest: ReducingState<i32>,
    recent: ValueState<i32>,
    of: PhantomData<fn() -> A>,
}

/// When the timers of [`Bank`] are due.
const DUE: Timestamp = 9_000_000;

impl<A: Account> KeyedProcessFunction<String, (String, i32)> for Bank<A> {
    type Out = String;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.current = context.value_state("current")?;
        self.history = context.list_state("history")?;
        self.by_amount = context.map_state("by amount")?;
        self.highest = context.reducing_state("highest", i32::max)?;
        let hour = StateTtlConfig::new(Duration::from_secs(3_600));
        self.recent = context.value_state_with_ttl("recent", &hour)?;
        Ok(())
    }

    fn process_element(
        &mut self,
        (owner, amount): (String, i32),
        ctx: &mut KeyedContext<'_, String, String>,
    ) -> Result<()> {
        let mut account = self.current.get(ctx).cloned().unwrap_or_else(|| A::new(&owner, 0));
        if amount > 0 {
            account.deposit(amount);
            self.current.set(ctx, account.clone());
            self.history.add(ctx, account.clone());
            self.by_amount.insert(ctx, amount, account.clone());
            self.highest.add(ctx, amount);
            self.recent.set(ctx, amount);
            ctx.register_processing_time_timer(DUE);
        }
        let history: Vec<String> = self.history.iter(ctx).map(A::describe).collect();
        let by_amount: BTreeMap<i32, String> =
            self.by_amount.iter(ctx).map(|(amount, account)| (*amount, account.describe())).collect();
        let (highest, recent) = (self.highest.get(ctx).copied(), self.recent.get(ctx).copied());
        ctx.collect(format!(
            "{}; history {history:?}; by amount {by_amount:?}; highest {highest:?}; recent {recent:?}",
            account.describe()
        ));
        Ok(())
    }

    fn on_timer(&mut self, at: Timestamp, ctx: &mut KeyedContext<'_, String, String>) -> Result<()> {
        let text = format!("{} at {at}", ctx.current_key());
        ctx.collect(text);
        Ok(())
    }
}

/// Accounts in operator state.
#[derive(Clone)]
struct Ledger<A> {
    pages: OperatorListState<A>,
    index: BroadcastState<String, A>,
}

impl<A: Account> BroadcastProcessFunction<(String, i32), (String, i32)> for Ledger<A> {
    type Out = (String, i32);

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.pages = context.operator_list_state("pages")?;
        self.index = context.broadcast_state("index")?;
        Ok(())
    }

    fn process_element(
        &mut self,
        (owner, amount): (String, i32),
        ctx: &mut ReadOnlyContext<'_, (String, i32)>,
    ) -> Result<()> {
        if owner == "ledger" {
            let pages: Vec<String> = self.pages.get(ctx).iter().map(A::describe).collect();
            let index: BTreeMap<&String, String> =
                self.index.iter(ctx).map(|(owner, account)| (owner, account.describe())).collect();
            let text = format!("{pages:?} {index:?}");
            ctx.collect((text, 0));
            return Ok(());
        }
        if amount > 0 {
            self.pages.add(ctx, A::new(&owner, amount));
        }
        ctx.collect((owner, amount));
        Ok(())
    }

    fn process_broadcast_element(
        &mut self,
        (owner, amount): (String, i32),
        ctx: &mut BroadcastContext<'_, (String, i32)>,
    ) -> Result<()> {
        if amount > 0 {
            let account = A::new(&owner, amount);
            self.index.insert(ctx, owner, account);
        }
        Ok(())
    }
}

struct Program {
    clock: Arc<ManualClock>,
    feed: Feed<(String, i32)>,
    seen: Seen<String>,
    job: JobClient,
    /// Fails the job when it is seen.
    fault: &'static str,
}

impl Program {
    fn start<A: Account>(at: Timestamp, parallelism: u32, savepoint: Option<&str>) -> Self {
        let clock = Arc::new(ManualClock::new(at));
        let env = StreamExecutionEnvironment::on(cluster(&clock));
        env.set_parallelism(parallelism).set_max_parallelism(16);
        env.set("restart-strategy.type", "fixed-delay").set("restart-strategy.fixed-delay.delay", "0 ms");
        if let Some(path) = savepoint {
            env.set("execution.state-recovery.path", path);
        }
        let feed = Feed::new();
        let ledger = Ledger::<A> { pages: OperatorListState::default(), index: BroadcastState::default() };
        let bank = Bank::<A> {
            current: ValueState::default(),
            history: ListState::default(),
            by_amount: MapState::default(),
            highest: ReducingState::default(),
            recent: ValueState::default(),
            of: PhantomData,
        };
        let given = feed.stream(&env);
        let payments =
            given.connect_broadcast(&given).process(ledger).parallelism(1).name("Ledger").uid("ledger");
        let told = payments
            .try_map(|(owner, amount)| match owner.as_str() {
                "fault" => Err(flott_datastream::Error::external("a fault of the test")),
                _ => Ok((owner, amount)),
            })
            .key_by(|(owner, _)| owner.clone())
            .process(bank)
            .name("Bank")
            .uid("bank");
        let seen = Seen::of(&told);
        let job = env.execute_async("bank").unwrap();
        Program { clock, feed, seen, job, fault: "fault" }
    }

    fn tell(&self, owner: &str, amount: i32) -> String {
        self.feed.push([(owner.to_owned(), amount)]);
        self.seen.take(1, &self.job).remove(0)
    }
}

/// The beginning of a line that shows an account in all states of [`Bank`], when it had these deposits.
fn line(accounts: &[(i32, String)]) -> String {
    let (amounts, texts): (Vec<i32>, Vec<String>) = accounts.iter().cloned().unzip();
    let by_amount: BTreeMap<i32, String> = accounts.iter().cloned().collect();
    format!(
        "{}; history {texts:?}; by amount {by_amount:?}; highest {:?}; recent {:?}",
        texts[texts.len() - 1],
        amounts.iter().max(),
        amounts.last()
    )
}

fn write(folder: &tempfile::TempDir) -> String {
    let program = Program::start::<v1::Account>(5_000_000, 2, None);
    for owner in ["ann", "bob", "cem", "dan"] {
        program.tell(owner, 20);
        program.tell(owner, 7);
    }
    stop(&program.job, folder)
}

fn v1_line(owner: &str) -> String {
    line(&[(20, format!("{owner} has 20 (first)")), (7, format!("{owner} has 27 (first)"))])
}

fn v2_line(owner: &str) -> String {
    let text = |balance| format!("{owner} has {balance} EUR, 0.5 None (first)");
    line(&[(20, text(20)), (7, text(27))])
}

/// The program finds all that was written by its first version.
fn reads_as_v1(savepoint: &str) {
    let program = Program::start::<v1::Account>(6_000_000, 3, Some(savepoint));
    for owner in ["ann", "bob", "cem", "dan"] {
        assert_eq!(program.tell(owner, 0), v1_line(owner));
    }
    let ledger = program.tell("ledger", 0);
    assert!(
        ledger.contains("ann has 20 (first)") && ledger.contains(r#""dan": "dan has 7 (first)""#),
        "{ledger}"
    );
    // The timers are there too, each once; what lives for an hour has expired by then.
    program.clock.set(DUE);
    let expected = ["ann", "bob", "cem", "dan"].map(|owner| format!("{owner} at {DUE}"));
    assert_eq!(program.seen.take(4, &program.job), expected);
    assert!(program.tell("ann", 0).ends_with("highest Some(20); recent None"));
    program.job.cancel();
}

/// The second version finds it too, and continues with it.
fn reads_as_v2(savepoint: &str) {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start::<v2::Account>(6_000_000, 1, Some(savepoint));
    for owner in ["ann", "bob", "cem", "dan"] {
        assert_eq!(program.tell(owner, 0), v2_line(owner));
    }
    let ledger = program.tell("ledger", 0);
    assert!(ledger.contains("ann has 20 EUR, 0.5 None (first)"), "{ledger}");
    // What is written now is of the second version, in files that once were of the first: through a
    // checkpoint and a failure.
    let text = |balance| format!("ann has {balance} EUR, 0.5 None (first)");
    let mut accounts = vec![(20, text(20)), (7, text(27)), (3, text(30))];
    assert_eq!(program.tell("ann", 3), line(&accounts));
    program.tell("eve", 1);
    program.job.trigger_checkpoint(false).unwrap();
    accounts.push((5, text(35)));
    assert_eq!(program.tell("ann", 5), line(&accounts));
    program.job.trigger_checkpoint(false).unwrap();
    program.feed.push([(program.fault.to_owned(), 0)]);
    assert!(program.job.wait_until(LONG, |info| info.attempt.0 > 1), "{:?}", program.job.info());
    assert_eq!(program.tell("ann", 0), line(&accounts));
    assert_eq!(program.tell("bob", 0), v2_line("bob"));
    let savepoint = stop(&program.job, &folder);
    let program = Program::start::<v2::Account>(6_000_000, 2, Some(&savepoint));
    assert_eq!(program.tell("ann", 0), line(&accounts));
    assert_eq!(program.tell("eve", 0), line(&[(1, "eve has 1 CHF, 0.25 Some(100) (second)".to_owned())]));
    program.job.cancel();
}

/// The third version is refused, and the error says what is wrong.
fn is_refused_as_v3(savepoint: &str) {
    let program = Program::start::<v3::Account>(6_000_000, 1, Some(savepoint));
    let error = program.job.wait().unwrap_err().to_string();
    // Whichever operator is opened first.
    assert!(error.contains("Bank") || error.contains("Ledger"), "{error}");
    let stored = "{owner: STRING, balance: INT, rating: FLOAT, nickname: STRING, tags: ARRAY<STRING>}";
    assert!(error.contains(stored), "{error}");
    assert!(error.contains("{owner: STRING, balance: STRING}"), "{error}");
    assert!(error.contains("state 'current'") || error.contains("state 'pages'"), "{error}");
    assert_eq!(program.job.info().attempt.0, 1, "it is not tried again");
}

#[test]
fn fields_are_added_removed_reordered_and_widened_from_one_version_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let savepoint = write(&folder);
    reads_as_v1(&savepoint);
    reads_as_v2(&savepoint);
}

#[test]
fn a_type_that_cannot_read_what_is_stored_is_refused_with_both_types() {
    let folder = tempfile::tempdir().unwrap();
    is_refused_as_v3(&write(&folder));
}

fn kept(name: &str) -> String {
    format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_savepoint_of_an_earlier_build_is_read() {
    let savepoint = kept("savepoint-v1");
    reads_as_v1(&savepoint);
    reads_as_v2(&savepoint);
    is_refused_as_v3(&savepoint);
}

/// `cargo test -p flott-datastream --test all write_savepoint_v1 -- --ignored`, in the build of which the
/// savepoint is to be kept.
#[test]
#[ignore = "writes data of the tests, once"]
fn write_savepoint_v1() {
    let folder = tempfile::tempdir().unwrap();
    let savepoint = write(&folder);
    let target = kept("savepoint-v1");
    assert!(!Path::new(&target).exists(), "'{target}' is never written again");
    std::fs::create_dir_all(&target).unwrap();
    let savepoint = savepoint.strip_prefix("file://").unwrap_or(&savepoint);
    for entry in std::fs::read_dir(savepoint).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), Path::new(&target).join(entry.file_name())).unwrap();
    }
}
