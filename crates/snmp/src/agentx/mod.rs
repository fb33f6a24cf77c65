//! AgentX (RFC 2741): a UPS behind an SNMP agent of another program, such as Debian's snmpd, which lends its SNMPv3.
//!
//! * `wire`: numbers, texts and names as they stand in a packet; `packet` is a whole one.
//! * `answer`: a question of the master and what is answered.
//! * [`session`]: from the greeting to the end of a connection.

mod answer;
mod packet;
pub mod session;
#[cfg(test)]
mod tests;
mod wire;

pub use packet::LONGEST_PACKET;
pub use session::{AgentxEvent, AgentxFault, AgentxSession};
