//! Owns the threads on which an update computes.
//!
//! Must not know what is computed. candle shares every matrix product out among the threads of the rayon pool that it
//! is called from. Products as small as ours gain nothing from that, and where the second thread is busy with something
//! else each of them waits for it: several times slower in all. So a pool here has one thread, a minibatch is cut into
//! shares that know nothing of each other, and each share stays on one thread from its first product to its last. How
//! it is cut does not depend on how many threads there are, and so neither does the sum.

use std::sync::LazyLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// As many pools as rayon would have threads (`RAYON_NUM_THREADS`, or one for each core).
static LANES: LazyLock<Vec<ThreadPool>> = LazyLock::new(|| {
    let lane = |_| ThreadPoolBuilder::new().num_threads(1).thread_name(|_| "learner".into()).build();
    (0..rayon::current_num_threads()).map_while(|at| lane(at).ok()).collect()
});

/// The results of `work(0)` to `work(count - 1)`, in order.
pub(super) fn each<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (lanes, work) = (LANES.len().min(count), &work);
    if lanes == 0 {
        return (0..count).map(work).collect();
    }
    let of_lane = |lane: usize| LANES[lane].install(|| (lane..count).step_by(lanes).map(work).collect::<Vec<T>>());
    let mut results: Vec<std::vec::IntoIter<T>> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..lanes).map(|lane| scope.spawn(move || of_lane(lane))).collect();
        let own = of_lane(0);
        let join = |thread: std::thread::ScopedJoinHandle<'_, Vec<T>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        std::iter::once(own).chain(others.into_iter().map(join)).map(Vec::into_iter).collect()
    });
    (0..count).filter_map(|at| results[at % lanes].next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        for count in [0, 1, 2, 7] {
            assert_eq!(each(count, |at| at * at), (0..count).map(|at| at * at).collect::<Vec<_>>());
        }
    }
}
