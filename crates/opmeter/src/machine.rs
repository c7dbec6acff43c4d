//! What machine this is.

use std::fs;

use opmeter_recording::Machine;

/// Describes the machine.
pub fn describe() -> Machine {
    let name = rustix::system::uname();
    let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    Machine {
        hostname: text(name.nodename()),
        cpu: model.unwrap_or("unknown").trim().to_owned(),
        cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32),
        kernel: format!("{} {}", text(name.sysname()), text(name.release())),
    }
}
