//! Knobs: what can be changed while a simulated UPS runs, by a script or by hand. Each is one row of `table`.

mod read;
mod table;

use crate::oddity;
use crate::ups::SimulatedUps;
use qx::vocabulary::moment::Moment;
use read::{KnobText, Turn};
use std::fmt;
use table::TABLE;

/// Lines of help are about so wide.
const WIDTH: usize = 110;

/// A change: the knob and what it is turned to.
#[derive(Clone)]
pub struct Knob {
    text: String,
    turn: Turn,
}

impl Knob {
    /// Reads a knob.
    ///
    /// # Errors
    /// A sentence, with what there is to write.
    pub fn parse(text: &str) -> Result<Knob, String> {
        let text = text.trim();
        let (name, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let row = TABLE.iter().find(|row| row.name == name);
        let row = row.ok_or_else(|| {
            let names: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
            format!("there is no knob '{name}'; there are {}", names.join(", "))
        })?;
        let turn = (row.read)(&KnobText { name, value: value.trim() })?;
        Ok(Knob { text: text.into(), turn })
    }

    /// The name of what is turned.
    pub fn name(&self) -> &str {
        self.text.split(char::is_whitespace).next().unwrap_or_default()
    }

    pub(crate) fn turn(&self, ups: &mut SimulatedUps, now: Moment) {
        (self.turn)(ups, now);
    }
}

impl fmt::Display for Knob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Knob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Knob({:?})", self.text)
    }
}

impl PartialEq for Knob {
    fn eq(&self, other: &Knob) -> bool {
        self.text == other.text
    }
}

/// How knobs are written, several in a line.
pub fn summary() -> String {
    let (mut lines, mut line) = (vec![], String::new());
    for (name, value) in TABLE.iter().flat_map(|row| row.value.lines().map(|value| (row.name, value))) {
        let knob = format!("{name} {value}");
        if !line.is_empty() && line.len() + knob.len() > WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        line += if line.is_empty() { "" } else { "     " };
        line += &knob;
    }
    lines.push(line);
    lines.join("\n")
}

/// How all of them are written, with what oddities there are.
pub fn help() -> String {
    format!("{}\n{}", summary(), oddity::help())
}

#[cfg(test)]
mod tests;
