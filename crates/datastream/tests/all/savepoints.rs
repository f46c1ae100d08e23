//! State made from history, read from a savepoint, and put together anew.

use std::path::Path;

use flott_connector_savepoint::{Savepoint, SavepointWriter};
use flott_datastream::{
    DataStream, KeyedContext, KeyedProcessFunction, KeyedStream, ListState, Result, RuntimeContext,
    SavepointReader, StreamExecutionEnvironment, Timestamp, ValueState, WatermarkStrategy,
};

use crate::support::{Feed, Seen, environment};

/// account, amount
type Booking = (u32, i64);

/// Keeps the balance and all amounts of an account, and emits the balance; tells of it once more when a timer of event
/// time says that the day is over.
#[derive(Clone, Default)]
struct Accounts {
    balance: ValueState<i64>,
    amounts: ListState<i64>,
}

const END_OF_DAY: Timestamp = 1_000_000;

impl KeyedProcessFunction<u32, Booking> for Accounts {
    type Out = Booking;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.balance = context.value_state("balance")?;
        self.amounts = context.list_state("amounts")?;
        Ok(())
    }

    fn process_element(
        &mut self,
        (account, amount): Booking,
        ctx: &mut KeyedContext<'_, u32, Booking>,
    ) -> Result<()> {
        let balance = self.balance.get(ctx).copied().unwrap_or(0) + amount;
        self.balance.set(ctx, balance);
        self.amounts.add(ctx, amount);
        ctx.register_event_time_timer(END_OF_DAY);
        ctx.collect((account, balance));
        Ok(())
    }

    fn on_timer(&mut self, _: Timestamp, ctx: &mut KeyedContext<'_, u32, Booking>) -> Result<()> {
        let account = *ctx.current_key();
        ctx.collect((account, i64::MIN));
        Ok(())
    }
}

/// What it keeps.
#[derive(Clone, Default)]
struct Look(Accounts);

impl KeyedProcessFunction<u32, ()> for Look {
    type Out = (u32, i64, Vec<i64>);

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.0.open(context)
    }

    fn process_element(&mut self, (): (), ctx: &mut KeyedContext<'_, u32, Self::Out>) -> Result<()> {
        // Several subtasks handed them on.
        let mut amounts: Vec<i64> = self.0.amounts.iter(ctx).copied().collect();
        amounts.sort_unstable();
        let balance = self.0.balance.get(ctx).copied().unwrap_or(0);
        ctx.collect((*ctx.current_key(), balance, amounts));
        Ok(())
    }
}

fn by_account(bookings: &DataStream<Booking>) -> KeyedStream<u32, Booking> {
    bookings.key_by(|(account, _)| *account)
}

/// The savepoint of a job that has read these bookings to the end.
fn made_of(bookings: Vec<Booking>, folder: &Path, uid: &str, parallelism: u32) -> Savepoint {
    let env = environment(parallelism, None);
    let bookings = env.from_collection(bookings).assign_timestamps_and_watermarks(
        WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|_: &Booking, _| 1),
    );
    let accounts = by_account(&bookings).process(Accounts::default()).uid(uid);
    let seen = Seen::of(&accounts);
    let path = env.execute_to_savepoint("history", folder.to_str().unwrap()).unwrap();
    assert!(
        seen.now().iter().all(|(_, balance)| *balance != i64::MIN),
        "the end of the inputs is not the end of time"
    );
    Savepoint::open(&path).unwrap()
}

fn history() -> Vec<Booking> {
    (0..60).map(|n| (n % 20, i64::from(n))).collect()
}

/// What is kept of an account after these.
fn kept(bookings: &[Booking]) -> Vec<(u32, i64, Vec<i64>)> {
    (0..20)
        .map(|account| {
            let own = bookings.iter().filter(|(of, _)| *of == account).map(|(_, amount)| *amount);
            (account, own.clone().sum(), own.collect())
        })
        .collect()
}

fn look(savepoint: &Savepoint, uid: &str, parallelism: u32) -> Vec<(u32, i64, Vec<i64>)> {
    let env: StreamExecutionEnvironment = environment(parallelism, None);
    let reader = SavepointReader::open(&env, savepoint.url()).unwrap();
    let accounts = reader.keyed_state(uid, Look::default()).unwrap();
    let mut accounts: Vec<_> = accounts.execute_and_collect("look").unwrap().collect::<Result<_>>().unwrap();
    accounts.sort();
    accounts
}

