//! Work in parallel, results in the order of the walk.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};

use anyhow::bail;
use warifu_storage::{Found, Storage};

use crate::stop::Stop;

/// How many units may be under way: bounds memory, keeps all cores busy.
const WINDOW: usize = 32;

/// Walks through a storage, runs `work` on what is found in `jobs` threads (each with a worker of its own)
/// and gives the results to `put` one by one, in the order of the walk, until `stop`.
///
/// # Errors
/// Those of `put`, which end the walk; a panic in a worker, which was reported already.
pub(crate) fn ordered<W, T: Send>(
    storage: &Storage,
    jobs: usize,
    stop: &Stop,
    worker: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, Found) -> T + Sync,
    mut put: impl FnMut(T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (job_in, job_out) = mpsc::sync_channel::<(usize, Found)>(WINDOW);
    let job_out = Arc::new(Mutex::new(job_out));
    let (done_in, done_out) = mpsc::channel::<(usize, Option<T>)>();
    let (token_in, token_out) = mpsc::sync_channel::<()>(WINDOW * 2);
    let (worker, work) = (&worker, &work);
    // The ends of the channels that this thread holds go with the closure: on an error they are gone before
    // the other threads are waited for.
    std::thread::scope(move |scope| {
        scope.spawn(move || {
            for (n, found) in storage.walk().enumerate() {
                if stop.signal().is_some() {
                    break;
                }
                // A token a unit: the reorder buffer below never holds more than the window.
                if token_in.send(()).is_err() || job_in.send((n, found)).is_err() {
                    break;
                }
            }
        });
        for _ in 0..jobs.max(1) {
            let job_out = Arc::clone(&job_out);
            let done_in = done_in.clone();
            scope.spawn(move || {
                let mut own = worker();
                loop {
                    let next = job_out.lock().map(|r| r.recv());
                    let Ok(Ok((n, found))) = next else { break };
                    let result = catch_unwind(AssertUnwindSafe(|| work(&mut own, found))).ok();
                    let lost = result.is_none();
                    if done_in.send((n, result)).is_err() || lost {
                        break;
                    }
                }
            });
        }
        drop((done_in, job_out));
        let mut waiting: BTreeMap<usize, T> = BTreeMap::new();
        let mut next = 0;
        for (n, result) in done_out {
            let Some(result) = result else {
                bail!("internal error");
            };
            waiting.insert(n, result);
            while let Some(result) = waiting.remove(&next) {
                let _ = token_out.try_recv();
                next += 1;
                put(result)?;
            }
        }
        Ok(())
    })
}
