//! Text in, text out.

use std::collections::BTreeMap;

use flott_batch::pretty;
use std::sync::Arc;

use flott_connector::format::RecordDecoder;
use flott_connector::options::{FORMAT, Manual, Options};
use flott_connector::{AnyOption, Format};
use flott_plan::Schema;
use flott_types::{LogicalType, Result, TypeKind};

pub struct Case {
    pub schema: Schema,
    pub format: Arc<dyn Format>,
}

impl Case {
    pub fn try_new(format: &str, columns: &[(&str, TypeKind)], options: &[(&str, &str)]) -> Result<Self> {
        static ONLY_FORMAT: &[&dyn AnyOption] = &[&FORMAT];
        let mut values: BTreeMap<String, String> =
            options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        values.insert("format".to_owned(), format.to_owned());
        let formats = flott_formats::builtin();
        let options =
            Options::new("t", &values, &Manual { options: ONLY_FORMAT, ..Manual::default() }, &formats);
        let format = options.format(&FORMAT)?;
        options.finish()?;
        let schema = Schema::new(columns.iter().map(|(name, kind)| (*name, kind.clone().nullable())));
        match format.records() {
            Some(records) => _ = records.decoder(&schema, &[])?,
            // The schema of a file is its own.
            None if format.bulk().is_some() => {}
            None => _ = format.for_messages()?.decoder(&schema, &[])?,
        }
        Ok(Case { schema, format })
    }

    pub fn new(format: &str, columns: &[(&str, TypeKind)], options: &[(&str, &str)]) -> Self {
        Case::try_new(format, columns, options).unwrap()
    }

    pub fn types(&self) -> Vec<LogicalType> {
        self.schema.iter().map(|(_, ty)| ty.clone()).collect()
    }

    /// All columns of all rows.
    pub fn decode(&self, input: impl AsRef<[u8]>) -> Result<String> {
        self.decode_columns(input, &(0..self.schema.len()).collect::<Vec<_>>())
    }

    pub fn decode_columns(&self, input: impl AsRef<[u8]>, projection: &[usize]) -> Result<String> {
        let mut decoder = self.format.for_records()?.decoder(&self.schema, projection)?;
        let types: Vec<_> = projection.iter().map(|index| self.types()[*index].clone()).collect();
        drive(decoder.as_mut(), input.as_ref(), usize::MAX, &types).map(|(text, _)| text)
    }

    /// The rows and how much was skipped, with the input given in pieces of this length and rows taken one by
    /// one.
    pub fn decode_in_pieces(&self, input: impl AsRef<[u8]>, piece: usize) -> Result<(String, u64)> {
        let mut decoder =
            self.format.for_records()?.decoder(&self.schema, &(0..self.schema.len()).collect::<Vec<_>>())?;
        drive(decoder.as_mut(), input.as_ref(), piece, &self.types())
    }

    pub fn encode(&self, rows: &str) -> String {
        let batch = pretty::parse(rows, &self.types()).unwrap();
        let mut out = Vec::new();
        self.format.for_records().unwrap().encoder(&self.schema).unwrap().encode(&batch, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The rows of messages.
    pub fn decode_messages(&self, messages: &[impl AsRef<[u8]>]) -> Result<String> {
        let all: Vec<usize> = (0..self.schema.len()).collect();
        let mut decoder = self.format.for_messages()?.decoder(&self.schema, &all)?;
        messages.iter().try_for_each(|message| decoder.decode(message.as_ref()))?;
        Ok(decoder.finish()?.map_or_else(String::new, |batch| pretty::print(&batch, &self.types())))
    }

    /// The messages of rows, of which only those at even places are selected.
    pub fn encode_messages(&self, rows: &str) -> Vec<(usize, String)> {
        let batch = pretty::parse(rows, &self.types()).unwrap();
        let even = (0..batch.physical_rows()).map(|row| row % 2 == 0).collect();
        let batch = batch.select(&even);
        let mut messages = Vec::new();
        let mut encoder = self.format.for_messages().unwrap().encoder(&self.schema).unwrap();
        encoder
            .encode(&batch, &mut |row, message| {
                messages.push((row, String::from_utf8(message.to_vec()).unwrap()));
                Ok(())
            })
            .unwrap();
        messages
    }

    /// The messages of all rows.
    pub fn encode_all(&self, rows: &str) -> Vec<Vec<u8>> {
        let batch = pretty::parse(rows, &self.types()).unwrap();
        let mut messages = Vec::new();
        let mut encoder = self.format.for_messages().unwrap().encoder(&self.schema).unwrap();
        let take = &mut |_: usize, message: &[u8]| {
            messages.push(message.to_vec());
            Ok(())
        };
        encoder.encode(&batch, take).unwrap();
        messages
    }

    pub fn round_trip(&self, rows: &str) {
        let encoded = self.encode(rows);
        assert_eq!(self.decode(&encoded).unwrap(), rows, "{encoded}");
    }
}

/// Gives a decoder ever more of the input until all of it is consumed.
fn drive(
    decoder: &mut dyn RecordDecoder,
    input: &[u8],
    piece: usize,
    types: &[LogicalType],
) -> Result<(String, u64)> {
    let mut text = String::new();
    let (mut start, mut stop, mut line) = (0, piece.min(input.len()), 1);
    let rows = if piece == usize::MAX { usize::MAX } else { 1 };
    loop {
        let end = stop == input.len();
        let progress = decoder.decode(&input[start..stop], end, line, rows)?;
        if let Some(unreadable) = progress.unreadable {
            return Err(unreadable.error);
        }
        start += progress.consumed;
        line += progress.lines;
        assert!(start <= stop);
        if let Some(batch) = decoder.finish()? {
            text.push_str(&pretty::print(&batch, types));
        }
        if start == input.len() {
            return Ok((text, decoder.take_skipped()));
        }
        assert!(!end || progress.consumed > 0, "stuck at byte {start} of {}", input.len());
        stop = stop.saturating_add(piece).min(input.len());
    }
}
