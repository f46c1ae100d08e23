//! The built files of the dashboard, as data within the binary.
//!
//! The front itself is in `dashboard/` at the root of the repository; `make dashboard` builds it with node into
//! `dashboard/dist/files`, which is not committed. The build script takes what is there at the time of the
//! build. Without node there is nothing, and [`is_built`] says so: the binary then serves its REST interface
//! only.
//!
//! A crate of its own, so that new files compile nothing but this. No library: a folder that is listed at
//! build time and kept as bytes needs none.

/// A file of the dashboard.
#[derive(Debug)]
pub struct File {
    /// As a browser asks for it: `/index.html`.
    pub path: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
}

/// All of them, sorted by path.
pub const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The page that loads the others.
pub const INDEX: &str = "/index.html";

/// Whether this binary has the dashboard.
pub fn is_built() -> bool {
    find(INDEX).is_some()
}

/// The file of this path.
pub fn find(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

impl File {
    /// Its MIME type, by the ending of its name.
    pub fn content_type(&self) -> &'static str {
        match self.path.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("json") => "application/json",
            Some("woff2") => "font/woff2",
            _ => "application/octet-stream",
        }
    }

    /// Whether its name has a hash of what is in it: then it never changes.
    pub fn is_immutable(&self) -> bool {
        self.path.starts_with("/assets/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_lifetimes_follow_from_names() {
        let script = File { path: "/assets/index-Bx3.js", bytes: b"" };
        assert_eq!(script.content_type(), "text/javascript; charset=utf-8");
        assert!(script.is_immutable());
        let page = File { path: "/index.html", bytes: b"" };
        assert_eq!(page.content_type(), "text/html; charset=utf-8");
        assert!(!page.is_immutable());
    }

    #[test]
    fn the_page_is_there_with_all_that_it_names() {
        let Some(page) = find(INDEX) else { return assert!(!is_built() && FILES.is_empty()) };
        let text = std::str::from_utf8(page.bytes).unwrap();
        let named: Vec<_> =
            text.split(['"', '\'']).filter(|part| part.starts_with("./") || part.starts_with('/')).collect();
        assert!(!named.is_empty(), "{text}");
        for name in named {
            assert!(find(name.trim_start_matches('.')).is_some(), "{name}");
        }
    }
}
