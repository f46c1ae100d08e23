//! The one place where threads are created, so that they have names and can be counted: a job that has ended
//! has released all of its threads.
//!
//! A thread cannot be killed from outside. One that hangs in a user's function or in an unresponsive store is
//! *abandoned*: from then on nobody waits for it, and it is counted separately until it returns after all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::Duration;

use flott_types::{Error, Result};
use parking_lot::{Condvar, Mutex};

/// Creates threads and counts those that run. Clones share the count.
#[derive(Clone, Default, Debug)]
pub struct Threads(Arc<Shared>);

#[derive(Default, Debug)]
struct Shared {
    counts: Mutex<Counts>,
    changed: Condvar,
    /// No more than this many at a time.
    limit: Option<usize>,
}

#[derive(Default, Debug)]
struct Counts {
    running: usize,
    abandoned: usize,
    /// By their numbers in the system, which keeps the beginnings of names only.
    names: BTreeMap<u32, Arc<str>>,
}

/// Where one thread is in its life. Changes only while the counts are locked.
#[derive(Default, Debug)]
struct Life {
    abandoned: AtomicBool,
    ended: AtomicBool,
}

/// A thread that was made. Dropping this leaves it alone.
#[derive(Clone, Debug)]
pub struct Thread {
    shared: Arc<Shared>,
    life: Arc<Life>,
}

/// Decrements the count of threads, even after a panic.
/// The number is that of the thread.
struct Running(Thread, Option<u32>);

impl Drop for Running {
    fn drop(&mut self) {
        let Thread { shared, life } = &self.0;
        let mut counts = shared.counts.lock();
        if let Some(number) = self.1 {
            counts.names.remove(&number);
        }
        match life.abandoned.load(Ordering::Acquire) {
            true => counts.abandoned -= 1,
            false => counts.running -= 1,
        }
        life.ended.store(true, Ordering::Release);
        shared.changed.notify_all();
    }
}

impl Running {
    /// From now on its name is found by its number. Elsewhere than on Linux it has none.
    fn known_as(&mut self, name: Arc<str>) {
        let link = std::fs::read_link("/proc/thread-self").ok();
        self.1 = link.and_then(|link| link.file_name()?.to_str()?.parse().ok());
        if let Some(number) = self.1 {
            self.0.shared.counts.lock().names.insert(number, name);
        }
    }
}

impl Threads {
    /// Allows at most this many threads at a time, including abandoned ones.
    pub fn limited(limit: usize) -> Self {
        Threads(Arc::new(Shared { limit: Some(limit), ..Shared::default() }))
    }

    /// Starts a thread.
    ///
    /// # Errors
    /// If the operating system refuses, or the limit is reached.
    pub fn spawn<F: FnOnce() + Send + 'static>(&self, name: &str, run: F) -> Result<Thread> {
        let thread = Thread { shared: self.0.clone(), life: Arc::default() };
        {
            let mut counts = self.0.counts.lock();
            if let Some(limit) = self.0.limit.filter(|limit| counts.running + counts.abandoned >= *limit) {
                return Err(Error::external(format!(
                    "cannot start the thread '{name}': there are {limit} threads, and no more are allowed"
                )));
            }
            counts.running += 1;
        }
        let running = Running(thread.clone(), None);
        let own_name: Arc<str> = name.into();
        let body = move || {
            let mut running = running;
            running.known_as(own_name);
            run();
        };
        let spawned = Builder::new()
            // Names come from SQL and may contain anything; a thread's name may not.
            .name(name.replace('\0', " "))
            .spawn(body);
        match spawned {
            Ok(_) => Ok(thread),
            Err(error) => {
                Err(Error::external(format!("cannot start the thread '{name}'")).with_source(error))
            }
        }
    }

    /// The names of those that run or are abandoned, by their numbers in the system.
    pub fn names(&self) -> BTreeMap<u32, String> {
        self.0.counts.lock().names.iter().map(|(number, name)| (*number, name.to_string())).collect()
    }

    /// How many are running, without abandoned ones.
    pub fn running(&self) -> usize {
        self.0.counts.lock().running
    }

    /// How many were abandoned and have not come back.
    pub fn abandoned(&self) -> usize {
        self.0.counts.lock().abandoned
    }

    /// Waits until at most `count` of them run; returns whether that happened in time.
    pub fn wait_until(&self, count: usize, timeout: Duration) -> bool {
        let mut counts = self.0.counts.lock();
        !self.0.changed.wait_while_for(&mut counts, |counts| counts.running > count, timeout).timed_out()
    }
}

impl Thread {
    /// Waits for its end, at most this long; returns whether it has ended.
    pub fn wait_for(&self, timeout: Duration) -> bool {
        let mut counts = self.shared.counts.lock();
        self.shared.changed.wait_while_for(&mut counts, |_| !self.has_ended(), timeout);
        self.has_ended()
    }

    /// Waits for its end.
    pub fn join(&self) {
        let mut counts = self.shared.counts.lock();
        self.shared.changed.wait_while(&mut counts, |_| !self.has_ended());
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.life.ended.load(Ordering::Acquire)
    }

    /// Nobody waits for it from now on.
    pub fn abandon(&self) {
        let mut counts = self.shared.counts.lock();
        if !self.has_ended() && !self.life.abandoned.swap(true, Ordering::AcqRel) {
            counts.running -= 1;
            counts.abandoned += 1;
            self.shared.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn an_abandoned_thread_is_waited_for_by_nobody_and_may_come_back() {
        let threads = Threads::default();
        let (release, held) = channel::<()>();
        let thread = threads.spawn("hangs", move || _ = held.recv()).unwrap();
        assert!(!thread.wait_for(Duration::from_millis(1)));
        thread.abandon();
        assert!(threads.wait_until(0, LONG));
        assert_eq!((threads.running(), threads.abandoned()), (0, 1));
        drop(release);
        assert!(thread.wait_for(LONG));
        assert_eq!((threads.running(), threads.abandoned()), (0, 0));
        // Too late.
        thread.abandon();
        assert_eq!(threads.abandoned(), 0);
    }

    #[test]
    fn a_limit_refuses_one_thread_too_many() {
        let threads = Threads::limited(1);
        let (release, held) = channel::<()>();
        let thread = threads.spawn("first", move || _ = held.recv()).unwrap();
        let refused = threads.spawn("second", || {}).map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains("'second'"), "{refused}");
        drop(release);
        assert!(thread.wait_for(LONG));
        threads.spawn("third", || {}).unwrap();
    }
}