#[test]
fn a_job_goes_on_from_what_was_made_of_its_history() {
    let folder = tempfile::tempdir().unwrap();
    let made = made_of(history(), folder.path(), "accounts", 2);
    for parallelism in [1, 3] {
        assert_eq!(look(&made, "accounts", parallelism), kept(&history()));
    }
    // Only the state of the function: the positions of the history's source are of no use to the job.
    let path = folder.path().join("start");
    let path = SavepointWriter::new()
        .replace_operator(&made, "accounts")
        .and_then(|writer| writer.write(path.to_str().unwrap()))
        .unwrap();
    let env = environment(3, Some(&path));
    let feed = Feed::new();
    let accounts = by_account(&feed.stream(&env)).process(Accounts::default()).uid("accounts");
    let seen = Seen::of(&accounts);
    let job = env.execute_async("accounts").unwrap();
    feed.push((0..20).map(|account| (account, 1)));
    let want: Vec<Booking> =
        kept(&history()).into_iter().map(|(account, balance, _)| (account, balance + 1)).collect();
    assert_eq!(seen.take(20, &job), want);
    job.cancel();
}

#[test]
fn operators_and_states_are_replaced_renamed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let old = made_of(history(), folder.path(), "accounts", 3);
    let doubled: Vec<Booking> =
        history().into_iter().map(|(account, amount)| (account, 2 * amount)).collect();
    let new = made_of(doubled.clone(), folder.path(), "accounts", 2);
    let write = |writer: SavepointWriter, name: &str| {
        let path = writer.write(folder.path().join(name).to_str().unwrap()).unwrap();
        let savepoint = Savepoint::open(&path).unwrap();
        savepoint.check().unwrap();
        savepoint
    };

    let renamed =
        SavepointWriter::from_existing(&old).unwrap().rename_operator("accounts", "ledger").unwrap();
    let renamed = write(renamed, "renamed");
    assert_eq!(look(&renamed, "ledger", 2), kept(&history()));
    assert!(renamed.operator("accounts").is_err());

    let replaced = SavepointWriter::from_existing(&old).unwrap().replace_operator(&new, "accounts").unwrap();
    assert_eq!(look(&write(replaced, "replaced"), "accounts", 1), kept(&doubled));

    // The balances of one and the amounts of the other, which other subtasks have written.
    let mixed =
        SavepointWriter::from_existing(&old).unwrap().replace_state(&new, "accounts", "balance").unwrap();
    let mixed = write(mixed, "mixed");
    let want: Vec<_> =
        kept(&history()).into_iter().map(|(account, sum, all)| (account, 2 * sum, all)).collect();
    for parallelism in [1, 2, 3] {
        assert_eq!(look(&mixed, "accounts", parallelism), want);
    }

    let removed = SavepointWriter::from_existing(&old).unwrap().remove_operator("accounts").unwrap();
    assert!(write(removed, "removed").operator("accounts").is_err());
}

#[test]
fn what_cannot_be_put_together_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let made = made_of(history(), folder.path(), "accounts", 2);
    let writer = || SavepointWriter::from_existing(&made).unwrap();
    let told = |result: Result<SavepointWriter>| result.err().unwrap().to_string();
    assert!(told(writer().remove_operator("balances")).contains("no operator 'balances'; there are: "));
    assert!(told(writer().rename_operator("accounts", "accounts")).contains("already"));
    assert!(
        told(writer().replace_state(&made, "accounts", "limit")).contains("no state 'limit'; there are: ")
    );
    let empty = SavepointWriter::new().write(folder.path().join("empty").to_str().unwrap()).unwrap_err();
    assert!(empty.to_string().contains("without operators"), "{empty}");
    let full = writer().write(made.url()).unwrap_err().to_string();
    assert!(full.contains("is not empty"), "{full}");
    // Another number of key groups.
    let env = environment(2, None);
    env.set_max_parallelism(32);
    by_account(&env.from_collection(history())).process(Accounts::default()).uid("accounts").discard();
    let path = env.execute_to_savepoint("history", folder.path().to_str().unwrap()).unwrap();
    let other = Savepoint::open(&path).unwrap();
    assert!(told(writer().replace_state(&other, "accounts", "balance")).contains("16 and 32 key groups"));
}

#[test]
fn inputs_without_an_end_make_no_savepoint() {
    let folder = tempfile::tempdir().unwrap();
    let env = environment(2, None);
    let feed: Feed<Booking> = Feed::new();
    by_account(&feed.stream(&env)).process(Accounts::default()).uid("accounts").discard();
    let error = env.execute_to_savepoint("history", folder.path().to_str().unwrap()).unwrap_err().to_string();
    assert!(error.contains("unbounded"), "{error}");
}
