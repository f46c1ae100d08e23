//! Numbers of variable length: seven bits to a byte, low ones first, signs folded into the lowest bit.

/// Appends a number.
pub(super) fn put(out: &mut Vec<u8>, number: i64) {
    let mut rest = fold(number);
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// How many bytes a number takes.
pub(super) fn size(number: i64) -> usize {
    (64 - (fold(number) | 1).leading_zeros() as usize).div_ceil(7)
}

fn fold(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// Takes a number off the front.
pub(super) fn take(bytes: &mut &[u8]) -> Option<i64> {
    let mut folded = 0_u64;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        folded |= u64::from(byte & 0x7f) << (7 * at as u32).min(63);
        if byte & 0x80 == 0 {
            *bytes = bytes.get(at + 1..)?;
            return Some((folded >> 1) as i64 ^ -((folded & 1) as i64));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive() {
        let powers = (0..63).flat_map(|bits| [1_i64 << bits, -(1 << bits), (1 << bits) - 1]);
        for number in powers.chain([0, i64::MIN, i64::MAX]) {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            assert_eq!(bytes.len(), size(number), "{number}");
            bytes.push(7);
            let mut rest = bytes.as_slice();
            assert_eq!(take(&mut rest), Some(number));
            assert_eq!(rest, [7]);
        }
        assert_eq!(take(&mut [0x80, 0x80].as_slice()), None);
        assert_eq!(take(&mut [0xff; 20].as_slice()), None);
    }
}
