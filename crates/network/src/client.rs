//! Clients of a cluster somewhere else: the messages of `flott_cluster::client_messages` as bodies of HTTP
//! requests to the JobManager's REST server. So a client needs one address, and whatever protects the REST
//! server protects this too.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use flott_cluster::client_messages::{
    ClientAnswer, ClientRequest, DispatcherGateway, HTTP_PATH, HTTP_VERSION,
};
use flott_cluster::{ClusterClient, codec};
use flott_runtime::Threads;
use flott_types::{Error, ErrorKind, JobId, Result};
use ureq::Agent;
use ureq::http::StatusCode;

use crate::VERSION;

/// How long an answer may take, beyond the time that a request allows itself.
const GRACE: Duration = Duration::from_secs(60);
/// How long a wait for rows is one request.
const WAIT: Duration = Duration::from_secs(10);
/// How often a question is repeated while there is no connection, and after how long.
const ATTEMPTS: usize = 8;
const PAUSE: Duration = Duration::from_millis(250);
/// The longest answer.
const LONGEST: u64 = 1 << 30;

/// The cluster whose REST server is at this address, such as `http://localhost:8081`.
///
/// # Errors
/// If this is no address, or there is no cluster of this version.
pub fn connect(address: &str) -> Result<ClusterClient> {
    let address = address.trim_end_matches('/');
    if !address.starts_with("http://") && !address.starts_with("https://") {
        return Err(Error::invalid(format!(
            "'{address}' is not the address of a cluster; one looks like http://localhost:8081"
        )));
    }
    let config = Agent::config_builder().timeout_connect(Some(GRACE)).http_status_as_error(false).build();
    let http =
        Http { url: format!("{address}{HTTP_PATH}"), agent: config.into(), threads: Threads::default() };
    let gateway = Arc::new(Remote(Arc::new(http)));
    gateway.call(ClientRequest::Jobs)?;
    Ok(ClusterClient::new(gateway))
}

/// The way to a JobManager somewhere else.
struct Remote(Arc<Http>);

struct Http {
    url: String,
    agent: Agent,
    threads: Threads,
}

impl Http {
    fn call(&self, request: &ClientRequest) -> Result<ClientAnswer> {
        let at = |error: Error| error.context(format_args!("the cluster at {}", self.url));
        let body = codec::encode(request)?;
        let sent = self.agent.post(&self.url).header(HTTP_VERSION, VERSION).send(&body[..]);
        let failed = |error: ureq::Error| at(Error::external(error.to_string()));
        let mut answer = sent.map_err(failed)?;
        let theirs = answer.headers().get(HTTP_VERSION).and_then(|version| version.to_str().ok());
        match theirs.map(str::to_owned) {
            Some(version) if version != VERSION => {
                return Err(at(Error::invalid(format!(
                    "it is of version {version}, and this client of {VERSION}: both must be of one version"
                ))));
            }
            None => return Err(at(Error::invalid("what answers there is no JobManager of Flott"))),
            Some(_) => {}
        }
        let status = answer.status();
        let bytes = answer.body_mut().with_config().limit(LONGEST).read_to_vec().map_err(failed)?;
        match status {
            StatusCode::OK => codec::decode(&bytes).map_err(at),
            status => {
                let text = String::from_utf8_lossy(&bytes);
                Err(at(Error::external(format!("{status}: {text}"))))
            }
        }
    }
}

impl DispatcherGateway for Remote {
    /// What only asks is asked again for a while when there is no connection: the JobManager may be starting.
    fn call(&self, request: ClientRequest) -> Result<ClientAnswer> {
        let repeatable = match request {
            ClientRequest::Submit { .. }
            | ClientRequest::Trigger { .. }
            | ClientRequest::Triggered { .. } => false,
            ClientRequest::Job { .. }
            | ClientRequest::Jobs
            | ClientRequest::TaskManagers
            | ClientRequest::Plan { .. }
            | ClientRequest::Info { .. }
            | ClientRequest::Metrics { .. }
            | ClientRequest::Cancel { .. }
            | ClientRequest::Fetch { .. }
            | ClientRequest::AwaitRows { .. }
            | ClientRequest::Abandon { .. } => true,
        };
        for _ in 0..ATTEMPTS {
            match self.0.call(&request) {
                Err(error) if repeatable && error.kind() == ErrorKind::External => {
                    tracing::debug!(%error, "the cluster is asked again");
                    std::thread::park_timeout(PAUSE);
                }
                answered => return answered,
            }
        }
        self.0.call(&request)
    }

    fn wake_when_collected(&self, job: JobId, reader: Waker) {
        let http = self.0.clone();
        let waiting = reader.clone();
        let wait = move || {
            let timeout_millis = u64::try_from(WAIT.as_millis()).unwrap_or(u64::MAX);
            // An error is something for the reader, too.
            while matches!(
                http.call(&ClientRequest::AwaitRows { job, timeout_millis }),
                Ok(ClientAnswer::NotYet)
            ) {}
            waiting.wake();
        };
        if self.0.threads.spawn("await rows", wait).is_err() {
            reader.wake();
        }
    }
}
