//! The owner, who is asked before anything is sent.

use crate::out::{self, Stop};
use std::io::BufRead;
use std::time::{Duration, Instant};

/// No answer is longer, in letters.
const LONGEST: usize = 200;

/// The person in front of the UPS.
#[derive(Debug, Default)]
pub struct UpsOwner {
    /// How long was waited for answers so far.
    waited: Duration,
}

impl UpsOwner {
    /// Whether this very word is given. Anything else, and the end of the input, is no.
    ///
    /// # Errors
    /// The question cannot be shown: then it is not agreed to.
    pub fn agrees(&mut self, text: &str, word: &str) -> Result<bool, Stop> {
        let answer =
            self.answer(&format!("\n{text}\nType {word} to go on, anything else to pass it over: "))?;
        let agreed = answer.eq_ignore_ascii_case(word);
        if !agreed {
            out::print("Passed over: nothing was sent.\n")?;
        }
        Ok(agreed)
    }

    /// What the owner says, in a line.
    ///
    /// # Errors
    /// The question cannot be shown.
    pub fn says(&mut self, question: &str) -> Result<String, Stop> {
        let answer = self.answer(&format!("{question} (a line, or nothing)\n> "))?;
        Ok(if answer.is_empty() { "nothing".into() } else { answer })
    }

    /// How long was waited for answers so far.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    fn answer(&mut self, text: &str) -> Result<String, Stop> {
        out::print(text)?;
        let began = Instant::now();
        let mut line = vec![];
        // an input that cannot be read says nothing, and agrees to nothing
        let _ = std::io::stdin().lock().read_until(b'\n', &mut line);
        self.waited += began.elapsed();
        let text = String::from_utf8_lossy(&line);
        Ok(text.trim().chars().filter(|letter| !letter.is_control()).take(LONGEST).collect())
    }
}
