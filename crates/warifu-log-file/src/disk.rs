//! The few things that a store asks of a disk, and the folder that gives them.

#![allow(
    clippy::disallowed_methods,
    reason = "this is the one place of the crate that touches files"
)]

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// A folder of files, with the promises that crash safety needs: data written is durable after
/// [`Disk::sync`], a name after [`Disk::sync_folder`] of its folder.
pub trait Disk {
    /// Keeps other writers out as long as it lives.
    type Lock;

    /// Takes the lock, or fails with [`ErrorKind::WouldBlock`] when another has it.
    fn lock(&self) -> io::Result<Self::Lock>;
    /// Length of a file in bytes; `None` when it does not exist.
    fn length(&self, name: &str) -> io::Result<Option<u64>>;
    /// Reads up to `length` bytes from `offset` on; fewer only at the end of the file.
    fn read(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>>;
    /// Writes bytes at an offset; makes the file when it does not exist.
    fn write(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts a file.
    fn truncate(&self, name: &str, length: u64) -> io::Result<()>;
    /// Makes the bytes and the length of a file survive.
    fn sync(&self, name: &str) -> io::Result<()>;
    /// Gives a file another name in the same folder, in one step.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Makes a folder and those above it.
    fn make_folder(&self, name: &str) -> io::Result<()>;
    /// Makes the names in a folder survive; `""` is the folder of the store.
    fn sync_folder(&self, name: &str) -> io::Result<()>;
}

/// A folder of the operating system.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// The file that is written all the time stays open.
    open: std::sync::Mutex<Option<(String, File)>>,
}

impl Folder {
    /// The folder; it is made when it does not exist.
    pub fn new(root: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(root)?;
        Ok(Self {
            root: root.to_owned(),
            open: std::sync::Mutex::new(None),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn with<T>(
        &self,
        name: &str,
        make: bool,
        act: impl FnOnce(&mut File) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut open = self.open.lock().map_err(|_| ErrorKind::Other)?;
        match open.as_mut() {
            Some((at, file)) if at == name => act(file),
            _ => {
                let mut options = OpenOptions::new();
                options.read(true).write(true).create(make);
                // Lines are private; tiles and checkpoints are for everybody.
                #[cfg(unix)]
                if name == crate::store::ENTRIES {
                    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                }
                let mut file = options.truncate(false).open(self.path(name))?;
                let result = act(&mut file);
                if name == crate::store::ENTRIES {
                    *open = Some((name.to_owned(), file));
                }
                result
            }
        }
    }
}

impl Disk for Folder {
    type Lock = File;

    fn lock(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let file = options.open(self.path("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn length(&self, name: &str) -> io::Result<Option<u64>> {
        match std::fs::metadata(self.path(name)) {
            Ok(data) => Ok(Some(data.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.with(name, false, |file| {
            file.seek(SeekFrom::Start(offset))?;
            let mut bytes = Vec::new();
            let limit = u64::try_from(length).unwrap_or(u64::MAX);
            file.take(limit).read_to_end(&mut bytes)?;
            Ok(bytes)
        })
    }

    fn write(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.with(name, true, |file| {
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(bytes)
        })
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        self.with(name, false, |file| file.set_len(length))
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.with(name, false, |file| file.sync_data())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path(from), self.path(to))
    }

    fn make_folder(&self, name: &str) -> io::Result<()> {
        std::fs::create_dir_all(self.path(name))
    }

    fn sync_folder(&self, name: &str) -> io::Result<()> {
        // Only Unix can, and needs to, sync a folder.
        if cfg!(unix) {
            File::open(self.path(name))?.sync_all()
        } else {
            Ok(())
        }
    }
}
