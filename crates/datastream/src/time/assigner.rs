//! Where the timestamps of events come from.

use std::fmt;
use std::sync::Arc;

use flott_types::Timestamp;

/// A user's function: the timestamp of each event, given its previous one.
type Function<T> = dyn Fn(&[T], Option<&[Timestamp]>) -> Vec<Timestamp> + Send + Sync;

/// Where the timestamps of events come from.
pub struct TimestampAssigner<T>(Kind<T>);

enum Kind<T> {
    /// Events keep their timestamps.
    Recorded,
    /// The clock when they arrive.
    Ingestion,
    /// The event.
    Function(Arc<Function<T>>),
}

impl<T: 'static> TimestampAssigner<T> {
    /// The existing timestamps of events: from the source, or from an earlier assigner.
    pub fn recorded() -> Self {
        TimestampAssigner(Kind::Recorded)
    }

    /// The time at which events arrive.
    pub fn ingestion() -> Self {
        TimestampAssigner(Kind::Ingestion)
    }

    /// A function of the event and its previous timestamp, if it has one.
    pub fn function(assign: impl Fn(&T, Option<Timestamp>) -> Timestamp + Send + Sync + 'static) -> Self {
        let all = move |events: &[T], recorded: Option<&[Timestamp]>| match recorded {
            None => events.iter().map(|event| assign(event, None)).collect(),
            Some(recorded) => {
                events.iter().zip(recorded).map(|(event, at)| assign(event, Some(*at))).collect()
            }
        };
        TimestampAssigner(Kind::Function(Arc::new(all)))
    }

    /// The timestamps of events, given their previous ones; `None` if they have none.
    pub(super) fn assign(
        &self,
        events: &[T],
        recorded: Option<Vec<Timestamp>>,
        now: Timestamp,
    ) -> Option<Vec<Timestamp>> {
        match &self.0 {
            Kind::Recorded => recorded,
            Kind::Ingestion => Some(vec![now; events.len()]),
            Kind::Function(assign) => Some(assign(events, recorded.as_deref())),
        }
    }

    pub(super) fn is_recorded(&self) -> bool {
        matches!(self.0, Kind::Recorded)
    }
}

impl<T> Clone for TimestampAssigner<T> {
    fn clone(&self) -> Self {
        TimestampAssigner(match &self.0 {
            Kind::Recorded => Kind::Recorded,
            Kind::Ingestion => Kind::Ingestion,
            Kind::Function(function) => Kind::Function(function.clone()),
        })
    }
}

impl<T> fmt::Debug for TimestampAssigner<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Recorded => "Recorded",
            Kind::Ingestion => "Ingestion",
            Kind::Function(_) => "Function",
        })
    }
}
