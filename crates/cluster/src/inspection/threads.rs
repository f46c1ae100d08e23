//! The threads of this process, as the system knows them.
//!
//! Stacks are not told: to take that of another thread, it has to be stopped by a signal wherever it is, also within
//! an allocation, and unwound there. What it does is told by its name, its state, where in the kernel it waits, and
//! the processor's time that it has had: two dumps show who works.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Where Linux tells of the threads of the process that asks.
const THREADS: &str = "/proc/self/task";

/// A thread.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ThreadInfo {
    /// Its number in the system.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// What it does: `RUNNABLE`, `WAITING`, or `BLOCKED` by a device.
    pub state: String,
    /// The function of the kernel in which it waits, if the system tells.
    pub waits_in: Option<String>,
    /// The processor's time that it has had.
    pub cpu: Duration,
}

/// All of them, by number. The system keeps 15 bytes of a name; `names` has the whole ones.
pub(super) fn all(names: &BTreeMap<u32, String>) -> Vec<ThreadInfo> {
    let Ok(folder) = fs::read_dir(THREADS) else {
        // Another system: only what is known here.
        let unknown = |(number, name): (&u32, &String)| ThreadInfo {
            number: *number,
            name: name.clone(),
            state: "UNKNOWN".to_owned(),
            waits_in: None,
            cpu: Duration::ZERO,
        };
        return names.iter().map(unknown).collect();
    };
    let numbers = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let mut threads: Vec<_> = numbers.filter_map(|number| one(number, names)).collect();
    threads.sort_by_key(|thread| thread.number);
    threads
}

/// `None` if it has ended meanwhile.
fn one(number: u32, names: &BTreeMap<u32, String>) -> Option<ThreadInfo> {
    let folder = Path::new(THREADS).join(number.to_string());
    let text = |file: &str| fs::read_to_string(folder.join(file)).ok();
    let stat = text("stat")?;
    let (head, rest) = stat.rsplit_once(')')?;
    let short = head.split_once('(').map_or("", |(_, name)| name);
    let state = match rest.trim_start().chars().next()? {
        'R' => "RUNNABLE",
        'S' | 'I' => "WAITING",
        'D' => "BLOCKED",
        'T' | 't' => "STOPPED",
        _ => "TERMINATED",
    };
    let waits_in = text("wchan").map(|place| place.trim().to_owned());
    let cpu = text("schedstat").and_then(|times| times.split_whitespace().next()?.parse().ok());
    Some(ThreadInfo {
        number,
        name: names.get(&number).map_or(short, String::as_str).to_owned(),
        state: state.to_owned(),
        waits_in: waits_in.filter(|place| !place.is_empty() && place != "0"),
        cpu: Duration::from_nanos(cpu.unwrap_or(0)),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use flott_runtime::Threads;

    use super::*;

    #[test]
    fn threads_are_told_under_their_whole_names() {
        let (threads, (end, ended)) = (Threads::default(), channel::<()>());
        let (ready, is_ready) = channel();
        let name = "Source: a table with a long name (1/2)";
        let waits = move || {
            ready.send(()).unwrap();
            _ = ended.recv();
        };
        let thread = threads.spawn(name, waits).unwrap();
        is_ready.recv().unwrap();
        let told = |threads: &Threads| all(&threads.names()).into_iter().find(|thread| thread.name == name);
        let waiting = (0..1_000).find_map(|_| {
            std::thread::park_timeout(Duration::from_millis(1));
            told(&threads).filter(|thread| thread.state == "WAITING")
        });
        assert!(waiting.is_some(), "{:?}", told(&threads));
        // Others of the process are there, too: at least that of the test.
        assert!(all(&BTreeMap::new()).len() >= 2);
        drop(end);
        thread.join();
        assert_eq!((told(&threads), threads.names()), (None, BTreeMap::new()));
    }
}
