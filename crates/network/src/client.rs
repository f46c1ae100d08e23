//! Clients of a cluster somewhere else: the messages of `flott_cluster::client_messages` as bodies of HTTP
//! requests to the JobManager's REST server. So a client needs one address, and whatever protects the REST
//! server protects this too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::time::Duration;

use flott_cluster::client_messages::{
    ClientAnswer, ClientRequest, DispatcherGateway, HTTP_PATH, HTTP_VERSION,
};
use flott_cluster::high_availability::ClusterFolder;
use flott_cluster::{ClusterClient, codec};
use flott_runtime::Threads;
use flott_storage::block_on;
use flott_tls::Pem;
use flott_types::{Error, FastMap, JobId, Result};
use parking_lot::Mutex;
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::VERSION;

/// How long an answer may take, beyond the time that a request allows itself. Then the JobManager counts as frozen.
const GRACE: Duration = Duration::from_secs(30);
/// The same for a job that is submitted, and for a savepoint that is deleted: they may be large and far away.
const LONG: Duration = Duration::from_secs(300);
/// How long a wait for rows is one request.
const WAIT: Duration = Duration::from_secs(10);
/// How often a question is repeated while there is no connection, and after how long.
const ATTEMPTS: usize = 8;
const PAUSE: Duration = Duration::from_millis(250);
/// The same where there are several JobManagers, of which another one may be about to lead: for a minute or more.
const ATTEMPTS_AT_LEADER: usize = 240;
const GRACE_OF_LEADER: Duration = Duration::from_secs(5);
/// How often a JobManager may say that another one leads.
const MOVES: usize = 4;
/// The longest answer.
const LONGEST: u64 = 1 << 30;

/// Which cluster.
#[derive(Clone, Debug)]
pub enum Place {
    /// That whose REST server is at this address, such as `http://localhost:8081`, or that of its leader, if the
    /// JobManager there stands by.
    Url(String),
    /// That whose leader is found in this folder.
    Leader(ClusterFolder),
}

/// How to get in.
#[derive(Clone, Default)]
pub struct Pass {
    /// The token of a user.
    pub token: Option<String>,
    /// The path of a PEM file with the authorities that are trusted; without one, those that browsers trust.
    pub authorities: Option<String>,
}

impl std::fmt::Debug for Pass {
    /// Not the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pass").field("authorities", &self.authorities).finish_non_exhaustive()
    }
}

/// The cluster at this place.
///
/// # Errors
/// If its address is none, or there is no cluster of this version, or it does not let this client in.
pub fn connect(place: Place, pass: &Pass) -> Result<ClusterClient> {
    if let Place::Url(address) = &place
        && !address.starts_with("http://")
        && !address.starts_with("https://")
    {
        return Err(Error::invalid(format!(
            "'{address}' is not the address of a cluster; one looks like http://localhost:8081"
        )));
    }
    let gateway = Arc::new(Remote(Arc::new(Http::new(place, pass, None)?)));
    gateway.call(ClientRequest::Jobs)?;
    Ok(ClusterClient::new(gateway))
}

/// The way to a JobManager somewhere else.
struct Remote(Arc<Http>);

struct Http {
    place: Place,
    /// Where its leader is, as far as is known.
    leader: Mutex<Option<String>>,
    /// Whether there are several JobManagers.
    several: AtomicBool,
    agent: Agent,
    token: Option<String>,
    grace: Duration,
    /// The same for what cannot be asked again.
    grace_once: Duration,
    threads: Threads,
    /// Who waits for rows of a job. One thread waits for all of them.
    waiting: Mutex<FastMap<JobId, Vec<Waker>>>,
}

/// What became of a request.
enum Sent {
    /// It was answered, or cannot be.
    Answered(Result<ClientAnswer>),
    /// There is no connection, or nobody leads.
    Lost(Error),
    /// Another JobManager leads, and is to be asked: the request has had no effect.
    Moved,
}

