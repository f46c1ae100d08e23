//! Word count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use compact_str::CompactString;
use flott_datastream::{Result, StreamExecutionEnvironment};
use hashbrown::HashMap;

use crate::data::{WORDS_PER_LINE, line};

/// Adds up what comes: each word gives its running counts 1, 2, 3 ...
fn check(word: &str, count: u64) -> u64 {
    count.wrapping_mul(word.len() as u64)
}

/// By the DataStream API.
pub fn flott(env: &StreamExecutionEnvironment, words: u64) -> Result<u64> {
    let sum = Arc::new(AtomicU64::new(0));
    let total = sum.clone();
    env.from_sequence(0, (words / WORDS_PER_LINE) as i64 - 1)
        .map(line)
        .flat_map(|line: String, out| {
            line.split(' ').for_each(|word| out.collect((CompactString::from(word), 1u64)));
        })
        .key_by_ref(|(word, _)| word)
        .sum(|(_, count)| count)
        .add_sink(move |(word, count)| {
            total.fetch_add(check(&word, count), Ordering::Relaxed);
            Ok(())
        });
    env.execute("words")?;
    Ok(sum.load(Ordering::Relaxed))
}

/// By hand.
pub fn by_hand(words: u64) -> u64 {
    let mut counts: HashMap<CompactString, u64> = HashMap::new();
    let mut sum = 0u64;
    for number in 0..(words / WORDS_PER_LINE) as i64 {
        let line = line(number);
        for word in line.split(' ') {
            let count = counts.entry_ref(word).or_insert(0);
            *count += 1;
            sum = sum.wrapping_add(check(word, *count));
        }
    }
    sum
}
