//! Names and sources that would like to be markup.

use std::fs;

use crate::browser::Browser;
use crate::folder::{Folder, shown_lines};

#[test]
fn names_and_sources_of_a_program_run_nothing() {
    let name = "<img src=x onerror=alert(1)>.py";
    let attack = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=2>";
    let program = format!(
        "# -*- coding: latin-1 -*- \u{1}
# {attack} <!-- <script> ]]> \u{fffd}
import sys
def f(x):
    return x + 1  # <!--
for i in range(10):
    f(i)
names = {{}}
exec(compile('def g(x):\\n    return x\\nfor i in range(10): g(i)', {attack:?}, 'exec'), names)
if hasattr(f.__code__, 'replace'):
    code = {{'co_name': {attack:?}}}
    if sys.version_info >= (3, 11):
        code['co_qualname'] = {attack:?}
    f.__code__ = f.__code__.replace(**code)
    for i in range(5):
        f(i)
"
    );
    // Bytes that are no UTF-8, a line separator, and what turns the order of texts around.
    let program = program.replace('\u{fffd}', "\u{2028}\u{202e}");
    let mut program = program.into_bytes();
    let place = program.iter().position(|byte| *byte == 1).unwrap();
    program[place] = 0xe9;
    let folder = Folder::new();
    folder.record("a.opm", &[], name, &program, &[attack, "&lt;", "\u{202e}"]);
    fs::rename(folder.path("a.opm"), folder.path("<b onclick=alert(1)>.opm")).unwrap();
    let page = folder.page(&["<b onclick=alert(1)>.opm"]);
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);
    shown_lines(&mut browser);
    browser.click("button.open-all");
    assert_eq!(browser.evaluate("typeof window.hacked"), "undefined");
    assert_eq!(browser.evaluate("document.querySelectorAll('img, b, iframe, object').length"), 0);
    assert_eq!(browser.evaluate("document.querySelectorAll('script:not([type])').length"), 1);
    let all = browser.text("document.body.innerText");
    assert!(all.contains(attack), "the names are shown as they are");
    assert!(all.contains(name));
    let source = browser.text("document.querySelector('[data-line=\"2\"] .text').textContent");
    assert_eq!(source, format!("# {attack} <!-- <script> ]]> \\u{{2028}}\\u{{202e}}"));
    let first = browser.text("document.querySelector('[data-line=\"1\"] .text').textContent");
    assert_eq!(first, "# -*- coding: latin-1 -*- \u{fffd}");
    assert!(browser.text("document.querySelector('.command').textContent").contains("\\u{202e}"));
    browser.assert_quiet(&page);
    // The other wall: what got in all the same would not run.
    browser.evaluate(
        "(() => { const it = document.createElement('script'); it.textContent = 'window.hacked = 3'; \
         document.body.append(it); })()",
    );
    assert_eq!(browser.evaluate("typeof window.hacked"), "undefined");
}
