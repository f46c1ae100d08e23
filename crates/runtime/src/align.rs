//! Sources that wait for each other: the reader's side. What the group is told and says in return goes through the JobManager.

use flott_connector::{SourceReader, WatermarkAlignment};
use flott_types::{Result, Timestamp};

use crate::SplitWatermarks;

/// One reader of an alignment group.
pub(crate) struct Aligner {
    policy: WatermarkAlignment,
    /// The least of the group, as it was told last; nobody is held back before.
    least: Option<Timestamp>,
    /// How far this reader has come.
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

    /// Holds back splits that are too far ahead; says whether all of the reader is to wait.
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
    pub(crate) fn take_reached(&mut self) -> Option<(WatermarkAlignment, Option<Timestamp>)> {
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
