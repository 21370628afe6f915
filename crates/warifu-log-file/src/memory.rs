//! A disk in memory that loses power when told so: for the tests of this store and of what uses it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::rc::Rc;

use crate::disk::Disk;

/// Bytes that a disk writes at once: what was not synced survives by pages.
const PAGE: usize = 64;

#[derive(Debug, Clone, Default)]
struct Kept {
    /// What readers see.
    bytes: Vec<u8>,
    /// What a crash leaves for certain.
    durable: Vec<u8>,
}

#[derive(Debug, Clone, Default)]
struct State {
    files: Vec<Kept>,
    /// Names as readers see them.
    names: BTreeMap<String, usize>,
    /// Names that a crash leaves for certain.
    durable: BTreeMap<String, usize>,
    /// Changes of names that were not synced, in order.
    pending: Vec<BTreeMap<String, usize>>,
}

/// A disk in memory; clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    state: Rc<RefCell<State>>,
    operations: Rc<Cell<u64>>,
    fails_at: Rc<Cell<Option<u64>>>,
    locked: Rc<Cell<bool>>,
}

/// Held as long as a store is open.
#[derive(Debug)]
pub struct MemoryLock(Rc<Cell<bool>>);

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Memory {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of writing and syncing operations so far.
    pub fn operations(&self) -> u64 {
        self.operations.get()
    }

    /// Every writing or syncing operation from number `at` on fails (0 is the first); `None` ends
    /// that.
    pub fn fail_from(&self, at: Option<u64>) {
        self.fails_at.set(at);
    }

    /// The disk after a loss of power. Synced bytes and names are there; of the others each page
    /// and each name survives as `survives` says.
    pub fn after_crash(&self, mut survives: impl FnMut() -> bool) -> Self {
        let old = self.state.borrow();
        let mut state = State::default();
        state.names.clone_from(&old.durable);
        for change in &old.pending {
            if !survives() {
                break;
            }
            state.names.clone_from(change);
        }
        state.durable.clone_from(&state.names);
        for file in &old.files {
            let mut bytes = file.durable.clone();
            // The length is kept apart from the pages: a hole of zeros may remain.
            let pages = file.bytes.len().max(bytes.len()).div_ceil(PAGE);
            for page in 0..pages {
                let from = page * PAGE;
                let new = file.bytes.get(from..).unwrap_or_default();
                let new = new.get(..PAGE).unwrap_or(new);
                let old = file.durable.get(from..).unwrap_or_default();
                let old = old.get(..PAGE).unwrap_or(old);
                if new != old && survives() {
                    bytes.truncate(bytes.len().max(from));
                    if bytes.len() < from + new.len() {
                        bytes.resize(from + new.len(), 0);
                    }
                    if let Some(target) = bytes.get_mut(from..from + new.len()) {
                        target.copy_from_slice(new);
                    }
                }
            }
            if file.bytes.len() < file.durable.len() && survives() {
                bytes.truncate(file.bytes.len());
            }
            state.files.push(Kept {
                durable: bytes.clone(),
                bytes,
            });
        }
        Self {
            state: Rc::new(RefCell::new(state)),
            ..Self::default()
        }
    }

    /// Bytes of a file.
    pub fn file(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state.borrow();
        let kept = state.files.get(*state.names.get(name)?)?;
        Some(kept.bytes.clone())
    }

    /// Puts a file there, durably: to build a state of the disk.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state.borrow_mut();
        let kept = Kept {
            bytes: bytes.to_vec(),
            durable: bytes.to_vec(),
        };
        let known = state.names.get(name).copied();
        let index = known.unwrap_or(state.files.len());
        match state.files.get_mut(index) {
            Some(file) => *file = kept,
            None => state.files.push(kept),
        }
        state.names.insert(name.to_owned(), index);
        state.durable.insert(name.to_owned(), index);
    }

    /// Removes a file, durably.
    pub fn remove(&self, name: &str) {
        let mut state = self.state.borrow_mut();
        state.names.remove(name);
        state.durable.remove(name);
    }

    /// Names of all files.
    pub fn names(&self) -> Vec<String> {
        self.state.borrow().names.keys().cloned().collect()
    }

    fn operation(&self) -> io::Result<()> {
        let number = self.operations.get();
        self.operations.set(number + 1);
        match self.fails_at.get() {
            Some(at) if number >= at => Err(io::Error::other("no power")),
            _ => Ok(()),
        }
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&mut Kept) -> T) -> io::Result<T> {
        let mut state = self.state.borrow_mut();
        let index = state.names.get(name).copied();
        index
            .and_then(|i| state.files.get_mut(i))
            .map(act)
            .ok_or_else(|| ErrorKind::NotFound.into())
    }
}

impl Disk for Memory {
    type Lock = MemoryLock;

    fn lock(&self) -> io::Result<MemoryLock> {
        if self.locked.replace(true) {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(MemoryLock(Rc::clone(&self.locked)))
    }

    fn length(&self, name: &str) -> io::Result<Option<u64>> {
        let length = self.file(name).map(|bytes| bytes.len());
        Ok(length.and_then(|l| u64::try_from(l).ok()))
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.with(name, |kept| {
            let from = usize::try_from(offset).unwrap_or(usize::MAX);
            let rest = kept.bytes.get(from..).unwrap_or_default();
            rest.get(..length).unwrap_or(rest).to_vec()
        })
    }

    fn write(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.operation()?;
        let mut state = self.state.borrow_mut();
        if !state.names.contains_key(name) {
            let index = state.files.len();
            state.files.push(Kept::default());
            state.names.insert(name.to_owned(), index);
            let names = state.names.clone();
            state.pending.push(names);
        }
        drop(state);
        self.with(name, |kept| {
            let from = usize::try_from(offset).unwrap_or(usize::MAX);
            let to = from.saturating_add(bytes.len());
            if kept.bytes.len() < to {
                kept.bytes.resize(to, 0);
            }
            if let Some(target) = kept.bytes.get_mut(from..to) {
                target.copy_from_slice(bytes);
            }
        })
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        self.operation()?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.with(name, |kept| kept.bytes.truncate(length))
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.operation()?;
        self.with(name, |kept| kept.durable.clone_from(&kept.bytes))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.operation()?;
        let mut state = self.state.borrow_mut();
        let index = state.names.remove(from).ok_or(ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), index);
        let names = state.names.clone();
        state.pending.push(names);
        Ok(())
    }

    fn make_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &str) -> io::Result<()> {
        self.operation()?;
        let mut state = self.state.borrow_mut();
        let names = state.names.clone();
        state.durable = names;
        state.pending.clear();
        Ok(())
    }
}
