//! Links the agent so that it also loads beside an older C library than the one it is built with.
//! `src/old_libc.rs` says how.

fn main() {
    for symbol in [
        "dladdr",
        "dlsym",
        "fstat64",
        "pthread_key_create",
        "pthread_key_delete",
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
    println!("cargo:rerun-if-changed=build.rs");
}
