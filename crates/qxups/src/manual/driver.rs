//! The manual pages of the drivers, from the tables of options, dialects and bridges.

use super::roff::Page;
use driver::command_line::LETTERS;
use qx::options::rows::{OptionKind, OptionRow, Scope};
use qx::protocols;
use qx::usb::bridge::{Bridge, UsbId};
use qx::usb::bridges;
use station::driver_kind::{self, DriverKind, LineKind};
use std::collections::BTreeMap;

/// One of the names under which the drop-in runs.
pub struct DriverPage {
    kind: &'static DriverKind,
    about: &'static str,
}

/// Every name.
pub const DRIVERS: &[DriverPage] = &[
    DriverPage {
        kind: &driver_kind::NUTDRV_QX,
        about: "driver for UPSes that speak a Q* dialect, on serial lines, TCP and USB",
    },
    DriverPage {
        kind: &driver_kind::BLAZER_SER,
        about: "driver for UPSes that speak the Megatec protocol, on serial lines and TCP",
    },
    DriverPage {
        kind: &driver_kind::BLAZER_USB,
        about: "driver for UPSes that speak the Megatec protocol, on USB",
    },
];

impl DriverPage {
    /// Its name.
    pub fn name(&self) -> &'static str {
        self.kind.name
    }

    /// Whether NUT calls it deprecated.
    fn is_old(&self) -> bool {
        self.kind.notice.is_some()
    }

    fn is_on_serial_lines(&self) -> bool {
        self.kind.line != LineKind::Usb
    }

    fn is_on_usb(&self) -> bool {
        self.kind.line != LineKind::Serial
    }

    /// The bridges it knows, with the numbers of the devices that have them.
    fn bridges(&self) -> Vec<(&'static Bridge, Vec<String>)> {
        let numbers = |bridge: &Bridge| -> Vec<String> {
            let mut ids: Vec<String> = match self.kind.devices {
                None => bridge.ids.iter().map(numbers_of).collect(),
                Some(known) => {
                    let own = known.iter().filter(|(_, its)| its.name == bridge.name);
                    own.map(|(id, _)| numbers_of(id)).collect()
                }
            };
            ids.sort();
            ids.dedup();
            ids
        };
        let all = bridges::ALL.iter().map(|bridge| (*bridge, numbers(bridge)));
        all.filter(|(_, ids)| self.kind.devices.is_none() || !ids.is_empty()).collect()
    }

    /// Its manual page.
    pub fn page(&self) -> String {
        let mut page = Page::new(self.name(), 8, self.about);
        self.begin(&mut page);
        self.hardware(&mut page);
        letters(&mut page);
        self.arguments(&mut page);
        self.commands(&mut page);
        battery(&mut page);
        surroundings(&mut page);
        self.problems(&mut page);
        self.end(&mut page);
        page.finish()
    }

    fn begin(&self, page: &mut Page) {
        let name = self.name();
        page.heading("SYNOPSIS");
        page.text(&format!("`{name} -a` NAME [OPTIONS]"));
        page.text(&format!("`{name} -s` NAME `-x port=`PORT [OPTIONS]"));
        page.text(&format!("`{name} -h` | `-V` | `-L`"));
        page.heading("NOTE");
        page.text(
            "This is the driver of qxups, made to be put in place of the one of this name that Network UPS Tools (NUT) \
             has. See nutupsdrv(8) for options common to all drivers, and ups.conf(5) for the configuration file.",
        );
        if self.is_old() {
            page.text(
                "For new installations nutdrv_qx(8) is the one to take: it knows these dialects and more.",
            );
        }
    }

    fn hardware(&self, page: &mut Page) {
        page.heading("SUPPORTED HARDWARE");
        page.text(
            "UPSes that speak one of these dialects. The driver finds out which, unless `protocol` names it. \
             `qxups scan` tells what is connected, and `qxups protocols` prints what each dialect asks and says.",
        );
        for protocol in self.kind.dialects {
            let by_name = if protocol.by_name { " Only when it is named." } else { "" };
            page.term(&format!("`{}`", protocol.name), &format!("{}.{by_name}", capital(protocol.about)));
        }
        if !self.is_on_usb() {
            return;
        }
        page.text("USB devices are recognised by their numbers, some by their texts as well:");
        for (bridge, ids) in self.bridges() {
            let ids = if ids.is_empty() { "only by `subdriver`".to_string() } else { ids.join(", ") };
            page.term(&format!("`{}`", bridge.name), &format!("{}: {ids}.", capital(bridge.about)));
        }
    }

    fn arguments(&self, page: &mut Page) {
        page.heading("EXTRA ARGUMENTS");
        page.text("These stand in the section of the UPS in `ups.conf`, or behind `-x`:");
        let port = if self.is_on_serial_lines() { "/dev/ttyS0" } else { "auto" };
        page.example(&format!("[myups]\n    driver = {}\n    port = {port}\n    offdelay = 60", self.name()));
        self.generic(page);
        let of = |scope: fn(&OptionRow) -> bool| self.kind.all_options().filter(move |row| scope(row));
        let mut by_dialect: BTreeMap<&str, Vec<(&OptionRow, &str)>> = BTreeMap::new();
        let mut before = None;
        for row in of(|row| !matches!(row.scope, Scope::Serial | Scope::Usb | Scope::Logged)) {
            let (dialect, about) = match row.about.split_once(": ") {
                Some((dialect, about)) if known_dialects(dialect) => (Some(dialect), about),
                _ if row.about.starts_with("the same") => (before, row.about),
                _ => (None, row.about),
            };
            match dialect {
                Some(dialect) => by_dialect.entry(dialect).or_default().push((row, about)),
                None => self.option(page, row, about),
            }
            before = dialect.or(before);
        }
        for (dialect, rows) in by_dialect {
            page.subheading(&format!("{} PROTOCOL", dialect.to_uppercase()));
            rows.into_iter().for_each(|(row, about)| self.option(page, row, about));
        }
        if self.is_on_serial_lines() {
            page.subheading("SERIAL INTERFACE ONLY");
            of(|row| row.scope == Scope::Serial).for_each(|row| self.option(page, row, row.about));
            page.term("`nolock`", "Do not lock the port.");
        }
        if self.is_on_usb() {
            page.subheading("USB INTERFACE ONLY");
            of(|row| row.scope == Scope::Usb).for_each(|row| self.option(page, row, row.about));
            page.text(
                "Texts are regular expressions, without regard to case. `subdriver` needs `vendorid` and \
                 `productid`: no foreign device is to be taken for a UPS.",
            );
        }
    }

    fn option(&self, page: &mut Page, row: &OptionRow, about: &str) {
        let value = match row.kind {
            OptionKind::Value => " = VALUE",
            OptionKind::Either => "` [`= VALUE`]`",
            OptionKind::Flag => "",
        };
        page.term(&format!("`{}{value}`", row.name), &format!("{}.", capital(about)));
    }

    /// What the configuration reads itself.
    fn generic(&self, page: &mut Page) {
        let mut ports = vec![];
        if self.is_on_serial_lines() {
            ports.extend([
                "`/dev/ttyS0` or another serial line",
                "`tcp://`HOST`:`PORT for a serial device server",
            ]);
        }
        if self.is_on_usb() {
            ports.push("`auto` for USB");
        }
        ports.push("`replay:`FILE for a recording of `qxups capture`, which obeys nothing");
        page.term("`port = PORT`", &format!("Where the UPS is: {}.", ports.join(", ")));
        page.term("`pollinterval = SECONDS`", "Time between quick polls (default 2).");
        page.term(
            "`ignorelb`",
            "The battery is low when `battery.charge` or `battery.runtime` falls below its `.low`, not when the UPS says so.",
        );
        page.term("`default.`VARIABLE` = VALUE`", "What a variable is until the UPS says something of it.");
        page.term("`override.`VARIABLE` = VALUE`", "What a variable is, whatever the UPS says of it.");
    }

    fn commands(&self, page: &mut Page) {
        page.heading("UPS COMMANDS");
        page.text("Commands for upscmd(8), and the dialects that have them; some only when the UPS says so:");
        let mut commands: BTreeMap<&str, (Vec<&str>, Option<String>)> = BTreeMap::new();
        for protocol in self.kind.dialects {
            for command in protocol.all_commands() {
                let row = commands.entry(command.name).or_default();
                if !row.0.contains(&protocol.name) {
                    row.0.push(protocol.name);
                }
                if let Some(parameter) = command.parameter {
                    let unit = parameter.unit.plural();
                    row.1.get_or_insert(match parameter.default {
                        Some(default) => format!("Takes {unit} ({default}); the dialect sets the bounds."),
                        None => format!("Needs {unit}; the dialect sets the bounds."),
                    });
                }
            }
        }
        let all = self.kind.dialects.len();
        for (name, (dialects, parameter)) in commands {
            let dialects = if dialects.len() == all { "All dialects".into() } else { dialects.join(", ") };
            let dialects = format!("{dialects}. {}", parameter.unwrap_or_default());
            page.term(&format!("`{name}`"), dialects.trim_end());
        }
        page.text("Nothing that switches the load is sent unless a client asks for it by name or by `-k`.");
    }

    fn problems(&self, page: &mut Page) {
        page.heading("KNOWN PROBLEMS");
        page.text(
            "No part of this driver was ever tested on real hardware: recordings of yours are welcome.",
        );
        if self.is_on_serial_lines() {
            page.text(
                "Debian's user `nut` may not open serial ports, which belong to the group `dialout`: \
                 add it (`adduser nut dialout`), or run the driver from `qxups-driver@.service`, which does so.",
            );
        }
        page.text(
            "These dialects have no checksum. What looks odd is asked again before it is accepted, but a digit \
             that line noise turns into another one nearby cannot be detected.",
        );
        page.text("On purpose some things differ from NUT's driver: see `differences-from-nut.md` in the documentation.");
    }

    fn end(&self, page: &mut Page) {
        page.heading("AUTHORS");
        page.text(
            "The authors of qxups. What these devices say was found out by the authors of Network UPS Tools and by \
             those who published recordings.",
        );
        page.heading("SEE ALSO");
        let others = DRIVERS.iter().filter(|driver| driver.name() != self.name());
        let others: Vec<String> = others.map(|driver| format!("{}(8)", driver.name())).collect();
        page.text(&format!(
            "qxups(1), {}, nutupsdrv(8), ups.conf(5), upsdrvctl(8), upscmd(8)",
            others.join(", ")
        ));
        page.subheading("Internet resources:");
        page.text("Network UPS Tools: https://www.networkupstools.org/");
    }
}

