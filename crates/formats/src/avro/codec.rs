//! How the blocks of a container are compressed.

use std::io::{Read, Write};

use flott_types::{Error, Result};

/// `avro.codec`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Codec {
    Null,
    Deflate,
    Snappy,
    Bzip2,
    Xz,
    Zstandard,
}

impl Codec {
    pub(super) const ALL: [(&'static str, Codec); 6] = [
        ("null", Codec::Null),
        ("deflate", Codec::Deflate),
        ("snappy", Codec::Snappy),
        ("bzip2", Codec::Bzip2),
        ("xz", Codec::Xz),
        ("zstandard", Codec::Zstandard),
    ];

    /// What a container calls it.
    pub(super) fn name(self) -> &'static str {
        Codec::ALL.iter().find(|(_, codec)| *codec == self).map_or("null", |(name, _)| name)
    }

    pub(super) fn compress(self, block: &[u8]) -> Result<Vec<u8>> {
        self.try_compress(block)
            .map_err(|error| Error::internal("a block cannot be compressed").with_source(error))
    }

    fn try_compress(self, block: &[u8]) -> std::io::Result<Vec<u8>> {
        match self {
            Codec::Null => Ok(block.to_vec()),
            Codec::Deflate => {
                let mut writer =
                    flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
                writer.write_all(block)?;
                writer.finish()
            }
            Codec::Snappy => {
                let mut compressed = snap::raw::Encoder::new().compress_vec(block)?;
                compressed.extend_from_slice(&checksum(block));
                Ok(compressed)
            }
            Codec::Bzip2 => {
                let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
                writer.write_all(block)?;
                writer.finish()
            }
            Codec::Xz => {
                let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default())?;
                writer.write_all(block)?;
                writer.finish()
            }
            Codec::Zstandard => zstd::bulk::compress(block, 3),
        }
    }

    pub(super) fn decompress(self, block: &[u8], into: &mut Vec<u8>) -> std::io::Result<()> {
        into.clear();
        match self {
            Codec::Null => into.extend_from_slice(block),
            Codec::Deflate => _ = flate2::read::DeflateDecoder::new(block).read_to_end(into)?,
            Codec::Snappy => {
                let Some((block, expected)) = block.split_last_chunk::<4>() else {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                };
                *into = snap::raw::Decoder::new().decompress_vec(block)?;
                if checksum(into) != *expected {
                    return Err(std::io::Error::other("the checksum is wrong"));
                }
            }
            Codec::Bzip2 => _ = bzip2::read::BzDecoder::new(block).read_to_end(into)?,
            Codec::Xz => _ = lzma_rust2::XzReader::new(block, true).read_to_end(into)?,
            Codec::Zstandard => _ = zstd::stream::read::Decoder::new(block)?.read_to_end(into)?,
        }
        Ok(())
    }
}

/// After a block of Snappy's.
fn checksum(block: &[u8]) -> [u8; 4] {
    let mut crc = flate2::Crc::new();
    crc.update(block);
    crc.sum().to_be_bytes()
}
