//! A run: the case's job, or one job after the other, and what is done to them.

use std::time::Duration;

use chrono_tz::Tz;
use flott::batch::{ChangeBatch, text};
use flott::cluster::{JobClient, JobStatus, NextRows, ResultStream};
use flott::plan::{JobGraph, OperatorSpec, Schema};
use flott::{Error, Result};
use flott_testkit::Fault;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::answer::{Answer, Kind, Request};
use crate::case::{Planned, plan};
use crate::committed::CommitFault;
use crate::panics;
use crate::rewrite;
use crate::stage::Stage;

/// What has not happened by then never will.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait for turns to be taken before looking whether the job has ended.
const GLANCE: Duration = Duration::from_millis(5);
const WIDEST: u32 = 4;
const BUNDLES: [(&str, &str); 3] = [
    ("table.exec.mini-batch.enabled", "true"),
    ("table.exec.mini-batch.allow-latency", "1 s"),
    ("table.exec.mini-batch.size", "4"),
];
/// Moments at which something may be done to the jobs of a case.
const PAUSES: u32 = 6;

/// Runs a case as requested.
pub fn case(request: &Request) -> Answer {
    panics::take();
    let mut answer = Answer::default();
    let run = Stage::new().and_then(|stage| Run::new(request, &stage, &mut answer).all());
    match run {
        Ok(None) => {}
        Ok(Some(reason)) => answer = Answer::excluded(reason),
        Err(error) => answer.failed = Some(error.to_string()),
    }
    if let Some(panic) = panics::take() {
        answer.failed = Some(format!("panic: {panic}"));
    }
    answer
}

struct Run<'a> {
    request: &'a Request,
    stage: &'a Stage,
    answer: &'a mut Answer,
    random: SmallRng,
    /// Rows go to a sink that commits, not to the client.
    commits: bool,
    /// Rows are held back to be dealt with together. The plan is another one then.
    bundles: Vec<(&'static str, &'static str)>,
    /// `execution.checkpointing.interval`
    interval: Option<&'static str>,
    parallelism: u32,
    /// Where the next job starts from.
    from: Option<String>,
    collected: Vec<ChangeBatch>,
    pauses: u32,
}

/// What comes after a job.
enum Next {
    /// Nothing: it has finished.
    End,
    /// Another one, from where this one stood.
    GoOn,
}

impl<'a> Run<'a> {
    fn new(request: &'a Request, stage: &'a Stage, answer: &'a mut Answer) -> Self {
        let mut random = SmallRng::seed_from_u64(request.seed);
        let commits = random.random_bool(0.5);
        let interval = match random.random_range(0..3) {
            0 => Some("2 ms"),
            // Those on request, and the last one.
            1 => Some("1 h"),
            // The client gets rows before any checkpoint: right only if the job is never started over.
            _ if commits || request.run == Kind::Checked => None,
            _ => Some("1 h"),
        };
        let parallelism = random.random_range(1..=WIDEST);
        let bundles = if random.random_bool(0.25) { BUNDLES.to_vec() } else { Vec::new() };
        let from = None;
        Run {
            request,
            stage,
            answer,
            random,
            commits,
            bundles,
            interval,
            parallelism,
            from,
            collected: Vec::new(),
            pauses: PAUSES,
        }
    }

    fn event(&mut self, event: impl Into<String>) {
        self.answer.events.push(event.into());
    }

