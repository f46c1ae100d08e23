//! Savepoints that a program reads, and those that it makes from its inputs (Flink's State Processor API).

use std::hash::Hash;
use std::sync::Arc;

use flott_batch::Record;
use flott_connector_savepoint::Savepoint;
use flott_function::keyed_process::KeyedProcessFunction;
use flott_function::state::{BroadcastMap, Key, OperatorList};
use flott_function_operators::read_keys::{Piece, ReadKeys, ReadPiece};
use flott_runtime::options::SAVEPOINT_AT_END;
use flott_state::Redistribution;
use flott_types::{Error, Result};

use crate::environment::StreamExecutionEnvironment;
use crate::stream::DataStream;
use crate::stream::transform::{factory, transform};

/// The states in a savepoint or checkpoint, as streams that end.
///
/// ```no_run
/// use flott_datastream::*;
///
/// #[derive(Clone, Default)]
/// struct Balances {
///     balance: ValueState<i64>,
/// }
///
/// impl KeyedProcessFunction<u64, ()> for Balances {
///     type Out = (u64, i64);
///
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.balance = context.value_state("balance")?;
///         Ok(())
///     }
///
///     fn process_element(&mut self, _: (), ctx: &mut KeyedContext<'_, u64, (u64, i64)>) -> Result<()> {
///         let balance = self.balance.get(ctx).copied().unwrap_or(0);
///         ctx.collect((*ctx.current_key(), balance));
///         Ok(())
///     }
/// }
///
/// let env = StreamExecutionEnvironment::new();
/// let reader = SavepointReader::open(&env, "/savepoints/of-yesterday")?;
/// reader.keyed_state("accounts", Balances::default())?.print_debug();
/// env.execute("balances")?;
/// # Ok::<(), Error>(())
/// ```
pub struct SavepointReader {
    environment: StreamExecutionEnvironment,
    savepoint: Arc<Savepoint>,
}

impl SavepointReader {
    /// The snapshot at a path: its folder, or that of a job, which means its newest. A program of several processes
    /// names the snapshot itself: each process would look for the newest at another time.
    ///
    /// # Errors
    /// If there is none, or its manifest is damaged.
    pub fn open(environment: &StreamExecutionEnvironment, path: &str) -> Result<Self> {
        environment.prepare()?;
        let savepoint = Savepoint::open(path)?;
        let name = |path: &str| {
            let folder = path.trim_end_matches('/').trim_end_matches("/_metadata");
            folder.rsplit('/').next().unwrap_or_default().to_owned()
        };
        if environment.is_several_processes()? && name(path) != name(savepoint.url()) {
            return Err(Error::invalid(format!(
                "'{path}' is the folder of a job, whose newest snapshot may be another one for each process of the program; \
                 name one, such as '{}'",
                savepoint.url()
            )));
        }
        Ok(SavepointReader { environment: environment.clone(), savepoint: Arc::new(savepoint) })
    }

    /// What is in it.
    pub fn savepoint(&self) -> &Savepoint {
        &self.savepoint
    }

    /// What a function makes of the keyed state of an operator: it is called once with each key, and reads the states
    /// that it declares in `open` as the operator's function does. What it writes to them, or the timers that it
    /// registers, go nowhere.
    ///
    /// # Errors
    /// If there is no operator of this uid.
    pub fn keyed_state<K, F>(&self, uid: &str, function: F) -> Result<DataStream<F::Out>>
    where
        K: Key,
        F: KeyedProcessFunction<K, ()> + Clone,
    {
        let operator = self.savepoint.operator(uid)?;
        let (uid, max_parallelism) = (operator.uid.clone(), operator.max_parallelism);
        let savepoint = self.savepoint.clone();
        let read: ReadPiece = Arc::new(move |(piece, pieces)| savepoint.state(&uid, piece, pieces));
        let pieces = self.environment.parallelism()?.min(max_parallelism);
        let pieces =
            self.environment.from_parallel_collection((0..pieces).map(|piece| -> Piece { (piece, pieces) }));
        let factory = factory(function, move |function, _, options| {
            let options = Arc::new(options.clone());
            Ok(Box::new(ReadKeys::<K, F>::new(function, read.clone(), max_parallelism, options)))
        });
        Ok(transform(&pieces.shared, "Read Keyed State", pieces.rebalance().inputs(), factory))
    }

    /// The values of an operator's list state, from all its subtasks.
    ///
    /// # Errors
    /// If there is no operator of this uid, it has no such state, or its values are of another type.
    pub fn list_state<T: Record>(&self, uid: &str, name: &str) -> Result<DataStream<T>> {
        let mut restored = self.savepoint.list(uid, name)?;
        let list = OperatorList::<T>::restore(name, Redistribution::Split, &mut restored)?;
        Ok(self.environment.from_collection(list.values))
    }

    /// The entries of an operator's broadcast state.
    ///
    /// # Errors
    /// As for [`SavepointReader::list_state`].
    pub fn broadcast_state<K, V>(&self, uid: &str, name: &str) -> Result<DataStream<(K, V)>>
    where
        K: Record + Eq + Hash,
        V: Record,
    {
        let mut restored = self.savepoint.list(uid, name)?;
        let map = BroadcastMap::<K, V>::restore(name, &mut restored)?;
        Ok(self.environment.from_collection(map.entries))
    }
}

impl StreamExecutionEnvironment {
    /// Runs the job until it has read its inputs, which must be bounded, and stops it with a savepoint in a new folder
    /// below this one; answers where that lies. Nothing has finished then: no window or timer has fired because of the
    /// end of the inputs, and a job that starts from the savepoint goes on with its own inputs. The state that a job
    /// needs from the past is made this way.
    ///
    /// # Errors
    /// If the program or its configuration is wrong, the job fails, or the savepoint cannot be written.
    pub fn execute_to_savepoint(&self, name: &str, folder: &str) -> Result<String> {
        let (job, _) = self.run(name, &[(SAVEPOINT_AT_END, folder)])?;
        let checkpoints = job.info().checkpoints.history;
        let last = checkpoints.into_iter().find(|checkpoint| checkpoint.kind.is_last());
        let missing = || Error::internal("the job has ended without the savepoint with which it was to stop");
        last.and_then(|savepoint| savepoint.path).ok_or_else(missing)
    }
}
