//! The runtime that storage is driven by.

use std::future::Future;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};

/// Waits for a future of storage on the calling thread. Within it there is a runtime: that of the caller if it has one, else
/// one of this process, for storage alone.
///
/// The future is polled here, not on the runtime, so this may be called where a runtime forbids to wait for another.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let _within = match Handle::try_current() {
        Ok(_) => None,
        Err(_) => runtime().map(Runtime::enter),
    };
    pollster::block_on(future)
}

/// None if the system has no thread for it: then local files are dealt with on the caller's thread, as they would be without it.
fn runtime() -> Option<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let start =
        || Builder::new_multi_thread().worker_threads(1).thread_name("storage").enable_time().build().ok();
    RUNTIME.get_or_init(start).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_runtime_within() {
        assert!(Handle::try_current().is_err());
        let answer = block_on(async { Handle::current().spawn_blocking(|| 42).await.unwrap() });
        assert_eq!(answer, 42);
        assert!(Handle::try_current().is_err());
    }

    #[test]
    fn it_may_be_called_from_within_another_runtime() {
        let others = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let answer =
            others.block_on(async { block_on(async { tokio::task::spawn_blocking(|| 42).await.unwrap() }) });
        assert_eq!(answer, 42);
    }
}
