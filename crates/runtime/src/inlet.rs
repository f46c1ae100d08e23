//! The receiving end of a channel whose elements come as bytes: frames ([`crate::wire`]) in, elements into the
//! gate of the task.
//!
//! It never waits: an element that the gate refuses stays here until there is room, and whoever carries the
//! frames goes on with other channels. The bytes of a frame count as taken when the gate has accepted its
//! element; so a sender that has no more than its credit under way bounds what lies here.
//!
//! A barrier that may overtake what waits must not wait here: with everything in front of it, it goes to the
//! gate whether there is room or not. So does the end.

use std::collections::VecDeque;
use std::sync::Arc;

use flott_types::Waker;
use flott_types::panics::caught;
use parking_lot::Mutex;

use crate::connect::InputChannel;
use crate::gate::{Element, Gate, Offer};
use crate::wire::{ElementDecoder, is_urgent};

/// One channel. See [`self`].
pub struct Inlet {
    gate: Arc<Gate>,
    /// Its place in the gate.
    channel: usize,
    line: Mutex<Line>,
    end: Mutex<End>,
}

/// What has arrived and was not read.
#[derive(Default)]
struct Line {
    frames: VecDeque<Vec<u8>>,
    /// How many of them must not wait.
    urgent: usize,
    /// Nobody reads it any more.
    closed: bool,
    /// No more frames will come, although the channel has not ended.
    broken: Option<Arc<str>>,
}

/// Where it is read.
struct End {
    decoder: ElementDecoder,
    /// An element that the gate had no room for, and the length of its frame.
    refused: Option<(Element, usize)>,
    /// The last element was read, or what follows cannot be: it is thrown away.
    ended: bool,
    /// There is room again.
    waker: Waker,
}

impl Inlet {
    /// The inlet of the gate's channel at this place. `waker` is called when [`Inlet::serve`] is to be called
    /// again, because there is room.
    pub fn new(gate: Arc<Gate>, place: usize, channel: &InputChannel, waker: Waker) -> Self {
        let decoder = ElementDecoder::new(channel.records);
        let end = End { decoder, refused: None, ended: false, waker };
        Inlet { gate, channel: place, line: Mutex::default(), end: Mutex::new(end) }
    }

    /// A frame has arrived; [`Inlet::serve`] delivers it.
    pub fn push(&self, frame: Vec<u8>) {
        let urgent = self.gate.overtakes() && is_urgent(&frame);
        let mut line = self.line.lock();
        if !line.closed {
            line.urgent += usize::from(urgent);
            line.frames.push_back(frame);
        }
    }

    /// No more frames will come. If the channel has not ended by then, its task is told why, behind what has
    /// arrived, and fails.
    pub fn break_off(&self, why: &Arc<str>) {
        self.line.lock().broken.get_or_insert_with(|| why.clone());
    }

    /// The task has ended: what has arrived is thrown away, and so is what still comes.
    pub fn close(&self) {
        let mut line = self.line.lock();
        line.closed = true;
        line.urgent = 0;
        line.frames.clear();
    }

    /// Delivers what the gate accepts. Returns how many bytes of frames that were.
    pub fn serve(&self) -> usize {
        let mut end = self.end.lock();
        let mut taken = 0;
        loop {
            // Before the next frame is taken, which may be the urgent one.
            let must_not_wait = self.line.lock().urgent > 0;
            let (element, len) = match end.refused.take() {
                Some(refused) => refused,
                None => match self.next(&mut end, &mut taken) {
                    Some(next) => next,
                    None => return taken,
                },
            };
            if must_not_wait {
                self.gate.force(self.channel, element);
                taken += len;
                continue;
            }
            match self.gate.offer(self.channel, element, &end.waker) {
                Offer::Taken => taken += len,
                Offer::Full(element) => {
                    end.refused = Some((element, len));
                    return taken;
                }
            }
        }
    }

