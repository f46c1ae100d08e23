//! Primary keys that several rows have: an error, once event time has moved on. Until then they may be halves of a change
//! that came in another order.

use arrow::array::ArrayRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use flott_plan::Schema;
use flott_types::{Error, FastSet, Result};

use super::Ranked;
use crate::support::{Equality, kernel};

/// The keys that several rows have.
pub(super) struct Conflicts {
    /// The columns of the key, with their names.
    keys: Vec<(usize, String)>,
    crowded: FastSet<u32>,
}

impl Conflicts {
    pub fn new(input: &Schema, keys: &[usize]) -> Self {
        let name = |key: &usize| input.columns.get(*key).map(|column| (*key, column.name.clone()));
        Conflicts { keys: keys.iter().filter_map(name).collect(), crowded: FastSet::default() }
    }

    /// Looks at keys that were touched.
    pub fn note(&mut self, partitions: &[u32], rows: &Ranked) {
        for partition in partitions {
            if rows.rows().len_of(*partition) > 1 {
                self.crowded.insert(*partition);
            } else {
                self.crowded.remove(partition);
            }
        }
    }

    /// Looks at all keys.
    pub fn restore(&mut self, rows: &Ranked) {
        let partitions: Vec<u32> = rows.rows().live().map(|entry| rows.rows().key_of(entry)).collect();
        self.note(&partitions, rows);
    }

    /// Event time has moved on.
    ///
    /// # Errors
    /// If different rows have one key.
    pub fn check(&mut self, rows: &Ranked) -> Result<()> {
        for partition in self.crowded.drain() {
            let entries: Vec<u32> = rows.rows().entries_of(partition).collect();
            let columns = rows.rows_of(&entries)?;
            let same = Equality::new(&columns, &columns);
            if (1..entries.len()).any(|at| !same.equal(0, at)) {
                return Err(Error::data(format!(
                    "Primary key constraint violation: multiple distinct records with the same primary key detected. \
                     Conflicting key: [{}]. Use ON CONFLICT DO NOTHING to keep the first record.",
                    shown(&self.keys, &columns)?
                )));
            }
        }
        Ok(())
    }
}

/// The key of the first row.
fn shown(keys: &[(usize, String)], columns: &[ArrayRef]) -> Result<String> {
    let options = FormatOptions::new().with_null("NULL");
    let mut parts = Vec::with_capacity(keys.len());
    for (key, name) in keys {
        let cells = ArrayFormatter::try_new(&columns[*key], &options).map_err(kernel)?;
        parts.push(format!("{name}={}", cells.value(0)));
    }
    Ok(parts.join(", "))
}
