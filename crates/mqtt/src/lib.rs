#![forbid(unsafe_code)]
//! MQTT for a fleet of UPSes: what is published, and what a broker may order.
//!
//! * [`board`]: what a broker is to have: the last value of each topic, and what of that it has not got yet. There is no
//!   queue of messages: what changes before it was sent is sent once, as it is then.
//! * [`client`]: one connection after another to a broker, as a state machine: bytes and the time in, bytes out.
//! * [`topic`]: how topics are named. `discovery`: what Home Assistant is to know of a UPS.
//! * [`courier`]: one message on a connection of its own, acknowledged.
//! * [`command`]: which orders of a broker are followed.
//! * `packet`, `frames`: packets of MQTT 3.1.1 and 5 by `mqtt-proto`, each of a bounded length.
//!
//! No I/O, no clock: time is an argument, as the time since any moment.

pub mod board;
pub mod client;
pub mod command;
pub mod courier;
mod discovery;
mod fault;
mod frames;
mod json;
mod packet;
pub mod topic;

pub use board::FleetBoard;
pub use client::{BrokerSecret, MqttClient, MqttSettings};
pub use command::{AllowedCommands, BrokerOrder};
pub use fault::{MqttFault, MqttNote};
pub use packet::MqttVersion;
pub use topic::TopicTree;
