//! Frames of LZ4 that must be whole.
//!
//! The decoder takes the end of a file for the end of a frame, so the bytes that it reads are followed here:
//! a frame is a magic number, a descriptor, blocks with their sizes, and a size of zero.

use std::io::{self, Read};

use lz4_flex::frame::FrameDecoder;

/// The content of frames, one after the other.
pub(crate) struct Lz4(FrameDecoder<Followed>);

impl Lz4 {
    pub(crate) fn new(raw: Box<dyn Read + Send>) -> Self {
        let frames = Frames { part: Part::Magic, left: 4, number: 0, flags: 0 };
        Lz4(FrameDecoder::new(Followed { raw, frames, at_end: false }))
    }
}

impl Read for Lz4 {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            // The decoder gives nothing at the end of each frame.
            let count = self.0.read(into)?;
            let followed = self.0.get_ref();
            if count > 0 || into.is_empty() {
                return Ok(count);
            }
            if followed.at_end {
                return match followed.frames.is_whole() {
                    true => Ok(0),
                    false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "an LZ4 frame has no end")),
                };
            }
        }
    }
}

struct Followed {
    raw: Box<dyn Read + Send>,
    frames: Frames,
    at_end: bool,
}

impl Read for Followed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.raw.read(into)?;
        self.at_end = count == 0 && !into.is_empty();
        self.frames.follow(into.get(..count).unwrap_or_default());
        Ok(count)
    }
}

const FRAME: u32 = 0x184d_2204;

/// Where in a frame the bytes end.
struct Frames {
    part: Part,
    /// So many bytes of the part are to come.
    left: usize,
    /// The number that the part is, as far as it has come.
    number: u32,
    flags: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Magic,
    Flags,
    /// The rest of the descriptor, and blocks.
    Passed,
    /// Of a block; none is the end.
    Size,
    /// The checksum of the content.
    Checksum,
    /// Of another kind, which the decoder knows or refuses.
    Other,
}

impl Frames {
    fn is_whole(&self) -> bool {
        self.part == Part::Other || (self.part == Part::Magic && self.left == 4)
    }

    fn follow(&mut self, mut bytes: &[u8]) {
        while let [byte, rest @ ..] = bytes {
            if self.part == Part::Other {
                return;
            }
            if matches!(self.part, Part::Passed | Part::Checksum) {
                let passed = self.left.min(bytes.len());
                self.left -= passed;
                bytes = bytes.get(passed..).unwrap_or_default();
            } else {
                self.number = (self.number >> 8) | (u32::from(*byte) << 24);
                self.left -= 1;
                bytes = rest;
            }
            if self.left == 0 {
                (self.part, self.left) = self.next();
            }
        }
    }

    fn next(&mut self) -> (Part, usize) {
        let has = |flag: u8| usize::from(self.flags & flag != 0);
        match self.part {
            Part::Magic if self.number == FRAME => (Part::Flags, 1),
            Part::Magic | Part::Other => (Part::Other, 0),
            Part::Flags => {
                self.flags = (self.number >> 24) as u8;
                let has = |flag: u8| usize::from(self.flags & flag != 0);
                // The block size, perhaps the content's size and a dictionary's id, and a checksum.
                (Part::Passed, 2 + 8 * has(0x08) + 4 * has(0x01))
            }
            Part::Passed => (Part::Size, 4),
            Part::Size if self.number == 0 && has(0x04) == 1 => (Part::Checksum, 4),
            Part::Size if self.number == 0 => (Part::Magic, 4),
            Part::Size => match (self.number & 0x7fff_ffff) as usize + 4 * has(0x10) {
                0 => (Part::Size, 4),
                bytes => (Part::Passed, bytes),
            },
            Part::Checksum => (Part::Magic, 4),
        }
    }
}
