//! What a path or URL means.

use std::fmt;
use std::path::PathBuf;

use flott_types::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::service::Service;

/// Where a file or folder is: on a local disk, or in an object store. Its text, and how it is serialised, is
/// a path or a URL.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Location {
    /// A local path.
    Local(PathBuf),
    /// An object, or a prefix of the names of objects.
    Object(ObjectLocation),
}

/// `s3://bucket/key`, and what other services have instead.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ObjectLocation {
    /// `s3://bucket`, `gs://bucket`, `abfss://container@account.dfs.core.windows.net`, `https://host`.
    pub(crate) store: String,
    /// Within the store, without slashes around it.
    pub(crate) key: String,
}

impl ObjectLocation {
    /// The key as the client takes it.
    pub(crate) fn path(&self) -> Result<object_store::path::Path> {
        let path = match self.service() {
            // As in a URL, `%20` is a space.
            Some(Service::Http) if self.key.to_ascii_lowercase().contains("%2f") => {
                return Err(Error::unsupported(format!(
                    "'{}/{}': a slash within a name ('%2F') would be read as one between names",
                    self.store, self.key
                )));
            }
            Some(Service::Http) => object_store::path::Path::from_url_path(&self.key),
            _ => object_store::path::Path::parse(&self.key),
        };
        path.map_err(|error| {
            Error::invalid(format!("'{}/{}' cannot be the name of an object", self.store, self.key))
                .with_source(error)
        })
    }

    /// Whether it can be asked what is below it.
    pub(crate) fn has_folders(&self) -> bool {
        self.service() != Some(Service::Http)
    }

    fn service(&self) -> Option<Service> {
        Service::of_store(&self.store)
    }
}

impl Location {
    /// From a path or URL: `/a`, `a`, `file:/a`, `file:///a`, `file://localhost/a`, `s3://bucket/a`,
    /// `gs://bucket/a`, `abfss://container@account.dfs.core.windows.net/a`, `https://host/a`.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Unsupported`] for other schemes, [`flott_types::ErrorKind::Invalid`] if it is
    /// empty, or names no bucket.
    pub fn parse(text: &str) -> Result<Self> {
        let path = match text.split_once(':') {
            Some(("file", rest)) => match rest.strip_prefix("//") {
                None => rest,
                Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
            },
            Some((scheme, rest))
                if rest.starts_with("//") && scheme.chars().all(|c| c.is_ascii_alphanumeric()) =>
            {
                return object(text, scheme, rest.trim_start_matches('/'));
            }
            _ => text,
        };
        if path.is_empty() {
            return Err(Error::invalid(format!("the path '{text}' is empty")));
        }
        Ok(Location::Local(PathBuf::from(path)))
    }

    /// What is below it, at a relative path.
    #[must_use]
    pub fn join(&self, below: &str) -> Self {
        match self {
            Location::Local(path) if below.is_empty() => Location::Local(path.clone()),
            Location::Local(path) => Location::Local(path.join(below)),
            Location::Object(ObjectLocation { store, key }) => {
                Location::Object(ObjectLocation { store: store.clone(), key: joined(&[key.as_str(), below]) })
            }
        }
    }

    /// The folder that it is in; none above the root.
    pub fn parent(&self) -> Option<Self> {
        match self {
            Location::Local(path) => path.parent().map(|path| Location::Local(path.to_owned())),
            Location::Object(ObjectLocation { store, key }) => {
                if key.is_empty() {
                    return None;
                }
                let key = key.rsplit_once('/').map_or("", |(above, _)| above).to_owned();
                Some(Location::Object(ObjectLocation { store: store.clone(), key }))
            }
        }
    }

    /// The last part.
    pub fn name(&self) -> Option<&str> {
        match self {
            Location::Local(path) => path.file_name()?.to_str(),
            Location::Object(object) => object.key.rsplit('/').next().filter(|name| !name.is_empty()),
        }
    }

    /// As text, from which it can be read again.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Unsupported`] if it is a local path that is not UTF-8.
    pub fn to_text(&self) -> Result<String> {
        match self {
            Location::Local(path) => path
                .to_str()
                .map(str::to_owned)
                .ok_or_else(|| Error::unsupported(format!("the path {} is not UTF-8", path.display()))),
            Location::Object(_) => Ok(self.to_string()),
        }
    }

    /// Whether it is in an object store.
    pub fn is_object(&self) -> bool {
        matches!(self, Location::Object(_))
    }

    /// Refuses what can only be read.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Unsupported`] if it is behind HTTP.
    pub fn check_writable(&self) -> Result<()> {
        match self {
            Location::Object(object) if !object.service().is_none_or(Service::is_writable) => {
                Err(Error::unsupported(format!("'{self}': what is behind HTTP can only be read")))
            }
            Location::Local(_) | Location::Object(_) => Ok(()),
        }
    }

    /// The local path, where only that will do.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Unsupported`], with `what` needs it, if it is in an object store.
    pub fn local(&self, what: &str) -> Result<&std::path::Path> {
        match self {
            Location::Local(path) => Ok(path),
            Location::Object(_) => {
                Err(Error::unsupported(format!("'{self}': {what} needs a local path or 'file:///...'")))
            }
        }
    }
}

