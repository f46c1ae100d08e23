//! What is said about programs: plain data.

use std::collections::BTreeMap;
use std::fmt;

use flott_runtime::Failure;
use flott_types::{JobId, Timestamp};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::archive::ArchivedJob;
use crate::client_messages::{ClientAnswer, ClientRequest};

/// What clients ask.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum ProgramRequest {
    /// Take a piece of a program's executable. The last one makes an artifact of it.
    Upload {
        /// Which upload it belongs to: letters and digits that the client has made up.
        upload: String,
        /// The name of the file.
        name: String,
        /// Where in the file the piece begins.
        at: u64,
        /// The piece.
        piece: Piece,
        /// There is no other one.
        is_last: bool,
    },
    /// The artifacts.
    List,
    /// Delete an artifact.
    Delete {
        /// Its id.
        id: String,
    },
    /// Run one, until it has submitted its job.
    Run(RunProgram),
}

/// How a program is run.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunProgram {
    /// The id of its artifact.
    pub id: String,
    /// What follows its name on its command line.
    pub arguments: Vec<String>,
    /// Keys of the configuration, besides those of the cluster.
    pub configuration: BTreeMap<String, String>,
}

/// What they are answered.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum ProgramAnswer {
    /// The piece is written, and was not the last one.
    Received,
    /// This is an artifact by now.
    Uploaded(Artifact),
    /// The newest first.
    Artifacts(Vec<Artifact>),
    /// It is deleted.
    Deleted,
    /// It runs this job.
    Runs(JobId),
    /// It is not done, and this is why.
    Refused(Failure),
    /// There is no such artifact.
    Unknown,
}

/// An executable that was uploaded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Artifact {
    /// What it is called among artifacts.
    pub id: String,
    /// The name of the file that was uploaded.
    pub name: String,
    /// When.
    pub uploaded: Timestamp,
    /// Bytes.
    pub size: u64,
}

/// The first message to a process of a program: what it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Begin {
    /// Keys that the program may override.
    pub configuration: BTreeMap<String, String>,
    /// Keys that it may not: its role, and where processes find each other.
    pub forced: BTreeMap<String, String>,
}

/// From the JobManager of a session to the JobManager of a program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum ToProgram {
    /// A client asks.
    Ask(u64, Box<ClientRequest>),
    /// There are too few slots.
    Short { reason: String, hopeless: bool, reach: u32 },
}

/// And back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum FromProgram {
    /// Where its workers find it.
    Listens(String),
    /// It runs a job.
    Submitted(Box<ArchivedJob>),
    /// The answer to a client.
    Answer(u64, Result<Box<ClientAnswer>, Failure>),
    /// What came of a snapshot that a client has begun.
    Outcome(u64, Box<ClientAnswer>),
    /// Its job makes use of so many slots.
    Wants(u32),
    /// Its job has ended.
    Ended(Box<ArchivedJob>),
}

/// A worker: a process of a program that runs its tasks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct WorkerId {
    /// The program.
    pub program: JobId,
    /// Each has a number of its own.
    pub number: u64,
}

/// What a TaskManager has to do for programs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum WorkerOrder {
    /// Start a worker.
    Start(Box<StartWorker>),
    /// End it.
    Stop(WorkerId),
    /// A piece of an executable that it has asked for.
    Piece {
        /// Which executable.
        executable: Executable,
        /// Where the piece begins.
        at: u64,
        /// The piece; an empty one if there is nothing there.
        piece: Piece,
    },
}

/// Which executable: processes of a program are of the same one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Executable {
    /// What tells it from others: see [`identity`](super::identity).
    pub identity: String,
    /// Bytes.
    pub size: u64,
}

/// A worker that is to be started.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StartWorker {
    /// Which.
    pub worker: WorkerId,
    /// Its executable.
    pub executable: Executable,
    /// What follows its name on its command line.
    pub arguments: Vec<String>,
    /// The configuration of its program.
    pub configuration: BTreeMap<String, String>,
    /// Where the JobManager of its program is: a host, and a port.
    pub job_manager: (String, u16),
    /// How many slots it has.
    pub slots: u32,
}

/// What a TaskManager says of programs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum WorkerReport {
    /// It has not got the executable of a program from here on.
    Wants {
        /// The program.
        program: JobId,
        /// Its executable.
        executable: Executable,
        /// Where the piece begins.
        at: u64,
    },
    /// A worker has ended, or was not started.
    Ended {
        /// Which.
        worker: WorkerId,
        /// Why.
        reason: String,
    },
}

/// Bytes, which are written as such and not as a list of numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct Piece(pub Vec<u8>);

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Serialize for Piece {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Piece {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Piece;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Piece, E> {
                Ok(Piece(bytes.to_vec()))
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Piece, E> {
                Ok(Piece(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}
