//! Runs functions on a stream and a broadcast stream.

use std::marker::PhantomData;
use std::sync::Arc;

use flott_batch::{Batch, Record};
use flott_operator::{Context, Operator};
use flott_runtime::TaskOptions;
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Result, Timestamp, Watermark};

use crate::keyed_core::KeyedCore;
use flott_function::broadcast::{
    BroadcastContext, BroadcastProcessFunction, KeyedBroadcastProcessFunction, ReadOnlyContext,
};
use flott_function::co_process::CoProcessFunction;
use flott_function::keyed_process::TimeDomain;
use flott_function::output::Of;
use flott_function::process::ProcessContext;
use flott_function::state::{Key, KeyBy};
use flott_function::{life_cycle_of, operator_life};

/// A function on a stream and a broadcast stream, as a function on two streams.
#[derive(Clone)]
pub struct Broadcast<F>(pub F);

impl<A, B, F: BroadcastProcessFunction<A, B>> CoProcessFunction<A, B> for Broadcast<F> {
    type Out = F::Out;

    life_cycle_of!(0);

    fn process_first(&mut self, value: A, context: &mut ProcessContext<'_, F::Out>) -> Result<()> {
        self.0.process_element(value, &mut ReadOnlyContext::new(context.reborrow()))
    }

    fn process_second(&mut self, value: B, context: &mut ProcessContext<'_, F::Out>) -> Result<()> {
        self.0.process_broadcast_element(value, &mut BroadcastContext::new(context.reborrow()))
    }

    fn finish(&mut self, context: &mut ProcessContext<'_, F::Out>) -> Result<()> {
        self.0.finish(context)
    }
}

/// The operator of a function on a keyed stream and a broadcast stream.
pub struct KeyedBroadcastProcess<K, A, B, F: KeyedBroadcastProcessFunction<K, A, B>> {
    function: F,
    key_by: Arc<dyn KeyBy<K, A>>,
    core: KeyedCore<K, F::Out>,
    of: Of<B>,
}

impl<K, A, B, F> KeyedBroadcastProcess<K, A, B, F>
where
    K: Key,
    A: Record,
    B: Record,
    F: KeyedBroadcastProcessFunction<K, A, B>,
{
    /// Calls the function with the records of one input for their keys, and with those of the other for all.
    pub fn new(
        function: F,
        key_by: Arc<dyn KeyBy<K, A>>,
        max_parallelism: u32,
        options: Arc<TaskOptions>,
    ) -> Result<Self> {
        let core = KeyedCore::new(max_parallelism, options)?.resident();
        Ok(KeyedBroadcastProcess { function, key_by, core, of: PhantomData })
    }

    fn fire(&mut self, domain: TimeDomain, until: Timestamp, context: &mut Context<'_>) -> Result<()> {
        let function = &mut self.function;
        self.core.fire(domain, until, context, |at, keyed| function.on_timer(at, keyed))
    }
}

