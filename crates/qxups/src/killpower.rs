//! `qxups killpower`: the second chance at the end of a shutdown, when the server is gone and the file systems are read-only.
//!
//! It acts by a flag alone, and for the UPSes that the flag names. Each is a process of its own: the driver's `-k`, which
//! becomes the driver's user; those of one `sdorder` work at the same time, so that one that is silent delays no other.

use crate::out::{Stop, tell};
use clap::Args;
use driver::config::Paths;
use driver::power_down::{PowerDown, PowerDownFlag};
use driver::program::{NOT_CONFIRMED, kill_power};
use nut::ups_conf::{self, Section, UpsConf};
use nut::upsd_conf;
use station::config::LONGEST_CONF;
use station::driver_kind::DriverKind;
use station::log::Log;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};

/// What stands below the options, and in the manual page.
const MORE: &str = "\
It is for the end of a shutdown, when all other processes are gone
(/usr/lib/systemd/system-shutdown/qxups). Nothing is sent where no flag says
that a shutdown is under way which ends with loads switched off.

Files:
  /run/nut/qxups-powerdown
                     the flag of 'qxups serve': names the UPSes, and the start
                     of the machine that it belongs to
  FOLDER/ups.conf    the UPSes; with --flag all that sdorder does not leave out

Environment:
  NUT_CONFPATH       FOLDER; left out: /etc/nut
  NUT_STATEPATH      in place of /run/nut

Exit status:
  0  each UPS accepted the order; the last line of each says what it shows of it
  1  a load stays on: the order was refused, or could not be sent
  2  an order was sent, and whether the UPS obeys was not seen; or a wrong
     command line
  3  no flag says that a shutdown is under way: nothing was sent";

/// The exit code where nothing was to be done.
const NOT_UNDER_WAY: u8 = 3;
/// What upsmon writes into the file of POWERDOWNFLAG (NUT 2.8.0 clients/upsmon.h: `SDMAGIC`).
const UPSMON_SAYS: &[u8] = b"upsmon-shutdown-file";
/// No flag of upsmon is longer, in bytes.
const LONGEST_FLAG: u64 = 256;
/// Those of the next `sdorder` wait for so long at most: `-k` itself goes on for a minute.
const NEXT_ORDER: Duration = Duration::from_secs(25);
/// Between two looks at processes.
const LOOK: Duration = Duration::from_millis(20);
/// Drivers, where `driverpath` of ups.conf does not say otherwise.
const DRIVERS: &str = "/lib/nut";

/// The command line of it.
#[derive(Args)]
#[command(after_help = MORE)]
pub struct Killpower {
    /// The UPS whose load is to go off, if the flag names it
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,
    /// Every UPS that the flag names
    #[arg(long)]
    all: bool,
    /// Say nothing where there is no flag at all
    #[arg(short, long)]
    quiet: bool,
    /// The flag of upsmon (POWERDOWNFLAG of upsmon.conf) counts as well, for all UPSes of ups.conf
    #[arg(long, value_name = "FILE")]
    flag: Option<PathBuf>,
}

impl Killpower {
    /// Switches the loads off, where a flag says so.
    ///
    /// # Errors
    /// A sentence: nothing was sent.
    pub fn run(&self) -> Result<ExitCode, Stop> {
        let paths = Paths::from_environment();
        let conf = read_conf(&paths);
        let paths = with_state(paths, conf.as_ref().ok());
        let own = PowerDownFlag::of(&paths.state);
        let mut meant = match own.read() {
            PowerDown::Raised(names) => names,
            other => match (self.of_upsmon(), &conf) {
                (Ok(()), Ok(conf)) => {
                    conf.sections.iter().filter(|one| order_of(one).is_some()).map(name_of).collect()
                }
                (Ok(()), Err(why)) => return Err(why.clone().into()),
                (Err(_), _) if self.quiet && other == PowerDown::NotRaised => {
                    return Ok(ExitCode::from(NOT_UNDER_WAY));
                }
                (Err(why), _) => {
                    return Ok(not_under_way(&format!("{}{why}", of_own(&other, own.path()))));
                }
            },
        };
        if let Some(name) = &self.name {
            if !meant.contains(name) {
                return Ok(not_under_way(&format!("the flag names {}, and not {name}", meant.join(", "))));
            }
            meant = vec![name.clone()];
        }
        let conf = conf?;
        match &meant[..] {
            [] => Ok(not_under_way("the flag is there, and ups.conf has no UPS")),
            [one] => kill_one(one, &conf, paths),
            several => Ok(self.kill_each(several, &conf)),
        }
    }

