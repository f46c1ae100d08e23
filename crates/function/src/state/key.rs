//! Keys, and how they are extracted from records.

use std::hash::Hash;

use flott_batch::Record;
use flott_types::Result;

use super::KeyTable;
use flott_values::key_hash;

/// What a key must be: a record that can be copied and compared. Equal keys must serialise alike.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "a key must be `Serialize + Deserialize + Clone + Eq + Hash + Send`",
    note = "floating-point numbers are not `Eq`; use their bits, or a decimal"
)]
pub trait Key: Record + Clone + Eq + Hash {}

// As for records: the error for a type that lacks something says what keys are.
#[diagnostic::do_not_recommend]
impl<K: Record + Clone + Eq + Hash> Key for K {}

/// How the keys of records are extracted, a batch at a time: one virtual call per batch, direct calls within.
pub trait KeyBy<K, T>: Send + Sync {
    /// The hash that decides the key group of each value.
    fn hash(&self, values: &[T], hashes: &mut Vec<u64>) -> Result<()>;

    /// Finds or creates the slot of each value's key.
    fn intern(
        &self,
        values: &[T],
        hashes: &[u64],
        table: &mut KeyTable<K>,
        slots: &mut Vec<u32>,
    ) -> Result<()>;
}

/// A key that is computed.
pub struct ByValue<F>(pub F);

/// A key that is part of the record, and copied only when it is new.
pub struct ByRef<F>(pub F);

impl<K: Key, T, F: Fn(&T) -> K + Send + Sync> KeyBy<K, T> for ByValue<F> {
    fn hash(&self, values: &[T], hashes: &mut Vec<u64>) -> Result<()> {
        for value in values {
            hashes.push(key_hash(&(self.0)(value))?);
        }
        Ok(())
    }

    fn intern(
        &self,
        values: &[T],
        hashes: &[u64],
        table: &mut KeyTable<K>,
        slots: &mut Vec<u32>,
    ) -> Result<()> {
        for (value, hash) in values.iter().zip(hashes) {
            slots.push(table.intern_owned(*hash, (self.0)(value))?);
        }
        Ok(())
    }
}

impl<K: Key, T, F: Fn(&T) -> &K + Send + Sync> KeyBy<K, T> for ByRef<F> {
    fn hash(&self, values: &[T], hashes: &mut Vec<u64>) -> Result<()> {
        for value in values {
            hashes.push(key_hash((self.0)(value))?);
        }
        Ok(())
    }

    fn intern(
        &self,
        values: &[T],
        hashes: &[u64],
        table: &mut KeyTable<K>,
        slots: &mut Vec<u32>,
    ) -> Result<()> {
        for (value, hash) in values.iter().zip(hashes) {
            slots.push(table.intern(*hash, (self.0)(value))?);
        }
        Ok(())
    }
}
