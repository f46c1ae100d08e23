//! Which rows partial matches have taken.
//!
//! Two representations of the same thing. Where rows follow each other and stages come one after the other,
//! a path is its first row and a count for each stage ([`Run`](crate::Run)). Where rows may be passed over it
//! is a place in a [`Buffer`], which partial matches share: those that have the same rows so far store them
//! once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Keeps the rows of partial matches.
pub trait Paths {
    /// The rows of one of them. It is a reference that must be returned to [`Paths::release`].
    type Path: Clone;

    /// No rows yet; this would be the first one.
    fn start(&mut self, row: u64, time: i64) -> Self::Path;

    /// One row more.
    fn take(&mut self, path: &Self::Path, stage: u32, row: u64) -> Self::Path;

    /// Another reference to the same rows.
    fn share(&mut self, path: &Self::Path) -> Self::Path;

    /// A reference is no longer needed.
    fn release(&mut self, path: Self::Path);

    /// The first or the last row of a stage.
    fn row_of(&self, path: &Self::Path, stage: u32, last: bool) -> Option<u64>;

    /// The first row and the one after the last.
    fn bounds(&self, path: &Self::Path) -> Option<(u64, u64)>;
}

/// Rows of partial matches, each with a link to the row before it. A link belongs to all paths that go
/// through it, and goes with the last of them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Buffer {
    links: Vec<Link>,
    /// Places of links that are no longer needed.
    free: Vec<u32>,
    /// How many links a row has.
    rows: BTreeMap<u64, u32>,
    /// Rows that have lost their last link.
    #[serde(skip)]
    forgotten: Vec<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Link {
    row: u64,
    stage: u32,
    before: Option<u32>,
    /// How many partial matches and links refer to it.
    references: u32,
}

impl Buffer {
    /// The rows of a path with their stages, the last one first.
    pub fn backwards(&self, path: &Option<u32>) -> impl Iterator<Item = (u32, u64)> + use<'_> {
        let mut next = *path;
        std::iter::from_fn(move || {
            let link = self.links.get(next? as usize)?;
            next = link.before;
            Some((link.stage, link.row))
        })
    }

    /// The rows of a path with their stages, in order.
    pub fn in_order(&self, path: &Option<u32>) -> Vec<(u32, u64)> {
        let mut rows: Vec<_> = self.backwards(path).collect();
        rows.reverse();
        rows
    }

    /// Whether a partial match has this row.
    pub fn has(&self, row: u64) -> bool {
        self.rows.contains_key(&row)
    }

    /// The rows that no partial match has any more, since the last call.
    pub fn forgotten(&mut self) -> Vec<u64> {
        let Buffer { rows, forgotten, .. } = self;
        let mut gone = std::mem::take(forgotten);
        gone.retain(|row| !rows.contains_key(row));
        gone
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.links.capacity() * size_of::<Link>() + self.rows.len() * 24
    }
}

impl Paths for Buffer {
    type Path = Option<u32>;

    fn start(&mut self, _: u64, _: i64) -> Option<u32> {
        None
    }

    fn take(&mut self, path: &Option<u32>, stage: u32, row: u64) -> Option<u32> {
        let before = self.share(path);
        let link = Link { row, stage, before, references: 1 };
        *self.rows.entry(row).or_default() += 1;
        match self.free.pop() {
            Some(place) => {
                self.links[place as usize] = link;
                Some(place)
            }
            None => {
                self.links.push(link);
                Some(self.links.len() as u32 - 1)
            }
        }
    }

    fn share(&mut self, path: &Option<u32>) -> Option<u32> {
        if let Some(link) = path.and_then(|place| self.links.get_mut(place as usize)) {
            link.references += 1;
        }
        *path
    }

    fn release(&mut self, path: Option<u32>) {
        let mut next = path;
        while let Some(place) = next {
            let link = &mut self.links[place as usize];
            link.references -= 1;
            if link.references > 0 {
                return;
            }
            next = link.before;
            let row = link.row;
            self.free.push(place);
            if let Some(links) = self.rows.get_mut(&row) {
                *links -= 1;
                if *links == 0 {
                    self.rows.remove(&row);
                    self.forgotten.push(row);
                }
            }
        }
        if self.rows.is_empty() {
            self.links.clear();
            self.free.clear();
        }
    }

    fn row_of(&self, path: &Option<u32>, stage: u32, last: bool) -> Option<u64> {
        let mut rows = self.backwards(path).filter(|(of, _)| *of == stage).map(|(_, row)| row);
        if last { rows.next() } else { rows.last() }
    }

    fn bounds(&self, path: &Option<u32>) -> Option<(u64, u64)> {
        let mut rows = self.backwards(path).map(|(_, row)| row);
        let last = rows.next()?;
        Some((rows.last().unwrap_or(last), last + 1))
    }
}
