//! What a demonstration shows: how to look at it, a row for each UPS, and what happened. On a terminal it is drawn in
//! place, on anything else what happens is a line.

use super::stage::StageUps;
use crate::client::{Variables, in_plain_words};
use std::collections::VecDeque;
use std::time::Duration;

/// So many past events are kept.
const PAST: usize = 5;
/// What a terminal has that does not say its size.
const USUAL: BoardSize = BoardSize { columns: 80, rows: 24 };
const HEADING: &str = "  UPS      dialect      status           mains V  load %  charge %   runtime";
const END: &str = "  Control-C ends it; no file stays.";

/// The size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoardSize {
    columns: usize,
    rows: usize,
}

/// One UPS.
struct Row {
    name: String,
    dialect: String,
    variables: Variables,
    /// Its status, or why there is none.
    status: String,
}

/// All of it.
pub struct DemoBoard {
    introduction: Vec<String>,
    rows: Vec<Row>,
    past: VecDeque<String>,
    /// Events that were not printed yet.
    new: Vec<String>,
    drawn: Option<BoardSize>,
}

impl DemoBoard {
    /// One of which nothing is read yet.
    pub fn new(introduction: Vec<String>, upses: &[StageUps]) -> DemoBoard {
        let row = |ups: &StageUps| Row {
            name: ups.name.into(),
            dialect: ups.dialect.clone(),
            variables: Variables::new(),
            status: "-".into(),
        };
        DemoBoard {
            introduction,
            rows: upses.iter().map(row).collect(),
            past: VecDeque::new(),
            new: vec![],
            drawn: None,
        }
    }

    /// How to look at it, for what is no terminal.
    pub fn introduction_lines(&self) -> String {
        let upses = self.rows.iter().map(|row| format!("  {} ({})\n", row.name, row.dialect));
        let lines = self.introduction.iter().map(|line| format!("{line}\n"));
        lines.chain(upses).chain([format!("{END}\n")]).collect()
    }

    /// All variables of a UPS.
    pub fn read(&mut self, name: &str, variables: Variables, now: Duration) {
        let status = variables.get("ups.status").cloned().unwrap_or_default();
        let said = format!("{status}, {}", in_plain_words(&status));
        self.change(name, variables, status, &said, now);
    }

    /// The server has none of them.
    pub fn refused(&mut self, name: &str, why: String, now: Duration) {
        self.change(name, Variables::new(), "-".into(), &why, now);
    }

    fn change(&mut self, name: &str, variables: Variables, status: String, said: &str, now: Duration) {
        let Some(row) = self.rows.iter_mut().find(|row| row.name == name) else { return };
        row.variables = variables;
        if row.status == status {
            return;
        }
        row.status = status;
        let seconds = now.as_secs();
        let line = format!("  {}:{:02}  {name}: {said}", seconds / 60, seconds % 60);
        if self.past.len() == PAST {
            self.past.pop_front();
        }
        self.past.push_back(line.clone());
        self.new.push(line);
    }

    /// What happened since the last time, as lines.
    pub fn take_lines(&mut self) -> String {
        self.new.drain(..).map(|line| plain(&line) + "\n").collect()
    }

    /// What draws all of it anew.
    pub fn draw(&mut self) -> String {
        self.new.clear();
        self.draw_on(size())
    }

    fn draw_on(&mut self, size: BoardSize) -> String {
        let mut text = match self.drawn {
            // what is on the screen goes up, and is not lost
            None => format!("{}\x1b[H", "\n".repeat(size.rows)),
            Some(drawn) if drawn == size => "\x1b[H".into(),
            // what was drawn is broken otherwise by now
            Some(_) => "\x1b[H\x1b[2J".into(),
        };
        for (row, is_bold) in self.all_rows(size) {
            let (on, off) = if is_bold { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
            text += &format!("\r\x1b[2K{on}{row}{off}\n");
        }
        text += "\x1b[J";
        self.drawn = Some(size);
        text
    }

    /// The rows, each at most as wide as the terminal, and whether it is bold; the cursor needs a row as well.
    fn all_rows(&self, size: BoardSize) -> Vec<(String, bool)> {
        let mut rows: Vec<(String, bool)> =
            self.introduction.iter().enumerate().map(|(at, line)| (line.clone(), at == 0)).collect();
        rows.push((HEADING.into(), true));
        rows.extend(self.rows.iter().map(|row| (row.text(), !row.is_well())));
        rows.push((String::new(), false));
        let most = size.rows.saturating_sub(1);
        let fits = most.saturating_sub(rows.len() + 2).min(self.past.len());
        // what is latest is worth most
        rows.extend(self.past.iter().rev().take(fits).rev().map(|line| (line.clone(), false)));
        rows.extend([(String::new(), false), (END.into(), false)]);
        rows.into_iter().take(most).map(|(row, is_bold)| (cut(&row, size.columns), is_bold)).collect()
    }
}

impl Row {
    fn is_well(&self) -> bool {
        self.status.split(' ').any(|word| word == "OL")
    }