impl Http {
    fn new(place: Place, pass: &Pass, grace: Option<Duration>) -> Result<Self> {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false);
        if let Some(path) = &pass.authorities {
            let trusted = Pem::of_file(path)?.certificates()?;
            let trusted = trusted.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
            let trusted = RootCerts::Specific(Arc::new(trusted.collect()));
            config = config.tls_config(TlsConfig::builder().root_certs(trusted).build());
        }
        let (threads, waiting) = (Threads::default(), Mutex::default());
        let usual = match &place {
            Place::Url(_) => GRACE,
            // Another one follows whoever is frozen.
            Place::Leader(_) => GRACE_OF_LEADER,
        };
        let (leader, grace_once, grace) = (Mutex::default(), grace.unwrap_or(GRACE), grace.unwrap_or(usual));
        let several = AtomicBool::new(matches!(place, Place::Leader(_)));
        let (agent, token) = (config.build().into(), pass.token.clone());
        Ok(Http { place, leader, several, agent, token, grace, grace_once, threads, waiting })
    }

    /// The address that is asked now.
    fn address(&self) -> Result<Option<String>> {
        if let Some(known) = self.leader.lock().clone() {
            return Ok(Some(known));
        }
        Ok(match &self.place {
            Place::Url(address) => Some(address.trim_end_matches('/').to_owned()),
            Place::Leader(folder) => block_on(folder.leader())?.and_then(|leader| leader.rest),
        })
    }

    /// How often a question is repeated while there is no answer.
    fn attempts(&self) -> usize {
        if self.several.load(Ordering::SeqCst) { ATTEMPTS_AT_LEADER } else { ATTEMPTS }
    }

    /// How long the answer may take.
    fn patience(&self, request: &ClientRequest) -> Duration {
        let own = match request {
            ClientRequest::Info { timeout_millis, .. }
            | ClientRequest::Fetch { timeout_millis, .. }
            | ClientRequest::AwaitRows { timeout_millis, .. }
            | ClientRequest::Triggered { timeout_millis, .. } => Duration::from_millis(*timeout_millis),
            ClientRequest::Submit { .. }
            | ClientRequest::DisposeSavepoint { .. }
            | ClientRequest::Program(_) => LONG,
            ClientRequest::Job { .. }
            | ClientRequest::Jobs
            | ClientRequest::TaskManagers
            | ClientRequest::Plan { .. }
            | ClientRequest::Metrics { .. }
            | ClientRequest::Inspect { .. }
            | ClientRequest::Cancel { .. }
            | ClientRequest::Require { .. }
            | ClientRequest::Abandon { .. }
            | ClientRequest::Trigger { .. } => Duration::ZERO,
        };
        let grace = if is_repeatable(request) { self.grace } else { self.grace_once };
        grace.saturating_add(own)
    }

    fn send(&self, request: &ClientRequest) -> Sent {
        let body = match codec::encode(request) {
            Ok(body) => body,
            Err(error) => return Sent::Answered(Err(error)),
        };
        let address = match self.address() {
            Ok(Some(address)) => address,
            Ok(None) => return Sent::Lost(Error::external("no JobManager leads the cluster")),
            Err(error) => return Sent::Lost(error),
        };
        let at = |error: Error| error.context(format_args!("the cluster at {address}"));
        let post = self.agent.post(format!("{address}{HTTP_PATH}")).header(HTTP_VERSION, VERSION);
        let post = match &self.token {
            Some(token) => post.header("authorization", format!("Bearer {token}")),
            None => post,
        };
        let post = post.config().timeout_global(Some(self.patience(request))).build();
        let sent = match post.send(&body[..]) {
            Ok(answer) => self.read(&address, answer),
            // Whoever is there and does not answer is not asked again, unless another one may lead by now.
            Err(error @ ureq::Error::Timeout(_)) => {
                let error = at(Error::external(error.to_string()));
                let several = self.several.load(Ordering::SeqCst);
                if several { Sent::Lost(error) } else { Sent::Answered(Err(error)) }
            }
            Err(error) => Sent::Lost(at(Error::external(error.to_string()))),
        };
        match &sent {
            Sent::Lost(_) => *self.leader.lock() = None,
            Sent::Answered(_) if matches!(self.place, Place::Leader(_)) => {
                self.leader.lock().get_or_insert(address);
            }
            Sent::Answered(_) | Sent::Moved => {}
        }
        sent
    }

    /// There is something to fetch.
    fn wake(&self, job: JobId) {
        let readers = self.waiting.lock().remove(&job);
        readers.into_iter().flatten().for_each(Waker::wake);
    }

    fn read(&self, address: &str, mut answer: Response<Body>) -> Sent {
        let at = |error: Error| error.context(format_args!("the cluster at {address}"));
        let status = answer.status();
        let header = |name: &str| answer.headers().get(name)?.to_str().ok().map(str::to_owned);
        let location = header("location").filter(|_| status == StatusCode::TEMPORARY_REDIRECT);
        if let Some(leader) = location.as_deref().and_then(|url| url.strip_suffix(HTTP_PATH)) {
            self.several.store(true, Ordering::SeqCst);
            if is_encrypted(address) && !is_encrypted(leader) {
                return Sent::Answered(Err(at(Error::invalid(format!(
                    "it sends on to '{leader}', which is not encrypted: nothing is sent there"
                )))));
            }
            *self.leader.lock() = Some(leader.to_owned());
            return Sent::Moved;
        }
        let theirs = header(HTTP_VERSION);
        let failed = |error: ureq::Error| at(Error::external(error.to_string()));
        let bytes = match answer.body_mut().with_config().limit(LONGEST).read_to_vec() {
            Ok(bytes) => bytes,
            Err(error) => return Sent::Lost(failed(error)),
        };
        let text = || at(Error::external(format!("{status}: {}", String::from_utf8_lossy(&bytes))));
        Sent::Answered(match theirs {
            _ if status == StatusCode::SERVICE_UNAVAILABLE => {
                // One that stands by, while nobody leads.
                self.several.store(true, Ordering::SeqCst);
                return Sent::Lost(text());
            }
            Some(version) if version != VERSION => Err(at(Error::invalid(format!(
                "it is of version {version}, and this client of {VERSION}: both must be of one version"
            )))),
            None if status.is_success() => {
                Err(at(Error::invalid("what answers there is no JobManager of Flott")))
            }
            _ if status == StatusCode::OK => codec::decode(&bytes).map_err(at),
            _ => Err(text()),
        })
    }
}

