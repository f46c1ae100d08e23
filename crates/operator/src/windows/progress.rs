//! The event-time progress of an operator, and what is late.

use flott_state::{ListState, OperatorSnapshot, Redistribution, RestoredState};
use flott_types::{Error, Result, Timestamp, Watermark};

use crate::{Context, TaskInfo};

/// The watermark, or processing time. Kept across a restart: a row that was late before must not reopen its
/// window before the first watermark arrives, and what has fired must not fire again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress(Timestamp);

impl Default for Progress {
    fn default() -> Self {
        Progress(Watermark::MIN.0)
    }
}

impl Progress {
    /// The name of its list in snapshots.
    pub const STATE: &str = "progress";

    /// Continues from a snapshot: each subtask from its own, if there are as many as then; a barrier that
    /// overtakes finds them at different times, and what is late for one may not be for another. Otherwise from
    /// their minimum, because what one of them has not fired yet must fire.
    ///
    /// The end of time is not restored. A job whose input has ended may continue with more of it (rows of a
    /// new source, another part of a directory); they are not late, just as in Flink.
    ///
    /// # Errors
    /// If an entry cannot be read.
    pub fn restore(&mut self, restored: &mut RestoredState, info: &TaskInfo) -> Result<()> {
        let times = Self::stored(restored)?;
        let own = times.get(info.subtask.index()).filter(|_| times.len() == info.parallelism as usize);
        let within = |time: &Timestamp| *time < Watermark::MAX.0;
        let least = || times.iter().copied().filter(within).min();
        self.0 = own.copied().filter(within).or_else(least).unwrap_or(self.0);
        Ok(())
    }

    /// Continues from the latest of the subtasks: for an operator that must not take for timely what is late for one
    /// downstream, which continues from its own or from the earliest.
    ///
    /// # Errors
    /// If an entry cannot be read.
    pub fn restore_latest(&mut self, restored: &mut RestoredState) -> Result<()> {
        let times = Self::stored(restored)?;
        self.0 = times.into_iter().filter(|time| *time < Watermark::MAX.0).fold(self.0, i64::max);
        Ok(())
    }

    fn stored(restored: &mut RestoredState) -> Result<Vec<Timestamp>> {
        let times: Result<Vec<Timestamp>, _> =
            restored.take_list(Self::STATE).iter().map(|entry| entry.parse()).collect();
        times.map_err(|error| Error::state("the progress of windows cannot be read").with_source(error))
    }

    /// Puts it into a snapshot: one entry, always, so that each subtask finds its own at its place.
    pub fn save(&self, snapshot: &mut OperatorSnapshot) {
        snapshot.lists.push(ListState {
            name: Self::STATE.to_owned(),
            redistribution: Redistribution::Union,
            entries: vec![self.0.to_string()],
        });
    }

    /// Advances time, which never goes back; returns whether it advanced.
    #[inline]
    pub fn advance(&mut self, to: Timestamp) -> bool {
        let advanced = to > self.0;
        self.0 = self.0.max(to);
        advanced
    }

    /// Whether time has reached this.
    #[inline]
    pub fn has_reached(&self, at: Timestamp) -> bool {
        at <= self.0
    }

    /// The current time.
    #[inline]
    pub fn now(&self) -> Timestamp {
        self.0
    }
}

/// When a window with this last timestamp expires: from then on it accepts no rows, and its state is dropped.
/// `None` if it never expires.
#[inline]
pub fn over_at(last: Timestamp, lateness: i64) -> Option<Timestamp> {
    let over = last.saturating_add(lateness);
    (over != Timestamp::MAX).then_some(over)
}

/// Counts rows that were dropped because they were late.
pub fn count_late(rows: usize, context: &Context<'_>) {
    if rows > 0 {
        context.metrics.num_late_records_dropped.add(rows as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::task_info;

    fn restored(entries: &[&str]) -> Result<Timestamp> {
        restored_by(entries, 0, 7)
    }

    fn restored_by(entries: &[&str], subtask: u32, parallelism: u32) -> Result<Timestamp> {
        let mut state = RestoredState::default();
        state
            .lists
            .insert(Progress::STATE.to_owned(), entries.iter().map(|entry| (*entry).to_owned()).collect());
        let mut progress = Progress::default();
        progress.restore(&mut state, &task_info(subtask, parallelism, 128))?;
        Ok(progress.now())
    }

    #[test]
    fn the_minimum_of_the_subtasks_counts_except_those_at_the_end() {
        let end = i64::MAX.to_string();
        assert_eq!(restored(&["70", "50", &end]).unwrap(), 50);
        assert_eq!(restored(&[&end, &end]).unwrap(), i64::MIN);
        assert_eq!(restored(&[]).unwrap(), i64::MIN);
        assert!(restored(&["soon"]).is_err());
    }

    /// Also if one of them was at its end when the snapshot was taken.
    #[test]
    fn each_subtask_finds_its_own_and_the_end_of_time_is_not_restored() {
        let entries = |at| {
            let (mut progress, mut snapshot) = (Progress::default(), OperatorSnapshot::default());
            progress.advance(at);
            progress.save(&mut snapshot);
            snapshot.lists.into_iter().flat_map(|list| list.entries).collect::<Vec<_>>()
        };
        let saved = [70, i64::MAX, 50].map(entries).concat();
        let saved: Vec<&str> = saved.iter().map(String::as_str).collect();
        let found = |subtask, parallelism| restored_by(&saved, subtask, parallelism).unwrap();
        assert_eq!([0, 1, 2].map(|subtask| found(subtask, 3)), [70, 50, 50]);
        // As many as had not ended: nobody's place is the same.
        assert_eq!([0, 1].map(|subtask| found(subtask, 2)), [50, 50]);
    }

    #[test]
    fn a_window_expires_after_the_allowed_lateness() {
        assert_eq!((over_at(9, 0), over_at(9, 5)), (Some(9), Some(14)));
        assert_eq!((over_at(i64::MAX, 0), over_at(9, i64::MAX)), (None, None));
    }
}
