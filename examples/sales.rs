//! Profit and number of sales for each month, in windows of processing time, to a file.
//!
//! `examples/sales_server.py` sends sales, lines `month,product,category,profit`: start it, and then `cargo
//! run -p examples --bin sales -- --windows tumbling --output target/sales`; or `sliding`, `session`,
//! `global` in place of `tumbling`.

use flott::args::Args;
use flott::prelude::*;

/// month, product, category, profit, count
type Sale = (String, String, String, i64, u64);

const SECOND: Duration = Duration::from_secs(1);

fn parse(line: String) -> Result<Sale> {
    let wrong = || Error::invalid(format!("'{line}' is not a line like June,Bat,Category5,12"));
    let mut fields = line.split(',').map(str::trim);
    let mut text = || fields.next().map(str::to_owned).ok_or_else(wrong);
    let (month, product, category) = (text()?, text()?, text()?);
    Ok((month, product, category, text()?.parse().map_err(|_| wrong())?, 1))
}

/// The other fields are those of the first sale.
fn add(sum: Sale, next: Sale) -> Sale {
    (sum.0, sum.1, sum.2, sum.3 + next.3, sum.4 + next.4)
}

fn totals(sales: &DataStream<Sale>, windows: &str) -> Result<DataStream<Sale>> {
    let months = sales.key_by_ref(|sale| &sale.0);
    let totals = match windows {
        "tumbling" => months.window(TumblingProcessingTimeWindows::of(2 * SECOND)).reduce(add),
        "sliding" => months.window(SlidingProcessingTimeWindows::of(2 * SECOND, SECOND)).reduce(add),
        "session" => months.window(ProcessingTimeSessionWindows::with_gap(5 * SECOND)).reduce(add),
        "global" => months.window(GlobalWindows::create()).trigger(CountTrigger::of(5)).reduce(add),
        _ => return Err(Error::invalid("which windows? tumbling, sliding, session or global")),
    };
    Ok(totals.uid("totals"))
}

fn main() -> Result<()> {
    let args =
        Args::new("Profit and number of sales for each month, in windows of processing time, to a file.")
            .option("windows", "tumbling", "tumbling, sliding, session or global")
            .option("output", "target/sales", "the folder of the results")
            .option("port", "9181", "the server's port")
            .parse();
    let env = args.environment();
    // Lines become visible with the checkpoint that they are part of.
    env.enable_checkpointing(SECOND);
    let sales = env.socket_text_stream("localhost", args.get("port")?).try_map(parse);
    totals(&sales, &args.get::<String>("windows")?)?
        .sink_to(FileSink::lines(
            &args.get::<String>("output")?,
            |(month, product, category, profit, count)| {
                format!("({month},{product},{category},{profit},{count})")
            },
        )?)
        .parallelism(1);
    env.execute("Sales")?;
    Ok(())
}

#[cfg(test)]
#[path = "tests/sales.rs"]
mod tests;