    /// Whether the flag of upsmon is there; else why not, to be put behind a sentence.
    fn of_upsmon(&self) -> Result<(), String> {
        let Some(path) = &self.flag else { return Err(String::new()) };
        match link::read_bounded(path, LONGEST_FLAG) {
            Ok(text) if text.starts_with(UPSMON_SAYS) => Ok(()),
            Ok(_) => Err(format!(", and {} is not of upsmon", path.display())),
            Err(error) => Err(format!(", and {}: {error}", path.display())),
        }
    }

    /// One process for each, those of one `sdorder` at the same time. One that is silent keeps those behind it waiting for
    /// a while only: the system ends what takes longer than 90 s.
    fn kill_each(&self, names: &[String], conf: &UpsConf) -> ExitCode {
        let mut orders: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
        for name in names {
            let order = conf.section(name).and_then(order_of).unwrap_or_default();
            orders.entry(order).or_default().push(name);
        }
        let (mut running, mut codes) = (vec![], vec![]);
        for (at, names) in orders.values().enumerate() {
            for name in names {
                match self.command(name).spawn() {
                    Ok(child) => running.push(child),
                    Err(error) => {
                        tell(format_args!("qxups killpower {name}: cannot start another process: {error}"));
                        codes.push(1);
                    }
                }
            }
            let is_last = at + 1 == orders.len();
            let until = Instant::now() + NEXT_ORDER;
            while !running.is_empty() && (is_last || Instant::now() < until) {
                running.retain_mut(|child| ended(child, &mut codes));
                std::thread::sleep(LOOK);
            }
        }
        ExitCode::from(worst(&codes))
    }

    /// This program again, for one UPS.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new("/proc/self/exe");
        command.arg("killpower");
        if let Some(flag) = &self.flag {
            command.arg("--flag").arg(flag);
        }
        command.arg("--").arg(name);
        command
    }
}

/// Whether a process goes on; else its code is added.
fn ended(child: &mut Child, codes: &mut Vec<u8>) -> bool {
    let code = match child.try_wait() {
        Ok(None) => return true,
        Ok(Some(status)) => status.code().and_then(|code| u8::try_from(code).ok()),
        Err(_) => None,
    };
    codes.push(code.unwrap_or(1));
    false
}

/// What is to be said of all: a load that stays on first, then one of which it is not known.
fn worst(codes: &[u8]) -> u8 {
    let rank = |code: &u8| match *code {
        0 => 0,
        NOT_UNDER_WAY => 1,
        NOT_CONFIRMED => 2,
        _ => 3,
    };
    match codes.iter().max_by_key(|code| rank(code)).copied().unwrap_or_default() {
        code @ (0 | NOT_UNDER_WAY | NOT_CONFIRMED) => code,
        _ => 1,
    }
}

/// Why nothing is done, for the log.
fn not_under_way(why: &str) -> ExitCode {
    tell(format_args!("qxups killpower: {why}: nothing was sent"));
    ExitCode::from(NOT_UNDER_WAY)
}

