//! The form of the outbox's file. It is a text of lines, each of which is whole or does not count: a checksum, then all
//! changes that belong together. A line that is torn ends the reading, as nothing was promised of what stands behind it.
//!
//! Any bytes are read without a panic, and what is read is bounded.

use crate::notice::{NoticeKind, UpsNotice};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The first line, before the version; it stays so in all of them.
const HEAD: &str = "qxups-outbox ";
/// What is written; this one is read, and those before.
pub const OUTBOX_VERSION: u32 = 1;
/// No more parcels are kept, for all outputs together.
pub const MOST_PARCELS: usize = 4000;
/// No more rules of UPSes stand.
pub const MOST_STANDING: usize = 100_000;
/// Between the fields of a change, and between the changes of a line.
const FIELD: char = '\t';
const CHANGE: char = '\u{1e}';

/// A rule of a UPS whose condition holds, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingRecord {
    /// The rule.
    pub rule: String,
    /// The UPS.
    pub ups: String,
    /// The condition, as it is written.
    pub condition: String,
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
    /// The same by the steady clock.
    pub since_steady_ms: i64,
    /// For how long it was seen to hold.
    pub held_ms: i64,
    /// It was told.
    pub is_raised: bool,
    /// When it was told last, by the steady clock.
    pub told_ms: i64,
}

/// A change of what stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StandingChange {
    /// It stands, so.
    Stands(StandingRecord),
    /// A rule of a UPS does not any more.
    Over(String, String),
}

/// When the server was there last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenMark {
    /// Another text after each start of the system.
    pub boot: String,
    /// The steady clock.
    pub steady_ms: i64,
}

/// A notice for one output, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParcelRecord {
    /// Its number.
    pub number: u64,
    /// The name of the output.
    pub output: String,
    /// What is sent.
    pub notice: UpsNotice,
    /// It was sent, and it is not known whether it was taken.
    pub may_have_come: bool,
    /// It was being sent when this was written.
    pub is_under_way: bool,
    /// What was held back before it.
    pub held_back: Vec<String>,
    /// So many more were held back, or dropped, without a line.
    pub untold: u32,
}

/// One change of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalChange {
    /// Of what stands.
    Standing(StandingChange),
    /// The server is there.
    Seen(SeenMark),
    /// A parcel, new or in place of that of its number.
    Parcel(Box<ParcelRecord>),
    /// An attempt begins.
    Begun(u64),
    /// It was certainly not taken.
    Back(u64),
    /// It is not known whether it was taken; it is sent once more.
    Doubt(u64),
    /// It leaves the outbox.
    Gone(u64),
}

/// What a file comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalState {
    /// What stands, by rule and UPS.
    pub standing: BTreeMap<(String, String), StandingRecord>,
    /// When the server was there last.
    pub seen: Option<SeenMark>,
    /// What waits, by its number, which is its order.
    pub parcels: BTreeMap<u64, ParcelRecord>,
    /// The end of the file could not be read.
    pub is_torn: bool,
}

/// The beginning of a file.
pub fn head() -> String {
    format!("{HEAD}{OUTBOX_VERSION}\n")
}

/// Which version wrote a file, where that is newer than this program.
pub fn newer(bytes: &[u8]) -> Option<u32> {
    let line = bytes.split(|byte| *byte == b'\n').next()?.strip_prefix(HEAD.as_bytes())?;
    let number = std::str::from_utf8(line).ok().filter(|number| !number.is_empty())?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    // a number that is too long is newer than all
    is_number.then(|| number.parse().unwrap_or(u32::MAX)).filter(|version| *version > OUTBOX_VERSION)
}

/// A line of changes.
pub fn line(changes: &[JournalChange]) -> String {
    let mut body = String::new();
    for (at, change) in changes.iter().enumerate() {
        if at > 0 {
            body.push(CHANGE);
        }
        write_change(&mut body, change);
    }
    format!("{:016x} {body}\n", checksum(body.as_bytes()))
}

