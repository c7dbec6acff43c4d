//! `opmeter synthesize`

use std::fs;

use crate::templates::{FAR, Templates, template};

#[test]
fn programs_are_written_over_the_range_with_both_borders() {
    let body = "if N < 3 or N > 2000: raise ValueError\nprint('ä', N)";
    let templates = Templates::new(&[("odd.py", &template(body))]);
    let ran = templates.run(&["synthesize", "odd.py", "--count", "10", FAR]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("searching the range of odd.py"), "{ran:?}");
    let files = templates.files("odd-programs");
    assert_eq!(files.len(), 11);
    assert_eq!(
        (&*files[0], &*files[9], &*files[10]),
        ("odd-n000003.py", "odd-n002000.py", "synthesized.toml")
    );
    let source = fs::read_to_string(templates.path("odd-programs/odd-n000003.py")).unwrap();
    assert!(source.ends_with("print('ä', 3)\n"), "{source}");

    // The range is known now, and what is there is left.
    let listed = fs::read_to_string(templates.path("odd-programs/synthesized.toml")).unwrap();
    let row = listed.split("[\"odd-n002000.py\"]").nth(1).unwrap();
    assert!(row.contains("template = \"odd.py\"") && row.contains("n = 2000\n") && row.contains("sha256 = "));
    let ran = templates.run(&["synthesize", "odd.py", "--count", "10"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(!ran.stderr.contains("searching") && ran.stdout.contains("10 there already"), "{ran:?}");
    assert_eq!(fs::read_to_string(templates.path("odd-programs/synthesized.toml")).unwrap(), listed);

    // What differs is not.
    fs::write(templates.path("odd-programs/odd-n000003.py"), "mine\n").unwrap();
    let ran = templates.run(&["synthesize", "odd.py", "--count", "10"]);
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.contains("odd-n000003.py exists") && ran.stderr.contains("--force"), "{ran:?}");
    let ran = templates.run(&["synthesize", "odd.py", "--count", "10", "--force"]);
    assert!(ran.stdout.contains("1 replaced, 9 there already"), "{ran:?}");

    // A range of another target or content is searched anew.
    let ran = templates.run(&["synthesize", "odd.py", "--target", "50"]);
    assert!(ran.stderr.contains("searching"), "{ran:?}");
    assert_eq!(templates.entry("odd.py").target_seconds, 50.0);
    fs::write(templates.path("odd.py"), template("if N > 4: raise ValueError")).unwrap();
    let ran = templates.run(&["synthesize", "odd.py", "-o", "few", FAR]);
    assert!(ran.stderr.contains("searching"), "{ran:?}");
    assert!(ran.stdout.contains("4 programs, n = 1 to 4; the range holds no 20 sizes"), "{ran:?}");
    assert_eq!(templates.files("few").len(), 5);
}

#[test]
fn given_ends_need_no_range() {
    let templates = Templates::new(&[
        ("a.py", &template("print(N)")),
        ("b.py", &template("print(-N)")),
        ("picky.py", "def program(n):\n    return 'pass' if n < 40 else 'x = = 1'\n"),
    ]);
    let ends = ["--min", "10", "--max", "50", "--count", "5", "--spacing", "linear"];
    let ran = templates.run(&[&["synthesize", "a.py", "b.py", "-o", "all"][..], &ends].concat());
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let names: Vec<String> = ["a", "b"]
        .iter()
        .flat_map(|stem| [10, 20, 30, 40, 50].map(|n| format!("{stem}-n{n:06}.py")))
        .chain(["synthesized.toml".to_owned()])
        .collect();
    assert_eq!(templates.files("all"), names);
    assert!(!templates.path("range.toml").exists());

    let ran = templates.run(&[&["synthesize", "picky.py"][..], &ends].concat());
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.contains("no program for n = 40") && ran.stderr.contains("SyntaxError"), "{ran:?}");
    assert!(!templates.path("picky-programs").exists());

    // Two templates of one name can't share a folder.
    fs::create_dir(templates.path("other")).unwrap();
    fs::write(templates.path("other/a.py"), template("print(2 * N)")).unwrap();
    let ran = templates.run(&[&["synthesize", "a.py", "other/a.py", "-o", "both"][..], &ends].concat());
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("would come from both"), "{ran:?}");
}

#[test]
fn a_template_without_a_range_gives_no_programs_but_of_given_ends() {
    let templates = Templates::new(&[("never.py", &template("print(N)"))]);
    let ran = templates.run(&["synthesize", "never.py", FAR]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("no largest n was found: never slow"), "{ran:?}");
    let ran = templates.run(&["synthesize", "never.py", "--max", "30", FAR]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(templates.files("never-programs").len(), 21);
}