fn of_own(flag: &PowerDown, path: &Path) -> String {
    let path = path.display();
    match flag {
        PowerDown::NotRaised | PowerDown::Raised(_) => {
            format!("no shutdown is under way (there is no {path})")
        }
        PowerDown::OfAnotherBoot => {
            format!("no shutdown is under way ({path} is of an earlier start of this machine)")
        }
        PowerDown::NotUnderstood => format!("{path} is not whole, or no flag"),
        PowerDown::Newer(newer) => format!("{path}: {newer}"),
    }
}

fn read_conf(paths: &Paths) -> Result<UpsConf, String> {
    let path = paths.conf.join("ups.conf");
    let text = link::read_bounded(&path, LONGEST_CONF)
        .map_err(|error| format!("cannot read {}: {error}; no load is switched off", path.display()))?;
    Ok(ups_conf::parse(&text))
}

/// The state directory of the server: the environment says it, else ups.conf, else upsd.conf.
fn with_state(paths: Paths, conf: Option<&UpsConf>) -> Paths {
    let global = conf.and_then(|conf| {
        conf.global.iter().rev().find(|setting| setting.name.eq_ignore_ascii_case("statepath"))?.value.clone()
    });
    let of_upsd = || {
        let text = link::read_bounded(&paths.conf.join("upsd.conf"), LONGEST_CONF).ok()?;
        upsd_conf::parse(&text).state_path
    };
    let said = global.or_else(of_upsd).map(PathBuf::from);
    paths.with_statepath(said.as_ref())
}

fn name_of(section: &Section) -> String {
    section.name.clone()
}

fn setting<'c>(settings: &'c [ups_conf::Assignment], name: &str) -> Option<&'c str> {
    let last = settings.iter().rev().find(|setting| setting.name.eq_ignore_ascii_case(name));
    last.and_then(|setting| setting.value.as_deref())
}

/// When a UPS is switched off among others (`sdorder`); none where it is left out (ups.conf(5)).
fn order_of(section: &Section) -> Option<i64> {
    let order = setting(&section.settings, "sdorder").and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    (order >= 0).then_some(order)
}

/// The UPS of this process.
fn kill_one(name: &str, conf: &UpsConf, paths: Paths) -> Result<ExitCode, Stop> {
    let none = || format!("ups.conf has no section [{name}]: its load stays on");
    let section = conf.section(name).ok_or_else(none)?;
    let driver = setting(&section.settings, "driver").unwrap_or_default();
    let Some(kind) = DriverKind::named(driver) else {
        return Ok(by_other_driver(name, driver, conf)?);
    };
    let log = Log::new(0, 0).for_ups(&format!("qxups killpower {name}"));
    Ok(kill_power(kind, name, paths, log).map_err(|why| format!("killpower {name}: {why}"))?)
}

/// A driver of NUT that is not part of qxups, as upsdrvctl(8) starts it.
fn by_other_driver(name: &str, driver: &str, conf: &UpsConf) -> Result<ExitCode, String> {
    let folder = setting(&conf.global, "driverpath").unwrap_or(DRIVERS);
    if driver.is_empty() || driver.contains('/') {
        return Err(format!("killpower {name}: [{name}] names no driver: its load stays on"));
    }
    let path = Path::new(folder).join(driver);
    let done = Command::new(&path).args(["-a", name, "-k"]).status();
    let stays = "its load stays on";
    let status =
        done.map_err(|error| format!("killpower {name}: cannot start {}: {error}; {stays}", path.display()))?;
    match status.success() {
        true => Ok(ExitCode::SUCCESS),
        false => Err(format!("killpower {name}: {} -a {name} -k failed ({status})", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_that_stays_on_is_told_before_all_else() {
        for (codes, told) in [
            (&[][..], 0),
            (&[0, 0], 0),
            (&[0, NOT_UNDER_WAY], NOT_UNDER_WAY),
            (&[0, NOT_CONFIRMED, NOT_UNDER_WAY], NOT_CONFIRMED),
            (&[NOT_CONFIRMED, 1, 0], 1),
            (&[0, 101], 1),
        ] {
            assert_eq!(worst(codes), told, "{codes:?}");
        }
    }
}
