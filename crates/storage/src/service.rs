//! Which services hold objects, and how their URLs are written.

use flott_types::{Error, Result};

/// A kind of object store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Service {
    /// Amazon's S3, and whatever speaks its protocol.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure's Blob Storage.
    Azure,
    /// Any server of HTTP, for reading.
    Http,
}

/// The schemes of URLs. Flink has several clients for S3 and calls the second one `s3a`; of Azure's, Hadoop has
/// two drivers for what is the same to us, and `s` at the end says that TLS is spoken, which it always is.
const SCHEMES: [(&str, Service); 9] = [
    ("s3", Service::S3),
    ("s3a", Service::S3),
    ("gs", Service::Gcs),
    ("abfs", Service::Azure),
    ("abfss", Service::Azure),
    ("wasb", Service::Azure),
    ("wasbs", Service::Azure),
    ("http", Service::Http),
    ("https", Service::Http),
];

impl Service {
    /// The service of a scheme.
    pub(crate) fn of(scheme: &str) -> Option<Self> {
        SCHEMES.iter().find(|(known, _)| *known == scheme).map(|(_, service)| *service)
    }

    /// The service of a store's name.
    pub(crate) fn of_store(store: &str) -> Option<Self> {
        store.split_once("://").and_then(|(scheme, _)| Service::of(scheme))
    }

    /// Whether objects can be written.
    pub(crate) fn is_writable(self) -> bool {
        self != Service::Http
    }

    /// The one name of the store that a URL is in, and the rest of the URL.
    pub(crate) fn split(self, text: &str, scheme: &str, rest: &str) -> Result<(String, String)> {
        // As the file system's, the names of services begin after any number of slashes.
        let (place, key) = rest.split_once('/').unwrap_or((rest, ""));
        let expected = |form: &str| Error::invalid(format!("'{text}' names no {form}"));
        let store = match self {
            Service::S3 if place.is_empty() => return Err(expected("bucket; expected 's3://BUCKET/...'")),
            Service::Gcs if place.is_empty() => return Err(expected("bucket; expected 'gs://BUCKET/...'")),
            Service::S3 => format!("s3://{place}"),
            Service::Gcs => format!("gs://{place}"),
            Service::Azure => {
                let Azure { container, account, domain } = Azure::parse(place).ok_or_else(|| {
                    expected("container; expected 'abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/...'")
                })?;
                format!("abfss://{container}@{account}.dfs.{domain}")
            }
            Service::Http if place.is_empty() => return Err(expected("host; expected 'https://HOST/...'")),
            Service::Http if place.contains('@') => {
                return Err(Error::unsupported("a URL of http with the name of a user"));
            }
            Service::Http if rest.contains(['?', '#']) => {
                return Err(Error::unsupported(format!(
                    "'{text}': a URL of http with '?' or '#', of which only the path is used"
                )));
            }
            Service::Http => format!("{scheme}://{place}"),
        };
        Ok((store, key.to_owned()))
    }
}

/// What the name of a store of Azure's says.
#[derive(Debug)]
pub(crate) struct Azure<'a> {
    /// The container, which Azure's data lakes call a file system.
    pub(crate) container: &'a str,
    /// The account.
    pub(crate) account: &'a str,
    /// What follows the account and the name of the service: `core.windows.net`.
    pub(crate) domain: &'a str,
}

impl<'a> Azure<'a> {
    /// From `container@account.dfs.core.windows.net`, or `blob` instead of `dfs`.
    pub(crate) fn parse(place: &'a str) -> Option<Self> {
        let (container, host) = place.split_once('@')?;
        let (account, rest) = host.split_once('.')?;
        let domain = rest.strip_prefix("dfs.").or_else(|| rest.strip_prefix("blob."))?;
        // They become parts of a host's name, and nothing else of a URL.
        let is_name = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
        };
        (!container.is_empty() && is_name(account) && is_name(domain)).then_some(Azure {
            container,
            account,
            domain,
        })
    }
}
