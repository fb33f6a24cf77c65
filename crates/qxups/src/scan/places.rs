//! Where a UPS may be.

use link::{Address, Attached, Pattern, UsbOptions};
use qx::usb::bridge::Bridge;
use qx::usb::bridges;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// A place to ask.
#[derive(Clone, Debug)]
pub enum ScanPlace {
    /// A device on USB.
    Usb {
        /// The device.
        device: Attached,
        /// The bridge in it.
        bridge: &'static Bridge,
        /// Whether the bridge was named rather than recognised.
        named: bool,
        /// What tells it from the others.
        mark: Mark,
    },
    /// A serial line or a device server that the user named.
    Line(Address),
    /// A serial port that there is: nothing says that a UPS is there.
    Port(Address),
}

/// What tells a USB device from all others that are plugged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Its numbers: no other has them.
    Numbers,
    /// Its serial number.
    Serial,
    /// Nothing but its socket.
    Place,
}

impl Mark {
    /// Looks at all that are plugged in.
    pub fn of(device: &Attached, all: &[Attached]) -> Mark {
        let is_rival = |other: &&Attached| {
            (other.vendor_id, other.product_id) == (device.vendor_id, device.product_id)
                && other.place != device.place
        };
        let rivals: Vec<&Attached> = all.iter().filter(is_rival).collect();
        // ups.conf has no other letters, and the driver does not mind capitals
        let is_told =
            !device.serial.is_empty() && device.serial.chars().all(|letter| (' '..='~').contains(&letter));
        let is_shared = rivals.iter().any(|other| other.serial.eq_ignore_ascii_case(&device.serial));
        match (rivals.is_empty(), is_told && !is_shared) {
            (true, _) => Mark::Numbers,
            (false, true) => Mark::Serial,
            (false, false) => Mark::Place,
        }
    }
}

/// A device that the user says is a UPS.
#[derive(Debug)]
pub struct Named {
    vendor: u16,
    product: u16,
    bridge: &'static Bridge,
}

impl Named {
    /// Reads numbers and the name of a bridge.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(numbers: &str, bridge: &str) -> Result<Named, String> {
        let (vendor, product) = crate::sim::usb_numbers(numbers)
            .ok_or_else(|| format!("--usb-id {numbers}: write it as 0665:5161"))?;
        let bridge = bridges::named(bridge).ok_or_else(|| crate::sim::no_such_bridge(bridge))?;
        Ok(Named { vendor, product, bridge })
    }
}

impl ScanPlace {
    /// A device server.
    ///
    /// # Errors
    /// A sentence.
    pub fn tcp(server: &str) -> Result<ScanPlace, String> {
        let address = Address::parse(&format!("tcp://{server}")).map_err(|bad| bad.to_string())?;
        Ok(ScanPlace::Line(address))
    }

    /// The file that a program has open which uses it.
    pub fn file(&self) -> Option<PathBuf> {
        match self {
            ScanPlace::Line(Address::Serial(path)) | ScanPlace::Port(Address::Serial(path)) => {
                Some(path.clone())
            }
            ScanPlace::Usb { device, .. } => {
                Some(format!("/dev/bus/usb/{:03}/{:03}", device.bus, device.address).into())
            }
            ScanPlace::Line(_) | ScanPlace::Port(_) => None,
        }
    }

    /// Whether the user said that it is a UPS.
    pub fn is_named(&self) -> bool {
        matches!(self, ScanPlace::Usb { named: true, .. })
    }

    /// What to open.
    ///
    /// # Errors
    /// A sentence.
    pub fn address(&self) -> Result<Address, String> {
        match self {
            ScanPlace::Line(address) | ScanPlace::Port(address) => Ok(address.clone()),
            ScanPlace::Usb { device, bridge, .. } => {
                let mut options = UsbOptions::default();
                options.bridge = Some(bridge);
                for (name, text) in [
                    ("vendorid", format!("{:04x}", device.vendor_id)),
                    ("productid", format!("{:04x}", device.product_id)),
                    ("busport", exactly(&device.place)),
                ] {
                    options.patterns.insert(name, Pattern::parse(name, &text)?);
                }
                Ok(Address::Usb(Box::new(options)))
            }
        }
    }
}

impl fmt::Display for ScanPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScanPlace::Usb { device, bridge, .. } => write!(f, "USB device {device} ({})", bridge.name),
            ScanPlace::Line(address) | ScanPlace::Port(address) => write!(f, "{address}"),
        }
    }
}

/// A text as an expression that fits nothing else.
pub fn exactly(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, letter| {
        if !letter.is_alphanumeric() && !" -_:,#/".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
        out
    })
}

