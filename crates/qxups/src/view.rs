//! The live view in the terminal: what is known of one UPS, drawn again in place; on something
//! that is no terminal, a line for each change.
//!
//! Rows are counted, not lines: nothing is wider than the terminal, and no more is drawn than fits.

use crate::out::{self, Stop};
use qx::device::store::{Change, Store};
use qx::device::{Event, LogLevel, Outcome};
use qx::vocabulary::moment::Moment;
use std::collections::VecDeque;
use std::io::IsTerminal;

/// So many past events are shown at most.
const PAST: usize = 9;
/// Width of a bar at most, and at least.
const BAR: (usize, usize) = (30, 4);
/// Columns of a line that has a bar, without the bar.
const BESIDE_BAR: usize = 36;
/// What a terminal has that does not say its size.
const USUAL: Size = Size { columns: 80, rows: 24 };

/// The size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    columns: usize,
    rows: usize,
}

/// The view.
pub struct View {
    title: String,
    /// The time of what is shown.
    now: Moment,
    output: Output,
    drawn: usize,
    size: Size,
    past: VecDeque<String>,
    values: Vec<(String, String)>,
    stale: bool,
    progress: (f64, String),
}

/// What it is shown on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    /// A terminal, on which it is drawn in place.
    Terminal,
    /// Anything else, which gets a line for each change.
    Lines,
    /// Nothing at all.
    #[cfg(test)]
    Nothing,
}

impl View {
    /// A view on standard output.
    pub fn new(title: &str, plain: bool) -> View {
        let terminal = !plain && std::io::stdout().is_terminal();
        View::on(title, if terminal { Output::Terminal } else { Output::Lines })
    }

    /// One that shows nothing.
    #[cfg(test)]
    pub fn hidden() -> View {
        View::on("", Output::Nothing)
    }

    fn on(title: &str, output: Output) -> View {
        View {
            title: title.into(),
            now: Moment::ZERO,
            output,
            drawn: 0,
            size: USUAL,
            past: VecDeque::new(),
            values: vec![],
            stale: false,
            progress: (0.0, String::new()),
        }
    }

    /// What is shown from now on is of this time.
    pub fn at(&mut self, now: Moment) {
        self.now = now;
    }

    /// How far the demonstration is, from 0 to 1, and what it waits for; shown with the next drawing.
    pub fn progress(&mut self, part: f64, text: &str) {
        self.progress = (part, text.into());
    }

    /// Something happened.
    ///
    /// # Errors
    /// It cannot be shown.
    pub fn tell(&mut self, text: &str) -> Result<(), Stop> {
        let seconds = self.now.since_start().as_secs();
        let line = format!("{}:{:02}:{:02}  {text}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        if self.output == Output::Lines {
            return out::print(&(line + "\n"));
        }
        if self.past.len() == PAST {
            self.past.pop_front();
        }
        self.past.push_back(line);
        Ok(())
    }

    /// Draws what is known by now, where it is drawn in place.
    ///
    /// # Errors
    /// It cannot be shown.
    pub fn draw(&mut self) -> Result<(), Stop> {
        match self.output {
            Output::Terminal => out::print(&self.draw_on(size())),
            _ => Ok(()),
        }
    }

    /// Takes what changed; a status that is new is told.
    ///
    /// # Errors
    /// It cannot be shown.
    pub fn changed(&mut self, store: &Store, changes: &[Change]) -> Result<(), Stop> {
        let status = changes
            .iter()
            .any(|change| matches!(change, Change::New(name) | Change::Set(name) if name == "ups.status" || name == "ups.alarm"));
        self.values = store.entries().map(|(name, entry)| (name.into(), entry.text().into())).collect();
        self.stale = store.is_stale();
        match store.text("ups.status").filter(|_| status) {
            Some(status) => self.tell(&format!("status {status}: {}", meaning(status))),
            None => Ok(()),
        }
    }

