//! The input of both sides. All of it is a function of a number, so any part can be generated anywhere.

/// Words in the vocabulary.
pub const VOCABULARY: u64 = 10_000;
/// Words of a line.
pub const WORDS_PER_LINE: u64 = 10;

/// A number that looks like chance (splitmix64).
#[inline]
pub fn mix(number: u64) -> u64 {
    let mut x = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A word of the vocabulary: three to ten letters.
fn push_word(word: u64, line: &mut String) {
    let mut letters = mix(word ^ 0xabcd);
    // The first three letters are the word's number, so that no two words are alike.
    let mut rest = word;
    for _ in 0..3 {
        line.push((b'a' + (rest % 26) as u8) as char);
        rest /= 26;
    }
    for _ in 0..letters % 8 {
        letters = mix(letters);
        line.push((b'a' + (letters % 26) as u8) as char);
    }
}

/// A line of words.
pub fn line(number: i64) -> String {
    let mut line = String::with_capacity(80);
    for at in 0..WORDS_PER_LINE {
        if at > 0 {
            line.push(' ');
        }
        push_word(mix(number as u64 * WORDS_PER_LINE + at) % VOCABULARY, &mut line);
    }
    line
}

/// The key of a record. The first `keys` records have each a key of their own.
#[inline]
pub fn key(number: u64, keys: u64, hot: u64) -> u64 {
    match number {
        first if first < keys => first,
        _ if hot == 0 => mix(number) % keys,
        _ => mix(number) % hot,
    }
}

/// What is added up so that both sides can be compared, in whatever order.
#[inline]
pub fn check(key: u64, value: u64) -> u64 {
    mix(key ^ value.rotate_left(32))
}

/// The milliseconds of a window.
pub const WINDOW: i64 = 1_000;

/// When a record happened: a thousand of them in each millisecond.
#[inline]
pub fn time(number: u64) -> i64 {
    (number / 1_000) as i64
}

/// The key of a record that is counted in a window.
#[inline]
pub fn windowed_key(number: u64, keys: u64) -> u64 {
    mix(number) % keys
}
