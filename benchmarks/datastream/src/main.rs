//! Programs of the DataStream API, and the same by hand: a single thread, a loop, a hash map.
//!
//! `datastream-bench words --engine flott --parallelism 1 --count 20000000` prints one line: the count, a
//! checksum that does not depend on order, elapsed seconds, CPU seconds, and peak memory in MB.

mod data;
mod enrichment;
mod keyed;
mod usage;
mod windows;
mod words;

use clap::{Parser, ValueEnum};
use flott_datastream::{Result, StreamExecutionEnvironment};

/// A program of the DataStream API compared with a hand-written loop.
#[derive(Parser)]
struct Arguments {
    /// Which program.
    program: Program,
    /// What runs it.
    #[arg(long, value_enum, default_value_t = Engine::Flott)]
    engine: Engine,
    /// How many subtasks (Flott).
    #[arg(long, default_value_t = 1)]
    parallelism: u32,
    /// How many words, or how many records.
    #[arg(long, default_value_t = 20_000_000)]
    count: u64,
    /// How many keys (keyed, windows).
    #[arg(long, default_value_t = 1_000_000)]
    keys: u64,
    /// Records of this many keys follow the first round over all keys (keyed); 0 for all.
    #[arg(long, default_value_t = 0)]
    hot: u64,
    /// How many requests come in a second (enrichment).
    #[arg(long, default_value_t = 10_000.0)]
    rate: f64,
    /// Milliseconds between checkpoints, into a folder of the system's for temporary files; 0 for none
    /// (Flott).
    #[arg(long, default_value_t = 0)]
    checkpoints: u64,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
enum Engine {
    Flott,
    Loop,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum Program {
    /// flat_map, key_by, sum over a vocabulary of 10,000 words.
    Words,
    /// A keyed process function with a value state.
    Keyed,
    /// Counts by key in tumbling windows of event time.
    Windows,
    /// A request of five milliseconds for each record, at a steady rate.
    Enrichment,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let start = usage::Usage::now();
    let checksum = match (arguments.program, arguments.engine) {
        (Program::Words, Engine::Flott) => words::flott(&environment(&arguments), arguments.count)?,
        (Program::Words, Engine::Loop) => words::by_hand(arguments.count),
        (Program::Keyed, Engine::Flott) => {
            keyed::flott(&environment(&arguments), arguments.count, arguments.keys, arguments.hot)?
        }
        (Program::Keyed, Engine::Loop) => keyed::by_hand(arguments.count, arguments.keys, arguments.hot),
        (Program::Windows, Engine::Flott) => {
            windows::flott(&environment(&arguments), arguments.count, arguments.keys)?
        }
        (Program::Windows, Engine::Loop) => windows::by_hand(arguments.count, arguments.keys),
        (Program::Enrichment, Engine::Flott) => {
            enrichment::flott(&environment(&arguments), arguments.count, arguments.rate)?
        }
        (Program::Enrichment, Engine::Loop) => enrichment::by_hand(arguments.count),
    };
    let used = usage::Usage::now().since(start);
    println!(
        "count {} checksum {checksum:016x} wall {:.3} cpu {:.3} peak_mb {}",
        arguments.count, used.wall, used.cpu, used.peak_mb
    );
    Ok(())
}

fn environment(arguments: &Arguments) -> StreamExecutionEnvironment {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(arguments.parallelism);
    if arguments.checkpoints > 0 {
        let folder = std::env::temp_dir().join(format!("flott-bench-{}", std::process::id()));
        env.enable_checkpointing(std::time::Duration::from_millis(arguments.checkpoints))
            .set("execution.checkpointing.dir", format!("file://{}", folder.display()))
            .set("execution.checkpointing.externalized-checkpoint-retention", "NO_EXTERNALIZED_CHECKPOINTS");
    }
    env
}
