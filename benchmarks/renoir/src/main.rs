//! The programs of `datastream-bench` by Renoir, a Rust library of dataflow: word count with running counts, and
//! counts by key in tumbling windows of event time.
//!
//! `renoir-bench words --count 20000000 --parallelism 1` prints the same line as `datastream-bench`, with the
//! same checksum for words. Renoir's windows begin with the first record of their key, and not with the epoch, so
//! the checksum of windows is the same only if each key has one at the beginning of each window.

#[path = "../../datastream/src/data.rs"]
#[allow(dead_code, reason = "the other side has one program more")]
mod data;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use compact_str::CompactString;
use renoir::operator::window::EventTimeWindow;
use renoir::{BatchMode, RuntimeConfig, StreamContext};

use data::{WINDOW, WORDS_PER_LINE, check, line, time, windowed_key};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str, default: u64| {
        let at = words.iter().position(|word| word == name);
        at.map_or(default, |at| words[at + 1].parse().unwrap())
    };
    let (count, keys) = (option("--count", 20_000_000), option("--keys", 1_000_000));
    let config = RuntimeConfig::local(option("--parallelism", 1)).unwrap();
    let (start, began) = (Instant::now(), cpu());
    let checksum = match words.first().map(String::as_str) {
        Some("words") => word_count(StreamContext::new(config), count),
        Some("windows") => windows(StreamContext::new(config), count, keys),
        _ => panic!("renoir-bench words|windows [--count N] [--keys N] [--parallelism N]"),
    };
    println!(
        "count {count} checksum {checksum:016x} wall {:.3} cpu {:.3} peak_mb {}",
        start.elapsed().as_secs_f64(),
        cpu() - began,
        peak_mb()
    );
}

fn word_count(env: StreamContext, words: u64) -> u64 {
    let sum = Arc::new(AtomicU64::new(0));
    let total = sum.clone();
    env.stream_par_iter(0..words / WORDS_PER_LINE)
        .batch_mode(BatchMode::fixed(1024))
        .map(|number| line(number as i64))
        .flat_map(|line| line.split(' ').map(CompactString::from).collect::<Vec<_>>())
        .group_by(|word| word.clone())
        .rich_map({
            let mut count = 0u64;
            move |_| {
                count += 1;
                count
            }
        })
        .for_each(move |(word, count)| {
            total.fetch_add(count.wrapping_mul(word.len() as u64), Ordering::Relaxed);
        });
    env.execute_blocking();
    sum.load(Ordering::Relaxed)
}

fn windows(env: StreamContext, count: u64, keys: u64) -> u64 {
    let sum = Arc::new(AtomicU64::new(0));
    let total = sum.clone();
    env.stream_par_iter(0..count)
        .batch_mode(BatchMode::fixed(1024))
        // A watermark each millisecond of the data's time.
        .add_timestamps(|number| time(*number), |number, at| (number % 1_000 == 999).then_some(*at))
        .group_by(move |number| windowed_key(*number, keys))
        .window(EventTimeWindow::tumbling(WINDOW))
        .fold((0u64, 0i64), |(count, end), number| {
            let at = time(*number);
            *count += 1;
            *end = at - at % WINDOW + WINDOW;
        })
        .for_each(move |(key, (count, end))| {
            total.fetch_add(check(key, count ^ (end as u64) << 20), Ordering::Relaxed);
        });
    env.execute_blocking();
    sum.load(Ordering::Relaxed)
}

/// Seconds of the processor.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
