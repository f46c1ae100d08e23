//! VARIANT values: self-describing, as bytes.
//!
//! A tag, then the value; numbers are little-endian. Objects are sorted by key, so equal values have equal
//! bytes. An element or member is found without reading the others.
//!
//! | tag | value | bytes after the tag |
//! |---|---|---|
//! | 0, 1, 2 | null, false, true | none |
//! | 3 | a whole number | i64 |
//! | 4 | a decimal number | scale u8, digits i128 |
//! | 5 | a floating point number | f64 |
//! | 6 | a text | UTF-8 |
//! | 7 | an array | count u32, the end of each element u32, the elements |
//! | 8 | an object | count u32, the end of each key u32, the end of each value u32, the keys, the values |
//!
//! 1 and 1.0 are different values, as in Flink, although they print alike.

use crate::json::write_text;
use crate::text::{write_decimal, write_double, write_integer};

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INTEGER: u8 = 3;
const DECIMAL: u8 = 4;
const DOUBLE: u8 = 5;
const TEXT: u8 = 6;
const ARRAY: u8 = 7;
const OBJECT: u8 = 8;

/// A value to encode.
#[derive(Clone, PartialEq, Debug)]
pub enum Variant {
    /// null
    Null,
    /// true, false
    Boolean(bool),
    /// A whole number
    Integer(i64),
    /// Digits and scale
    Decimal(i128, u8),
    /// A number that is not a decimal
    Double(f64),
    /// A text
    Text(String),
    /// Values in order
    Array(Vec<Variant>),
    /// Values by key, each key once, in any order
    Object(Vec<(String, Variant)>),
}

impl Variant {
    /// The bytes.
    pub fn encode(self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(self, out: &mut Vec<u8>) {
        match self {
            Variant::Null => out.push(NULL),
            Variant::Boolean(false) => out.push(FALSE),
            Variant::Boolean(true) => out.push(TRUE),
            Variant::Integer(value) => {
                out.push(INTEGER);
                out.extend(value.to_le_bytes());
            }
            Variant::Decimal(digits, scale) => {
                out.push(DECIMAL);
                out.push(scale);
                out.extend(digits.to_le_bytes());
            }
            Variant::Double(value) => {
                out.push(DOUBLE);
                out.extend(value.to_le_bytes());
            }
            Variant::Text(text) => {
                out.push(TEXT);
                out.extend(text.as_bytes());
            }
            Variant::Array(elements) => {
                out.push(ARRAY);
                out.extend((elements.len() as u32).to_le_bytes());
                let mut data = Vec::new();
                for element in elements {
                    element.write(&mut data);
                    out.extend((data.len() as u32).to_le_bytes());
                }
                out.extend(data);
            }
            Variant::Object(mut members) => {
                // Java orders strings by UTF-16 units.
                members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
                out.push(OBJECT);
                out.extend((members.len() as u32).to_le_bytes());
                let (mut keys, mut values, mut ends) = (Vec::<u8>::new(), Vec::new(), Vec::new());
                for (key, value) in members {
                    keys.extend(key.as_bytes());
                    out.extend((keys.len() as u32).to_le_bytes());
                    value.write(&mut values);
                    ends.extend((values.len() as u32).to_le_bytes());
                }
                out.extend(ends);
                out.extend(keys);
                out.extend(values);
            }
        }
    }
}

/// Whether a value is an array or an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Neither
    Scalar,
    /// An array
    Array,
    /// An object
    Object,
}

/// What an encoded value is.
pub fn shape(bytes: &[u8]) -> Shape {
    match bytes.first() {
        Some(&ARRAY) => Shape::Array,
        Some(&OBJECT) => Shape::Object,
        _ => Shape::Scalar,
    }
}

/// The element of an encoded array, from 0.
pub fn element(bytes: &[u8], at: usize) -> Option<&[u8]> {
    Parts::of(bytes, ARRAY, 1)?.part(0, at)
}

/// The member of an encoded object.
pub fn member<'a>(bytes: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let parts = Parts::of(bytes, OBJECT, 2)?;
    let at = (0..parts.count).find(|at| parts.part(0, *at) == Some(key.as_bytes()))?;
    parts.part(1, at)
}

