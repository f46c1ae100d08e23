//! Aggregate functions of a program: a state for each group, which rows are added to, and a result.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_batch::Record;
use flott_state::{Migration, SlotColumns, Stored};
use flott_types::{Error, Result};
use flott_values::ColumnCodec;

use super::call::{Returned, argument};
use super::failure::of_row;
use super::types::{SqlType, typed};
use super::{Body, FunctionDefinition, FunctionKind, Typed};
use crate::function::Determinism;
use crate::value::Value;

/// Rows for the states of an aggregate function.
pub struct AggregateRows<'a> {
    /// The arguments: of all rows of a batch, of the types of the parameters.
    pub args: &'a [ArrayRef],
    /// The rows that count.
    pub rows: &'a [u32],
    /// The slots of their groups.
    pub slots: &'a [u32],
    /// Which of them take away; `None` when none.
    pub retract: Option<&'a [bool]>,
}

/// The states of an aggregate function by the slots of groups. Called per batch.
pub trait AggregateStates: SlotColumns {
    /// Takes rows in, in order.
    ///
    /// # Errors
    /// That of the function, with the arguments of the row.
    fn update(&mut self, rows: &AggregateRows<'_>) -> Result<()>;

    /// Merges the state in slot `from[i]` into that in slot `to[i]`, in order.
    ///
    /// # Errors
    /// If the function has no merge.
    fn merge(&mut self, from: &[u32], to: &[u32]) -> Result<()>;

    /// The results of groups.
    ///
    /// # Errors
    /// That of the function.
    fn results(&self, slots: &[u32]) -> Result<ArrayRef>;
}

/// What an aggregate function can do.
pub(super) trait AggregateBody: Send + Sync {
    /// Whether rows can be taken away.
    fn retracts(&self) -> bool;

    /// Whether states can be merged.
    fn merges(&self) -> bool;

    /// States with nothing in them, called so in snapshots; messages call the function `shown`.
    fn states(&self, name: &str, shown: &str) -> Result<Box<dyn AggregateStates>>;
}

/// A closure that changes a state by a row, with up to four parameters beside the state.
pub trait StateBody<S, Args>: Send + Sync + 'static {
    /// The types of its parameters.
    fn params() -> Vec<Typed>;

    /// Calls it for a row, unless an argument is NULL whose parameter has no NULL.
    ///
    /// # Errors
    /// That of the function, or if an argument is not of its parameter's type.
    fn call(&self, state: &mut S, args: &[Value], row: usize) -> Result<()>;
}

/// What a closure that changes a state may return: nothing, or a `Result`. An error fails the job.
pub trait Done {
    /// Whether it went well.
    ///
    /// # Errors
    /// That of the function.
    fn done(self) -> Result<()>;
}

impl Done for () {
    fn done(self) -> Result<()> {
        Ok(())
    }
}

impl Done for Result<()> {
    fn done(self) -> Result<()> {
        self
    }
}

macro_rules! bodies {
    ($(($($name:ident $at:tt $value:ident),*))*) => {
        $(impl<Func, State, Out: Done, $($name: SqlType),*> StateBody<State, ($($name,)*)> for Func
        where
            Func: Fn(&mut State, $($name),*) -> Out + Send + Sync + 'static,
        {
            fn params() -> Vec<Typed> {
                vec![$(typed::<$name>()),*]
            }

            fn call(&self, state: &mut State, args: &[Value], row: usize) -> Result<()> {
                let _ = (args, row);
                $(let Some($value) = argument::<$name>(args, $at, row)? else { return Ok(()) };)*
                self(state, $($value),*).done()
            }
        })*
    };
}

bodies! {
    ()
    (A 0 a)
    (A 0 a, B 1 b)
    (A 0 a, B 1 b, C 2 c)
    (A 0 a, B 1 b, C 2 c, D 3 d)
}

/// Changes states by rows, each that of its slot. The cell says which row is being taken.
type Change<S> = Arc<dyn Fn(&mut [S], &[Value], (&[u32], &[u32]), &Cell<usize>) -> Result<()> + Send + Sync>;
type Merge<S> = Arc<dyn Fn(&mut S, &S) + Send + Sync>;
type Outcome<S> = Arc<dyn Fn(&[S], &[u32]) -> Result<ArrayRef> + Send + Sync>;

