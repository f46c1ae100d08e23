//! Raises an alert when a transaction under 1.00 is followed by one over 500.00 on the same account within a
//! minute: fraudsters test a stolen card with a small amount first.
//!
//! Transactions come over a socket as lines `account,amount`: `nc -lk 9999` in one terminal, and in another
//! `cargo run -p examples --bin fraud_detection -- --port 9999`.

use flott::args::Args;
use flott::prelude::*;

const SMALL: f64 = 1.0;
const LARGE: f64 = 500.0;
const MINUTE: i64 = 60_000;

#[derive(Debug, Serialize, Deserialize)]
struct Transaction {
    account: u64,
    amount: f64,
}

/// Two states for each account: whether its last transaction was small, and the timer that forgets it.
#[derive(Clone, Default)]
struct FraudDetector {
    small: ValueState<bool>,
    timer: ValueState<Timestamp>,
}

impl KeyedProcessFunction<u64, Transaction> for FraudDetector {
    type Out = String;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.small = context.value_state("small")?;
        self.timer = context.value_state("timer")?;
        Ok(())
    }

    fn process_element(&mut self, next: Transaction, ctx: &mut KeyedContext<'_, u64, String>) -> Result<()> {
        if self.small.take(ctx).is_some() {
            if next.amount > LARGE {
                ctx.collect(format!("account {}: {:.2} after a small amount", next.account, next.amount));
            }
            if let Some(timer) = self.timer.take(ctx) {
                ctx.delete_processing_time_timer(timer);
            }
        }
        if next.amount < SMALL {
            let timer = ctx.current_processing_time() + MINUTE;
            ctx.register_processing_time_timer(timer);
            self.small.set(ctx, true);
            self.timer.set(ctx, timer);
        }
        Ok(())
    }

    fn on_timer(&mut self, _: Timestamp, ctx: &mut KeyedContext<'_, u64, String>) -> Result<()> {
        self.small.clear(ctx);
        self.timer.clear(ctx);
        Ok(())
    }
}

fn parse(line: String) -> Result<Transaction> {
    let wrong = || Error::invalid(format!("'{line}' is not a line like 7,12.50"));
    let (account, amount) = line.split_once(',').ok_or_else(wrong)?;
    let account = account.trim().parse().map_err(|_| wrong())?;
    Ok(Transaction { account, amount: amount.trim().parse().map_err(|_| wrong())? })
}

fn detect(transactions: &DataStream<Transaction>) -> DataStream<String> {
    transactions
        .key_by(|transaction| transaction.account)
        .process(FraudDetector::default())
        .uid("fraud-detector")
}

fn main() -> Result<()> {
    let args = Args::new("Raises an alert when a large transaction follows a small one.");
    let args = args.option("port", "9999", "the server's port").parse();
    let env = args.environment();
    detect(&env.socket_text_stream("localhost", args.get("port")?).try_map(parse)).print();
    env.execute("Fraud Detection")?;
    Ok(())
}

#[cfg(test)]
#[path = "tests/fraud_detection.rs"]
mod tests;
