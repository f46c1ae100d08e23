//! Results of windows with out-of-order input, compared with a model without state, timers or in-place
//! merging.
//!
//! A stream is made from a seed: its windows, its function, its records and watermarks, and where it is
//! snapshotted and restored at another parallelism. A failure prints the seed; `WINDOW_SEED=n` runs just that
//! one.

use std::collections::BTreeMap;
use std::time::Duration;

use super::harness::Harness;
use super::{Concat, InTimerMode, KeepAll, Listing, Rec, Seen};
use crate::facade::window::*;
use crate::stream::DataStream;
use crate::stream::keyed::KeyedStream;
use flott_function::output::OutputTag;
use flott_function::state::Key;
use flott_types::Timestamp;

const STREAMS: u64 = 6_000;

/// Numbers from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    fn within(&mut self, from: i64, to: i64) -> i64 {
        from + (self.next() % (to - from) as u64) as i64
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }
}

#[derive(Clone, Copy, Debug)]
enum Windows {
    Tumbling {
        size: i64,
        offset: i64,
    },
    Sliding {
        size: i64,
        slide: i64,
        offset: i64,
    },
    Sessions {
        gap: i64,
    },
    /// The gap is a record's number modulo this, plus 1.
    DynamicSessions {
        modulo: i64,
    },
    Count {
        size: u64,
    },
    CountSliding {
        size: u64,
        slide: u64,
    },
}

/// Variations that must make no difference.
#[derive(Clone, Copy, Debug)]
enum Use {
    Process,
    Reduce,
    Aggregate,
    Evict,
    EvictAndReduce,
}

#[derive(Debug)]
enum Event {
    Records(Vec<(Rec, Timestamp)>),
    Watermark(Timestamp),
    Checkpoint,
    Restore(u32),
}

#[derive(Debug)]
struct Case {
    windows: Windows,
    lateness: i64,
    used: Use,
    /// The default trigger, as an arbitrary trigger.
    timers: bool,
    events: Vec<Event>,
}

impl Case {
    fn of(seed: u64) -> Case {
        let random = &mut Random(seed);
        let windows = match random.next() % 6 {
            0 => {
                let size = random.within(1, 20);
                Windows::Tumbling { size, offset: random.within(1 - size, size) }
            }
            1 => {
                let slide = random.within(1, 8);
                let (size, offset) = (random.within(1, 20), random.within(1 - slide, slide));
                Windows::Sliding { size, slide, offset }
            }
            2 => Windows::Sessions { gap: random.within(1, 12) },
            3 => Windows::DynamicSessions { modulo: random.within(1, 15) },
            4 => Windows::Count { size: random.within(1, 6) as u64 },
            _ => {
                Windows::CountSliding { size: random.within(1, 6) as u64, slide: random.within(1, 6) as u64 }
            }
        };
        let lateness = if random.one_in(2) { 0 } else { random.within(1, 30) };
        let used = [Use::Process, Use::Reduce, Use::Aggregate, Use::Evict, Use::EvictAndReduce];
        let used = used[random.within(0, 5) as usize];
        let timers = random.one_in(3);
        let (keys, disorder) = (random.within(1, 5), random.within(1, 40));
        let mut events = Vec::new();
        let (mut number, mut time, mut watermark) = (0, random.within(-40, 10), Timestamp::MIN);
        for _ in 0..random.within(1, 16) {
            match random.next() % 10 {
                0..=5 => {
                    let count = random.within(1, 7);
                    let record = |_| {
                        number += 1;
                        time += random.within(0, 6);
                        let at = time - random.within(0, disorder);
                        (Rec { key: format!("k{}", random.within(0, keys)), numbers: vec![number] }, at)
                    };
                    events.push(Event::Records((0..count).map(record).collect()));
                }
                6..=7 => {
                    watermark = watermark.max(time - random.within(0, disorder));
                    events.push(Event::Watermark(watermark));
                }
                8 => events.push(Event::Checkpoint),
                _ => events.push(Event::Restore(random.within(1, 4) as u32)),
            }
        }
        Case { windows, lateness, used, timers, events }
    }

    fn program(&self, records: DataStream<Rec>, late: &OutputTag<Rec>) -> DataStream<Seen> {
        let keyed = records.key_by_ref(|record| &record.key);
        let millis = |millis: i64| Duration::from_millis(millis as u64);
        match self.windows {
            Windows::Tumbling { size, offset } => {
                self.time(&keyed, TumblingEventTimeWindows::of(millis(size)).offset_millis(offset), late)
            }
            Windows::Sliding { size, slide, offset } => {
                let windows = SlidingEventTimeWindows::of(millis(size), millis(slide));
                self.time(&keyed, windows.offset_millis(offset), late)
            }
            Windows::Sessions { gap } => {
                self.time(&keyed, EventTimeSessionWindows::with_gap(millis(gap)), late)
            }
            Windows::DynamicSessions { modulo } => {
                let gap = move |record: &Rec| record.numbers[0] % modulo + 1;
                self.time(&keyed, EventTimeSessionWindows::with_dynamic_gap(gap), late)
            }
            Windows::Count { size } => self.used(keyed.count_window(size)),
            Windows::CountSliding { size, slide } => keyed.count_window_sliding(size, slide).process(Listing),
        }
    }

