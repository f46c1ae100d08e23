//! The rows of a key, of all its states, as bytes.
//!
//! ```text
//! value   when the key expires (8 bytes), then for each state in the order in which the table first met them:
//!         number of rows, then the rows
//! row     state of the row (see [`RowState`]), length, bytes (encoded by the state)
//! ```
//!
//! Numbers are of 7 bits a byte, the lowest first.

use std::ops::Range;

use flott_types::{Error, Result, Timestamp};

/// How many bytes the time has at which a key expires.
const EXPIRY: usize = size_of::<Timestamp>();

/// What a checkpoint must do with a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowState {
    /// The last snapshot has it, in this form or an older one.
    pub persisted: bool,
    /// It is new or changed since the last snapshot.
    pub dirty: bool,
    /// It was removed since the last snapshot, and the next one must delete it.
    pub deleted: bool,
}

impl RowState {
    fn to_byte(self) -> u8 {
        u8::from(self.persisted) | u8::from(self.dirty) << 1 | u8::from(self.deleted) << 2
    }

    fn of_byte(byte: u8) -> Self {
        RowState { persisted: byte & 1 != 0, dirty: byte & 2 != 0, deleted: byte & 4 != 0 }
    }

    /// After a snapshot that has it.
    fn after_snapshot(self) -> Self {
        RowState { persisted: true, dirty: false, deleted: false }
    }

    /// What is left of it after a snapshot that has it; `None` if the snapshot deleted it.
    fn now(self, snapshot_was_taken: bool) -> Option<Self> {
        match snapshot_was_taken {
            true => (!self.deleted).then(|| self.after_snapshot()),
            false => Some(self),
        }
    }
}

/// The rows of one state, by the position of their keys.
#[derive(Default, Debug)]
struct OfState {
    /// Ascending by key: position of the key, state, where its bytes are.
    rows: Vec<(u32, RowState, Range<usize>)>,
    bytes: Vec<u8>,
}

/// The rows of keys that leave memory, state by state. Keys are known by their position.
#[derive(Debug)]
pub struct Spilled<'a> {
    /// The states that the table has met; a state's place in values is here.
    names: &'a mut Vec<String>,
    states: Vec<OfState>,
}

impl<'a> Spilled<'a> {
    pub(super) fn new(names: &'a mut Vec<String>) -> Self {
        let states = names.iter().map(|_| OfState::default()).collect();
        Spilled { names, states }
    }

    /// The number of a state.
    pub fn state(&mut self, name: &str) -> usize {
        if let Some(at) = self.names.iter().position(|known| known == name) {
            return at;
        }
        self.names.push(name.to_owned());
        self.states.push(OfState::default());
        self.names.len() - 1
    }

    /// Adds a row of a state. The positions of keys ascend.
    pub fn push(&mut self, state: usize, key: u32, row: RowState, bytes: &[u8]) {
        let of = &mut self.states[state];
        let start = of.bytes.len();
        of.bytes.extend_from_slice(bytes);
        of.rows.push((key, row, start..of.bytes.len()));
    }

    /// The values of all keys, in order; `expiry` is when each expires.
    pub(super) fn values(&self, expiry: &[Timestamp], mut each: impl FnMut(usize, &[u8])) {
        let mut next = vec![0; self.states.len()];
        let mut value = Vec::new();
        for (key, expiry) in expiry.iter().enumerate() {
            value.clear();
            value.extend_from_slice(&expiry.to_le_bytes());
            for (of, next) in self.states.iter().zip(&mut next) {
                let rest = &of.rows[*next..];
                let rows = rest.iter().take_while(|(owner, _, _)| *owner as usize == key).count();
                put_number(&mut value, rows);
                for (_, state, bytes) in &rest[..rows] {
                    value.push(state.to_byte());
                    put_number(&mut value, bytes.len());
                    value.extend_from_slice(&of.bytes[bytes.clone()]);
                }
                *next += rows;
            }
            each(key, &value);
        }
    }
}

/// The rows of keys that come back, state by state.
#[derive(Debug)]
pub struct Fetched<'a> {
    names: &'a [String],
    /// The slots of the keys.
    slots: Vec<u32>,
    states: Vec<OfState>,
}

impl<'a> Fetched<'a> {
    pub(super) fn new(names: &'a [String]) -> Self {
        let states = names.iter().map(|_| OfState::default()).collect();
        Fetched { names, slots: Vec::new(), states }
    }

