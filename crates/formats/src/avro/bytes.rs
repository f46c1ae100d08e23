//! Avro's primitives, from bytes.

use crate::bad::Bad;
use crate::bytes::{ends, varint, zigzag};

/// The bytes that were not read yet.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Bytes(bytes)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Bad> {
        match self.0.split_at_checked(count) {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(taken)
            }
            None => Err(ends()),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Bad> {
        match self.0.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(*taken)
            }
            None => Err(ends()),
        }
    }

    pub(super) fn boolean(&mut self) -> Result<bool, Bad> {
        let [byte] = self.array()?;
        Ok(byte != 0)
    }

    pub(super) fn float(&mut self) -> Result<f32, Bad> {
        self.array().map(f32::from_le_bytes)
    }

    pub(super) fn double(&mut self) -> Result<f64, Bad> {
        self.array().map(f64::from_le_bytes)
    }

    /// A number of variable length, in zigzag.
    #[inline]
    pub(super) fn long(&mut self) -> Result<i64, Bad> {
        let (value, rest) = varint(self.0)?;
        self.0 = rest;
        Ok(zigzag(value))
    }

    pub(super) fn int(&mut self) -> Result<i32, Bad> {
        let long = self.long()?;
        i32::try_from(long).map_err(|_| Bad::new(format!("{long} is no int")))
    }

    /// Bytes with their length.
    #[inline]
    pub(super) fn sized(&mut self) -> Result<&'a [u8], Bad> {
        let length = self.long()?;
        let count = usize::try_from(length).map_err(|_| Bad::new(format!("{length} is no length")))?;
        self.take(count)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Bad> {
        std::str::from_utf8(self.sized()?).map_err(|_| Bad::new("a text is not UTF-8"))
    }

    /// How many items follow of an array or a map; none at its end. Also how many bytes they take, where that
    /// is said.
    pub(super) fn block(&mut self) -> Result<(usize, Option<usize>), Bad> {
        let (items, size) = self.any_block()?;
        // Nothing that has a column takes no bytes at all.
        if items > self.0.len() {
            return Err(Bad::new(format!("{items} items in {} bytes", self.0.len())));
        }
        Ok((items, size))
    }

    /// As [`Bytes::block`], of items that may take no bytes.
    pub(super) fn any_block(&mut self) -> Result<(usize, Option<usize>), Bad> {
        let count = self.long()?;
        let size = if count < 0 { Some(self.length()?) } else { None };
        Ok((usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX), size))
    }

    fn length(&mut self) -> Result<usize, Bad> {
        let length = self.long()?;
        usize::try_from(length).map_err(|_| Bad::new(format!("{length} is no length")))
    }

    /// The number of a branch of a union, or of a symbol of an enum.
    pub(super) fn index(&mut self) -> Result<usize, Bad> {
        let index = self.long()?;
        usize::try_from(index).map_err(|_| Bad::new(format!("{index} is no branch of a union or enum")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let long = |bytes: &[u8]| Bytes::new(bytes).long().map_err(|bad| bad.to_string());
        assert_eq!(long(&[0]), Ok(0));
        assert_eq!(long(&[1]), Ok(-1));
        assert_eq!(long(&[0x80, 0x01]), Ok(64));
        assert_eq!(long(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), Ok(i64::MIN));
        assert_eq!(long(&[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), Ok(i64::MAX));
        assert!(long(&[0x80]).unwrap_err().contains("end in the middle"));
        assert!(long(&[0xff; 11]).unwrap_err().contains("more than ten bytes"));
    }
}
