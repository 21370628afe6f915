//! Bodies of requests: bounded while they arrive, those of files streamed into a file without a name, so that
//! no upload is ever whole in memory.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::BodyExt as _;
use sha2_011::{Digest as _, Sha256};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use warifu_consent::b64;

use crate::App;
use crate::http::Route;
use crate::problem::{Bound, Code, Problem};

/// Bytes that are counted together where bodies of files are held.
pub(crate) const UNIT: usize = 16 << 10;
/// Bytes of a body of files in memory; one that is longer goes into a file.
const IN_MEMORY: usize = 8 << 20;
/// Bytes that go into the file at once.
const STEP: usize = 1 << 20;
/// Bytes a second that the slowest client sends of a body of files, once it has begun.
const SLOWEST: u64 = 256 << 10;

/// A body, whole.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    memory: Bytes,
    /// What did not fit into memory; then `memory` is empty.
    file: Option<File>,
    length: u64,
    digest: String,
}

impl Payload {
    /// Bytes of a body that is no file, or a short one; those of a long one are [`Self::reader`]'s.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.memory
    }

    /// How many bytes it has.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// SHA-256 of its bytes in base64url.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    /// All bytes, read from their beginning.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn reader(&self) -> Result<Box<dyn Read + '_>, Problem> {
        match &self.file {
            None => Ok(Box::new(&*self.memory)),
            Some(file) => {
                let mut file = file;
                file.seek(SeekFrom::Start(0)).map_err(|e| failed(&e))?;
                Ok(Box::new(std::io::BufReader::with_capacity(STEP, file)))
            }
        }
    }

    /// All bytes in memory.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn whole(&self) -> Result<Cow<'_, [u8]>, Problem> {
        if self.file.is_none() {
            return Ok(Cow::Borrowed(&self.memory));
        }
        let mut all = Vec::with_capacity(usize::try_from(self.length).unwrap_or(0));
        let read = self.reader()?.read_to_end(&mut all);
        read.map_err(|e| failed(&e))?;
        Ok(Cow::Owned(all))
    }
}

/// What a disk said.
pub(crate) fn failed(error: &std::io::Error) -> Problem {
    match error.kind() {
        std::io::ErrorKind::StorageFull => Code::Busy.into(),
        kind => Problem::internal(format!("a temporary file: {kind}")),
    }
}

/// A body that arrives.
struct Arriving {
    memory: Vec<u8>,
    file: Option<File>,
    length: u64,
    digest: Sha256,
}

impl Arriving {
    fn take(&mut self, piece: &[u8]) {
        self.digest.update(piece);
        self.memory.extend_from_slice(piece);
        self.length = self.length.saturating_add(count(piece.len()));
    }

    /// Moves what is in memory to the end of the file.
    async fn spill(&mut self) -> Result<(), Problem> {
        let (bytes, file) = (std::mem::take(&mut self.memory), self.file.take());
        let written = tokio::task::spawn_blocking(move || {
            let mut file = file.map_or_else(tempfile::tempfile, Ok)?;
            file.write_all(&bytes)?;
            Ok(file)
        });
        let written = written.await.map_err(|_| Problem::internal("a write"))?;
        self.file = Some(written.map_err(|e: std::io::Error| failed(&e))?);
        Ok(())
    }

    async fn done(mut self) -> Result<Payload, Problem> {
        if self.file.is_some() {
            self.spill().await?;
        }
        let digest: [u8; 32] = self.digest.finalize().into();
        Ok(Payload {
            memory: self.memory.into(),
            file: self.file,
            length: self.length,
            digest: b64::encode(&digest),
        })
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Reads the body of a route. A body of files counts among those held, piece by piece as it arrives, until
/// what is given with it goes; and it has longer the longer it is, as long as it keeps coming.
///
/// # Errors
/// `TOO_LARGE`, `TIMEOUT` where it took too long, `BUSY` where too much is held, `BODY` where it broke off.
pub(crate) async fn arrived(
    app: &App,
    row: &Route,
    mut body: axum::body::Body,
) -> Result<(Payload, Option<OwnedSemaphorePermit>), Problem> {
    let limits = &app.config().limits;
    let (most, files) = (count(row.most(limits)), row.takes_files());
    let begun = Instant::now();
    let mut all = Arriving {
        memory: Vec::new(),
        file: None,
        length: 0,
        digest: Sha256::new(),
    };
    let mut held: Option<OwnedSemaphorePermit> = None;
    let mut counted = 0;
    loop {
        let longer = if files { all.length / SLOWEST } else { 0 };
        let ends = begun + limits.time + Duration::from_secs(longer);
        let frame = timeout_at(ends, body.frame()).await;
        let Some(frame) = frame.map_err(|_| Code::Timeout)? else {
            break;
        };
        let frame = frame.map_err(|_| Code::Body)?;
        let Some(piece) = frame.data_ref() else {
            continue;
        };
        if count(piece.len()) > most.saturating_sub(all.length) {
            return Err(Problem::too_large(Bound::Body));
        }
        all.take(piece);
        if !files {
            continue;
        }
        let units = all.length.div_ceil(count(UNIT));
        if units > counted {
            let more = u32::try_from(units - counted).map_err(|_| Code::TooLarge)?;
            let more = Arc::clone(&app.0.held).try_acquire_many_owned(more);
            let more = more.map_err(|_| Code::Busy)?;
            counted = units;
            match &mut held {
                Some(held) => held.merge(more),
                none => *none = Some(more),
            }
        }
        let room = if all.file.is_some() { STEP } else { IN_MEMORY };
        if all.memory.len() > room {
            all.spill().await?;
        }
    }
    Ok((all.done().await?, held))
}
