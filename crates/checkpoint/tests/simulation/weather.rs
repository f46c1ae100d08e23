//! What goes wrong.

use flott_checkpoint::coordinator::Request;
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
}

pub enum Fault {
    Task(usize),
    JobManager,
    Request(Request),
}

pub struct Weather {
    /// The step after which nothing goes wrong any more.
    pub calm_at: u32,
    pub loss: f64,
    pub double: f64,
    pub write_failure: f64,
    pub snapshot_failure: f64,
    /// How often a step is a message's and not a task's.
    pub link_speed: f64,
    pub faults: Vec<(u32, Fault)>,
}

impl Weather {
    pub fn random(rng: &mut SmallRng, tasks: usize) -> Self {
        let calm_at = rng.random_range(100..900);
        let some = |rng: &mut SmallRng, most: f64| {
            if rng.random_bool(0.5) { 0.0 } else { rng.random_range(0.0..most) }
        };
        let fault = |rng: &mut SmallRng| match rng.random_range(0..10) {
            0..=4 => Fault::Task(rng.random_range(0..tasks)),
            5..=6 => Fault::JobManager,
            7 => Fault::Request(Request::Checkpoint { full: rng.random() }),
            8 => Fault::Request(Request::Savepoint { target: "side".into() }),
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
            link_speed: rng.random_range(0.1..0.6),
            faults,
        }
    }
}
