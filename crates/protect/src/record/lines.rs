//! The lines of a record.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use super::{KeptCourse, KeptStage, KeptSupply, ProtectRecord, RecordFault};
use crate::machine::{DownHost, HostRun, OrderState, UpsOrder};
use crate::{Phase, WakeTarget};

/// The first word of a file, before the version; it stays so in all of them.
const HEAD: &str = "qxups-protect-";

const PHASES: &[(&str, Phase)] = &[
    ("watching", Phase::Watching),
    ("paused", Phase::Paused),
    ("stages", Phase::Stages),
    ("settling", Phase::Settling),
    ("ordering", Phase::Ordering),
    ("host-down", Phase::HostDown),
    ("down", Phase::Down),
    ("recovering", Phase::Recovering),
];

const STATES: &[(&str, OrderState)] = &[
    ("sent", OrderState::Sent),
    ("accepted", OrderState::Accepted),
    ("unconfirmed", OrderState::Unconfirmed),
    ("not-taken", OrderState::NotTaken),
    ("failed", OrderState::Failed),
    ("hook-only", OrderState::HookOnly),
];

/// FNV-1a of a line, 64 bits.
fn checksum(line: &str) -> u64 {
    line.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Writes lines of words.
#[derive(Default)]
struct Lines {
    text: String,
    line: String,
}

impl Lines {
    fn word(mut self, word: &str) -> Lines {
        if !self.line.is_empty() {
            self.line.push(' ');
        }
        self.line.push_str(word);
        self
    }

    /// A name of any letters, as one word.
    fn name(self, name: &str) -> Lines {
        let mut word = String::from("=");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.:@".contains(&byte) {
                word.push(char::from(byte));
            } else {
                let _ = write!(word, "%{byte:02x}");
            }
        }
        self.word(&word)
    }

    fn name_or_none(self, name: Option<&str>) -> Lines {
        match name {
            Some(name) => self.name(name),
            None => self.word("-"),
        }
    }

    fn time(self, time: Duration) -> Lines {
        self.word(&time.as_millis().to_string())
    }

    fn time_or_none(self, time: Option<Duration>) -> Lines {
        match time {
            Some(time) => self.time(time),
            None => self.word("-"),
        }
    }

    fn flag(self, flag: bool) -> Lines {
        self.word(if flag { "yes" } else { "no" })
    }

    fn end(mut self) -> Lines {
        let sum = checksum(&self.line);
        let _ = writeln!(self.text, "{} {sum:016x}", self.line);
        self.line.clear();
        self
    }
}

