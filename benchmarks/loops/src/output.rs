//! Where rows go.

use std::hint::black_box;

/// Counts rows and adds up their hashes, so that no row can be left out by the compiler and all orders are
/// the same.
#[derive(Default)]
pub struct Output {
    rows: u64,
    checksum: u64,
    /// By column: the sum of its numbers.
    #[cfg(test)]
    sums: Vec<i64>,
}

impl Output {
    /// A row of numbers.
    #[inline(always)]
    pub fn row<const N: usize>(&mut self, numbers: [i64; N]) {
        let fold = |hash: u64, number: i64| {
            (hash ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
        };
        self.rows += 1;
        #[cfg(test)]
        self.add(numbers);
        self.checksum = self.checksum.wrapping_add(numbers.into_iter().fold(N as u64, fold));
    }

    /// A row of numbers and a text, which is written out as a sink would do.
    #[inline(always)]
    pub fn row_with_text<const N: usize>(&mut self, numbers: [i64; N], text: &[u8], buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(text);
        if buffer.len() > 1 << 16 {
            black_box(&buffer[..]);
            buffer.clear();
        }
        self.row(numbers);
    }

    #[cfg(test)]
    fn add<const N: usize>(&mut self, numbers: [i64; N]) {
        self.sums.resize(N, 0);
        self.sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum = sum.wrapping_add(number));
    }

    /// The number of rows, and the sums of these columns.
    #[cfg(test)]
    pub fn sums<const N: usize>(&self, columns: [usize; N]) -> (u64, [i64; N]) {
        (self.rows, columns.map(|column| self.sums[column]))
    }

    /// How many there were.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What they add up to.
    pub fn checksum(&self) -> u64 {
        self.checksum
    }
}
