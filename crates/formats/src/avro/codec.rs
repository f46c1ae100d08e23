//! How the blocks of a container are compressed.

use std::io::{self, Read, Write};

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

    /// The bytes of a block, which are no more than `most`.
    pub(super) fn decompress(self, block: &[u8], into: &mut Vec<u8>, most: usize) -> io::Result<()> {
        into.clear();
        match self {
            Codec::Null if block.len() > most => Err(too_large(most)),
            Codec::Null => {
                into.extend_from_slice(block);
                Ok(())
            }
            Codec::Deflate => read_all(flate2::read::DeflateDecoder::new(block), into, most),
            Codec::Snappy => {
                let Some((block, expected)) = block.split_last_chunk::<4>() else {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                };
                // All of what a block says is allocated before it is read.
                let length = snap::raw::decompress_len(block)?;
                if length > most {
                    return Err(too_large(most));
                }
                into.resize(length, 0);
                snap::raw::Decoder::new().decompress(block, into)?;
                match checksum(into) == *expected {
                    true => Ok(()),
                    false => Err(io::Error::other("the checksum is wrong")),
                }
            }
            Codec::Bzip2 => read_all(bzip2::read::BzDecoder::new(block), into, most),
            Codec::Xz => {
                // Its dictionary is allocated too; no smaller one than that of `xz -9` is refused.
                let kib = u32::try_from(most >> 10).unwrap_or(u32::MAX).max(128 << 10);
                read_all(lzma_rust2::XzReader::new_mem_limit(block, true, kib), into, most)
            }
            Codec::Zstandard => read_all(zstd::stream::read::Decoder::new(block)?, into, most),
        }
    }
}

fn read_all(reader: impl Read, into: &mut Vec<u8>, most: usize) -> io::Result<()> {
    let read = reader.take((most as u64).saturating_add(1)).read_to_end(into)?;
    if read > most { Err(too_large(most)) } else { Ok(()) }
}

fn too_large(most: usize) -> io::Error {
    io::Error::other(format!("more than {most} bytes are in it"))
}

/// After a block of Snappy's.
fn checksum(block: &[u8]) -> [u8; 4] {
    let mut crc = flate2::Crc::new();
    crc.update(block);
    crc.sum().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_its_limit() {
        let block = vec![7; 100_000];
        for (name, codec) in Codec::ALL {
            let compressed = codec.compress(&block).unwrap();
            let mut into = vec![1, 2, 3];
            codec.decompress(&compressed, &mut into, block.len()).unwrap();
            assert!(into == block, "{name}");
            let error = codec.decompress(&compressed, &mut into, block.len() - 1).unwrap_err();
            assert_eq!(error.to_string(), "more than 99999 bytes are in it", "{name}");
            assert!(into.len() <= block.len(), "{name}");
        }
    }

    #[test]
    fn a_dictionary_of_xz_has_its_limit() {
        let mut compressed = Codec::Xz.compress(b"x").unwrap();
        // The properties of LZMA2 in the header of the block: a dictionary of 3 GiB; then the header's checksum.
        let at = 12 + 4;
        assert_eq!(compressed.get(at - 2..at), Some(&[0x21, 1][..]));
        compressed[at] = 39;
        let mut crc = flate2::Crc::new();
        crc.update(&compressed[12..20]);
        let sum = crc.sum().to_le_bytes();
        compressed[20..24].copy_from_slice(&sum);
        let error = Codec::Xz.decompress(&compressed, &mut Vec::new(), 1 << 30).unwrap_err();
        assert!(error.to_string().contains("mem"), "{error}");
    }
}
