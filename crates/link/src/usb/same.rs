//! Whether a device is the one that was open before. A serial number of its own proves it, and that it never
//! left its socket. Without them the socket is the best there is: another one is taken only when nothing that
//! looks the same was ever seen beside the device, and what cannot be shown is said.

use super::choice::Attached;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Clocks of the system go apart by less than this part of a time.
const CLOCKS: u32 = 500;
/// And what they show is older than it looks by less than this.
const LAG: Duration = Duration::from_millis(100);
/// A serial number of fewer letters and digits, or all of them alike, is that of many devices.
const TELLING: usize = 4;

/// What is remembered of the device that was opened, shared with the link that has it open.
#[derive(Clone, Default)]
pub(super) struct OpenedMemory(Arc<Mutex<Option<Before>>>);

impl fmt::Debug for OpenedMemory {
    /// It is no part of the options that it stands in: a reload compares what is shown of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

/// The device that was opened last.
#[derive(Clone, Debug)]
pub(super) struct Before {
    pub device: Attached,
    /// Where something that looks the same was seen at the same time: only the socket tells them apart.
    twin: Option<String>,
    /// Whether that was said.
    told: bool,
    /// When it was surely there.
    heard: Instant,
}

/// What a device is, as far as USB tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The one that was open before.
    Same,
    /// It may be another one, and the sentence says why that cannot be told.
    Doubtful(String),
    /// Surely or probably another one, and why.
    Another(String),
}

impl OpenedMemory {
    fn lock(&self) -> MutexGuard<'_, Option<Before>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device that was opened last.
    pub fn before(&self) -> Option<Before> {
        self.lock().clone()
    }

    /// It answered just now.
    pub fn heard(&self) {
        if let Some(before) = &mut *self.lock() {
            before.heard = Instant::now();
        }
    }

    /// Keeps that `device`, one of `all`, is open now; true when something looks the same, once.
    pub fn open(&self, device: &Attached, all: &[Attached]) -> bool {
        let mut memory = self.lock();
        let before = memory.take().filter(|before| before.device.is_like(device));
        let (known, told) = before.map_or((None, false), |before| (before.twin, before.told));
        let seen = twin_of(device, all);
        let news = seen.is_some() && !told;
        let (twin, told) = (known.or(seen), told || news);
        *memory = Some(Before { device: device.clone(), twin, told, heard: Instant::now() });
        news
    }

    /// Looks for what looks the same, while it is open.
    pub fn look_beside(&self, all: &[Attached]) {
        if let Some(before) = &mut *self.lock() {
            before.twin = before.twin.take().or_else(|| twin_of(&before.device, all));
        }
    }

    /// Keeps that this one was there at the same time.
    pub fn saw_beside(&self, place: &str) {
        if let Some(before) = &mut *self.lock() {
            before.twin.get_or_insert_with(|| place.into());
        }
    }
}

fn twin_of(device: &Attached, all: &[Attached]) -> Option<String> {
    let twin = |other: &&Attached| other.is_like(device) && other.place != device.place;
    all.iter().find(twin).map(|twin| twin.place.clone())
}

impl Before {
    /// What `device` is, one of `all` that looks the same; it has been plugged in for `connected`, where the
    /// system tells.
    pub fn judge(
        &self,
        device: &Attached,
        all: &[Attached],
        connected: Option<Duration>,
        now: Instant,
    ) -> Judgement {
        let since = now.saturating_duration_since(self.heard);
        // it was there when the device was heard last
        let stayed = connected.is_some_and(|connected| connected > since + since / CLOCKS + LAG);
        let in_its_socket = device.place == self.device.place;
        let beside = self.twin.clone().or_else(|| twin_of(device, all));
        let has_own_serial = is_telling(&device.serial) && beside.is_none();
        match (in_its_socket, stayed, beside) {
            // whatever its serial number says
            (false, true, _) => Judgement::Another("it was there beside the UPS".into()),
            (true, true, _) => Judgement::Same,
            _ if has_own_serial => Judgement::Same,
            (true, false, None) => Judgement::Doubtful(format!(
                "{device} was plugged in anew and has no serial number of its own: only what the UPS says can tell whether it is the same one"
            )),
            (true, false, Some(twin)) => Judgement::Doubtful(format!(
                "{device} was plugged in anew and looks the same as what is at {twin}: it is taken for the UPS that was there because it is in its socket, and only what it says can tell"
            )),
            (false, false, Some(twin)) if twin == device.place => {
                Judgement::Another("it was seen beside the UPS".into())
            }
            (false, false, Some(twin)) => {
                Judgement::Another(format!("another one that looks the same was seen at {twin}"))
            }
            (false, false, None) => Judgement::Doubtful(format!(
                "{device} is taken for the UPS that was at {}: it looks the same and nothing else does, but it has no serial number of its own, and only what it says can tell",
                self.device.place
            )),
        }
    }
}

/// Whether a serial number is one device's own.
pub(super) fn is_telling(serial: &str) -> bool {
    let mut letters = serial.chars().filter(char::is_ascii_alphanumeric);
    let first = letters.next();
    let rest: Vec<char> = letters.collect();
    rest.len() + 1 >= TELLING && rest.iter().any(|letter| Some(*letter) != first)
}

