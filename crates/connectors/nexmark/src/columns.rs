//! Generates columns. The innermost loops run over the events of one run.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, TimestampMicrosecondArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use flott_types::Result;

use crate::batch::EventBatch;
use crate::generator::Padding;
use crate::random::Stream;
use crate::tables::{LONGEST_EXTRA, Strings};
use crate::text::TextWriter;
use crate::{Field, Generator, Kind, Run};

/// `event_type`
pub(crate) fn event_types(batch: &EventBatch<'_>) -> ArrayRef {
    let mut types = Vec::with_capacity(batch.rows);
    for run in batch.runs {
        types.resize(types.len() + run.len, run.kind.code());
    }
    Arc::new(Int32Array::from(types))
}

/// A field of one kind of events; in the rows of other kinds NULL, or anything if `nulls` is absent.
pub(crate) fn field(
    batch: &EventBatch<'_>,
    kind: Kind,
    field: Field,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let generator = batch.generator;
    let stream = generator.stream(kind, field);
    let integers = |values: Vec<i64>, nulls| -> Result<ArrayRef> {
        Ok(Arc::new(Int64Array::new(ScalarBuffer::from(values), nulls)))
    };
    let values = match field {
        Field::DateTime => return Ok(Arc::new(TimestampMicrosecondArray::new(batch.times(), nulls))),
        Field::Expires => {
            let expires = |_: &Run| move |number: u64| generator.expires(number, stream.draw(number)) * 1_000;
            let values = ScalarBuffer::from(each(batch, kind, expires));
            return Ok(Arc::new(TimestampMicrosecondArray::new(values, nulls)));
        }
        Field::Id => each(batch, kind, |run| {
            let (first, id) = (run.number, Generator::first_id(run));
            move |number| id + (number - first) as i64
        }),
        Field::InitialBid | Field::Price => {
            let prices = generator.prices(kind, field);
            each(batch, kind, |_| move |number| prices.get(number))
        }
        Field::Reserve => {
            let (initial, above) = (generator.prices(kind, Field::InitialBid), generator.prices(kind, field));
            each(batch, kind, |_| move |number| initial.get(number) + above.get(number))
        }
        Field::Category => each(batch, kind, |_| move |number| Generator::category(stream.draw(number))),
        Field::Seller => each(batch, kind, |run| {
            let sellers = generator.sellers(run);
            move |number| sellers.pick(stream.draw(number))
        }),
        Field::Auction => each(batch, kind, |run| {
            let auctions = generator.auctions(run);
            move |number| auctions.pick(stream.draw(number))
        }),
        Field::Bidder => each(batch, kind, |run| {
            let bidders = generator.bidders(run);
            move |number| bidders.pick(stream.draw(number))
        }),
        _ => return text(batch, kind, field, stream)?.finish(nulls),
    };
    integers(values, nulls)
}

/// A number for each event of a kind, 0 for others.
fn each<F: Fn(u64) -> i64>(batch: &EventBatch<'_>, kind: Kind, of_run: impl Fn(&Run) -> F) -> Vec<i64> {
    let mut values = vec![0; batch.rows];
    for run in batch.runs_of(kind) {
        let value = of_run(run);
        for (slot, number) in values[run.rows()].iter_mut().zip(run.numbers()) {
            *slot = value(number);
        }
    }
    values
}

fn text(batch: &EventBatch<'_>, kind: Kind, field: Field, stream: Stream) -> Result<TextWriter> {
    let generator = batch.generator;
    Ok(match field {
        Field::Channel => from_table(batch, &generator.tables.channels),
        Field::Url => from_table(batch, &generator.tables.urls),
        Field::Extra => extra(batch, kind, stream),
        Field::Name => few(batch, kind, 14, |number, writer| {
            let [first, last] = Generator::name(stream.draw(number));
            writer.push(first.as_bytes());
            writer.push(b" ");
            writer.push(last.as_bytes());
        }),
        Field::EmailAddress => few(batch, kind, 15, |number, writer| {
            let [user, domain] = generator.email(stream.draw(number));
            writer.push(user);
            writer.push(b"@");
            writer.push(domain);
            writer.push(b".com");
        }),
        Field::CreditCard => few(batch, kind, 19, |number, writer| {
            writer.push(&Generator::credit_card(stream.draw(number)));
        }),
        Field::City => few(batch, kind, 13, |number, writer| {
            writer.push(Generator::city(stream.draw(number)).as_bytes());
        }),
        Field::State => few(batch, kind, 2, |number, writer| {
            writer.push(Generator::state(stream.draw(number)).as_bytes());
        }),
        Field::ItemName => {
            few(batch, kind, 19, |number, writer| writer.push(generator.item_name(stream.draw(number))))
        }
        _ => few(batch, kind, 99, |number, writer| writer.push(generator.description(stream.draw(number)))),
    })
}

