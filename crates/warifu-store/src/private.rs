//! Files and folders that their owner alone can read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

/// Longest secret that is read.
const MOST: u64 = 64 << 10;

/// Makes a file that was not there, for its owner alone.
///
/// # Errors
/// It is there, or the system refused.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a file that was not there, for its owner alone; it survives a crash when this returned.
///
/// # Errors
/// It is there, or the system refused.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a folder, or takes one that is there, and keeps others out of it.
///
/// # Errors
/// The system refused.
pub fn folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)?;
    restrict(path, 0o700)
}

/// Reads at most 64 KiB of a file; `None` where others may read it.
///
/// # Errors
/// The system refused.
pub fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut file = File::open(path)?;
    // Of the file that was opened, so that nobody changes it in between.
    if !is_own(&file.metadata()?) {
        return Ok(None);
    }
    let mut bytes = Zeroizing::new(Vec::new());
    io::Read::by_ref(&mut file)
        .take(MOST)
        .read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Whether nobody but the owner can read a file, or look into a folder.
///
/// # Errors
/// It is not there, or the system refused.
pub fn is_private(path: &Path) -> io::Result<bool> {
    Ok(is_own(&std::fs::metadata(path)?))
}

#[cfg(unix)]
fn is_own(meta: &std::fs::Metadata) -> bool {
    let others = std::os::unix::fs::MetadataExt::mode(meta) & 0o077;
    others == 0
}

#[cfg(not(unix))]
fn is_own(_: &std::fs::Metadata) -> bool {
    true
}

/// Takes from others what they may do with a file or folder.
#[cfg(unix)]
pub(crate) fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(path, mode)
}

#[cfg(not(unix))]
pub(crate) fn restrict(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}
