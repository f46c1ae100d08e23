//! A JobManager and TaskManagers that find each other over loopback.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flott_checkpoint::resources::LeaderId;
use flott_cluster::{
    JobManager, JobManagerServices, Liveness, Snapshots, Storage, TaskManager, TaskManagerId,
    TaskManagerOptions,
};
use flott_connector::Registry;
use flott_network::VERSION;
use flott_network::control::{ControlClient, ControlOptions, ControlServer, Ending, Hello, Joining};
use flott_network::find::Find;
use flott_network::tls::Tls;
use flott_operators::SqlOperators;
use flott_runtime::{LocalExchanges, TaskEnvironment, Threads};
use flott_types::{Clock, SystemClock};
use tokio::runtime::{Builder, Runtime};

const LONG: Duration = Duration::from_secs(60);

struct Master {
    manager: Arc<JobManager>,
    server: ControlServer,
}

impl Master {
    fn start(leader: u64, port: u16) -> Self {
        Master::with_tls(leader, port, None)
    }

    fn with_tls(leader: u64, port: u16, tls: Option<Arc<Tls>>) -> Self {
        let clock = Arc::new(SystemClock::new());
        let manager = JobManager::start(JobManagerServices {
            clock,
            registry: Arc::default(),
            storage: Arc::new(Snapshots::of_several_processes()),
            threads: Threads::default(),
            resources: Liveness::default(),
            leader: LeaderId(leader),
            defaults: BTreeMap::new(),
            high_availability: None,
            archive: None,
            programs: None,
            hosted: None,
        });
        let manager = manager.unwrap();
        let (host, liveness) = ("127.0.0.1".to_owned(), Liveness::default());
        let options = ControlOptions { host, port, liveness, tls, program: None };
        let server = ControlServer::start(&options, manager.clone()).unwrap();
        Master { manager, server }
    }

    /// Waits until there are so many slots.
    fn has_slots(&self, slots: u32) {
        let clock = SystemClock::new();
        while self.manager.slots().0 != slots {
            assert!(
                Duration::from_nanos(clock.nanos()) < LONG,
                "{:?} slots, not {slots}",
                self.manager.slots()
            );
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        self.manager.shutdown(Duration::ZERO);
    }
}

struct Worker {
    _manager: Arc<TaskManager>,
    _control: ControlClient,
    ending: std::sync::mpsc::Receiver<Ending>,
    _runtime: Runtime,
}

fn worker(id: u32, master: &str, version: &str) -> Worker {
    worker_with_tls(id, master, version, None)
}

fn worker_with_tls(id: u32, master: &str, version: &str, tls: Option<Arc<Tls>>) -> Worker {
    worker_of(id, master, version, tls, None, LONG)
}

fn worker_of(
    id: u32,
    master: &str,
    version: &str,
    tls: Option<Arc<Tls>>,
    program: Option<&str>,
    patience: Duration,
) -> Worker {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let control = ControlClient::new();
    let environment = |reports, results| TaskEnvironment {
        clock: Arc::new(SystemClock::new()),
        registry: Arc::new(Registry::default()),
        operators: Arc::new(SqlOperators::new(flott_functions::builtin())),
        exchanges: Arc::new(LocalExchanges::default()),
        storage: Arc::new(Snapshots::of_several_processes()).as_snapshot_storage(),
        results,
        reports,
        threads: Threads::default(),
        memory: Arc::default(),
    };
    let liveness = Liveness::default();
    let options = TaskManagerOptions {
        id: TaskManagerId(id),
        slots: 3,
        liveness,
        leader: None,
        workers: None,
        ends_with_hanging_tasks: false,
    };
    let manager = TaskManager::start(options, environment, control.gateway(), |_| {}).unwrap();
    let hello = Hello {
        version: version.to_owned(),
        task_manager: id,
        name: format!("worker-{id}"),
        address: "127.0.0.1:1".to_owned(),
        program: program.map(str::to_owned),
    };
    let joining = Joining { find: Find::At(master.to_owned()), hello, liveness, tls, patience };
    let ending = control.connect(joining, manager.clone(), runtime.handle()).unwrap();
    Worker { _manager: manager, _control: control, ending, _runtime: runtime }
}

/// One that nobody listens at, below those that the system gives to outgoing connections: one of these could take
/// it while no JobManager is there.
fn free_port() -> u16 {
    let first = u16::try_from(std::process::id() % 10_000).unwrap();
    let mut ports = (0..10_000).map(|next| 20_000 + (first + next) % 10_000);
    ports.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

#[test]
fn task_managers_join_leave_and_find_the_next_job_manager() {
    let master = Master::start(1, free_port());
    let address = master.server.address().to_string();
    let first = worker(1, &address, VERSION);
    let second = worker(2, &address, VERSION);
    master.has_slots(6);
    drop(second);
    master.has_slots(3);
    let port = master.server.address().port();
    drop(master);
    let master = Master::start(2, port);
    master.has_slots(3);
    drop(master);
    // One whose clock is behind.
    let master = Master::start(1, port);
    master.has_slots(3);
    assert!(first.ending.try_recv().is_err(), "it waits for the next one");
}

#[test]
fn another_version_is_refused_and_both_are_named() {
    let master = Master::start(1, 0);
    let other = worker(1, &master.server.address().to_string(), "0.0.9");
    let Ok(Ending::Refused(told)) = other.ending.recv_timeout(LONG) else { panic!("it is taken in") };
    let told = told.to_string();
    assert!(told.contains("version 0.0.9") && told.contains(VERSION), "{told}");
    assert!(told.contains("worker-1"), "{told}");
    assert_eq!(master.manager.slots(), (0, 0));
}

#[test]
fn a_process_of_a_program_is_refused_by_a_cluster() {
    let master = Master::start(1, 0);
    let other = worker_of(1, &master.server.address().to_string(), VERSION, None, Some("a-1"), LONG);
    let Ok(Ending::Refused(told)) = other.ending.recv_timeout(LONG) else { panic!("it is taken in") };
    assert!(told.to_string().contains("is one of a program"), "{told}");
}

#[test]
fn who_finds_no_job_manager_ends_in_time() {
    // Nobody listens there.
    let other = worker_of(1, "127.0.0.1:1", VERSION, None, None, Duration::from_millis(300));
    let Ok(Ending::Refused(told)) = other.ending.recv_timeout(LONG) else { panic!("it goes on") };
    assert!(told.to_string().contains("'taskmanager.registration.timeout'"), "{told}");
}

#[test]
fn only_who_has_a_certificate_joins() {
    let master = Master::with_tls(1, 0, Some(crate::tls::of("broker")));
    let address = master.server.address().to_string();
    let _plain = worker(1, &address, VERSION);
    let _stranger = worker_with_tls(2, &address, VERSION, Some(crate::tls::stranger()));
    let _member = worker_with_tls(3, &address, VERSION, Some(crate::tls::of("client")));
    master.has_slots(3);
    // The others are refused each time they try; as many more slots would have come by the time the next member has.
    let _another = worker_with_tls(4, &address, VERSION, Some(crate::tls::of("broker")));
    master.has_slots(6);
}
