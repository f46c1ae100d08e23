//! A result with its changes applied.
//!
//! Rows stay in the order of their arrival, and an update takes the place of the row that it replaces, so
//! that a table that is redrawn does not jump. A retraction finds its row by hash, not by search: an
//! aggregation over many keys retracts one row for each that it adds.

use std::hash::BuildHasher;

use flott::batch::RowKind;
use flott::types::FastMap;

/// The current rows.
pub(crate) struct Materialized {
    /// `None` where a row was retracted.
    rows: Vec<Option<Vec<String>>>,
    /// Where the rows of a hash are.
    places: FastMap<u64, Vec<usize>>,
    len: usize,
    max: usize,
    forgotten: u64,
    /// Rows before this one are gone.
    first: usize,
    /// The position of the row that is being updated.
    vacant: Option<usize>,
}

impl Materialized {
    /// No rows yet, and never more than `max`.
    pub fn new(max: usize) -> Self {
        let (rows, places) = Default::default();
        Materialized { rows, places, len: 0, max, forgotten: 0, first: 0, vacant: None }
    }

    /// Applies a change. The retraction of a row that was forgotten changes nothing.
    pub fn apply(&mut self, kind: RowKind, row: Vec<String>) {
        match kind.is_addition() {
            true => self.add(kind, row),
            false => self.remove(kind, &row),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many rows were dropped.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The rows, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Vec<String>> {
        self.rows.iter().flatten()
    }

    fn add(&mut self, kind: RowKind, row: Vec<String>) {
        let hash = self.hash(&row);
        let at = match self.vacant.take().filter(|_| kind == RowKind::UpdateAfter) {
            Some(at) => at,
            None => {
                self.rows.push(None);
                self.rows.len() - 1
            }
        };
        self.rows[at] = Some(row);
        self.places.entry(hash).or_default().push(at);
        self.len += 1;
        if self.len > self.max {
            self.forget_first();
        }
        if self.rows.len() > 2 * self.len + 1_024 {
            self.close_gaps();
        }
    }

    fn remove(&mut self, kind: RowKind, row: &Vec<String>) {
        let hash = self.hash(row);
        let Some(places) = self.places.get_mut(&hash) else { return };
        let Some(index) = places.iter().rposition(|at| self.rows[*at].as_ref() == Some(row)) else { return };
        let at = places.remove(index);
        if places.is_empty() {
            self.places.remove(&hash);
        }
        self.rows[at] = None;
        self.len -= 1;
        self.vacant = (kind == RowKind::UpdateBefore).then_some(at);
    }

    fn forget_first(&mut self) {
        while self.rows.get(self.first).is_some_and(Option::is_none) {
            self.first += 1;
        }
        if let Some(row) = self.rows.get(self.first).cloned().flatten() {
            self.remove(RowKind::Delete, &row);
            self.forgotten += 1;
        }
    }

    fn close_gaps(&mut self) {
        self.rows.retain(Option::is_some);
        self.first = 0;
        self.vacant = None;
        self.places.clear();
        for at in 0..self.rows.len() {
            if let Some(row) = &self.rows[at] {
                let hash = self.places.hasher().hash_one(row);
                self.places.entry(hash).or_default().push(at);
            }
        }
    }

    fn hash(&self, row: &Vec<String>) -> u64 {
        self.places.hasher().hash_one(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(table: &Materialized) -> Vec<String> {
        table.iter().map(|row| row.join(" ")).collect()
    }

    #[test]
    fn an_update_stays_in_its_place() {
        let mut table = Materialized::new(10);
        let changes = [
            (RowKind::Insert, "a 1"),
            (RowKind::Insert, "b 1"),
            (RowKind::UpdateBefore, "a 1"),
            (RowKind::UpdateAfter, "a 2"),
            (RowKind::Insert, "b 1"),
            (RowKind::Delete, "b 1"),
        ];
        for (kind, text) in changes {
            table.apply(kind, text.split(' ').map(str::to_owned).collect());
        }
        assert_eq!(texts(&table), ["a 2", "b 1"]);
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn it_agrees_with_a_list_over_many_changes() {
        let mut table = Materialized::new(usize::MAX);
        let mut naive: Vec<String> = Vec::new();
        let mut seed = 7_u64;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let text = ((seed >> 33) % 50).to_string();
            if (seed >> 60) < 8 {
                table.apply(RowKind::Insert, vec![text.clone()]);
                naive.push(text);
            } else {
                table.apply(RowKind::Delete, vec![text.clone()]);
                if let Some(at) = naive.iter().rposition(|known| *known == text) {
                    naive.remove(at);
                }
            }
        }
        assert_eq!(texts(&table), naive);
    }
}
