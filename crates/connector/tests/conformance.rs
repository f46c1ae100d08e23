//! The conformance suite finds what it is there to find: sources and sinks that each break one rule.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

#[expect(dead_code, reason = "other tests use other parts of it")]
mod topic;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flott_batch::{Batch, Records};
use flott_connector::conformance::{SinkUnderTest, SourceUnderTest, check_sink, check_source};
use flott_connector::{
    Boundedness, CommitOutcome, CommitRequest, Committable, CommittedBy, Committer, CommitterContext,
    EnumeratorContext, FixedSplits, GlobalCommitterContext, Payload, Poll, Prepared, ReaderContext, Sink,
    SinkContext, SinkWriter, Source, SourceOutput, SourceReader, Split, SplitEnumerator,
};
use flott_types::{CheckpointId, Result};
use parking_lot::Mutex;

const NUMBERS: u64 = 20;

/// What is wrong with a source of numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wrong {
    Nothing,
    PositionForgotten,
    PositionAhead,
    WaitingSplitsForgotten,
    SnapshotDrains,
    BatchTooLarge,
    OtherSplit,
    NamesChange,
    EnumeratorForgets,
    NeverEnds,
}

#[derive(Clone, Copy)]
struct Numbers(Wrong);

static RUNS: AtomicU64 = AtomicU64::new(0);

impl Source for Numbers {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        _: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let run = if self.0 == Wrong::NamesChange { RUNS.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let all = || Ok((0..4).map(|part| split(&format!("{run}/{part}"), part * 5, part * 5 + 5)).collect());
        let restored = restored.filter(|_| self.0 != Wrong::EnumeratorForgets);
        Ok(Box::new(FixedSplits::new(restored, all)?))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(Reader { wrong: self.0, splits: VecDeque::new(), batch_size: context.batch_size as u64 }))
    }
}

fn split(id: &str, next: u64, end: u64) -> Split {
    Split { id: id.to_owned(), payload: Payload::new(1, format!("{next} {end}")) }
}

struct Reader {
    wrong: Wrong,
    splits: VecDeque<(String, u64, u64)>,
    batch_size: u64,
}

impl SourceReader for Reader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        let read = |split: &Split| {
            let (next, end) = split.payload.text(&split.id).unwrap().split_once(' ').unwrap();
            (split.id.clone(), next.parse().unwrap(), end.parse().unwrap())
        };
        self.splits.extend(splits.iter().map(read));
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        let Some((id, next, end)) = self.splits.front_mut() else { return Ok(Poll::SplitsDone) };
        let size = if self.wrong == Wrong::BatchTooLarge { 5 } else { self.batch_size };
        let stop = (*next + size).min(*end);
        let name = if self.wrong == Wrong::OtherSplit { "x" } else { id.as_str() };
        output.emit(name, Records::new((*next..stop).collect::<Vec<u64>>()).into())?;
        *next = stop;
        if next == end && self.wrong != Wrong::NeverEnds {
            output.split_finished(id)?;
            self.splits.pop_front();
        }
        Ok(Poll::More)
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        let position = |(id, next, end): &(String, u64, u64)| match self.wrong {
            Wrong::PositionForgotten => split(id, end - 5, *end),
            Wrong::PositionAhead => split(id, (next + 1).min(*end), *end),
            _ => split(id, *next, *end),
        };
        let count = if self.wrong == Wrong::WaitingSplitsForgotten { 1 } else { usize::MAX };
        let splits = self.splits.iter().take(count).map(position).collect();
        if self.wrong == Wrong::SnapshotDrains {
            self.splits.clear();
        }
        Ok(splits)
    }
}

impl SourceUnderTest for Numbers {
    fn source(&self) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(*self))
    }

    fn texts(&self, batch: Batch) -> Result<Vec<String>> {
        Ok(batch.into_records::<u64>()?.values.iter().map(u64::to_string).collect())
    }

    fn expected(&self) -> Vec<String> {
        (0..NUMBERS).map(|number| number.to_string()).collect()
    }
}

#[test]
fn sources_that_break_a_rule_are_found() {
    check_source(&Numbers(Wrong::Nothing)).unwrap();
    for (wrong, expected) in [
        (Wrong::PositionForgotten, "times instead of 1"),
        (Wrong::PositionAhead, "is there 0 times instead of 1"),
        (Wrong::WaitingSplitsForgotten, "is there 0 times instead of 1"),
        (Wrong::SnapshotDrains, "a second snapshot right after the first differs"),
        (Wrong::BatchTooLarge, "one poll emits 5 rows"),
        (Wrong::OtherSplit, "emits rows of split 'x', which it does not have"),
        (Wrong::NamesChange, "splits are called"),
        (Wrong::EnumeratorForgets, "times instead of 1"),
        (Wrong::NeverEnds, "polls in a row emit nothing"),
    ] {
        let error = check_source(&Numbers(wrong)).unwrap_err();
        assert!(error.message().contains(expected), "{wrong:?}: {error}");
    }
}

/// A topic that grows by a partition.
struct Growing(topic::Topic);