    /// Takes an event; what a viewer wants to know of it is shown.
    ///
    /// # Errors
    /// It cannot be shown.
    pub fn happened(&mut self, event: &Event) -> Result<(), Stop> {
        match event {
            Event::Detected(name, exchanges) => {
                self.tell(&format!("the driver found the dialect {name} with {exchanges} questions"))
            }
            Event::Ready => self.tell("everything was asked once: the data is complete"),
            Event::Stale => self.tell("the UPS does not answer: data is stale"),
            Event::Fresh => self.tell("the UPS answers again"),
            Event::NotFound(why) => self.tell(why),
            Event::Noted(level, text) if *level >= LogLevel::Info => self.tell(text),
            Event::Answered(_, outcome) => match outcome {
                Outcome::Done => Ok(()),
                Outcome::Unknown => self.tell("the UPS has no such command"),
                Outcome::Invalid(why) | Outcome::Failed(why) | Outcome::NotConfirmed(why) => self.tell(why),
            },
            Event::Noted(..) | Event::WorthKeeping => Ok(()),
        }
    }

    fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| known == name).map_or("-", |(_, text)| text)
    }

    /// What draws everything anew on a terminal of this size, over what was drawn before.
    fn draw_on(&mut self, size: Size) -> String {
        let rows = self.rows(size);
        let mut text = match (self.drawn, self.size == size) {
            (0, _) => String::new(),
            // what was drawn is broken otherwise by now
            (_, false) => "\x1b[H\x1b[2J".into(),
            (drawn, true) => format!("\x1b[{drawn}A"),
        };
        for (row, bold) in &rows {
            let (on, off) = if *bold { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
            text += &format!("\r\x1b[2K{on}{row}{off}\n");
        }
        // there were more rows before
        text += "\x1b[J";
        (self.drawn, self.size) = (rows.len(), size);
        text
    }

    /// The rows, each at most as wide as the terminal, and whether it is bold; the cursor needs a row as well.
    fn rows(&self, size: Size) -> Vec<(String, bool)> {
        let status = self.value("ups.status");
        let percent = |name: &str| self.value(name).parse::<f64>().unwrap_or(0.0) / 100.0;
        let shown = if self.stale { "stale" } else { meaning(status) };
        let width = size.columns.saturating_sub(BESIDE_BAR).clamp(BAR.1, BAR.0);
        let bar = |part| bar(part, width);
        let head = [
            (self.title.clone(), true),
            (String::new(), false),
            (format!("  status   {status:<10} {shown}"), true),
            (
                format!(
                    "  mains    {:>7} V   {} Hz",
                    self.value("input.voltage"),
                    self.value("input.frequency")
                ),
                false,
            ),
            (format!("  output   {:>7} V", self.value("output.voltage")), false),
            (format!("  load     {:>7} %   [{}]", self.value("ups.load"), bar(percent("ups.load"))), false),
            (
                format!(
                    "  battery  {:>7} %   [{}] {} V",
                    self.value("battery.charge"),
                    bar(percent("battery.charge")),
                    self.value("battery.voltage")
                ),
                false,
            ),
            (
                format!(
                    "  unit     {} {} {}",
                    self.value("device.mfr"),
                    self.value("device.model"),
                    self.value("ups.firmware")
                ),
                false,
            ),
            (String::new(), false),
            (format!("  [{}] {}", bar(self.progress.0), self.progress.1), false),
            (String::new(), false),
        ];
        let most = size.rows.saturating_sub(1);
        let mut rows: Vec<(String, bool)> =
            head.into_iter().map(|(line, bold)| (cut(&line, size.columns), bold)).take(most).collect();
        let past: Vec<String> = self.past.iter().flat_map(|line| broken(line, size.columns)).collect();
        // what is latest is worth most
        let fits = past.len().min(most - rows.len());
        rows.extend(past.into_iter().rev().take(fits).rev().map(|row| (row, false)));
        rows
    }
}

