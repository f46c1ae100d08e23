//! PARSE_URL, URL_ENCODE, URL_DECODE, INET_ATON, INET_NTOA.

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::Int64Type;
use flott_expr::function::{Call, Function};
use flott_expr::value::Value;
use flott_types::{Result, TypeKind};

use crate::build::{primitives, strings};
use crate::check::{Family, infer};

const ONE: &[&[Family]] = &[&[Family::Character]];
const PARSE: &[&[Family]] =
    &[&[Family::Character, Family::Character], &[Family::Character, Family::Character, Family::Character]];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("PARSE_URL", infer!("PARSE_URL", PARSE, |_args| TypeKind::STRING.nullable()), parse_url),
    Function::new(
        "URL_ENCODE",
        infer!(with_null "URL_ENCODE", ONE, |_args| TypeKind::STRING.nullable()),
        |args, call| each(args, call, url_encode),
    ),
    Function::new(
        "URL_DECODE",
        infer!(with_null "URL_DECODE", ONE, |_args| TypeKind::STRING.nullable()),
        |args, call| each(args, call, url_decode),
    ),
    Function::new(
        "INET_ATON",
        infer!(with_null "INET_ATON", ONE, |_args| TypeKind::BigInt.nullable()),
        |args, call| {
            let text = args[0].view::<StringArray>()?;
            Ok(primitives::<Int64Type>(call.rows, |row| inet_aton(text.get(row)?)))
        },
    ),
    Function::new(
        "INET_NTOA",
        infer!(with_null "INET_NTOA", &[&[Family::Integer]], |_args| TypeKind::STRING.nullable()),
        |args, call| {
            let address = args[0].view::<Int64Array>()?;
            strings(call, |row, out| {
                let address = u32::try_from(address.get(row)?).ok()?;
                out.push_str(&std::net::Ipv4Addr::from(address).to_string());
                Some(())
            })
        },
    ),
];

fn each(args: &[Value], call: &Call<'_>, change: fn(&str, &mut String) -> Option<()>) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    strings(call, |row, out| change(text.get(row)?, out))
}

fn url_encode(text: &str, out: &mut String) -> Option<()> {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                out.push('%');
                out.push(char::from(DIGITS[usize::from(byte >> 4)]));
                out.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
        }
    }
    Some(())
}

/// NULL for a `%` that is not followed by two hexadecimal digits.
fn url_decode(text: &str, out: &mut String) -> Option<()> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                bytes.push((high * 16 + low) as u8);
            }
            _ => bytes.push(byte),
        }
    }
    out.push_str(&String::from_utf8_lossy(&bytes));
    Some(())
}

/// Up to four decimal parts; the last one fills the remaining bytes: `127.1` is 127.0.0.1, `5` is 0.0.0.5.
fn inet_aton(text: &str) -> Option<i64> {
    let mut parts = [0_i64; 4];
    let mut count = 0;
    for part in text.split('.') {
        if part.is_empty() || count == 4 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = part.trim_start_matches('0');
        let value: i64 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        if value > i64::from(u32::MAX) {
            return None;
        }
        parts[count] = value;
        count += 1;
    }
    let last = count - 1;
    let mut address = 0;
    for (position, part) in parts[..count].iter().enumerate() {
        if *part > 255 {
            return None;
        }
        let shift = if position == last { 0 } else { 24 - 8 * position };
        address |= part << shift;
    }
    Some(address)
}

fn parse_url(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (url, part) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    let key = args.get(2).map(Value::view::<StringArray>).transpose()?;
    strings(call, |row, out| {
        let (url, part) = (url.get(row)?, part.get(row)?);
        let Some(key) = &key else {
            return Url::parse(url)?.part(part, out);
        };
        let key = key.get(row)?;
        let query = if part == "QUERY" {
            Url::parse(url)?.query?
        } else {
            return None;
        };
        let value = query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))?;
        out.push_str(value);
        Some(())
    })
}

