//! How files are compressed.
//!
//! A file that was cut off is an error, never a shorter file. All but two of the compressions mark their end,
//! and their decoders complain when the mark is missing. Snappy has no mark: a file that was cut between two
//! of its chunks cannot be told from a whole one. The decoder of LZ4 takes the end of the file for the mark,
//! so the mark is looked for here (`lz4.rs`).

use std::io::{self, BufRead, BufReader, Read};

use bzip2::read::MultiBzDecoder;
use flate2::bufread::ZlibDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

use flott_storage::Location;

use crate::lz4::Lz4;

/// The dictionary of a file of xz is at most this large, in KiB: `xz -9` has one of 64 MiB. What a file says of
/// it is allocated before a byte is read.
const XZ_KIB: u32 = 1 << 20;

/// How a file is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// `.gz`, `.gzip`
    Gzip,
    /// `.deflate`
    Deflate,
    /// `.bz2`
    Bzip2,
    /// `.xz`
    Xz,
    /// `.zst`, `.zstd`
    Zstandard,
    /// `.lz4`: frames
    Lz4,
    /// `.snappy`, `.sz`: frames
    Snappy,
}

impl Compression {
    /// The compression that a file's extension indicates, as in Flink, which has neither LZ4 nor Snappy.
    pub fn of(location: &Location) -> Option<Compression> {
        let ending = location.name()?.rsplit_once('.')?.1.to_ascii_lowercase();
        Some(match ending.as_str() {
            "gz" | "gzip" => Compression::Gzip,
            "deflate" => Compression::Deflate,
            "bz2" => Compression::Bzip2,
            "xz" => Compression::Xz,
            "zst" | "zstd" => Compression::Zstandard,
            "lz4" => Compression::Lz4,
            "snappy" | "sz" => Compression::Snappy,
            _ => return None,
        })
    }

    /// The bytes that were compressed. What was compressed in pieces, one after the other, is read as one.
    ///
    /// # Errors
    /// If the decoder cannot begin.
    pub fn reader(self, raw: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Compression::Gzip => Box::new(MultiGzDecoder::new(raw)),
            Compression::Deflate => Box::new(Deflate::new(raw)),
            Compression::Bzip2 => Box::new(MultiBzDecoder::new(raw)),
            Compression::Xz => Box::new(XzReader::new_mem_limit(raw, true, XZ_KIB)),
            Compression::Zstandard => Box::new(zstd::stream::read::Decoder::new(raw)?),
            Compression::Lz4 => Box::new(Lz4::new(raw)),
            Compression::Snappy => Box::new(snap::read::FrameDecoder::new(raw)),
        })
    }
}

/// Streams of zlib's, one after the other.
struct Deflate<R> {
    /// There is none after an error.
    decoder: Option<ZlibDecoder<BufReader<R>>>,
}

impl<R: Read> Deflate<R> {
    fn new(raw: R) -> Self {
        Deflate { decoder: Some(ZlibDecoder::new(BufReader::new(raw))) }
    }
}

impl<R: Read> Read for Deflate<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let count = decoder.read(into)?;
            if count > 0 || into.is_empty() || decoder.get_mut().fill_buf()?.is_empty() {
                return Ok(count);
            }
            self.decoder = self.decoder.take().map(|decoder| ZlibDecoder::new(decoder.into_inner()));
        }
        Ok(0)
    }
}
