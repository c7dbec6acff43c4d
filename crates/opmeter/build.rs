//! Builds the agent, a shared library of its own, so that the command can carry it inside.

use std::env;
use std::hash::{DefaultHasher, Hasher};
use std::path::PathBuf;
use std::process::Command;

fn main() {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let agent = manifest.join("../opmeter-agent");
    for dependency in ["opmeter-agent", "opmeter-code", "opmeter-files", "opmeter-live", "opmeter-opcodes"] {
        println!("cargo:rerun-if-changed={}", manifest.join("..").join(dependency).display());
    }
    // A target folder of its own: the outer build holds the lock of the other one.
    let target = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("agent");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--lib", "--target-dir"])
        .arg(&target)
        .arg("--manifest-path")
        .arg(agent.join("Cargo.toml"))
        .env("CARGO_PROFILE_RELEASE_STRIP", "true")
        // What checks the command's own code (clippy, a coverage tool) has no part in the agent.
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("building the agent failed: {status}"),
        Err(error) => panic!("cargo could not be run to build the agent: {error}"),
    }
    let library = target.join("release/libopmeter_agent.so");
    println!("cargo:rustc-env=OPMETER_AGENT_LIBRARY={}", library.display());
    let mut hasher = DefaultHasher::new();
    hasher.write(&std::fs::read(&library).expect("the agent was just built"));
    println!("cargo:rustc-env=OPMETER_AGENT_HASH={:016x}", hasher.finish());
}
