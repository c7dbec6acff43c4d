use opmeter_analysis::TimeSum;

/// A whole number with a comma between groups of three digits: `1,234,567`.
pub(crate) fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A whole number with its sign: `+1,234`, `-5`, `0`.
pub(crate) fn signed(number: i128) -> String {
    let sign = match number.signum() {
        1 => "+",
        -1 => "-",
        _ => "",
    };
    sign.to_owned() + &grouped(number.unsigned_abs())
}

/// By how many percent something grew, with two decimals and its sign: `+12.34`.
pub(crate) fn signed_percent(percent: f64) -> String {
    // What is next to nothing is not nothing.
    let least = if percent == 0.0 { 0.0 } else { 0.01_f64.copysign(percent) };
    let shown = if percent.abs() < 0.005 { least } else { percent };
    let text = format!("{:.2}", shown.abs());
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    let sign = if shown == 0.0 {
        ""
    } else if shown < 0.0 {
        "-"
    } else {
        "+"
    };
    let about = if percent != 0.0 && percent.abs() < 0.005 { "<" } else { "" };
    format!("{about}{sign}{whole}.{decimals}")
}

/// A share from 0 to 1 in percent, with two decimals and no sign: `12.34`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.2}", share * 100.0)
}

/// Nanoseconds in milliseconds, with a microsecond's precision at most: `1,234.567`.
pub(crate) fn milliseconds(nanoseconds: u128) -> String {
    let microseconds = (nanoseconds + 500) / 1000;
    format!("{}.{:03}", grouped(microseconds / 1000), microseconds % 1000)
}

/// What each of so many executions took, in nanoseconds: `12.3`.
pub(crate) fn each(nanoseconds: u128, executions: u128) -> String {
    if executions == 0 {
        return String::new();
    }
    let tenths = (nanoseconds as f64 / executions as f64 * 10.0).round() as u128;
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}

/// The relative standard error of a time in percent: `± 1.2`; nothing where there is no time.
pub(crate) fn error_of(time: &TimeSum) -> String {
    match time.relative_error() {
        Some(error) if error < 9.995 => format!("± {:.1}", error * 100.0),
        Some(_) => "± > 999".to_owned(),
        None => String::new(),
    }
}

/// A number with so many decimals that `like` has four significant digits or more: `1,234`, `12.34`, `0.001234`.
pub(crate) fn significant(number: f64, like: f64) -> String {
    let magnitude = if like == 0.0 { 0.0 } else { like.abs().log10().floor() };
    let decimals = (3.0 - magnitude).clamp(0.0, 9.0) as usize;
    let text = format!("{number:.decimals$}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

/// A number with its noun: `1 process`, `2 processes`.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number as u128), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        let grouped = [0, 999, 1000, 123_456, 1_234_567].map(grouped);
        assert_eq!(grouped, ["0", "999", "1,000", "123,456", "1,234,567"]);
    }

    #[test]
    fn changes_have_signs() {
        assert_eq!([0, 1234, -1234].map(signed), ["0", "+1,234", "-1,234"]);
        let percents = [0.0, 12.346, -100.0, 123_456.0, 0.001, -0.001].map(signed_percent);
        assert_eq!(percents, ["0.00", "+12.35", "-100.00", "+123,456.00", "<+0.01", "<-0.01"]);
    }

    #[test]
    fn times_are_rounded() {
        assert_eq!([499, 500, 1_234_567_890].map(milliseconds), ["0.000", "0.001", "1,234.568"]);
        assert_eq!([each(10, 4), each(12_345_678, 1), each(7, 0)], ["2.5", "12,345,678.0", ""]);
        let time = |cycles_net_se| TimeSum { cycles_net: 1000, cycles_net_se, ..TimeSum::default() };
        assert_eq!([13, 9994, 9996].map(|se| error_of(&time(se))), ["± 1.3", "± 999.4", "± > 999"]);
        assert_eq!(error_of(&TimeSum::default()), "");
    }

    #[test]
    fn four_digits_say_enough() {
        let alone = [12345.67, 123.456, 1.23456, 0.001_234_56, 0.0, -12.345].map(|n| significant(n, n));
        assert_eq!(alone, ["12,346", "123.5", "1.235", "0.001235", "0.000", "-12.35"]);
        assert_eq!(significant(0.5, 1234.0), "0");
        assert_eq!(significant(1234.5, 0.5), "1,234.5000");
    }

    #[test]
    fn shares_are_rounded() {
        assert_eq!([0.0, 0.123_46, 1.0].map(percent), ["0.00", "12.35", "100.00"]);
    }
}
