//! An object that is read in ranges: each is a request of its own, so that a large object may take longer than
//! one request may. All are of one version: if the object is replaced, reading fails.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt};

/// An object of a known size and version.
#[derive(Debug)]
pub(crate) struct Ranges {
    store: Arc<dyn ObjectStore>,
    key: Path,
    size: u64,
    version: Option<String>,
}

impl Ranges {
    /// The object as it is now.
    pub(crate) async fn of(store: Arc<dyn ObjectStore>, key: Path) -> object_store::Result<Self> {
        let meta = store.head(&key).await?;
        Ok(Ranges::known(store, key, &meta))
    }

    fn known(store: Arc<dyn ObjectStore>, key: Path, meta: &ObjectMeta) -> Self {
        Ranges { store, key, size: meta.size, version: meta.e_tag.clone() }
    }

    /// The bytes from an offset on, at most this many; none at the end.
    pub(crate) async fn fetch(&self, offset: u64, bytes: u64) -> object_store::Result<Bytes> {
        let end = self.size.min(offset.saturating_add(bytes));
        if offset >= end {
            return Ok(Bytes::new());
        }
        get(&self.store, &self.key, offset..end, self.version.clone()).await?.bytes().await
    }

    /// The whole of an object, piece by piece.
    pub(crate) async fn whole(
        store: &Arc<dyn ObjectStore>,
        key: &Path,
        piece: u64,
    ) -> object_store::Result<Bytes> {
        let first = match get(store, key, 0..piece, None).await {
            Ok(first) => first,
            Err(error @ object_store::Error::NotFound { .. }) => return Err(error),
            // It may be empty, and then it has no range.
            Err(_) => return store.get(key).await?.bytes().await,
        };
        let ranges = Ranges::known(store.clone(), key.clone(), &first.meta);
        let first = first.bytes().await?;
        if first.len() as u64 >= ranges.size {
            return Ok(first);
        }
        let mut whole = Vec::with_capacity(usize::try_from(ranges.size).unwrap_or(0));
        whole.extend_from_slice(&first);
        while (whole.len() as u64) < ranges.size {
            whole.extend_from_slice(&ranges.fetch(whole.len() as u64, piece).await?);
        }
        Ok(whole.into())
    }
}

async fn get(
    store: &Arc<dyn ObjectStore>,
    key: &Path,
    range: std::ops::Range<u64>,
    version: Option<String>,
) -> object_store::Result<GetResult> {
    let range = Some(GetRange::Bounded(range));
    store.get_opts(key, GetOptions { range, if_match: version, ..GetOptions::default() }).await
}
