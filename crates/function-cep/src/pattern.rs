//! What a program looks for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flott_pattern::{Automaton, Contiguity, Skip, Stage, Test, Times};
use flott_types::{Error, Result};

use crate::condition::{Condition, Matched};

/// A sequence of events to look for, built from its first stage to its last; as in Flink, under Flink's names.
///
/// ```
/// # use flott_datastream::cep::Pattern;
/// # use std::time::Duration;
/// // A small payment followed by a large one within a minute.
/// let pattern = Pattern::<i64>::begin("small")
///     .where_(|amount| *amount < 10)
///     .followed_by("large")
///     .where_matched(|amount, so_far| so_far.events("small").iter().all(|small| *amount > 100 * *small))
///     .within(Duration::from_secs(60));
/// ```
pub struct Pattern<T> {
    stages: Vec<Described<T>>,
    skip: AfterMatchSkipStrategy,
    fault: Option<String>,
}

/// What a match does to the partial matches that share events with it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AfterMatchSkipStrategy {
    to: To,
    throws: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
enum To {
    #[default]
    NoSkip,
    Next,
    PastLast,
    First(String),
    Last(String),
}

impl AfterMatchSkipStrategy {
    /// Every match is emitted.
    pub fn no_skip() -> Self {
        AfterMatchSkipStrategy::default()
    }

    /// A match ends the partial matches that began with the same event.
    pub fn skip_to_next() -> Self {
        AfterMatchSkipStrategy { to: To::Next, throws: false }
    }

    /// A match ends the partial matches that began before its last event, or with it.
    pub fn skip_past_last_event() -> Self {
        AfterMatchSkipStrategy { to: To::PastLast, throws: false }
    }

    /// A match ends the partial matches that began before its first event of this stage.
    pub fn skip_to_first(stage: &str) -> Self {
        AfterMatchSkipStrategy { to: To::First(stage.to_owned()), throws: false }
    }

    /// A match ends the partial matches that began before its last event of this stage.
    pub fn skip_to_last(stage: &str) -> Self {
        AfterMatchSkipStrategy { to: To::Last(stage.to_owned()), throws: false }
    }

    /// A match without an event to skip to fails the job. Otherwise it skips nothing.
    #[must_use]
    pub fn throw_exception_on_miss(self) -> Self {
        AfterMatchSkipStrategy { throws: true, ..self }
    }
}

/// A stage as it was described.
struct Described<T> {
    name: String,
    condition: Option<Condition<T>>,
    until: Option<Condition<T>>,
    group: Option<Vec<Described<T>>>,
    stage: Stage,
}

impl<T> Clone for Described<T> {
    fn clone(&self) -> Self {
        Described {
            name: self.name.clone(),
            condition: self.condition.clone(),
            until: self.until.clone(),
            group: self.group.clone(),
            stage: self.stage.clone(),
        }
    }
}

impl<T> Clone for Pattern<T> {
    fn clone(&self) -> Self {
        Pattern { stages: self.stages.clone(), skip: self.skip.clone(), fault: self.fault.clone() }
    }
}

/// Stages, each from its predecessor on.
impl<T: 'static> Pattern<T> {
    /// A pattern that begins with a stage of this name.
    pub fn begin(stage: &str) -> Self {
        let pattern = Pattern { stages: Vec::new(), skip: AfterMatchSkipStrategy::no_skip(), fault: None };
        pattern.then(stage, Contiguity::Strict, None)
    }

    /// A pattern that begins with a group: a pattern that can be repeated.
    pub fn begin_group(group: Pattern<T>) -> Self {
        let pattern = Pattern { stages: Vec::new(), skip: group.skip.clone(), fault: None };
        pattern.then("", Contiguity::Strict, Some(group))
    }

    /// What happens after a match.
    #[must_use]
    pub fn after_match(self, skip: AfterMatchSkipStrategy) -> Self {
        Pattern { skip, ..self }
    }

    /// The next event.
    #[must_use]
    pub fn next(self, stage: &str) -> Self {
        self.then(stage, Contiguity::Strict, None)
    }

    /// The next event that fits; others may come before it.
    #[must_use]
    pub fn followed_by(self, stage: &str) -> Self {
        self.then(stage, Contiguity::Relaxed, None)
    }

    /// Any later event that fits; others may come before it, also such that fit.
    #[must_use]
    pub fn followed_by_any(self, stage: &str) -> Self {
        self.then(stage, Contiguity::NonDeterministic, None)
    }

    /// The next event must not fit.
    #[must_use]
    pub fn not_next(self, stage: &str) -> Self {
        self.then(stage, Contiguity::NotNext, None)
    }

    /// No event that fits may come before the next stage, or, at the end, before the time is over.
    #[must_use]
    pub fn not_followed_by(self, stage: &str) -> Self {
        self.then(stage, Contiguity::NotFollowedBy, None)
    }

    /// A group that begins with the next event.
    #[must_use]
    pub fn next_group(self, group: Pattern<T>) -> Self {
        self.then("", Contiguity::Strict, Some(group))
    }

    /// A group that begins with the next event that fits.
    #[must_use]
    pub fn followed_by_group(self, group: Pattern<T>) -> Self {
        self.then("", Contiguity::Relaxed, Some(group))
    }

    /// A group that begins with any later event that fits.
    #[must_use]
    pub fn followed_by_any_group(self, group: Pattern<T>) -> Self {
        self.then("", Contiguity::NonDeterministic, Some(group))
    }

    fn then(mut self, name: &str, contiguity: Contiguity, group: Option<Pattern<T>>) -> Self {
        let negated = matches!(contiguity, Contiguity::NotNext | Contiguity::NotFollowedBy);
        if negated && self.stages.last().is_some_and(|before| before.stage.optional) {
            self.fail(format!(
                "'{name}' must not come, but the stage before it is optional; write two patterns, with the optional stage and without"
            ));
        }
        let group = group.map(|group| {
            if let Some(fault) = group.fault {
                self.fail(fault);
            }
            group.stages
        });
        let stage = Stage::new(0, contiguity, Test::Always);
        self.stages.push(Described { name: name.to_owned(), condition: None, until: None, group, stage });
        self
    }
}

