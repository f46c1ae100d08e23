//! What is known of a key's events so far.

use flott_pattern::{Buffer, Partials, Shape};
use serde::{Deserialize, Serialize};

/// The partial matches of a key. It is written as JSON, so that people can see what is open.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Progress {
    /// Of the pattern that they belong to.
    pub shape: Shape,
    /// The number of the next event.
    pub next: u64,
    /// Where they are.
    pub partials: Partials<Option<u32>>,
    /// Which events they have.
    pub buffer: Buffer,
}

#[derive(Serialize, Deserialize)]
struct Written {
    shape: Shape,
    next: u64,
    partials: Partials<Option<u32>>,
    buffer: Buffer,
}

impl TryFrom<String> for Progress {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, serde_json::Error> {
        let Written { shape, next, partials, buffer } = serde_json::from_str(&text)?;
        Ok(Progress { shape, next, partials, buffer })
    }
}

impl From<Progress> for String {
    fn from(progress: Progress) -> Self {
        let Progress { shape, next, partials, buffer } = progress;
        // Numbers, lists and maps by number: nothing that JSON could refuse. What cannot be read says so.
        serde_json::to_string(&Written { shape, next, partials, buffer }).unwrap_or_default()
    }
}
