//! The entries of each key: in any order, or sorted.

use std::cmp::Ordering;

/// A longer sorted list is split in two, so that an insertion never moves more than this many numbers.
const CHUNK: usize = 256;
/// An empty list keeps memory for this many entries: its key, or another in the same slot, will need it
/// again.
const WORTH_KEEPING: usize = 16;
/// How many bytes of lists there are for each entry, about: lists of one entry have room for four.
const PER_ENTRY: usize = 8;

/// For each key a list of its entries.
#[derive(Debug)]
pub(crate) enum Lists {
    /// In any order; `position` is where in its list each entry is.
    Bag { of_key: Vec<Bag>, position: Vec<u32>, entries: usize },
    /// Ascending by the caller's comparison.
    Sorted { of_key: Vec<SortedList>, entries: usize },
}

/// Entries in any order. Few of them need no memory of their own.
#[derive(Debug)]
pub(crate) enum Bag {
    Few { entries: [u32; FEW], len: u8 },
    Many(Vec<u32>),
}

/// As many as fit beside what a longer list needs.
const FEW: usize = 3;

impl Default for Bag {
    fn default() -> Self {
        Bag::Few { entries: [0; FEW], len: 0 }
    }
}

impl Bag {
    #[inline]
    fn entries(&self) -> &[u32] {
        match self {
            Bag::Few { entries, len } => &entries[..usize::from(*len)],
            Bag::Many(entries) => entries,
        }
    }

    #[inline]
    fn push(&mut self, entry: u32) {
        match self {
            Bag::Few { entries, len } => match entries.get_mut(usize::from(*len)) {
                Some(place) => {
                    *place = entry;
                    *len += 1;
                }
                None => {
                    let mut many = Vec::with_capacity(2 * FEW + 2);
                    many.extend_from_slice(entries);
                    many.push(entry);
                    *self = Bag::Many(many);
                }
            },
            Bag::Many(entries) => entries.push(entry),
        }
    }

    /// Removes the entry at a place; the last one takes it.
    fn swap_remove(&mut self, at: usize) {
        match self {
            Bag::Few { entries, len } => {
                *len -= 1;
                entries[at] = entries[usize::from(*len)];
            }
            Bag::Many(entries) => {
                entries.swap_remove(at);
                give_back(entries);
            }
        }
    }
}

/// One or more chunks, none of them empty unless it is the only one.
#[derive(Debug)]
pub(crate) enum SortedList {
    Small(Vec<u32>),
    Large { chunks: Vec<Vec<u32>>, len: usize },
}

impl Default for SortedList {
    fn default() -> Self {
        SortedList::Small(Vec::new())
    }
}

impl Lists {
    pub fn bag() -> Self {
        Lists::Bag { of_key: Vec::new(), position: Vec::new(), entries: 0 }
    }

    pub fn sorted() -> Self {
        Lists::Sorted { of_key: Vec::new(), entries: 0 }
    }

    /// The entries of a key in consecutive parts: a list, and those behind it.
    #[inline]
    pub fn parts(&self, key: u32) -> (&[u32], &[Vec<u32>]) {
        match self {
            Lists::Bag { of_key, .. } => (of_key.get(key as usize).map_or(&[], Bag::entries), &[]),
            Lists::Sorted { of_key, .. } => match of_key.get(key as usize) {
                Some(SortedList::Small(list)) => (list, &[]),
                Some(SortedList::Large { chunks, .. }) => (&[], chunks),
                None => (&[], &[]),
            },
        }
    }

    pub fn len(&self, key: u32) -> usize {
        match self {
            Lists::Bag { of_key, .. } => of_key.get(key as usize).map_or(0, |list| list.entries().len()),
            Lists::Sorted { of_key, .. } => of_key.get(key as usize).map_or(0, SortedList::len),
        }
    }

    /// Adds an entry that is not there. `order(other)` is how another entry compares to it.
    pub fn insert(&mut self, key: u32, entry: u32, order: impl Fn(u32) -> Ordering) {
        match self {
            Lists::Bag { of_key, position, entries } => {
                *entries += 1;
                let list = at_key(of_key, key);
                if entry as usize >= position.len() {
                    position.resize(entry as usize + 1, 0);
                }
                position[entry as usize] = list.entries().len() as u32;
                list.push(entry);
            }
            Lists::Sorted { of_key, entries } => {
                *entries += 1;
                at_key(of_key, key).insert(entry, order);
            }
        }
    }

