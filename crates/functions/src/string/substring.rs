//! SUBSTRING, SUBSTR, LEFT, RIGHT, REPLACE, TRANSLATE.

use arrow::array::{ArrayRef, Int64Array, StringArray};
use flott_expr::function::{Call, Function};
use flott_expr::value::Value;
use flott_types::{FastMap, Result, TypeKind};

use super::needle::Needle;
use crate::build::{slices, strings, written};
use crate::check::{Family, infer, nullable_if, varying};
use crate::utf16;

const SUBSTRING: &[&[Family]] =
    &[&[Family::Character, Family::Integer], &[Family::Character, Family::Integer, Family::Integer]];
const END: &[&[Family]] = &[&[Family::Character, Family::Integer]];
const THREE: &[&[Family]] = &[&[Family::Character, Family::Character, Family::Character]];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "SUBSTRING",
        infer!("SUBSTRING", SUBSTRING, |args| varying(args[0].ty).nullable()),
        substring,
    ),
    Function::new("SUBSTR", infer!("SUBSTR", SUBSTRING, |args| varying(args[0].ty).nullable()), substring),
    Function::new("LEFT", infer!("LEFT", END, |args| varying(args[0].ty).nullable()), |args, call| {
        end(args, call, |text, count| part(text, 1, count))
    }),
    Function::new("RIGHT", infer!("RIGHT", END, |args| varying(args[0].ty).nullable()), |args, call| {
        end(args, call, |text, count| {
            let chars = text.chars().count() as i64;
            if count >= chars { Some(text) } else { part(text, -count, i64::MAX) }
        })
    }),
    Function::new("REPLACE", infer!("REPLACE", THREE, |args| nullable_if(TypeKind::STRING, args)), replace),
    Function::new(
        "TRANSLATE",
        infer!(with_null "TRANSLATE", THREE, |args| TypeKind::STRING.with_nullable(args[0].ty.nullable)),
        translate,
    ),
];

/// The part that starts at a position, counting from 1, or from the end if negative; 0 means the first
/// character too. A start before the text gives an empty string; `None` for a negative length.
fn part(text: &str, position: i64, length: i64) -> Option<&str> {
    if length < 0 {
        return None;
    }
    let skipped = match position {
        0 => 0,
        1.. => position - 1,
        _ => {
            let skipped = (text.chars().count() as i64).saturating_add(position);
            if skipped < 0 {
                return Some("");
            }
            skipped
        }
    };
    if text.is_ascii() {
        let start = (skipped.min(text.len() as i64)) as usize;
        let end = skipped.saturating_add(length).min(text.len() as i64) as usize;
        return text.get(start..end.max(start));
    }
    let mut starts = text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len()));
    let Some(start) = starts.nth(usize::try_from(skipped).unwrap_or(usize::MAX)) else {
        return Some("");
    };
    let end = match usize::try_from(length).ok().and_then(|length| length.checked_sub(1)) {
        None => start,
        Some(more) => starts.nth(more).unwrap_or(text.len()),
    };
    text.get(start..end)
}

fn substring(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (text, position) = (args[0].view::<StringArray>()?, args[1].view::<Int64Array>()?);
    let length = args.get(2).map(Value::view::<Int64Array>).transpose()?;
    slices(call, |row| {
        let length = match &length {
            Some(length) => length.get(row)?,
            None => i64::MAX,
        };
        part(text.get(row)?, position.get(row)?, length)
    })
}

fn end(args: &[Value], call: &Call<'_>, cut: impl Fn(&str, i64) -> Option<&str>) -> Result<ArrayRef> {
    let (text, count) = (args[0].view::<StringArray>()?, args[1].view::<Int64Array>()?);
    slices(call, |row| {
        let (text, count) = (text.get(row)?, count.get(row)?);
        if count <= 0 { Some("") } else { cut(text, count) }
    })
}

fn replace(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (text, old) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    let new = args[2].view::<StringArray>()?;
    if let (Some(Some(old)), Some(Some(new))) =
        (old.constant().filter(|old| *old != Some("")), new.constant())
    {
        let needle = Needle::new(old);
        let offsets = text.held().value_offsets();
        let bytes = (offsets[offsets.len() - 1] - offsets[0]) as usize;
        return written(call, bytes, |row, out| {
            replace_all(text.get(row)?, &needle, new, |part| out.push_str(part));
            Some(())
        });
    }
    strings(call, |row, out| {
        let (text, old, new) = (text.get(row)?, old.get(row)?, new.get(row)?);
        if old.is_empty() {
            replace_nothing(text, new, out);
            return Some(());
        }
        replace_all(text, &Needle::new(old), new, |part| out.push_str(part));
        Some(())
    })
}

/// Calls `write` with the parts of the text and the new separators between them.
fn replace_all<'a>(text: &'a str, old: &Needle<'_>, new: &'a str, mut write: impl FnMut(&'a str)) {
    let mut rest = text;
    while let Some(at) = old.find(rest) {
        write(&rest[..at]);
        write(new);
        rest = &rest[at + old.len()..];
    }
    write(rest);
}

/// Java finds the empty string before and after every char.
fn replace_nothing(text: &str, new: &str, out: &mut String) {
    let new: Vec<u16> = new.encode_utf16().collect();
    let between = text.encode_utf16().flat_map(|unit| std::iter::once(unit).chain(new.iter().copied()));
    utf16::push(out, new.iter().copied().chain(between));
}

/// Each character of `from` becomes the one at the same position in `to`, or is dropped if `to` is shorter.
/// NULL only if the text is.
fn translate(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    let (from, to) = (args[1].view::<StringArray>()?, args[2].view::<StringArray>()?);
    let constant = args[1].is_constant() && args[2].is_constant();
    let mut table: FastMap<char, Option<char>> = FastMap::default();
    if constant {
        fill(&mut table, from.get(0), to.get(0));
    }
    strings(call, |row, out| {
        let text = text.get(row)?;
        if !constant {
            table.clear();
            fill(&mut table, from.get(row), to.get(row));
        }
        out.extend(text.chars().filter_map(|c| table.get(&c).copied().unwrap_or(Some(c))));
        Some(())
    })
}

fn fill(table: &mut FastMap<char, Option<char>>, from: Option<&str>, to: Option<&str>) {
    let mut to = to.unwrap_or("").chars();
    for c in from.unwrap_or("").chars() {
        let new = to.next();
        table.entry(c).or_insert(new);
    }
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn parts() {
        let cases = [
            ("Hello World", 2, i64::MAX, "ello World"),
            ("Hello World", -3, 2, "rl"),
            ("Hello World", 0, 2, "He"),
            ("x", -3, 2, ""),
            ("x", 2, i64::MAX, ""),
            ("日本語テキスト", -3, i64::MAX, "キスト"),
            ("a😀b😀c", 2, 3, "😀b😀"),
            ("a😀b😀c", 1, 0, ""),
            ("abc", 3, i64::MAX, "c"),
        ];
        for (text, position, length, expected) in cases {
            assert_eq!(part(text, position, length), Some(expected), "{text} {position} {length}");
        }
        assert_eq!(part("abc", 1, -1), None);
    }
}
