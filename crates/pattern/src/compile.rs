//! From stages to an automaton.
//!
//! The stages are visited from the last one to the first; each gets states that lead to those of the stage
//! after it. Which states and edges there are, and in which order, is that of Flink's compiler, because the
//! order decides which of several matches comes first.
//!
//! - A stage is a state that takes a row to the next stage, and ignores rows if it need not be strict. An
//!   optional one has a second state where rows are ignored: from there it is no longer optional, so that
//!   leaving it out is tried once only.
//! - One that comes several times is as many states in a row; the last of a loop takes rows to itself.
//! - A greedy stage adds "and would not be taken by it" to all edges of the stage after it.
//! - What must not follow is a stop state to which every state proceeds from which it would be seen.

use std::collections::BTreeMap;

use crate::automaton::{Action, Automaton, Edge, Kind, State, Test};
use crate::sequence::{Contiguity, Malformed, Stage, Times};
use crate::skip::Skip;

impl Automaton {
    /// Compiles a sequence of stages. `misses_fail`: whether a match without a row to skip to is an error.
    ///
    /// # Errors
    /// If there cannot be such a pattern.
    pub fn new(stages: &[Stage], skip: Skip, misses_fail: bool) -> Result<Self, Malformed> {
        let last = stages.last().ok_or(Malformed::Empty)?;
        check(stages)?;
        let mut compiler = Compiler {
            states: Vec::new(),
            named: BTreeMap::new(),
            stops: BTreeMap::new(),
            originals: BTreeMap::new(),
            first_of_loop: BTreeMap::new(),
            within: last.within,
            stages,
            at: stages.len() - 1,
            following: None,
            group: None,
            branches: false,
        };
        let end = compiler.state(u32::MAX, Kind::Final);
        let sink = compiler.middle(end);
        let start = compiler.stage(sink);
        let Compiler { states, within, .. } = compiler;
        let within = within.filter(|within| *within > 0);
        let gaps: Vec<i64> = states.iter().filter_map(|state| state.gap).collect();
        if within.is_some_and(|within| gaps.iter().any(|gap| *gap > within)) {
            return Err(Malformed::GapAboveWhole);
        }
        let ends_with_not = last.contiguity == Contiguity::NotFollowedBy;
        if ends_with_not && within.is_none() && last.gap.is_none() {
            return Err(Malformed::OpenEnd);
        }
        let has_gaps = !gaps.is_empty();
        let automaton = Automaton { states, start, within, skip, misses_fail, has_gaps };
        if automaton.has_empty_loop() { Err(Malformed::EmptyLoop) } else { Ok(automaton) }
    }
}

/// What the compiler relies on.
fn check(stages: &[Stage]) -> Result<(), Malformed> {
    for (at, stage) in stages.iter().enumerate() {
        let alone = at == 0 || stages[at - 1].optional;
        let once = stage.times == Times::Once && !stage.optional;
        if negated(stage) && (alone || !once || stage.group.is_some()) {
            return Err(Malformed::Negated);
        }
        match &stage.group {
            Some(group) if group.is_empty() => return Err(Malformed::Empty),
            Some(group) => check(group)?,
            None => stage.choices.iter().try_for_each(|choice| check(choice))?,
        }
    }
    Ok(())
}

fn negated(stage: &Stage) -> bool {
    matches!(stage.contiguity, Contiguity::NotFollowedBy | Contiguity::NotNext)
}

/// The states so far, and the stage that is being compiled.
struct Compiler<'a> {
    states: Vec<State>,
    named: BTreeMap<u32, u32>,
    /// The stop state of what must not follow.
    stops: BTreeMap<u32, u32>,
    /// Copies of states that a greedy stage with `until` goes on to, by state.
    originals: BTreeMap<u32, u32>,
    /// Whether the states of a group are those of its first round.
    first_of_loop: BTreeMap<u32, bool>,
    within: Option<i64>,
    stages: &'a [Stage],
    at: usize,
    following: Option<&'a Stage>,
    group: Option<&'a Stage>,
    /// Inside of a choice: what follows follows other branches too.
    branches: bool,
}