/// An aggregate function of a state `S`. See [`aggregate`].
pub struct AggregateDefinition<S, Args> {
    accumulate: Change<S>,
    retract: Option<Change<S>>,
    merge: Option<Merge<S>>,
    result: Outcome<S>,
    params: Vec<Typed>,
    names: Vec<String>,
    returned: Typed,
    determinism: Determinism,
    of: PhantomData<fn(Args)>,
}

/// An aggregate function: `accumulate` adds a row to the state of its group, which begins as `S::default()`, and
/// `result` is the value of the group. The state may be of any serde type; it is part of snapshots.
///
/// ```
/// use flott_expr::user::aggregate;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Weighted {
///     sum: i64,
///     weight: i64,
/// }
///
/// let average = aggregate(
///     |state: &mut Weighted, value: i64, weight: i64| {
///         state.sum += value * weight;
///         state.weight += weight;
///     },
///     |state: &Weighted| (state.weight != 0).then(|| state.sum as f64 / state.weight as f64),
/// )
/// .retract(|state: &mut Weighted, value: i64, weight: i64| {
///     state.sum -= value * weight;
///     state.weight -= weight;
/// })
/// .merge(|state, other| {
///     state.sum += other.sum;
///     state.weight += other.weight;
/// });
/// # let _ = average;
/// ```
pub fn aggregate<S, Args, T, F, G, Out>(accumulate: F, result: G) -> AggregateDefinition<S, Args>
where
    S: Record + Default,
    T: SqlType,
    F: StateBody<S, Args>,
    G: Fn(&S) -> Out + Send + Sync + 'static,
    Out: Returned<T>,
{
    AggregateDefinition {
        accumulate: change(accumulate),
        retract: None,
        merge: None,
        result: Arc::new(move |states, slots| {
            let value = |slot: &u32| result(&states[*slot as usize]).returned().map(Some);
            Ok(T::array(slots.iter().map(value).collect::<Result<_>>()?))
        }),
        params: F::params(),
        names: Vec::new(),
        returned: typed::<T>(),
        determinism: Determinism::Always,
        of: PhantomData,
    }
}

/// The loop over the rows of a batch, for one closure.
fn change<S: 'static, Args, F: StateBody<S, Args>>(body: F) -> Change<S> {
    Arc::new(move |states, args, (rows, slots), computed| {
        for (row, slot) in rows.iter().zip(slots) {
            computed.set(*row as usize);
            body.call(&mut states[*slot as usize], args, *row as usize)?;
        }
        Ok(())
    })
}

impl<S: Record + Default, Args: 'static> AggregateDefinition<S, Args> {
    /// Takes a row away again. Inputs with updates and bounded frames of OVER need it.
    #[must_use]
    pub fn retract(mut self, retract: impl StateBody<S, Args>) -> Self {
        self.retract = Some(change(retract));
        self
    }

    /// Adds another state to a state. Session windows need it, and those that overlap.
    #[must_use]
    pub fn merge(mut self, merge: impl Fn(&mut S, &S) + Send + Sync + 'static) -> Self {
        self.merge = Some(Arc::new(merge));
        self
    }

    /// Names the parameters, so that arguments can be given by name: `f(x => 1)`.
    #[must_use]
    pub fn parameters<const N: usize>(mut self, names: [&str; N]) -> Self {
        self.names = names.map(str::to_owned).to_vec();
        self.names.truncate(self.params.len());
        self
    }

    /// The function may give something else for the same rows.
    #[must_use]
    pub fn non_deterministic(mut self) -> Self {
        self.determinism = Determinism::Never;
        self
    }
}

impl<S: Record + Default, Args: 'static> From<AggregateDefinition<S, Args>> for FunctionDefinition {
    fn from(definition: AggregateDefinition<S, Args>) -> Self {
        FunctionDefinition {
            kind: FunctionKind::Aggregate,
            params: definition.params.clone(),
            names: definition.names.clone(),
            result: definition.returned.clone(),
            determinism: definition.determinism,
            body: Body::Aggregate(Arc::new(definition)),
        }
    }
}

