use std::io::{self, Write};

use maud::html;
use serde::{Serialize, Serializer};

/// The largest whole number up to which a script's numbers are exact.
const EXACT: u128 = (1 << 53) - 1;

/// A count as a page's script reads it: a number as long as that is exact, and digits in a text beyond that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count(pub u128);

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match u64::try_from(self.0) {
            Ok(number) if self.0 <= EXACT => serializer.serialize_u64(number),
            _ => serializer.collect_str(&self.0),
        }
    }
}

/// Writes data for the script, in an element that no browser executes. Nothing in it can end the element: `<` only
/// stands within texts, and is written as an escape.
pub(crate) fn write_data(out: &mut dyn Write, id: &str, data: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string(data)?.replace('<', "\\u003c");
    let element = html! { script type="application/json" id=(id) { (maud::PreEscaped(json)) } };
    writeln!(out, "{}", element.into_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_can_not_end_the_element() {
        let mut out = Vec::new();
        write_data(&mut out, "d", &["</script><script>alert(1)</script>", "<!--", "\"\\"]).unwrap();
        let out = String::from_utf8(out).unwrap();
        let json = out.strip_prefix("<script type=\"application/json\" id=\"d\">").unwrap();
        let json = json.strip_suffix("</script>\n").unwrap();
        assert!(!json.contains('<'), "{json}");
        let texts: Vec<String> = serde_json::from_str(json).unwrap();
        assert_eq!(texts, ["</script><script>alert(1)</script>", "<!--", "\"\\"]);
    }

    #[test]
    fn counts_stay_exact_beyond_a_scripts_numbers() {
        let counts = [0, EXACT, EXACT + 1, u128::MAX].map(Count);
        let json = serde_json::to_string(&counts).unwrap();
        assert_eq!(
            json,
            "[0,9007199254740991,\"9007199254740992\",\"340282366920938463463374607431768211455\"]"
        );
    }
}
