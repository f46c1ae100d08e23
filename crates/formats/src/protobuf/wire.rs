//! The parts of a message: tags, and what stands behind them.

use std::ops::Range;

use crate::bad::Bad;
use crate::bytes::{self, ends};

/// Groups within groups are followed as deep as this.
const DEEPEST: usize = 100;

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    Varint,
    Fixed64,
    Sized,
    Fixed32,
}

/// A field of a message: its number, and where its value is.
pub(super) struct Part {
    pub(super) number: u32,
    pub(super) form: Form,
    /// Without the length.
    pub(super) value: Range<usize>,
}

/// The parts of a message, one after the other.
pub(super) struct Parts<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Parts<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Parts { message, at: 0 }
    }

    /// The next part; those of groups, which nobody has had for long, are passed over.
    pub(super) fn next(&mut self) -> Result<Option<Part>, Bad> {
        self.next_within(0)
    }

    fn next_within(&mut self, depth: usize) -> Result<Option<Part>, Bad> {
        loop {
            if self.at >= self.message.len() {
                return Ok(None);
            }
            let tag = varint(self.message, &mut self.at)?;
            let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0);
            let number = number.ok_or_else(|| Bad::new(format!("{} is no number of a field", tag >> 3)))?;
            let (form, length) = match tag & 7 {
                0 => {
                    let begin = self.at;
                    varint(self.message, &mut self.at)?;
                    return Ok(Some(Part { number, form: Form::Varint, value: begin..self.at }));
                }
                1 => (Form::Fixed64, 8),
                2 => {
                    let length = varint(self.message, &mut self.at)?;
                    (Form::Sized, usize::try_from(length).map_err(|_| ends())?)
                }
                3 if depth < DEEPEST => {
                    self.pass_group(number, depth + 1)?;
                    continue;
                }
                5 => (Form::Fixed32, 4),
                other => return Err(Bad::new(format!("{other} is no form of a field"))),
            };
            let end =
                self.at.checked_add(length).filter(|end| *end <= self.message.len()).ok_or_else(ends)?;
            let value = self.at..end;
            self.at = end;
            return Ok(Some(Part { number, form, value }));
        }
    }

    fn pass_group(&mut self, number: u32, depth: usize) -> Result<(), Bad> {
        loop {
            let mut ahead = self.at;
            if self.at >= self.message.len() {
                return Err(ends());
            }
            let tag = varint(self.message, &mut ahead)?;
            if tag == u64::from(number) << 3 | 4 {
                self.at = ahead;
                return Ok(());
            }
            self.next_within(depth)?;
        }
    }
}

/// A number of variable length; `at` is behind it then.
#[inline]
pub(super) fn varint(bytes: &[u8], at: &mut usize) -> Result<u64, Bad> {
    let rest = bytes.get(*at..).unwrap_or_default();
    let (value, behind) = bytes::varint(rest)?;
    *at += rest.len() - behind.len();
    Ok(value)
}
