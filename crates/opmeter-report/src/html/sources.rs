use maud::{Markup, html};

use super::Recorded;

/// Where the script builds the source view of a recording. What it shows stands in data elements at the page's end.
pub(crate) fn part(place: usize, recorded: &Recorded<'_>) -> Markup {
    if recorded.annotations.files().len() == 0 {
        return html! {
            p {
                "No source file of the program's own ran in what is shown; " code { "--all-files" }
                " shows those of the standard library and of installed packages."
            }
        };
    }
    html! {
        p.without-script {
            "The source view needs this page's own script, which this browser does not run. "
            code { "opmeter annotate" } " shows the same in a terminal."
        }
        div.viewer data-recording=(place) {}
    }
}
