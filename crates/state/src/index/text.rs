//! Numbers for strings.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::buffer::NullBuffer;
use flott_types::{Error, Result};

use super::bytes::{BytesIndex, hash_bytes};
use super::{NO_SLOT, Slots};

/// A string column whose values are numbered for as long as keys refer to them.
#[derive(Default, Debug)]
pub(crate) struct TextColumn {
    index: BytesIndex,
    numbers: Slots,
    /// By number: how many keys refer to it.
    references: Vec<u32>,
    /// The current batch; arbitrary where it is NULL, [`UNKNOWN`] for a string that no key refers to.
    values: Vec<i64>,
    nulls: Option<NullBuffer>,
}

/// Stands for a string without a number.
const UNKNOWN: i64 = NO_SLOT as i64;

impl TextColumn {
    /// Loads a batch. With `intern`, new strings get numbers; the keys that bring them then refer to them.
    pub fn load(&mut self, column: &ArrayRef, rows: usize, intern: bool) -> Result<()> {
        let texts = column.as_string_opt::<i32>().filter(|texts| texts.len() == rows);
        let texts = texts.ok_or_else(|| {
            let found = column.data_type();
            Error::internal(format!(
                "a column of {rows} strings was expected, not {} of {found}",
                column.len()
            ))
        })?;
        self.nulls = texts.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        self.values.clear();
        // The same string often comes several times in a row: a day, a type.
        let mut last: Option<(&str, i64)> = None;
        for text in texts {
            let Some(text) = text else {
                self.values.push(UNKNOWN);
                continue;
            };
            let number = match last {
                Some((before, number)) if before == text => number,
                _ => self.number(text.as_bytes(), intern)?,
            };
            last = Some((text, number));
            self.values.push(number);
        }
        Ok(())
    }

    fn number(&mut self, text: &[u8], intern: bool) -> Result<i64> {
        let hash = hash_bytes(text);
        Ok(match self.index.find(hash, text) {
            Some(number) => number.into(),
            None if !intern => UNKNOWN,
            None => {
                let number = self.numbers.take()?;
                self.index.insert(hash, text, number);
                if number as usize >= self.references.len() {
                    self.references.resize(number as usize + 1, 0);
                }
                number.into()
            }
        })
    }

    /// The number of a row of the batch; `None` is NULL.
    #[inline]
    pub fn get(&self, row: usize) -> Option<i64> {
        let null = self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        (!null).then(|| self.values[row])
    }

    /// The numbers of a batch that has no NULLs.
    #[inline]
    pub fn all(&self) -> Option<&[i64]> {
        self.nulls.is_none().then_some(&self.values)
    }

    /// One more key refers to a string.
    pub fn acquire(&mut self, number: i64) {
        self.references[number as usize] += 1;
    }

    /// One key fewer refers to a string. A string without keys is forgotten.
    pub fn release(&mut self, number: i64) {
        let references = &mut self.references[number as usize];
        *references -= 1;
        if *references == 0 {
            self.index.remove(number as u32);
            self.numbers.release(number as u32);
        }
    }

    /// The size of a string in bytes.
    pub fn bytes_of(&self, number: i64) -> usize {
        self.index.bytes(number as u32).len()
    }

    /// The strings with these numbers.
    pub fn column_of(&self, numbers: impl Iterator<Item = Option<i64>>) -> Result<ArrayRef> {
        let mut texts = StringBuilder::with_capacity(numbers.size_hint().0, 0);
        let mut last: Option<(i64, &str)> = None;
        for number in numbers {
            let Some(number) = number else {
                texts.append_null();
                continue;
            };
            let text = match last {
                Some((before, text)) if before == number => text,
                _ => std::str::from_utf8(self.index.bytes(number as u32))
                    .map_err(|error| Error::internal("a string of state is damaged").with_source(error))?,
            };
            last = Some((number, text));
            texts.append_value(text);
        }
        Ok(Arc::new(texts.finish()))
    }

    /// Forgets all strings, but keeps the memory.
    pub fn clear(&mut self) {
        self.index.clear();
        self.numbers = Slots::default();
        self.references.clear();
    }

    pub fn memory(&self) -> usize {
        self.index.memory()
            + self.numbers.memory()
            + self.references.capacity() * 4
            + self.values.capacity() * 8
    }
}
