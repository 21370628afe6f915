//! Group commit: many threads append, one sync serves all that wait.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use warifu_log::{Appended, Log, LogError, Storage, Submission};

/// What a caller gets who did not do the work himself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// The entry was refused: the salt of its place is missing or not asked for, or it is too long.
    #[error("the entry cannot be appended")]
    Refused,
    /// The store failed: nothing of this group is acknowledged, and the log takes nothing more.
    #[error("the store failed; open the log anew")]
    Failed,
}

type Outcome = Result<Vec<Appended>, GroupError>;

#[derive(Debug)]
struct Waiting {
    entries: Vec<Submission>,
    outcome: Arc<Mutex<Option<Outcome>>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Whether a thread is writing.
    busy: bool,
}

/// A log for many threads. [`Group::append`] returns when its lines survive any crash.
#[derive(Debug)]
pub struct Group<S: Storage> {
    log: Mutex<Log<S>>,
    queue: Mutex<Queue>,
    done: Condvar,
}

/// A thread that panicked has left the queue whole: nothing in it is done by halves.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: Storage> Group<S> {
    /// Takes a log.
    pub fn new(log: Log<S>) -> Self {
        Self {
            log: Mutex::new(log),
            queue: Mutex::new(Queue::default()),
            done: Condvar::new(),
        }
    }

    /// The log, for publishing and proving; appending waits meanwhile.
    pub fn log(&self) -> MutexGuard<'_, Log<S>> {
        lock(&self.log)
    }

    /// Appends entries, all or none, and waits until they survive. Whoever comes first writes for
    /// all that wait with one sync.
    pub fn append(&self, entries: Vec<Submission>) -> Outcome {
        let outcome = Arc::new(Mutex::new(None));
        let mut queue = lock(&self.queue);
        queue.waiting.push(Waiting {
            entries,
            outcome: Arc::clone(&outcome),
        });
        loop {
            if let Some(outcome) = lock(&outcome).take() {
                return outcome;
            }
            if queue.busy {
                queue = self
                    .done
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            queue.busy = true;
            let group = std::mem::take(&mut queue.waiting);
            drop(queue);
            self.write(group);
            queue = lock(&self.queue);
            queue.busy = false;
            self.done.notify_all();
        }
    }

    fn write(&self, group: Vec<Waiting>) {
        let mut log = lock(&self.log);
        let mut written = Vec::with_capacity(group.len());
        for Waiting { entries, outcome } in group {
            let result = log.append(entries).map_err(|error| match error {
                LogError::PlaceSalt | LogError::Line(_) => GroupError::Refused,
                _ => GroupError::Failed,
            });
            written.push((result, outcome));
        }
        let synced = log.sync().map_err(|_| GroupError::Failed);
        drop(log);
        for (result, outcome) in written {
            let result = match (&synced, result) {
                (Err(failed), Ok(_)) => Err(failed.clone()),
                (_, result) => result,
            };
            *lock(&outcome) = Some(result);
        }
    }
}