    fn time<A: WindowAssigner<Rec, Window = TimeWindow>>(
        &self,
        keyed: &KeyedStream<String, Rec>,
        assigner: A,
        late: &OutputTag<Rec>,
    ) -> DataStream<Seen> {
        let lateness = Duration::from_millis(self.lateness as u64);
        let windows = keyed.window(assigner).allowed_lateness(lateness).side_output_late_data(late);
        self.used(if self.timers { windows.trigger(InTimerMode) } else { windows })
    }

    fn used<K: Key, A: WindowAssigner<Rec>>(&self, windows: WindowedStream<K, Rec, A>) -> DataStream<Seen>
    where
        Listing: ProcessWindowFunction<K, A::Window, Rec, Out = Seen>
            + ProcessWindowFunction<K, A::Window, Vec<i64>, Out = Seen>,
    {
        let reduce = |mut one: Rec, other: Rec| {
            one.numbers.extend(other.numbers);
            one
        };
        match self.used {
            Use::Process => windows.process(Listing),
            Use::Reduce => windows.reduce_with(reduce, Listing),
            Use::Aggregate => windows.aggregate_with(Concat, Listing),
            Use::Evict => windows.evictor(KeepAll).process(Listing),
            Use::EvictAndReduce => windows.evictor(KeepAll).reduce_with(reduce, Listing),
        }
    }

    /// The expected output, and the numbers of the late records.
    fn model(&self) -> (Vec<Seen>, Vec<i64>) {
        let mut arrivals: BTreeMap<String, Vec<(i64, Timestamp, Timestamp)>> = BTreeMap::new();
        let mut watermark = Timestamp::MIN;
        for event in &self.events {
            match event {
                Event::Watermark(at) => watermark = *at,
                Event::Records(records) => {
                    for (record, at) in records {
                        let of_key = arrivals.entry(record.key.clone()).or_default();
                        of_key.push((record.numbers[0], *at, watermark));
                    }
                }
                Event::Checkpoint | Event::Restore(_) => {}
            }
        }
        let (mut out, mut late) = (Vec::new(), Vec::new());
        for (key, arrivals) in &arrivals {
            match self.windows {
                Windows::Count { size } => {
                    let numbers: Vec<i64> = arrivals.iter().map(|(number, ..)| *number).collect();
                    let full = numbers.chunks_exact(size as usize);
                    out.extend(full.map(|numbers| Seen::global(key, numbers.to_vec())));
                }
                Windows::CountSliding { size, slide } => {
                    for end in (slide as usize..=arrivals.len()).step_by(slide as usize) {
                        let from = end.saturating_sub(size as usize);
                        let numbers = arrivals[from..end].iter().map(|(number, ..)| *number).collect();
                        out.push(Seen::global(key, numbers));
                    }
                }
                Windows::Sessions { .. } | Windows::DynamicSessions { .. } => {
                    self.model_sessions(key, arrivals, &mut out, &mut late);
                }
                Windows::Tumbling { .. } | Windows::Sliding { .. } => {
                    self.model_aligned(key, arrivals, &mut out, &mut late);
                }
            }
        }
        out.sort();
        late.sort();
        (out, late)
    }

    /// A window has the records that arrived before it was over. It fires with those that arrived before its
    /// end, and then again for each later one.
    fn model_aligned(
        &self,
        key: &str,
        arrivals: &[(i64, Timestamp, Timestamp)],
        out: &mut Vec<Seen>,
        late: &mut Vec<i64>,
    ) {
        let mut windows: BTreeMap<TimeWindow, Vec<(i64, Timestamp)>> = BTreeMap::new();
        for (number, at, watermark) in arrivals {
            let mut in_time = false;
            let belongs = all_windows(self.windows, *at);
            for window in &belongs {
                if *watermark < window.max_timestamp() + self.lateness {
                    in_time = true;
                    windows.entry(*window).or_default().push((*number, *watermark));
                }
            }
            // A record without any window is late by its own time.
            if !in_time && at + self.lateness <= *watermark {
                late.push(*number);
            }
        }
        for (window, records) in windows {
            let numbers: Vec<i64> = records.iter().map(|(number, _)| *number).collect();
            let on_time = records.iter().filter(|(_, watermark)| *watermark < window.max_timestamp()).count();
            let firings = on_time.max(1)..=numbers.len();
            out.extend(firings.map(|count| Seen::new(key, window, numbers[..count].to_vec())));
        }
    }

