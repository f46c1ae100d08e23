//! Options whose values are secret.

/// What stands for a value that is not shown.
pub const HIDDEN: &str = "******";

/// Parts of keys whose values are secret, as in Flink.
const SECRETS: [&str; 11] = [
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
    }
}
