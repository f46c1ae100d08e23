//! A JSON object with its own checksum, still readable by people and tools.
//!
//! ```text
//! {"checksum":"8f3c52a1d07be694","version":2,"checkpoint":7,...}
//! ```
//!
//! The checksum is the first field, and covers the object without it. So no canonical form is needed, and
//! every bit counts: a flipped bit in the object or in the checksum makes the two differ, and one in the
//! field's name leaves an object that should be sealed according to its version, but is not.

use flott_types::{Error, Result};

use super::Checksum;

const BEFORE: &[u8] = b"{\"checksum\":\"";
const DIGITS: usize = 16;
const AFTER: &[u8] = b"\",";

/// Seals a JSON object.
///
/// # Errors
/// If it is no object, or one without fields: a defect.
pub fn seal(object: &[u8]) -> Result<Vec<u8>> {
    let fields = object.strip_prefix(b"{").filter(|fields| !fields.starts_with(b"}"));
    let fields = fields.ok_or_else(|| Error::internal("what is to be sealed is no object with fields"))?;
    let sum = Checksum::of(object).to_string();
    Ok([BEFORE, sum.as_bytes(), AFTER, fields].concat())
}

/// The object that was sealed; `None` if the bytes do not begin with a checksum. What then has to have one is
/// damaged.
///
/// # Errors
/// [`flott_types::ErrorKind::State`] if checksum and object differ.
pub fn unseal(sealed: &[u8]) -> Result<Option<Vec<u8>>> {
    let parts = sealed.strip_prefix(BEFORE).and_then(|rest| {
        let (sum, rest) = rest.split_at_checked(DIGITS)?;
        Some((sum, rest.strip_prefix(AFTER)?))
    });
    let Some((sum, fields)) = parts else { return Ok(None) };
    let object = [b"{", fields].concat();
    let found = Checksum::of(&object).to_string();
    if found.as_bytes() != sum {
        return Err(Error::state(format!(
            "it is damaged: its checksum is {found}, it says {}",
            String::from_utf8_lossy(sum)
        )));
    }
    Ok(Some(object))
}
