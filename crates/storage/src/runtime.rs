//! The runtime that drives storage.

use std::future::Future;
use std::sync::OnceLock;

#[cfg(feature = "s3")]
use tokio::runtime::Handle;
use tokio::runtime::{Builder, Runtime};

/// Waits for a storage future on the calling thread, inside a runtime of this process that serves storage
/// only: a caller's own may have no timers, or be one that this very thread would have to drive.
///
/// The future is polled here, not on the runtime, so this may be called inside a runtime, where waiting for
/// another runtime is forbidden.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let _within = runtime().map(Runtime::enter);
    pollster::block_on(future)
}

/// Where requests to object stores run; none if no thread can be started.
#[cfg(feature = "s3")]
pub(crate) fn handle() -> Option<Handle> {
    runtime().map(|runtime| runtime.handle().clone())
}

/// None if no thread can be started for it: then local files are handled on the caller's thread.
fn runtime() -> Option<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let start = || {
        Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("storage")
            .enable_io()
            .enable_time()
            .build()
            .ok()
    };
    RUNTIME.get_or_init(start).as_ref()
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;

    #[test]
    fn a_runtime_is_available_inside() {
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

    #[test]
    fn time_passes_whatever_runtime_the_caller_is_in() {
        let others = Builder::new_current_thread().build().unwrap();
        let sleep = async { tokio::time::sleep(std::time::Duration::from_millis(1)).await };
        others.block_on(async { block_on(sleep) });
    }
}
