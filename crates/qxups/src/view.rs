//! The live view in the terminal: what is known of one UPS, drawn again in place; on something
//! that is no terminal, a line for each change.

use qx::device::{Event, Loudness, Outcome, Ticket};
use qx::store::{Change, Store};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::rc::Rc;
use std::time::Instant;

/// So many past events are shown.
const PAST: usize = 9;
/// Width of a bar.
const BAR: usize = 30;

/// The view. Clones show the same.
#[derive(Clone)]
pub struct View(Rc<RefCell<Screen>>);

struct Screen {
    title: String,
    started: Instant,
    terminal: bool,
    drawn: usize,
    past: VecDeque<String>,
    values: Vec<(String, String)>,
    stale: bool,
    progress: String,
}

impl View {
    /// A view on standard output.
    pub fn new(title: &str, plain: bool) -> View {
        View(Rc::new(RefCell::new(Screen {
            title: title.into(),
            started: Instant::now(),
            terminal: !plain && std::io::stdout().is_terminal(),
            drawn: 0,
            past: VecDeque::new(),
            values: vec![],
            stale: false,
            progress: String::new(),
        })))
    }

    /// Something happened.
    pub fn tell(&self, text: &str) {
        let mut screen = self.0.borrow_mut();
        let line = format!("{:6.1} s  {text}", screen.started.elapsed().as_secs_f64());
        if screen.terminal {
            if screen.past.len() == PAST {
                screen.past.pop_front();
            }
            screen.past.push_back(line);
            screen.draw();
        } else {
            println!("{line}");
        }
    }

    /// How far the demonstration is, from 0 to 1, and what it waits for.
    pub fn progress(&self, part: f64, text: &str) {
        let mut screen = self.0.borrow_mut();
        screen.progress = format!("[{}] {text}", bar(part));
        screen.draw();
    }
}

impl driver::session::Publisher for View {
    fn changed(&mut self, store: &Store, changes: &[Change]) {
        let status = changes
            .iter()
            .any(|change| matches!(change, Change::New(name) | Change::Set(name) if name == "ups.status" || name == "ups.alarm"));
        {
            let mut screen = self.0.borrow_mut();
            screen.values = store.entries().map(|(name, entry)| (name.into(), entry.text.clone())).collect();
            screen.stale = store.is_stale();
            screen.draw();
        }
        if status && let Some(status) = store.text("ups.status") {
            self.tell(&format!("status {status}: {}", meaning(status)));
        }
    }

    fn answered(&mut self, _ticket: Ticket, outcome: &Outcome) {
        match outcome {
            Outcome::Done => {}
            Outcome::Unknown => self.tell("the UPS has no such command"),
            Outcome::Invalid(why) | Outcome::Failed(why) | Outcome::NotConfirmed(why) => self.tell(why),
        }
    }

    fn happened(&mut self, event: &Event, _store: &Store) {
        match event {
            Event::Detected(name, exchanges) => {
                self.tell(&format!("the driver found the dialect {name} with {exchanges} questions"))
            }
            Event::Ready => self.tell("everything was asked once: the data is complete"),
            Event::Stale => self.tell("the UPS does not answer: data is stale"),
            Event::Fresh => self.tell("the UPS answers again"),
            Event::NotFound(why) => self.tell(why),
            Event::Noted(loudness, text) if *loudness >= Loudness::Info => self.tell(text),
            Event::Noted(..) | Event::Answered(..) | Event::WorthKeeping => {}
        }
    }
}

impl Screen {
    fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| known == name).map_or("-", |(_, text)| text)
    }

    fn draw(&mut self) {
        if !self.terminal {
            return;
        }
        let status = self.value("ups.status");
        let percent = |name: &str| self.value(name).parse::<f64>().unwrap_or(0.0) / 100.0;
        let shown = if self.stale { "stale" } else { meaning(status) };
        let mut lines = vec![
            format!("\x1b[1m{}\x1b[0m", self.title),
            String::new(),
            format!("  status   \x1b[1m{status:<10}\x1b[0m {shown}"),
            format!("  mains    {:>7} V   {} Hz", self.value("input.voltage"), self.value("input.frequency")),
            format!("  output   {:>7} V", self.value("output.voltage")),
            format!("  load     {:>7} %   [{}]", self.value("ups.load"), bar(percent("ups.load"))),
            format!(
                "  battery  {:>7} %   [{}] {} V",
                self.value("battery.charge"),
                bar(percent("battery.charge")),
                self.value("battery.voltage")
            ),
            format!(
                "  unit     {} {} {}",
                self.value("device.mfr"),
                self.value("device.model"),
                self.value("ups.firmware")
            ),
            String::new(),
            format!("  {}", self.progress),
            String::new(),
        ];
        lines.extend(self.past.iter().cloned());
        let mut out = String::new();
        if self.drawn > 0 {
            out += &format!("\x1b[{}A", self.drawn);
        }
        for line in &lines {
            out += &format!("\r\x1b[2K{line}\n");
        }
        self.drawn = lines.len();
        let mut stdout = std::io::stdout().lock();
        // a terminal that is gone shows nothing, which is no reason to stop
        let _ = stdout.write_all(out.as_bytes()).and_then(|()| stdout.flush());
    }
}

fn bar(part: f64) -> String {
    let full = (part.clamp(0.0, 1.0) * BAR as f64).round() as usize;
    format!("{}{}", "#".repeat(full), ".".repeat(BAR - full))
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