/// Text of the rarer events: the buffer is as large as it could be.
fn few(
    batch: &EventBatch<'_>,
    kind: Kind,
    longest: usize,
    mut write: impl FnMut(u64, &mut TextWriter),
) -> TextWriter {
    let events: usize = batch.runs_of(kind).map(|run| run.len).sum();
    let mut writer = TextWriter::new(batch.rows, events * longest);
    for run in batch.runs_of(kind) {
        writer.skip_to(run.row);
        for number in run.numbers() {
            write(number, &mut writer);
            writer.end_row();
        }
    }
    writer.skip_to(batch.rows);
    writer
}

/// The channel or URL of each bid.
fn from_table(batch: &EventBatch<'_>, strings: &Strings) -> TextWriter {
    let channels = batch.channels();
    let bytes = batch
        .runs_of(Kind::Bid)
        .flat_map(|run| &channels[run.rows()])
        .map(|channel| strings.get(usize::from(*channel)).len())
        .sum();
    let mut writer = TextWriter::new(batch.rows, bytes);
    for run in batch.runs_of(Kind::Bid) {
        writer.skip_to(run.row);
        for channel in &channels[run.rows()] {
            writer.push(strings.get(usize::from(*channel)));
            writer.end_row();
        }
    }
    writer.skip_to(batch.rows);
    writer
}

/// The padding of each event of a kind.
fn extra(batch: &EventBatch<'_>, kind: Kind, stream: Stream) -> TextWriter {
    let of_bids = Padding::of_bid(batch.generator.config());
    let padding = Paddings::new(batch.generator);
    let mut slices = Vec::with_capacity(batch.rows);
    let mut bytes = 0;
    for run in batch.runs_of(kind) {
        slices.extend(run.numbers().map(|number| {
            let padding = match kind {
                Kind::Bid => of_bids,
                Kind::Auction => padding.of_auction(number),
                Kind::Person => padding.of_person(number),
            };
            let (start, len) = padding.slice(stream.draw(number));
            debug_assert!(len <= LONGEST_EXTRA);
            bytes += len;
            (start as u32, len as u32)
        }));
    }
    let letters = &batch.generator.tables.letters;
    let mut writer = TextWriter::new(batch.rows, bytes);
    let mut slices = slices.into_iter();
    for run in batch.runs_of(kind) {
        writer.skip_to(run.row);
        for (start, len) in slices.by_ref().take(run.len) {
            writer.push(&letters[start as usize..(start + len) as usize]);
            writer.end_row();
        }
    }
    writer.skip_to(batch.rows);
    writer
}

/// The padding of persons and auctions depends on how long their other texts are.
struct Paddings<'a> {
    generator: &'a Generator,
    name: Stream,
    email: Stream,
    city: Stream,
    item_name: Stream,
    description: Stream,
}

impl<'a> Paddings<'a> {
    fn new(generator: &'a Generator) -> Self {
        Paddings {
            generator,
            name: generator.stream(Kind::Person, Field::Name),
            email: generator.stream(Kind::Person, Field::EmailAddress),
            city: generator.stream(Kind::Person, Field::City),
            item_name: generator.stream(Kind::Auction, Field::ItemName),
            description: generator.stream(Kind::Auction, Field::Description),
        }
    }

    fn of_person(&self, number: u64) -> Padding {
        let [first, last] = Generator::name(self.name.draw(number));
        let [user, domain] = self.generator.email(self.email.draw(number));
        let city = Generator::city(self.city.draw(number));
        // The id, a space, @ and .com, a credit card, a state.
        let size = 8 + 1 + 5 + 19 + 2 + first.len() + last.len() + user.len() + domain.len() + city.len();
        Padding::new(self.generator.config().person_size, size as u64)
    }

    fn of_auction(&self, number: u64) -> Padding {
        let name = self.generator.item_name(self.item_name.draw(number));
        let description = self.generator.description(self.description.draw(number));
        let size = 48 + name.len() + description.len();
        Padding::new(self.generator.config().auction_size, size as u64)
    }
}
