//! Rolling aggregates of a keyed stream: one value for each key, emitted again with each record, or in batch
//! mode once at the end.

use std::sync::Arc;

use flott_batch::{Batch, Record, Records};
use flott_operator::{Context, Operator};
use flott_runtime::TaskOptions;
use flott_state::spill::Spill;
use flott_state::{OperatorSnapshot, RestoredState, StateColumn};
use flott_types::{CheckpointId, Error, Result};

use flott_function::state::{Key, KeyBy, KeyTable, ValueAccess, ValueColumn, tell, tell_dropped};

/// The name of the state.
const REDUCED: &str = "reduced";

/// The operator. The function takes the value so far and the next one.
pub struct Reduce<K, T, F> {
    function: F,
    key_by: Arc<dyn KeyBy<K, T>>,
    keys: KeyTable<K>,
    values: ValueColumn<T>,
    slots: Vec<u32>,
    options: Arc<TaskOptions>,
    spill: Spill,
    /// Only the final values are emitted.
    batch: bool,
}

impl<K: Key, T: Record + Clone, F> Reduce<K, T, F> {
    /// Folds the records of each key with the function. In batch mode only the last result of a key is
    /// emitted.
    ///
    /// # Errors
    /// If the type of the keys or the values cannot be stored in state.
    pub fn new(
        function: F,
        key_by: Arc<dyn KeyBy<K, T>>,
        max_parallelism: u32,
        options: Arc<TaskOptions>,
    ) -> Result<Self> {
        let batch = options.batch;
        let values = ValueColumn::named(REDUCED)?;
        let keys = KeyTable::new(max_parallelism)?;
        let (slots, spill) = (Vec::new(), Spill::default());
        Ok(Reduce { function, key_by, keys, values, slots, options, spill, batch })
    }
}

impl<K: Key, T: Record, F> Reduce<K, T, F> {
    /// Lets keys leave memory if there is too much.
    fn make_room(&mut self) -> Result<()> {
        let Reduce { keys, values, spill, .. } = self;
        if !spill.wants_room(keys.len()) {
            return Ok(());
        }
        let held = keys.memory() + values.memory();
        spill.make_room(keys, &mut [values], held)
    }
}

impl<K, T, F> Operator for Reduce<K, T, F>
where
    K: Key,
    T: Record + Clone,
    F: FnMut(&mut T, T) + Send,
{
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let known = restored.keyed.contains_key(REDUCED);
        self.values.restore(&mut self.keys, &mut restored)?;
        let operator = &context.info.name;
        tell(operator, REDUCED, known, self.values.migration(), restored.found);
        tell_dropped(operator, &restored);
        let (memory, states) = (self.options.table_memory(), &mut self.values);
        match self.batch {
            // All values are emitted at the end.
            true => self.spill.count(&self.keys, memory)?,
            false => self.spill.begin(&self.keys, &mut [states], memory, None)?,
        }
        loop {
            self.keys.forget_new();
            self.spill.grew();
            self.make_room()?;
            if !restored.next_part()? {
                return Ok(());
            }
            self.values.restore(&mut self.keys, &mut restored)?;
        }
    }

    fn restores_in_parts(&self) -> bool {
        true
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Records { values, timestamps, routes } = batch.into_records::<T>()?;
        let hashes = routes.ok_or_else(|| Error::internal("records of a keyed stream without their keys"))?;
        self.slots.clear();
        self.key_by.intern(&values, &hashes, &mut self.keys, &mut self.slots)?;
        if self.spill.has_spilled() {
            self.spill.fetch(&self.keys, &mut [&mut self.values], self.keys.new_slots())?;
        }
        self.keys.forget_new();
        self.spill.note_use(&self.slots);
        if self.batch {
            for (value, slot) in values.into_iter().zip(&self.slots) {
                match self.values.get_mut(*slot) {
                    Some(reduced) => (self.function)(reduced, value),
                    None => self.values.set(*slot, value),
                }
            }
            return self.make_room();
        }
        let reduce = |(value, slot): (T, &u32)| match self.values.get_mut(*slot) {
            Some(reduced) => {
                (self.function)(reduced, value);
                reduced.clone()
            }
            None => {
                self.values.set(*slot, value.clone());
                value
            }
        };
        let values = values.into_iter().zip(&self.slots).map(reduce).collect();
        context.output.emit(Batch::from(Records { values, timestamps, routes: None }))?;
        self.make_room()
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<()> {
        if !self.batch {
            return Ok(());
        }
        let values = (0..self.keys.end()).filter_map(|slot| self.values.get(slot).cloned()).collect();
        context.output.emit(Batch::from(Records::<T>::new(values)))
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut keyed = Vec::new();
        // Nothing is ever removed, so no key becomes free.
        self.values.snapshot(&self.keys, full, &mut Vec::new(), &mut keyed)?;
        let spilled = self.spill.snapshot(&self.keys, &mut [&mut self.values], &keyed)?.into_iter().collect();
        Ok(OperatorSnapshot { keyed, spilled, ..OperatorSnapshot::default() })
    }
}
