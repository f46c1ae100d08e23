//! How batches are spread, put together, and kept in order.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test must not meet ends it")]

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::datatypes::{Int64Type, SchemaRef};
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_plan::Exchange;
use flott_runtime::connect::Sender;
use flott_runtime::exchange::ExchangeWriter;
use flott_runtime::gate::Element;
use flott_types::{Result, TypeKind, Waker, Watermark};
use parking_lot::Mutex;

/// What each receiver got: rows of a batch, or a control element.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Vec<String>>>>);

struct LogSender(Log, usize);

impl Sender for LogSender {
    fn send(&mut self, element: Element) -> Result<()> {
        let text = match element {
            Element::Batch(Batch::Changes(changes)) => {
                assert!(changes.selection().is_none(), "a selection crosses the exchange");
                let values = changes.column(0).as_primitive::<Int64Type>().values().to_vec();
                values.iter().map(i64::to_string).collect::<Vec<_>>().join(" ")
            }
            Element::Watermark(watermark) => format!("W{watermark}"),
            Element::EndOfInput => "end".to_owned(),
            Element::Barrier(barrier, _) => format!("b{}", barrier.checkpoint),
            other => panic!("{other:?}"),
        };
        self.0.0.lock()[self.1].push(text);
        Ok(())
    }

    fn has_room(&mut self, _: &Waker) -> Result<bool> {
        Ok(true)
    }

    fn force(&mut self, element: Element) -> Result<()> {
        self.send(element)?;
        if let Some(text) = self.0.0.lock()[self.1].last_mut() {
            text.insert(0, '!');
        }
        Ok(())
    }
}

fn schema() -> SchemaRef {
    arrow_type::schema([("v", &TypeKind::BigInt.nullable())])
}

fn changes(values: impl IntoIterator<Item = i64>) -> ChangeBatch {
    let values: Int64Array = values.into_iter().map(Some).collect();
    ChangeBatch::insert_only(RecordBatch::try_new(schema(), vec![Arc::new(values)]).unwrap())
}

fn writer(exchange: Exchange, targets: usize, batch_size: usize) -> (ExchangeWriter, Log) {
    let log = Log::default();
    log.0.lock().resize(targets, Vec::new());
    let senders =
        (0..targets).map(|target| Box::new(LogSender(log.clone(), target)) as Box<dyn Sender>).collect();
    (ExchangeWriter::new(exchange, schema(), senders, 0, batch_size, 128), log)
}

impl Log {
    fn take(&self) -> Vec<Vec<String>> {
        self.0.lock().iter_mut().map(std::mem::take).collect()
    }
}

#[test]
fn small_batches_are_put_together_and_large_ones_are_not_held() {
    let (mut writer, log) = writer(Exchange::Forward, 1, 6);
    writer.emit(changes([1, 2]).into(), 5).unwrap();
    assert_eq!(log.take(), [[""; 0]]);
    assert_eq!(writer.held_since(), Some(5));
    writer.emit(changes([3]).into(), 9).unwrap();
    assert_eq!(writer.held_since(), Some(5));
    writer.emit(changes(4..8).into(), 9).unwrap();
    assert_eq!(log.take(), [["1 2 3 4 5 6 7"]]);
    writer.emit(changes(0..3).into(), 9).unwrap();
    assert_eq!(log.take(), [["0 1 2"]]);
}

#[test]
fn what_is_held_goes_before_a_control_element() {
    let (mut writer, log) = writer(Exchange::Rebalance, 2, 100);
    writer.emit(changes([1]).into(), 0).unwrap();
    writer.broadcast(&Element::Watermark(Watermark(4))).unwrap();
    writer.emit(changes([2]).into(), 0).unwrap();
    writer.flush().unwrap();
    assert_eq!(writer.held_since(), None);
    writer.broadcast(&Element::EndOfInput).unwrap();
    assert_eq!(log.take(), [vec!["1", "W4", "end"], vec!["W4", "2", "end"]]);
}

#[test]
fn rows_that_are_not_selected_stay_behind() {
    let (mut writer, log) = writer(Exchange::Broadcast, 2, 1);
    let keep = BooleanArray::from(vec![true, false, true]);
    writer.emit(changes([1, 2, 3]).select(keep.values()).into(), 0).unwrap();
    writer.emit(changes([4]).select(BooleanArray::from(vec![false]).values()).into(), 0).unwrap();
    assert_eq!(log.take(), [["1 3"], ["1 3"]]);
}

