//! What ends a connection to a broker, and what is worth a line of log.

use std::fmt;

/// Why a connection cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MqttFault {
    /// The broker sends what is no MQTT; what is wrong with it.
    Malformed(String),
    /// The broker sends a packet that none of these has: its kind, and the bytes that follow.
    TooLong(u8, u32),
    /// The broker does not take this client: why, in the broker's or MQTT's words.
    Refused(String),
    /// The broker ends the connection: why.
    Closed(String),
    /// The broker does not answer for so many seconds.
    Silent(u64),
    /// The machine was suspended: what the broker sent before that is old.
    Suspended,
}

impl fmt::Display for MqttFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MqttFault::Malformed(what) => write!(f, "what it sends is no MQTT ({what})"),
            MqttFault::TooLong(kind, length) => {
                write!(
                    f,
                    "it sends a packet of kind {kind} with {length} bytes, more than any such packet has"
                )
            }
            MqttFault::Refused(why) => write!(f, "it refuses the connection: {why}"),
            MqttFault::Closed(why) => write!(f, "it ends the connection: {why}"),
            MqttFault::Silent(seconds) => write!(f, "it does not answer for {seconds} s"),
            MqttFault::Suspended => write!(f, "this machine was suspended"),
        }
    }
}

impl std::error::Error for MqttFault {}

/// Something to say once, and to count then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttNote {
    /// What kind of thing happened.
    pub kind: &'static str,
    /// A sentence, with an example of it.
    pub text: String,
}
