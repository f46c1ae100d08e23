//! Options whose values are secret.

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

/// Keys that have such a part and no secret.
const OPEN: [&str; 1] = ["max-tokens"];

/// The value of an option as it may be shown.
pub fn shown<'a>(key: &str, value: &'a str) -> &'a str {
    let key = key.to_ascii_lowercase();
    match SECRETS.iter().any(|part| key.contains(part)) && !OPEN.contains(&key.as_str()) {
        true => HIDDEN,
        false => value,
    }
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
        let options = ["password", "topic"].map(|key| (key.to_owned(), "x".to_owned())).into();
        assert_eq!(format!("{:?}", Shown(&options)), r#"{"password": "******", "topic": "x"}"#);
    }
}
