//! The meter inside the interpreter's process.
//!
//! Preloaded into every process of the command under measurement, it does nothing in one that is no
//! CPython. In CPython it finds the dispatch table, points its entries at small generated stubs that
//! count, and lets the interpreter run. It is silent: what it has to say stands in the live file.

mod activations;
mod address_space;
mod assembler;
mod capi;
mod cell_index;
mod cells;
mod clock;
mod code_members;
mod code_object;
mod code_store;
mod control;
mod counter_file;
mod discovery;
mod dispatch_table;
mod entry;
mod environment;
mod event_stream;
mod exec;
mod executable;
mod executable_memory;
mod fork;
mod frames;
mod gate;
mod growing_file;
mod guarded;
mod interpreter;
mod live;
#[cfg(test)]
mod memory_image;
mod meter;
mod module;
mod old_libc;
mod pairs;
mod phase;
mod rare;
mod readability;
mod registry;
mod reserve;
mod ring;
mod sites;
mod slices;
mod slot_file;
mod stub;
mod switch_table;
mod thread;
mod thread_room;
mod times;
mod tsc;
mod unwinder;
mod valgrind;
