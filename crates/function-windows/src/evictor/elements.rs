//! The elements of a window, as an evictor sees them.

use flott_types::Timestamp;

/// The elements of a window in the order of their arrival, each with its timestamp.
pub struct WindowElements<'a, T> {
    pub(crate) values: &'a mut Vec<T>,
    /// [`Timestamp::MIN`] for elements without one.
    pub(crate) timestamps: &'a mut Vec<Timestamp>,
    /// Whether some were removed.
    pub(crate) changed: &'a mut bool,
}

/// [`Timestamp::MIN`] means none.
pub(crate) fn known(timestamp: Timestamp) -> Option<Timestamp> {
    (timestamp != Timestamp::MIN).then_some(timestamp)
}

impl<T> WindowElements<'_, T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The elements with their timestamps.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&T, Option<Timestamp>)> {
        self.values.iter().zip(self.timestamps.iter().map(|timestamp| known(*timestamp)))
    }

    /// Removes the first ones.
    pub fn remove_first(&mut self, count: usize) {
        let count = count.min(self.values.len());
        if count > 0 {
            self.values.drain(..count);
            self.timestamps.drain(..count);
            *self.changed = true;
        }
    }

    /// Keeps those that the function accepts.
    pub fn retain(&mut self, mut keep: impl FnMut(&T, Option<Timestamp>) -> bool) {
        let before = self.values.len();
        let kept: Vec<bool> = self.iter().map(|(value, timestamp)| keep(value, timestamp)).collect();
        let mut of_values = kept.iter();
        self.values.retain(|_| of_values.next() == Some(&true));
        let mut of_timestamps = kept.iter();
        self.timestamps.retain(|_| of_timestamps.next() == Some(&true));
        *self.changed |= self.values.len() != before;
    }
}