/// Lists of parts after a table of their ends.
struct Parts<'a> {
    count: usize,
    lists: usize,
    ends: &'a [u8],
    data: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8], tag: u8, lists: usize) -> Option<Parts<'a>> {
        let bytes = bytes.strip_prefix(&[tag])?;
        let count = u32_at(bytes, 0)? as usize;
        let rest = bytes.get(4..)?;
        let (ends, data) = rest.split_at_checked(count.checked_mul(4 * lists)?)?;
        Some(Parts { count, lists, ends, data })
    }

    fn end(&self, list: usize, at: usize) -> Option<usize> {
        Some(u32_at(self.ends, 4 * (list * self.count + at))? as usize)
    }

    /// Where a list begins in the data.
    fn start(&self, list: usize) -> Option<usize> {
        match list {
            0 => Some(0),
            _ if self.count == 0 => Some(0),
            list => Some(self.start(list - 1)? + self.end(list - 1, self.count - 1)?),
        }
    }

    fn part(&self, list: usize, at: usize) -> Option<&'a [u8]> {
        if at >= self.count || list >= self.lists {
            return None;
        }
        let base = self.start(list)?;
        let from = if at == 0 { 0 } else { self.end(list, at - 1)? };
        self.data.get(base + from..base + self.end(list, at)?)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Appends an encoded value as JSON without blanks; `None` if the bytes are not such a value.
pub fn write_json(out: &mut String, bytes: &[u8]) -> Option<()> {
    let (tag, rest) = bytes.split_first()?;
    match *tag {
        NULL => out.push_str("null"),
        FALSE => out.push_str("false"),
        TRUE => out.push_str("true"),
        INTEGER => write_integer(out, i64::from_le_bytes(rest.try_into().ok()?)),
        DECIMAL => {
            let (scale, digits) = rest.split_first()?;
            let (mut scale, mut digits) = (*scale, i128::from_le_bytes(digits.try_into().ok()?));
            while scale > 0 && digits % 10 == 0 {
                (scale, digits) = (scale - 1, digits / 10);
            }
            write_decimal(out, digits, scale);
        }
        DOUBLE => write_double(out, f64::from_le_bytes(rest.try_into().ok()?)),
        TEXT => write_text(out, std::str::from_utf8(rest).ok()?),
        ARRAY => {
            let parts = Parts::of(bytes, ARRAY, 1)?;
            out.push('[');
            for at in 0..parts.count {
                if at > 0 {
                    out.push(',');
                }
                write_json(out, parts.part(0, at)?)?;
            }
            out.push(']');
        }
        OBJECT => {
            let parts = Parts::of(bytes, OBJECT, 2)?;
            out.push('{');
            for at in 0..parts.count {
                if at > 0 {
                    out.push(',');
                }
                write_text(out, std::str::from_utf8(parts.part(0, at)?).ok()?);
                out.push(':');
                write_json(out, parts.part(1, at)?)?;
            }
            out.push('}');
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        let mut out = String::new();
        write_json(&mut out, bytes).unwrap();
        out
    }

    #[test]
    fn values_come_back() {
        let inner = Variant::Object(vec![
            ("z".into(), Variant::Integer(-1)),
            ("a".into(), Variant::Array(vec![Variant::Null, Variant::Boolean(true)])),
            ("m".into(), Variant::Object(vec![])),
        ]);
        let value = Variant::Array(vec![
            Variant::Text("x\"\n\u{1}é".into()),
            inner,
            Variant::Decimal(-11000, 3),
            Variant::Double(1e5),
            Variant::Array(vec![]),
        ]);
        let bytes = value.encode();
        assert_eq!(text(&bytes), r#"["x\"\n\u0001é",{"a":[null,true],"m":{},"z":-1},-11,100000.0,[]]"#);
        let object = element(&bytes, 1).unwrap();
        assert_eq!((shape(&bytes), shape(object)), (Shape::Array, Shape::Object));
        assert_eq!(text(member(object, "a").unwrap()), "[null,true]");
        assert_eq!(text(member(object, "z").unwrap()), "-1");
        assert_eq!((member(object, "b"), element(&bytes, 5), member(&bytes, "a")), (None, None, None));
    }

    #[test]
    fn damaged_bytes_are_no_value() {
        let bytes = Variant::Object(vec![("key".into(), Variant::Text("value".into()))]).encode();
        for length in 0..bytes.len() {
            let _ = write_json(&mut String::new(), &bytes[..length]);
            let _ = member(&bytes[..length], "key");
        }
        assert_eq!(write_json(&mut String::new(), &[42]), None);
    }
}
