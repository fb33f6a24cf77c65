//! Batteries and UPSes that keep to published tables, and what NUT makes of their volts.
#![allow(dead_code)]

pub mod cell;
pub mod nut;
pub mod porous;
pub mod sheets;
pub mod shepherd;
pub mod ups;
pub mod world;
