//! What a function is called with.

/// The events of a match, or of a partial one, by the names of their stages (`Map<String, List<T>>` in
/// Flink).
#[derive(Clone, Debug)]
pub struct Match<'a, T> {
    pub(crate) stages: Vec<(&'a str, Vec<&'a T>)>,
}

impl<'a, T> Match<'a, T> {
    /// The events of a stage, in order; none if it is not part of the match.
    pub fn get(&self, stage: &str) -> &[&'a T] {
        self.stages.iter().find(|(name, _)| *name == stage).map_or(&[], |(_, events)| events)
    }

    /// The first event of a stage.
    pub fn first(&self, stage: &str) -> Option<&'a T> {
        self.get(stage).first().copied()
    }

    /// The last event of a stage.
    pub fn last(&self, stage: &str) -> Option<&'a T> {
        self.get(stage).last().copied()
    }

    /// The stages with their events, in the order of their first events.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &[&'a T])> {
        self.stages.iter().map(|(name, events)| (*name, events.as_slice()))
    }

    pub(crate) fn add(&mut self, stage: &'a str, event: &'a T) {
        match self.stages.iter_mut().find(|(name, _)| *name == stage) {
            Some((_, events)) => events.push(event),
            None => self.stages.push((stage, vec![event])),
        }
    }
}
