//! Compressed batches.

use std::io::{Read, Write};

/// How a batch is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Snappy, in the frames of its Java library.
    Snappy,
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// What the frames of Snappy's Java library begin with, and its two versions.
const SNAPPY: &[u8] = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";

/// The mark alone: any version is read.
const SNAPPY_MARK: usize = 8;

/// A batch is not larger when it is unpacked.
const LARGEST: u64 = 1 << 30;

impl Compression {
    pub(super) fn bits(self) -> i16 {
        match self {
            Compression::None => 0,
            Compression::Gzip => 1,
            Compression::Snappy => 2,
            Compression::Lz4 => 3,
            Compression::Zstd => 4,
        }
    }

    pub(super) fn of_bits(bits: i16) -> Option<Self> {
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd]
            .into_iter()
            .find(|one| one.bits() == bits)
    }

    pub(super) fn pack(self, bytes: &[u8], out: &mut Vec<u8>) -> std::io::Result<()> {
        match self {
            Compression::None => out.extend_from_slice(bytes),
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::default());
                encoder.write_all(bytes)?;
                encoder.finish()?;
            }
            Compression::Snappy => {
                out.extend_from_slice(SNAPPY);
                for block in bytes.chunks(32 << 10) {
                    let packed =
                        snap::raw::Encoder::new().compress_vec(block).map_err(std::io::Error::other)?;
                    out.extend_from_slice(&(packed.len() as u32).to_be_bytes());
                    out.extend_from_slice(&packed);
                }
            }
            Compression::Lz4 => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(out);
                encoder.write_all(bytes)?;
                encoder.finish().map_err(std::io::Error::other)?;
            }
            Compression::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.write_all(bytes)?;
                encoder.finish()?;
            }
        }
        Ok(())
    }

    pub(super) fn unpack(self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let read = match self {
            Compression::None => {
                out.extend_from_slice(bytes);
                return Ok(out);
            }
            Compression::Snappy => return unpack_snappy(bytes),
            Compression::Gzip => {
                flate2::read::MultiGzDecoder::new(bytes).take(LARGEST).read_to_end(&mut out)?
            }
            Compression::Lz4 => {
                lz4_flex::frame::FrameDecoder::new(bytes).take(LARGEST).read_to_end(&mut out)?
            }
            Compression::Zstd => {
                zstd::stream::read::Decoder::new(bytes)?.take(LARGEST).read_to_end(&mut out)?
            }
        };
        if read as u64 == LARGEST {
            return Err(std::io::Error::other("a batch is larger than a gigabyte"));
        }
        Ok(out)
    }
}

/// Frames of the Java library, or one block without them, as other clients write it.
fn unpack_snappy(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let unpack = |block: &[u8]| {
        let length = snap::raw::decompress_len(block).map_err(std::io::Error::other)?;
        if length as u64 >= LARGEST {
            return Err(std::io::Error::other("a batch is larger than a gigabyte"));
        }
        snap::raw::Decoder::new().decompress_vec(block).map_err(std::io::Error::other)
    };
    if !bytes.starts_with(&SNAPPY[..SNAPPY_MARK]) {
        return unpack(bytes);
    }
    let cut = || std::io::Error::other("a block of Snappy is cut short");
    let mut rest = bytes.get(SNAPPY.len()..).ok_or_else(cut)?;
    let mut out = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = u32::from_be_bytes(*length) as usize;
        let block = after.get(..length).ok_or_else(cut)?;
        out.extend(unpack(block)?);
        rest = after.get(length..).unwrap_or_default();
    }
    Ok(out)
}
