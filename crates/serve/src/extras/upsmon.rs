//! `upsmon.conf` as `[protect]` of `qxups.toml`, so that one process can take upsmon's place. Pure: values in, values out.
//!
//! What upsmon does and this server does not is a finding with its line, and never done in silence as something else.

use super::translate::{plain_words, toml_text};
use nut::upsmon_conf::{UpsmonConf, UpsmonDirective, UpsmonMonitor};
use station::config::LineFinding;
use std::fmt::Write;

/// What becomes of a directive where `qxups serve` takes upsmon's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpsmonFate {
    /// It becomes a key of `qxups.toml`.
    Taken,
    /// There is nothing here that it could be about.
    Meaningless,
    /// What it asks for is not done, and that is said.
    Refused,
}

/// Each directive, what becomes of it, and how or why. docs/upsmon.md has the same table.
const FATES: [(UpsmonDirective, UpsmonFate, &str); 28] = {
    use UpsmonDirective as D;
    use UpsmonFate::{Meaningless, Refused, Taken};
    [
        (
            D::Monitor,
            Taken,
            "`ups` of `[[protect.group]]`, where its power value is above 0 and its server is this one",
        ),
        (
            D::MinSupplies,
            Taken,
            "`need`, counted in UPSes; refused where power values differ so that it cannot be counted so",
        ),
        (D::ShutdownCmd, Taken, "`shutdown` of `[protect.host]`; refused where it needs a shell"),
        (D::ShutdownExit, Meaningless, "this server has no login of its own that others wait for"),
        (
            D::NotifyCmd,
            Taken,
            "`[outputs.notifycmd]`, or `upssched.conf` where it is upssched; refused where it needs a shell",
        ),
        (D::NotifyMsg, Taken, "the argument of NOTIFYCMD; notices to other outputs have their own texts"),
        (D::NotifyFlag, Taken, "EXEC is a `[[notify]]`; SYSLOG is the log of the server; WALL is refused"),
        (D::PollFreq, Meaningless, "the server sees each change as it comes"),
        (D::PollFreqAlert, Meaningless, "the server sees each change as it comes"),
        (D::PollFailLogThrottleMax, Meaningless, "the log has one line for each change"),
        (D::HostSync, Taken, "`time_s` of the stage of the secondaries"),
        (D::DeadTime, Taken, "`dead_time_s`, with `lost = \"shutdown\"`"),
        (D::OffDuration, Taken, "`begin.off_s`; below 0 a week"),
        (D::OverDuration, Refused, "an overload begins nothing, but as `begin.failing`: write that by hand"),
        (D::OblbDuration, Taken, "`begin.confirm_s`, which other conditions wait for as well"),
        (D::AlarmCritical, Refused, "ALARM begins nothing"),
        (
            D::FinalDelay,
            Refused,
            "there is no pause before the command; `down_s` of `[protect.host]` is the time that the host takes",
        ),
        (D::RbWarnTime, Taken, "`repeat_s` of the rule of REPLBATT"),
        (D::NoCommWarnTime, Taken, "`after_s` and `repeat_s` of the rule of NOCOMM"),
        (
            D::PowerDownFlag,
            Taken,
            "`[protect.group.load]`: the UPS is ordered before the host goes down, and needs no file",
        ),
        (D::RunAsUser, Meaningless, "the server has the user of its unit, or that of `-u`"),
        (D::CertPath, Meaningless, "there is no connection between server and protection"),
        (D::CertFile, Meaningless, "there is no connection between server and protection"),
        (D::CertIdent, Meaningless, "there is no connection between server and protection"),
        (D::CertHost, Meaningless, "there is no connection between server and protection"),
        (D::CertVerify, Meaningless, "there is no connection between server and protection"),
        (D::ForceSsl, Meaningless, "there is no connection between server and protection"),
        (D::DebugMin, Meaningless, "`-D` of the server"),
    ]
};

/// What becomes of a directive, and how or why.
pub fn fate_of(directive: UpsmonDirective) -> (UpsmonFate, &'static str) {
    let row = FATES.iter().find(|(of, ..)| *of == directive);
    row.map_or((UpsmonFate::Refused, ""), |(_, fate, why)| (*fate, *why))
}

