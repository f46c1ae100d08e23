//! A cluster as its clients see it: in this process, or somewhere else.

use std::io::Read;
use std::sync::Arc;

use flott_checkpoint::JobStatus;
use flott_plan::JobGraph;
use flott_types::{Error, JobId, Result};

use crate::client::JobClient;
use crate::client_messages::{ClientAnswer, ClientRequest, DispatcherGateway, unexpected};
use crate::programs::{Artifact, Piece, ProgramAnswer, ProgramRequest, RunProgram};

/// How much of an executable is sent at once.
const PIECE: usize = 8 << 20;

/// Less than a whole piece is the end.
fn read_piece(from: &mut impl Read) -> Result<Vec<u8>> {
    let mut piece = Vec::new();
    let read = from.take(PIECE as u64).read_to_end(&mut piece);
    read.map_err(|error| Error::external("the executable cannot be read").with_source(error))?;
    Ok(piece)
}

/// A cluster. Dropping the client leaves the cluster alone.
#[derive(Clone)]
pub struct ClusterClient {
    gateway: Arc<dyn DispatcherGateway>,
}

impl ClusterClient {
    /// The cluster at the other end.
    pub fn new(gateway: Arc<dyn DispatcherGateway>) -> Self {
        #[cfg(debug_assertions)]
        let gateway: Arc<dyn DispatcherGateway> = Arc::new(crate::client_messages::ThroughBytes(gateway));
        ClusterClient { gateway }
    }

    /// Runs a job.
    ///
    /// # Errors
    /// If the cluster cannot be reached; or if the plan, its configuration, or what it is to be restored from
    /// is wrong. What goes wrong later is the job's failure.
    pub fn submit(&self, graph: &JobGraph) -> Result<JobClient> {
        match self.gateway.call(ClientRequest::Submit { graph: Box::new(graph.clone()) }) {
            Ok(ClientAnswer::Job(job)) => Ok(JobClient::new(self.gateway.clone(), *job)),
            Ok(other) => Err(unexpected(&other)),
            Err(error) => Err(error),
        }
    }

    /// Deletes a savepoint, where the cluster finds it.
    ///
    /// # Errors
    /// If there is none, or the cluster cannot be reached.
    pub fn dispose_savepoint(&self, path: &str) -> Result<()> {
        match self.gateway.call(ClientRequest::DisposeSavepoint { path: path.to_owned() }) {
            Ok(ClientAnswer::Done) => Ok(()),
            Ok(other) => Err(unexpected(&other)),
            Err(error) => Err(error),
        }
    }

    /// Uploads an executable, piece by piece.
    ///
    /// # Errors
    /// If it cannot be read, or the cluster cannot be reached, or does not take it.
    pub fn upload(&self, name: &str, executable: &mut impl Read, upload: &str) -> Result<Artifact> {
        let (mut at, mut next) = (0, read_piece(executable)?);
        loop {
            let piece = next;
            let length = piece.len() as u64;
            next = if piece.len() < PIECE { Vec::new() } else { read_piece(executable)? };
            let request = ProgramRequest::Upload {
                upload: upload.to_owned(),
                name: name.to_owned(),
                at,
                is_last: next.is_empty(),
                piece: Piece(piece),
            };
            match self.program(request) {
                Ok(ProgramAnswer::Uploaded(artifact)) => return Ok(artifact),
                Ok(ProgramAnswer::Received) if !next.is_empty() => at += length,
                Ok(_) => return Err(Error::internal("the JobManager sent the wrong kind of answer")),
                Err(error) => return Err(error),
            }
        }
    }

    /// Runs a program that was uploaded, until it has submitted its job.
    ///
    /// # Errors
    /// If it does not do that, or the cluster cannot be reached.
    pub fn run_program(&self, run: RunProgram) -> Result<JobId> {
        match self.program(ProgramRequest::Run(run)) {
            Ok(ProgramAnswer::Runs(job)) => Ok(job),
            Ok(ProgramAnswer::Unknown) => {
                Err(Error::invalid("the cluster does not have the program any more"))
            }
            Ok(_) => Err(Error::internal("the JobManager sent the wrong kind of answer")),
            Err(error) => Err(error),
        }
    }

    /// Deletes a program that was uploaded. Those that run go on.
    ///
    /// # Errors
    /// If the cluster cannot be reached, or cannot delete it.
    pub fn delete_program(&self, id: &str) -> Result<()> {
        self.program(ProgramRequest::Delete { id: id.to_owned() }).map(drop)
    }

    fn program(&self, request: ProgramRequest) -> Result<ProgramAnswer> {
        match self.gateway.call(ClientRequest::Program(request)) {
            Ok(ClientAnswer::Program(ProgramAnswer::Refused(failure))) => Err(failure.to_error()),
            Ok(ClientAnswer::Program(answer)) => Ok(answer),
            Ok(other) => Err(unexpected(&other)),
            Err(error) => Err(error),
        }
    }

    /// The jobs, oldest first.
    ///
    /// # Errors
    /// If the cluster cannot be reached.
    pub fn jobs(&self) -> Result<Vec<(JobId, String, JobStatus)>> {
        match self.gateway.call(ClientRequest::Jobs) {
            Ok(ClientAnswer::Jobs(jobs)) => Ok(jobs),
            Ok(other) => Err(unexpected(&other)),
            Err(error) => Err(error),
        }
    }

    /// A job that was submitted before, if the cluster remembers it. Its client does not get at collected
    /// rows.
    ///
    /// # Errors
    /// If the cluster cannot be reached.
    pub fn client(&self, job: JobId) -> Result<Option<JobClient>> {
        match self.gateway.call(ClientRequest::Job { job }) {
            Ok(ClientAnswer::Job(job)) => Ok(Some(JobClient::new(self.gateway.clone(), *job))),
            Ok(ClientAnswer::Unknown) => Ok(None),
            Ok(other) => Err(unexpected(&other)),
            Err(error) => Err(error),
        }
    }

    /// The way for those that speak in messages.
    pub fn dispatcher(&self) -> Arc<dyn DispatcherGateway> {
        self.gateway.clone()
    }
}
