//! The last row of each key, collected for a while (`sink.buffer-flush.*`).

use std::collections::BTreeMap;

use flott_kafka::Record;
use flott_types::Result;

/// A record that owns its bytes.
#[derive(Debug)]
struct Owned {
    timestamp: i64,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

/// Records by key.
#[derive(Debug, Default)]
pub(super) struct Collected(BTreeMap<Option<Vec<u8>>, Owned>);

impl Collected {
    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Replaces what there is of the record's key.
    pub(super) fn insert(&mut self, record: Record<'_>) {
        let header = |(name, value): &(&str, Option<&[u8]>)| ((*name).to_owned(), value.map(<[u8]>::to_vec));
        let owned = Owned {
            timestamp: record.timestamp,
            value: record.value.map(<[u8]>::to_vec),
            headers: record.headers.iter().map(header).collect(),
        };
        self.0.insert(record.key.map(<[u8]>::to_vec), owned);
    }

    /// Hands over all of it.
    pub(super) fn drain(&mut self, take: &mut dyn FnMut(Record<'_>) -> Result<()>) -> Result<()> {
        for (key, owned) in std::mem::take(&mut self.0) {
            let headers: Vec<(&str, Option<&[u8]>)> =
                owned.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
            take(Record {
                timestamp: owned.timestamp,
                key: key.as_deref(),
                value: owned.value.as_deref(),
                headers: &headers,
            })?;
        }
        Ok(())
    }
}
