//! The tables that text is copied from. Built once per process; they depend on nothing.

use std::sync::LazyLock;

use crate::random::{GOLDEN, Stream, below, hi, lo};

/// The offsets at which a slice can start.
pub(crate) const POOL: usize = 65_536;
/// No slice of letters is longer: a fifth above the largest average size.
pub(crate) const LONGEST_EXTRA: usize = POOL + POOL / 5;
/// No slice of text is longer.
const LONGEST_TEXT: usize = 100;
/// Channels that are not hot.
pub(crate) const CHANNELS: u64 = 10_000;

const HOT_CHANNELS: [&str; 4] = ["Google", "Facebook", "Baidu", "Apple"];

/// Concatenated strings.
pub(crate) struct Strings {
    bytes: Vec<u8>,
    offsets: Vec<u32>,
}

impl Strings {
    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> &[u8] {
        &self.bytes[self.offsets[index] as usize..self.offsets[index + 1] as usize]
    }
}

impl<S: AsRef<[u8]>> FromIterator<S> for Strings {
    fn from_iter<I: IntoIterator<Item = S>>(strings: I) -> Self {
        let (mut bytes, mut offsets) = (Vec::new(), vec![0]);
        for string in strings {
            bytes.extend_from_slice(string.as_ref());
            offsets.push(bytes.len() as u32);
        }
        Strings { bytes, offsets }
    }
}

pub(crate) struct Tables {
    /// Letters; the beginning is repeated at the end, so that every slice is contiguous.
    pub(crate) letters: Vec<u8>,
    /// Letters and spaces, in the same way.
    pub(crate) text: Vec<u8>,
    /// The hot ones come last.
    pub(crate) channels: Strings,
    /// The URL of each channel.
    pub(crate) urls: Strings,
    /// `100 * 10^(6 i / 1024)`
    pub(crate) power: [f64; 1024],
}

pub(crate) fn tables() -> &'static Tables {
    static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);
    &TABLES
}

impl Tables {
    fn new() -> Self {
        let pool = |table: u64, longest: usize, byte: fn(u64) -> u8| -> Vec<u8> {
            let stream = Stream::of_table(table);
            let once: Vec<u8> = (0..POOL as u64).map(|index| byte(stream.draw(index))).collect();
            once.iter().copied().cycle().take(POOL + longest).collect()
        };
        let letters = pool(1, LONGEST_EXTRA, |random| b'a' + below(hi(random), 26) as u8);
        let text = pool(2, LONGEST_TEXT, |random| match below(hi(random), 13) {
            0 => b' ',
            _ => b'a' + below(lo(random), 26) as u8,
        });
        let channels = (0..CHANNELS).map(|index| format!("channel-{index}"));
        let channels = channels.chain(HOT_CHANNELS.map(str::to_owned)).collect();
        let urls = (0..CHANNELS + HOT_CHANNELS.len() as u64).map(|index| url(index, &text)).collect();
        Tables { letters, text, channels, urls, power: power() }
    }
}

fn url(index: u64, text: &[u8]) -> Vec<u8> {
    let stream = Stream::of_table(3);
    let mut url = b"https://www.nexmark.com/".to_vec();
    for part in 0..3 {
        let random = stream.draw(4 * index + part);
        let start = lo(random) as usize % POOL;
        let directory = &text[start..start + 3 + below(hi(random), 2) as usize];
        url.extend(directory.iter().map(|byte| if *byte == b' ' { b'_' } else { *byte }));
        url.push(b'/');
    }
    url.extend_from_slice(b"item.htm?query=1");
    if index < CHANNELS && below(hi(stream.draw(4 * index + 3)), 10) > 0 {
        let id = (index as u32).reverse_bits() as i32;
        url.extend_from_slice(format!("&channel_id={}", id.unsigned_abs()).as_bytes());
    }
    url
}

/// Uses only square roots and products, which every machine rounds alike.
fn power() -> [f64; 1024] {
    let mut power = [100.0; 1024];
    let mut root = 1_000_000f64;
    for bit in (0..10).rev() {
        root = root.sqrt();
        for (index, value) in power.iter_mut().enumerate() {
            if index >> bit & 1 == 1 {
                *value *= root;
            }
        }
    }
    power
}

const _: () = assert!(GOLDEN % 2 == 1, "an even step would not reach all numbers");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_look_as_specified() {
        let tables = tables();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(text(tables.channels.get(42)), "channel-42");
        assert_eq!(text(tables.channels.get(10_003)), "Apple");
        let with_id =
            |index| text(tables.urls.get(index)).split_once("&channel_id=").map(|(_, id)| id.to_owned());
        let ids = (0..10_000).filter(|index| with_id(*index).is_some()).count();
        assert!((8_900..9_100).contains(&ids), "{ids}");
        assert!((10_000..10_004).all(|index| with_id(index).is_none()));
        let one = with_id(1).or(with_id(2)).unwrap();
        assert!(one == "2147483648" || one == "1073741824", "{one}");
        assert!(text(tables.urls.get(7)).starts_with("https://www.nexmark.com/"));
        let spaces = tables.text[..POOL].iter().filter(|byte| **byte == b' ').count();
        assert!((POOL / 14..POOL / 12).contains(&spaces), "{spaces}");
    }
}