/// A whole file of a state, a line for each change: one that is torn costs no other.
pub fn whole(
    standing: impl IntoIterator<Item = StandingRecord>,
    seen: Option<SeenMark>,
    parcels: impl IntoIterator<Item = ParcelRecord>,
) -> String {
    let standing = standing.into_iter().map(|record| JournalChange::Standing(StandingChange::Stands(record)));
    let parcels = parcels.into_iter().map(|parcel| JournalChange::Parcel(Box::new(parcel)));
    let all = seen.map(JournalChange::Seen).into_iter().chain(standing).chain(parcels);
    all.fold(head(), |text, change| text + &line(&[change]))
}

/// Reads a file.
///
/// # Errors
/// A sentence, where it is the file of another program or of a newer version.
pub fn read(bytes: &[u8]) -> Result<JournalState, String> {
    let mut state = JournalState::default();
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    match lines.next() {
        None => return Ok(state),
        Some(first) if first == head().as_bytes() => {}
        // a disk that was full may have taken a part of it
        Some(first) if head().as_bytes().starts_with(first) => {
            state.is_torn = true;
            return Ok(state);
        }
        Some(_) => return Err("this is no outbox of this version".into()),
    }
    for line in lines {
        let Some(changes) = changes_of(line) else {
            state.is_torn = true;
            return Ok(state);
        };
        changes.into_iter().for_each(|change| state.take(change));
    }
    Ok(state)
}

fn changes_of(line: &[u8]) -> Option<Vec<JournalChange>> {
    let line = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (sum, body) = line.split_once(' ')?;
    let is_right = sum.len() == 16 && u64::from_str_radix(sum, 16) == Ok(checksum(body.as_bytes()));
    is_right.then(|| body.split(CHANGE).map(read_change).collect()).flatten()
}

impl JournalState {
    /// Applies a change.
    pub fn take(&mut self, change: JournalChange) {
        match change {
            JournalChange::Standing(StandingChange::Stands(record)) => {
                if self.standing.len() < MOST_STANDING {
                    self.standing.insert((record.rule.clone(), record.ups.clone()), record);
                }
            }
            JournalChange::Standing(StandingChange::Over(rule, ups)) => {
                self.standing.remove(&(rule, ups));
            }
            JournalChange::Seen(seen) => self.seen = Some(seen),
            JournalChange::Parcel(parcel) => {
                if self.parcels.len() < MOST_PARCELS || self.parcels.contains_key(&parcel.number) {
                    self.parcels.insert(parcel.number, *parcel);
                }
            }
            JournalChange::Begun(number) => self.mark(number, |parcel| parcel.is_under_way = true),
            JournalChange::Back(number) => self.mark(number, |parcel| parcel.is_under_way = false),
            JournalChange::Doubt(number) => self.mark(number, |parcel| {
                (parcel.is_under_way, parcel.may_have_come) = (false, true);
            }),
            JournalChange::Gone(number) => drop(self.parcels.remove(&number)),
        }
    }

    fn mark(&mut self, number: u64, act: impl FnOnce(&mut ParcelRecord)) {
        if let Some(parcel) = self.parcels.get_mut(&number) {
            act(parcel);
        }
    }
}

/// FNV-1a: against what is torn or was never written, not against people.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum: u64, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn write_change(out: &mut String, change: &JournalChange) {
    match change {
        JournalChange::Standing(StandingChange::Stands(record)) => {
            let raised = if record.is_raised { "1" } else { "0" };
            put(out, &["S", &record.rule, &record.ups, &record.condition, raised]);
            let (since, steady) = (record.since_ms, record.since_steady_ms);
            let _ = write!(
                out,
                "{FIELD}{since}{FIELD}{steady}{FIELD}{}{FIELD}{}",
                record.held_ms, record.told_ms
            );
        }
        JournalChange::Standing(StandingChange::Over(rule, ups)) => put(out, &["O", rule, ups]),
        JournalChange::Seen(seen) => put(out, &["A", &seen.boot, &seen.steady_ms.to_string()]),
        JournalChange::Parcel(parcel) => write_parcel(out, parcel),
        JournalChange::Begun(number) => put(out, &["B", &number.to_string()]),
        JournalChange::Back(number) => put(out, &["R", &number.to_string()]),
        JournalChange::Doubt(number) => put(out, &["D", &number.to_string()]),
        JournalChange::Gone(number) => put(out, &["G", &number.to_string()]),
    }
}