#[test]
fn a_hash_exchange_sends_each_key_to_one_receiver_always() {
    let (mut writer, log) = writer(Exchange::Hash(vec![0]), 3, 50);
    for _ in 0..4 {
        writer.emit(changes(0..40).into(), 0).unwrap();
    }
    writer.flush().unwrap();
    let parts: Vec<Vec<i64>> = log
        .take()
        .iter()
        .map(|batches| {
            batches.iter().flat_map(|batch| batch.split(' ')).map(|v| v.parse().unwrap()).collect()
        })
        .collect();
    let mut all: Vec<i64> = Vec::new();
    for part in &parts {
        let mut keys = part.clone();
        keys.sort_unstable();
        keys.dedup();
        assert!(!keys.is_empty());
        assert_eq!(part.len(), keys.len() * 4);
        all.extend(keys);
    }
    all.sort_unstable();
    assert!(all.into_iter().eq(0..40));
}

#[test]
fn global_rows_go_to_the_first_and_control_elements_to_all() {
    let (mut writer, log) = writer(Exchange::Global, 2, 1);
    writer.emit(changes([1]).into(), 0).unwrap();
    writer.broadcast(&Element::EndOfInput).unwrap();
    assert_eq!(log.take(), [vec!["1", "end"], vec!["end"]]);
}

#[test]
fn wide_rows_are_cut_and_sent_when_they_have_the_bytes() {
    for exchange in [Exchange::Forward, Exchange::Hash(vec![0]), Exchange::Rebalance] {
        let (writer, log) = writer(exchange.clone(), 2, 1_000);
        let mut writer = writer.with_batch_bytes(80);
        writer.emit(changes(0..200).into(), 0).unwrap();
        writer.flush().unwrap();
        let sent = log.take();
        let batches: Vec<&String> = sent.iter().flatten().collect();
        let mut rows: Vec<i64> = batches
            .iter()
            .flat_map(|batch| batch.split(' ').map(|row| row.parse::<i64>().unwrap()))
            .collect();
        assert!(batches.iter().all(|batch| batch.split(' ').count() <= 40), "{exchange:?}: {sent:?}");
        assert!(batches.len() > 8, "{exchange:?}: {sent:?}");
        rows.sort_unstable();
        assert!(rows.into_iter().eq(0..200), "{exchange:?}");
    }
    let (writer, log) = writer(Exchange::Forward, 1, 1_000);
    let mut writer = writer.with_batch_bytes(80);
    (0..4).for_each(|at| writer.emit(changes(at * 3..at * 3 + 3).into(), 0).unwrap());
    assert_eq!(log.take(), [["0 1 2 3 4 5 6 7 8 9 10 11"]], "small ones are sent when they have the bytes");
}

#[test]
fn values_of_programs_are_cut_too() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    struct Values(Arc<Mutex<Vec<Vec<String>>>>);
    impl Sender for Values {
        fn send(&mut self, element: Element) -> Result<()> {
            let Element::Batch(batch) = element else { panic!("{element:?}") };
            self.0.lock().push(batch.into_records::<String>()?.values);
            Ok(())
        }

        fn has_room(&mut self, _: &Waker) -> Result<bool> {
            Ok(true)
        }

        fn force(&mut self, element: Element) -> Result<()> {
            self.send(element)
        }
    }
    let senders: Vec<Box<dyn Sender>> = vec![Box::new(Values(seen.clone()))];
    let mut writer =
        ExchangeWriter::new(Exchange::Forward, schema(), senders, 0, 4_096, 128).with_batch_bytes(10_000);
    let values: Vec<String> = (0..100).map(|at| format!("{at:>1000}")).collect();
    writer.emit(flott_batch::Records::new(values.clone()).into(), 0).unwrap();
    writer.flush().unwrap();
    let seen = std::mem::take(&mut *seen.lock());
    assert!(seen.len() >= 5 && seen.iter().all(|values| values.len() <= 20), "{}", seen.len());
    assert_eq!(seen.concat(), values);
}

/// What operators emit in front of the barrier, and what was held back.
#[test]
fn what_precedes_a_barrier_that_overtakes_does_not_wait_for_room() {
    let (writer, log) = writer(Exchange::Forward, 1, 4);
    let mut writer = writer.with_overtaking(true);
    let kind = flott_checkpoint::CheckpointKind::Checkpoint;
    for overtakes_after in [Some(0), None] {
        let checkpoint = flott_types::CheckpointId(7);
        let barrier = flott_checkpoint::Barrier { checkpoint, created_at: 0, kind, overtakes_after };
        let barrier = Element::Barrier(barrier, None);
        writer.emit(changes(0..4).into(), 0).unwrap();
        writer.prepare(&barrier);
        writer.emit(changes(4..8).into(), 0).unwrap();
        writer.broadcast(&Element::Watermark(Watermark(3))).unwrap();
        writer.emit(changes([8]).into(), 0).unwrap();
        writer.broadcast(&barrier).unwrap();
        writer.emit(changes(9..13).into(), 0).unwrap();
        let forced = if overtakes_after.is_some() { "!" } else { "" };
        let expected =
            ["0 1 2 3", &format!("{forced}4 5 6 7"), "W3", &format!("{forced}8"), "b7", "9 10 11 12"];
        assert_eq!(log.take(), [expected.map(str::to_owned).to_vec()]);
    }
}
