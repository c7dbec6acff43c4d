use std::fs;
use std::time::Duration;

use rustix::process::Pid;

/// The unit of a process's times in its `stat`, in nanoseconds: a hundredth of a second on x86-64.
const TICK: u64 = 10_000_000;

/// How long a process has waited for a processor while others ran there. It may have ended, but not have been
/// waited for.
///
/// Nothing where that says no more about others: where the process ran on several threads, or had processes of its
/// own, it may itself have been what was waited for.
pub(crate) fn of(pid: Pid) -> Duration {
    let pid = pid.as_raw_nonzero();
    let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
    waited(&read("schedstat"), &read("stat")).unwrap_or_default()
}

fn waited(schedstat: &str, stat: &str) -> Option<Duration> {
    // Of the first thread: nanoseconds that it ran, and that it was to run and did not.
    let mut times = schedstat.split_whitespace().map(|time| time.parse::<u64>().ok());
    let (ran, waited) = (times.next()??, times.next()??);
    // The name of the program may hold anything; from then on, user and system time are 12th and 13th, those of
    // its children 14th and 15th.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut ticks = fields.split_whitespace().skip(11).map(|ticks| ticks.parse::<u64>().ok());
    let own = ticks.next()?? + ticks.next()??;
    let children = ticks.next()?? + ticks.next()??;
    let alone = children == 0 && own * TICK <= ran / 20 * 21 + 2 * TICK;
    alone.then(|| Duration::from_nanos(waited))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_told_of_a_single_thread_without_children() {
        let stat = |own: u64, children: u64| {
            format!("7 (a ) b) Z 1 7 7 0 -1 4 1 0 0 0 {own} 0 {children} 0 20 0 1 0")
        };
        let wait = |own, children| waited("361472822 453220481 224\n", &stat(own, children));
        assert_eq!(wait(35, 0), Some(Duration::from_nanos(453_220_481)));
        assert_eq!(wait(35, 1), None);
        assert_eq!(wait(70, 0), None);
        assert_eq!(waited("", ""), None);
    }
}