fn write_parcel(out: &mut String, parcel: &ParcelRecord) {
    let flag = |is: bool| if is { "1" } else { "0" };
    let notice = &parcel.notice;
    let number = parcel.number.to_string();
    put(out, &["P", &number, &parcel.output, flag(parcel.may_have_come), flag(parcel.is_under_way)]);
    let _ = write!(out, "{FIELD}{}{FIELD}{}{FIELD}{}{FIELD}", notice.at_ms, notice.since_ms, parcel.untold);
    put(out, &[&notice.id, &notice.rule, &notice.ups, notice.kind.name(), &notice.notify_type]);
    out.push(FIELD);
    put(out, &[&notice.title, &notice.text, &notice.status]);
    for held in &parcel.held_back {
        out.push(FIELD);
        escape(out, held);
    }
}

fn put(out: &mut String, fields: &[&str]) {
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.push(FIELD);
        }
        escape(out, field);
    }
}

fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            FIELD => out.push_str("\\t"),
            CHANGE => out.push_str("\\e"),
            other => out.push(other),
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    let (mut read, mut letters) = (String::with_capacity(text.len()), text.chars());
    while let Some(letter) = letters.next() {
        read.push(match letter {
            '\\' => match letters.next()? {
                '\\' => '\\',
                'n' => '\n',
                't' => FIELD,
                'e' => CHANGE,
                _ => return None,
            },
            other => other,
        });
    }
    Some(read)
}

fn read_change(text: &str) -> Option<JournalChange> {
    let fields: Vec<String> = text.split(FIELD).map(unescape).collect::<Option<_>>()?;
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    Some(match fields.as_slice() {
        ["S", rule, ups, condition, raised, since, steady, held, told] => {
            JournalChange::Standing(StandingChange::Stands(StandingRecord {
                rule: (*rule).into(),
                ups: (*ups).into(),
                condition: (*condition).into(),
                since_ms: since.parse().ok()?,
                since_steady_ms: steady.parse().ok()?,
                held_ms: held.parse().ok()?,
                is_raised: flag(raised)?,
                told_ms: told.parse().ok()?,
            }))
        }
        ["O", rule, ups] => JournalChange::Standing(StandingChange::Over((*rule).into(), (*ups).into())),
        ["A", boot, steady] => {
            JournalChange::Seen(SeenMark { boot: (*boot).into(), steady_ms: steady.parse().ok()? })
        }
        ["P", rest @ ..] => JournalChange::Parcel(Box::new(read_parcel(rest)?)),
        ["B", at] => JournalChange::Begun(number(at)?),
        ["R", at] => JournalChange::Back(number(at)?),
        ["D", at] => JournalChange::Doubt(number(at)?),
        ["G", at] => JournalChange::Gone(number(at)?),
        _ => return None,
    })
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

fn read_parcel(fields: &[&str]) -> Option<ParcelRecord> {
    let [number, output, may_have_come, is_under_way, at, since, untold, rest @ ..] = fields else {
        return None;
    };
    let [id, rule, ups, kind, notify_type, title, text, status, held_back @ ..] = rest else { return None };
    let notice = UpsNotice {
        id: (*id).into(),
        rule: (*rule).into(),
        ups: (*ups).into(),
        kind: NoticeKind::named(kind)?,
        notify_type: (*notify_type).into(),
        at_ms: at.parse().ok()?,
        since_ms: since.parse().ok()?,
        title: (*title).into(),
        text: (*text).into(),
        status: (*status).into(),
    };
    Some(ParcelRecord {
        number: number.parse().ok()?,
        output: (*output).into(),
        notice,
        may_have_come: flag(may_have_come)?,
        is_under_way: flag(is_under_way)?,
        held_back: held_back.iter().map(|held| (*held).into()).collect(),
        untold: untold.parse().ok()?,
    })
}
