//! Files that are replaced whole: what stands at a path is the old content or the new one.

use std::fs::{File, Metadata, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Who may read a file that was not there before; one that was there keeps its permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// As the umask says.
    Umask,
    /// Its owner alone.
    Owner,
}

/// A file that is being written: beside its place, which it takes at the end. A link stays a link, and
/// what is no file (`/dev/stdout`, `/dev/null`, a pipe) is written to, never replaced.
pub(crate) enum Whole {
    Beside { part: NamedTempFile, to: PathBuf },
    There(File),
}

impl Whole {
    pub(crate) fn create(path: &Path, readers: Readers) -> std::io::Result<Self> {
        let there = match std::fs::metadata(path) {
            Ok(m) if !m.is_file() => {
                return Ok(Self::There(OpenOptions::new().write(true).open(path)?));
            }
            Ok(m) => Some(m),
            Err(_) => None,
        };
        let to = match &there {
            Some(_) => path.canonicalize()?,
            None => path.to_path_buf(),
        };
        let folder = to.parent().filter(|p| !p.as_os_str().is_empty());
        let part = part_in(folder.unwrap_or(Path::new(".")), readers, there.as_ref())?;
        Ok(Self::Beside { part, to })
    }
    /// Makes it durable and puts it into its place.
    pub(crate) fn finish(self) -> std::io::Result<()> {
        match self {
            Self::Beside { part, to } => {
                part.as_file().sync_all()?;
                part.persist(to)?;
                Ok(())
            }
            Self::There(mut file) => file.flush(),
        }
    }
}

fn part_in(
    folder: &Path,
    readers: Readers,
    there: Option<&Metadata>,
) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    let umask = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    if readers == Readers::Umask {
        builder.permissions(umask);
    }
    let part = builder.tempfile_in(folder)?;
    if let Some(there) = there {
        part.as_file().set_permissions(there.permissions())?;
    }
    Ok(part)
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Beside { part, .. } => part.write(bytes),
            Self::There(file) => file.write(bytes),
        }
    }
    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Beside { part, .. } => part.flush(),
            Self::There(file) => file.flush(),
        }
    }
}

/// Writes a file whole.
pub(crate) fn replace(path: &Path, bytes: &[u8], readers: Readers) -> std::io::Result<()> {
    let mut whole = Whole::create(path, readers)?;
    whole.write_all(bytes)?;
    whole.finish()
}
