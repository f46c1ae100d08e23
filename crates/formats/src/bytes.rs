//! Numbers in bytes, as several formats have them.

use crate::bad::Bad;

/// A number of variable length, the lowest seven bits first, and the bytes behind it.
#[inline]
pub(crate) fn varint(bytes: &[u8]) -> Result<(u64, &[u8]), Bad> {
    match bytes {
        [byte @ 0..=0x7f, rest @ ..] => Ok((u64::from(*byte), rest)),
        _ => of_several(bytes),
    }
}

fn of_several(bytes: &[u8]) -> Result<(u64, &[u8]), Bad> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if *byte <= 0x7f {
            return Ok((value, bytes.get(at + 1..).unwrap_or_default()));
        }
    }
    Err(if bytes.len() < 10 { ends() } else { Bad::new("a number of more than ten bytes") })
}

/// A number whose lowest bit is its sign.
#[inline]
pub(crate) fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

pub(crate) fn ends() -> Bad {
    Bad::new("the bytes end in the middle of it")
}