/// The size of the terminal that standard output is.
fn size() -> Size {
    let told = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let told = told.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    told.map_or(USUAL, |size| Size { columns: size.ws_col.into(), rows: size.ws_row.into() })
}

/// A line without what does not fit. What a UPS says of itself moves no cursor, and has letters of one column.
fn cut(line: &str, columns: usize) -> String {
    let plain = |letter: char| if (' '..='~').contains(&letter) { letter } else { '?' };
    line.chars().map(plain).take(columns).collect()
}

/// A line in rows, broken between words; the later rows stand below the words of the first.
fn broken(line: &str, columns: usize) -> Vec<String> {
    const INDENT: usize = 9;
    let indent = if columns > 3 * INDENT { INDENT } else { 0 };
    let mut rows = vec![];
    let mut rest = cut(line, usize::MAX);
    while rest.len() > columns {
        let (_, fits) = rest.split_at(indent.min(rest.len()));
        // `cut` left nothing but ASCII
        let blank = fits[..columns + 1 - indent].rfind(' ').filter(|at| *at > 0).map(|at| at + indent);
        let (row, more) = rest.split_at(blank.unwrap_or(columns));
        let next = format!("{}{}", " ".repeat(indent), more.trim_start());
        rows.push(row.to_string());
        rest = next;
    }
    rows.push(rest);
    rows
}

fn bar(part: f64, width: usize) -> String {
    let full = (part.clamp(0.0, 1.0) * width as f64).round() as usize;
    format!("{}{}", "#".repeat(full), ".".repeat(width - full))
}

