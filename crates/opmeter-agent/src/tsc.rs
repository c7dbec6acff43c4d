//! The time-stamp counter.

use std::arch::x86_64::{__cpuid, _rdtsc};

/// The counter's present value.
pub fn now() -> u64 {
    // SAFETY: every x86-64 processor has it; a system that forbids it was refused.
    unsafe { _rdtsc() }
}

/// Why the counter can't be used for times, if it can't.
pub fn problem() -> Option<&'static str> {
    const ADVANCED_POWER_MANAGEMENT: u32 = 0x8000_0007;
    const INVARIANT: u32 = 1 << 8;
    let mut mode = 0i32;
    // SAFETY: writes to the variable that is passed.
    let asked = unsafe { libc::prctl(libc::PR_GET_TSC, &raw mut mode) };
    if asked == 0 && mode != libc::PR_TSC_ENABLE {
        return Some("this process may not read the time-stamp counter (PR_SET_TSC)");
    }
    let leaf = __cpuid(0x8000_0000).eax;
    if leaf < ADVANCED_POWER_MANAGEMENT || __cpuid(ADVANCED_POWER_MANAGEMENT).edx & INVARIANT == 0 {
        return Some(
            "the time-stamp counter of this machine's processor does not run at a constant rate (no \
             invariant TSC), so that it can't tell times",
        );
    }
    None
}

/// The system's monotonic clock in nanoseconds, not slewed.
pub fn nanoseconds() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to the variable that is passed.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_RAW, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The counter and [`nanoseconds`] at the same moment, as nearly as it goes.
pub fn both_clocks() -> (u64, u64) {
    let once = |_| {
        let before = now();
        let nanoseconds = nanoseconds();
        let took = now().wrapping_sub(before);
        (took, before.wrapping_add(took / 2), nanoseconds)
    };
    // The system may take the processor away in between.
    let (_, cycles, nanoseconds) = (0..3).map(once).min().unwrap_or_default();
    (cycles, nanoseconds)
}

/// Core cycles per 1024 cycles of the counter, as the processor runs now: additions that wait for one another
/// take one core cycle each.
pub fn core_ratio() -> u64 {
    const ADDITIONS: u64 = 20_000;
    let once = || {
        let start = now();
        let mut sum = 0u64;
        for _ in 0..ADDITIONS / 20 {
            // SAFETY: adds to a register.
            unsafe {
                std::arch::asm!(
                    ".rept 20", "add {0}, {0}", ".endr", inout(reg) sum,
                    options(nomem, nostack)
                );
            }
        }
        std::hint::black_box(sum);
        now().wrapping_sub(start)
    };
    let fastest = (0..5).map(|_| once()).min().unwrap_or(ADDITIONS);
    ADDITIONS * 1024 / fastest.max(1)
}

/// Cycles that reading the counter takes where nothing else is done, times 1024.
pub fn back_to_back() -> u64 {
    const READINGS: u64 = 1024;
    let once = || {
        let start = now();
        let last = (0..READINGS).fold(0, |_, _| std::hint::black_box(now()));
        last.wrapping_sub(start)
    };
    (0..5).map(|_| once()).min().unwrap_or(0) * 1024 / READINGS
}