fn object(text: &str, scheme: &str, rest: &str) -> Result<Location> {
    let Some(service) = Service::of(scheme) else {
        return Err(Error::unsupported(format!(
            "'{text}': storage on '{scheme}' is not built; use a local path, 'file:///...', 's3://BUCKET/...', \
             'gs://BUCKET/...', 'abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/...', or for reading 'https://HOST/...'"
        )));
    };
    // One name for one object, and that as it is written: `%` and spaces are part of the key.
    let (store, key) = service.split(text, scheme, rest)?;
    Ok(Location::Object(ObjectLocation { store, key: joined(&[key.as_str()]) }))
}

/// Without empty parts.
fn joined(paths: &[&str]) -> String {
    let parts = paths.iter().flat_map(|path| path.split('/')).filter(|part| !part.is_empty());
    parts.collect::<Vec<&str>>().join("/")
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Local(path) => path.display().fmt(f),
            Location::Object(ObjectLocation { store, key }) if key.is_empty() => f.write_str(store),
            Location::Object(ObjectLocation { store, key }) => write!(f, "{store}/{key}"),
        }
    }
}

impl From<Location> for String {
    fn from(location: Location) -> String {
        location.to_string()
    }
}

impl TryFrom<String> for Location {
    type Error = Error;

    /// From what was serialised: a local path stands for itself.
    fn try_from(text: String) -> Result<Self> {
        match text.split_once("://") {
            Some((scheme, rest)) if Service::of(scheme).is_some() => object(&text, scheme, rest),
            _ => Ok(Location::Local(PathBuf::from(text))),
        }
    }
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Location::Local(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_path_has_several_forms() {
        let local = |path: &str| Location::Local(PathBuf::from(path));
        for text in ["/a/b", "file:/a/b", "file:///a/b", "file://localhost/a/b"] {
            assert_eq!(Location::parse(text).unwrap(), local("/a/b"), "{text}");
        }
        assert_eq!(Location::parse("a:b/c").unwrap(), local("a:b/c"));
    }

    #[test]
    fn objects_have_a_bucket_and_a_key() {
        for (text, shown) in [
            ("s3://bucket/a/b", "s3://bucket/a/b"),
            ("s3a://bucket//a/b/", "s3://bucket/a/b"),
            ("s3://bucket", "s3://bucket"),
            ("s3://bucket/", "s3://bucket"),
            ("gs://bucket/a b/%20", "gs://bucket/a b/%20"),
            ("abfss://c@account.dfs.core.windows.net/a", "abfss://c@account.dfs.core.windows.net/a"),
            ("abfs://c@account.dfs.core.windows.net/a", "abfss://c@account.dfs.core.windows.net/a"),
            ("wasbs://c@account.blob.core.windows.net//a/", "abfss://c@account.dfs.core.windows.net/a"),
            ("http://localhost:8080/a/b%20c.csv", "http://localhost:8080/a/b%20c.csv"),
        ] {
            let parsed = Location::parse(text).unwrap();
            assert_eq!(parsed.to_string(), shown);
            let json = serde_json::to_string(&parsed).unwrap();
            assert_eq!(serde_json::from_str::<Location>(&json).unwrap(), parsed);
        }
        let file = Location::parse("s3://bucket/a").unwrap().join("day=1/part-0");
        assert_eq!((file.to_string().as_str(), file.name()), ("s3://bucket/a/day=1/part-0", Some("part-0")));
        assert_eq!(file.parent().unwrap().to_string(), "s3://bucket/a/day=1");
        assert_eq!(Location::parse("s3://bucket").unwrap().parent(), None);
        assert!(file.local("this").unwrap_err().to_string().contains("this needs a local path"));
    }

    #[test]
    fn what_is_behind_http_has_the_name_of_its_url_and_is_not_written() {
        let parsed = Location::parse("https://host/a/b%20c%25.csv").unwrap();
        let Location::Object(object) = &parsed else { panic!("no object") };
        assert_eq!(object.path().unwrap().as_ref(), "a/b c%.csv");
        let Location::Object(object) = Location::parse("https://host/a%2Fb").unwrap() else {
            panic!("no object")
        };
        assert!(object.path().unwrap_err().to_string().contains("a slash within a name"));
        assert!(parsed.check_writable().unwrap_err().to_string().contains("can only be read"));
        Location::parse("gs://bucket/a").unwrap().check_writable().unwrap();
    }

    #[test]
    fn other_places_are_refused_by_name() {
        let refused = |text: &str| Location::parse(text).unwrap_err().to_string();
        assert!(refused("hdfs://host/a").contains("'hdfs://host/a': storage on 'hdfs' is not built"));
        assert!(
            refused("abfss://container/a")
                .contains("names no container; expected 'abfss://CONTAINER@ACCOUNT")
        );
        assert!(refused("https://").contains("names no host"));
        assert!(refused("https://host/a?b=1").contains("only the path is used"));
        assert!(refused("https://me:secret@host/a").contains("with the name of a user"));
        assert!(refused("gs://").contains("names no bucket"));
        assert!(refused("").contains("is empty"));
        assert!(refused("s3://").contains("names no bucket"));
        assert!(refused("file://").contains("the path 'file://' is empty"));
    }
}
