//! Ending early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Ctrl-C and SIGTERM: the first ends the work after the files in hand, the second at once; what is
/// committed stays whole.
pub(crate) struct Stop(Arc<AtomicUsize>);

impl Stop {
    pub(crate) fn on_signals() -> Self {
        let number = Arc::new(AtomicUsize::new(0));
        let again = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // The exit first: it looks at what an earlier signal set.
            let value = usize::try_from(signal).unwrap_or(2);
            let _ = signal_hook::flag::register_conditional_shutdown(
                signal,
                128 + signal,
                Arc::clone(&again),
            );
            let _ = signal_hook::flag::register(signal, Arc::clone(&again));
            let _ = signal_hook::flag::register_usize(signal, Arc::clone(&number), value);
        }
        Self(number)
    }
    /// The signal that came.
    pub(crate) fn signal(&self) -> Option<u8> {
        u8::try_from(self.0.load(Ordering::SeqCst))
            .ok()
            .filter(|n| *n > 0)
    }
}
