//! The events of one batch, and what several columns have in common.

use std::cell::OnceCell;

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::{NullBuffer, ScalarBuffer};

use crate::{Field, Generator, Kind, Run};

/// Events to generate columns for.
pub(crate) struct EventBatch<'a> {
    pub(crate) generator: &'a Generator,
    pub(crate) runs: &'a [Run],
    pub(crate) rows: usize,
    times: OnceCell<ScalarBuffer<i64>>,
    channels: OnceCell<Vec<u16>>,
    /// Which rows are of a kind.
    members: [OnceCell<NullBuffer>; 3],
}

impl<'a> EventBatch<'a> {
    pub(crate) fn new(generator: &'a Generator, runs: &'a [Run]) -> Self {
        let rows = runs.last().map_or(0, |run| run.row + run.len);
        let members = [const { OnceCell::new() }; 3];
        EventBatch { generator, runs, rows, times: OnceCell::new(), channels: OnceCell::new(), members }
    }

    /// The runs of one kind.
    pub(crate) fn runs_of(&self, kind: Kind) -> impl Iterator<Item = &'a Run> + use<'a> {
        self.runs.iter().filter(move |run| run.kind == kind)
    }

    /// The time of every row in microseconds; one buffer for the `dateTime` of all kinds.
    pub(crate) fn times(&self) -> ScalarBuffer<i64> {
        let times = || {
            let rate = self.generator.config().rate;
            let (step, step_rest) = (1_000 / rate, 1_000 % rate);
            let mut times = Vec::with_capacity(self.rows);
            for run in self.runs {
                let mut millis = self.generator.time(run.number);
                let mut rest = run.number.wrapping_mul(1_000) % rate;
                times.extend((0..run.len).map(|_| {
                    let time = millis * 1_000;
                    millis += step as i64;
                    rest += step_rest;
                    if rest >= rate {
                        rest -= rate;
                        millis += 1;
                    }
                    time
                }));
            }
            ScalarBuffer::from(times)
        };
        self.times.get_or_init(times).clone()
    }

    /// The position of each bid's channel and URL in the tables.
    pub(crate) fn channels(&self) -> &[u16] {
        self.channels.get_or_init(|| {
            let stream = self.generator.stream(Kind::Bid, Field::Channel);
            let mut channels = vec![0; self.rows];
            for run in self.runs_of(Kind::Bid) {
                for (channel, number) in channels[run.rows()].iter_mut().zip(run.numbers()) {
                    *channel = Generator::channel(stream.draw(number)) as u16;
                }
            }
            channels
        })
    }

    /// The rows of other kinds as NULLs.
    pub(crate) fn nulls(&self, kind: Kind) -> NullBuffer {
        let members = || {
            let mut members = BooleanBufferBuilder::new(self.rows);
            for run in self.runs {
                members.append_n(run.len, run.kind == kind);
            }
            NullBuffer::new(members.finish())
        };
        self.members[kind as usize].get_or_init(members).clone()
    }
}
