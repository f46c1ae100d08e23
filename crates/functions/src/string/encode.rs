//! ASCII, CHR, ENCODE, DECODE, TO_BASE64, FROM_BASE64.

use arrow::array::{ArrayRef, BinaryArray, Int64Array, StringArray};
use arrow::datatypes::Int32Type;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flott_expr::function::{Call, Function};
use flott_expr::value::Value;
use flott_types::{Error, Result, TypeKind};

use crate::build::{primitives, strings, try_binaries, try_strings};
use crate::check::{Family, infer, nullable_if};

const ONE: &[&[Family]] = &[&[Family::Character]];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("ASCII", infer!("ASCII", ONE, |args| nullable_if(TypeKind::Int, args)), ascii),
    Function::new("CHR", infer!("CHR", &[&[Family::Integer]], |_args| TypeKind::STRING.nullable()), chr),
    Function::new(
        "ENCODE",
        infer!("ENCODE", &[&[Family::Character, Family::Character]], |args| {
            nullable_if(TypeKind::BYTES, args)
        }),
        encode,
    ),
    Function::new(
        "DECODE",
        infer!("DECODE", &[&[Family::Binary, Family::Character]], |args| {
            nullable_if(TypeKind::STRING, args)
        }),
        decode,
    ),
    Function::new(
        "TO_BASE64",
        infer!("TO_BASE64", ONE, |args| nullable_if(TypeKind::STRING, args)),
        to_base64,
    ),
    Function::new(
        "FROM_BASE64",
        infer!("FROM_BASE64", ONE, |args| nullable_if(TypeKind::STRING, args)),
        from_base64,
    ),
];

/// The first byte of the UTF-8 text as a signed number; 0 for the empty string.
fn ascii(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    Ok(primitives::<Int32Type>(call.rows, |row| {
        Some(text.get(row)?.bytes().next().map_or(0, |byte| i32::from(byte as i8)))
    }))
}

/// The character for the lowest eight bits; an empty string for a negative number.
fn chr(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let code = args[0].view::<Int64Array>()?;
    strings(call, |row, out| {
        let code = code.get(row)?;
        if code >= 0 {
            out.push(char::from((code & 0xFF) as u8));
        }
        Some(())
    })
}

/// The character sets that every Java has, and windows-1252.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Charset {
    Utf8,
    Ascii,
    Latin1,
    /// Big endian; `true`: writes and reads a byte order mark.
    Utf16Be(bool),
    Utf16Le,
}

impl Charset {
    fn of(name: &str) -> Result<Charset> {
        match name.to_ascii_uppercase().as_str() {
            "UTF-8" | "UTF8" | "UNICODE-1-1-UTF-8" => Ok(Charset::Utf8),
            "US-ASCII" | "ASCII" | "ISO646-US" | "ANSI_X3.4-1968" | "646" => Ok(Charset::Ascii),
            "ISO-8859-1" | "ISO8859-1" | "ISO8859_1" | "ISO_8859-1" | "ISO_8859_1" | "LATIN1" | "L1"
            | "CP819" => Ok(Charset::Latin1),
            "UTF-16" | "UTF16" | "UTF_16" | "UNICODE" => Ok(Charset::Utf16Be(true)),
            "UTF-16BE" | "UTF_16BE" | "UNICODEBIGUNMARKED" | "X-UTF-16BE" => Ok(Charset::Utf16Be(false)),
            "UTF-16LE" | "UTF_16LE" | "UNICODELITTLEUNMARKED" | "X-UTF-16LE" => Ok(Charset::Utf16Le),
            _ => Err(Error::data(format!(
                "Unsupported character set '{name}': write UTF-8, US-ASCII, ISO-8859-1, UTF-16, UTF-16BE or UTF-16LE"
            ))),
        }
    }

    /// A character that the set lacks becomes `?`.
    fn encode(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Charset::Utf8 => out.extend_from_slice(text.as_bytes()),
            Charset::Ascii => out.extend(text.chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' })),
            Charset::Latin1 => out.extend(text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))),
            Charset::Utf16Be(mark) => {
                if mark && !text.is_empty() {
                    out.extend_from_slice(&[0xFE, 0xFF]);
                }
                out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
            }
            Charset::Utf16Le => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
        }
    }

    /// Bytes that do not form a character become U+FFFD.
    fn decode(self, bytes: &[u8], out: &mut String) {
        let replaced = char::REPLACEMENT_CHARACTER;
        match self {
            Charset::Utf8 => out.push_str(&String::from_utf8_lossy(bytes)),
            Charset::Ascii => {
                out.extend(bytes.iter().map(|b| if b.is_ascii() { char::from(*b) } else { replaced }))
            }
            Charset::Latin1 => out.extend(bytes.iter().map(|b| char::from(*b))),
            Charset::Utf16Be(true) => match bytes {
                [0xFE, 0xFF, rest @ ..] => decode_utf16(rest, u16::from_be_bytes, out),
                [0xFF, 0xFE, rest @ ..] => decode_utf16(rest, u16::from_le_bytes, out),
                _ => decode_utf16(bytes, u16::from_be_bytes, out),
            },
            Charset::Utf16Be(false) => decode_utf16(bytes, u16::from_be_bytes, out),
            Charset::Utf16Le => decode_utf16(bytes, u16::from_le_bytes, out),
        }
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, out: &mut String) {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let replaced = char::REPLACEMENT_CHARACTER;
    out.extend(char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).map(|c| c.unwrap_or(replaced)));
    if !rest.is_empty() {
        out.push(replaced);
    }
}

/// The character set of each row; a constant one is looked up once.
fn charsets(value: &Value) -> Result<impl Fn(usize) -> Result<Option<Charset>>> {
    let names = value.view::<StringArray>()?;
    // An unknown name is an error for the first row that uses it.
    let known = names.constant().flatten().and_then(|name| Charset::of(name).ok());
    Ok(move |row| match known {
        Some(known) => Ok(Some(known)),
        None => names.get(row).map(Charset::of).transpose(),
    })
}

fn encode(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (text, charset) = (args[0].view::<StringArray>()?, charsets(&args[1])?);
    try_binaries(call, |row, out| {
        let Some(text) = text.get(row) else {
            return Ok(None);
        };
        let Some(charset) = charset(row)? else {
            return Ok(None);
        };
        charset.encode(text, out);
        Ok(Some(()))
    })
}

fn decode(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, charset) = (args[0].view::<BinaryArray>()?, charsets(&args[1])?);
    try_strings(call, |row, out| {
        let Some(bytes) = bytes.get(row) else {
            return Ok(None);
        };
        let Some(charset) = charset(row)? else {
            return Ok(None);
        };
        charset.decode(bytes, out);
        Ok(Some(()))
    })
}

/// Like `java.util.Base64`: padding may be left out, and stray trailing bits are accepted.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn to_base64(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    strings(call, |row, out| {
        BASE64.encode_string(text.get(row)?, out);
        Some(())
    })
}

fn from_base64(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    let mut bytes = Vec::new();
    try_strings(call, |row, out| {
        let Some(text) = text.get(row) else {
            return Ok(None);
        };
        bytes.clear();
        BASE64.decode_vec(text, &mut bytes).map_err(|error| {
            Error::data(format!("FROM_BASE64: '{text}' is not Base64")).with_source(error)
        })?;
        out.push_str(&String::from_utf8_lossy(&bytes));
        Ok(Some(()))
    })
}
