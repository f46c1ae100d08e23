//! Some of Flink's functions count Java's chars, the units of UTF-16, and may split a character in two. Java
//! writes half a character as `?`.

/// Appends Java chars, and `?` for half a character.
pub(crate) fn push(out: &mut String, units: impl IntoIterator<Item = u16>) {
    out.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or('?')));
}

/// How many Java chars a string has.
pub(crate) fn len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}