/// USB devices to ask, and those in no table.
///
/// # Errors
/// A sentence.
pub async fn on_usb(named: Option<&Named>) -> Result<(Vec<ScanPlace>, Vec<Attached>), String> {
    let mut all = link::attached().await.map_err(|error| error.to_string())?;
    // 1-2 before 1-10
    all.sort_by_key(|device| (device.place.len(), device.place.clone()));
    let (mut places, mut foreign) = (vec![], vec![]);
    for device in &all {
        let meant =
            named.filter(|named| (named.vendor, named.product) == (device.vendor_id, device.product_id));
        match meant.map(|named| named.bridge).or_else(|| device.bridge()) {
            Some(bridge) => {
                let mark = Mark::of(device, &all);
                places.push(ScanPlace::Usb { device: device.clone(), bridge, named: meant.is_some(), mark });
            }
            None => foreign.push(device.clone()),
        }
    }
    Ok((places, foreign))
}

/// Serial ports to ask, those that were named or all that there are, and in sentences which are not.
///
/// # Errors
/// A name that leads to no port, or to two: a sentence.
pub fn serial(paths: Vec<PathBuf>) -> Result<(Vec<ScanPlace>, Vec<String>), String> {
    if !paths.is_empty() {
        let here = std::env::current_dir().unwrap_or_else(|_| "/".into());
        let whole = paths.into_iter().map(|path| whole(&path, &here, Path::new("/dev")));
        let lines = whole.map(|path| path.map(|path| ScanPlace::Line(Address::Serial(path))));
        return Ok((lines.collect::<Result<_, _>>()?, vec![]));
    }
    let (ports, passed_over) =
        serial_ports(Path::new("/sys/class/tty"), Path::new("/dev"), &open_files(Path::new("/proc")));
    Ok((ports.into_iter().map(|path| ScanPlace::Port(Address::Serial(path))).collect(), passed_over))
}

/// The whole path of a port that is named, as it is to stand in `ups.conf`: the driver works in another folder than a
/// person does, and would look for `ups0` there.
fn whole(path: &Path, here: &Path, dev: &Path) -> Result<PathBuf, String> {
    let name = path.display();
    let is_plain = path.to_str().is_some_and(|text| text.chars().all(|letter| (' '..='~').contains(&letter)));
    if !is_plain {
        return Err(format!(
            "--serial {}: ups.conf can only hold printable letters of ASCII; make a link with such a name (ln -s), and name that",
            name.to_string().escape_debug()
        ));
    }
    if path.is_absolute() {
        return Ok(path.into());
    }
    let mut places = vec![dev.join(path), here.join(path)];
    places.retain(|place| place.exists());
    places.dedup_by_key(|place| place.canonicalize().ok());
    match places.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(format!(
            "--serial {name}: there is none in {} nor in this folder; write the whole path, such as /dev/ttyS0",
            dev.display()
        )),
        _ => Err(format!(
            "--serial {name}: there is one in {} and one in this folder; write the whole path of the one that is meant",
            dev.display()
        )),
    }
}

