use std::panic::resume_unwind;
use std::thread;

/// Does two things at the same time; one after the other, where the system has no room for a thread.
pub(crate) fn side_by_side<A: Send, B>(first: impl Fn() -> A + Sync, second: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| match thread::Builder::new().spawn_scoped(scope, &first) {
        Ok(thread) => {
            let second = second();
            (thread.join().unwrap_or_else(|panic| resume_unwind(panic)), second)
        }
        Err(_) => {
            let second = second();
            (first(), second)
        }
    })
}
