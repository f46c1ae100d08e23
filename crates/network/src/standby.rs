//! A JobManager of several, of which one leads.
//!
//! It stands by until it is elected ([`flott_cluster::high_availability`]); then it takes over the jobs, and says
//! where it is found. When it finds that it does not lead any more it does nothing further: its process has to
//! end.
//!
//! | thread | |
//! |---|---|
//! | election | stands for election; then renews its lease, which nothing else may hold up |
//! | takeover | runs the JobManager; takes over the jobs of earlier leaders |

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Waker;
use std::thread::JoinHandle;
use std::time::Duration;

use flott_cluster::client_messages::{ClientAnswer, ClientRequest, DispatcherGateway};
use flott_cluster::high_availability::{Candidate, ClusterFolder, Leading, Term};
use flott_connector::Registry;
use flott_storage::block_on;
use flott_types::{Clock, Error, ErrorKind, JobId, Result};
use parking_lot::{Condvar, Mutex};

use crate::process::JobManagerProcess;

/// How often a standby looks whether somebody leads.
const LOOK: Duration = Duration::from_millis(250);
/// How often a leader says that it does, in the time of a lease.
const RENEWALS: u32 = 5;

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
        let shared = Arc::new(Shared { folder, configuration, registry, clock, state, changed });
        Ok(Standby { shared, told: channel().1, threads: Vec::new() })
    }

    /// Stands for election. `rest` is where clients find its REST server.
    ///
    /// # Errors
    /// If there are no threads for it.
    pub fn stand(&mut self, rest: String) -> Result<()> {
        let (tell, told) = channel();
        self.told = told;
        let elected = self.shared.clone();
        let thread = std::thread::Builder::new().name("election".to_owned()).spawn(move || {
            if let Err(error) = elected.run(rest, &tell) {
                elected.depose();
                // The process ends anyway if nobody listens.
                let _ = tell.send(Told::Ended(error));
            }
        });
        let failed = |error| Error::external("there is no thread for the election").with_source(error);
        self.threads.push(thread.map_err(failed)?);
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
        self.told.recv_timeout(time).ok()
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
        for thread in self.threads.drain(..) {
            // A panic has been told.
            _ = thread.join();
        }
        drop(process);
        if let Some(leading) = leading
            && let Err(error) = block_on(leading.resign(self.shared.clock.now()))
        {
            tracing::warn!(%error, "the other JobManagers do not hear that this one has ended");
        }
    }
}

impl Shared {
    fn run(self: &Arc<Self>, rest: String, tell: &Sender<Told>) -> Result<()> {
        let Some(leading) = self.elected() else { return Ok(()) };
        tracing::info!(term = leading.term().0, folder = self.folder.url(), "this JobManager leads");
        self.state.lock().leading = Some(leading.clone());
        // In between nobody finds it.
        block_on(leading.renew(None, None))?;
        let (own, of, teller) = (self.clone(), leading.clone(), tell.clone());
        let takeover = std::thread::Builder::new().name("takeover".to_owned()).spawn(move || {
            if let Err(error) = own.lead(&of, rest, &teller) {
                own.depose();
                let _ = teller.send(Told::Ended(error));
            }
        });
        let takeover = takeover
            .map_err(|error| Error::external("there is no thread for the takeover").with_source(error))?;
        let renewed = self.renew(&leading);
        if renewed.is_ok() {
            // It is told to end.
            _ = takeover.join();
        }
        renewed
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
        let lease = self.folder.lease();
        let mut renewed = self.clock.nanos();
        while !self.ends_within(lease / RENEWALS) {
            let (rpc, rest) = {
                let state = self.state.lock();
                (state.rpc.clone(), state.rest.clone())
            };
            let before = self.clock.nanos();
            match block_on(leading.renew(rpc.as_deref(), rest.as_deref())) {
                Ok(()) => renewed = before,
                Err(error) if error.kind() == ErrorKind::State => return Err(error),
                Err(error) => {
                    let silent = Duration::from_nanos(self.clock.nanos().saturating_sub(renewed));
                    if silent >= lease {
                        return Err(error.context("this JobManager cannot say that it leads"));
                    }
                    tracing::warn!(%error, "this JobManager cannot say that it leads");
                }
            }
        }
        Ok(())
    }

    /// Runs the JobManager, until it is told to end.
    fn lead(&self, leading: &Arc<Leading>, rest: String, tell: &Sender<Told>) -> Result<()> {
        let (registry, clock) = (self.registry.clone(), self.clock.clone());
        let process = JobManagerProcess::lead(&self.configuration, registry, clock, leading.clone())?;
        let process = Arc::new(process);
        process.take_over()?;
        let (rpc, rest) = {
            let mut state = self.state.lock();
            if state.ends || state.deposed {
                return Ok(());
            }
            state.process = Some(process.clone());
            (state.rpc, state.rest) = (Some(process.announced()), Some(rest));
            (state.rpc.clone(), state.rest.clone())
        };
        block_on(leading.renew(rpc.as_deref(), rest.as_deref()))?;
        // Nobody listens any more if the process ends.
        let _ = tell.send(Told::Leads(process.address(), leading.term()));
        let often = self.folder.lease() / RENEWALS;
        while !self.ends_within(often) {
            if let Err(error) = process.take_over() {
                tracing::warn!(%error, "the jobs of earlier leaders cannot be looked for");
            }
        }
        Ok(())
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
        let answer = process.dispatcher().call(request)?;
        let is_of_rows = matches!(
            answer,
            ClientAnswer::Fetched(_) | ClientAnswer::NotYet | ClientAnswer::Done | ClientAnswer::Metrics(_)
        );
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
