//! Profile: how a simulated UPS answers what it knows and what it does not.

use crate::oddity::Oddity;
use std::time::Duration;

/// What it does with a question or command that it does not know or does not like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalReply {
    /// Nothing.
    Silent,
    /// Sends it back.
    Echo,
    /// Says this.
    Text(String),
}

impl RefusalReply {
    /// Reads `silent`, `echo`, or any other text, which is what it says.
    pub fn parse(text: &str) -> RefusalReply {
        match text {
            "silent" => RefusalReply::Silent,
            "echo" => RefusalReply::Echo,
            other => RefusalReply::Text(other.into()),
        }
    }

    /// What it answers to `line`.
    pub fn reply(&self, line: &[u8]) -> Option<Vec<u8>> {
        match self {
            RefusalReply::Silent => None,
            RefusalReply::Echo => Some(line.to_vec()),
            RefusalReply::Text(text) => Some(text.as_bytes().to_vec()),
        }
    }
}

/// What one unit is, and how it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Name of the maker, at most 15 letters.
    pub maker: String,
    /// Name of the model, at most 10 letters.
    pub model: String,
    /// Firmware, at most 10 letters.
    pub firmware: String,
    /// The family or model of its dialect that it is of; otherwise the one of the sample.
    pub family: Option<String>,
    /// What it does with what it does not know.
    pub unknown: RefusalReply,
    /// Refuses every command like this.
    pub refuses: Option<RefusalReply>,
    /// Says this when it accepts a command; otherwise nothing.
    pub accepts: Option<String>,
    /// Questions of its dialect that it does not know all the same.
    pub ignorant_of: Vec<String>,
    /// Variables (parts of their names) whose fields it fills with dashes.
    pub does_not_know: Vec<String>,
    /// Time before it answers.
    pub latency: Duration,
    /// Paces the bytes as a line of so many baud does.
    pub baud: Option<u32>,
    /// The line sends back everything it gets, before the reply.
    pub echoes_line: bool,
    /// Reports the voltage of one cell of the battery.
    pub per_cell: bool,
    /// Ends no reply by a carriage return.
    pub no_end: bool,
    /// Says nothing at all any more after it was asked this.
    pub locks_up_on: Option<String>,
    /// Says nothing at all.
    pub silent: bool,
    /// What is odd about what it says.
    pub oddities: Vec<Oddity>,
}

impl Default for Profile {
    fn default() -> Profile {
        Profile {
            maker: "QXUPS".into(),
            model: "SIM-1000".into(),
            firmware: "V1.0".into(),
            family: None,
            unknown: RefusalReply::Silent,
            refuses: None,
            accepts: None,
            ignorant_of: vec![],
            does_not_know: vec![],
            latency: Duration::from_millis(20),
            baud: None,
            echoes_line: false,
            per_cell: false,
            no_end: false,
            locks_up_on: None,
            silent: false,
            oddities: vec![],
        }
    }
}