/// The parts of a URL, split as `java.net.URL` does.
struct Url<'a> {
    protocol: String,
    authority: Option<&'a str>,
    user_info: Option<&'a str>,
    host: &'a str,
    path: String,
    query: Option<&'a str>,
    reference: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// `None` for text that is not a URL, and for a protocol that Java does not know.
    fn parse(text: &'a str) -> Option<Url<'a>> {
        let text = text.trim_matches(|c: char| c <= ' ');
        let text = match text.get(..4) {
            Some(start) if start.eq_ignore_ascii_case("url:") => &text[4..],
            _ => text,
        };
        let (protocol, rest) = text.split_once(':')?;
        let protocol = protocol.to_ascii_lowercase();
        if !matches!(protocol.as_str(), "http" | "https" | "ftp" | "file" | "jar" | "mailto" | "jrt" | "jmod")
        {
            return None;
        }
        let (rest, reference) = match rest.split_once('#') {
            Some((rest, reference)) => (rest, Some(reference)),
            None => (rest, None),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(&rest[..end]), &rest[end..])
            }
            None => (None, rest),
        };
        let (user_info, host) = match authority.unwrap_or("").split_once('@') {
            Some((_, rest)) if rest.contains('@') => (None, ""),
            Some((user, host)) => (Some(user), host),
            None => (None, authority.unwrap_or("")),
        };
        let host = host_without_port(host)?;
        let path = if authority.is_some_and(|authority| !authority.is_empty())
            && !path.is_empty()
            && !path.starts_with('/')
        {
            format!("/{path}")
        } else {
            path.to_owned()
        };
        Some(Url { protocol, authority, user_info, host, path, query, reference })
    }

    fn part(&self, name: &str, out: &mut String) -> Option<()> {
        match name {
            "HOST" => out.push_str(self.host),
            "PATH" => out.push_str(&self.path),
            "QUERY" => out.push_str(self.query?),
            "REF" => out.push_str(self.reference?),
            "PROTOCOL" => out.push_str(&self.protocol),
            "FILE" => {
                out.push_str(&self.path);
                if let Some(query) = self.query {
                    out.push('?');
                    out.push_str(query);
                }
            }
            "AUTHORITY" => out.push_str(self.authority?),
            "USERINFO" => out.push_str(self.user_info?),
            _ => return None,
        }
        Some(())
    }
}

fn host_without_port(host: &str) -> Option<&str> {
    let (host, port) = if host.starts_with('[') {
        let end = host.find(']')? + 1;
        host[1..end - 1].parse::<std::net::Ipv6Addr>().ok()?;
        (&host[..end], host[end..].strip_prefix(':').or_else(|| host[end..].is_empty().then_some(""))?)
    } else {
        host.split_once(':').unwrap_or((host, ""))
    };
    let port: i32 = if port.is_empty() { -1 } else { port.parse().ok()? };
    (port >= -1).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(url: &str, name: &str) -> Option<String> {
        let mut out = String::new();
        Url::parse(url)?.part(name, &mut out)?;
        Some(out)
    }

    #[test]
    fn parts_of_urls() {
        let url = "http://user:pw@host.org:8080/path/p.php?k1=v1&k2=#Ref1";
        let cases = [
            ("HOST", "host.org"),
            ("PATH", "/path/p.php"),
            ("QUERY", "k1=v1&k2="),
            ("REF", "Ref1"),
            ("PROTOCOL", "http"),
            ("FILE", "/path/p.php?k1=v1&k2="),
            ("AUTHORITY", "user:pw@host.org:8080"),
            ("USERINFO", "user:pw"),
        ];
        for (name, expected) in cases {
            assert_eq!(part(url, name).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(part("http://[::1]/x?y", "HOST").as_deref(), Some("[::1]"));
        assert_eq!(part("mailto:a@b.c", "PATH").as_deref(), Some("a@b.c"));
        assert_eq!(part("http://h/a/../b", "PATH").as_deref(), Some("/a/../b"));
        assert_eq!(part("not a url", "HOST"), None);
        assert_eq!(part("http://a.b", "QUERY"), None);
        assert_eq!(part(url, "host"), None);
    }

    #[test]
    fn addresses() {
        let cases = [
            ("127.0.0.1", Some(2130706433)),
            ("127.1", Some(2130706433)),
            ("1.2.3", Some(16908291)),
            ("255.255.255.255", Some(4294967295)),
            ("256.0.0.1", None),
            ("a.b", None),
            ("", None),
            ("010.001.000.01", Some(167837697)),
            ("5", Some(5)),
            ("1.2.3.4.5", None),
        ];
        for (text, address) in cases {
            assert_eq!(inet_aton(text), address, "{text}");
        }
    }
}