impl SourceUnderTest for Growing {
    fn source(&self) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(self.0.clone()))
    }

    fn texts(&self, batch: Batch) -> Result<Vec<String>> {
        Ok(batch.into_records::<u64>()?.values.iter().map(u64::to_string).collect())
    }

    fn expected(&self) -> Vec<String> {
        self.0.rows().iter().map(u64::to_string).collect()
    }

    fn is_endless(&self) -> bool {
        true
    }

    fn grow(&self) -> Result<Option<Vec<String>>> {
        Ok(Some(self.0.add_partition(4).iter().map(u64::to_string).collect()))
    }

    fn begin(&self) {
        self.0.state.lock().partitions.iter_mut().for_each(|partition| partition.acknowledged = 0);
    }
}

#[test]
fn broker_sources_that_break_a_rule_are_found() {
    use topic::{Topic, Wrong};
    let check = |wrong| check_source(&Growing(Topic::new(3, 7, wrong)));
    check(Wrong::Nothing).unwrap();
    for (wrong, expected) in [
        (Wrong::AcknowledgesAll, "were acknowledged and are gone"),
        (Wrong::LooksOnce, "polls in a row emit nothing"),
        (Wrong::LosesReturned, "fails alone"),
        (Wrong::AssignsTwice, "several checkpoints under way"),
    ] {
        let error = check(wrong).err().unwrap_or_else(|| panic!("{wrong:?} is not found")).to_string();
        assert!(error.contains(expected), "{wrong:?}: {error}");
    }
}

/// What is wrong with a sink of lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bad {
    Nothing,
    VisibleAtOnce,
    CommitAppends,
    NamesRepeat,
    CommitForgotten,
    LastBatchKept,
    LeftoversPublished,
    OneAtATime,
    OneAnswer,
    OnlyTheFirst,
    FullLoses,
    FullForEver,
    LaterTakesMore,
    WaitsForEver,
}

#[derive(Clone, Default)]
struct Store(Arc<Mutex<Content>>);

#[derive(Default)]
struct Content {
    hidden: Vec<(String, Vec<String>)>,
    visible: Vec<String>,
    shared: Option<Arc<Mutex<Vec<String>>>>,
}

#[derive(Clone)]
struct Lines(Store, Bad, By);

/// Who commits.
#[derive(Clone, Copy, PartialEq, Debug)]
enum By {
    Subtasks,
    Job,
    /// The first batch of each checkpoint the one, the others the other.
    Both,
}

impl Sink for Lines {
    fn writer(&self, context: SinkContext, restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        if self.1 == Bad::LeftoversPublished && !restored.is_empty() {
            let mut content = self.0.0.lock();
            let hidden = std::mem::take(&mut content.hidden);
            content.visible.extend(hidden.into_iter().flat_map(|(_, lines)| lines));
        }
        let attempt = if self.1 == Bad::NamesRepeat { 0 } else { context.attempt };
        let name = format!("{attempt}-{}", context.subtask);
        Ok(Box::new(Writer { sink: self.clone(), name, next: 0, lines: Vec::new(), full: false }))
    }

    fn committer(&self, _: CommitterContext) -> Result<Box<dyn Committer>> {
        Ok(Box::new(self.clone()))
    }

    fn is_two_phase(&self) -> bool {
        true
    }

    fn commits_globally(&self) -> bool {
        self.2 != By::Subtasks
    }

    fn global_committer(&self, _: GlobalCommitterContext) -> Result<Box<dyn Committer>> {
        Ok(Box::new(self.clone()))
    }
}

impl Committer for Lines {
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
        if self.1 == Bad::WaitsForEver {
            return Ok(vec![CommitOutcome::Wait { after: None }; requests.len()]);
        }
        if self.1 == Bad::CommitForgotten {
            return Ok(vec![CommitOutcome::Committed; requests.len()]);
        }
        let busy = |reason: &str| CommitOutcome::Retry { after: None, reason: reason.to_owned() };
        let content = &mut *self.0.0.lock();
        let mut outcomes = Vec::new();
        for (at, request) in requests.iter().enumerate() {
            let name = request.committable.payload.text("a name")?;
            let named = |(known, _): &(String, Vec<String>)| known == name;
            outcomes.push(if at > 0 && self.1 == Bad::OnlyTheFirst {
                CommitOutcome::Committed
            } else if at > 0 && self.1 == Bad::OneAtATime {
                busy("one at a time")
            } else if self.1 == Bad::CommitAppends {
                let found = content.hidden.iter().find(|entry| named(entry)).unwrap();
                content.visible.extend(found.1.clone());
                CommitOutcome::Committed
            } else if let Some(at) = content.hidden.iter().position(named) {
                content.visible.extend(content.hidden.remove(at).1);
                CommitOutcome::Committed
            } else {
                CommitOutcome::AlreadyCommitted
            });
        }
        if self.1 == Bad::OneAnswer {
            outcomes.truncate(1);
        }
        Ok(outcomes)
    }
}

struct Writer {
    sink: Lines,
    name: String,
    next: u64,
    lines: Vec<String>,
    full: bool,
}