    /// Runs jobs until one finishes. Answers why the case cannot be run, if so.
    fn all(mut self) -> Result<Option<&'static str>> {
        loop {
            let settings = self.settings();
            let planned = match plan(&self.request.script, self.stage, self.parallelism, &settings)? {
                Planned::Query(planned) => planned,
                Planned::NoQuery(reason) => return Ok(Some(reason)),
            };
            let mut graph = planned.graph;
            rewrite::values(&mut graph, self.stage)?;
            if self.commits {
                rewrite::commits(&mut graph);
            }
            self.configure(&mut graph);
            self.event(format!(
                "start: parallelism {}, batch {}, interval {:?}, commits {}, settings {settings:?}, from {:?}",
                self.parallelism, self.request.batch, self.interval, self.commits, self.from
            ));
            self.stage.pace.allow(Some(0));
            let job = self.stage.cluster.submit(&graph)?;
            let results = job.results();
            let next = self.drive(&job, &graph)?;
            if let Some(results) = results {
                self.collect(&results)?;
            }
            self.look_back(&job)?;
            if let Next::End = next {
                let zone = graph.configuration.get("table.local-time-zone");
                let zone = zone.and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC);
                self.tell(&planned.schema, zone)?;
                return Ok(None);
            }
            self.answer.restores += u64::from(self.from.is_some());
            if self.request.run == Kind::Rescaled {
                let other = 1 + (self.parallelism - 1 + self.random.random_range(1..WIDEST)) % WIDEST;
                self.parallelism = other;
            }
        }
    }

    /// What must make no difference to the rows, and may change from one job to the next.
    fn settings(&mut self) -> Vec<(&'static str, &'static str)> {
        let mut settings = self.bundles.clone();
        if self.random.random_bool(0.25) {
            settings.push(("pipeline.operator-chaining.enabled", "false"));
        }
        if self.random.random_bool(0.3) {
            // Nothing is old enough to expire.
            settings.push(("table.exec.state.ttl", "1 h"));
        }
        // At another parallelism, a stream may have gone in which rows were under way.
        if self.request.run != Kind::Rescaled && self.random.random_bool(0.4) {
            settings.push(("execution.checkpointing.unaligned.enabled", "true"));
            let after = if self.random.random() { "0 ms" } else { "2 ms" };
            settings.push(("execution.checkpointing.aligned-checkpoint-timeout", after));
        }
        settings
    }

    fn configure(&self, graph: &mut JobGraph) {
        let folder = self.stage.snapshots.path().display().to_string();
        let batch = self.request.batch.to_string();
        let mut set = |key: &str, value: &str| graph.configuration.insert(key.to_owned(), value.to_owned());
        set("table.exec.batch-size", &batch);
        set("execution.checkpointing.dir", &folder);
        set("execution.checkpointing.savepoint-dir", &folder);
        set("execution.checkpointing.tolerable-failed-checkpoints", "1000");
        if let Some(interval) = self.interval {
            set("execution.checkpointing.interval", interval);
        }
        if let Some(from) = &self.from {
            set("execution.state-recovery.path", from);
        }
        set("restart-strategy.type", if self.request.run == Kind::Faults { "fixed-delay" } else { "none" });
        set("restart-strategy.fixed-delay.attempts", "1000");
        set("restart-strategy.fixed-delay.delay", "0 ms");
    }

    /// Does to a job what is to be done, until it ends.
    fn drive(&mut self, job: &JobClient, graph: &JobGraph) -> Result<Next> {
        let running =
            job.wait_until(PATIENCE, |info| info.status == JobStatus::Running || info.status.is_terminal());
        if !running {
            return Err(Error::internal("the job does not start"));
        }
        let mut turns = self.random.random_range(0..4);
        while self.pauses > 0 && self.request.run != Kind::Checked {
            self.stage.pace.allow(Some(turns));
            if !self.pause(job)? {
                return self.end(job);
            }
            self.pauses -= 1;
            self.event(format!("pause after {turns} turns"));
            if self.request.run == Kind::Faults {
                self.fault(graph);
                if self.random.random_bool(0.7) {
                    self.checkpoint(job);
                }
            } else if let Some(next) = self.stop(job)? {
                return Ok(next);
            }
            // The inputs have rows by the dozen or by the ten thousand.
            turns = self.random.random_range(1..=2 * turns + 2);
        }
        self.stage.pace.allow(None);
        self.end(job)
    }

    /// Waits until all turns are taken; says whether the job goes on.
    fn pause(&mut self, job: &JobClient) -> Result<bool> {
        let mut waited = Duration::ZERO;
        while !self.stage.pace.wait(GLANCE) {
            if job.status().is_terminal() {
                return Ok(false);
            }
            waited += GLANCE;
            if waited > PATIENCE {
                return Err(Error::internal(format!("the job stands still: {}", brief(job))));
            }
        }
        Ok(true)
    }

    fn checkpoint(&mut self, job: &JobClient) -> bool {
        let taken = job.trigger_checkpoint(self.random.random_bool(0.2));
        self.event(match &taken {
            Ok(path) => format!("checkpoint: {path}"),
            Err(error) => format!("no checkpoint: {error}"),
        });
        taken.is_ok()
    }

    /// Stops the job in one way or another, or takes a checkpoint and lets it go on.
    fn stop(&mut self, job: &JobClient) -> Result<Option<Next>> {
        // One is stopped in every run.
        let first = self.pauses + 1 == PAUSES;
        let mut savepoint = None;
        match self.random.random_range(if first { 1..4 } else { 0..4 }) {
            0 => {
                self.checkpoint(job);
                return Ok(None);
            }
            1 => {
                let stopped = job.stop_with_savepoint(None, false);
                self.event(format!("stop with a savepoint: {stopped:?}"));
                match stopped {
                    Ok(path) => savepoint = Some(path),
                    Err(_) => return Ok(None),
                }
            }
            2 => {
                self.checkpoint(job);
                job.cancel();
            }
            _ => job.cancel(),
        }
        match job.wait_for(PATIENCE) {
            None => Err(Error::internal(format!("the job does not end: {}", brief(job)))),
            Some(JobStatus::Canceled) => {
                let last = job.info().checkpoints.last_completed().and_then(|record| record.path.clone());
                self.event(format!("cancelled; its last checkpoint: {last:?}"));
                self.from = last.or(self.from.take());
                Ok(Some(Next::GoOn))
            }
            Some(JobStatus::Finished) if savepoint.is_some() => {
                self.from = savepoint;
                Ok(Some(Next::GoOn))
            }
            Some(_) => self.end(job).map(Some),
        }
    }

    /// Lets something fail.
    fn fault(&mut self, graph: &JobGraph) {
        let operators: Vec<&str> = graph
            .vertices
            .iter()
            .flat_map(|vertex| &vertex.operators)
            .filter(|operator| {
                use OperatorSpec as S;
                !matches!(&operator.node.spec, S::Source(_) | S::Values { .. } | S::Sink(_) | S::Collect)
            })
            .map(|operator| operator.node.uid.0.as_str())
            .collect();
        let Some(operator) = operators.choose(&mut self.random).filter(|_| self.random.random_bool(0.7))
        else {
            match self.random.random_range(0..3) {
                0 => self.stage.committed.fail(CommitFault::Before),
                1 => self.stage.committed.fail(CommitFault::After),
                _ => {
                    let turns = self.random.random_range(0..4);
                    self.stage.pace.fail_in(turns);
                }
            }
            return self.event("a fault of source or commit");
        };
        let fault = match self.random.random_range(0..8) {
            0..3 => Fault::at_record(operator, self.random.random_range(1..10)),
            3 => Fault::at_open(operator),
            4 => Fault::at_barrier(operator),
            5 => Fault::after_checkpoint(operator),
            6 => Fault::at_finish(operator),
            _ => Fault::after_finish(operator),
        };
        self.event(format!("{fault:?}"));
        self.stage.faults.add(fault);
    }

    /// Waits for the end.
    fn end(&mut self, job: &JobClient) -> Result<Next> {
        match job.wait_for(PATIENCE) {
            Some(JobStatus::Finished) => Ok(Next::End),
            Some(_) => job.wait().map(|()| Next::End),
            None => Err(Error::internal(format!("the job does not end: {}", brief(job)))),
        }
    }

    /// What went wrong with a job must be what was meant to.
    fn look_back(&mut self, job: &JobClient) -> Result<()> {
        let info = job.info();
        self.answer.checkpoints += info.checkpoints.completed;
        self.answer.failures += info.exceptions.len() as u64;
        let unexpected =
            info.exceptions.iter().find(|entry| !entry.failure.message.contains("the test lets"));
        match unexpected {
            None => Ok(()),
            Some(entry) => {
                Err(Error::internal(format!("a failure that was not meant: {}", entry.failure.message)))
            }
        }
    }

    /// Takes what the client was given.
    fn collect(&mut self, results: &ResultStream) -> Result<()> {
        loop {
            match results.next_within(Duration::ZERO) {
                Ok(NextRows::Rows(rows)) => self.collected.push(rows),
                Ok(NextRows::NotYet | NextRows::End) => return Ok(()),
                // The job was cancelled.
                Err(_) if self.request.run != Kind::Faults => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn tell(&mut self, schema: &Schema, zone: Tz) -> Result<()> {
        let mut batches = std::mem::take(&mut self.collected);
        batches.extend(self.stage.committed.take());
        for batch in batches {
            let batch = batch.compact()?;
            for row in 0..batch.physical_rows() {
                let columns = schema.columns.iter().enumerate();
                let cells =
                    columns.map(|(index, column)| text::cell(batch.column(index), row, &column.ty, zone));
                self.answer.rows.push((batch.kind(row).symbol(), cells.collect()));
            }
        }
        Ok(())
    }
}

/// What is to be known of a job that should have ended.
fn brief(job: &JobClient) -> String {
    let info = job.info();
    let last = info.exceptions.front().map(|entry| entry.failure.message.as_str());
    let stats = &info.checkpoints;
    format!(
        "{}, attempt {}, checkpoints: {} completed, {} failed; last failure: {last:?}",
        info.status, info.attempt.0, stats.completed, stats.failed
    )
}
