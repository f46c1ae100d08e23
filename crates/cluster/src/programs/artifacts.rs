//! Executables that were uploaded, as files of a folder: `ID`, which is a number and the name of the file that it came from.
//!
//! An upload grows as a file of its own, and gets its name when it is whole. One that nobody finishes is deleted.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use flott_types::{Clock, Error, Result, Timestamp};
use parking_lot::Mutex;
use tempfile::TempDir;

use super::messages::{Artifact, Piece, ProgramAnswer};
use crate::unique;

/// The beginning of the name of what is not whole yet.
const PARTIAL: &str = ".upload-";
/// An upload to which nothing was added for so long is given up.
const GIVEN_UP: Duration = Duration::from_secs(300);
/// The largest executable.
const LARGEST: u64 = 4 << 30;
/// So many uploads may be under way.
const UPLOADS: usize = 16;
/// The longest name.
const NAME: usize = 200;

/// The folder.
pub(super) struct Artifacts {
    path: PathBuf,
    /// One that nobody has chosen goes away with the process.
    _temporary: Option<TempDir>,
    /// Files are made, renamed and deleted one after the other.
    one: Mutex<()>,
}

impl Artifacts {
    /// Those of `web.upload.dir`, or of a folder of this process.
    pub fn open(folder: Option<&str>) -> Result<Self> {
        let (path, temporary) = match folder {
            Some(path) => (PathBuf::from(path).join("flink-web-upload"), None),
            None => {
                let made = tempfile::Builder::new().prefix("flott-web-").tempdir();
                let made = made.map_err(|error| unwritable(&std::env::temp_dir(), error))?;
                (made.path().join("flink-web-upload"), Some(made))
            }
        };
        // Who writes there chooses what is run.
        let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        created.map_err(|error| unwritable(&path, error))?;
        let found = fs::symlink_metadata(&path).map_err(|error| unwritable(&path, error))?;
        let is_own = found.uid() == rustix::process::geteuid().as_raw();
        if !found.is_dir() || !is_own || found.mode() & 0o022 != 0 {
            return Err(Error::invalid(format!(
                "{} is no folder of this user that nobody else can write to: others would choose what is run",
                path.display()
            )));
        }
        Ok(Artifacts { path, _temporary: temporary, one: Mutex::new(()) })
    }

    /// Takes a piece of an upload.
    pub fn receive(
        &self,
        (upload, name): (&str, &str),
        at: u64,
        Piece(piece): &Piece,
        is_last: bool,
        clock: &dyn Clock,
    ) -> Result<ProgramAnswer> {
        if upload.is_empty() || upload.len() > 64 || !upload.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Err(Error::invalid("an upload is named by letters and digits"));
        }
        let name = name_of(name)?;
        let _one = self.one.lock();
        let partial = self.path.join(format!("{PARTIAL}{upload}"));
        let failed = |error| unwritable(&partial, error);
        if at == 0 {
            self.make_room(clock.now())?;
        }
        let file = OpenOptions::new().append(true).create_new(at == 0).mode(0o700).open(&partial);
        let mut file = file.map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length != at {
            return Err(Error::invalid(format!(
                "the upload has {length} bytes, and the piece is for byte {at}"
            )));
        }
        let result = if length + piece.len() as u64 > LARGEST {
            Err(Error::invalid(format!("'{name}' is larger than {LARGEST} bytes")))
        } else {
            file.write_all(piece)
                .and_then(|()| if is_last { file.sync_all() } else { Ok(()) })
                .map_err(failed)
        };
        if let Err(error) = result {
            // What is left of it would be given up later.
            let _ = fs::remove_file(&partial);
            return Err(error);
        }
        drop(file);
        if !is_last {
            return Ok(ProgramAnswer::Received);
        }
        let id = format!("{}_{name}", uuid(clock));
        fs::rename(&partial, self.path.join(&id)).map_err(failed)?;
        self.described(&id).map(ProgramAnswer::Uploaded).ok_or_else(|| Error::external("the upload is gone"))
    }

    /// Gives up what nobody goes on with.
    fn make_room(&self, now: Timestamp) -> Result<()> {
        let mut uploads = 0;
        for entry in fs::read_dir(&self.path).map_err(|error| unwritable(&self.path, error))? {
            let Ok(entry) = entry else { continue };
            if !entry.file_name().to_string_lossy().starts_with(PARTIAL) {
                continue;
            }
            let written = entry.metadata().ok().and_then(|about| modified(&about)).unwrap_or_default();
            if now.saturating_sub(written) > GIVEN_UP.as_millis() as i64 {
                // Perhaps the next time.
                let _ = fs::remove_file(entry.path());
            } else {
                uploads += 1;
            }
        }
        match uploads < UPLOADS {
            true => Ok(()),
            false => Err(Error::external(format!("{uploads} uploads are under way; try again later"))),
        }
    }

    /// The newest first.
    pub fn list(&self) -> Result<Vec<Artifact>> {
        let entries = fs::read_dir(&self.path).map_err(|error| unwritable(&self.path, error))?;
        let ids = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut all: Vec<_> = ids.filter_map(|id| self.described(&id)).collect();
        all.sort_by(|a, b| (b.uploaded, &b.id).cmp(&(a.uploaded, &a.id)));
        Ok(all)
    }

    /// Whether there was one. Programs that run from it go on.
    pub fn delete(&self, id: &str) -> Result<bool> {
        let _one = self.one.lock();
        if self.described(id).is_none() {
            return Ok(false);
        }
        let path = self.path.join(id);
        fs::remove_file(&path).map(|()| true).map_err(|error| unwritable(&path, error))
    }

    /// One of them, and its file.
    pub fn get(&self, id: &str) -> Result<Option<(Artifact, PathBuf, File)>> {
        let Some(artifact) = self.described(id) else { return Ok(None) };
        let path = self.path.join(id);
        let file = File::open(&path).map_err(|error| unwritable(&path, error))?;
        Ok(Some((artifact, path, file)))
    }

    /// What is called so, if it is an artifact.
    fn described(&self, id: &str) -> Option<Artifact> {
        let (number, name) = id.split_once('_')?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if !is_number || name_of(name).ok().as_deref() != Some(name) {
            return None;
        }
        let about = fs::symlink_metadata(self.path.join(id)).ok().filter(fs::Metadata::is_file)?;
        let uploaded = modified(&about).unwrap_or_default();
        Some(Artifact { id: id.to_owned(), name: name.to_owned(), uploaded, size: about.len() })
    }
}

