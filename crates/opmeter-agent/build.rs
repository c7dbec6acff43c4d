//! Links the agent so that it also loads beside an older C library than the one it is built with, and brings no
//! library into a program that would not be there without it. `src/old_libc.rs` and `src/unwinder.rs` say how.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    for symbol in [
        "__pthread_key_create",
        "_dl_find_object",
        "dladdr",
        "dlsym",
        "fstat64",
        "pthread_getspecific",
        "pthread_key_create",
        "pthread_key_delete",
        "pthread_once",
        "pthread_setspecific",
        "stat64",
    ] {
        println!("cargo:rustc-cdylib-link-arg=-Wl,--wrap={symbol}");
    }
    // Before 2.34 these functions were in libraries of their own.
    println!("cargo:rustc-cdylib-link-arg=-Wl,--no-as-needed");
    for library in ["libdl.so.2", "libpthread.so.0"] {
        println!("cargo:rustc-cdylib-link-arg=-l:{library}");
    }
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    if let Err(error) = link_unwinder(&folder) {
        println!("cargo:warning=the agent needs libgcc_s.so.1 at run time: {error}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}

/// Has the linker take the unwinder that comes with the compiler as a part of the agent, where the standard library
/// asks for `libgcc_s`, which is a library of its own.
fn link_unwinder(folder: &Path) -> Result<(), String> {
    let compiler = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    for library in ["libgcc_eh.a", "libgcc.a"] {
        let output = Command::new(&compiler).arg(format!("-print-file-name={library}")).output();
        let output = output.map_err(|error| format!("{} can't be run: {error}", compiler.display()))?;
        // It answers with the name alone where it has no such file.
        if !Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_absolute() {
            return Err(format!("{} has no {library}", compiler.display()));
        }
    }
    // Linkers read a text in a library's place as a script.
    let script = "GROUP ( libgcc_eh.a libgcc.a )\n";
    fs::write(folder.join("libgcc_s.so"), script).map_err(|error| error.to_string())?;
    println!("cargo:rustc-link-search=native={}", folder.display());
    Ok(())
}
