//! A JobManager of several, of which one leads.
//!
//! It stands by until it is elected ([`flott_cluster::high_availability`]); then it takes over the jobs, and says
//! where it is found. When it finds that it does not lead any more it does nothing further: its process has to
//! end.
//!
//! | thread | |
//! |---|---|
//! | election | stands for election; then renews its lease, which nothing else may hold up |
//! | takeover | runs the JobManager; finds the jobs of earlier leaders, which begin on threads of their own |
//! | lease | looks when the lease was last renewed: whoever hangs in that must not lead either |
//!
//! Whatever ends one of them before its time, a panic included, deposes the leader.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::task::Waker;
use std::thread::JoinHandle;
use std::time::Duration;

use flott_cluster::client_messages::{ClientAnswer, ClientRequest, DispatcherGateway};
use flott_cluster::high_availability::{Candidate, ClusterFolder, Leading, Term};
use flott_connector::Registry;
use flott_storage::block_on;
use flott_types::panics::caught;
use flott_types::{Clock, Error, ErrorKind, JobId, Result, SystemClock};
use parking_lot::{Condvar, Mutex};

use crate::process::JobManagerProcess;

/// How often a standby looks whether somebody leads.
const LOOK: Duration = Duration::from_millis(250);
/// How often a leader says that it does, in the time of a lease.
const RENEWALS: u32 = 5;
/// How often a leader looks at least for jobs that do not run yet.
const TAKE_OVER: Duration = Duration::from_secs(2);
/// How long one that is told to end waits for its threads: storage may hang.
const LEAVE: Duration = Duration::from_secs(10);
/// How often it looks whether they have ended.
const LOOK_AT_THREADS: Duration = Duration::from_millis(5);

/// What happens to one.
#[derive(Debug)]
pub enum Told {
    /// It leads, and is found here.
    Leads(SocketAddr, Term),
    /// It leads no longer, or cannot.
    Ended(Error),
}

/// Whom a client has to ask.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// This one.
    Here,
    /// The leader, with the address of its REST server.
    There(String),
    /// Nobody yet.
    Nobody,
}

/// See [`self`]. Dropping it suspends its jobs, and lets another one lead at once.
pub struct Standby {
    shared: Arc<Shared>,
    told: Receiver<Told>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    folder: ClusterFolder,
    configuration: BTreeMap<String, String>,
    registry: Arc<Registry>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    changed: Condvar,
    /// When it began to say for the last time that it leads.
    renewed: AtomicU64,
    /// Held while it says so: what is said last is the newest.
    renewing: Mutex<()>,
}

#[derive(Default)]
struct State {
    leading: Option<Arc<Leading>>,
    /// Where it is found: for TaskManagers, and for clients.
    rpc: Option<String>,
    rest: Option<String>,
    process: Option<Arc<JobManagerProcess>>,
    /// It has been told to end.
    ends: bool,
    /// It must not do anything any more.
    deposed: bool,
}

impl Standby {
    /// One of the cluster of this folder, which does not stand for election yet.
    ///
    /// # Errors
    /// If a value of the configuration cannot work.
    pub fn new(
        folder: ClusterFolder,
        configuration: BTreeMap<String, String>,
        registry: Arc<Registry>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        // What is wrong is told now, and not when it is needed.
        crate::options::JobManagerOptions::parse(&configuration)?;
        crate::tls::Tls::parse(&configuration)?;
        let (state, changed) = (Mutex::default(), Condvar::new());
        let (renewed, renewing) = (AtomicU64::new(0), Mutex::new(()));
        let shared =
            Arc::new(Shared { folder, configuration, registry, clock, state, changed, renewed, renewing });
        Ok(Standby { shared, told: channel().1, threads: Vec::new() })
    }

    /// Stands for election. `rest` is where clients find its REST server.
    ///
    /// # Errors
    /// If there are no threads for it.
    pub fn stand(&mut self, rest: String) -> Result<()> {
        let (tell, told) = channel();
        self.told = told;
        self.threads.push(self.shared.spawn("election", tell.clone(), move |own| own.run(rest, &tell))?);
        Ok(())
    }

    /// The way to the JobManager, when it leads.
    pub fn dispatcher(&self) -> Arc<dyn DispatcherGateway> {
        Arc::new(Switch(self.shared.clone()))
    }

