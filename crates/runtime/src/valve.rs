//! Event time of a task: the minimum over its channels.
//!
//! Follows Flink's `StatusWatermarkValve`: an idle channel does not count; one that becomes active again
//! counts once it has caught up with the current watermark; when all are idle the task is idle, having
//! advanced to the highest watermark of any of them.

use flott_batch::WatermarkStatus;
use flott_types::Watermark;

/// An event for the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Event time has advanced.
    Watermark(Watermark),
    /// The input as a whole became idle or active.
    Status(WatermarkStatus),
}

/// The combined event time of several channels.
#[derive(Clone, Debug)]
pub struct Valve {
    channels: Vec<Channel>,
    emitted: Watermark,
    status: WatermarkStatus,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    watermark: Watermark,
    idle: bool,
    /// Caught up with what was emitted, so that it counts.
    aligned: bool,
}

impl Channel {
    fn has_ended(&self) -> bool {
        self.watermark == Watermark::MAX
    }
}

impl Valve {
    /// A valve in its initial state.
    pub fn new(channels: usize) -> Self {
        let channel = Channel { watermark: Watermark::MIN, idle: false, aligned: true };
        Valve { channels: vec![channel; channels], emitted: Watermark::MIN, status: WatermarkStatus::Active }
    }

    /// What was last told.
    pub fn current(&self) -> Watermark {
        self.emitted
    }

    /// A watermark arrived on a channel.
    pub fn watermark(&mut self, channel: usize, watermark: Watermark) -> Vec<Progress> {
        let emitted = self.emitted;
        let state = &mut self.channels[channel];
        // From an idle channel only the end counts.
        if (state.idle && watermark != Watermark::MAX) || watermark <= state.watermark {
            return Vec::new();
        }
        state.watermark = watermark;
        state.idle &= watermark != Watermark::MAX;
        state.aligned |= watermark >= emitted;
        if watermark == Watermark::MAX { self.settle() } else { self.advance().into_iter().collect() }
    }

    /// The status of a channel changed.
    pub fn status(&mut self, channel: usize, status: WatermarkStatus) -> Vec<Progress> {
        let idle = status == WatermarkStatus::Idle;
        let emitted = self.emitted;
        let state = &mut self.channels[channel];
        if state.idle == idle || state.has_ended() {
            return Vec::new();
        }
        state.idle = idle;
        state.aligned = !idle && state.watermark >= emitted;
        self.settle()
    }

    /// Channels that have ended neither hold back time nor keep the task active.
    fn settle(&mut self) -> Vec<Progress> {
        let open = || self.channels.iter().filter(|channel| !channel.has_ended());
        let mut progress = Vec::new();
        if open().next().is_some() && open().all(|channel| channel.idle) {
            if self.status == WatermarkStatus::Active {
                // The channel that held the others back is out: now their watermarks count.
                let highest = open().map(|channel| channel.watermark).max().unwrap_or(Watermark::MIN);
                progress.extend(self.emit(highest));
                self.status = WatermarkStatus::Idle;
                progress.push(Progress::Status(WatermarkStatus::Idle));
            }
            return progress;
        }
        if self.status == WatermarkStatus::Idle {
            self.status = WatermarkStatus::Active;
            progress.push(Progress::Status(WatermarkStatus::Active));
        }
        progress.extend(self.advance());
        progress
    }

    fn advance(&mut self) -> Option<Progress> {
        let lowest = if self.channels.iter().all(Channel::has_ended) {
            Watermark::MAX
        } else {
            let counts = |channel: &&Channel| channel.aligned && !channel.idle && !channel.has_ended();
            self.channels.iter().filter(counts).map(|channel| channel.watermark).min()?
        };
        self.emit(lowest)
    }

    fn emit(&mut self, watermark: Watermark) -> Option<Progress> {
        (watermark > self.emitted).then(|| {
            self.emitted = watermark;
            Progress::Watermark(watermark)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at: i64) -> Vec<Progress> {
        vec![Progress::Watermark(Watermark(at))]
    }

    #[test]
    fn the_slowest_channel_decides() {
        let mut valve = Valve::new(2);
        assert_eq!(valve.watermark(0, Watermark(5)), []);
        assert_eq!(valve.watermark(1, Watermark(3)), at(3));
        assert_eq!(valve.watermark(1, Watermark(2)), []);
        assert_eq!(valve.watermark(1, Watermark(9)), at(5));
        assert_eq!(valve.watermark(0, Watermark::MAX), at(9));
        assert_eq!(valve.watermark(1, Watermark::MAX), at(i64::MAX));
    }

    #[test]
    fn an_idle_channel_does_not_count_until_it_has_caught_up() {
        let mut valve = Valve::new(2);
        assert_eq!(valve.watermark(0, Watermark(5)), []);
        assert_eq!(valve.status(1, WatermarkStatus::Idle), at(5));
        assert_eq!(valve.watermark(0, Watermark(10)), at(10));
        assert_eq!(valve.status(1, WatermarkStatus::Active), []);
        assert_eq!(valve.watermark(1, Watermark(7)), []);
        assert_eq!(valve.watermark(0, Watermark(20)), at(20));
        assert_eq!(valve.watermark(1, Watermark(21)), []);
        assert_eq!(valve.watermark(0, Watermark(30)), at(21));
    }

    #[test]
    fn all_idle_flushes_and_is_idle() {
        let mut valve = Valve::new(2);
        valve.watermark(0, Watermark(5));
        valve.watermark(1, Watermark(3));
        assert_eq!(valve.status(0, WatermarkStatus::Idle), []);
        let idle = Progress::Status(WatermarkStatus::Idle);
        assert_eq!(valve.status(1, WatermarkStatus::Idle), [Progress::Watermark(Watermark(5)), idle]);
        assert_eq!(valve.status(1, WatermarkStatus::Active), [Progress::Status(WatermarkStatus::Active)]);
    }

    #[test]
    fn time_ends_when_every_channel_has_ended_idle_ones_too() {
        let mut valve = Valve::new(2);
        assert_eq!(valve.status(1, WatermarkStatus::Idle), []);
        // The other one is at its end, so nothing is active any more.
        assert_eq!(valve.watermark(0, Watermark::MAX), [Progress::Status(WatermarkStatus::Idle)]);
        let active = Progress::Status(WatermarkStatus::Active);
        assert_eq!(valve.watermark(1, Watermark::MAX), [active, Progress::Watermark(Watermark::MAX)]);
    }
}
