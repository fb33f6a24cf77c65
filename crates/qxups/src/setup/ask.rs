//! Questions, and what is answered to them: on a terminal, or what is proposed.

use super::secret;
use crate::out::{self, Stop};
use crate::passwd::terminal;
use clap::ValueEnum;
use std::io::{BufRead, IsTerminal, stdin, stdout};

/// Which answers are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// Those that are typed.
    Terminal,
    /// What is proposed.
    Proposed,
}

/// Where answers come from.
#[derive(Clone, Copy, Debug)]
pub struct Answers(Source);

/// A password, and whether it was made here, so that it has to be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword {
    /// As clients give it.
    pub text: String,
    /// Whether it was made here.
    pub is_made: bool,
}

impl Answers {
    /// What is proposed.
    pub fn proposed() -> Answers {
        Answers(Source::Proposed)
    }

    /// Those of the terminal.
    ///
    /// # Errors
    /// There is none.
    pub fn of_terminal() -> Result<Answers, Stop> {
        match stdin().is_terminal() && stdout().is_terminal() {
            true => Ok(Answers(Source::Terminal)),
            false => Err(
                "this is no terminal, and setup asks questions; in a script, --print shows what it proposes and --yes writes it".into()
            ),
        }
    }

    /// Whether questions are asked.
    pub fn is_terminal(&self) -> bool {
        self.0 == Source::Terminal
    }

    /// Says something between questions; not to a script, which reads what is to be written.
    ///
    /// # Errors
    /// It cannot be shown.
    pub fn say(&self, text: &str) -> Result<(), Stop> {
        match self.0 {
            Source::Terminal => out::print(&format!("{}\n", wrapped(text))),
            Source::Proposed => {
                out::tell(text);
                Ok(())
            }
        }
    }

    /// A line; an empty one is what is proposed. Asked again until `check` has nothing against it.
    ///
    /// # Errors
    /// The input ended; what is proposed cannot be used.
    pub fn line(
        &self,
        question: &str,
        proposed: &str,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<String, Stop> {
        if self.0 == Source::Proposed {
            return check(proposed).map(|()| proposed.into()).map_err(Stop::Failed);
        }
        loop {
            let typed = read(&format!("{question} [{proposed}]: "))?;
            let answer = if typed.is_empty() { proposed.into() } else { typed };
            match check(&answer) {
                Ok(()) => return Ok(answer),
                Err(why) => out::print(&format!("  {why}\n"))?,
            }
        }
    }

    /// One of several words; `given` on the command line is taken as it is.
    ///
    /// # Errors
    /// The input ended.
    pub fn choose<T: ValueEnum>(&self, given: Option<T>, question: &str, proposed: T) -> Result<T, Stop> {
        if let Some(given) = given {
            return Ok(given);
        }
        let name =
            |one: &T| one.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default();
        let names: Vec<String> = T::value_variants().iter().map(name).collect();
        let all = names.join(", ");
        // the beginning of a word is enough
        let find = |answer: &str| {
            let answer = answer.to_ascii_lowercase();
            T::value_variants().iter().find(|one| name(one).starts_with(&answer)).cloned()
        };
        let check = |answer: &str| find(answer).map(drop).ok_or_else(|| format!("write one of {all}"));
        let answer = self.line(&format!("{question} ({all})"), &name(&proposed), check)?;
        Ok(find(&answer).unwrap_or(proposed))
    }

    /// Whether it is agreed to: only a yes that is typed is one.
    ///
    /// # Errors
    /// The input ended.
    pub fn agrees(&self, question: &str) -> Result<bool, Stop> {
        if self.0 == Source::Proposed {
            return Ok(true);
        }
        let answer = read(&format!("{question} (yes, no) [no]: "))?;
        Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// A password for a user: typed twice, or made where none is typed.
    ///
    /// # Errors
    /// The input ended; the system gives no random bytes.
    pub fn password(&self, user: &str) -> Result<NewPassword, Stop> {
        let made = || Ok(NewPassword { text: secret::make()?, is_made: true });
        if self.0 == Source::Proposed {
            return made();
        }
        loop {
            let first = terminal::ask(&format!("Password of {user} (Enter: one is made and shown): "))?;
            if first.is_empty() {
                return made();
            }
            if let Err(why) = secret::check(&first) {
                out::print(&format!("  {why}\n"))?;
                continue;
            }
            if terminal::ask("Once more: ")? == first {
                return Ok(NewPassword { text: first, is_made: false });
            }
            out::print("  the two differ\n")?;
        }
    }
}

/// No terminal is expected to be narrower, in columns.
const WIDTH: usize = 80;

/// A text that breaks between words rather than where the terminal ends.
fn wrapped(text: &str) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for word in text.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if column > 0 && column + length > WIDTH {
            out += "\n";
            column = 0;
        }
        out += word;
        column += word.chars().count();
    }
    out
}

/// A line that is typed.
fn read(question: &str) -> Result<String, Stop> {
    out::print(&wrapped(question))?;
    let mut line = String::new();
    match stdin().lock().read_line(&mut line) {
        // the next line of the terminal is none of the question
        Ok(0) => {
            out::print("\n")?;
            Err("the input ended".into())
        }
        Ok(_) => Ok(line.trim().to_string()),
        Err(error) => Err(format!("cannot read from the terminal: {error}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        let question = "Clients of NUT reach the server from this host alone, or from all of the network? (loopback, all) [loopback]: ";
        let shown = wrapped(question);
        assert!(shown.lines().all(|line| line.trim_end().len() <= WIDTH), "{shown}");
        assert_eq!(shown.replace('\n', ""), question);
        assert!(shown.ends_with(": ") && shown.lines().count() == 2, "{shown}");
        let path = "x".repeat(100);
        assert_eq!(wrapped(&format!("{path} is one word")), format!("{path} \nis one word"));
        assert_eq!(wrapped(""), "");
    }
}
