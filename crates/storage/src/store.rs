//! The client of an object store.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use flott_types::{Error, Result};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

/// Objects, and uploads that outlive the process that began them, where there are such.
#[derive(Clone)]
pub(crate) struct Client {
    objects: Arc<dyn ObjectStore>,
    uploads: Option<Arc<dyn MultipartStore>>,
}

impl Client {
    /// Of a store that can be written to.
    #[cfg(any(feature = "s3", feature = "gcs", feature = "azure"))]
    pub(crate) fn new<S: ObjectStore + MultipartStore>(store: S) -> Self {
        let store = Arc::new(store);
        Client { objects: store.clone(), uploads: Some(store) }
    }

    /// Of a store that is only read.
    #[cfg(feature = "http")]
    pub(crate) fn reading<S: ObjectStore>(store: S) -> Self {
        Client { objects: Arc::new(store), uploads: None }
    }

    /// The objects, to share.
    pub(crate) fn objects(&self) -> Arc<dyn ObjectStore> {
        self.objects.clone()
    }

    /// What is known of an object.
    pub(crate) async fn look(&self, key: &Path) -> object_store::Result<ObjectMeta> {
        match self.objects.head(key).await {
            // A server may not know HEAD, and the client tells that as if there were no file. Its content comes with
            // the same headers, and is left where it is.
            Err(object_store::Error::NotFound { .. }) if self.uploads.is_none() => {
                self.objects.get(key).await.map(|got| got.meta)
            }
            looked => looked,
        }
    }

    /// The uploads.
    ///
    /// # Errors
    /// If it is only read.
    pub(crate) fn uploads(&self) -> Result<&dyn MultipartStore> {
        self.uploads.as_deref().ok_or_else(|| Error::unsupported("uploads: the store is for reading only"))
    }
}

impl Deref for Client {
    type Target = dyn ObjectStore;

    fn deref(&self) -> &Self::Target {
        &*self.objects
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.objects.fmt(f)
    }
}
