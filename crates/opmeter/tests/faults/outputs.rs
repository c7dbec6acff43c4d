//! Recordings that can't be written, or are gone.

use std::path::Path;
use std::process::{Command, Output};

use crate::both::{OPMETER, metered, shell};
use crate::interpreters::{any, one_of_each_version};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_folder_that_cannot_be_written_to_is_said_before_the_program_runs() {
    let folder = tempfile::tempdir().unwrap();
    let python = any().path.display();
    // Nobody can write there, the superuser included.
    for place in ["/proc/out.opm", "/sys/out.opm", "/dev/null/out.opm"] {
        let script = format!("exec {OPMETER} record -o {place} -- {python} -c 'print(1)'");
        let output = shell(folder.path(), &script).output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{}", said(&output));
        assert!(said(&output).contains(place) && !said(&output).contains("panicked"), "{}", said(&output));
    }
}

#[test]
fn an_output_that_is_deleted_in_mid_run_harms_no_program() {
    let program = "
import os, shutil, sys, subprocess, threading
def turns():
    for i in range(1000): exec('x = 1')
turns()
for name in os.listdir('.'):
    if name.endswith('.opm') or '.opm' in name: shutil.rmtree(name)
turns()
thread = threading.Thread(target=turns); thread.start(); thread.join()
if os.fork() == 0:
    turns(); os._exit(3)
status = os.wait()[1]
print(os.WEXITSTATUS(status), subprocess.call([sys.executable, '-c', 'print(5)']), flush=True)
sys.exit(4)
";
    for interpreter in one_of_each_version() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("program.py"), program).unwrap();
        let output = metered(interpreter, folder.path(), "exec $RUN program.py");
        let text = said(&output);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "5\n3 0\n", "{text}");
        assert!(!text.contains("panicked") && !text.contains("Traceback"), "{text}");
        // Either it was written anew, or it is said that it could not be.
        let written = folder.path().join("out.opm/manifest.json").exists();
        assert!(written || text.contains("out.opm"), "{text}");
        assert!(output.status.code() == Some(4) || !written, "{:?} {text}", output.status);
    }
}

/// A file system with so many bytes of room at `path`; none where that can't be made, with a message.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn new(path: &'a Path, size: &str) -> Option<Self> {
        std::fs::create_dir(path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(path)
            .output();
        let is_mounted = mounted.is_ok_and(|output| output.status.success());
        if !is_mounted {
            eprintln!("not tested: file systems can't be mounted here");
        }
        is_mounted.then_some(Self(path))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_is_told_and_the_program_runs_to_its_end() {
    let program =
        "import json, logging, argparse\nfor i in range(3000): exec('x = %d' % i)\nprint(sum(range(9)))";
    let sizes = ["16k", "64k", "256k", "1m", "2m", "4m", "16m"];
    for (place, interpreter) in one_of_each_version().into_iter().enumerate() {
        for (options_place, options) in ["", "--pairs", "--time", "--events"].into_iter().enumerate() {
            // Other sizes for each interpreter and option; all of them over all.
            for size in sizes.iter().skip((place + options_place) % 3).step_by(3) {
                let folder = tempfile::tempdir().unwrap();
                let disk = folder.path().join("disk");
                let Some(_disk) = SmallDisk::new(&disk, size) else { return };
                let python = interpreter.path.display();
                let script = format!(
                    "exec {OPMETER} record {options} --quiet -o disk/out.opm -- {python} -B -c \"{program}\""
                );
                let output = shell(folder.path(), &script).output().unwrap();
                let text = format!("{python} {size} {options}: {}", said(&output));
                assert!(!text.contains("panicked"), "{text}");
                if output.status.code() == Some(125) && output.stdout.is_empty() {
                    // It could not even begin; that is told.
                    assert!(said(&output).lines().count() >= 1, "{text}");
                    continue;
                }
                assert_eq!(String::from_utf8_lossy(&output.stdout), "36\n", "{text}");
                let report = Command::new(OPMETER).arg("report").arg(disk.join("out.opm")).output().unwrap();
                let reported = String::from_utf8([report.stdout, report.stderr].concat()).unwrap();
                assert!(!reported.contains("panicked"), "{text}: {reported}");
                // What there was no room for is told by the command, or the recording; or all is there.
                let all = output.status.success() && report.status.success();
                assert!(all || !said(&output).is_empty(), "{text} {reported}");
            }
        }
    }
}
