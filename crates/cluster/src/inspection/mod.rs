//! What a process can tell of itself: its threads, what it uses of the machine, its log.
//!
//! JobManager and TaskManagers answer the same questions; a TaskManager is asked over its session
//! ([`crate::questions`]).

mod logs;
mod threads;
mod usage;

use std::sync::Arc;

use flott_runtime::Threads;
use flott_state::spill::StateMemory;
use serde::{Deserialize, Serialize};

use crate::messages::TaskManagerId;
use usage::Meter;

pub(crate) use logs::beside as log_beside;
pub use logs::{LogFile, LogName, LogPiece};
pub use threads::ThreadInfo;
pub use usage::Usage;

/// What a process is asked about itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ProcessQuestion {
    /// What it uses of the machine.
    Usage,
    /// Its threads.
    Threads,
    /// The files of its log.
    Logs,
    /// A piece of one of them, from this byte on.
    Log(LogName, u64),
}

/// What it answers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum ProcessAnswer {
    /// What it uses.
    Usage(Usage),
    /// Its threads.
    Threads(Vec<ThreadInfo>),
    /// The files.
    Logs(Vec<LogFile>),
    /// The piece; `None` if there is no such file.
    Log(Option<LogPiece>),
}

/// Which processes of a cluster are asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Processes {
    /// The JobManager.
    JobManager,
    /// A TaskManager.
    TaskManager(TaskManagerId),
    /// All of them.
    TaskManagers,
}

/// Answers for this process.
pub(crate) struct Inspection {
    threads: Threads,
    memory: Arc<StateMemory>,
    meter: Meter,
}

impl Inspection {
    /// Of a process with these threads of its own, and this memory for state.
    pub fn new(threads: Threads, memory: Arc<StateMemory>) -> Self {
        Inspection { threads, memory, meter: Meter::default() }
    }

    /// Answers. Files are read, which may take its time.
    pub fn answer(&self, question: &ProcessQuestion) -> ProcessAnswer {
        match question {
            ProcessQuestion::Usage => ProcessAnswer::Usage(self.meter.read(self.memory.used())),
            ProcessQuestion::Threads => ProcessAnswer::Threads(threads::all(&self.threads.names())),
            ProcessQuestion::Logs => ProcessAnswer::Logs(logs::all()),
            ProcessQuestion::Log(name, from) => ProcessAnswer::Log(logs::read(name, *from)),
        }
    }
}