    /// Who is to be asked, for the REST server.
    pub fn standing(&self) -> impl Fn() -> Standing + Send + Sync + 'static {
        let shared = self.shared.clone();
        move || shared.standing()
    }

    /// Waits so long for something to happen.
    pub fn run_for(&self, time: Duration) -> Option<Told> {
        match self.told.recv_timeout(time) {
            Ok(told) => Some(told),
            Err(RecvTimeoutError::Timeout) => None,
            // Nobody is left who could tell anything.
            Err(RecvTimeoutError::Disconnected) => {
                Some(Told::Ended(Error::internal("this JobManager does not stand for election")))
            }
        }
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        let (leading, process, deposed) = {
            let mut state = self.shared.state.lock();
            state.ends = true;
            (state.leading.take(), state.process.take(), state.deposed)
        };
        self.shared.changed.notify_all();
        if deposed {
            // It may not even say that its jobs are suspended.
            std::mem::forget(process);
            return;
        }
        let (clock, mut hangs) = (SystemClock::new(), false);
        for thread in self.threads.drain(..) {
            while !thread.is_finished() && Duration::from_nanos(clock.nanos()) < LEAVE {
                std::thread::park_timeout(LOOK_AT_THREADS);
            }
            hangs |= !thread.is_finished();
        }
        drop(process);
        if hangs {
            tracing::warn!(
                "the storage of the cluster does not answer: the other JobManagers wait for the lease of this one"
            );
            return;
        }
        if let Some(leading) = leading
            && let Err(error) = block_on(leading.resign(self.shared.clock.now()))
        {
            tracing::warn!(%error, "the other JobManagers do not hear that this one has ended");
        }
    }
}

