//! Runs work on several processors.

use std::thread;

/// How many processors this process may use.
pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Runs `work` on each item on a thread of its own. The result is `None` if the thread could not be started or panicked.
pub(crate) fn side_by_side<I: Send, T: Send>(
    name: &str,
    items: &mut [I],
    work: impl Fn(&mut I) -> T + Sync,
) -> Vec<Option<T>> {
    let work = &work;
    thread::scope(|scope| {
        let start = |item| thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, move || work(item));
        let workers: Vec<_> = items.iter_mut().map(start).collect();
        workers.into_iter().map(|worker| worker.ok()?.join().ok()).collect()
    })
}