impl SinkWriter for Writer {
    fn write(&mut self, batch: Batch) -> Result<()> {
        let lines = batch.into_records::<String>()?.values;
        match self.sink.1 {
            Bad::VisibleAtOnce => self.sink.0.0.lock().visible.extend(lines),
            Bad::FullLoses if self.full => {}
            Bad::LaterTakesMore if self.sink.0.0.lock().shared.is_some() => {
                if let Some(shared) = &self.sink.0.0.lock().shared {
                    shared.lock().extend(lines);
                }
            }
            _ => self.lines.extend(lines),
        }
        self.full = self.lines.len() > 8;
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.full
    }

    fn woken(&mut self) -> Result<()> {
        self.full &= self.sink.1 == Bad::FullForEver;
        Ok(())
    }

    fn prepare_commit(&mut self, _: CheckpointId, end: bool) -> Result<Prepared> {
        if self.lines.is_empty() || (end && self.sink.1 == Bad::LastBatchKept) {
            return Ok(Prepared::default());
        }
        let name = format!("{}-{}", self.name, self.next);
        self.next += 1;
        let (store, by, lines) = (self.sink.0.clone(), self.sink.2, std::mem::take(&mut self.lines));
        let shared = Arc::new(Mutex::new(lines));
        if self.sink.1 == Bad::LaterTakesMore {
            self.sink.0.0.lock().shared = Some(shared.clone());
        }
        // It takes its time; rows come meanwhile.
        Ok(Prepared::Later(Box::new(move || {
            let lines = std::mem::take(&mut *shared.lock());
            let (own, global) = match by {
                By::Subtasks => (lines, Vec::new()),
                By::Job => (Vec::new(), lines),
                By::Both => (lines[..1].to_vec(), lines[1..].to_vec()),
            };
            let mut committables = Vec::new();
            for (by, lines) in [(CommittedBy::Subtask, own), (CommittedBy::Job, global)] {
                if !lines.is_empty() {
                    let name = format!("{name} {by:?}");
                    store.0.lock().hidden.push((name.clone(), lines));
                    committables.push(Committable { payload: Payload::new(1, name), by });
                }
            }
            Ok(committables)
        })))
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Payload>> {
        Ok(vec![Payload::new(1, self.name.clone())])
    }
}

impl SinkUnderTest for Lines {
    fn sink(&self) -> Result<Arc<dyn Sink>> {
        Ok(Arc::new(self.clone()))
    }

    fn batch(&self, number: usize) -> Batch {
        Records::new(self.rows(number)).into()
    }

    fn rows(&self, number: usize) -> Vec<String> {
        vec![format!("{number}a"), format!("{number}b")]
    }

    fn visible(&self) -> Result<Vec<String>> {
        Ok(self.0.0.lock().visible.clone())
    }
}

#[test]
fn sinks_that_break_a_rule_are_found() {
    let check_by = |bad, by| check_sink(&|| Box::new(Lines(Store::default(), bad, by)));
    let check = |bad| check_by(bad, By::Subtasks);
    check(Bad::Nothing).unwrap();
    check_by(Bad::Nothing, By::Job).unwrap();
    check_by(Bad::Nothing, By::Both).unwrap();
    check_by(Bad::OneAtATime, By::Both).unwrap();
    for (bad, by, expected) in [
        (Bad::OnlyTheFirst, By::Job, "checkpoints overlap: written again"),
        (Bad::CommitAppends, By::Job, "a commit is done twice: committed twice"),
        (Bad::OneAnswer, By::Job, "1 answers to"),
        (Bad::CommitForgotten, By::Both, "a checkpoint is committed: after the commit"),
        (Bad::WaitsForEver, By::Job, "a checkpoint is committed: after the commit"),
        (Bad::WaitsForEver, By::Subtasks, "the committer of a subtask lets wait"),
    ] {
        let error = check_by(bad, by).err().unwrap_or_else(|| panic!("{bad:?} by {by:?} is not found"));
        assert!(error.message().contains(expected), "{bad:?} by {by:?}: {error}");
    }
    // What is answered with "later" is tried again.
    check(Bad::OneAtATime).unwrap();
    for (bad, expected) in [
        (Bad::VisibleAtOnce, "a checkpoint is committed: written, before any checkpoint"),
        (Bad::CommitAppends, "a commit is done twice: committed twice"),
        (Bad::NamesRepeat, "failure of rows after the checkpoint"),
        (Bad::CommitForgotten, "a checkpoint is committed: after the commit"),
        (Bad::LastBatchKept, "the end of the input: at the end"),
        (Bad::LeftoversPublished, "checkpoints overlap"),
        (Bad::OneAnswer, "1 answers to"),
        (Bad::OnlyTheFirst, "a commit is done by halves"),
        (Bad::FullLoses, "rows come in spite of a full writer"),
        (Bad::FullForEver, "a writer is full although everything is committed"),
        (Bad::LaterTakesMore, "a checkpoint is committed: after the second commit"),
    ] {
        let error = check(bad).unwrap_err();
        assert!(error.message().contains(expected), "{bad:?}: {error}");
    }
}
