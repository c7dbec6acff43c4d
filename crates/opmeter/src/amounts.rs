//! Amounts on the command line: shares, and numbers with a unit.

/// A share of a run.
///
/// # Errors
/// When it is none.
pub fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| "a share is a number above 0, and 1 at most".to_owned())
}

/// A number of events.
///
/// # Errors
/// When it is none.
pub fn events(text: &str) -> Result<u64, String> {
    scaled(text, 1000).ok_or_else(|| "a number of events is 1 or more, such as 500000, 500K or 2G".to_owned())
}

/// A number of bytes.
///
/// # Errors
/// When it is none.
pub fn size(text: &str) -> Result<u64, String> {
    scaled(text, 1024)
        .ok_or_else(|| "a size is a number of bytes, 1 or more, such as 500000, 500K or 2G".to_owned())
}

/// A number that may end with a unit: a power of `step`.
fn scaled(text: &str, step: u64) -> Option<u64> {
    let power = ["K", "M", "G", "T"].iter().position(|unit| text.to_uppercase().ends_with(unit));
    let digits = if power.is_some() { &text[..text.len() - 1] } else { text };
    let factor = step.checked_pow(power.map_or(0, |power| power as u32 + 1))?;
    digits.parse::<u64>().ok()?.checked_mul(factor).filter(|number| *number > 0)
}
