//! Cuts lists of rows into runs that fit into one batch.

/// Columns that are built in one go hold at most this many rows.
const BATCH_ROWS: usize = 1 << 20;

/// Cuts rows into runs of about `limit` bytes at most; `bytes` is the size of one row.
pub(crate) fn runs<T: Copy>(slots: &[T], limit: usize, bytes: impl Fn(T) -> usize) -> Vec<&[T]> {
    let mut runs = Vec::new();
    let (mut first, mut sum) = (0, 0);
    for (at, slot) in slots.iter().enumerate() {
        let more = bytes(*slot);
        if at > first && (sum + more > limit || at - first == BATCH_ROWS) {
            runs.push(&slots[first..at]);
            (first, sum) = (at, 0);
        }
        sum += more;
    }
    if first < slots.len() {
        runs.push(&slots[first..]);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_hold_what_fits_or_one_slot() {
        let bytes = |slot: u32| slot as usize;
        assert_eq!(runs(&[], 10, bytes), Vec::<&[u32]>::new());
        assert_eq!(runs(&[4, 6, 1, 50, 3, 3], 10, bytes), [&[4, 6][..], &[1], &[50], &[3, 3]]);
        let many = vec![0; BATCH_ROWS + 1];
        assert_eq!(runs(&many, 10, bytes).len(), 2);
    }
}
