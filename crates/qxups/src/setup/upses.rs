//! The UPSes that are found, and not in `ups.conf` yet.

use super::ask::Answers;
use super::folder::ConfFolder;
use crate::out::Stop;
use crate::port_user::PortUsers;
use crate::same_port::{choice, clashes, value};
use crate::scan::{self, ScanOptions, ScanPlace, ScanResult};
use driver::config::Paths;
use link::{Address, Attached, LinkErrorKind};
use nut::ups_conf::{self, Section, UpsConf};
use nut::words::quoted;
use station::advice::{SettingLine, plain, written};
use station::config::{Configuration, LONGEST_CONF, Purpose};
use station::driver_kind::DriverKind;

/// What leaves a UPS out.
const LEFT_OUT: &str = "-";

/// A UPS to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUps {
    /// Its name.
    pub name: String,
    /// Where it is, and what it speaks.
    pub about: String,
    /// Its settings, as they stand in the file.
    pub lines: String,
}

impl NewUps {
    /// Its section of `ups.conf`.
    pub fn section(&self) -> String {
        format!("# {}\n[{}]\n{}", plain(&self.about), self.name, self.lines)
    }
}

/// Settings of a scan, as they stand in the file.
fn of_scan(lines: &[SettingLine]) -> String {
    lines.iter().map(|line| format!("{}\n", written(line))).collect()
}

/// Those of a section, as they stand in the file.
fn of_section(section: &Section) -> String {
    let line = |name: &str, value: Option<&str>| match value {
        Some(value) => format!("\t{name} = {}\n", quoted(value)),
        None => format!("\t{name}\n"),
    };
    section.settings.iter().map(|setting| line(&setting.name, setting.value.as_deref())).collect()
}

/// A UPS that was found, or that another program drives already.
struct FoundUps {
    /// The name to propose.
    proposed: String,
    /// As it is shown.
    shown: String,
    /// For the comment above its section.
    about: String,
    lines: String,
}

/// Looks for UPSes as 'qxups scan' does, and asks for their names.
///
/// # Errors
/// The input ended; an option of the scan is wrong.
pub fn find(folder: &ConfFolder, mut places: ScanOptions, answers: &Answers) -> Result<Vec<NewUps>, Stop> {
    if places.serial.is_none() {
        let ports = scan::free_ports();
        let question =
            format!("Look at serial ports too ({})? Each is asked Q1, a status.", ports.join(", "));
        if !ports.is_empty() && answers.is_terminal() && answers.agrees(&question)? {
            places.serial = Some(vec![]);
        }
    }
    let (found, _) = places.look()?;
    let known = folder.upses();
    let elsewhere = Elsewhere::beside(folder);
    let mut new: Vec<NewUps> = vec![];
    let mut taken: Vec<String> = known.sections.iter().map(|section| section.name.clone()).collect();
    for one in &found {
        let lines = scan::lines(one);
        if let Some(section) = names_it(&known, one, &lines) {
            answers.say(&format!("{} is [{section}] of ups.conf already.", plain(&one.place.to_string())))?;
            continue;
        }
        let found = match &one.answer {
            Ok(answer) => Some(answered(one, &answer.dialect, &lines, &taken)),
            Err(_) => elsewhere.driven(one, &lines, &taken),
        };
        let Some(FoundUps { proposed, shown, about, lines }) = found else {
            // why it does not answer was said
            if matches!(one.place, ScanPlace::Line(_)) && !answers.is_terminal() {
                return Err(format!(
                    "{} was named, and no UPS that could be written was found there, as said above; correct the name, or \
                     leave it out",
                    one.place
                )
                .into());
            }
            continue;
        };
        answers.say(&shown)?;
        let question = format!("Its name for clients ('{LEFT_OUT}' leaves it out)");
        let name = answers.line(&question, &proposed, |name| check_name(name, &taken))?;
        if name != LEFT_OUT {
            taken.push(name.clone());
            new.push(NewUps { name, about, lines });
        }
    }
    Ok(new)
}

