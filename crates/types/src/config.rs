//! Configuration: Flink's keys, typed options, and errors that name the nearest key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Keys and values as the user wrote them, later ones over earlier ones.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Configuration {
    values: BTreeMap<String, String>,
}
