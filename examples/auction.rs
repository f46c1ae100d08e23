//! Streams and tables in one job: `cargo run -p examples --bin auction`.
//!
//! A stream of bids becomes a table; SQL finds the highest bid of each minute; and a function with state,
//! again on a stream, tells by how much each item has risen.

use flott::prelude::*;
use flott::table::{Schema, StreamTableEnvironment};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Bid {
    item: String,
    bidder: String,
    price: i64,
    /// Milliseconds.
    at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Highest {
    item: String,
    price: i64,
}

/// Compares with the highest bid before.
#[derive(Clone, Default)]
struct Rises {
    before: ValueState<i64>,
}

impl KeyedProcessFunction<String, Highest> for Rises {
    type Out = String;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.before = context.value_state("before")?;
        Ok(())
    }

    fn process_element(
        &mut self,
        highest: Highest,
        ctx: &mut KeyedContext<'_, String, String>,
    ) -> Result<()> {
        let Highest { item, price } = highest;
        let before = self.before.get(ctx).copied().unwrap_or(0);
        if price > before {
            ctx.collect(format!("{item} has risen from {before} to {price}"));
            self.before.set(ctx, price);
        }
        Ok(())
    }
}

fn bids(env: &StreamExecutionEnvironment) -> DataStream<Bid> {
    let bids = [
        ("lamp", "ann", 5, 1),
        ("lamp", "bob", 7, 50),
        ("chair", "eve", 20, 55),
        ("lamp", "ann", 6, 70),
        ("chair", "bob", 25, 130),
    ];
    env.from_collection(bids.map(|(item, bidder, price, second)| Bid {
        item: item.to_owned(),
        bidder: bidder.to_owned(),
        price,
        at: second * 1_000,
    }))
    .assign_timestamps_and_watermarks(
        WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|bid: &Bid, _| bid.at),
    )
    .uid("bids")
}

fn main() -> Result<()> {
    let env = StreamExecutionEnvironment::new();
    let tables = StreamTableEnvironment::new(&env)?;
    let schema = Schema::new()
        .column_by_metadata("ts", "TIMESTAMP_LTZ(3)", "rowtime")
        .watermark("ts", "SOURCE_WATERMARK()");
    tables.create_temporary_view_with("bids", &bids(&env), &schema)?;

    let highest = tables.sql_query(
        "SELECT item, MAX(price) AS price
         FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
         GROUP BY item, window_start, window_end",
    )?;
    let rises = highest
        .to_data_stream::<Highest>()?
        .key_by_ref(|highest| &highest.item)
        .process(Rises::default())
        .uid("rises");
    rises.print();

    // An INSERT in the same job.
    tables.execute_sql(
        "CREATE TABLE bidders (bidder STRING, bids BIGINT) WITH ('connector' = 'print', 'print-identifier' = 'bids')",
    )?;
    let mut inserts = tables.create_statement_set();
    inserts.add_insert_sql(
        "INSERT INTO bidders SELECT bidder, COUNT(*) FROM bids WHERE bidder = 'eve' GROUP BY bidder",
    )?;
    inserts.attach_as_data_stream()?;
    env.execute("auction")?;
    Ok(())
}
