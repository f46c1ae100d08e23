//! MD5, SHA1, SHA224, SHA256, SHA384, SHA512, SHA2: digests of the UTF-8 text in lower-case hexadecimal.

use arrow::array::{ArrayRef, Int64Array, StringArray};
use flott_expr::function::{Call, Function};
use flott_expr::value::Value;
use flott_types::{Error, Result, TypeKind};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::build::{strings, try_strings};
use crate::check::{Family, infer, nullable_if};

const ONE: &[&[Family]] = &[&[Family::Character]];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("MD5", infer!("MD5", ONE, |args| nullable_if(TypeKind::Char(32), args)), digest::<Md5>),
    Function::new("SHA1", infer!("SHA1", ONE, |args| nullable_if(TypeKind::Char(40), args)), digest::<Sha1>),
    Function::new(
        "SHA224",
        infer!("SHA224", ONE, |args| nullable_if(TypeKind::Char(56), args)),
        digest::<Sha224>,
    ),
    Function::new(
        "SHA256",
        infer!("SHA256", ONE, |args| nullable_if(TypeKind::Char(64), args)),
        digest::<Sha256>,
    ),
    Function::new(
        "SHA384",
        infer!("SHA384", ONE, |args| nullable_if(TypeKind::Char(96), args)),
        digest::<Sha384>,
    ),
    Function::new(
        "SHA512",
        infer!("SHA512", ONE, |args| nullable_if(TypeKind::Char(128), args)),
        digest::<Sha512>,
    ),
    Function::new(
        "SHA2",
        infer!("SHA2", &[&[Family::Character, Family::Integer]], |args| {
            nullable_if(TypeKind::Varchar(128), args)
        }),
        sha2,
    ),
];

fn write<D: Digest>(text: &str, out: &mut String) {
    flott_batch::text::write_hex(out, &D::digest(text));
}

fn digest<D: Digest>(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    strings(call, |row, out| {
        write::<D>(text.get(row)?, out);
        Some(())
    })
}

fn sha2(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (text, bits) = (args[0].view::<StringArray>()?, args[1].view::<Int64Array>()?);
    try_strings(call, |row, out| {
        let (Some(text), Some(bits)) = (text.get(row), bits.get(row)) else {
            return Ok(None);
        };
        match bits {
            224 => write::<Sha224>(text, out),
            256 => write::<Sha256>(text, out),
            384 => write::<Sha384>(text, out),
            512 => write::<Sha512>(text, out),
            _ => {
                return Err(Error::data(format!(
                    "Unsupported algorithm: SHA2 has digests of 224, 256, 384 or 512 bits, not of {bits}"
                )));
            }
        }
        Ok(Some(()))
    })
}
