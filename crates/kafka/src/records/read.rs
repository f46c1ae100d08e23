//! Reads batches.

use bytes::{Buf, Bytes};

use super::{CHECKSUM, COMPRESSION, CONTROL, Compression, HEAD, LOG_APPEND_TIME, TRANSACTIONAL, varint};

/// A batch as it came, its records unpacked.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The offset of its first record, also where that was compacted away.
    pub base_offset: i64,
    /// The offset of its last record, also where that was compacted away.
    pub last_offset: i64,
    /// The leader's epoch when it was written.
    pub leader_epoch: i32,
    /// The producer, of transactions and idempotent ones; else -1.
    pub producer_id: i64,
    /// Whether timestamps are of the broker.
    pub log_append_time: bool,
    /// Whether it is part of a transaction.
    pub is_transactional: bool,
    /// Whether its records are marks of Kafka's own.
    pub is_control: bool,
    base_timestamp: i64,
    max_timestamp: i64,
    count: i32,
    records: Bytes,
}

/// A record, as slices of its batch.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its offset.
    pub offset: i64,
    /// Its timestamp in milliseconds, of the producer or the broker.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; none of a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its headers.
    pub headers: Headers<'a>,
}

/// The headers of a record.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    count: i64,
    bytes: &'a [u8],
}

/// A header: name and value.
pub type Header<'a> = (&'a str, Option<&'a [u8]>);

/// The whole batches in the bytes of a fetch; the last one may be cut short and is left out.
///
/// # Errors
/// If they are damaged, or of a format that was before 0.11.
pub fn batches(mut bytes: Bytes, check: bool) -> Result<Vec<Batch>, String> {
    let mut batches = Vec::new();
    while let Some(length) = whole(&bytes)? {
        batches.push(Batch::read(bytes.split_to(length), check)?);
    }
    Ok(batches)
}

/// The length of the first batch, if all of it is there.
fn whole(bytes: &[u8]) -> Result<Option<usize>, String> {
    let Some(head) = bytes.first_chunk::<17>() else { return Ok(None) };
    let [.., l3, l2, l1, l0, _, _, _, _, magic] = *head;
    if magic != 2 {
        return Err(format!("records are of format {magic}, which is older than Kafka 0.11; there is: 2"));
    }
    let length = 12 + u32::from_be_bytes([l3, l2, l1, l0]) as usize;
    if length < HEAD {
        return Err("a batch of records is damaged: its length is impossible".to_owned());
    }
    Ok((bytes.len() >= length).then_some(length))
}

impl Batch {
    fn read(bytes: Bytes, check: bool) -> Result<Self, String> {
        let mut head = bytes.get(..HEAD).unwrap_or_default();
        if head.len() < HEAD {
            return Err("a batch of records is cut short".to_owned());
        }
        let base_offset = head.get_i64();
        let _length = head.get_i32();
        let leader_epoch = head.get_i32();
        let _magic = head.get_i8();
        let checksum = head.get_u32();
        if check && crc32c::crc32c(bytes.get(CHECKSUM.end..).unwrap_or_default()) != checksum {
            return Err(format!("the batch at offset {base_offset} is damaged: its checksum is wrong"));
        }
        let attributes = head.get_i16();
        let last_delta = head.get_i32();
        let (base_timestamp, max_timestamp) = (head.get_i64(), head.get_i64());
        let producer_id = head.get_i64();
        let _epoch = head.get_i16();
        let _sequence = head.get_i32();
        let count = head.get_i32();
        let packed = bytes.slice(HEAD..);
        let compression = Compression::of_bits(attributes & COMPRESSION)
            .ok_or_else(|| format!("the batch at offset {base_offset} has an unknown compression"))?;
        let records = match compression {
            Compression::None => packed,
            packing => Bytes::from(packing.unpack(&packed).map_err(|error| {
                format!("the batch at offset {base_offset} cannot be unpacked ({packing:?}): {error}")
            })?),
        };
        Ok(Batch {
            base_offset,
            last_offset: base_offset.saturating_add(i64::from(last_delta)),
            leader_epoch,
            producer_id,
            log_append_time: attributes & LOG_APPEND_TIME != 0,
            is_transactional: attributes & TRANSACTIONAL != 0,
            is_control: attributes & CONTROL != 0,
            base_timestamp,
            max_timestamp,
            count,
            records,
        })
    }

    /// Of a control batch: whether it aborts its producer's transaction.
    pub fn aborts(&self) -> bool {
        let mut messages = self.messages();
        let key = messages.next().and_then(Result::ok).and_then(|message| message.key);
        self.is_control && key.and_then(|key| key.get(2..4)) == Some(&[0, 0])
    }

    /// Its records from the first on.
    pub fn messages(&self) -> Messages<'_> {
        self.messages_at(0, 0)
    }

    /// Its records from the one on that [`Messages::place`] has told.
    pub fn messages_at(&self, at: usize, read: i32) -> Messages<'_> {
        Messages { batch: self, rest: self.records.get(at..).unwrap_or_default(), read }
    }

    /// How many bytes its records take in memory.
    pub fn bytes(&self) -> usize {
        self.records.len()
    }
}

/// The records of a batch.
#[derive(Debug)]
pub struct Messages<'a> {
    batch: &'a Batch,
    rest: &'a [u8],
    read: i32,
}

impl Messages<'_> {
    /// Where it is: for [`Batch::messages_at`].
    pub fn place(&self) -> (usize, i32) {
        (self.batch.records.len() - self.rest.len(), self.read)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.read >= self.batch.count {
            return None;
        }
        self.read += 1;
        let message = message(self.batch, &mut self.rest);
        if message.is_none() {
            self.read = self.batch.count;
        }
        Some(
            message.ok_or_else(|| {
                format!("a record in the batch at offset {} is damaged", self.batch.base_offset)
            }),
        )
    }
}

fn message<'a>(batch: &Batch, rest: &mut &'a [u8]) -> Option<Message<'a>> {
    let length = usize::try_from(varint::take(rest)?).ok()?;
    let (mut body, after) = rest.split_at_checked(length)?;
    *rest = after;
    let _attributes = take(&mut body, 1)?;
    let timestamp = match varint::take(&mut body)? {
        _ if batch.log_append_time => batch.max_timestamp,
        delta => batch.base_timestamp.wrapping_add(delta),
    };
    let offset = batch.base_offset.checked_add(varint::take(&mut body)?)?;
    let key = nullable(&mut body)?;
    let value = nullable(&mut body)?;
    let count = varint::take(&mut body)?;
    Some(Message { offset, timestamp, key, value, headers: Headers { count, bytes: body } })
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(head)
}

/// Bytes with their length before them; a length of -1 is none.
fn nullable<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    match varint::take(bytes)? {
        -1 => Some(None),
        length => take(bytes, usize::try_from(length).ok()?).map(Some),
    }
}

impl<'a> Headers<'a> {
    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = Result<Header<'a>, String>> + use<'a> {
        let (mut rest, mut left) = (self.bytes, self.count);
        std::iter::from_fn(move || {
            if left <= 0 {
                return None;
            }
            left -= 1;
            let header = header(&mut rest);
            if header.is_none() {
                left = 0;
            }
            Some(header.ok_or_else(|| "a header is damaged".to_owned()))
        })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count <= 0
    }
}

fn header<'a>(rest: &mut &'a [u8]) -> Option<Header<'a>> {
    let name = std::str::from_utf8(nullable(rest)??).ok()?;
    Some((name, nullable(rest)?))
}