/// The longest time that a key of `[protect]` takes, in seconds.
const WEEK_S: u32 = 604_800;

/// What an upsmon.conf asks for, in values of `[protect]`. Times are in seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpsmonPlan {
    /// The UPSes that feed this host; none, and nothing is shut down.
    pub upses: Vec<String>,
    /// So many of them have to carry the load.
    pub need: u32,
    /// After so long without data a UPS that was on battery counts as empty.
    pub dead_time_s: u32,
    /// After so long a UPS that is OFF counts as lost; none where the file does not say it.
    pub off_s: Option<u32>,
    /// So long OB LB has to hold; none where the file does not say it.
    pub confirm_s: Option<u32>,
    /// So long the secondaries have to go down; none where this host waits for no other.
    pub host_sync_s: Option<u32>,
    /// The words of SHUTDOWNCMD.
    pub shutdown: Option<Vec<String>>,
    /// The UPS switches the load off.
    pub cuts_load: bool,
    /// What is not taken, or otherwise, by the lines of upsmon.conf.
    pub findings: Vec<LineFinding>,
}

/// What an upsmon.conf comes to.
pub fn plan(conf: &UpsmonConf) -> UpsmonPlan {
    let mut findings = vec![];
    for (directive, line) in &conf.directives {
        let (fate, why) = fate_of(*directive);
        if fate == UpsmonFate::Refused && !is_off(conf, *directive) {
            findings.push(hint(*line, format!("{directive} is not taken over: {}", plain(why))));
        }
    }
    let feeding = feeding(conf, &mut findings);
    let need = need(conf, &feeding, &mut findings);
    let Some(need) = need.filter(|_| !feeding.is_empty()) else {
        return UpsmonPlan { findings, ..UpsmonPlan::default() };
    };
    let is_primary = feeding.iter().any(|monitor| monitor.is_primary);
    let shutdown = plain_words(&conf.shutdown_command);
    if shutdown.is_none() {
        let line = conf.line_of(UpsmonDirective::ShutdownCmd).unwrap_or(1);
        let why = match conf.shutdown_command.is_empty() {
            true => "there is no SHUTDOWNCMD, so this host stays up: write [protect.host] by hand",
            false => {
                "SHUTDOWNCMD is no plain command, and runs without a shell: put it in a script of its own, and name that by its whole path"
            }
        };
        findings.push(hint(line, why.into()));
    }
    UpsmonPlan {
        upses: feeding.iter().map(|monitor| monitor.place.ups.clone()).collect(),
        need,
        dead_time_s: conf.dead_time_s.unwrap_or(15).max(1),
        off_s: conf
            .off_duration_s
            .map(|seconds| u32::try_from(seconds).map_or(WEEK_S, |seconds| seconds.max(1))),
        confirm_s: conf.oblb_duration_s.filter(|seconds| *seconds > 0),
        host_sync_s: is_primary.then(|| conf.host_sync_s.unwrap_or(15).max(1)),
        shutdown,
        cuts_load: is_primary && conf.power_down_flag.is_some(),
        findings,
    }
}

fn hint(line: usize, text: String) -> LineFinding {
    LineFinding::hint(Some(line), text)
}

/// Without the marks of the table.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

/// Whether a directive asks for nothing as it stands.
fn is_off(conf: &UpsmonConf, directive: UpsmonDirective) -> bool {
    match directive {
        UpsmonDirective::OverDuration => conf.over_duration_s.is_none_or(|seconds| seconds < 0),
        UpsmonDirective::AlarmCritical => conf.alarm_critical == Some(false),
        UpsmonDirective::FinalDelay => conf.final_delay_s == Some(0),
        _ => false,
    }
}

/// The UPSes of this server that feed this host.
fn feeding<'c>(conf: &'c UpsmonConf, findings: &mut Vec<LineFinding>) -> Vec<&'c UpsmonMonitor> {
    let mut feeding: Vec<&UpsmonMonitor> = vec![];
    for monitor in conf.monitors.iter().filter(|monitor| monitor.power_value > 0) {
        if feeding.iter().any(|other| other.place == monitor.place) {
            continue;
        }
        if !monitor.place.is_local() {
            findings.push(hint(
                monitor.line,
                format!("{} is a UPS of another server: write the name of the section of ups.conf that mirrors it", monitor.system),
            ));
        } else if !monitor.is_primary {
            let text =
                "here it is the server itself that forces the shutdown: there is no primary to wait for";
            findings.push(hint(monitor.line, text.into()));
        }
        feeding.push(monitor);
    }
    feeding
}

