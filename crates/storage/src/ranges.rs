//! An object that is read in ranges: each is a request of its own, so that a large object may take longer than
//! one request may. All are of one version: if the object is replaced, reading fails.
//!
//! A server of HTTP may not know ranges. Then there is one piece, the whole, which is held as long as the object
//! is read.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::sync::OnceCell;

use crate::store::Client;

/// An object of a known size and version.
#[derive(Debug)]
pub(crate) struct Ranges {
    store: Arc<dyn ObjectStore>,
    key: Path,
    size: u64,
    version: Option<String>,
    /// All of it, once the server has been found not to know ranges.
    all: OnceCell<Bytes>,
}

impl Ranges {
    /// The object as it is now.
    pub(crate) async fn of(client: &Client, key: Path) -> object_store::Result<Self> {
        let meta = client.look(&key).await?;
        Ok(Ranges::known(client.objects(), key, &meta))
    }

    fn known(store: Arc<dyn ObjectStore>, key: Path, meta: &ObjectMeta) -> Self {
        Ranges { store, key, size: meta.size, version: meta.e_tag.clone(), all: OnceCell::new() }
    }

    /// The bytes from an offset on, at most this many; none at the end.
    pub(crate) async fn fetch(&self, offset: u64, bytes: u64) -> object_store::Result<Bytes> {
        let end = self.size.min(offset.saturating_add(bytes));
        if offset >= end {
            return Ok(Bytes::new());
        }
        if let Some(all) = self.all.get() {
            return self.part(all, offset, end);
        }
        // A weak name of a version never matches as a condition.
        let strong = self.version.clone().filter(|version| !is_weak(version));
        match get(&self.store, &self.key, offset..end, strong.clone()).await {
            Ok(got) => {
                self.check(&got.meta)?;
                got.bytes().await
            }
            Err(object_store::Error::NotSupported { .. }) => {
                let all = self.all.get_or_try_init(|| async {
                    let options = GetOptions { if_match: strong, ..GetOptions::default() };
                    let got = self.store.get_opts(&self.key, options).await?;
                    self.check(&got.meta)?;
                    got.bytes().await
                });
                self.part(all.await?, offset, end)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether it is still the same, for servers that do not check it.
    fn check(&self, now: &ObjectMeta) -> object_store::Result<()> {
        let is_other = match (&self.version, &now.e_tag) {
            // The server has compared it.
            (Some(then), _) if !is_weak(then) => false,
            (Some(then), Some(now)) => then != now,
            (None, _) | (_, None) => false,
        };
        match is_other || now.size != self.size {
            true => Err(object_store::Error::Precondition {
                path: self.key.to_string(),
                source: "it was replaced while it was read".into(),
            }),
            false => Ok(()),
        }
    }

    fn part(&self, all: &Bytes, offset: u64, end: u64) -> object_store::Result<Bytes> {
        let range = usize::try_from(offset).ok().zip(usize::try_from(end).ok());
        match range.filter(|(_, end)| *end <= all.len()) {
            Some((offset, end)) => Ok(all.slice(offset..end)),
            None => Err(object_store::Error::Generic {
                store: "HTTP",
                source: format!("{} is shorter than it was", self.key).into(),
            }),
        }
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
            Err(error) if has_no_ranges(&error) => return store.get(key).await?.bytes().await,
            Err(error) => return Err(error),
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

fn is_weak(version: &str) -> bool {
    version.starts_with("W/")
}

/// Whether a store has answered, and not with a part of the object. The client does not tell otherwise what the
/// answer was.
fn has_no_ranges(error: &object_store::Error) -> bool {
    let told = error.to_string();
    told.contains("416 Range Not Satisfiable") || told.contains("Received non-partial response")
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
