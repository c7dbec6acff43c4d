/// Names how many times as many cases are tried: `OPMETER_TEST_DAMAGE=100` takes some minutes.
const VARIABLE: &str = "OPMETER_TEST_DAMAGE";

/// So many cases, or as many times more as the environment asks for.
pub fn cases(usual: usize) -> usize {
    let times = std::env::var(VARIABLE).ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    usual.saturating_mul(times)
}