impl Shared {
    /// A thread whose end for another reason than that it is told to deposes this JobManager.
    fn spawn(
        self: &Arc<Self>,
        name: &'static str,
        tell: Sender<Told>,
        work: impl FnOnce(&Arc<Self>) -> Result<()> + Send + 'static,
    ) -> Result<JoinHandle<()>> {
        let own = self.clone();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            if let Err(error) = caught(|| work(&own)) {
                own.depose();
                // The process ends anyway if nobody listens.
                let _ = tell.send(Told::Ended(error));
            }
        });
        thread
            .map_err(|error| Error::external(format!("there is no thread for the {name}")).with_source(error))
    }

    fn run(self: &Arc<Self>, rest: String, tell: &Sender<Told>) -> Result<()> {
        let Some(leading) = self.elected() else { return Ok(()) };
        tracing::info!(term = leading.term().0, folder = self.folder.url(), "this JobManager leads");
        self.renewed.store(self.clock.nanos(), Ordering::SeqCst);
        self.state.lock().leading = Some(leading.clone());
        // It ends by itself, also if the others hang.
        drop(self.spawn("lease", tell.clone(), |own| own.watch())?);
        // In between nobody finds it.
        self.say(&leading)?;
        let (of, teller) = (leading.clone(), tell.clone());
        let takeover = self.spawn("takeover", tell.clone(), move |own| own.lead(&of, rest, &teller))?;
        let renewed = self.renew(&leading);
        if renewed.is_ok() {
            // It is told to end.
            _ = takeover.join();
        }
        renewed
    }

    /// Looks whether it has said for the time of a lease that it leads, until it is told to end.
    fn watch(&self) -> Result<()> {
        let lease = self.folder.lease();
        while !self.ends_within(lease / RENEWALS) {
            let silent = self.clock.nanos().saturating_sub(self.renewed.load(Ordering::SeqCst));
            if Duration::from_nanos(silent) >= lease {
                return Err(Error::external(format!(
                    "this JobManager cannot say that it leads: '{}' has not answered for the time of its lease ('{} ms')",
                    self.folder.url(),
                    lease.as_millis()
                )));
            }
        }
        Ok(())
    }

    /// Says that it leads, and where. If that cannot be written, it is said soon again; how long that may go on is
    /// looked at elsewhere.
    ///
    /// # Errors
    /// If it does not lead any more.
    fn say(&self, leading: &Leading) -> Result<()> {
        match self.renew_once(leading) {
            Err(error) if error.kind() != ErrorKind::State => {
                tracing::warn!(%error, "this JobManager cannot say that it leads");
                Ok(())
            }
            said => said,
        }
    }

    fn renew_once(&self, leading: &Leading) -> Result<()> {
        let _one = self.renewing.lock();
        let (rpc, rest) = {
            let state = self.state.lock();
            (state.rpc.clone(), state.rest.clone())
        };
        let before = self.clock.nanos();
        block_on(leading.renew(rpc.as_deref(), rest.as_deref()))?;
        self.renewed.store(before, Ordering::SeqCst);
        Ok(())
    }

    /// Waits until it leads; `None` if it is told to end.
    fn elected(&self) -> Option<Arc<Leading>> {
        let mut candidate = Candidate::new(self.folder.clone());
        let mut is_new = true;
        loop {
            match block_on(candidate.stand(self.clock.now(), self.clock.nanos())) {
                Ok(Some(leading)) => return Some(Arc::new(leading)),
                Ok(None) if is_new => {
                    let leader = block_on(self.folder.leader()).ok().flatten();
                    let leader = leader.map(|leader| leader.owner).unwrap_or_default();
                    tracing::info!(leader, folder = self.folder.url(), "this JobManager stands by");
                    is_new = false;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "this JobManager cannot stand for election"),
            }
            if self.ends_within(LOOK) {
                return None;
            }
        }
    }

    /// Says that it leads, until it is told to end.
    fn renew(&self, leading: &Leading) -> Result<()> {
        while !self.ends_within(self.folder.lease() / RENEWALS) {
            self.say(leading)?;
        }
        Ok(())
    }

    /// Runs the JobManager, until it is told to end.
    fn lead(&self, leading: &Arc<Leading>, rest: String, tell: &Sender<Told>) -> Result<()> {
        let (registry, clock) = (self.registry.clone(), self.clock.clone());
        let process = JobManagerProcess::lead(&self.configuration, registry, clock, leading.clone())?;
        let process = Arc::new(process);
        if !self.finds_jobs(&process)? {
            return Ok(());
        }
        {
            let mut state = self.state.lock();
            if state.ends || state.deposed {
                return Ok(());
            }
            state.process = Some(process.clone());
            (state.rpc, state.rest) = (Some(process.announced()), Some(rest));
        }
        self.say(leading)?;
        // Nobody listens any more if the process ends.
        let _ = tell.send(Told::Leads(process.address(), leading.term()));
        let often = (self.folder.lease() / RENEWALS).min(TAKE_OVER);
        while !self.ends_within(often) {
            if let Err(error) = process.take_over() {
                tracing::warn!(%error, "the jobs of earlier leaders cannot be looked for");
            }
        }
        Ok(())
    }

    /// Finds the jobs of earlier leaders, of which clients must be able to hear as soon as they find this JobManager.
    /// Returns whether it is not told to end meanwhile.
    ///
    /// # Errors
    /// If the folder does not say them for the time of a lease: another JobManager may have more luck.
    fn finds_jobs(&self, process: &JobManagerProcess) -> Result<bool> {
        let since = self.clock.nanos();
        while let Err(error) = process.take_over() {
            if Duration::from_nanos(self.clock.nanos().saturating_sub(since)) >= self.folder.lease() {
                return Err(error.context("the jobs of the cluster cannot be found"));
            }
            tracing::warn!(%error, "the jobs of the cluster cannot be found; it is tried again");
            if self.ends_within(LOOK) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether it is told to end, or deposed, within this time.
    fn ends_within(&self, time: Duration) -> bool {
        let mut state = self.state.lock();
        let over = |state: &mut State| state.ends || state.deposed;
        self.changed.wait_while_for(&mut state, |state| !over(state), time);
        over(&mut state)
    }

    fn depose(&self) {
        let mut state = self.state.lock();
        state.deposed = true;
        // Its jobs are another one's: it must not say that they are suspended, nor wait for them.
        std::mem::forget(state.process.take());
        self.changed.notify_all();
    }

    fn process(&self) -> Option<Arc<JobManagerProcess>> {
        self.state.lock().process.clone()
    }

    fn standing(&self) -> Standing {
        if self.process().is_some() {
            return Standing::Here;
        }
        let own = self.state.lock().leading.as_ref().map(|leading| leading.term());
        match block_on(self.folder.leader()) {
            // It has been elected, and does not know its jobs yet.
            Ok(Some(leader)) if Some(leader.term) != own => {
                leader.rest.map_or(Standing::Nobody, Standing::There)
            }
            Ok(_) | Err(_) => Standing::Nobody,
        }
    }
}

/// The way to whoever leads, if it is this process.
struct Switch(Arc<Shared>);

impl DispatcherGateway for Switch {
    fn call(&self, request: ClientRequest) -> Result<ClientAnswer> {
        let (process, leading) = {
            let state = self.0.state.lock();
            (state.process.clone(), state.leading.clone())
        };
        let (Some(process), Some(leading)) = (process, leading) else {
            return Err(Error::external("this JobManager stands by, and does not lead its cluster"));
        };
        // By the request: `Done` is said of rows, and of a job that is cancelled.
        let is_of_rows = match request {
            // Nobody continues a job that collects rows.
            ClientRequest::Fetch { .. }
            | ClientRequest::AwaitRows { .. }
            | ClientRequest::Abandon { .. }
            | ClientRequest::Metrics { .. }
            | ClientRequest::Inspect { .. } => true,
            ClientRequest::Submit { .. }
            | ClientRequest::Job { .. }
            | ClientRequest::Jobs
            | ClientRequest::TaskManagers
            | ClientRequest::Plan { .. }
            | ClientRequest::Info { .. }
            | ClientRequest::Cancel { .. }
            | ClientRequest::Require { .. }
            | ClientRequest::DisposeSavepoint { .. }
            | ClientRequest::Program(_)
            | ClientRequest::Trigger { .. }
            | ClientRequest::Triggered { .. } => false,
        };
        let answer = process.dispatcher().call(request)?;
        if !is_of_rows {
            // To a leader that was frozen its jobs seem to fail, and its successor continues them. So nothing is said
            // of them unless it still led when it knew that.
            block_on(leading.check()).map_err(|error| Error::external(error.to_string()))?;
        }
        Ok(answer)
    }

    fn wake_when_collected(&self, job: JobId, reader: Waker) {
        match self.0.process() {
            Some(process) => process.dispatcher().wake_when_collected(job, reader),
            // There is an error to be read.
            None => reader.wake(),
        }
    }
}
