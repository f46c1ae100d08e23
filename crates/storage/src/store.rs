//! An object store.

use object_store::ObjectStore;
use object_store::multipart::MultipartStore;

/// What is needed of a store: also uploads that outlive the process that began them.
pub(crate) trait Store: ObjectStore + MultipartStore {}

impl<S: ObjectStore + MultipartStore> Store for S {}
