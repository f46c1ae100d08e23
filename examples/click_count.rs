//! The playground of Flink's documentation: clicks on the pages of a shop are counted in windows of 15 seconds,
//! and whatever happens to the job, every page has exactly 1,000 clicks in each window.
//!
//! ```text
//! cargo run -p examples --bin click_count -- --output target/clicks \
//!     -D execution.checkpointing.dir=target/clicks-checkpoints --restore latest
//! ```
//!
//! Look at the files below `target/clicks` while it runs. Kill it (`kill -9`) and start it again, also with
//! another `--parallelism`: no window is missing, none comes twice, and all counts are 1,000.

use flott::args::Args;
use flott::prelude::*;

const PAGES: [&str; 6] = ["/index", "/shop", "/jobs", "/help", "/about", "/news"];
const WINDOW: Duration = Duration::from_secs(15);
/// How many clicks each page has in a window.
const CLICKS: u64 = 1_000;
/// When the first click is: the 1st of January 2024.
const START: Timestamp = 1_704_067_200_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Click {
    at: Timestamp,
    page: String,
}

/// What comes out: the clicks of a page in a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Statistics {
    window_start: Timestamp,
    window_end: Timestamp,
    page: String,
    count: u64,
}

/// The clicks come in turns on all pages, evenly over time.
fn click(number: u64) -> Click {
    let in_window = PAGES.len() as u64 * CLICKS;
    let millis = (u128::from(number) * WINDOW.as_millis() / u128::from(in_window)) as Timestamp;
    let page = PAGES[(number % PAGES.len() as u64) as usize];
    Click { at: START + millis, page: page.to_owned() }
}

#[derive(Clone)]
struct Count;

impl AggregateFunction for Count {
    type In = Click;
    type Acc = u64;
    type Out = u64;

    fn create_accumulator(&self) -> u64 {
        0
    }

    fn add(&self, _: Click, count: &mut u64) {
        *count += 1;
    }

    fn get_result(&self, count: &u64) -> u64 {
        *count
    }

    fn merge(&self, into: &mut u64, other: u64) {
        *into += other;
    }
}

/// Adds the window and the page to a count.
#[derive(Clone)]
struct WithWindow;

impl ProcessWindowFunction<String, TimeWindow, u64> for WithWindow {
    type Out = Statistics;

    fn process(
        &mut self,
        counts: &[u64],
        ctx: &mut WindowContext<'_, String, TimeWindow, Statistics>,
    ) -> Result<()> {
        let (window, page) = (*ctx.window(), ctx.key().clone());
        let count = counts.iter().sum();
        ctx.collect(Statistics { window_start: window.start, window_end: window.end, page, count });
        Ok(())
    }
}

fn count(clicks: &DataStream<Click>) -> DataStream<Statistics> {
    clicks
        .key_by_ref(|click| &click.page)
        .window(TumblingEventTimeWindows::of(WINDOW))
        .aggregate_with(Count, WithWindow)
        .name("click event counter")
        .uid("counts")
}

fn main() -> Result<()> {
    let args = Args::new("Counts the clicks on the pages of a shop.")
        .option("output", "target/clicks", "the folder of the results")
        .option("rate", "20000", "how many clicks come in a second")
        .option("clicks", "0", "how many clicks there are; 0 for ever")
        .parse();
    let clicks: u64 = args.get("clicks")?;
    let env = args.environment();
    env.enable_checkpointing(Duration::from_secs(1));
    let source = DataGeneratorSource::new(click, if clicks == 0 { u64::MAX } else { clicks });
    let strategy = WatermarkStrategy::for_bounded_out_of_orderness(Duration::from_millis(200))
        .with_timestamp_assigner(|click: &Click, _| click.at);
    // One reader, so that the clicks of a window come one after the other.
    let clicks = env.from_source(RateLimited::new(source, args.get("rate")?)?, strategy, "clicks");
    let clicks = clicks.uid("clicks").parallelism(1);
    let files = Files::<Statistics>::json(&args.get::<String>("output")?);
    count(&clicks).sink_to(files.sink()?).name("statistics").uid("statistics");
    env.execute("Click Event Count")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use flott_testkit::Harness;

    use super::*;

    #[test]
    fn a_window_has_a_thousand_clicks_of_each_page() -> Result<()> {
        let times = WatermarkStrategy::for_monotonous_timestamps();
        let times = times.with_timestamp_assigner(|click: &Click, _| click.at);
        let mut counter = Harness::new(move |clicks: DataStream<Click>| {
            count(&clicks.assign_timestamps_and_watermarks(times.clone()))
        });
        let in_window = PAGES.len() as u64 * CLICKS;
        let mut results = Vec::new();
        for number in 0..in_window + 1 {
            results.extend(counter.push(click(number))?);
        }
        results.extend(counter.finish()?);
        let (first, rest): (Vec<Statistics>, Vec<_>) =
            results.into_iter().partition(|statistics| statistics.window_start == START);
        assert_eq!(first.len(), PAGES.len());
        assert!(first.iter().all(|statistics| statistics.count == CLICKS));
        assert_eq!(rest.iter().map(|statistics| statistics.count).collect::<Vec<_>>(), [1]);
        Ok(())
    }
}