    /// Adds a key by its slot and value. `known` is whether a snapshot was taken since it was written: it has
    /// deleted what was to be deleted.
    pub(super) fn push(&mut self, slot: u32, value: &[u8], known: bool) -> Result<()> {
        let position = self.slots.len() as u32;
        self.slots.push(slot);
        let states = &mut self.states;
        each_row(value, |state, row, bytes| {
            let of = states.get_mut(state).ok_or_else(damaged)?;
            let Some(row) = row.now(known) else { return Ok(()) };
            let start = of.bytes.len();
            of.bytes.extend_from_slice(bytes);
            of.rows.push((position, row, start..of.bytes.len()));
            Ok(())
        })
    }

    /// The slots of the keys.
    pub fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// The rows of a state: the slot of each one's key, what a checkpoint must do with it, and its bytes.
    pub fn rows(&self, name: &str) -> impl ExactSizeIterator<Item = (u32, RowState, &[u8])> + Clone {
        let of = self.names.iter().position(|known| known == name).map(|at| &self.states[at]);
        let (rows, all) = of.map_or((&[][..], &[][..]), |of| (of.rows.as_slice(), of.bytes.as_slice()));
        rows.iter().map(|(key, row, bytes)| (self.slots[*key as usize], *row, &all[bytes.clone()]))
    }
}

/// When the key of a value expires.
pub(super) fn expiry_of(value: &[u8]) -> Result<Timestamp> {
    value.first_chunk().map(|bytes| Timestamp::from_le_bytes(*bytes)).ok_or_else(damaged)
}

/// Calls `each` with the number of the state, the state and the bytes of each row of a value.
pub(super) fn each_row(
    value: &[u8],
    mut each: impl FnMut(usize, RowState, &[u8]) -> Result<()>,
) -> Result<()> {
    let (mut value, mut state) = (value.get(EXPIRY..).ok_or_else(damaged)?, 0);
    while !value.is_empty() {
        for _ in 0..take_number(&mut value)? {
            let row = RowState::of_byte(*value.split_off_first().ok_or_else(damaged)?);
            let len = take_number(&mut value)?;
            let bytes = value.split_off(..len).ok_or_else(damaged)?;
            each(state, row, bytes)?;
        }
        state += 1;
    }
    Ok(())
}

fn put_number(into: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn take_number(from: &mut &[u8]) -> Result<usize> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = *from.split_off_first().ok_or_else(damaged)?;
        number |= usize::from(byte & 0x7f).checked_shl(shift).ok_or_else(damaged)?;
        if byte < 0x80 {
            return Ok(number);
        }
        shift += 7;
    }
}

fn damaged() -> Error {
    Error::internal("a value of spilled state has another form")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_hold_the_rows_of_their_key() {
        let state = |persisted, dirty, deleted| RowState { persisted, dirty, deleted };
        let (persisted, dirty) = (state(true, false, false), state(false, true, false));
        let deleted = state(true, true, true);
        let long = vec![7; 300];
        let mut names = vec!["a".to_owned()];
        let mut spilled = Spilled::new(&mut names);
        let b = spilled.state("b");
        spilled.push(0, 0, persisted, b"x");
        spilled.push(0, 2, dirty, b"");
        spilled.push(b, 1, dirty, &long);
        spilled.push(b, 2, persisted, b"y");
        spilled.push(b, 2, dirty, b"z");
        spilled.push(b, 3, deleted, b"gone");
        let mut values = Vec::new();
        spilled.values(&[1, 2, 3, 4], |_, value| values.push(value.to_vec()));
        assert_eq!(expiry_of(&values[2]).unwrap(), 3);
        let mut fetched = Fetched::new(&names);
        fetched.push(20, &values[2], false).unwrap();
        fetched.push(10, &values[1], true).unwrap();
        fetched.push(30, &values[3], false).unwrap();
        assert_eq!(fetched.rows("b").last(), Some((30, deleted, &b"gone"[..])));
        fetched.push(40, &values[3], true).unwrap();
        assert_eq!(fetched.rows("a").collect::<Vec<_>>(), [(20, dirty, &b""[..])]);
        let rows: Vec<_> = fetched.rows("b").collect();
        let known =
            [(20, persisted, &b"y"[..]), (20, dirty, b"z"), (10, persisted, &long), (30, deleted, b"gone")];
        assert_eq!(rows, known, "what a snapshot has deleted does not come back");
        assert_eq!(fetched.rows("c").len(), 0);
        assert!(fetched.push(1, &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 5, 1], false).is_err());
    }
}
