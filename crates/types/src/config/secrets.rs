//! Options whose values are secret.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// What stands for a value that is not shown.
pub const HIDDEN: &str = "******";

/// Parts of keys whose values are secret: Flink's, and some of ours.
const SECRETS: [&str; 12] = [
    "password",
    "secret",
    "fs.azure.account.key",
    "apikey",
    "api-key",
    "auth-params",
    "service-key",
    "token",
    "basic-auth",
    "jaas.config",
    "http-headers",
    // Of Kafka: a private key in PEM.
    "keystore.key",
];

/// Ends of keys that have such a part and no secret.
const OPEN: [&str; 2] = ["max-tokens", "credentials-source"];

/// Whether an option is a matter of processes only: what they are, how they reach object stores, and who they are
/// to each other. Such options do not travel with jobs.
pub fn is_of_processes(key: &str) -> bool {
    ["program.", "s3.", "fs.azure.", "security.ssl."].iter().any(|prefix| key.starts_with(prefix))
}

/// The value of an option as it may be shown: also without the names and passwords in addresses.
pub fn shown<'a>(key: &str, value: &'a str) -> Cow<'a, str> {
    let key = key.to_ascii_lowercase();
    match SECRETS.iter().any(|part| key.contains(part)) && !OPEN.iter().any(|end| key.ends_with(end)) {
        true => HIDDEN.into(),
        false => without_users(value),
    }
}

/// Schemes in whose URLs a container stands before `@`, as Azure's have it.
const CONTAINERS: [&str; 4] = ["abfs", "abfss", "wasb", "wasbs"];

/// A text in which `://name:password@host` is `://******@host`.
fn without_users(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut pieces = text.split("://");
    let mut before = pieces.next().unwrap_or_default();
    shown.push_str(before);
    let mut is_other = false;
    for piece in pieces {
        let scheme = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let has_container = CONTAINERS.contains(&scheme);
        before = piece;
        shown.push_str("://");
        let ends = |end: char| matches!(end, '/' | '?' | '#' | ',' | ';') || end.is_whitespace();
        let (place, rest) = piece.split_at(piece.find(ends).unwrap_or(piece.len()));
        match place.rsplit_once('@') {
            Some((container, _)) if has_container && !container.contains(':') => shown.push_str(place),
            Some((_, host)) => {
                is_other = true;
                shown.extend([HIDDEN, "@", host]);
            }
            None => shown.push_str(place),
        }
        shown.push_str(rest);
    }
    if is_other { shown.into() } else { text.into() }
}

/// Options as they may be logged: the value of each as [`shown`].
pub struct Shown<'a>(pub &'a BTreeMap<String, String>);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(key, value)| (key, shown(key, value)))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden() {
        for key in ["api-key", "API-KEY", "s3.secret-key", "password", "auth-token"] {
            assert_eq!(shown(key, "x"), HIDDEN, "{key}");
        }
        for key in ["model", "endpoint", "max-tokens", "key"] {
            assert_eq!(shown(key, "x"), "x", "{key}");
        }
        assert_eq!(shown("avro-confluent.basic-auth.credentials-source", "URL"), "URL");
        for (text, expected) in [
            ("http://me:p@ss@a:80/x@y, https://b/z", "http://******@a:80/x@y, https://b/z"),
            ("https://a/b,https://token@c?d", "https://a/b,https://******@c?d"),
            ("me@example.org", "me@example.org"),
            (
                "abfss://c@a.dfs.core.windows.net/b, https://me@h",
                "abfss://c@a.dfs.core.windows.net/b, https://******@h",
            ),
            ("abfss://c:x@a.dfs.core.windows.net", "abfss://******@a.dfs.core.windows.net"),
        ] {
            assert_eq!(shown("url", text), expected);
        }
        let options = ["password", "topic"].map(|key| (key.to_owned(), "x".to_owned())).into();
        assert_eq!(format!("{:?}", Shown(&options)), r#"{"password": "******", "topic": "x"}"#);
    }
}