/// MINSUPPLIES, counted in UPSes: all of them have to feed the same number of supplies.
fn need(conf: &UpsmonConf, feeding: &[&UpsmonMonitor], findings: &mut Vec<LineFinding>) -> Option<u32> {
    let supplies = conf.supplies_needed();
    let line = conf.line_of(UpsmonDirective::MinSupplies).unwrap_or(1);
    let each = feeding.first()?.power_value;
    if supplies == 0 {
        findings.push(hint(line, "MINSUPPLIES 0 shuts nothing down, so there is no group".into()));
        return None;
    }
    let need = supplies.div_ceil(each);
    let count = u32::try_from(feeding.len()).unwrap_or(u32::MAX);
    let is_even = feeding.iter().all(|monitor| monitor.power_value == each);
    // where any one UPS is enough, or all are needed, it makes no difference what each feeds
    let least = feeding.iter().map(|monitor| monitor.power_value).min()?;
    let fed: u64 = feeding.iter().map(|monitor| u64::from(monitor.power_value)).sum();
    let need = match is_even {
        true => Some(need),
        false if supplies <= least => Some(1),
        false if u64::from(supplies) + u64::from(least) > fed => Some(count),
        false => None,
    };
    if need.is_none_or(|need| need > count) {
        let text = format!(
            "MINSUPPLIES {supplies} cannot be counted in UPSes, as these feed {} supplies: write need by hand",
            feeding.iter().map(|monitor| monitor.power_value.to_string()).collect::<Vec<_>>().join(", ")
        );
        findings.push(hint(line, text));
        return None;
    }
    need
}