    /// Sessions as sets of records: all of them are searched for those that a record merges.
    fn model_sessions(
        &self,
        key: &str,
        arrivals: &[(i64, Timestamp, Timestamp)],
        out: &mut Vec<Seen>,
        late: &mut Vec<i64>,
    ) {
        let mut sessions: Vec<(TimeWindow, Vec<i64>)> = Vec::new();
        let mut last_watermark = Timestamp::MIN;
        let end = (0, 0, Timestamp::MAX);
        for (number, at, watermark) in arrivals.iter().chain([&end]) {
            for (window, numbers) in &sessions {
                if last_watermark < window.max_timestamp() && window.max_timestamp() <= *watermark {
                    out.push(Seen::new(key, *window, numbers.clone()));
                }
            }
            sessions.retain(|(window, _)| window.max_timestamp() + self.lateness > *watermark);
            last_watermark = *watermark;
            if *watermark == Timestamp::MAX {
                break;
            }
            let gap = match self.windows {
                Windows::Sessions { gap } => gap,
                Windows::DynamicSessions { modulo } => number % modulo + 1,
                _ => panic!("no sessions"),
            };
            let mut all = (TimeWindow::new(*at, at + gap), Vec::new());
            let (apart, joined): (Vec<_>, Vec<_>) =
                sessions.drain(..).partition(|(window, _)| !window.intersects(&all.0));
            sessions = apart;
            let alone = joined.is_empty();
            for (window, numbers) in joined {
                all.0 = all.0.cover(&window);
                all.1.extend(numbers);
            }
            all.1.push(*number);
            if alone && all.0.max_timestamp() + self.lateness <= *watermark {
                late.push(*number);
                continue;
            }
            if all.0.max_timestamp() <= *watermark {
                out.push(Seen::new(key, all.0, all.1.clone()));
            }
            sessions.push(all);
        }
    }

    /// The actual output.
    fn run(&self) -> (Vec<Seen>, Vec<i64>) {
        let tag = OutputTag::<Rec>::new("late");
        let mut harness = Harness::new(|records| self.program(records, &tag));
        let (mut out, mut watermark) = (Vec::new(), Timestamp::MIN);
        for event in &self.events {
            match event {
                Event::Records(records) => out.extend(harness.push_timed(records.clone())),
                Event::Watermark(at) => {
                    watermark = *at;
                    out.extend(harness.watermark_timed(*at));
                }
                Event::Checkpoint => _ = harness.checkpoint(false),
                Event::Restore(parallelism) => {
                    harness.checkpoint(false);
                    harness.restore(*parallelism);
                    // Lateness is known even before the first watermark arrives.
                    if watermark > Timestamp::MIN && parallelism % 2 == 0 {
                        assert_eq!(harness.watermark(watermark), [], "fired again after a restore");
                    }
                }
            }
        }
        out.extend(harness.watermark_timed(Timestamp::MAX));
        for (seen, timestamp) in &out {
            let last = if seen.start == seen.end { Timestamp::MAX } else { seen.end - 1 };
            assert_eq!(*timestamp, Some(last), "the timestamp of a result");
        }
        let mut out: Vec<Seen> = out.into_iter().map(|(seen, _)| seen).collect();
        out.sort();
        let mut late: Vec<i64> = harness.side(&tag).into_iter().map(|record| record.numbers[0]).collect();
        late.sort();
        // Only count windows that are not full are left.
        harness.checkpoint(false);
        if !matches!(self.windows, Windows::Count { .. } | Windows::CountSliding { .. }) {
            assert_eq!(harness.rows(), 0, "state is left");
        }
        (out, late)
    }
}

/// All windows that a time belongs to, found by brute force.
fn all_windows(windows: Windows, at: Timestamp) -> Vec<TimeWindow> {
    let (size, slide, offset) = match windows {
        Windows::Tumbling { size, offset } => (size, size, offset),
        Windows::Sliding { size, slide, offset } => (size, slide, offset),
        _ => panic!("windows that are not aligned"),
    };
    let begins = |start: &Timestamp| (start - offset) % slide == 0;
    (at - size + 1..=at).filter(begins).map(|start| TimeWindow::new(start, start + size)).collect()
}

#[test]
fn random_streams_give_what_the_model_says() {
    let seeds = match std::env::var("WINDOW_SEED") {
        Ok(seed) => seed.parse().map(|seed: u64| seed..seed + 1).unwrap(),
        Err(_) => 0..STREAMS,
    };
    let mut fired = 0;
    for seed in seeds {
        let case = Case::of(seed);
        let model = case.model();
        let run = std::panic::catch_unwind(|| case.run());
        let run = run.unwrap_or_else(|_| panic!("WINDOW_SEED={seed} failed: {case:?}"));
        assert_eq!(run, model, "WINDOW_SEED={seed}: {case:?}");
        fired += model.0.len();
    }
    assert!(fired > 0, "nothing ever fired");
}
