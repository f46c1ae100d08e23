//! What a connection between two TaskManagers carries.
//!
//! ```text
//! length of the body, u32 | kind, u8 | channel, u32 | body
//! ```
//!
//! Numbers are little-endian. A channel's number is given by the side that opened it; so the kind says whose
//! numbers these are: `Open`, data (as it is, or compressed with LZ4 or Zstandard behind its length, u32) and
//! `Close` come from the sender of a channel, `Credit` (u64) and `Closed` from its receiver. A ping belongs to no
//! channel. What is announced is allocated as it comes.

use std::io::ErrorKind;

use flott_types::{Error, Result};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Before the body.
const HEADER: usize = 9;
/// No body is longer, written or read.
const LONGEST: usize = 1 << 30;

/// So much is allocated because it is announced.
const AT_ONCE: usize = 1 << 20;
/// A byte of LZ4 stands for no more.
const LZ4_RATIO: usize = 255;

const OPEN: u8 = 1;
const DATA: u8 = 2;
const LZ4: u8 = 3;
const ZSTD: u8 = 4;
const CLOSE: u8 = 5;
const CREDIT: u8 = 6;
const CLOSED: u8 = 7;
const PING: u8 = 8;

/// How the bodies of data are compressed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// LZ4: cheap.
    Lz4,
    /// Zstandard at its fastest: smaller.
    Zstd,
}

/// One frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Frame {
    /// A channel begins: the encoded key.
    Open(u32, Vec<u8>),
    /// An element, as `flott_runtime::wire` writes it.
    Data(u32, Vec<u8>),
    /// The same, compressed.
    Compressed(u32, Compression, Vec<u8>),
    /// The sender sends no more.
    Close(u32),
    /// The sender may have so many bytes more under way.
    Credit(u32, u64),
    /// The receiver has ended, and takes no more.
    Closed(u32),
    /// The sender of the frame is alive.
    Ping,
}

impl Frame {
    /// An element, compressed if that makes it smaller.
    pub fn data(channel: u32, element: Vec<u8>, compression: Compression) -> Self {
        let compressed = match compression {
            Compression::None => None,
            Compression::Lz4 => Some(lz4_flex::block::compress_prepend_size(&element)),
            Compression::Zstd => zstd::bulk::compress(&element, 1).ok().map(|mut body| {
                body.splice(0..0, (element.len() as u32).to_le_bytes());
                body
            }),
        };
        match compressed.filter(|body| body.len() < element.len()) {
            Some(body) => Frame::Compressed(channel, compression, body),
            None => Frame::Data(channel, element),
        }
    }

