//! SQL sessions over HTTP, in the style of Flink's SQL Gateway: for clients that do not plan themselves, such
//! as a page in a browser.
//!
//! A client opens a session, executes statements in it, and fetches the result of each page by page: the
//! answer to one page names the next, until there is none. A page may be fetched twice, so that an answer that
//! is lost costs nothing; it is forgotten when the next one is fetched.
//!
//! Who plans is handed in ([`SqlSessions`]): this crate knows sessions, pages and what the cluster answers, and
//! no SQL. The rows of a query wait at the JobManager within its bounds until they are fetched; nothing is
//! kept here but one page of each operation. A session that nobody uses ends by itself, and its queries with
//! it; jobs that write to tables go on.

mod handlers;
mod operation;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use flott_cluster::JobClient;
use flott_plan::Schema;
use flott_types::{Clock, Error, Result};
use parking_lot::Mutex;

pub(crate) use handlers::{
    cancel, close, close_operation, complete, configure, execute, heartbeat, info, open, result, session,
    status,
};
use operation::Operation;

/// A session that has not been used for so long ends, as in Flink by default.
const IDLE: Duration = Duration::from_secs(600);
/// So many sessions at once.
const SESSIONS: usize = 100;
/// So many results of a session are kept, until its client closes them.
const OPERATIONS: usize = 100;

/// Opens sessions with these settings on top of the cluster's.
pub type SqlSessions = Arc<dyn Fn(&BTreeMap<String, String>) -> Result<Box<dyn SqlSession>> + Send + Sync>;

/// Plans statements and runs them.
pub trait SqlSession: Send {
    /// Executes one statement.
    ///
    /// # Errors
    /// What is wrong with it.
    fn execute(&mut self, statement: &str) -> Result<Executed>;

    /// The settings.
    fn properties(&self) -> BTreeMap<String, String>;

    /// What may stand at this place (in bytes) of a text, the likeliest first.
    fn complete(&mut self, text: &str, position: usize) -> Vec<String>;
}

/// What a statement did.
pub enum Executed {
    /// It changed the session.
    Done,
    /// It answers with a table of texts.
    Table(Schema, Vec<Vec<Option<String>>>),
    /// It began a job that writes to tables.
    Job(JobClient),
    /// It began a query.
    Query {
        /// Its job.
        job: JobClient,
        /// The columns.
        schema: Schema,
        /// In which TIMESTAMP_LTZ is shown.
        zone: Tz,
    },
}

/// The sessions of a server.
pub(crate) struct Gateway {
    engine: SqlSessions,
    clock: Arc<dyn Clock>,
    sessions: Mutex<BTreeMap<u128, Arc<Session>>>,
}

/// One client's.
struct Session {
    name: Option<String>,
    /// Held while a statement is planned: one after the other.
    sql: Mutex<Box<dyn SqlSession>>,
    operations: Mutex<BTreeMap<u128, (u64, Arc<Operation>)>>,
    /// By the clock, in nanoseconds.
    used: Mutex<u64>,
}

impl Gateway {
    pub fn new(engine: SqlSessions, clock: Arc<dyn Clock>) -> Self {
        Gateway { engine, clock, sessions: Mutex::default() }
    }

    fn open(&self, name: Option<String>, properties: &BTreeMap<String, String>) -> Result<u128> {
        self.end_idle();
        let sql = (self.engine)(properties)?;
        let mut sessions = self.sessions.lock();
        if sessions.len() >= SESSIONS {
            return Err(Error::external(format!("there are {SESSIONS} sessions already; close one")));
        }
        let handle = handle();
        let used = Mutex::new(self.clock.nanos());
        let session = Session { name, sql: Mutex::new(sql), operations: Mutex::default(), used };
        sessions.insert(handle, Arc::new(session));
        Ok(handle)
    }

    /// The session, which is used by that.
    fn session(&self, handle: u128) -> Option<Arc<Session>> {
        self.end_idle();
        let session = self.sessions.lock().get(&handle).cloned()?;
        *session.used.lock() = self.clock.nanos();
        Some(session)
    }

    fn close(&self, handle: u128) -> bool {
        let closed = self.sessions.lock().remove(&handle);
        if let Some(session) = &closed {
            session.end();
        }
        closed.is_some()
    }

    fn end_idle(&self) {
        let now = self.clock.nanos();
        let is_idle = |session: &Session| now.saturating_sub(*session.used.lock()) > IDLE.as_nanos() as u64;
        let ended: Vec<_> = {
            let mut sessions = self.sessions.lock();
            sessions.extract_if(.., |_, session| is_idle(session)).map(|(_, session)| session).collect()
        };
        // Outside of the lock: it asks the JobManager.
        ended.iter().for_each(|session| session.end());
    }
}

impl Session {
    /// Runs a statement; what is wrong with it is told by its operation, as in Flink.
    fn execute(&self, statement: &str) -> u128 {
        let executed = self.sql.lock().execute(statement);
        let (handle, operation) = (handle(), Arc::new(Operation::new(executed)));
        let left_over = {
            let mut operations = self.operations.lock();
            let number = operations.values().map(|(number, _)| number + 1).max().unwrap_or(0);
            operations.insert(handle, (number, operation));
            let oldest = operations.iter().min_by_key(|(_, (number, _))| *number).map(|(handle, _)| *handle);
            oldest.filter(|_| operations.len() > OPERATIONS).and_then(|oldest| operations.remove(&oldest))
        };
        if let Some((_, operation)) = left_over {
            operation.cancel();
        }
        handle
    }

    fn operation(&self, handle: u128) -> Option<Arc<Operation>> {
        self.operations.lock().get(&handle).map(|(_, operation)| operation.clone())
    }

    fn close_operation(&self, handle: u128) -> bool {
        let closed = self.operations.lock().remove(&handle);
        if let Some((_, operation)) = &closed {
            operation.cancel();
        }
        closed.is_some()
    }

    fn end(&self) {
        let operations = std::mem::take(&mut *self.operations.lock());
        operations.values().for_each(|(_, operation)| operation.cancel());
    }
}

/// A number that nobody guesses: each `RandomState` has a key of its own.
fn handle() -> u128 {
    let [high, low] = [0, 1].map(|part| RandomState::new().hash_one(part));
    u128::from(high) << 64 | u128::from(low)
}
