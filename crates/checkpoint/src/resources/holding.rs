//! The slots of a job.

use super::Slot;

/// A job that has slots, or wants some.
#[derive(Clone, Debug)]
pub(super) struct Holding {
    pub name: String,
    pub slots: Vec<Option<Slot>>,
    /// The last reported shortage, and whether it is permanent.
    pub told: Option<(String, bool)>,
    /// How many it would make use of, and what it was offered.
    pub wish: Option<(u32, Option<u32>)>,
}

impl Holding {
    /// What is missing, for people.
    pub fn short(&self, missing: usize, (all, free): (u32, u32), hanging: usize) -> String {
        let needed = self.slots.len();
        let slots = if needed == 1 { "slot" } else { "slots" };
        let has = match needed - missing {
            0 => String::new(),
            has => format!(" and has {has} of them"),
        };
        let hanging = match hanging {
            0 => String::new(),
            n => format!(" ({n} more are lost to tasks that do not end)"),
        };
        format!(
            "NoResourceAvailableException: Could not acquire the minimum required resources: job '{}' needs {needed} {slots} \
             (its largest parallelism){has}, the cluster has {all}{hanging}, of which {free} are free; lower \
             'parallelism.default' or raise 'taskmanager.numberOfTaskSlots'",
            self.name
        )
    }
}
