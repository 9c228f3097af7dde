//! Owns how many attempts may be under way at once: few at first, more while all is well, half as many whenever the
//! provider says that it has too much to do.
//!
//! Must not know what an attempt is. As TCP controls congestion (RFC 5681): each success admits one more attempt (so that
//! their number doubles in the time of one reply) until the provider is overloaded for the first time; from then on a
//! window's worth of successes admits one more. Several refusals of attempts that were under way together count once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// Attempts under way at the very start.
const START: usize = 8;

/// The window.
#[derive(Debug)]
pub(super) struct Window {
    /// A permit for each attempt that may start; those that were taken back while in use are owed.
    free: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Attempts at once, now.
    size: usize,
    /// Attempts at once, at most.
    most: usize,
    /// Permits to take out of use as attempts end.
    owed: usize,
    /// What successes have earned of the next permit.
    earned: f64,
    /// When it was halved last.
    halved: Option<Instant>,
}

impl Window {
    /// One that never admits more than `most` at once.
    pub(super) fn new(most: usize) -> Self {
        let size = most.clamp(1, START);
        let state = State { size, most: most.max(1), owed: 0, earned: 0.0, halved: None };
        Self { free: Semaphore::new(size), state: Mutex::new(state) }
    }

    /// Waits until another attempt may start, in the order of those who wait.
    pub(super) async fn enter(&self) -> Pass<'_> {
        let permit = self.free.acquire().await.expect("it is never closed");
        Pass { window: self, permit: Some(permit), since: Instant::now() }
    }

    /// Attempts at once, now.
    pub(super) fn size(&self) -> usize {
        self.state().size
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to make an attempt; it ends with the value.
pub(super) struct Pass<'a> {
    window: &'a Window,
    permit: Option<SemaphorePermit<'a>>,
    since: Instant,
}

impl Pass<'_> {
    /// The attempt succeeded.
    pub(super) fn succeeded(&self) {
        let mut state = self.window.state();
        if state.size == state.most {
            return;
        }
        state.earned += if state.halved.is_none() { 1.0 } else { 1.0 / state.size as f64 };
        if state.earned >= 1.0 {
            state.earned = 0.0;
            state.size += 1;
            if state.owed > 0 {
                state.owed -= 1;
            } else {
                self.window.free.add_permits(1);
            }
        }
    }

    /// The provider had too much to do for it.
    pub(super) fn refused(&self) {
        let mut state = self.window.state();
        // An attempt that started before the last halving says nothing new.
        if state.halved.is_some_and(|halved| self.since <= halved) {
            return;
        }
        let size = (state.size / 2).max(1);
        let surplus = state.size - size;
        state.owed += surplus - self.window.free.forget_permits(surplus);
        (state.size, state.earned, state.halved) = (size, 0.0, Some(Instant::now()));
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.window.state();
        if state.owed > 0 {
            state.owed -= 1;
            self.permit.take().expect("it is given back once").forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Attempts that may start now, all at once.
    async fn passes(window: &Window) -> Vec<Pass<'_>> {
        let mut passes = Vec::new();
        while let Ok(pass) = tokio::time::timeout(Duration::ZERO, window.enter()).await {
            passes.push(pass);
        }
        passes
    }

    #[tokio::test]
    async fn it_doubles_until_refused_halves_once_and_then_grows_by_one() {
        let window = Window::new(40);
        for size in [8, 16, 32, 40, 40] {
            let passes = passes(&window).await;
            assert_eq!((passes.len(), window.size()), (size, size));
            passes.iter().for_each(Pass::succeeded);
        }
        let all = passes(&window).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
        all.iter().for_each(Pass::refused);
        assert_eq!(window.size(), 20, "forty refusals of one window are one");
        drop(all);
        for size in [20, 21, 22] {
            let passes = passes(&window).await;
            assert_eq!(passes.len(), size);
            passes.iter().for_each(Pass::succeeded);
        }
        for size in [11, 5, 2, 1, 1] {
            tokio::time::sleep(Duration::from_millis(2)).await;
            let passes = passes(&window).await;
            passes[0].refused();
            assert_eq!(window.size(), size);
        }
        assert_eq!(passes(&window).await.len(), 1, "one at least");
    }

    #[tokio::test]
    async fn what_is_owed_is_paid_before_anybody_enters() {
        let window = Window::new(8);
        let mut all = passes(&window).await;
        all[0].refused();
        all.truncate(5);
        assert_eq!(passes(&window).await.len(), 0, "five are under way, four may be");
        all.truncate(3);
        assert_eq!(passes(&window).await.len(), 1);
        all[0].succeeded();
        drop(all);
        assert_eq!(passes(&window).await.len(), 4);
    }
}