    fn parts(&self) -> (u8, u32, &[u8]) {
        match self {
            Frame::Open(channel, key) => (OPEN, *channel, key),
            Frame::Data(channel, body) | Frame::Compressed(channel, Compression::None, body) => {
                (DATA, *channel, body)
            }
            Frame::Compressed(channel, Compression::Lz4, body) => (LZ4, *channel, body),
            Frame::Compressed(channel, Compression::Zstd, body) => (ZSTD, *channel, body),
            Frame::Close(channel) => (CLOSE, *channel, &[]),
            Frame::Credit(channel, _) => (CREDIT, *channel, &[]),
            Frame::Closed(channel) => (CLOSED, *channel, &[]),
            Frame::Ping => (PING, 0, &[]),
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// If the connection is broken, or the frame is too long.
    pub async fn write(&self, to: &mut (impl AsyncWrite + Unpin)) -> Result<()> {
        let (kind, channel, body) = self.parts();
        let credit = if let Frame::Credit(_, bytes) = self { bytes.to_le_bytes() } else { [0; 8] };
        let body = if kind == CREDIT { &credit } else { body };
        if body.len() > LONGEST {
            return Err(Error::unsupported(format!("an element of {} bytes between processes", body.len())));
        }
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&(body.len() as u32).to_le_bytes());
        header[4] = kind;
        header[5..].copy_from_slice(&channel.to_le_bytes());
        to.write_all(&header).await.map_err(broken)?;
        to.write_all(body).await.map_err(broken)
    }

    /// Reads the next one; `None` at the end.
    ///
    /// # Errors
    /// If the connection breaks within a frame, or this is no frame.
    pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<Option<Self>> {
        let mut header = [0; HEADER];
        let first = from.read(&mut header).await.map_err(broken)?;
        if first == 0 {
            return Ok(None);
        }
        from.read_exact(&mut header[first..]).await.map_err(broken)?;
        let [a, b, c, d, kind, channel @ ..] = header;
        let (len, channel) = (u32::from_le_bytes([a, b, c, d]) as usize, u32::from_le_bytes(channel));
        let has_body = matches!(kind, OPEN | DATA | LZ4 | ZSTD | CREDIT);
        if len > LONGEST || (len > 0 && !has_body) {
            return Err(damaged());
        }
        // Grows with what comes, not with what is announced.
        let mut body = Vec::with_capacity(len.min(AT_ONCE));
        let read = from.take(len as u64).read_to_end(&mut body).await.map_err(broken)?;
        if read < len {
            return Err(broken(ErrorKind::UnexpectedEof.into()));
        }
        Ok(Some(match kind {
            OPEN => Frame::Open(channel, body),
            DATA => Frame::Data(channel, body),
            LZ4 => Frame::Compressed(channel, Compression::Lz4, body),
            ZSTD => Frame::Compressed(channel, Compression::Zstd, body),
            CLOSE => Frame::Close(channel),
            CREDIT => Frame::Credit(channel, u64::from_le_bytes(body.try_into().map_err(|_| damaged())?)),
            CLOSED => Frame::Closed(channel),
            PING => Frame::Ping,
            _ => return Err(damaged()),
        }))
    }
}

/// The body of [`Frame::Compressed`] again.
///
/// # Errors
/// If it is damaged.
pub(crate) fn decompress(compression: Compression, body: Vec<u8>) -> Result<Vec<u8>> {
    let Some((len, packed)) = body.split_first_chunk::<4>().filter(|_| compression != Compression::None)
    else {
        return if compression == Compression::None { Ok(body) } else { Err(damaged()) };
    };
    let len = u32::from_le_bytes(*len) as usize;
    if len > LONGEST {
        return Err(damaged());
    }
    let element = match compression {
        Compression::Zstd if len <= AT_ONCE => zstd::bulk::decompress(packed, len).map_err(|_| damaged())?,
        Compression::Zstd => {
            // Grows with what comes out, and stops at what is announced.
            let mut element = Vec::with_capacity(AT_ONCE);
            let unpacked = zstd::stream::read::Decoder::with_buffer(packed).map_err(|_| damaged())?;
            let mut unpacked = std::io::Read::take(unpacked, len as u64 + 1);
            std::io::Read::read_to_end(&mut unpacked, &mut element).map_err(|_| damaged())?;
            element
        }
        Compression::Lz4 | Compression::None if len > packed.len().saturating_mul(LZ4_RATIO) => {
            return Err(damaged());
        }
        Compression::Lz4 | Compression::None => {
            lz4_flex::block::decompress(packed, len).map_err(|_| damaged())?
        }
    };
    if element.len() == len { Ok(element) } else { Err(damaged()) }
}

fn broken(error: std::io::Error) -> Error {
    Error::external("the connection is broken").with_source(error)
}

fn damaged() -> Error {
    Error::external("what came over the connection is damaged")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::runtime::{Builder, Runtime};

    use super::*;

    fn runtime() -> Runtime {
        Builder::new_current_thread().build().unwrap()
    }

    /// Bytes that arrive in pieces of these lengths.
    struct Pieces<'a>(&'a [u8], Vec<usize>);

