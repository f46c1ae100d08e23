//! Finds keys in the store that have expired.
//!
//! The hand of a table's own sweep, over the entries of the store in order of their keys: what has not been
//! used is found within one and a quarter times to live, whatever the input does.

use std::mem::take;

use flott_types::{Result, Timestamp};

use super::merged::Merged;
use super::rows::expiry_of;
use super::runs::Runs;
use crate::ExpiryHand;

/// A hand that goes round over the store.
pub(super) struct Sweep {
    hand: ExpiryHand,
    /// The key at which to continue.
    at: Vec<u8>,
}

impl Sweep {
    pub fn new(ttl: i64) -> Self {
        Sweep { hand: ExpiryHand::new(ttl), at: Vec::new() }
    }

    /// The latest time to go on.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.hand.wake_at()
    }

    /// The keys that have expired, of those that the clock asks to look at.
    pub fn go(&mut self, store: &Runs, now: Timestamp, rows: usize) -> Result<Vec<Vec<u8>>> {
        let entries = usize::try_from(store.entries()).unwrap_or(usize::MAX);
        if entries == 0 {
            self.hand.begin(now);
            return Ok(Vec::new());
        }
        if self.hand.wake_at().is_some_and(|at| now < at) {
            return Ok(Vec::new());
        }
        let mut expired = Vec::new();
        let mut scan: Option<Merged> = None;
        let (mut failed, view, from) = (None, store.view(false), take(&mut self.at));
        self.hand.go(now, entries, rows, |_| {
            let looked = (|| {
                let scan = match &mut scan {
                    Some(scan) => scan,
                    None => scan.insert(Merged::new(&view.runs, &from)?),
                };
                let Some((key, value, _)) = scan.entry() else {
                    // Stale entries are counted as well.
                    return Ok(false);
                };
                let over = match value {
                    Some(value) => expiry_of(value)? <= now,
                    None => false,
                };
                if over {
                    expired.push(key.to_vec());
                }
                scan.advance()?;
                Ok(over)
            })();
            looked.unwrap_or_else(|error| {
                failed = Some(error);
                false
            })
        });
        self.at = scan.and_then(|scan| scan.entry().map(|(key, _, _)| key.to_vec())).unwrap_or_default();
        failed.map_or(Ok(expired), Err)
    }
}