impl<K, A, B, F> Operator for KeyedBroadcastProcess<K, A, B, F>
where
    K: Key,
    A: Record,
    B: Record,
    F: KeyedBroadcastProcessFunction<K, A, B>,
{
    fn open(&mut self, restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.core.open(restored, context, |runtime| self.function.open(runtime))
    }

    fn process(&mut self, input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let KeyedBroadcastProcess { function, key_by, core, .. } = self;
        match input {
            0 => {
                core.process(&**key_by, batch, context, |value, keyed| function.process_element(value, keyed))
            }
            _ => core.broadcast(batch, context, |value, all| function.process_broadcast_element(value, all)),
        }
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.fire(TimeDomain::EventTime, watermark.0, context)?;
        context.output.watermark(watermark)
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.fire(TimeDomain::ProcessingTime, now, context)
    }

    fn snapshot(&mut self, checkpoint: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        self.core.snapshot(checkpoint, full, |context| self.function.snapshot_state(context))
    }

    operator_life!(function);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::co_process::CoProcess;
    use crate::testing::{Harness, MAX_PARALLELISM, Stored, options};
    use flott_function::broadcast::KeyedBroadcastContext;
    use flott_function::keyed_process::KeyedContext;
    use flott_function::runtime_context::RuntimeContext;
    use flott_function::state::ByValue;
    use flott_function::state::{BroadcastState, ValueState};

    /// Emits what it knows about a name.
    #[derive(Clone, Default)]
    struct Names {
        names: BroadcastState<u32, String>,
    }

    impl BroadcastProcessFunction<u32, (u32, String)> for Names {
        type Out = Option<String>;

        fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
            self.names = context.broadcast_state("names")?;
            Ok(())
        }

        fn process_element(
            &mut self,
            id: u32,
            context: &mut ReadOnlyContext<'_, Option<String>>,
        ) -> Result<()> {
            let name = self.names.get(context, &id).cloned();
            context.collect(name);
            Ok(())
        }

        fn process_broadcast_element(
            &mut self,
            (id, name): (u32, String),
            context: &mut BroadcastContext<'_, Option<String>>,
        ) -> Result<()> {
            match name.is_empty() {
                true => self.names.remove(context, &id),
                false => self.names.insert(context, id, name),
            };
            Ok(())
        }
    }

    fn names(stored: &Stored, subtask: u32, parallelism: u32) -> Harness {
        let operator = CoProcess::new(Broadcast(Names::default()), options());
        Harness::restored::<Option<String>>(operator, stored, subtask, parallelism)
    }

    #[test]
    fn broadcast_state_is_whole_in_every_subtask_after_a_restore_at_any_parallelism() {
        let mut stored = Stored::default();
        let mut subtasks: Vec<Harness> = (0..2).map(|subtask| names(&stored, subtask, 2)).collect();
        for task in &mut subtasks {
            let rules = [(1u32, "ann"), (2, "bob"), (3, "cay"), (2, "")];
            task.push(1, rules.map(|(id, name)| (id, name.to_owned())));
            assert_eq!(task.push(0, [1u32, 2]), ["Some(\"ann\")", "None"]);
        }
        for task in &mut subtasks {
            task.snapshot(&mut stored);
        }
        assert_eq!(stored.list("names").len(), 2);
        for parallelism in [1, 2, 5] {
            for subtask in 0..parallelism {
                let mut task = names(&stored, subtask, parallelism);
                assert_eq!(task.push(0, [1u32, 2, 3]), ["Some(\"ann\")", "None", "Some(\"cay\")"]);
            }
        }
    }

    /// Counts by key; a broadcast value clears the counts that are not above it.
    #[derive(Clone, Default)]
    struct Counts {
        count: ValueState<u32>,
        least: BroadcastState<(), u32>,
    }

    impl KeyedBroadcastProcessFunction<u32, u32, u32> for Counts {
        type Out = (u32, u32);

        fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
            self.count = context.value_state("count")?;
            self.least = context.broadcast_state("least")?;
            Ok(())
        }

        fn process_element(
            &mut self,
            key: u32,
            context: &mut KeyedContext<'_, u32, (u32, u32)>,
        ) -> Result<()> {
            let count = self.count.get(context).copied().unwrap_or(0) + 1;
            self.count.set(context, count);
            context.collect((key, count));
            Ok(())
        }

        fn process_broadcast_element(
            &mut self,
            least: u32,
            context: &mut KeyedBroadcastContext<'_, u32, (u32, u32)>,
        ) -> Result<()> {
            self.least.insert(context, (), least);
            let mut kept = Vec::new();
            context.apply_to_keyed_state(|key, states| {
                match self.count.get(states).copied() {
                    Some(count) if count > least => kept.push((*key, count)),
                    _ => self.count.clear(states),
                }
                Ok(())
            })?;
            kept.sort_unstable();
            kept.into_iter().for_each(|kept| context.collect(kept));
            Ok(())
        }
    }

    fn counts(stored: &Stored) -> Harness {
        let key_by = Arc::new(ByValue(|key: &u32| *key));
        let operator = KeyedBroadcastProcess::<_, u32, u32, _>::new(
            Counts::default(),
            key_by,
            MAX_PARALLELISM,
            options(),
        );
        Harness::restored::<(u32, u32)>(operator.unwrap(), stored, 0, 1)
    }

    #[test]
    fn what_a_broadcast_value_does_to_all_keys_is_in_the_next_snapshot() {
        let mut stored = Stored::default();
        let mut task = counts(&stored);
        task.push_keyed(0, |key| *key, [1u32, 2, 2, 3].map(|key| (key, 0))).unwrap();
        task.snapshot(&mut stored);
        assert_eq!(stored.rows("count"), 3);
        assert_eq!(task.push(1, [1u32]), ["(2, 2)"]);
        task.snapshot(&mut stored);
        assert_eq!((stored.rows("count"), stored.changes, stored.list("least").len()), (1, 2, 1));
        let mut task = counts(&stored);
        let out = task.push_keyed(0, |key| *key, [1u32, 2].map(|key| (key, 5))).unwrap();
        assert_eq!(out, ["(1, 1)@5", "(2, 3)@5"]);
    }
}
