//! State that expires, by a clock that the test moves.

use std::sync::Arc;
use std::time::Duration;

use flott_datastream::{
    JobClient, KeyedContext, KeyedProcessFunction, ListState, MapState, Result, RuntimeContext,
    StateTtlConfig, StreamExecutionEnvironment, TtlUpdateType, ValueState,
};
use flott_types::clock::ManualClock;

use crate::support::{Feed, Seen, cluster, stop};

/// How often each key was seen within a minute, in three ways.
#[derive(Clone)]
struct Recent {
    ttl: Option<StateTtlConfig>,
    count: ValueState<u32>,
    visits: ListState<u32>,
    pages: MapState<u32, ()>,
}

impl Recent {
    fn new(ttl: Option<StateTtlConfig>) -> Self {
        Recent { ttl, count: ValueState::default(), visits: ListState::default(), pages: MapState::default() }
    }
}

type Counts = (u32, usize, usize);

impl KeyedProcessFunction<u32, (u32, u32)> for Recent {
    type Out = Counts;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        match &self.ttl {
            Some(ttl) => {
                self.count = context.value_state_with_ttl("count", ttl)?;
                self.visits = context.list_state_with_ttl("visits", ttl)?;
                self.pages = context.map_state_with_ttl("pages", ttl)?;
            }
            None => {
                self.count = context.value_state("count")?;
                self.visits = context.list_state("visits")?;
                self.pages = context.map_state("pages")?;
            }
        }
        Ok(())
    }

    fn process_element(
        &mut self,
        (_, page): (u32, u32),
        ctx: &mut KeyedContext<'_, u32, Counts>,
    ) -> Result<()> {
        // Page 0 is a look, and no visit.
        if page > 0 {
            let count = self.count.get(ctx).copied().unwrap_or(0);
            self.count.set(ctx, count + 1);
            self.visits.add(ctx, page);
            self.pages.insert(ctx, page, ());
        }
        let count = self.count.get(ctx).copied().unwrap_or(0);
        let counts = (count, self.visits.iter(ctx).count(), self.pages.keys(ctx).count());
        ctx.collect(counts);
        Ok(())
    }
}

struct Program {
    clock: Arc<ManualClock>,
    feed: Feed<(u32, u32)>,
    seen: Seen<Counts>,
    job: JobClient,
}

impl Program {
    fn start(at: i64, ttl: Option<StateTtlConfig>, savepoint: Option<&str>) -> Self {
        let clock = Arc::new(ManualClock::new(at));
        let env = StreamExecutionEnvironment::on(cluster(&clock));
        env.set_parallelism(1).set_max_parallelism(16);
        if let Some(path) = savepoint {
            env.set("execution.state-recovery.path", path);
        }
        let feed = Feed::new();
        let counts = feed.stream(&env).key_by(|(key, _)| *key).process(Recent::new(ttl)).uid("recent");
        let seen = Seen::of(&counts);
        let job = env.execute_async("recent").unwrap();
        Program { clock, feed, seen, job }
    }

    fn visit(&self, at: i64, page: u32) -> Counts {
        self.clock.set(at);
        self.feed.push([(1, page)]);
        self.seen.take(1, &self.job)[0]
    }
}

fn minute() -> StateTtlConfig {
    StateTtlConfig::new(Duration::from_secs(60))
}

#[test]
fn entries_expire_a_minute_after_they_were_written() {
    let program = Program::start(1_000_000, Some(minute()), None);
    assert_eq!(program.visit(1_000_000, 1), (1, 1, 1));
    assert_eq!(program.visit(1_030_000, 2), (2, 2, 2));
    assert_eq!(program.visit(1_059_999, 0), (2, 2, 2));
    // The first visit and its page are a minute old; the count was written with the second.
    assert_eq!(program.visit(1_060_000, 0), (2, 1, 1));
    assert_eq!(program.visit(1_089_999, 0), (2, 1, 1));
    assert_eq!(program.visit(1_090_000, 0), (0, 0, 0));
    assert_eq!(program.visit(1_090_001, 3), (1, 1, 1));
    program.job.cancel();
}

#[test]
fn entries_live_on_when_they_are_read_where_that_is_asked_for() {
    let ttl = minute().update_type(TtlUpdateType::OnReadAndWrite);
    let program = Program::start(1_000_000, Some(ttl), None);
    assert_eq!(program.visit(1_000_000, 1), (1, 1, 1));
    for round in 1..5 {
        assert_eq!(program.visit(1_000_000 + 50_000 * round, 0), (1, 1, 1));
    }
    assert_eq!(program.visit(1_259_999, 0), (1, 1, 1));
    assert_eq!(program.visit(1_319_999, 0), (0, 0, 0));
    program.job.cancel();
}

#[test]
fn the_time_to_live_continues_through_a_savepoint_and_can_be_added_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(1_000_000, None, None);
    assert_eq!(program.visit(1_000_000, 1), (1, 1, 1));
    let savepoint = stop(&program.job, &folder);
    // Written without a time to live: it begins when the state is restored.
    let program = Program::start(2_000_000, Some(minute()), Some(&savepoint));
    assert_eq!(program.visit(2_000_000, 0), (1, 1, 1));
    assert_eq!(program.visit(2_020_000, 2), (2, 2, 2));
    let savepoint = stop(&program.job, &folder);
    let program = Program::start(2_050_000, Some(minute()), Some(&savepoint));
    assert_eq!(program.visit(2_059_999, 0), (2, 2, 2));
    assert_eq!(program.visit(2_060_000, 0), (2, 1, 1));
    let savepoint = stop(&program.job, &folder);
    let program = Program::start(9_000_000, None, Some(&savepoint));
    let (count, visits, pages) = program.visit(9_000_000, 0);
    // What had expired was there or not, as it was cleaned up; what had not, is.
    assert_eq!(count, 2);
    assert!(visits >= 1 && pages >= 1, "{visits} {pages}");
    program.job.cancel();
}
