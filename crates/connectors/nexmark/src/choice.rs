//! A choice among ids: often the hot one, else any active one.

use crate::random::{below, hi, lo};

/// Ids of auctions or people to choose from.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// One of this many choices is not the hot id.
    pub(crate) ratio: u64,
    pub(crate) hot: i64,
    pub(crate) first: i64,
    pub(crate) count: u64,
}

impl Choice {
    /// The id that a random number stands for.
    #[inline(always)]
    pub fn pick(self, random: u64) -> i64 {
        let any = self.first + below(lo(random), self.count) as i64;
        if below(hi(random), self.ratio) > 0 { self.hot } else { any }
    }
}