impl UpsmonPlan {
    /// `[protect]` of `qxups.toml`, dry; empty where nothing is to be shut down.
    pub fn toml(&self) -> String {
        if self.upses.is_empty() {
            return String::new();
        }
        let list = |words: &[String]| words.iter().map(|word| toml_text(word)).collect::<Vec<_>>().join(", ");
        let mut out = String::from("[protect]\narm = false\n\n[[protect.group]]\nname = \"all\"\n");
        let _ = writeln!(out, "ups = [{}]\nneed = {}\nlost = \"shutdown\"", list(&self.upses), self.need);
        let more = [("off_s", self.off_s), ("confirm_s", self.confirm_s)];
        let more = more.iter().filter_map(|(key, seconds)| Some(format!(", {key} = {}", (*seconds)?)));
        let more: String = more.collect();
        let _ = writeln!(out, "dead_time_s = {}\nbegin = {{ low_battery = true{more} }}", self.dead_time_s);
        if let Some(seconds) = self.host_sync_s {
            let _ = write!(
                out,
                "\n[[protect.group.stage]]\nname = \"secondaries\"\nsignal = \"fsd\"\ntime_s = {seconds}\n"
            );
        }
        if self.cuts_load {
            out += "\n[protect.group.load]\noff = true\n";
        }
        if let Some(words) = &self.shutdown {
            let _ = write!(out, "\n[protect.host]\ngroup = \"all\"\nshutdown = [{}]\n", list(words));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nut::upsmon_conf;

    fn of(text: &str) -> UpsmonPlan {
        plan(&upsmon_conf::parse(text.as_bytes()))
    }

    #[test]
    fn each_directive_has_its_fate() {
        for directive in UpsmonDirective::all() {
            assert_eq!(FATES.iter().filter(|(of, ..)| *of == directive).count(), 1, "{directive}");
            assert!(!fate_of(directive).1.is_empty());
        }
    }

    #[test]
    fn the_page_has_the_table() {
        let page = include_str!("../../../../docs/upsmon.md");
        for (directive, fate, why) in FATES {
            let fate = match fate {
                UpsmonFate::Taken => "taken",
                UpsmonFate::Meaningless => "meaningless",
                UpsmonFate::Refused => "refused",
            };
            let row =
                format!("| `{directive}` | {} | {fate} | {why} |\n", directive.since().unwrap_or("2.8.0"));
            assert!(page.contains(&row), "docs/upsmon.md lacks this row:\n{row}");
        }
    }

    #[test]
    fn a_file_becomes_a_plan() {
        let plan = of(
            "MONITOR a@localhost 1 u p primary\nMONITOR b 1 u p primary\nMONITOR c@far 0 u p secondary\nMINSUPPLIES 1\n\
            SHUTDOWNCMD \"/sbin/shutdown -h +0\"\nHOSTSYNC 40\nDEADTIME 25\nPOWERDOWNFLAG /run/nut/killpower\nOFFDURATION -1\nFINALDELAY 0\n",
        );
        let expected = UpsmonPlan {
            upses: vec!["a".into(), "b".into()],
            need: 1,
            dead_time_s: 25,
            off_s: Some(40),
            confirm_s: Some(7),
            host_sync_s: Some(40),
            shutdown: Some(["/sbin/shutdown", "-h", "+0"].map(String::from).into()),
            cuts_load: true,
            findings: vec![],
        };
        assert_eq!(plan, expected);
        let toml = "[protect]\narm = false\n\n[[protect.group]]\nname = \"all\"\nups = [\"a\", \"b\"]\nneed = 1\nlost = \"shutdown\"\n\
            dead_time_s = 25\nbegin = { low_battery = true, off_s = 40, confirm_s = 7 }\n\n[[protect.group.stage]]\nname = \"secondaries\"\nsignal = \"fsd\"\n\
            time_s = 40\n\n[protect.group.load]\noff = true\n\n[protect.host]\ngroup = \"all\"\n\
            shutdown = [\"/sbin/shutdown\", \"-h\", \"+0\"]\n";
        assert_eq!(plan.toml(), toml);
    }

    #[test]
    fn what_is_not_taken_over_is_said() {
        let plan = of(
            "MONITOR a@nas.lan 1 u p secondary\nSHUTDOWNCMD \"sync; poweroff\"\nFINALDELAY 5\nOVERDURATION 30\n",
        );
        let said: Vec<(Option<usize>, &str)> =
            plan.findings.iter().map(|finding| (finding.line, finding.text.as_str())).collect();
        let parts = [(3, "FINALDELAY"), (4, "OVERDURATION"), (1, "another server"), (2, "without a shell")];
        assert_eq!(said.len(), parts.len(), "{said:?}");
        for ((line, part), said) in parts.iter().zip(said) {
            assert!(said.0 == Some(*line) && said.1.contains(part), "{part}: {said:?}");
        }
        assert_eq!((plan.host_sync_s, plan.shutdown.is_none(), plan.cuts_load), (None, true, false));
    }

    /// MINSUPPLIES counts supplies, and `need` UPSes.
    #[test]
    fn supplies_are_counted_in_upses() {
        for (values, supplies, need) in [
            (&[1, 1, 1][..], 2, Some(2)),
            (&[2, 2], 3, Some(2)),
            (&[2, 2], 2, Some(1)),
            (&[2, 1], 1, Some(1)),
            (&[2, 1], 3, Some(2)),
            (&[2, 1], 2, None),
            (&[1, 1], 3, None),
            (&[1], 0, None),
        ] {
            let monitors: String = values
                .iter()
                .enumerate()
                .map(|(at, value)| format!("MONITOR u{at} {value} u p primary\n"))
                .collect();
            let plan = of(&format!("{monitors}MINSUPPLIES {supplies}\nSHUTDOWNCMD /x\n"));
            assert_eq!((!plan.upses.is_empty()).then_some(plan.need), need, "{values:?} {supplies}");
            assert_eq!(plan.findings.is_empty(), need.is_some(), "{values:?} {supplies}");
            // each set of UPSes that carries the load in upsmon does here
            for set in 0..1_u32 << values.len() {
                let alive = |at: &usize| set & 1 << at != 0;
                let fed: u32 =
                    values.iter().enumerate().filter(|(at, _)| alive(at)).map(|(_, value)| *value).sum();
                if let Some(need) = need {
                    assert_eq!(set.count_ones() >= need, fed >= supplies, "{values:?} {supplies} {set:b}");
                }
            }
        }
    }
}
