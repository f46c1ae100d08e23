//! Panics of this process. A task that panics fails and is restarted, which would hide it where failures are
//! expected.

use parking_lot::Mutex;

static SEEN: Mutex<Option<String>> = Mutex::new(None);

/// From now on the first panic is remembered; it is told as always.
pub fn watch() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        SEEN.lock().get_or_insert_with(|| info.to_string());
        told(info);
    }));
}

/// The first panic since the last call.
pub fn take() -> Option<String> {
    SEEN.lock().take()
}