/// One that says what it is.
fn answered(one: &ScanResult, dialect: &str, lines: &[SettingLine], taken: &[String]) -> FoundUps {
    let about = format!("{}: {dialect}", one.place);
    let model = lines.iter().find(|(name, _)| *name == "desc").map_or("no name of its own", |(_, desc)| desc);
    let proposed = scan::names(std::slice::from_ref(one), taken).pop().flatten();
    FoundUps {
        proposed: proposed.unwrap_or_else(|| free("ups", taken)),
        shown: format!("Found on {}: {}.", plain(&about), plain(model)),
        about,
        lines: of_scan(lines),
    }
}

/// What is configured outside of the folder: the usual folder of NUT, where another is written.
struct Elsewhere(UpsConf);

impl Elsewhere {
    fn beside(folder: &ConfFolder) -> Elsewhere {
        let usual = Paths::from_environment().conf.join("ups.conf");
        let is_other = usual.canonicalize().ok() != folder.ups_conf.path.canonicalize().ok();
        let text =
            if is_other { link::read_bounded(&usual, LONGEST_CONF).unwrap_or_default() } else { vec![] };
        Elsewhere(ups_conf::parse(&text))
    }

    /// A UPS that cannot be asked, as a driver or a server has its port open: it is none to lose.
    fn driven(&self, one: &ScanResult, lines: &[SettingLine], taken: &[String]) -> Option<FoundUps> {
        let is_busy = one.answer.as_ref().is_err_and(|why| why.kind == Some(LinkErrorKind::Busy));
        let users = PortUsers::of(&one.place.file().filter(|_| is_busy)?);
        let driver = users.driver()?;
        let section = names_it(&self.0, one, lines)
            .and_then(|name| self.0.sections.iter().find(|section| section.name == name));
        let known = section.map_or("the driver finds its dialect".into(), |section| {
            format!("it is [{}] of NUT's ups.conf", section.name)
        });
        let place = plain(&one.place.to_string());
        Some(FoundUps {
            proposed: free(section.map_or("ups", |section| section.name.as_str()), taken),
            shown: format!("{place} is driven by {driver} already; {known}."),
            about: place,
            lines: section.map_or_else(|| of_scan(lines), of_section),
        })
    }
}

/// The name, or the next that is free.
fn free(name: &str, taken: &[String]) -> String {
    let numbered = (2..100).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_string()).chain(numbered);
    names.find(|name| check_name(name, taken).is_ok()).unwrap_or_else(|| name.into())
}

/// Whether it can be the name of a UPS.
fn check_name(name: &str, taken: &[String]) -> Result<(), String> {
    let is_fit = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name == LEFT_OUT {
        return Ok(());
    }
    if name.is_empty() || name.starts_with('-') || name.len() > 64 || !name.chars().all(is_fit) {
        return Err("write letters and digits, and - _ . between them".into());
    }
    if name.eq_ignore_ascii_case("default") {
        return Err("upsd uses the name 'default' itself".into());
    }
    match taken.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        true => Err(format!("there is [{name}] already")),
        false => Ok(()),
    }
}

/// The section that names this device already.
fn names_it(conf: &UpsConf, one: &ScanResult, lines: &[SettingLine]) -> Option<String> {
    let new = NewUps { name: "found".into(), about: String::new(), lines: of_scan(lines) };
    let mut with = conf.clone();
    let last = ups_conf::parse(new.section().as_bytes()).sections.pop()?;
    with.sections.push(last);
    let count = with.sections.len();
    let clash = clashes(&with)
        .into_iter()
        .find(|clash| with.sections.get(count - 1).is_some_and(|last| std::ptr::eq(last, clash.section)));
    if let Some(clash) = clash {
        return Some(clash.first.name.clone());
    }
    let ScanPlace::Usb { device, .. } = &one.place else { return None };
    conf.sections.iter().find(|section| may_be(conf, section, device)).map(|section| section.name.clone())
}

