//! State that expires.

use std::time::Duration;

use flott_state::{Ttl, TtlPolicy};
use flott_types::Timestamp;

/// When an entry's time to live starts over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TtlUpdateType {
    /// Never: the state does not expire.
    Disabled,
    /// When it is written.
    OnCreateAndWrite,
    /// When it is written or read.
    OnReadAndWrite,
}

/// Whether an entry that has expired but still exists is visible.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TtlVisibility {
    /// It is not.
    NeverReturnExpired,
    /// It is, until it is cleaned up.
    ReturnExpiredIfNotCleanedUp,
}

/// How long the entries of a state live, by the clock (processing time).
///
/// Entries of lists and maps expire individually. Expired entries are looked for by the clock, whether
/// records arrive or not, and dropped a few at a time: a state contains what was used within one and a half
/// times its time to live.
///
/// ```
/// # use std::time::Duration;
/// # use flott_datastream::{StateTtlConfig, TtlUpdateType, TtlVisibility};
/// let an_hour_after_the_last_use = StateTtlConfig::new(Duration::from_secs(3_600))
///     .update_type(TtlUpdateType::OnReadAndWrite)
///     .visibility(TtlVisibility::NeverReturnExpired)
///     .cleanup_full_snapshot();
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateTtlConfig {
    millis: i64,
    update: TtlUpdateType,
    visibility: TtlVisibility,
    background: bool,
    full_snapshot: bool,
}

impl StateTtlConfig {
    /// Entries live this long after they were last written, and are invisible after that.
    pub fn new(ttl: Duration) -> Self {
        StateTtlConfig {
            millis: i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX).max(1),
            update: TtlUpdateType::OnCreateAndWrite,
            visibility: TtlVisibility::NeverReturnExpired,
            background: true,
            full_snapshot: false,
        }
    }

    /// When the time to live starts over.
    #[must_use]
    pub fn update_type(mut self, update: TtlUpdateType) -> Self {
        self.update = update;
        self
    }

    /// Whether expired entries are visible while they exist.
    #[must_use]
    pub fn visibility(mut self, visibility: TtlVisibility) -> Self {
        self.visibility = visibility;
        self
    }

    /// Savepoints and full checkpoints omit expired entries. (Entries that are cleaned up in between are
    /// omitted in any case.)
    #[must_use]
    pub fn cleanup_full_snapshot(mut self) -> Self {
        self.full_snapshot = true;
        self
    }

    /// Expired entries stay until they are written again, or found to be expired by a read.
    #[must_use]
    pub fn disable_cleanup_in_background(mut self) -> Self {
        self.background = false;
        self
    }
}

/// How the entries of a state expire, if they do.
pub(crate) fn policy_of(ttl: Option<&StateTtlConfig>) -> Option<TtlPolicy> {
    let ttl = ttl.filter(|ttl| ttl.update != TtlUpdateType::Disabled)?;
    Some(TtlPolicy {
        on_read: ttl.update == TtlUpdateType::OnReadAndWrite,
        hides_expired: ttl.visibility == TtlVisibility::NeverReturnExpired,
        background: ttl.background,
        full_snapshots: ttl.full_snapshot,
        ..TtlPolicy::exact(ttl.millis)
    })
}

/// The time to live of a state that is restored now.
pub(crate) fn ttl_of(ttl: Option<&StateTtlConfig>, now: Timestamp) -> Option<Ttl> {
    policy_of(ttl).map(|policy| Ttl::new(policy, Some(now), &[]))
}
