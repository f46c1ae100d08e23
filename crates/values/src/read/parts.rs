//! The parts of a row: elements, entries, fields.

use arrow::buffer::OffsetBuffer;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};

use super::ReadError;
use super::plan::Reader;

type Read<T> = Result<T, ReadError>;

/// Rows of a child column.
pub(super) struct Range {
    at: usize,
    end: usize,
}

impl Range {
    #[inline]
    pub fn of(offsets: &OffsetBuffer<i32>, row: usize) -> Self {
        Range { at: offsets[row] as usize, end: offsets[row + 1] as usize }
    }

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let at = self.at;
        (at < self.end).then(|| {
            self.at += 1;
            at
        })
    }
}

/// The elements of a list.
pub(super) struct Items<'a> {
    pub item: &'a Reader,
    pub range: Range,
}

impl<'a> SeqAccess<'a> for Items<'a> {
    type Error = ReadError;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Read<Option<S::Value>> {
        self.range.next().map(|row| seed.deserialize(self.item.cell(row))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.range.end - self.range.at)
    }
}

/// The entries of a map.
pub(super) struct Entries<'a> {
    pub entry: &'a [Reader; 2],
    pub range: Range,
}

impl<'a> MapAccess<'a> for Entries<'a> {
    type Error = ReadError;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Read<Option<S::Value>> {
        self.range.next().map(|row| seed.deserialize(self.entry[0].cell(row))).transpose()
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Read<S::Value> {
        seed.deserialize(self.entry[1].cell(self.range.at - 1))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.range.end - self.range.at)
    }
}

/// The elements of a tuple.
pub(super) struct Elements<'a> {
    pub rest: std::slice::Iter<'a, Reader>,
    pub row: usize,
}

impl<'a> SeqAccess<'a> for Elements<'a> {
    type Error = ReadError;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Read<Option<S::Value>> {
        self.rest.next().map(|reader| seed.deserialize(reader.cell(self.row))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The fields of a struct, except those that it does not have in this row.
pub(super) struct Fields<'a> {
    pub rest: std::slice::Iter<'a, (String, Reader)>,
    pub value: Option<&'a Reader>,
    pub row: usize,
}

impl<'a> MapAccess<'a> for Fields<'a> {
    type Error = ReadError;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Read<Option<S::Value>> {
        let row = self.row;
        let Some((name, reader)) = self.rest.find(|(_, reader)| !reader.is_missing(row)) else {
            return Ok(None);
        };
        self.value = Some(reader);
        seed.deserialize(BorrowedStrDeserializer::<ReadError>::new(name)).map(Some)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Read<S::Value> {
        match self.value.take() {
            Some(reader) => seed.deserialize(reader.cell(self.row)),
            None => Err(ReadError::new("a value without its name")),
        }
    }
}