fn letters(page: &mut Page) {
    page.heading("OPTIONS");
    for row in LETTERS {
        let value = row.value.map_or(String::new(), |value| format!(" {value}"));
        page.term(&format!("`-{}`{value}", row.letter), &format!("{}.", capital(row.about)));
    }
}

fn battery(page: &mut Page) {
    page.heading("BATTERY CHARGE");
    page.text(
        "Few of these UPSes tell the charge. Where one does not, it is estimated from the voltage, on a line from \
         `battery.voltage.low` to `battery.voltage.high`. Without better knowledge these are 104/120 and 130/120 of \
         the nominal voltage; set them by `default.battery.voltage.low` and `.high` to what your UPS shows shortly \
         before it switches off and when it is full.",
    );
    page.text(
        "With `runtimecal` charge and `battery.runtime` follow from the load instead. Its numbers are the runtime \
         in seconds at a high load in percent, then that at a low load: `runtimecal = 240,100,720,50` means four \
         minutes at full load and twelve at half load.",
    );
}

/// Log, signals, environment, files.
fn surroundings(page: &mut Page) {
    page.heading("LOG");
    page.text(
        "In the foreground to standard error, to the system log in the background, with severities for systemd's \
         journal. One line for each change of state, with the reply that raised it; none for a reply that failed. \
         `-D`, `debug_min` in `ups.conf` and `NUT_DEBUG_LEVEL` ask for more: 1 what happens, 2 what changes, 3 every \
         question and reply, 4 how long replies take, 5 what clients ask, 6 how long the driver waits.",
    );
    page.heading("SIGNALS");
    page.term("`SIGTERM`, `SIGINT`, `SIGQUIT`", "Leave.");
    page.term("`SIGHUP`", "Read `ups.conf` again and say in the log what needs a restart.");
    page.term("`SIGUSR1`", "The same, and leave when something needs a restart.");
    page.heading("ENVIRONMENT");
    page.term("`NUT_CONFPATH`", "Folder of `ups.conf`.");
    page.term("`NUT_STATEPATH`", "Folder of the socket that upsd(8) reads.");
    page.term("`NUT_ALTPIDPATH`", "Folder of the PID file, where it is another one.");
    page.term("`NUT_DEBUG_LEVEL`", "Stands in for as many `-D`; the driver still goes to the background.");
    page.term(
        "`NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`",
        "Set by a supervisor such as systemd, which is told when data is there, how it goes, and that the driver lives: see sd_notify(3).",
    );
    page.heading("EXIT STATUS");
    page.text("0 when what was asked for was done, else 1, with one sentence on standard error.");
}

fn numbers_of(id: &UsbId) -> String {
    format!("{:04x}:{:04x}", id.vendor, id.product)
}

/// Whether these words name dialects, such as `q2 and q6` or `voltronic P31`.
fn known_dialects(words: &str) -> bool {
    words.split(' ').any(|word| protocols::named(word).is_some())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