    impl AsyncRead for Pieces<'_> {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            into: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            let next = self.1.pop().unwrap_or(usize::MAX).clamp(1, into.remaining().max(1));
            let (now, later) = self.0.split_at(next.min(self.0.len()));
            into.put_slice(now);
            self.0 = later;
            std::task::Poll::Ready(Ok(()))
        }
    }

    fn all(bytes: &[u8], pieces: Vec<usize>) -> Result<Vec<Frame>> {
        runtime().block_on(async {
            let (mut from, mut frames) = (Pieces(bytes, pieces), Vec::new());
            while let Some(frame) = Frame::read(&mut from).await? {
                frames.push(frame);
            }
            Ok(frames)
        })
    }

    fn bytes_of(frames: &[Frame]) -> Vec<u8> {
        let mut bytes = Vec::new();
        runtime().block_on(async {
            for frame in frames {
                frame.write(&mut bytes).await.unwrap();
            }
        });
        bytes
    }

    fn frame() -> impl Strategy<Value = Frame> {
        let body = || proptest::collection::vec(any::<u8>(), 0..300);
        let repeated = (any::<u8>(), 0_usize..5_000).prop_map(|(byte, len)| vec![byte; len]);
        let compression = prop_oneof![Just(Compression::Lz4), Just(Compression::Zstd)];
        prop_oneof![
            (any::<u32>(), body()).prop_map(|(channel, key)| Frame::Open(channel, key)),
            (any::<u32>(), body()).prop_map(|(channel, body)| Frame::Data(channel, body)),
            (any::<u32>(), repeated, compression).prop_map(|(c, body, how)| Frame::data(c, body, how)),
            any::<u32>().prop_map(Frame::Close),
            (any::<u32>(), any::<u64>()).prop_map(|(channel, bytes)| Frame::Credit(channel, bytes)),
            any::<u32>().prop_map(Frame::Closed),
            Just(Frame::Ping),
        ]
    }

    proptest! {
        #[test]
        fn frames_come_back_as_they_were_however_they_arrive(
            frames in proptest::collection::vec(frame(), 0..20),
            pieces in proptest::collection::vec(1_usize..40, 0..400),
        ) {
            prop_assert_eq!(all(&bytes_of(&frames), pieces).unwrap(), frames);
        }

        #[test]
        fn what_is_cut_off_is_an_error_and_no_frame_less(
            frames in proptest::collection::vec(frame(), 1..10),
            cut in any::<proptest::sample::Index>(),
        ) {
            let whole = bytes_of(&frames);
            let cut = cut.index(whole.len());
            // At the end of a frame the rest was simply not sent.
            if let Ok(read) = all(&whole[..cut], Vec::new()) {
                prop_assert_eq!(bytes_of(&read).len(), cut);
                prop_assert_eq!(&frames[..read.len()], &read[..]);
            }
        }

        #[test]
        fn any_bytes_are_frames_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = all(&bytes, Vec::new());
            for compression in [Compression::Lz4, Compression::Zstd] {
                let mut body = 5_000_u32.to_le_bytes().to_vec();
                body.extend(&bytes);
                let _ = decompress(compression, body);
            }
        }

        #[test]
        fn damaged_frames_never_panic(
            frames in proptest::collection::vec(frame(), 1..6),
            damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let mut bytes = bytes_of(&frames);
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            for frame in all(&bytes, Vec::new()).unwrap_or_default() {
                if let Frame::Compressed(_, compression, body) = frame
                    && body.len() < 10_000
                    && body.first_chunk().is_some_and(|len| u32::from_le_bytes(*len) < 1 << 20)
                {
                    let _ = decompress(compression, body);
                }
            }
        }
    }

    #[test]
    fn long_elements_come_back_and_lengths_that_are_not_true_are_refused() {
        let element: Vec<u8> = (0..3_u32 << 20).map(|n| (n >> 12) as u8).collect();
        for compression in [Compression::Lz4, Compression::Zstd] {
            let Frame::Compressed(7, how, body) = Frame::data(7, element.clone(), compression) else {
                panic!("it is not compressed")
            };
            assert!(decompress(how, body.clone()).unwrap() == element);
            for len in [element.len() - 1, element.len() + 1, 2 << 20, LONGEST, 4, u32::MAX as usize] {
                let mut lie = body.clone();
                lie[..4].copy_from_slice(&(len as u32).to_le_bytes());
                assert!(decompress(how, lie).is_err(), "{how:?}: {len}");
            }
        }
    }

    #[test]
    fn compressed_elements_come_back_and_are_not_larger() {
        let element: Vec<u8> = b"the same words ".repeat(500);
        for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
            match Frame::data(7, element.clone(), compression) {
                Frame::Data(7, body) => assert_eq!((compression, body), (Compression::None, element.clone())),
                Frame::Compressed(7, how, body) => {
                    assert_eq!(how, compression);
                    assert!(body.len() * 10 < element.len());
                    assert_eq!(decompress(how, body).unwrap(), element);
                }
                other => panic!("{other:?}"),
            }
            let random =
                (0..200_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<_>>();
            assert_eq!(Frame::data(7, random.clone(), compression), Frame::Data(7, random), "not worth it");
        }
    }
}