/// How long a device has been plugged in (Linux: Documentation/ABI/testing/sysfs-bus-usb).
pub(super) fn connected(device: &Attached) -> Option<Duration> {
    let path = format!("/sys/bus/usb/devices/{}/power/connected_duration", device.place);
    std::fs::read_to_string(path).ok()?.trim().parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(serial: &str, place: &str) -> Attached {
        Attached {
            vendor_id: 0x0665,
            product_id: 0x5161,
            vendor: "INNO TECH".into(),
            product: "USB to Serial".into(),
            serial: serial.into(),
            bus: 1,
            address: 3,
            place: place.into(),
        }
    }

    /// What becomes of `there` when the device of that serial number was at 1-2 and was heard a minute ago:
    /// same, doubt or another.
    fn judged(serial: &str, twin: Option<&str>, there: &[(&str, Option<u64>)]) -> Vec<&'static str> {
        let now = Instant::now() + Duration::from_secs(3600);
        let before = Before {
            device: device(serial, "1-2"),
            twin: twin.map(String::from),
            told: false,
            heard: now - Duration::from_secs(60),
        };
        let all: Vec<Attached> = there.iter().map(|(place, _)| device(serial, place)).collect();
        let connected = there.iter().map(|(_, seconds)| seconds.map(Duration::from_secs));
        let judge = |(device, connected)| match before.judge(device, &all, connected, now) {
            Judgement::Same => "same",
            Judgement::Doubtful(why) => {
                assert!(why.contains("can tell"), "{why}");
                "doubt"
            }
            Judgement::Another(_) => "another",
        };
        all.iter().zip(connected).map(judge).collect()
    }

    #[test]
    fn the_same_is_who_never_left_or_has_a_number_of_its_own() {
        for (serial, twin, there, expected) in [
            // heard 60 s ago
            ("", None, &[("1-2", Some(61))][..], &["same"][..]),
            ("", None, &[("1-2", Some(60))], &["doubt"]),
            ("", None, &[("1-2", Some(5))], &["doubt"]),
            ("", None, &[("1-2", None)], &["doubt"]),
            ("A1234", None, &[("1-2", Some(5))], &["same"]),
            ("1", None, &[("1-2", Some(5))], &["doubt"]),
            // it moved, or somebody else has a socket
            ("", None, &[("1-3", Some(5))], &["doubt"]),
            ("", None, &[("1-3", None)], &["doubt"]),
            ("", None, &[("1-3", Some(61))], &["another"]),
            ("A1234", None, &[("1-3", Some(5))], &["same"]),
            ("A1234", None, &[("1-3", Some(61))], &["another"]),
            // a twin
            ("", None, &[("1-1", Some(61)), ("1-2", Some(61))], &["another", "same"]),
            ("", None, &[("1-1", Some(5)), ("1-2", Some(61))], &["another", "same"]),
            ("", None, &[("1-1", Some(5)), ("1-2", Some(4))], &["another", "doubt"]),
            ("", None, &[("1-1", None), ("1-2", None)], &["another", "doubt"]),
            ("A1234", None, &[("1-1", None), ("1-2", None)], &["another", "doubt"]),
            // two of which none is where it was: neither
            ("", None, &[("1-1", None), ("1-3", None)], &["another", "another"]),
            ("", Some("1-1"), &[("1-1", Some(5))], &["another"]),
            ("", Some("1-1"), &[("1-3", Some(5))], &["another"]),
            ("", Some("1-1"), &[("1-2", Some(5))], &["doubt"]),
            ("", Some("1-1"), &[("1-2", Some(61))], &["same"]),
        ] {
            assert_eq!(judged(serial, twin, there), expected, "'{serial}' {twin:?} {there:?}");
        }
    }

    #[test]
    fn a_number_that_many_have_tells_nothing() {
        for serial in ["", "1", "000000000000", "------", "   ", "123", "    1"] {
            assert!(!is_telling(serial), "{serial}");
        }
        for serial in ["1234", "0001", "A1-B2", "QX-cypress"] {
            assert!(is_telling(serial), "{serial}");
        }
    }

    #[test]
    fn what_was_seen_beside_it_is_kept() {
        let (ups, twin, other) = (device("", "1-2"), device("", "1-1"), device("B5678", "1-1"));
        let memory = OpenedMemory::default();
        assert!(!memory.open(&ups, &[ups.clone(), other.clone()]));
        memory.look_beside(&[ups.clone(), other]);
        assert_eq!(memory.before().unwrap().twin, None);
        memory.look_beside(&[ups.clone(), twin.clone()]);
        assert_eq!(memory.before().unwrap().twin.as_deref(), Some("1-1"));
        // said once, and kept when the twin goes
        assert!(memory.open(&ups, &[ups.clone(), twin.clone()]));
        assert!(!memory.open(&ups, &[ups.clone(), twin]));
        assert!(!memory.open(&ups, std::slice::from_ref(&ups)));
        assert_eq!(memory.before().unwrap().twin.as_deref(), Some("1-1"));
        // another device has twins of its own
        assert!(!memory.open(&device("C9012", "1-5"), &[]));
        assert_eq!(memory.before().unwrap().twin, None);
    }
}
