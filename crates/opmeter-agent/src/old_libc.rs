//! An interpreter may run with a C library older than the one that the agent was linked with, for
//! instance one unpacked from an older release. The loader ends a program whose preloaded library asks
//! for versions of symbols that are not there. The GNU C library 2.33 and 2.34 gave these functions new
//! versions without changing them, so the agent asks for the old ones: the linker is told (`build.rs`) to
//! lead each use of a function to the one here, which jumps to the version of 2.2.5.

use std::arch::global_asm;

macro_rules! version_2_2_5 {
    ($($name:literal)*) => {
        $(global_asm!(
            concat!(".symver old_", $name, ", ", $name, "@GLIBC_2.2.5"),
            concat!(".globl __wrap_", $name),
            concat!(".hidden __wrap_", $name),
            concat!(".type __wrap_", $name, ", @function"),
            concat!("__wrap_", $name, ":"),
            concat!("jmp old_", $name, "@PLT"),
        );)*
    };
}

version_2_2_5! {
    "__pthread_key_create" "dladdr" "dlsym" "pthread_getspecific" "pthread_key_create" "pthread_key_delete"
    "pthread_once" "pthread_setspecific"
}

// Before 2.33 `stat` and `fstat` called these, with the version of the structure first: 1 on x86-64.
macro_rules! with_structure_version {
    ($($name:literal $old:literal)*) => {
        $(global_asm!(
            concat!(".symver old_", $old, ", ", $old, "@GLIBC_2.2.5"),
            concat!(".globl __wrap_", $name),
            concat!(".hidden __wrap_", $name),
            concat!(".type __wrap_", $name, ", @function"),
            concat!("__wrap_", $name, ":"),
            "mov rdx, rsi",
            "mov rsi, rdi",
            "mov edi, 1",
            concat!("jmp old_", $old, "@PLT"),
        );)*
    };
}

with_structure_version! { "stat64" "__xstat64" "fstat64" "__fxstat64" }