impl<S: Record + Default, Args: 'static> AggregateBody for AggregateDefinition<S, Args> {
    fn retracts(&self) -> bool {
        self.retract.is_some()
    }

    fn merges(&self) -> bool {
        self.merge.is_some()
    }

    fn states(&self, name: &str, shown: &str) -> Result<Box<dyn AggregateStates>> {
        let codec = ColumnCodec::new(&format!("{name}.state"))
            .map_err(|error| error.context(format!("the state of the aggregate function '{shown}'")))?;
        Ok(Box::new(States {
            shown: shown.to_owned(),
            states: Vec::new(),
            codec,
            accumulate: self.accumulate.clone(),
            retract: self.retract.clone(),
            merge: self.merge.clone(),
            result: self.result.clone(),
        }))
    }
}

/// The states by slot.
struct States<S> {
    shown: String,
    states: Vec<S>,
    codec: ColumnCodec<S>,
    accumulate: Change<S>,
    retract: Option<Change<S>>,
    merge: Option<Merge<S>>,
    result: Outcome<S>,
}

impl<S: Record + Default> States<S> {
    fn lacks(&self, what: &str) -> Error {
        Error::unsupported(format!("the aggregate function '{}' has no {what}", self.shown))
    }
}

impl<S: Record + Default> AggregateStates for States<S> {
    fn update(&mut self, input: &AggregateRows<'_>) -> Result<()> {
        let args: Vec<Value> = input.args.iter().cloned().map(Value::array).collect();
        let all = (input.rows, input.slots);
        let Some(retract) = input.retract else {
            let (states, accumulate) = (&mut self.states, &self.accumulate);
            return of_row(&self.shown, &args, |row| accumulate(states, &args, all, row));
        };
        let away = self.retract.clone().ok_or_else(|| self.lacks("retract"))?;
        let (states, accumulate) = (&mut self.states, &self.accumulate);
        of_row(&self.shown, &args, |row| {
            let mut start = 0;
            for run in retract.chunk_by(|a, b| a == b) {
                let range = start..start + run.len();
                start = range.end;
                let change = if run[0] { &away } else { accumulate };
                change(states, &args, (&all.0[range.clone()], &all.1[range]), row)?;
            }
            Ok(())
        })
    }

    fn merge(&mut self, from: &[u32], to: &[u32]) -> Result<()> {
        let merge = self.merge.clone().ok_or_else(|| self.lacks("merge"))?;
        let states = &mut self.states;
        of_row(&self.shown, &[], |_| {
            for (from, to) in from.iter().zip(to) {
                let other = std::mem::take(&mut states[*from as usize]);
                merge(&mut states[*to as usize], &other);
                states[*from as usize] = other;
            }
            Ok(())
        })
    }

    fn results(&self, slots: &[u32]) -> Result<ArrayRef> {
        of_row(&self.shown, &[], |_| (self.result)(&self.states, slots))
    }
}

impl<S: Record + Default> SlotColumns for States<S> {
    fn fields(&self) -> Vec<FieldRef> {
        vec![self.codec.field().clone()]
    }

    fn reset(&mut self, slot: u32) {
        let at = slot as usize;
        if at >= self.states.len() {
            let end = (at + 1).max(self.states.len() * 2);
            self.states.resize_with(end, S::default);
        }
        self.states[at] = S::default();
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.codec.encode(slots.iter().map(|slot| &self.states[*slot as usize]))?])
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        for column in columns {
            let states = self.codec.decode(column)?;
            slots.iter().zip(states).for_each(|(slot, state)| self.states[*slot as usize] = state);
        }
        Ok(())
    }

    fn restore(&mut self, slots: &[u32], stored: Vec<Stored>) -> Result<Option<Migration>> {
        let [stored] = stored.as_slice() else {
            return Err(Error::internal("one column of states was expected"));
        };
        let (states, migration) = self.codec.restore(stored)?;
        slots.iter().zip(states).for_each(|(slot, state)| self.states[*slot as usize] = state);
        Ok(migration)
    }

    fn bytes_of(&self, _: u32) -> usize {
        size_of::<S>()
    }

    fn memory(&self) -> usize {
        self.states.capacity() * size_of::<S>()
    }
}