/// A name of a file and of nothing else.
fn name_of(name: &str) -> Result<String> {
    let file = Path::new(name).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_good = !file.is_empty() && file.len() <= NAME && !file.chars().any(char::is_control);
    is_good.then(|| file.to_owned()).ok_or_else(|| Error::invalid("an artifact has the name of a file"))
}

fn modified(about: &fs::Metadata) -> Option<Timestamp> {
    let since = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

/// A number that no artifact has yet, as Flink writes one.
fn uuid(clock: &dyn Clock) -> String {
    let digits = format!("{:032x}", unique::number(clock, 0));
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::external(format!("artifacts cannot be kept in {}", path.display())).with_source(error)
}

#[cfg(test)]
mod tests {
    use flott_types::SystemClock;

    use super::*;

    #[test]
    fn an_upload_is_an_artifact_when_it_is_whole() {
        let (artifacts, clock) = (Artifacts::open(None).unwrap(), SystemClock::new());
        let send = |at, piece: &[u8], is_last| {
            artifacts.receive(("u1", "some/where/prog"), at, &Piece(piece.to_vec()), is_last, &clock)
        };
        assert_eq!(send(0, b"abc", false).unwrap(), ProgramAnswer::Received);
        assert_eq!(artifacts.list().unwrap(), []);
        // A piece that comes twice, or too early.
        assert!(send(0, b"abc", false).is_err() && send(4, b"e", true).is_err());
        let ProgramAnswer::Uploaded(artifact) = send(3, b"de", true).unwrap() else { panic!() };
        assert_eq!((artifact.name.as_str(), artifact.size), ("prog", 5));
        assert_eq!(artifacts.list().unwrap(), std::slice::from_ref(&artifact));
        let (_, path, _) = artifacts.get(&artifact.id).unwrap().unwrap();
        assert_eq!(fs::read(path).unwrap(), b"abcde");
        assert!(artifacts.delete(&artifact.id).unwrap() && !artifacts.delete(&artifact.id).unwrap());
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flink-web-upload");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        let refused = Artifacts::open(folder.path().to_str()).err().unwrap().to_string();
        assert!(refused.contains("nobody else can write to"), "{refused}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(Artifacts::open(folder.path().to_str()).is_ok());
        let (other, link) = (folder.path().join("other"), tempfile::tempdir().unwrap());
        fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink(&other, link.path().join("flink-web-upload")).unwrap();
        assert!(Artifacts::open(link.path().to_str()).is_err());
    }

    #[test]
    fn nothing_else_is_an_artifact() {
        let (artifacts, clock) = (Artifacts::open(None).unwrap(), SystemClock::new());
        fs::write(artifacts.path.parent().unwrap().join("ab_secret"), "x").unwrap();
        for id in ["../ab_secret", "ab_../ab_secret", "", "_", "ab_", ".upload-u1"] {
            assert!(artifacts.get(id).unwrap().is_none() && !artifacts.delete(id).unwrap(), "{id}");
        }
        for (upload, name) in [("../x", "a"), ("", "a"), ("u", ""), ("u", ".."), ("u", "a\nb")] {
            let refused = artifacts.receive((upload, name), 0, &Piece(vec![1]), true, &clock);
            assert!(refused.is_err(), "{upload} {name}");
        }
    }
}
