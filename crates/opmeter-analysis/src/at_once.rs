use std::panic::resume_unwind;
use std::thread;

/// What `work` makes of each number below `count`, in their order: in threads of their own, or in turn here where the
/// system has no room for one.
pub fn at_once<R: Send>(count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let work = &work;
    thread::scope(|scope| {
        let begin = |number| thread::Builder::new().spawn_scoped(scope, move || work(number));
        let threads: Vec<_> = (1..count).map(begin).collect();
        let first = (count > 0).then(|| work(0));
        let others = (1..).zip(threads).map(|(number, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => work(number),
        });
        first.into_iter().chain(others).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_what_they_are_of() {
        assert_eq!(at_once(5, |number| number * 10), [0, 10, 20, 30, 40]);
        assert!(at_once(0, |number| number).is_empty());
    }
}
