//! How much memory state may use, and where the rest goes: Flink's keys.

use std::path::PathBuf;

use flott_state::spill::{Backend, SpillOptions};
use flott_types::config::parse_memory_size;
use flott_types::{Error, Result};

use crate::options::Reader;

const BACKEND: &str = "state.backend.type";
const MANAGED_SIZE: &str = "taskmanager.memory.managed.size";
const MANAGED_FRACTION: &str = "taskmanager.memory.managed.fraction";
const DEFAULT_FRACTION: f64 = 0.4;
const PROCESS_SIZE: &str = "taskmanager.memory.process.size";
const FOLDERS: &str = "io.tmp.dirs";

pub(crate) fn options(read: Reader<'_>) -> Result<SpillOptions> {
    let backend = match read.text(BACKEND).map(str::to_ascii_lowercase).as_deref() {
        None | Some("rocksdb") => Backend::LocalDisk,
        Some("hashmap") => Backend::Memory,
        Some("forst") => {
            return Err(Error::unsupported(format!(
                "'{BACKEND}: forst': state that does not fit into memory goes to the local disk ('rocksdb'), not to the storage of \
                 checkpoints"
            )));
        }
        Some(_) => return Err(read.wrong(BACKEND, "rocksdb or hashmap")),
    };
    let fraction = read.fraction(MANAGED_FRACTION)?.unwrap_or(DEFAULT_FRACTION);
    if !(0.0..=1.0).contains(&fraction) {
        return Err(read.wrong(MANAGED_FRACTION, "a number between 0 and 1"));
    }
    let process = read.memory(PROCESS_SIZE)?;
    let of_process = || process.or_else(machine).map(|size| (size as f64 * fraction) as u64);
    let budget = match (read.memory(MANAGED_SIZE)?, backend) {
        (Some(size), _) => Some(size),
        (None, Backend::LocalDisk) => of_process(),
        // A limit that nobody set for state makes no job fail.
        (None, Backend::Memory) => None,
    };
    Ok(SpillOptions {
        budget: budget.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        backend,
        folder: Some(folder(read)),
    })
}

/// Where what does not fit goes. Flink divides folders by any of these.
fn folder(read: Reader<'_>) -> PathBuf {
    let folders = read.text(FOLDERS).unwrap_or_default();
    let first = folders.split([',', '|', ':']).map(str::trim).find(|folder| !folder.is_empty());
    first.map_or_else(std::env::temp_dir, PathBuf::from)
}

/// The memory of the machine, or of the container, in bytes; `None` where that is not known.
fn machine() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let of_container = |path: &str| read(path)?.trim().parse::<u64>().ok();
    let total = read("/proc/meminfo").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:").map(str::trim))?;
        parse_memory_size(line)
    });
    let limits = [
        total,
        of_container("/sys/fs/cgroup/memory.max"),
        of_container("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
    ];
    limits.into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn options(keys: &[(&str, &str)]) -> Result<SpillOptions> {
        let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        super::options(Reader(&keys.collect::<BTreeMap<_, _>>()))
    }

    #[test]
    fn the_budget_is_a_part_of_the_process_or_of_the_machine() {
        let budget = |keys: &[(&str, &str)]| options(keys).unwrap().budget;
        assert_eq!(budget(&[(MANAGED_SIZE, "3 mb"), (PROCESS_SIZE, "1 gb")]), Some(3 << 20));
        assert_eq!(budget(&[(PROCESS_SIZE, "1000 b"), (MANAGED_FRACTION, "0.5")]), Some(500));
        assert!(budget(&[]).unwrap() > 64 << 20);
        assert_eq!(budget(&[(BACKEND, "HASHMAP")]), None);
        assert_eq!(budget(&[(BACKEND, "hashmap"), (PROCESS_SIZE, "10 b")]), None);
        assert_eq!(budget(&[(BACKEND, "hashmap"), (MANAGED_SIZE, "4 b")]), Some(4));
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_key() {
        let error = options(&[(BACKEND, "forst")]).unwrap_err().to_string();
        assert!(error.contains("'state.backend.type: forst'"), "{error}");
        let error = options(&[(MANAGED_FRACTION, "2")]).unwrap_err().to_string();
        assert_eq!(error, "'taskmanager.memory.managed.fraction' is '2'; expected a number between 0 and 1");
    }

    #[test]
    fn files_go_to_the_first_folder() {
        assert_eq!(options(&[(FOLDERS, "/a:/b")]).unwrap().folder, Some("/a".into()));
        assert_eq!(options(&[]).unwrap().folder, Some(std::env::temp_dir()));
    }
}
