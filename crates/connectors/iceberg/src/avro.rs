//! Avro, as manifests need it: a container file of one block, whose fields have ids. The formats write files of a
//! table's columns and know no ids; reading is theirs.

use xxhash_rust::xxh3::xxh3_128;

/// Bytes of a record.
#[derive(Default)]
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    /// int and long.
    pub(crate) fn long(&mut self, value: i64) -> &mut Self {
        let mut rest = ((value << 1) ^ (value >> 63)) as u64;
        while rest >= 0x80 {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
        self
    }

    /// string and bytes.
    pub(crate) fn bytes(&mut self, value: impl AsRef<[u8]>) -> &mut Self {
        let value = value.as_ref();
        self.long(value.len() as i64);
        self.fixed(value)
    }

    /// fixed, float and double.
    pub(crate) fn fixed(&mut self, value: &[u8]) -> &mut Self {
        self.0.extend_from_slice(value);
        self
    }

    /// boolean
    pub(crate) fn boolean(&mut self, value: bool) -> &mut Self {
        self.0.push(u8::from(value));
        self
    }

    /// A union of null and a type.
    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) -> &mut Self {
        match value {
            None => self.long(0),
            Some(value) => {
                self.long(1);
                write(self, value);
                self
            }
        }
    }

    /// array; a map whose keys are numbers is one of records too.
    pub(crate) fn array<T>(
        &mut self,
        items: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        if items.len() > 0 {
            self.long(items.len() as i64);
            items.for_each(|item| write(self, item));
        }
        self.long(0)
    }
}

/// A file of these records, which must not be none of a file that is to be read.
pub(crate) fn container(schema: &str, notes: &[(&str, &str)], count: usize, records: Encoder) -> Vec<u8> {
    let Encoder(records) = records;
    let sync = xxh3_128(&[schema.as_bytes(), &records].concat()).to_le_bytes();
    let mut file = Encoder::default();
    file.fixed(b"Obj\x01").long(notes.len() as i64 + 2);
    file.bytes("avro.schema").bytes(schema).bytes("avro.codec").bytes("null");
    for (key, value) in notes {
        file.bytes(key).bytes(value);
    }
    file.long(0).fixed(&sync);
    if count > 0 {
        file.long(count as i64).bytes(records).fixed(&sync);
    }
    file.0
}
