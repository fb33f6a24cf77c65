//! Lives of a driver with a UPS that is odd but honest, in virtual time; the judge knows the world.
#![allow(dead_code, missing_docs)]

pub mod bench;
pub mod bounds;
pub mod draw;
pub mod draw_orders;
pub mod draw_rests;
pub mod finding;
pub mod judge;
pub mod life;
pub mod orders;
pub mod power;
pub mod shrink;
pub mod unit;
pub mod wants;
