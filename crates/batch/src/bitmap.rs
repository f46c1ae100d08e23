//! BITMAP values: Roaring bitmaps of unsigned 32-bit numbers, in the portable form that all implementations
//! read.
//!
//! In columns a bitmap never contains runs, so equal sets have equal bytes and can be grouped and compared
//! directly. Only output ([`to_portable`]) is run-length compressed, as in Flink. An SQL INT stands for the
//! unsigned number with the same bits.

use std::fmt::Write;

use flott_types::{Error, Result};
use roaring::RoaringBitmap;

/// Reads a bitmap, from a column or from any other source.
///
/// # Errors
/// The bytes are not a bitmap.
pub fn read(bytes: &[u8]) -> Result<RoaringBitmap> {
    RoaringBitmap::deserialize_from(bytes)
        .map_err(|error| Error::data("Failed to deserialize bitmap from bytes.").with_source(error))
}

/// The bytes of a bitmap as a column holds it.
///
/// # Errors
/// None: writing to memory does not fail.
pub fn write(mut bitmap: RoaringBitmap) -> Result<Vec<u8>> {
    bitmap.remove_run_compression();
    bytes_of(&bitmap)
}

/// The bytes of a bitmap as BITMAP_TO_BYTES returns them: run-length compressed.
///
/// # Errors
/// The column's bytes are not a bitmap.
pub fn to_portable(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut bitmap = read(bytes)?;
    bitmap.optimize();
    bytes_of(&bitmap)
}

fn bytes_of(bitmap: &RoaringBitmap) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(bitmap.serialized_size());
    bitmap
        .serialize_into(&mut bytes)
        .map_err(|error| Error::internal("cannot write a bitmap").with_source(error))?;
    Ok(bytes)
}

/// Appends `{1,2,3}`.
///
/// # Errors
/// The column's bytes are not a bitmap.
pub fn write_text(out: &mut String, bytes: &[u8]) -> Result<()> {
    out.push('{');
    for (at, value) in read(bytes)?.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(out, "{comma}{value}");
    }
    out.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sets_are_equal_bytes() {
        let set: RoaringBitmap = (1..=10).collect();
        let plain = write(set).unwrap();
        let runs = to_portable(&plain).unwrap();
        assert_ne!(plain, runs, "ten numbers in a row are a run");
        assert_eq!(write(read(&runs).unwrap()).unwrap(), plain);
        let mut text = String::new();
        write_text(&mut text, &write([3, u32::MAX, 1].into_iter().collect()).unwrap()).unwrap();
        assert_eq!(text, "{1,3,4294967295}");
        assert!(read(b"no bitmap").is_err());
    }
}