/// Whether a request only asks, or has the same effect however often it is sent.
fn is_repeatable(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::Submit { .. }
        | ClientRequest::DisposeSavepoint { .. }
        | ClientRequest::Program(_)
        | ClientRequest::Trigger { .. }
        | ClientRequest::Triggered { .. } => false,
        ClientRequest::Job { .. }
        | ClientRequest::Jobs
        | ClientRequest::TaskManagers
        | ClientRequest::Plan { .. }
        | ClientRequest::Info { .. }
        | ClientRequest::Metrics { .. }
        | ClientRequest::Inspect { .. }
        | ClientRequest::Cancel { .. }
        | ClientRequest::Require { .. }
        | ClientRequest::Fetch { .. }
        | ClientRequest::AwaitRows { .. }
        | ClientRequest::Abandon { .. } => true,
    }
}

fn is_encrypted(address: &str) -> bool {
    address.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}

impl DispatcherGateway for Remote {
    /// What only asks is asked again for a while when there is no connection: the JobManager may be starting.
    fn call(&self, request: ClientRequest) -> Result<ClientAnswer> {
        if let ClientRequest::Abandon { job } = &request {
            // Whoever waits for its rows ends.
            self.0.waiting.lock().remove(job);
        }
        let repeatable = is_repeatable(&request);
        let (mut asked, mut moves) = (0, MOVES);
        loop {
            match self.0.send(&request) {
                Sent::Moved if moves > 0 => moves -= 1,
                Sent::Moved => return Err(Error::external("each JobManager says that another one leads")),
                // How often, may have become known by this answer.
                Sent::Lost(error) if repeatable && asked < self.0.attempts() => {
                    (asked, moves) = (asked + 1, MOVES);
                    tracing::debug!(%error, "the cluster is asked again");
                    std::thread::park_timeout(PAUSE);
                }
                Sent::Lost(error) => return Err(error),
                Sent::Answered(answered) => return answered,
            }
        }
    }

