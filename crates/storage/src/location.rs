//! What a path or URL means.

use std::path::PathBuf;

use flott_types::{Error, Result};

/// The local path that a path or URL stands for: `/a`, `a`, `file:/a`, `file:///a` and `file://localhost/a`.
///
/// # Errors
/// [`flott_types::ErrorKind::Unsupported`] for other schemes, [`flott_types::ErrorKind::Invalid`] if it is
/// empty.
pub fn local_path(text: &str) -> Result<PathBuf> {
    let path = match text.split_once(':') {
        Some(("file", rest)) => match rest.strip_prefix("//") {
            None => rest,
            Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        },
        Some((scheme, rest))
            if rest.starts_with("//") && scheme.chars().all(|c| c.is_ascii_alphanumeric()) =>
        {
            return Err(Error::unsupported(format!(
                "'{text}': storage on '{scheme}' is not built yet; use a local path or 'file:///...'"
            )));
        }
        _ => text,
    };
    if path.is_empty() {
        return Err(Error::invalid(format!("the path '{text}' is empty")));
    }
    Ok(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_path_has_several_forms() {
        for text in ["/a/b", "file:/a/b", "file:///a/b", "file://localhost/a/b"] {
            assert_eq!(local_path(text).unwrap(), PathBuf::from("/a/b"), "{text}");
        }
        assert_eq!(local_path("a:b/c").unwrap(), PathBuf::from("a:b/c"));
    }

    #[test]
    fn other_places_are_refused_by_name() {
        let refused = |text: &str| local_path(text).unwrap_err().to_string();
        assert!(refused("s3://bucket/a").contains("'s3://bucket/a': storage on 's3' is not built yet"));
        assert!(refused("").contains("is empty"));
        assert!(refused("file://").contains("the path 'file://' is empty"));
    }
}