impl<'a> Compiler<'a> {
    fn current(&self) -> &'a Stage {
        &self.stages[self.at]
    }

    fn state(&mut self, stage: u32, kind: Kind) -> u32 {
        *self.named.entry(stage).or_default() += 1;
        self.states.push(State { kind, stage, edges: Vec::new(), gap: None });
        self.states.len() as u32 - 1
    }

    /// A state of the current stage where a row is waited for.
    fn taking(&mut self, kind: Kind) -> u32 {
        let stage = self.current();
        let state = self.state(stage.number, kind);
        // As in Flink: of a stage that repeats, the state that was made first has no limit.
        let limited = stage.times == Times::Once || self.named.get(&stage.number) != Some(&1);
        if limited {
            self.states[state as usize].gap = stage.gap.filter(|gap| *gap > 0);
        }
        state
    }

    fn edge(&mut self, from: u32, action: Action, target: u32, test: Test) {
        self.states[from as usize].edges.push(Edge { action, target, test });
    }

    /// The stages before the end, down to the second.
    fn middle(&mut self, mut sink: u32) -> u32 {
        while self.at > 0 {
            let stage = self.current();
            match stage.contiguity {
                Contiguity::NotFollowedBy => {
                    let limited = stage.gap.is_some() || self.within.is_some_and(|within| within > 0);
                    if limited && self.states[sink as usize].kind == Kind::Final {
                        let pending = self.taking(Kind::Pending);
                        let test = self.take_test(stage);
                        let stop = self.stop(stage.number, &test);
                        self.edge(pending, Action::Proceed, stop, test.clone());
                        self.edge(pending, Action::Ignore, pending, test.negated());
                        sink = pending;
                    }
                }
                Contiguity::NotNext => {
                    let waiting = self.taking(Kind::Normal);
                    let test = self.take_test(stage);
                    let stop = self.stop(stage.number, &test);
                    // One row has to be seen before the end.
                    let last = self.states[sink as usize].kind == Kind::Final;
                    let action = if last { Action::Ignore } else { Action::Proceed };
                    self.edge(waiting, action, sink, test.negated());
                    self.edge(waiting, Action::Proceed, stop, test);
                    sink = waiting;
                }
                _ => sink = self.stage(sink),
            }
            self.following = Some(stage);
            self.at -= 1;
            if let Some(within) = self.current().within {
                self.within = Some(self.within.map_or(within, |least| least.min(within)));
            }
        }
        sink
    }

    /// The current stage.
    fn stage(&mut self, sink: u32) -> u32 {
        let stage = self.current();
        // What a greedy stage holds back must not be held back behind another branch.
        let sink = if stage.greedy && self.branches { self.copy(sink) } else { sink };
        let first = match stage.times {
            Times::Once => {
                let (take, ignore) = (self.take_test(stage), self.ignore_test(stage));
                self.single(sink, Some(sink), take, ignore, stage.optional)
            }
            Times::Between(from, to) => self.times(sink, sink, from, to),
            Times::AtLeast(from) => {
                // Once the loop has begun, what must not come before the stage may come.
                self.set_first_of_loop(false);
                let after = self.without_nots(sink);
                let looping = self.looping(after);
                self.set_first_of_loop(true);
                self.times(looping, sink, from, from)
            }
        };
        self.stops_from(first);
        first
    }

    fn times(&mut self, sink: u32, proceed: u32, from: u32, to: u32) -> u32 {
        let stage = self.current();
        self.set_first_of_loop(false);
        let inner = extended(self.inner_ignore_test(stage), stage.until.as_ref());
        let take = until(self.take_test(stage), stage.until.as_ref());
        if stage.greedy && from != to {
            if stage.until.is_some() {
                let copy = self.copy(sink);
                self.originals.insert(sink, copy);
            }
            self.hold_back(sink, stage, &take);
        }
        let mut next = sink;
        for _ in from..to {
            next = self.single(next, Some(proceed), take.clone(), inner.clone(), true);
            self.stop_while_looping(next);
        }
        for _ in 1..from {
            next = self.single(next, None, take.clone(), inner.clone(), false);
            self.stop_while_looping(next);
        }
        self.set_first_of_loop(true);
        let ignore = self.ignore_test(stage);
        self.single(next, Some(proceed), take, ignore, stage.optional)
    }

    /// A state for one row of the current stage, or the states of one round of the group.
    fn single(
        &mut self,
        sink: u32,
        proceed: Option<u32>,
        take: Test,
        ignore: Option<Test>,
        optional: bool,
    ) -> u32 {
        let stage = self.current();
        let leaves = proceed.filter(|_| optional);
        if let Some(group) = &stage.group {
            // Whether a group may be left out is up to the group around it.
            let test = self.always();
            return self.round(stage, group, |compiler| {
                let first = compiler.middle(sink);
                let first = compiler.stage(first);
                if let Some(proceed) = leaves {
                    compiler.edge(first, Action::Proceed, proceed, test);
                }
                first
            });
        }
        let state = self.taking(Kind::Normal);
        if !stage.choices.is_empty() {
            let (always, around) = (self.always(), std::mem::replace(&mut self.branches, true));
            // The last edge is followed first.
            for choice in stage.choices.iter().rev() {
                let group = self.group;
                let first = self.round(stage, choice, |compiler| {
                    compiler.group = group;
                    let first = compiler.middle(sink);
                    compiler.stage(first)
                });
                self.edge(state, Action::Proceed, first, always.clone());
            }
            self.branches = around;
            if let Some(proceed) = leaves {
                self.leave(state, proceed);
            }
            return state;
        }
        let after = self.without_nots(sink);
        self.edge(state, Action::Take, after, take.clone());
        if let Some(proceed) = leaves {
            self.leave(state, proceed);
        }
        if let Some(ignore) = ignore {
            let mut waiting = state;
            if optional || self.heads_optional_group() {
                waiting = self.state(stage.number, Kind::Normal);
                self.edge(waiting, Action::Take, after, take);
                self.edge(waiting, Action::Ignore, waiting, ignore.clone());
                self.stops_from(waiting);
            }
            self.edge(state, Action::Ignore, waiting, ignore);
        }
        state
    }

    /// The state that takes any number of rows.
    fn looping(&mut self, sink: u32) -> u32 {
        let stage = self.current();
        if let Some(group) = &stage.group {
            let (again, test) = (self.taking(Kind::Normal), self.always());
            return self.round(stage, group, |compiler| {
                let first = compiler.middle(again);
                let first = compiler.stage(first);
                compiler.edge(first, Action::Proceed, sink, test.clone());
                compiler.edge(again, Action::Proceed, first, test);
                if stage.greedy {
                    compiler.hold_back(sink, stage, &Test::Always);
                }
                first
            });
        }
        let ignore = extended(self.inner_ignore_test(stage), stage.until.as_ref());
        let take = until(self.take_test(stage), stage.until.as_ref());
        let state = self.taking(Kind::Normal);
        if stage.greedy {
            if stage.until.is_some() {
                let copy = self.copy(sink);
                self.originals.insert(sink, copy);
            }
            self.leave(state, sink);
            let held = self.take_test(stage);
            self.hold_back(sink, stage, &held);
        } else {
            let test = self.always();
            self.edge(state, Action::Proceed, sink, test);
        }
        self.edge(state, Action::Take, state, take.clone());
        self.stop_while_looping(state);
        if let Some(ignore) = ignore {
            let waiting = self.state(stage.number, Kind::Normal);
            self.edge(waiting, Action::Take, state, take);
            self.edge(waiting, Action::Ignore, waiting, ignore.clone());
            self.edge(state, Action::Ignore, waiting, ignore);
            self.stop_while_looping(waiting);
        }
        state
    }

    /// From a state of the current stage on to what comes after it. If `until` has come, a greedy stage does
    /// not hold that back.
    fn leave(&mut self, state: u32, proceed: u32) {
        let (stage, test) = (self.current(), self.always());
        let Some(until) = stage.until.as_ref().filter(|_| stage.greedy) else {
            self.edge(state, Action::Proceed, proceed, test);
            return;
        };
        if let Some(original) = self.originals.get(&proceed).copied() {
            self.edge(state, Action::Proceed, original, test.and(until.clone()));
        }
        self.edge(state, Action::Proceed, proceed, test.and(until.negated()));
    }

    /// One round of a group.
    fn round(&mut self, stage: &'a Stage, group: &'a [Stage], compile: impl FnOnce(&mut Self) -> u32) -> u32 {
        let around = (self.stages, self.at, self.following, self.group);
        (self.stages, self.at, self.group) = (group, group.len() - 1, Some(stage));
        let first = compile(self);
        (self.stages, self.at, self.following, self.group) = around;
        first
    }

    /// A greedy stage would take these rows; a group those with which it begins.
    fn hold_back(&mut self, state: u32, stage: &Stage, take: &Test) {
        let mut taken = Vec::new();
        match stage.group.is_some() || !stage.choices.is_empty() {
            true => begins_with(std::slice::from_ref(stage), &mut taken),
            false => taken.push(take.clone()),
        }
        for edge in &mut self.states[state as usize].edges {
            edge.test = taken.iter().fold(edge.test.clone(), |test, take| test.and(take.negated()));
        }
    }

    fn copy(&mut self, of: u32) -> u32 {
        let State { kind, stage, edges, .. } = self.states[of as usize].clone();
        let copy = self.state(stage, kind);
        let own = |edge: Edge| Edge { target: if edge.target == of { copy } else { edge.target }, ..edge };
        self.states[copy as usize].edges = edges.into_iter().map(own).collect();
        copy
    }

    /// A copy of a state for when an optional stage before it has come: then what must not come before that
    /// stage no longer matters.
    fn without_nots(&mut self, sink: u32) -> u32 {
        let nots: Vec<u32> = self.nots().into_iter().map(|(number, _)| number).collect();
        if nots.is_empty() || !self.current().optional {
            return sink;
        }
        let State { kind, stage, edges, .. } = self.states[sink as usize].clone();
        let copy = self.state(stage, kind);
        for edge in edges {
            let target = &self.states[edge.target as usize];
            let target = match edge.action {
                Action::Proceed if target.kind == Kind::Stop && nots.contains(&target.stage) => continue,
                Action::Proceed if target.kind == Kind::Stop => edge.target,
                Action::Proceed => self.without_nots(edge.target),
                Action::Take | Action::Ignore if edge.target == sink => copy,
                Action::Take | Action::Ignore => edge.target,
            };
            self.edge(copy, edge.action, target, edge.test);
        }
        copy
    }

    /// What must not come before the current stage, with optional stages between.
    fn nots(&self) -> Vec<(u32, Test)> {
        let before = self.stages[..self.at].iter().rev();
        let relevant = before
            .take_while(|stage| stage.optional || stage.contiguity == Contiguity::NotFollowedBy)
            .filter(|stage| stage.contiguity == Contiguity::NotFollowedBy);
        relevant.map(|stage| (stage.number, self.take_test(stage))).collect()
    }

    fn stops_from(&mut self, state: u32) {
        for (number, test) in self.nots() {
            let stop = self.stop(number, &test);
            self.edge(state, Action::Proceed, stop, test);
        }
    }

    fn stop_while_looping(&mut self, state: u32) {
        let Some(following) = self.following.filter(|f| f.contiguity == Contiguity::NotFollowedBy) else {
            return;
        };
        let test = self.take_test(following);
        let stop = self.stop(following.number, &test);
        self.edge(state, Action::Proceed, stop, test);
    }

    fn stop(&mut self, number: u32, test: &Test) -> u32 {
        if let Some(stop) = self.stops.get(&number) {
            return *stop;
        }
        let stop = self.state(number, Kind::Stop);
        self.edge(stop, Action::Take, stop, test.clone());
        self.stops.insert(number, stop);
        stop
    }

    fn set_first_of_loop(&mut self, first: bool) {
        let stage = self.current();
        if stage.group.is_some() {
            self.first_of_loop.insert(stage.number, first);
        }
    }

    /// The group that the current states begin, if they do.
    fn headed(&self, stage: &Stage) -> Option<&'a Stage> {
        let first = self.stages.first().is_some_and(|first| first.number == stage.number);
        self.group.filter(|_| first)
    }

    fn is_first_of_loop(&self, group: &Stage) -> bool {
        self.first_of_loop.get(&group.number).copied().unwrap_or(true)
    }

    fn heads_optional_group(&self) -> bool {
        self.headed(self.current()).is_some_and(|group| group.optional && self.is_first_of_loop(group))
    }

    fn outer_until(&self) -> Option<&'a Test> {
        self.group.and_then(|group| group.until.as_ref())
    }

    fn always(&self) -> Test {
        until(Test::Always, self.outer_until())
    }

    fn take_test(&self, stage: &Stage) -> Test {
        until(stage.condition.clone(), self.outer_until())
    }

    fn inner_ignore_test(&self, stage: &Stage) -> Option<Test> {
        let contiguity = self.headed(stage).map_or(stage.inner, |group| group.inner);
        extended(passed_over(contiguity, &stage.condition), self.outer_until())
    }

    fn ignore_test(&self, stage: &Stage) -> Option<Test> {
        let contiguity = match self.headed(stage) {
            Some(group) if self.is_first_of_loop(group) => group.contiguity,
            Some(group) => group.inner,
            None => stage.contiguity,
        };
        extended(passed_over(contiguity, &stage.condition), self.outer_until())
    }
}

/// The conditions of the rows with which stages may begin.
fn begins_with(stages: &[Stage], into: &mut Vec<Test>) {
    for stage in stages {
        match &stage.group {
            Some(group) => begins_with(group, into),
            None if stage.choices.is_empty() => into.push(stage.condition.clone()),
            None => stage.choices.iter().for_each(|choice| begins_with(choice, into)),
        }
        if !stage.optional {
            return;
        }
    }
}

/// The rows that may be passed over before a stage.
fn passed_over(contiguity: Contiguity, condition: &Test) -> Option<Test> {
    match contiguity {
        Contiguity::Relaxed => Some(condition.negated()),
        Contiguity::NonDeterministic => Some(Test::Always),
        Contiguity::Strict | Contiguity::NotFollowedBy | Contiguity::NotNext => None,
    }
}

/// A test, as long as `until` has not come.
fn until(test: Test, until: Option<&Test>) -> Test {
    match until {
        Some(until) => until.negated().and(test),
        None => test,
    }
}

fn extended(test: Option<Test>, over: Option<&Test>) -> Option<Test> {
    test.map(|test| until(test, over))
}