    /// The next element, and the length of its frame. Frames that nobody wants any more count as taken.
    fn next(&self, end: &mut End, taken: &mut usize) -> Option<(Element, usize)> {
        loop {
            let mut line = self.line.lock();
            let Some(frame) = line.frames.pop_front() else {
                let why = line.broken.take().filter(|_| !end.ended && !line.closed)?;
                end.ended = true;
                return Some((Element::Broken(why), 0));
            };
            if line.urgent > 0 && is_urgent(&frame) {
                line.urgent -= 1;
            }
            drop(line);
            if end.ended {
                *taken += frame.len();
                continue;
            }
            // Also what a type of the user's panics with: without this frame nothing may follow.
            let element = caught(|| end.decoder.decode(&frame)).unwrap_or_else(|error| {
                end.ended = true;
                Element::Broken(error.to_string().into())
            });
            end.ended |= matches!(element, Element::EndOfInput);
            return Some((element, frame.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use flott_batch::Records;
    use flott_batch::codec::RecordsReader;
    use flott_checkpoint::{Attempt, TaskId};
    use flott_types::{JobId, SubtaskIndex, VertexId};

    use super::*;
    use crate::ChannelKey;
    use crate::gate::{Limits, Next};
    use crate::wire::ElementEncoder;

    const LIMITS: Limits =
        Limits { batches: 2, rows: 1_000, bytes: 1 << 20, gate_bytes: 1 << 20, batch_bytes: 1 << 20 };

    fn inlet(wakes: &Arc<AtomicUsize>) -> (Arc<Gate>, Inlet) {
        let task = TaskId { vertex: VertexId(0), subtask: SubtaskIndex(0) };
        let key = ChannelKey { job: JobId(1), attempt: Attempt(1), edge: 0, from: task, to: task };
        let gate = Arc::new(Gate::new(1, LIMITS));
        let channel = InputChannel { key, records: Some(RecordsReader::of::<u64>()) };
        let wakes = wakes.clone();
        let waker = Waker::new(move || _ = wakes.fetch_add(1, Ordering::SeqCst));
        (gate.clone(), Inlet::new(gate, 0, &channel, waker))
    }

    fn batch(number: u64) -> Element {
        Element::Batch(Records::new(vec![number]).into())
    }

    fn read(gate: &Gate) -> String {
        let mut all = String::new();
        while let Next::Element { element, .. } = gate.next() {
            all += &match element {
                Element::Batch(batch) => format!("{} ", batch.into_records::<u64>().unwrap().values[0]),
                Element::EndOfInput => "end ".to_owned(),
                Element::Broken(why) => format!("[{why}] "),
                other => format!("{other:?} "),
            };
        }
        all
    }

    #[test]
    fn what_the_gate_refuses_waits_and_is_taken_in_order() {
        let wakes = Arc::default();
        let (gate, inlet) = inlet(&wakes);
        let mut encoder = ElementEncoder::default();
        let frames: Vec<_> = (0..5).map(|number| encoder.encode(batch(number)).unwrap()).collect();
        let len = frames[0].len();
        frames.into_iter().for_each(|frame| inlet.push(frame));
        assert_eq!(inlet.serve(), 2 * len, "two have room");
        assert_eq!((inlet.serve(), wakes.load(Ordering::SeqCst)), (0, 0));
        assert_eq!(read(&gate), "0 1 ");
        assert_eq!(wakes.load(Ordering::SeqCst), 1, "there is room, and that is told once");
        assert_eq!(inlet.serve(), 2 * len);
        assert_eq!(read(&gate), "2 3 ");
        assert_eq!(inlet.serve(), len);
        assert_eq!(read(&gate), "4 ");
    }

    #[test]
    fn a_channel_that_breaks_off_fails_its_task_behind_what_has_arrived() {
        let (gate, inlet) = inlet(&Arc::default());
        let mut encoder = ElementEncoder::default();
        (0..3).for_each(|number| inlet.push(encoder.encode(batch(number)).unwrap()));
        inlet.break_off(&"the process is gone".into());
        inlet.serve();
        let first = read(&gate);
        inlet.serve();
        assert_eq!(first + &read(&gate), "0 1 2 [the process is gone] ");
    }

    #[test]
    fn a_channel_that_has_ended_does_not_break() {
        let (gate, inlet) = inlet(&Arc::default());
        inlet.push(ElementEncoder::default().encode(Element::EndOfInput).unwrap());
        inlet.break_off(&"the process is gone".into());
        inlet.serve();
        assert_eq!(read(&gate), "end ");
    }

    #[test]
    fn a_frame_that_cannot_be_read_fails_the_task_and_the_rest_is_thrown_away() {
        let (gate, inlet) = inlet(&Arc::default());
        inlet.push(vec![99, 1, 2]);
        inlet.push(ElementEncoder::default().encode(batch(1)).unwrap());
        inlet.serve();
        let told = read(&gate);
        assert!(told.starts_with("[the sender writes version 99") && !told.contains("1 "), "{told}");
    }

    #[derive(serde::Serialize)]
    struct Explosive(u64);

    impl<'de> serde::Deserialize<'de> for Explosive {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let number = u64::deserialize(from)?;
            assert!(number != 2, "it explodes");
            Ok(Explosive(number))
        }
    }

    #[test]
    fn a_type_that_panics_when_it_is_read_fails_the_task_and_nothing_is_left_out() {
        let task = TaskId { vertex: VertexId(0), subtask: SubtaskIndex(0) };
        let key = ChannelKey { job: JobId(1), attempt: Attempt(1), edge: 0, from: task, to: task };
        let gate = Arc::new(Gate::new(1, LIMITS));
        let channel = InputChannel { key, records: Some(RecordsReader::of::<Explosive>()) };
        let inlet = Inlet::new(gate.clone(), 0, &channel, Waker::new(|| {}));
        let mut encoder = ElementEncoder::default();
        for number in 1..=3 {
            let batch = Element::Batch(Records::new(vec![Explosive(number)]).into());
            inlet.push(encoder.encode(batch).unwrap());
        }
        inlet.serve();
        let Next::Element { element: Element::Batch(batch), .. } = gate.next() else { panic!("the first") };
        assert_eq!(batch.into_records::<Explosive>().unwrap().values[0].0, 1);
        let told = read(&gate);
        assert!(told.contains("it explodes") && told.ends_with("] "), "{told}");
    }
}