    /// Removes an entry that is there.
    pub fn remove(&mut self, key: u32, entry: u32, order: impl Fn(u32) -> Ordering) {
        match self {
            Lists::Bag { of_key, position, entries } => {
                *entries -= 1;
                let (list, at) = (&mut of_key[key as usize], position[entry as usize]);
                list.swap_remove(at as usize);
                if let Some(moved) = list.entries().get(at as usize) {
                    position[*moved as usize] = at;
                }
            }
            Lists::Sorted { of_key, entries } => {
                *entries -= 1;
                of_key[key as usize].remove(order);
            }
        }
    }

    /// Where in the sorted list of a key an entry is or would be.
    pub fn rank(&self, key: u32, order: impl Fn(u32) -> Ordering) -> usize {
        let before = |list: &[u32]| list.partition_point(|other| order(*other) == Ordering::Less);
        let (first, parts) = self.parts(key);
        if parts.is_empty() {
            return before(first);
        }
        let part = part_of(parts, &order);
        let ahead: usize = parts[..part].iter().map(Vec::len).sum();
        ahead + parts.get(part).map_or(0, |part| before(part))
    }

    /// About as much as it is: lists are not asked one by one.
    pub fn memory(&self) -> usize {
        match self {
            Lists::Bag { of_key, position, entries } => {
                of_key.capacity() * size_of::<Bag>() + position.capacity() * 4 + entries * PER_ENTRY
            }
            Lists::Sorted { of_key, entries } => {
                of_key.capacity() * size_of::<SortedList>() + entries * PER_ENTRY
            }
        }
    }
}

/// Frees the memory of a list that was long and is now empty.
fn give_back(list: &mut Vec<u32>) {
    if list.is_empty() && list.capacity() > WORTH_KEEPING {
        *list = Vec::new();
    }
}

fn at_key<T: Default>(of_key: &mut Vec<T>, key: u32) -> &mut T {
    if key as usize >= of_key.len() {
        of_key.resize_with(key as usize + 1, T::default);
    }
    &mut of_key[key as usize]
}

/// The part in which an entry is or would be: the first whose last entry is not less, or the last part.
fn part_of(parts: &[Vec<u32>], order: &impl Fn(u32) -> Ordering) -> usize {
    let less = |part: &Vec<u32>| part.last().is_some_and(|last| order(*last) == Ordering::Less);
    parts.partition_point(less).min(parts.len().saturating_sub(1))
}

/// Where a new entry goes in a sorted list: usually at the end, as with rows in the order of time.
fn place_in(list: &[u32], order: &impl Fn(u32) -> Ordering) -> usize {
    match list.last() {
        Some(last) if order(*last) == Ordering::Less => list.len(),
        _ => list.partition_point(|other| order(*other) == Ordering::Less),
    }
}

impl SortedList {
    fn len(&self) -> usize {
        match self {
            SortedList::Small(list) => list.len(),
            SortedList::Large { len, .. } => *len,
        }
    }

    fn insert(&mut self, entry: u32, order: impl Fn(u32) -> Ordering) {
        match self {
            SortedList::Small(list) => {
                list.insert(place_in(list, &order), entry);
                if list.len() > CHUNK {
                    let upper = list.split_off(CHUNK / 2);
                    let chunks = vec![std::mem::take(list), upper];
                    *self = SortedList::Large { chunks, len: CHUNK + 1 };
                }
            }
            SortedList::Large { chunks, len } => {
                let at = part_of(chunks, &order);
                let chunk = &mut chunks[at];
                chunk.insert(place_in(chunk, &order), entry);
                *len += 1;
                if chunk.len() > CHUNK {
                    let upper = chunk.split_off(CHUNK / 2);
                    chunks.insert(at + 1, upper);
                }
            }
        }
    }

    fn remove(&mut self, order: impl Fn(u32) -> Ordering) {
        let at_in = |list: &Vec<u32>| list.partition_point(|other| order(*other) == Ordering::Less);
        match self {
            SortedList::Small(list) => {
                list.remove(at_in(list));
                give_back(list);
            }
            SortedList::Large { chunks, len } => {
                let at = part_of(chunks, &order);
                let chunk = &mut chunks[at];
                chunk.remove(at_in(chunk));
                *len -= 1;
                if chunk.is_empty() {
                    chunks.remove(at);
                }
                if let [_] = chunks.as_slice() {
                    *self = SortedList::Small(chunks.pop().unwrap_or_default());
                }
            }
        }
    }
}