/// What the events of the last stage are.
impl<T: 'static> Pattern<T> {
    /// Only events of which this is true; a second condition must hold too.
    #[must_use]
    pub fn where_(self, condition: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        self.where_matched(move |event, _| condition(event))
    }

    /// As [`Pattern::where_`], with what the partial match has so far (`IterativeCondition` in Flink).
    #[must_use]
    pub fn where_matched(
        self,
        condition: impl Fn(&T, &Matched<'_, T>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.condition("where_", |before| match before {
            None => Arc::new(condition),
            Some(before) => Arc::new(move |event, so_far| before(event, so_far) && condition(event, so_far)),
        })
    }

    /// Events of which the conditions so far are true, or this one.
    #[must_use]
    pub fn or(self, condition: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        self.condition("or", |before| match before {
            None => Arc::new(move |event, _| condition(event)),
            Some(before) => Arc::new(move |event, so_far| before(event, so_far) || condition(event)),
        })
    }

    /// A stage that repeats is over with an event of which this is true; that event is not part of it.
    #[must_use]
    pub fn until(self, condition: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        self.change(|last| {
            if last.until.is_some() {
                return Err("has two `until`");
            }
            if !matches!(last.stage.times, Times::AtLeast(_)) {
                return Err("has `until`, which is for stages that come any number of times");
            }
            last.until = Some(Arc::new(move |event, _| condition(event)));
            Ok(())
        })
    }

    fn condition(
        self,
        method: &'static str,
        combine: impl FnOnce(Option<Condition<T>>) -> Condition<T>,
    ) -> Self {
        self.change(|last| {
            if last.group.is_some() {
                let refused = "is a group: conditions belong to its stages";
                return Err(if method == "or" { "is a group: `or` belongs to its stages" } else { refused });
            }
            let before = last.condition.take();
            last.condition = Some(combine(before));
            Ok(())
        })
    }
}