/// The serial ports that have hardware behind them and that no program uses. What is sent to a console or a
/// login would be typed there.
fn serial_ports(sys: &Path, dev: &Path, open: &BTreeSet<PathBuf>) -> (Vec<PathBuf>, Vec<String>) {
    let console = std::fs::read_to_string(sys.join("console/active")).unwrap_or_default();
    let Ok(entries) = std::fs::read_dir(sys) else {
        return (
            vec![],
            vec![format!("the system does not list its serial ports ({}): name them", sys.display())],
        );
    };
    let is_port = |name: &String| {
        let of_a_board = ["ttyS", "ttyAMA", "ttymxc", "ttyO"].iter().any(|kind| name.starts_with(kind));
        let kind = std::fs::read_to_string(sys.join(name).join("type")).unwrap_or_default();
        let there = of_a_board && !matches!(kind.trim(), "" | "0");
        (there || name.starts_with("ttyUSB") || name.starts_with("ttyACM")) && dev.join(name).exists()
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(is_port).collect();
    // ttyS2 before ttyS10
    names.sort_by_key(|name| (name.len(), name.clone()));
    let (mut ports, mut passed_over) = (vec![], vec![]);
    for name in names {
        let path = dev.join(&name);
        if console.split_whitespace().any(|used| used == name) {
            passed_over.push(format!("{} is not asked: it is the system's console", path.display()));
        } else if open.contains(&path) {
            passed_over.push(format!("{} is not asked: another program has it open", path.display()));
        } else {
            ports.push(path);
        }
    }
    if ports.is_empty() && passed_over.is_empty() {
        passed_over.push("this system has no serial port".into());
    }
    (ports, passed_over)
}

/// What the processes that we may look into have open (all of them, for root).
fn open_files(proc: &Path) -> BTreeSet<PathBuf> {
    let list = |path: PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten();
    let links = list(proc.into()).flat_map(|process| list(process.path().join("fd")));
    links.filter_map(|link| std::fs::read_link(link.path()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ports_with_hardware_that_nobody_uses_are_asked() {
        let folder = std::env::temp_dir().join(format!("qxups-tty-{}", std::process::id()));
        let (sys, dev, proc) = (folder.join("sys"), folder.join("dev"), folder.join("proc"));
        for (name, kind) in [
            ("ttyS0", "4"),
            ("ttyS1", "0"),
            ("ttyS2", "4"),
            ("ttyS3", "4"),
            ("ttyS10", "4"),
            ("ttyUSB0", ""),
            ("tty1", "4"),
            ("ptmx", ""),
        ] {
            std::fs::create_dir_all(sys.join(name)).unwrap();
            std::fs::write(sys.join(name).join("type"), format!("{kind}\n")).unwrap();
            std::fs::create_dir_all(dev.join(name)).unwrap();
        }
        // a port without a name in /dev is none
        std::fs::create_dir_all(sys.join("ttyACM0")).unwrap();
        std::fs::create_dir_all(sys.join("console")).unwrap();
        std::fs::write(sys.join("console/active"), "tty0 ttyS2\n").unwrap();
        std::fs::create_dir_all(proc.join("17/fd")).unwrap();
        std::os::unix::fs::symlink(dev.join("ttyS3"), proc.join("17/fd/0")).unwrap();
        let (ports, passed_over) = serial_ports(&sys, &dev, &open_files(&proc));
        assert_eq!(ports, ["ttyS0", "ttyS10", "ttyUSB0"].map(|name| dev.join(name)));
        assert!(passed_over[0].contains("ttyS2 is not asked: it is the system's console"), "{passed_over:?}");
        assert!(passed_over[1].contains("ttyS3 is not asked: another program"), "{passed_over:?}");
        assert_eq!(serial_ports(&folder.join("no"), &dev, &BTreeSet::new()).1.len(), 1);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_name_without_its_folder_is_found_or_refused() {
        let folder = std::env::temp_dir().join(format!("qxups-whole-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let (dev, here) = (folder.join("dev"), folder.join("here"));
        for place in [dev.join("ups0"), dev.join("both"), here.join("both"), here.join("mine")] {
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(place, "").unwrap();
        }
        let found = |name: &str| whole(Path::new(name), &here, &dev);
        assert_eq!(found("ups0"), Ok(dev.join("ups0")));
        assert_eq!(found("mine"), Ok(here.join("mine")));
        assert_eq!(found("/no/such"), Ok("/no/such".into()), "why it cannot be opened is said later");
        // a port that is called so is none of USB
        assert!(found("auto").unwrap_err().contains("write the whole path"));
        assert!(found("both").unwrap_err().contains("one in this folder"));
        assert!(found("/dev/\u{fc}").unwrap_err().contains("ASCII"));
        // where both names lead to one file, that is meant
        assert_eq!(whole(Path::new("ups0"), &dev, &dev), Ok(dev.join("ups0")));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_device_is_told_apart_by_no_more_than_it_takes() {
        let device = |product_id: u16, serial: &str, place: &str| Attached {
            vendor_id: 0x0665,
            product_id,
            vendor: String::new(),
            product: String::new(),
            serial: serial.into(),
            bus: 1,
            address: 2,
            place: place.into(),
        };
        let marks = |all: &[Attached]| all.iter().map(|one| Mark::of(one, all)).collect::<Vec<_>>();
        let first = device(0x5161, "A1", "1-1");
        assert_eq!(marks(&[first.clone(), device(0x5162, "A1", "1-2")]), [Mark::Numbers; 2]);
        assert_eq!(marks(&[first.clone(), device(0x5161, "B2", "1-2")]), [Mark::Serial; 2]);
        assert_eq!(marks(&[first.clone(), device(0x5161, "a1", "1-2")]), [Mark::Place; 2]);
        // what has no serial number would be taken for its neighbour
        assert_eq!(marks(&[first, device(0x5161, "", "1-2")]), [Mark::Serial, Mark::Place]);
        // what ups.conf cannot hold tells nothing
        let odd = device(0x5161, "é1", "1-3");
        assert_eq!(Mark::of(&odd, &[odd.clone(), device(0x5161, "", "1-2")]), Mark::Place);
    }

    #[test]
    fn a_text_fits_itself_only() {
        let text = "A+B (V2.00)|x";
        let pattern = Pattern::parse("product", &exactly(text)).unwrap();
        assert!(pattern.fits(text) && !pattern.fits("AAB (V2100)"));
    }
}
