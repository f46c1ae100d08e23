//! The faults.

use flott_checkpoint::coordinator::Request;
use flott_checkpoint::execution::Scaling;
use rand::Rng;
use rand::rngs::SmallRng;

/// A deliberate mistake, to see that it is caught.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Mutation {
    None,
    /// Sinks commit when they have acknowledged.
    CommitOnAck,
    /// Tasks are told that a checkpoint is complete when its manifest is about to be written.
    NotifyBeforeDurable,
    /// Channels that are ahead are not blocked.
    NoBlocking,
    /// A new JobManager begins with the id after the last completed checkpoint.
    ReuseIds,
    /// Sources resume one record too late.
    SkipOnRestore,
    /// What has finished is not remembered.
    FinishAgain,
    /// A JobManager that was deposed may still write manifests.
    Unfenced,
    /// The job does not hear that its slots are lost.
    LossUntold,
    /// TaskManagers do what they are told, whatever session it belongs to.
    AnySession,
    /// What could not be committed is forgotten.
    CommitOnce,
    /// A TaskManager registers again while tasks of its last session run.
    RegisterEarly,
    /// Manifests do not hold what is to be committed for the job.
    GlobalForgotten,
    /// That does not wait for what subtasks commit.
    GlobalFirst,
    /// The job ends before it is committed.
    GlobalUnawaited,
    /// Subtasks hand it over once, and not until its checkpoint is complete.
    HandedOverOnce,
    /// What a barrier overtook is not replayed.
    KeptForgotten,
    /// Of what a barrier overtook, only what was there already is kept.
    KeptTooLittle,
}

pub enum Fault {
    Task(usize),
    /// It is replaced; it may not know that.
    JobManager {
        lives: bool,
    },
    /// The job is started again from its last checkpoint, at another parallelism.
    Rescale,
    /// Its process dies, and is there again after some time.
    TaskManager {
        which: usize,
        back_in: i64,
    },
    /// Messages to and from it are lost for some time.
    Partition {
        which: usize,
        time: i64,
    },
    /// Another job wants slots, and gives them back after some time.
    Competitor {
        slots: u32,
        time: i64,
    },
    /// The job is to be sized anew by its JobManager, while it runs.
    Resize,
    Request(Request),
}

/// Jobs are stopped and sized anew.
pub const SCALING: Option<Scaling> = Some(Scaling { settle: 20, settle_running: 20, cooldown: 0 });

pub struct Weather {
    /// The step after which nothing goes wrong any more.
    pub calm_at: u32,
    pub loss: f64,
    pub double: f64,
    pub write_failure: f64,
    pub snapshot_failure: f64,
    pub commit_failure: f64,
    /// How often a step is a message's and not a task's.
    pub link_speed: f64,
    pub faults: Vec<(u32, Fault)>,
}

impl Weather {
    pub fn calm() -> Self {
        Weather {
            calm_at: 0,
            loss: 0.0,
            double: 0.0,
            write_failure: 0.0,
            snapshot_failure: 0.0,
            commit_failure: 0.0,
            link_speed: 0.3,
            faults: Vec::new(),
        }
    }

    pub fn random(rng: &mut SmallRng, tasks: usize, task_managers: usize) -> Self {
        let calm_at = rng.random_range(100..900);
        let some = |rng: &mut SmallRng, most: f64| {
            if rng.random_bool(0.5) { 0.0 } else { rng.random_range(0.0..most) }
        };
        let fault = |rng: &mut SmallRng| match rng.random_range(0..18) {
            0..=3 => Fault::Task(rng.random_range(0..tasks)),
            4..=5 => Fault::JobManager { lives: rng.random() },
            6..=7 => Fault::TaskManager {
                which: rng.random_range(0..task_managers),
                back_in: rng.random_range(0..600),
            },
            8..=9 => {
                Fault::Partition { which: rng.random_range(0..task_managers), time: rng.random_range(1..900) }
            }
            10 => Fault::Competitor { slots: rng.random_range(1..4), time: rng.random_range(10..500) },
            11 => Fault::Request(Request::Checkpoint { full: rng.random() }),
            12 => Fault::Request(Request::Savepoint { target: "side".into() }),
            13 => Fault::Rescale,
            14 => Fault::Resize,
            _ => Fault::Request(Request::StopWithSavepoint { target: "stop".into(), drain: rng.random() }),
        };
        let mut faults: Vec<(u32, Fault)> =
            (0..rng.random_range(0..8)).map(|_| (rng.random_range(0..calm_at), fault(rng))).collect();
        faults.sort_by_key(|(step, _)| std::cmp::Reverse(*step));
        Weather {
            calm_at,
            loss: some(rng, 0.2),
            double: some(rng, 0.1),
            write_failure: some(rng, 0.3),
            snapshot_failure: some(rng, 0.1),
            commit_failure: some(rng, 0.4),
            link_speed: rng.random_range(0.1..0.6),
            faults,
        }
    }
}