/// How often the last stage comes, and in what time.
impl<T: 'static> Pattern<T> {
    /// Once or more often.
    #[must_use]
    pub fn one_or_more(self) -> Self {
        self.repeated(Times::AtLeast(1))
    }

    /// This often.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        self.repeated(Times::Between(times, times))
    }

    /// From this often to that, inclusive; from 0 on means that it may be missing.
    #[must_use]
    pub fn times_between(self, from: u32, to: u32) -> Self {
        let optional = from == 0;
        let repeated = self.repeated(Times::Between(from.max(1), to));
        if optional { repeated.optional() } else { repeated }
    }

    /// This often or more.
    #[must_use]
    pub fn times_or_more(self, times: u32) -> Self {
        self.repeated(Times::AtLeast(times))
    }

    /// It may be missing.
    #[must_use]
    pub fn optional(mut self) -> Self {
        let before = self.stages.len().checked_sub(2).and_then(|at| self.stages.get(at));
        if before.is_some_and(|before| before.stage.greedy) {
            self.fail("an optional stage cannot follow a greedy one".to_owned());
        }
        self.change(|last| match last.stage.optional {
            true => Err("is optional twice"),
            false => {
                last.stage.optional = true;
                Ok(())
            }
        })
    }

    /// It takes events that the stage after it could take too.
    #[must_use]
    pub fn greedy(self) -> Self {
        self.change(|last| match (last.stage.times, last.stage.inner) {
            _ if last.group.is_some() => Err("is a group, which cannot be greedy"),
            (Times::Once, _) => Err("is greedy and comes once"),
            (_, Contiguity::NonDeterministic) => Err("is greedy and allows combinations"),
            _ => {
                last.stage.greedy = true;
                Ok(())
            }
        })
    }

    /// Its events follow each other, without others between.
    #[must_use]
    pub fn consecutive(self) -> Self {
        self.inner(Contiguity::Strict)
    }

    /// Between its events may be others, also such that fit.
    #[must_use]
    pub fn allow_combinations(self) -> Self {
        self.inner(Contiguity::NonDeterministic)
    }

    /// A match takes less than this from its first event to its last. The least of several counts.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        self.change(|last| {
            last.stage.within = Some(millis(time));
            Ok(())
        })
    }

    /// The last stage comes less than this after the event before it (`WithinType.PREVIOUS_AND_CURRENT` in
    /// Flink; for a stage that repeats, the duration that Flink's quantifiers take).
    #[must_use]
    pub fn within_previous(self, time: Duration) -> Self {
        self.change(|last| {
            last.stage.gap = Some(millis(time));
            Ok(())
        })
    }

    fn repeated(self, times: Times) -> Self {
        self.change(|last| {
            let valid = match times {
                Times::Once => true,
                Times::Between(from, to) => from > 0 && to >= from,
                Times::AtLeast(from) => from > 0,
            };
            if !valid {
                return Err("comes less than once, or from more to fewer times");
            }
            if last.stage.times != Times::Once {
                return Err("says twice how often it comes");
            }
            last.stage.times = times;
            Ok(())
        })
    }

    fn inner(self, inner: Contiguity) -> Self {
        self.change(|last| {
            if last.stage.times == Times::Once {
                return Err("comes once: nothing can be between its events");
            }
            if last.stage.inner != Contiguity::Relaxed {
                return Err("says twice what may be between its events");
            }
            last.stage.inner = inner;
            Ok(())
        })
    }

    fn change(mut self, change: impl FnOnce(&mut Described<T>) -> Result<(), &'static str>) -> Self {
        let Some(last) = self.stages.last_mut() else { return self };
        if let Err(wrong) = change(last) {
            let name = if last.group.is_some() { "a group" } else { &last.name };
            let fault = format!("stage '{name}' of the pattern {wrong}");
            self.fail(fault);
        }
        self
    }

    fn fail(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// A pattern that can be run.
pub struct Compiled<T> {
    pub(crate) automaton: Automaton,
    /// By the number of a stage.
    pub(crate) names: Vec<String>,
    pub(crate) conditions: Vec<Condition<T>>,
}

impl<T> Compiled<T> {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// If there cannot be such a pattern; the message says why.
    pub fn new(pattern: &Pattern<T>) -> Result<Self> {
        if let Some(fault) = &pattern.fault {
            return Err(Error::invalid(fault));
        }
        let mut numbering =
            Numbering { names: Vec::new(), conditions: Vec::new(), groups: 0, known: BTreeMap::new() };
        let stages = numbering.stages(&pattern.stages)?;
        let stage = |name: &String| {
            let known = pattern.stages.iter().any(|stage| stage.name == *name);
            let number = numbering.known.get(name).copied().filter(|_| known);
            number.ok_or_else(|| {
                Error::invalid(format!("the pattern skips to '{name}', and has no stage of this name"))
            })
        };
        let skip = match &pattern.skip.to {
            To::NoSkip => Skip::Nothing,
            To::Next => Skip::ToNextRow,
            To::PastLast => Skip::PastLastRow,
            To::First(name) => Skip::ToFirst(stage(name)?),
            To::Last(name) => Skip::ToLast(stage(name)?),
        };
        let automaton = Automaton::new(&stages, skip, pattern.skip.throws);
        let automaton = automaton.map_err(|malformed| Error::invalid(malformed.to_string()))?;
        let Numbering { names, conditions, .. } = numbering;
        Ok(Compiled { automaton, names, conditions })
    }
}

/// Gives stages and conditions their numbers.
struct Numbering<T> {
    names: Vec<String>,
    conditions: Vec<Condition<T>>,
    groups: usize,
    known: BTreeMap<String, usize>,
}

impl<T> Numbering<T> {
    fn stages(&mut self, described: &[Described<T>]) -> Result<Vec<Stage>> {
        described.iter().map(|described| self.stage(described)).collect()
    }

    fn stage(&mut self, described: &Described<T>) -> Result<Stage> {
        let number = self.names.len();
        self.names.push(described.name.clone());
        if described.group.is_some() {
            self.groups += 1;
        } else if self.known.insert(described.name.clone(), number).is_some() {
            return Err(Error::invalid(format!("the pattern has two stages '{}'", described.name)));
        }
        let mut test = |condition: &Option<Condition<T>>| {
            condition.as_ref().map(|condition| {
                self.conditions.push(condition.clone());
                Test::Holds(self.conditions.len() as u32 - 1)
            })
        };
        let (condition, until) = (test(&described.condition), test(&described.until));
        Ok(Stage {
            number: number as u32,
            condition: condition.unwrap_or(Test::Always),
            until,
            group: described.group.as_ref().map(|group| self.stages(group)).transpose()?,
            ..described.stage.clone()
        })
    }
}