/// Whether the driver of a section would take this USB device.
fn may_be(conf: &UpsConf, section: &Section, device: &Attached) -> bool {
    let Some(driver) = value(section, "driver") else { return false };
    if let Some(kind) = DriverKind::named(driver) {
        let config = Configuration::of_section(kind, conf, &section.name, Purpose::Watch);
        return match config.map(|config| config.ups.opening.address) {
            Ok(Address::Usb(options)) => options.bridge_of(device).is_some(),
            _ => false,
        };
    }
    // another driver of NUT: by the numbers that it is given
    let numbers = [("vendorid", device.vendor_id), ("productid", device.product_id)];
    let chosen = choice(section);
    numbers.into_iter().all(|(name, number)| {
        let said = chosen.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
        said.and_then(|text| u16::from_str_radix(text, 16).ok()) == Some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::UpsAnswer;
    use qx::usb::bridges;

    fn device(serial: &str, place: &str) -> ScanResult {
        let device = Attached {
            vendor_id: 0x0665,
            product_id: 0x5161,
            vendor: "INNO TECH".into(),
            product: "USB to Serial".into(),
            serial: serial.into(),
            bus: 1,
            address: 7,
            place: place.into(),
        };
        let bridge = bridges::named("cypress").unwrap();
        let mark = crate::scan::Mark::Numbers;
        let answer = Ok(UpsAnswer { dialect: "megatec".into(), ..UpsAnswer::default() });
        ScanResult { place: ScanPlace::Usb { device, bridge, named: false, mark }, answer }
    }

    #[test]
    fn a_section_that_takes_the_device_names_it() {
        let one = device("A1", "1-2");
        for (section, is_named) in [
            ("driver = nutdrv_qx\nport = auto\n", true),
            ("driver = nutdrv_qx\nport = auto\nvendorid = 0665\nproductid = 5161\n", true),
            ("driver = blazer_usb\nport = auto\n", true),
            ("driver = nutdrv_qx\nport = auto\nserial = A1\n", true),
            ("driver = nutdrv_qx\nport = auto\nserial = B1\n", false),
            ("driver = nutdrv_qx\nport = auto\nvendorid = 06da\nproductid = 0002\n", false),
            ("driver = nutdrv_qx\nport = /dev/ttyS0\n", false),
            ("driver = usbhid-ups\nport = auto\n", false),
            ("driver = usbhid-ups\nport = auto\nvendorid = 0665\nproductid = 5161\n", true),
        ] {
            let conf = ups_conf::parse(format!("[mine]\n{section}").as_bytes());
            let found = names_it(&conf, &one, &scan::lines(&one));
            assert_eq!(found.as_deref(), is_named.then_some("mine"), "{section}");
        }
    }

    #[test]
    fn a_line_is_named_by_its_port() {
        let answer = Ok(UpsAnswer { dialect: "megatec".into(), ..UpsAnswer::default() });
        let one = ScanResult { place: ScanPlace::tcp("ups.lan:4001").unwrap(), answer };
        for (port, is_named) in [("tcp://UPS.lan:4001", true), ("tcp://ups.lan:4002", false)] {
            let conf = ups_conf::parse(format!("[mine]\ndriver = nutdrv_qx\nport = {port}\n").as_bytes());
            let found = names_it(&conf, &one, &scan::lines(&one));
            assert_eq!(found.as_deref(), is_named.then_some("mine"), "{port}");
        }
    }

    #[test]
    fn names_are_those_that_every_client_can_write() {
        let taken = ["rack".to_string()];
        for good in ["ups", "sim1000-2", "a.b_c", "-"] {
            assert_eq!(check_name(good, &taken), Ok(()), "{good}");
        }
        for bad in ["", "a b", "a]", "Rack", "default", "a@b", "\u{fc}", "-x", "a:b"] {
            assert!(check_name(bad, &taken).is_err(), "{bad}");
        }
    }
}