    fn text(&self) -> String {
        let value = |name: &str| self.variables.get(name).map_or("-", String::as_str);
        let runtime = value("battery.runtime").parse::<f64>().ok().map(|seconds| {
            let seconds = seconds as u64;
            format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
        });
        format!(
            "  {:<8} {:<12} {:<16} {:>7} {:>7} {:>9} {:>9}",
            self.name,
            self.dialect,
            self.status,
            value("input.voltage"),
            value("ups.load"),
            value("battery.charge"),
            runtime.unwrap_or_else(|| "-".into())
        )
    }
}

/// The size of the terminal that standard output is.
fn size() -> BoardSize {
    let said = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let said = said.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    said.map_or(USUAL, |size| BoardSize { columns: size.ws_col.into(), rows: size.ws_row.into() })
}

/// What a UPS says of itself moves no cursor, and has letters of one column.
fn plain(line: &str) -> String {
    line.chars().map(|letter| if (' '..='~').contains(&letter) { letter } else { '?' }).collect()
}

/// A line without what does not fit.
fn cut(line: &str, columns: usize) -> String {
    plain(line).chars().take(columns).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal: what is written to it, as it is seen (ECMA-48 CUP, ED, EL; xterm's autowrap).
    struct Terminal {
        size: BoardSize,
        cells: Vec<Vec<char>>,
        row: usize,
        column: usize,
        scrolled: usize,
    }

    impl Terminal {
        fn new(columns: usize, rows: usize) -> Terminal {
            let cells = vec![vec![' '; columns]; rows];
            // a shell that was used for a while has its prompt at the bottom
            Terminal { size: BoardSize { columns, rows }, cells, row: rows - 1, column: 0, scrolled: 0 }
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

    /// A demonstration as it stands after a while, with a UPS that says odd things of itself.
    fn board() -> DemoBoard {
        let stage = super::super::stage::DemoStage::new("megatec", None).unwrap();
        let mut board = DemoBoard::new(stage.introduction(), stage.upses());
        for number in 0..30_u64 {
            let now = Duration::from_secs(number * 61);
            for name in ["rack", "attic", "office", "lab"] {
                let status = if number % 2 == 0 { "OB DISCHRG LB" } else { "OL\u{1b}[2J\n" };
                let values =
                    [("ups.status", status), ("input.voltage", "230.0"), ("battery.runtime", "90000")];
                let values = values.map(|(name, text)| (name.to_string(), text.to_string()));
                board.read(name, values.into_iter().collect(), now);
            }
        }
        board
    }

    #[test]
    fn all_of_it_fits_80_by_24() {
        let mut board = board();
        let mut terminal = Terminal::new(80, 24);
        for _ in 0..3 {
            terminal.write(&board.draw_on(terminal.size));
        }
        let all = terminal.rows().join("\n");
        for wanted in [
            "qxups demo",
            "http://127.0.0.1:",
            "  UPS      dialect",
            "  lab      megatec",
            "Control-C ends it",
            "29:29  lab: ",
        ] {
            assert!(all.contains(wanted), "{wanted} in {all}");
        }
        assert!(all.contains("  25:00:00"), "{all}");
        assert_eq!(terminal.scrolled, 24, "what stood there went up once, and nothing after it: {all}");
    }

    #[test]
    fn nothing_stale_stays_on_a_terminal_of_any_size() {
        for (columns, rows) in [(80, 24), (60, 24), (132, 50), (40, 12), (20, 8), (9, 3), (1, 1)] {
            let mut terminal = Terminal::new(columns, rows);
            let mut board = board();
            for _ in 0..3 {
                terminal.write(&board.draw_on(terminal.size));
            }
            assert_eq!(terminal.scrolled, rows, "{columns} {rows}");
            if rows > 1 {
                let title: String = board.introduction[0].chars().take(columns).collect();
                assert_eq!(terminal.rows()[0], title.trim_end(), "{columns} {rows}");
            }
        }
        let mut board = board();
        board.draw_on(BoardSize { columns: 80, rows: 24 });
        let mut narrow = Terminal::new(60, 20);
        // what is left of the old rows, however the terminal breaks them
        narrow.row = 0;
        narrow.write(&"x".repeat(500));
        narrow.write(&board.draw_on(narrow.size));
        let all = narrow.rows().join("\n");
        assert!(!all.contains("xx") && all.starts_with("qxups demo"), "{all}");
    }

    #[test]
    fn a_line_is_printed_once_for_each_change() {
        let mut board = board();
        let lines = board.take_lines();
        assert_eq!(lines.lines().count(), 30 * 4);
        assert!(
            lines.starts_with("  0:00  rack: OB DISCHRG LB, on battery, discharging, battery low\n"),
            "{lines}"
        );
        assert!(lines.chars().all(|letter| letter == '\n' || (' '..='~').contains(&letter)));
        assert_eq!(board.take_lines(), "");
        board.refused("lab", "its driver is not connected".into(), Duration::ZERO);
        assert_eq!(board.take_lines(), "  0:00  lab: its driver is not connected\n");
    }
}
