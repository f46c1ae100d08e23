//! Writes batches.

use bytes::Bytes;

use super::{CHECKSUM, Compression, HEAD, TRANSACTIONAL, varint};

/// A batch in the making: records go into it one after the other.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    /// The head, not filled in, and the records.
    bytes: Vec<u8>,
    count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
}

/// Who writes a batch, for brokers to refuse it a second time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Sequenced {
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    pub(crate) sequence: i32,
    pub(crate) is_transactional: bool,
}

impl Sequenced {
    /// Nobody asks.
    pub(crate) const NONE: Sequenced =
        Sequenced { producer_id: -1, epoch: -1, sequence: -1, is_transactional: false };
}

impl Default for BatchBuilder {
    fn default() -> Self {
        BatchBuilder::new(1 << 10)
    }
}

impl BatchBuilder {
    /// Empty, with room for this many bytes.
    pub fn new(room: usize) -> Self {
        let mut bytes = Vec::with_capacity(room.max(HEAD));
        bytes.resize(HEAD, 0);
        BatchBuilder { bytes, count: 0, base_timestamp: 0, max_timestamp: i64::MIN }
    }

    /// The number of records.
    pub fn count(&self) -> i32 {
        self.count
    }

    /// How many bytes it takes, before compression.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has no records.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many bytes a record takes at most.
    pub fn size_of(key: Option<&[u8]>, value: Option<&[u8]>, headers: &[(&str, Option<&[u8]>)]) -> usize {
        let nullable = |bytes: Option<&[u8]>| 5 + bytes.map_or(0, <[u8]>::len);
        let headers = headers.iter().map(|(name, value)| 5 + name.len() + nullable(*value)).sum::<usize>();
        5 + 1 + 10 + 5 + nullable(key) + nullable(value) + 5 + headers
    }

    /// Adds a record.
    pub fn push(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&str, Option<&[u8]>)],
    ) {
        if self.count == 0 {
            self.base_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let (at, delta) = (i64::from(self.count), timestamp.wrapping_sub(self.base_timestamp));
        let nullable =
            |bytes: Option<&[u8]>| bytes.map_or(1, |bytes| varint::size(bytes.len() as i64) + bytes.len());
        let header_sizes = headers
            .iter()
            .map(|(name, value)| nullable(Some(name.as_bytes())) + nullable(*value))
            .sum::<usize>();
        let size = 1
            + varint::size(delta)
            + varint::size(at)
            + nullable(key)
            + nullable(value)
            + varint::size(headers.len() as i64)
            + header_sizes;
        let out = &mut self.bytes;
        varint::put(out, size as i64);
        out.push(0);
        varint::put(out, delta);
        varint::put(out, at);
        put_nullable(out, key);
        put_nullable(out, value);
        varint::put(out, headers.len() as i64);
        for (name, value) in headers {
            put_nullable(out, Some(name.as_bytes()));
            put_nullable(out, *value);
        }
        self.count += 1;
    }

    /// The finished batch.
    pub(crate) fn finish(self, compression: Compression, by: Sequenced) -> std::io::Result<Bytes> {
        let BatchBuilder { bytes, count, base_timestamp, max_timestamp } = self;
        let mut out = bytes;
        if compression != Compression::None {
            let mut packed = vec![0; HEAD];
            compression.pack(out.get(HEAD..).unwrap_or_default(), &mut packed)?;
            out = packed;
        }
        let attributes = compression.bits() | if by.is_transactional { TRANSACTIONAL } else { 0 };
        let mut head = Vec::with_capacity(HEAD);
        head.extend_from_slice(&0_i64.to_be_bytes());
        head.extend_from_slice(&((out.len() - 12) as u32).to_be_bytes());
        head.extend_from_slice(&(-1_i32).to_be_bytes());
        head.push(2);
        head.extend_from_slice(&0_u32.to_be_bytes());
        head.extend_from_slice(&attributes.to_be_bytes());
        head.extend_from_slice(&(count - 1).to_be_bytes());
        head.extend_from_slice(&base_timestamp.to_be_bytes());
        head.extend_from_slice(&max_timestamp.to_be_bytes());
        head.extend_from_slice(&by.producer_id.to_be_bytes());
        head.extend_from_slice(&by.epoch.to_be_bytes());
        head.extend_from_slice(&by.sequence.to_be_bytes());
        head.extend_from_slice(&count.to_be_bytes());
        if let Some(place) = out.get_mut(..HEAD) {
            place.copy_from_slice(&head);
        }
        let checksum = crc32c::crc32c(out.get(CHECKSUM.end..).unwrap_or_default());
        if let Some(place) = out.get_mut(CHECKSUM) {
            place.copy_from_slice(&checksum.to_be_bytes());
        }
        Ok(out.into())
    }
}