    fn wake_when_collected(&self, job: JobId, reader: Waker) {
        {
            let mut waiting = self.0.waiting.lock();
            if let Some(readers) = waiting.get_mut(&job) {
                if !readers.iter().any(|other| other.will_wake(&reader)) {
                    readers.push(reader);
                }
                return;
            }
            waiting.insert(job, vec![reader]);
        }
        let http = self.0.clone();
        let wait = move || {
            let timeout_millis = u64::try_from(WAIT.as_millis()).unwrap_or(u64::MAX);
            let request = ClientRequest::AwaitRows { job, timeout_millis };
            let mut moves = MOVES;
            // An error is something for the reader, too.
            while http.waiting.lock().contains_key(&job) {
                match http.send(&request) {
                    Sent::Answered(Ok(ClientAnswer::NotYet)) => moves = MOVES,
                    Sent::Moved if moves > 0 => moves -= 1,
                    Sent::Answered(_) | Sent::Moved | Sent::Lost(_) => break,
                }
            }
            http.wake(job);
        };
        if self.0.threads.spawn("await rows", wait).is_err() {
            self.0.wake(job);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    fn at(listener: &TcpListener, grace: Duration) -> Remote {
        let address = format!("http://{}", listener.local_addr().unwrap());
        Remote(Arc::new(Http::new(Place::Url(address), &Pass::default(), Some(grace)).unwrap()))
    }

    #[test]
    fn a_cluster_that_does_not_answer_is_given_up() {
        // Connections are made, and nobody takes them.
        let frozen = TcpListener::bind("127.0.0.1:0").unwrap();
        let remote = at(&frozen, Duration::from_millis(20));
        let requests = [ClientRequest::Jobs, ClientRequest::Abandon { job: JobId(1) }];
        for request in requests {
            let told = remote.call(request).unwrap_err().to_string();
            assert!(told.contains("timeout") && told.contains("127.0.0.1"), "{told}");
        }
    }

    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn however_often_a_reader_asks_one_request_waits_for_its_rows() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let remote = at(&listener, Duration::from_secs(60));
        let woken: Vec<_> = (0..2).map(|_| Arc::new(Woken(AtomicUsize::new(0)))).collect();
        for _ in 0..50 {
            woken.iter().for_each(|woken| remote.wake_when_collected(JobId(1), woken.clone().into()));
        }
        assert_eq!(remote.0.threads.running(), 1);
        // Its end wakes both.
        let mut asked = BufReader::new(listener.accept().unwrap().0);
        let mut line = String::new();
        asked.read_line(&mut line).unwrap();
        assert!(line.starts_with("POST /flott/messages"), "{line}");
        drop(asked);
        assert!(remote.0.threads.wait_until(0, Duration::from_secs(60)));
        let counts: Vec<_> = woken.iter().map(|woken| woken.0.load(Ordering::SeqCst)).collect();
        assert_eq!(counts, [1, 1]);
    }

    /// A server that sends everybody on to itself.
    fn who_sends_on() -> TcpListener {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (own, address) = (listener.try_clone().unwrap(), listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut asked in own.incoming().flatten() {
                let mut request = [0; 4096];
                _ = asked.read(&mut request);
                let answer = format!(
                    "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{address}{HTTP_PATH}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                );
                _ = asked.write_all(answer.as_bytes());
            }
        });
        listener
    }

    #[test]
    fn nobody_is_sent_on_for_ever() {
        let listener = who_sends_on();
        let remote = at(&listener, Duration::from_secs(60));
        let told = remote.call(ClientRequest::Jobs).unwrap_err().to_string();
        assert!(told.contains("another one leads"), "{told}");
        let woken = Arc::new(Woken(AtomicUsize::new(0)));
        remote.wake_when_collected(JobId(1), woken.clone().into());
        assert!(remote.0.threads.wait_until(0, Duration::from_secs(60)));
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn nobody_is_sent_on_to_where_everybody_can_listen() {
        let http = Http::new(Place::Url("https://a:1".to_owned()), &Pass::default(), None).unwrap();
        let sent_to = |leader: &str| {
            let answer = Response::builder().status(307).header("location", format!("{leader}{HTTP_PATH}"));
            http.read("https://a:1", answer.body(Body::builder().data("")).unwrap())
        };
        let Sent::Answered(Err(error)) = sent_to("http://b:1") else { panic!("it would go there") };
        assert!(error.to_string().contains("'http://b:1', which is not encrypted"), "{error}");
        assert_eq!(*http.leader.lock(), None);
        assert!(matches!(sent_to("https://b:1"), Sent::Moved));
        assert_eq!(http.leader.lock().as_deref(), Some("https://b:1"));
    }

    #[test]
    fn a_leader_that_is_frozen_is_not_the_one_that_is_asked_next() {
        // Connections are made, and nobody takes them.
        let frozen = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", frozen.local_addr().unwrap());
        let http = Http::new(
            Place::Url("http://127.0.0.1:1".to_owned()),
            &Pass::default(),
            Some(Duration::from_millis(20)),
        )
        .unwrap();
        http.several.store(true, Ordering::SeqCst);
        *http.leader.lock() = Some(address);
        assert!(matches!(http.send(&ClientRequest::Jobs), Sent::Lost(_)));
        assert_eq!(http.address().unwrap().as_deref(), Some("http://127.0.0.1:1"));
    }
}
