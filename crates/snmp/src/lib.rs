//! A UPS as SNMP managers see it: the UPS-MIB of RFC 1628, read only.
//!
//! * [`oid`], [`value`]: names and values; `ber` is how they stand in a datagram.
//! * `message`: a request that is read, a message that is written.
//! * [`view`]: all objects that one UPS has now; `ups_mib` is the table of them: from which variable of NUT, in which
//!   unit. What the UPS does not say is not there.
//! * [`watch`]: what managers are to be sent: alarms as they come and go, an outage as long as it lasts, tests that end.
//! * [`agent`]: a datagram comes, its answer goes, or none does. [`mod@trap`] writes what goes unasked.
//! * [`agentx`]: the same behind an SNMP agent of another program.
//!
//! All of it is pure: no I/O, no clock. Moments are durations since the agent began.

pub mod agent;
pub mod agentx;
mod alarms;
mod ber;
mod message;
pub mod oid;
mod self_test;
pub mod trap;
mod ups_mib;
pub mod value;
pub mod view;
pub mod watch;

pub use agent::{Community, LONGEST, Unanswered, answer};
pub use agentx::{AgentxEvent, AgentxFault, AgentxSession};
pub use oid::Oid;
pub use trap::trap;
pub use value::SnmpValue;
pub use view::{MibView, UpsFacts};
pub use watch::{Look, Notice, UpsWatch};
