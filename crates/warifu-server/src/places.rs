//! Places for work: what comes when all are taken waits for a moment in a short line, and is then told when
//! to come again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a request waits: what comes in a burst, or while the machine stands still for a moment, is not
/// refused.
const PATIENCE: Duration = Duration::from_millis(500);
/// Requests that wait for each place.
const WAITING: usize = 4;

/// Places of one kind of work.
pub(crate) struct Places {
    work: Arc<Semaphore>,
    line: Semaphore,
    patience: Duration,
}

impl Places {
    /// So many, and a line for [`WAITING`] times as many.
    pub(crate) fn new(many: usize) -> Self {
        Self {
            work: Arc::new(Semaphore::new(many)),
            line: Semaphore::new(many.saturating_mul(WAITING).min(Semaphore::MAX_PERMITS)),
            patience: PATIENCE,
        }
    }

    /// How many are free.
    pub(crate) fn left(&self) -> usize {
        self.work.available_permits()
    }

    /// A place that is free now.
    pub(crate) fn free(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.work).try_acquire_owned().ok()
    }

    /// A place, at the latest after [`PATIENCE`]; none where the line is full.
    pub(crate) async fn take(&self) -> Option<OwnedSemaphorePermit> {
        if let Some(place) = self.free() {
            return Some(place);
        }
        let _in_line = self.line.try_acquire().ok()?;
        let place = Arc::clone(&self.work).acquire_owned();
        tokio::time::timeout(self.patience, place).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places whose line is never, or at once, left.
    fn places(many: usize, patience: Duration) -> Arc<Places> {
        let places = Places::new(many);
        Arc::new(Places { patience, ..places })
    }

    fn run(test: impl Future<Output = ()>) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all();
        runtime.build().unwrap().block_on(test);
    }

    #[test]
    fn what_finds_no_place_waits_in_a_line_that_has_an_end() {
        run(async {
            let places = places(1, Duration::from_hours(1));
            let held = places.take().await.unwrap();
            assert!(places.free().is_none());
            let ask = |_| {
                let places = Arc::clone(&places);
                tokio::spawn(async move { places.take().await.is_some() })
            };
            let waiting: Vec<_> = (0..WAITING).map(ask).collect();
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert!(waiting.iter().all(|one| !one.is_finished()));
            assert!(places.take().await.is_none(), "the line is full");
            drop(held);
            // Each goes on when the one before it is done.
            for one in waiting {
                assert!(one.await.unwrap());
            }
            assert!(places.take().await.is_some());
        });
    }

    #[test]
    fn nobody_waits_longer_than_that() {
        run(async {
            let places = places(1, Duration::ZERO);
            let held = places.take().await.unwrap();
            assert!(places.take().await.is_none());
            drop(held);
            assert!(places.take().await.is_some());
            // Where there are no places there is no line.
            assert!(Places::new(0).take().await.is_none());
        });
    }
}
