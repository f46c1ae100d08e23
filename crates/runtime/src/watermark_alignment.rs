//! Sources that wait for each other: the reader's side. The group communicates through the JobManager.

use flott_connector::{SourceReader, WatermarkAlignment};
use flott_operator::event_time::SplitWatermarks;
use flott_types::{Result, Timestamp};

/// One reader of an alignment group.
pub(crate) struct Aligner {
    policy: WatermarkAlignment,
    /// The last known minimum of the group; nobody waits before it is known.
    least: Option<Timestamp>,
    /// The event time of this reader.
    reached: Option<Timestamp>,
    /// What the group was told, if anything.
    told: Option<Option<Timestamp>>,
    /// Not before that is it told anything else.
    quiet_until: Timestamp,
    /// It is due.
    due: bool,
    paused: Vec<String>,
}

impl Aligner {
    pub(crate) fn new(policy: WatermarkAlignment) -> Self {
        Aligner {
            policy,
            least: None,
            reached: None,
            told: None,
            quiet_until: Timestamp::MIN,
            due: false,
            paused: Vec::new(),
        }
    }

    pub(crate) fn align_to(&mut self, least: Option<Timestamp>) {
        self.least = least;
    }

    /// Pauses splits that are too far ahead; returns whether the whole reader has to wait.
    pub(crate) fn hold(
        &mut self,
        watermarks: &mut SplitWatermarks,
        reader: &mut dyn SourceReader,
        now: Timestamp,
    ) -> Result<bool> {
        let limit = self.least.map_or(Timestamp::MAX, |least| least.saturating_add(self.policy.max_drift));
        if !watermarks.ahead_of(limit).eq(self.paused.iter().map(String::as_str)) {
            self.paused = watermarks.ahead_of(limit).map(str::to_owned).collect();
            let paused: Vec<&str> = self.paused.iter().map(String::as_str).collect();
            reader.pause_splits(&paused)?;
        }
        let hold = watermarks.reached().is_some_and(|reached| reached > limit);
        watermarks.hold(hold, now);
        Ok(hold)
    }

    /// How far the reader has come after its turn; `None` if it holds nobody back.
    pub(crate) fn observe(&mut self, reached: Option<Timestamp>, now: Timestamp) {
        self.reached = reached;
        self.due = self.told != Some(reached) && self.quiet_until <= now;
        if self.due {
            self.quiet_until = now.saturating_add(self.policy.update_interval);
        }
    }

    /// What the group is to be told now.
    pub(crate) fn take_watermark_report(&mut self) -> Option<(WatermarkAlignment, Option<Timestamp>)> {
        if !std::mem::take(&mut self.due) {
            return None;
        }
        self.told = Some(self.reached);
        Some((self.policy.clone(), self.reached))
    }

    /// When the group is to be told something else.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        (!self.due && self.told != Some(self.reached)).then_some(self.quiet_until)
    }
}

#[cfg(test)]
mod tests {

    use flott_batch::{Batch, WatermarkStatus};
    use flott_connector::{EventTimePolicy, Poll, SourceOutput, Split};
    use flott_operator::Output;
    use flott_types::CheckpointId;
    use flott_types::Watermark;

    use super::*;

    struct Nowhere;

    impl Output for Nowhere {
        fn emit(&mut self, _: Batch) -> Result<()> {
            Ok(())
        }

        fn watermark(&mut self, _: Watermark) -> Result<()> {
            Ok(())
        }

        fn watermark_status(&mut self, _: WatermarkStatus) -> Result<()> {
            Ok(())
        }
    }

    /// Knows which of its splits are paused.
    #[derive(Default)]
    struct Reader(Vec<String>);

    impl SourceReader for Reader {
        fn add_splits(&mut self, _: Vec<Split>) -> Result<()> {
            Ok(())
        }

        fn poll(&mut self, _: &mut dyn SourceOutput) -> Result<Poll> {
            Ok(Poll::More)
        }

        fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
            Ok(Vec::new())
        }

        fn pause_splits(&mut self, paused: &[&str]) -> Result<()> {
            self.0 = paused.iter().map(|split| (*split).to_owned()).collect();
            Ok(())
        }
    }

    fn watermarks(splits: &[(&str, Timestamp)], idle_timeout: i64) -> SplitWatermarks {
        let mut watermarks = SplitWatermarks::new(EventTimePolicy::stated().generators, 200, idle_timeout);
        for (id, at) in splits {
            watermarks.add([(*id, None)], 0);
            watermarks.stated(id, Watermark(*at), 0, &mut Nowhere).unwrap();
        }
        watermarks
    }

    fn aligner() -> Aligner {
        Aligner::new(WatermarkAlignment { group: "g".to_owned(), max_drift: 60, update_interval: 10 })
    }

    #[test]
    fn nobody_waits_before_the_group_has_reported() {
        let (mut aligner, mut reader) = (aligner(), Reader::default());
        assert!(!aligner.hold(&mut watermarks(&[("a", 1_000_000)], 0), &mut reader, 0).unwrap());
    }

    #[test]
    fn splits_that_are_more_than_the_drift_ahead_wait_and_the_reader_when_all_are() {
        let (mut aligner, mut reader) = (aligner(), Reader::default());
        let mut times = watermarks(&[("a", 100), ("b", 160), ("c", 161)], 0);
        aligner.align_to(Some(100));
        assert!(!aligner.hold(&mut times, &mut reader, 0).unwrap());
        assert_eq!(reader.0, ["c"]);
        aligner.align_to(Some(39));
        assert!(aligner.hold(&mut times, &mut reader, 0).unwrap());
        assert_eq!(reader.0, ["a", "b", "c"]);
        aligner.align_to(Some(40));
        assert!(!aligner.hold(&mut times, &mut reader, 0).unwrap());
        assert_eq!(reader.0, ["b", "c"]);
        aligner.align_to(None);
        assert!(!aligner.hold(&mut times, &mut reader, 0).unwrap());
        assert!(reader.0.is_empty());
    }

    #[test]
    fn a_waiting_source_does_not_become_idle() {
        let (mut aligner, mut reader) = (aligner(), Reader::default());
        let mut times = watermarks(&[("a", 500)], 100);
        aligner.align_to(Some(0));
        assert!(aligner.hold(&mut times, &mut reader, 50).unwrap());
        times.on_time(10_000, &mut Nowhere).unwrap();
        assert_eq!(times.reached(), Some(500));
        aligner.align_to(Some(500));
        assert!(!aligner.hold(&mut times, &mut reader, 10_000).unwrap());
        times.on_time(10_049, &mut Nowhere).unwrap();
        assert_eq!(times.reached(), Some(500));
        times.on_time(10_050, &mut Nowhere).unwrap();
        assert_eq!(times.reached(), None);
    }

    #[test]
    fn the_group_hears_of_changes_once_in_an_interval() {
        let mut aligner = aligner();
        let mut at = |reached, now| {
            aligner.observe(reached, now);
            (aligner.take_watermark_report().map(|(_, reached)| reached), aligner.wake_at())
        };
        assert_eq!(at(None, 0), (Some(None), None));
        assert_eq!(at(Some(5), 3), (None, Some(10)));
        assert_eq!(at(Some(6), 10), (Some(Some(6)), None));
        assert_eq!(at(Some(6), 1_000), (None, None));
        assert_eq!(at(None, 1_000), (Some(None), None));
    }
}
