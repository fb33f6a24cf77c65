//! JSON on standard output.

use super::trouble::ClientTrouble;
use crate::out;
use serde_json::Value;

/// A value over several lines, for people who read it as well.
///
/// # Errors
/// It cannot be written.
pub fn print(value: &Value) -> Result<(), ClientTrouble> {
    Ok(out::print(&format!("{value:#}\n"))?)
}

/// A value on one line, of a stream of such.
///
/// # Errors
/// It cannot be written.
pub fn print_line(value: &Value) -> Result<(), ClientTrouble> {
    Ok(out::print(&format!("{value}\n"))?)
}
