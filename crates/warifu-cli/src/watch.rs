//! Waiting for changes of files: by looking, since storages often lie on network shares that tell nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use crate::stop::Stop;

/// How long nothing may change before the check starts.
const SETTLED: Duration = Duration::from_millis(100);

type Seen = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// Files and folders that are watched.
pub(crate) struct Watch {
    roots: Vec<PathBuf>,
    seen: Seen,
}

impl Watch {
    pub(crate) fn new(roots: Vec<PathBuf>) -> Self {
        Self {
            roots,
            seen: Seen::new(),
        }
    }

    /// Takes what is there as known.
    pub(crate) fn remember(&mut self) {
        self.seen = self.look();
    }

    fn look(&self) -> Seen {
        let mut seen = Seen::new();
        let mut open = self.roots.clone();
        while let Some(path) = open.pop() {
            let Ok(meta) = path.symlink_metadata() else {
                continue;
            };
            if meta.is_dir() {
                let entries = std::fs::read_dir(&path).into_iter().flatten();
                open.extend(entries.filter_map(|e| e.ok().map(|e| e.path())));
            } else if path.extension().is_none_or(|e| e != "part") {
                seen.insert(path, (meta.modified().ok(), meta.len()));
            }
        }
        seen
    }

    /// Waits until something has changed and nothing changes any more; `false` when `stop` came first.
    pub(crate) fn wait(&mut self, stop: &Stop) -> bool {
        let mut last: Option<Seen> = None;
        loop {
            if stop.signal().is_some() {
                return false;
            }
            let start = Instant::now();
            let now = self.look();
            // A large tree takes a while to look at: it must not keep a core busy.
            let pause = SETTLED.max(start.elapsed() * 4);
            match &last {
                Some(before) if *before == now => return true,
                _ if now != self.seen => last = Some(now),
                _ => last = None,
            }
            std::thread::sleep(pause);
        }
    }
}
