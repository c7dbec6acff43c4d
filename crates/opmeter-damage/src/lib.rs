//! Damaged files, made from whole ones by a seed, and a place to read them where memory and time are limited.

mod cases;
mod damage;
mod isolated;
pub mod samples;

pub use cases::cases;
pub use damage::{Damage, EXTREMES};
pub use isolated::{Case, isolated};
