//! What becomes of states when a program is restored whose function declares others.

use flott_datastream::{KeyedContext, KeyedProcessFunction, ListState, Result, RuntimeContext, ValueState};

use crate::support::{Feed, Log, Seen, environment, stop};

/// The later version of [`Written`].
#[derive(Clone, Default)]
struct Rewritten;

impl KeyedProcessFunction<String, (String, i32)> for Rewritten {
    type Out = String;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        context.value_state::<String>("fate-kept")?;
        context.value_state::<i64>("fate-changed")?;
        context.value_state::<i64>("fate-new")?;
        context.operator_list_state::<i32>("fate-list")?;
        Ok(())
    }

    fn process_element(
        &mut self,
        (key, _): (String, i32),
        ctx: &mut KeyedContext<'_, String, String>,
    ) -> Result<()> {
        ctx.collect(key);
        Ok(())
    }
}

/// Has states of which some become something else.
#[derive(Clone, Default)]
struct Written {
    kept: ValueState<String>,
    changed: ValueState<i32>,
    gone: ListState<i32>,
}

impl KeyedProcessFunction<String, (String, i32)> for Written {
    type Out = String;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.kept = context.value_state("fate-kept")?;
        self.changed = context.value_state("fate-changed")?;
        self.gone = context.list_state("fate-gone")?;
        context.operator_list_state::<i32>("fate-list")?;
        Ok(())
    }

    fn process_element(
        &mut self,
        (key, value): (String, i32),
        ctx: &mut KeyedContext<'_, String, String>,
    ) -> Result<()> {
        self.kept.set(ctx, key.clone());
        self.changed.set(ctx, value);
        self.gone.add(ctx, value);
        ctx.collect(key);
        Ok(())
    }
}

#[test]
fn the_log_says_what_became_of_each_state() {
    let log = Log::global();
    let folder = tempfile::tempdir().unwrap();
    let start = |savepoint: Option<&str>| {
        let env = environment(1, savepoint);
        let feed = Feed::new();
        let keyed = feed.stream(&env).key_by(|(key, _): &(String, i32)| key.clone());
        let told = match savepoint {
            None => keyed.process(Written::default()),
            Some(_) => keyed.process(Rewritten),
        };
        let seen = Seen::of(&told.uid("fates"));
        let job = env.execute_async("fates").unwrap();
        feed.push([("ann".to_owned(), 1)]);
        seen.take(1, &job);
        job
    };
    let job = start(None);
    assert!(log.lines("fate-").is_empty(), "nothing is said where nothing is restored");
    let savepoint = stop(&job, &folder);
    let job = start(Some(&savepoint));
    job.cancel();
    let said = |state: &str| log.lines(state).join("\n");
    assert!(said("fate-kept").contains("state is kept"), "{}", said("fate-"));
    let changed = said("fate-changed");
    assert!(
        changed.contains("state is migrated") && changed.contains("INT") && changed.contains("BIGINT"),
        "{changed}"
    );
    assert!(said("fate-new").contains("state is new"), "{}", said("fate-"));
    assert!(said("fate-gone").contains("state is dropped"), "{}", said("fate-"));
    assert!(said("fate-list").contains("operator state is kept"), "{}", said("fate-"));
}

#[test]
fn keys_cannot_change_their_type() {
    let folder = tempfile::tempdir().unwrap();
    let env = environment(1, None);
    let feed = Feed::new();
    let seen = Seen::of(&feed.stream(&env).key_by(|n: &i32| *n).reduce(|a, b| a + b).uid("sum"));
    let job = env.execute_async("sum").unwrap();
    feed.push([1]);
    seen.take(1, &job);
    let savepoint = stop(&job, &folder);
    let env = environment(1, Some(&savepoint));
    let feed = Feed::<i32>::new();
    feed.stream(&env).key_by(|n: &i32| i64::from(*n)).reduce(|a, b| a + b).uid("sum").discard().uid("seen");
    let error = env.execute("sum").unwrap_err().to_string();
    assert!(error.contains("its keys were stored as INT and are BIGINT now"), "{error}");
}