fn meaning(status: &str) -> &'static str {
    let has = |word: &str| status.split(' ').any(|found| found == word);
    match () {
        () if has("FSD") => "the UPS is about to switch off",
        () if has("OB") && has("LB") => "on battery, and it is low: hosts shut down now",
        () if has("OB") => "on battery",
        () if has("CAL") => "testing the battery",
        () if has("OL") => "on mains",
        () => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal: what is written to it, as it is seen (ECMA-48 CUU, CUP, ED, EL; xterm's autowrap).
    struct Terminal {
        size: Size,
        cells: Vec<Vec<char>>,
        row: usize,
        column: usize,
        scrolled: usize,
    }

    impl Terminal {
        fn new(columns: usize, rows: usize) -> Terminal {
            let cells = vec![vec![' '; columns]; rows];
            Terminal { size: Size { columns, rows }, cells, row: 0, column: 0, scrolled: 0 }
        }

        fn feed(&mut self) {
            if self.row + 1 == self.size.rows {
                self.cells.remove(0);
                self.cells.push(vec![' '; self.size.columns]);
                self.scrolled += 1;
            } else {
                self.row += 1;
            }
        }

        fn write(&mut self, text: &str) {
            let mut letters = text.chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '\r' => self.column = 0,
                    // as a terminal has it in its usual modes (ONLCR)
                    '\n' => {
                        self.column = 0;
                        self.feed();
                    }
                    '\x1b' => {
                        assert_eq!(letters.next(), Some('['));
                        let mut number = String::new();
                        let end = loop {
                            match letters.next().unwrap() {
                                digit @ '0'..='9' => number.push(digit),
                                end => break end,
                            }
                        };
                        self.obey(end, number.parse().unwrap_or(0));
                    }
                    letter => {
                        if self.column == self.size.columns {
                            self.column = 0;
                            self.feed();
                        }
                        self.cells[self.row][self.column] = letter;
                        self.column += 1;
                    }
                }
            }
        }

        fn obey(&mut self, end: char, number: usize) {
            match (end, number) {
                ('A', up) => self.row = self.row.saturating_sub(up.max(1)),
                ('K', 2) => self.cells[self.row].fill(' '),
                ('H', 0) => (self.row, self.column) = (0, 0),
                ('J', 2) => self.cells.iter_mut().for_each(|row| row.fill(' ')),
                ('J', 0) => {
                    self.cells[self.row][self.column..].fill(' ');
                    self.cells[self.row + 1..].iter_mut().for_each(|row| row.fill(' '));
                }
                ('m', _) => {}
                other => panic!("{other:?}"),
            }
        }

        fn rows(&self) -> Vec<String> {
            self.cells.iter().map(|row| row.iter().collect::<String>().trim_end().to_string()).collect()
        }
    }

    const LONG: &str = "the battery is low: upsmon would shut its hosts down and then say shutdown.return, which is a long sentence";

    fn screen() -> View {
        let title = "qxups demo: a simulated UPS at 2400 baud, watched by the driver's core";
        let mut screen = View::on(title, Output::Terminal);
        let values = [
            ("ups.status", "OB DISCHRG LB"),
            ("input.voltage", "230.0"),
            ("input.frequency", "50.0"),
            ("output.voltage", "230.0"),
            ("ups.load", "100"),
            ("battery.charge", "100"),
            ("battery.voltage", "240.00"),
            ("device.mfr", "A maker whose name is \u{1b}[2J long\n"),
            ("device.model", "SIM-1000"),
        ];
        screen.values = values.map(|(name, text)| (name.into(), text.into())).to_vec();
        screen
    }

    #[test]
    fn nothing_stale_stays_on_a_terminal_of_any_size() {
        for (columns, rows) in [(80, 24), (60, 24), (60, 16), (132, 50), (40, 12), (20, 8), (9, 3), (1, 1)] {
            let mut terminal = Terminal::new(columns, rows);
            let mut screen = screen();
            for number in 0..30 {
                screen.progress = (0.5, format!("{LONG} {number}"));
                screen.at(Moment::after_start(std::time::Duration::from_secs(number)));
                screen.tell(LONG).unwrap();
                terminal.write(&screen.draw_on(terminal.size));
                let shown = terminal.rows();
                let title = screen.title.get(..columns.min(screen.title.len())).unwrap().trim_end();
                if rows > 1 {
                    assert_eq!(
                        shown.iter().filter(|row| *row == title).count(),
                        1,
                        "{columns} {rows}: {shown:#?}"
                    );
                    assert_eq!(shown[0], title, "{columns} {rows}");
                }
                assert_eq!(terminal.scrolled, 0, "{columns} {rows}: nothing leaves the terminal");
            }
            let all = terminal.rows().join("\n");
            if rows >= 16 {
                // all of the latest event can be read, and all of the battery
                let words: Vec<&str> = all.split_whitespace().collect();
                let wanted: Vec<&str> = LONG.split_whitespace().collect();
                assert!(words.windows(wanted.len()).any(|window| window == wanted), "{all}");
                assert!(all.contains("] 240.00 V") && all.contains("0:00:29  "), "{all}");
            }
        }
    }

    #[test]
    fn a_terminal_that_changes_its_size_is_drawn_anew() {
        let mut screen = screen();
        let mut narrow = Terminal::new(60, 20);
        screen.draw_on(Size { columns: 80, rows: 24 });
        // what is left of the old rows, however the terminal breaks them
        narrow.write(&"x".repeat(500));
        narrow.write(&screen.draw_on(narrow.size));
        let all = narrow.rows().join("\n");
        assert!(!all.contains("xx") && all.starts_with("qxups demo"), "{all}");
    }

    #[test]
    fn rows_are_broken_between_words() {
        assert_eq!(broken("   1.0 s  short", 80), ["   1.0 s  short"]);
        let rows = broken("   1.0 s  aaa bbb cccc dddddddddddddddddddddddddddddddd e", 31);
        assert_eq!(rows[0], "   1.0 s  aaa bbb cccc");
        assert!(rows.iter().all(|row| row.len() <= 31), "{rows:?}");
        assert_eq!(broken("aaaa", 2), ["aa", "aa"]);
    }
}
