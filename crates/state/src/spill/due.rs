//! When keys that are not in memory have timers.
//!
//! An ordered index in the store for each state of timers: for each key that leaves, when its first timer is
//! due. It is read from the front only, as time goes on. An entry is a hint: its key may have come back and
//! left again since, with other timers. Then it comes back once in vain.
//!
//! ```text
//! key     when (8 bytes, so that they sort by time), then the key as the store has it
//! ```

use std::path::PathBuf;

use flott_types::{Error, Result, Timestamp};

use super::Pairs;
use super::merged::Merged;
use super::runs::Runs;

/// How many bytes a time has.
const TIME: usize = size_of::<Timestamp>();

/// The indexes of all states of a table. There are two or three at most.
pub(super) struct Due {
    folder: Option<PathBuf>,
    of_states: Vec<(String, DueKeys)>,
}

impl Due {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Due { folder, of_states: Vec::new() }
    }

    /// The index of a state, if keys with timers of it have left.
    pub fn of(&mut self, state: &str) -> Option<&mut DueKeys> {
        self.of_states.iter_mut().find(|(name, _)| name == state).map(|(_, keys)| keys)
    }

    /// The earliest entry of a state.
    pub fn first(&self, state: &str) -> Option<Timestamp> {
        self.of_states.iter().find(|(name, _)| name == state)?.1.first
    }

    /// Adds keys with their first timers. None is due yet.
    pub fn add<'a>(&mut self, state: &str, keys: impl Iterator<Item = (Timestamp, &'a [u8])>) -> Result<()> {
        let mut entries: Vec<Vec<u8>> = keys.map(|(at, key)| [&sortable(at)[..], key].concat()).collect();
        if entries.is_empty() {
            return Ok(());
        }
        entries.sort_unstable();
        let mut pairs = Pairs::default();
        entries.iter().for_each(|entry| pairs.push(entry, Some(&[])));
        if self.of(state).is_none() {
            let keys = DueKeys { runs: Runs::ordered(self.folder.clone()), from: Vec::new(), first: None };
            self.of_states.push((state.to_owned(), keys));
        }
        match self.of(state) {
            Some(keys) => keys.add(&pairs),
            None => Ok(()),
        }
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.of_states.iter().map(|(_, keys)| keys.runs.memory()).sum()
    }
}

/// The index of one state.
pub(super) struct DueKeys {
    runs: Runs,
    /// All entries before this have been taken.
    from: Vec<u8>,
    /// The earliest entry.
    first: Option<Timestamp>,
}

impl DueKeys {
    fn add(&mut self, pairs: &Pairs) -> Result<()> {
        let earliest = pairs.iter().next().map(|(entry, _)| time_of(entry)).transpose()?;
        self.first = [self.first, earliest].into_iter().flatten().min();
        self.runs.put(pairs)
    }

    /// Takes at most so many of the keys that are due, and until when these are all.
    pub fn take(&mut self, until: Timestamp, most: usize) -> Result<(Vec<Vec<u8>>, Timestamp)> {
        if self.first.is_none_or(|first| first > until) {
            return Ok((Vec::new(), until));
        }
        let mut entries = Merged::new(&self.runs.view(false).runs, &self.from)?;
        let (mut keys, mut reached) = (Vec::new(), until);
        let mut first = None;
        while let Some((entry, _, _)) = entries.entry() {
            let at = time_of(entry)?;
            if at > until {
                first = Some(at);
                break;
            }
            if keys.len() == most {
                (first, reached) = (Some(at), at);
                break;
            }
            keys.push(entry[TIME..].to_vec());
            entries.advance()?;
        }
        // What comes later may be due before what is the first now, but it is not due yet.
        self.from = match entries.entry() {
            Some((entry, _, _)) if reached < until || first == Some(until) => entry.to_vec(),
            Some(_) => sortable(until.saturating_add(1)).to_vec(),
            None => Vec::new(),
        };
        self.first = first;
        match first {
            Some(_) => self.runs.forget_before(&self.from),
            None => self.runs.clear(),
        }
        Ok((keys, reached))
    }
}

/// A time as bytes that sort like times.
fn sortable(at: Timestamp) -> [u8; TIME] {
    (at.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

fn time_of(entry: &[u8]) -> Result<Timestamp> {
    let time = entry.first_chunk().ok_or_else(|| Error::internal("an entry of timers has no time"))?;
    Ok((u64::from_be_bytes(*time) ^ (1 << 63)).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(due: &mut Due, until: Timestamp, most: usize) -> (Vec<String>, Timestamp) {
        let (keys, reached) = due.of("timers").unwrap().take(until, most).unwrap();
        (keys.into_iter().map(|key| String::from_utf8(key).unwrap()).collect(), reached)
    }

    fn texts(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn keys_are_taken_in_order_of_their_times_and_in_parts() {
        let mut due = Due::new(None);
        due.add("timers", [(7, &b"c"[..]), (-3, b"a"), (7, b"b")].into_iter()).unwrap();
        due.add("timers", [(9, &b"d"[..])].into_iter()).unwrap();
        due.add("others", [(1, &b"x"[..])].into_iter()).unwrap();
        assert_eq!((due.first("timers"), due.first("others"), due.first("none")), (Some(-3), Some(1), None));
        assert_eq!(taken(&mut due, -4, 10), (vec![], -4));
        assert_eq!(taken(&mut due, 7, 2), (texts(&["a", "b"]), 7), "there are more at 7");
        assert_eq!(taken(&mut due, 7, 2), (texts(&["c"]), 7));
        assert_eq!(due.first("timers"), Some(9));
        due.add("timers", [(8, &b"e"[..])].into_iter()).unwrap();
        assert_eq!(taken(&mut due, 100, 1), (texts(&["e"]), 9));
        assert_eq!(taken(&mut due, 100, 1), (texts(&["d"]), 100));
        assert_eq!((due.first("timers"), taken(&mut due, 200, 1)), (None, (vec![], 200)));
        due.add("timers", [(Timestamp::MAX, &b"f"[..])].into_iter()).unwrap();
        assert_eq!(taken(&mut due, Timestamp::MAX, 1), (texts(&["f"]), Timestamp::MAX));
    }

    #[test]
    fn what_was_taken_is_not_kept() {
        let mut due = Due::new(None);
        for at in 0..100_i64 {
            let key = at.to_be_bytes();
            due.add("timers", [(at, &key[..])].into_iter()).unwrap();
            let (keys, _) = due.of("timers").unwrap().take(at - 5, 10).unwrap();
            assert_eq!(keys.len(), usize::from(at >= 5));
        }
        let entries = due.of("timers").unwrap().runs.entries();
        assert!((5..40).contains(&entries), "{entries}");
    }
}