fn spelt<T: Copy + PartialEq>(table: &[(&'static str, T)], value: T) -> &'static str {
    table.iter().find(|row| row.1 == value).map_or("-", |row| row.0)
}

/// The record as text; what matters most comes first.
pub(super) fn write(record: &ProtectRecord) -> String {
    let mut lines = Lines::default()
        .word(&format!("{HEAD}{}", ProtectRecord::VERSION))
        .name(&record.boot)
        .time(record.at);
    lines = lines.word(&record.wall_s.to_string()).flag(record.armed).end();
    if let Some(host) = &record.host {
        lines = lines.word("host").time(host.begun).time(host.tried).flag(host.failed).end();
    }
    for course in &record.courses {
        lines = lines.word("course").name(&course.group).word(spelt(PHASES, course.phase));
        lines = lines.time(course.since).time(course.phase_at).flag(course.armed).flag(course.on_battery);
        lines = lines.time(course.waited).end();
    }
    for supply in &record.supplies {
        lines = lines.word("ups").name(&supply.ups).name_or_none(supply.unit.as_deref());
        lines =
            lines.time_or_none(supply.time.map(|time| time.0)).time_or_none(supply.time.map(|time| time.1));
        lines = lines.end();
        if let Some(order) = &supply.order {
            lines = lines.word("order").name(&supply.ups).time(order.delay).word(&order.attempt.to_string());
            lines = lines.time(order.sent).word(spelt(STATES, order.state)).time(order.state_at);
            lines = lines.flag(order.proven).end();
        }
    }
    for course in &record.courses {
        for host in &course.down {
            lines = down_line(lines, &course.group, host);
        }
        for stage in &course.stages {
            lines = lines.word("stage").name(&course.group).name(&stage.stage).time(stage.began);
            lines = lines.time_or_none(stage.over).time_or_none(stage.gone);
            for program in &stage.running {
                lines = lines.word(&program.to_string());
            }
            lines = lines.end();
        }
    }
    lines.word("end").end().text
}

fn down_line(lines: Lines, group: &str, host: &DownHost) -> Lines {
    let target = &host.target;
    let mac: String = target.mac.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines = lines.word("down").name(group).name(&host.stage).name(&target.host).word(&mac);
    let lines = lines.name_or_none(target.address.as_deref()).name_or_none(target.user.as_deref());
    let lines = lines.time(host.off_at).word(&host.woken.to_string()).time(host.next);
    lines.flag(host.given_up).flag(host.up).end()
}

/// The words of one line.
struct LineWords<'a>(std::str::SplitAsciiWhitespace<'a>);

impl<'a> LineWords<'a> {
    fn word(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    fn name(&mut self) -> Option<String> {
        let mut bytes = vec![];
        let mut rest = self.word()?.strip_prefix('=')?.bytes();
        while let Some(byte) = rest.next() {
            if byte != b'%' {
                bytes.push(byte);
                continue;
            }
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        }
        String::from_utf8(bytes).ok()
    }

    /// A value, or the dash that stands for none.
    fn maybe<T>(&mut self, of: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.0.clone().next()? == "-" {
            self.word();
            return Some(None);
        }
        of(self).map(Some)
    }

    fn number<T: std::str::FromStr>(&mut self) -> Option<T> {
        self.word()?.parse().ok()
    }

    fn time(&mut self) -> Option<Duration> {
        self.number().map(Duration::from_millis)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.word()? {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    fn one_of<T: Copy>(&mut self, table: &[(&str, T)]) -> Option<T> {
        let word = self.word()?;
        table.iter().find(|row| row.0 == word).map(|row| row.1)
    }
}

/// What can be read of a text.
pub(super) fn read(text: &str) -> (ProtectRecord, Option<RecordFault>) {
    let mut record = ProtectRecord::default();
    if text.is_empty() {
        return (record, None);
    }
    let version = version_of(text);
    // first of all: in a newer form nothing else need be as it is here
    if let Some(version) = version.filter(|version| *version > ProtectRecord::VERSION) {
        return (record, Some(RecordFault::Newer(version)));
    }
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let damaged = Some(RecordFault::Damaged { line: at + 1 });
        let whole = line.strip_suffix('\n').and_then(|line| line.rsplit_once(' '));
        let Some((line, sum)) = whole else { return (record, Some(RecordFault::Torn)) };
        if u64::from_str_radix(sum, 16) != Ok(checksum(line)) {
            return (record, damaged);
        }
        let mut words = LineWords(line.split_ascii_whitespace());
        match (at, words.word()) {
            (0, Some(_)) if version.is_some_and(|version| version > 0) => {}
            (0, _) => return (record, Some(RecordFault::Version)),
            (_, Some("end")) => return (record, None),
            _ => {}
        }
        let taken = if at == 0 { header(&mut words, &mut record) } else { row(line, &mut record) };
        if taken.is_none() {
            return (record, damaged);
        }
    }
    (record, Some(RecordFault::Torn))
}

/// Which version the first word says.
fn version_of(text: &str) -> Option<u32> {
    let number =
        text.split_ascii_whitespace().next()?.strip_prefix(HEAD).filter(|number| !number.is_empty())?;
    // a number that is too long is newer than all
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().unwrap_or(u32::MAX))
}

fn header(words: &mut LineWords<'_>, record: &mut ProtectRecord) -> Option<()> {
    (record.boot, record.at) = (words.name()?, words.time()?);
    (record.wall_s, record.armed) = (words.number()?, words.flag()?);
    Some(())
}

fn row(line: &str, record: &mut ProtectRecord) -> Option<()> {
    let mut words = LineWords(line.split_ascii_whitespace());
    match words.word()? {
        "host" => {
            record.host = Some(HostRun { begun: words.time()?, tried: words.time()?, failed: words.flag()? });
        }
        "course" => record.courses.push(KeptCourse {
            group: words.name()?,
            phase: words.one_of(PHASES)?,
            since: words.time()?,
            phase_at: words.time()?,
            armed: words.flag()?,
            on_battery: words.flag()?,
            waited: words.time()?,
            stages: vec![],
            down: vec![],
        }),
        "ups" => {
            let (ups, unit) = (words.name()?, words.maybe(LineWords::name)?);
            let (spent, until) = (words.maybe(LineWords::time)?, words.maybe(LineWords::time)?);
            record.supplies.push(KeptSupply { ups, unit, time: spent.zip(until), order: None });
        }
        "order" => {
            let ups = words.name()?;
            let order = UpsOrder {
                delay: words.time()?,
                attempt: words.number()?,
                sent: words.time()?,
                state: words.one_of(STATES)?,
                state_at: words.time()?,
                proven: words.flag()?,
            };
            record.supplies.iter_mut().find(|supply| supply.ups == ups)?.order = Some(order);
        }
        "down" => {
            let group = words.name()?;
            let host = down_host(&mut words)?;
            record.courses.iter_mut().find(|course| course.group == group)?.down.push(host);
        }
        "stage" => {
            let group = words.name()?;
            let mut stage = KeptStage {
                stage: words.name()?,
                began: words.time()?,
                over: words.maybe(LineWords::time)?,
                gone: words.maybe(LineWords::time)?,
                running: BTreeSet::new(),
            };
            while let Some(program) = words.word() {
                stage.running.insert(program.parse().ok()?);
            }
            record.courses.iter_mut().find(|course| course.group == group)?.stages.push(stage);
        }
        _ => return None,
    }
    Some(())
}

fn down_host(words: &mut LineWords<'_>) -> Option<DownHost> {
    let (stage, host) = (words.name()?, words.name()?);
    let digits = words.word()?;
    let mut mac = [0; 6];
    for (at, byte) in mac.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    let (address, user) = (words.maybe(LineWords::name)?, words.maybe(LineWords::name)?);
    Some(DownHost {
        stage,
        target: WakeTarget { host, mac, address, user },
        off_at: words.time()?,
        woken: words.number()?,
        next: words.time()?,
        given_up: words.flag()?,
        up: words.flag()?,
    })
}