fn put_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => varint::put(out, -1),
        Some(bytes) => {
            varint::put(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::batches;
    use super::*;

    type Row<'a> = (i64, Option<&'a [u8]>, Option<&'a [u8]>, Vec<(&'a str, Option<&'a [u8]>)>);

    fn rows() -> Vec<Row<'static>> {
        vec![
            (1_700_000_000_000, Some(b"k"), Some(b"v".as_slice()), vec![]),
            (1_699_999_999_000, None, None, vec![("h", Some(b"1")), ("", None)]),
            (1_700_000_123_456, Some(b""), Some(&[7; 70_000]), vec![("h", Some(b"")), ("h", Some(b"2"))]),
        ]
    }

    #[test]
    fn batches_survive() {
        for compression in
            [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd]
        {
            let mut builder = BatchBuilder::default();
            for (timestamp, key, value, headers) in rows() {
                let most = BatchBuilder::size_of(key, value, &headers);
                let before = builder.len();
                builder.push(timestamp, key, value, &headers);
                assert!(builder.len() - before <= most);
            }
            let by = Sequenced { producer_id: 9, epoch: 2, sequence: 40, is_transactional: true };
            let bytes = builder.finish(compression, by).unwrap();
            // Two of them, and one that is cut short.
            let cut = bytes.slice(..bytes.len() - 1);
            let read = batches([&bytes[..], &bytes, &cut].concat().into(), true).unwrap();
            assert_eq!(read.len(), 2);
            let batch = &read[1];
            assert_eq!((batch.producer_id, batch.is_transactional, batch.is_control), (9, true, false));
            assert_eq!((batch.base_offset, batch.last_offset), (0, 2));
            let mut messages = batch.messages();
            for (at, (timestamp, key, value, headers)) in rows().into_iter().enumerate() {
                let (place, read) = messages.place();
                let message = messages.next().unwrap().unwrap();
                assert_eq!((message.offset, message.timestamp), (at as i64, timestamp));
                assert_eq!((message.key, message.value), (key, value));
                assert_eq!(message.headers.iter().collect::<Result<Vec<_>, _>>().unwrap(), headers);
                let again = batch.messages_at(place, read).next().unwrap().unwrap();
                assert_eq!(again.offset, message.offset);
            }
            assert!(messages.next().is_none());
        }
    }

    #[test]
    fn damaged_batches_are_errors() {
        let mut builder = BatchBuilder::default();
        for (timestamp, key, value, headers) in rows() {
            builder.push(timestamp, key, value, &headers);
        }
        let bytes = builder.finish(Compression::None, Sequenced::NONE).unwrap();
        for at in 0..200 {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 0x41;
            let covered = at >= CHECKSUM.start;
            assert!(!covered || batches(damaged.clone().into(), true).is_err(), "byte {at}");
            // Without the checksum it may read something, and must not panic.
            for batch in batches(damaged.into(), false).unwrap_or_default() {
                batch.messages().flatten().for_each(|message| message.headers.iter().for_each(drop));
            }
        }
    }
}
