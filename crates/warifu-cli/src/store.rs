//! Reports of files until all are known: in memory while they are few, else in a temporary file without a
//! name (they hold paths with patient ids).

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use warifu_report::report::FileReport;

/// Bytes kept in memory.
const MEMORY: usize = 64 << 20;

struct Entry {
    path: String,
    offset: u64,
    length: u32,
}

/// The reports, by path once they are sorted.
#[derive(Default)]
pub(crate) struct Store {
    entries: Vec<Entry>,
    memory: Vec<u8>,
    file: Option<File>,
    length: u64,
}

impl Store {
    /// Adds a report.
    pub(crate) fn add(&mut self, report: &FileReport) -> anyhow::Result<()> {
        let bytes = serde_json::to_vec(report)?;
        if self.file.is_none() && self.memory.len() + bytes.len() > MEMORY {
            let mut file = tempfile::tempfile()?;
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(&bytes)?,
            None => self.memory.extend_from_slice(&bytes),
        }
        self.entries.push(Entry {
            path: report.path.clone(),
            offset: self.length,
            length: u32::try_from(bytes.len())?,
        });
        self.length += u64::try_from(bytes.len())?;
        Ok(())
    }

    /// Gives every report in the order of the paths' bytes; equal paths in the order they were added.
    pub(crate) fn each(
        &mut self,
        mut take: impl FnMut(&FileReport) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.entries.sort_by(|a, b| a.path.cmp(&b.path));
        let mut buffer = Vec::new();
        for e in &self.entries {
            buffer.resize(usize::try_from(e.length)?, 0);
            if let Some(file) = &mut self.file {
                file.seek(SeekFrom::Start(e.offset))?;
                file.read_exact(&mut buffer)?;
            } else {
                let at = usize::try_from(e.offset)?;
                let there = self.memory.get(at..at + buffer.len()).unwrap_or_default();
                buffer.copy_from_slice(there);
            }
            take(&serde_json::from_slice(&buffer)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_come_back_by_path_from_memory_and_from_disk() {
        for size in [10, MEMORY / 3] {
            let mut store = Store::default();
            for path in ["b", "a", "c", "a"] {
                let report = FileReport {
                    path: path.to_owned(),
                    charset: Some("x".repeat(size)),
                    ..FileReport::default()
                };
                store.add(&report).unwrap();
            }
            assert_eq!(store.file.is_some(), size > 10);
            let mut paths = String::new();
            store
                .each(|r| {
                    assert_eq!(r.charset.as_ref().map(String::len), Some(size));
                    paths.push_str(&r.path);
                    Ok(())
                })
                .unwrap();
            assert_eq!(paths, "aabc");
        }
    }
}
