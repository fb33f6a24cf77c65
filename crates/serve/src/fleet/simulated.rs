//! `driver = qxups-sim`: a simulated UPS in this process, which a station speaks to over a pseudo-terminal.

use super::lines::Wrong;
use nut::ups_conf::{Assignment, Section, UpsConf};
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use simulator::end::SharedUps;
use simulator::knob::Knob;
use simulator::profile::Profile;
use simulator::pty::{self, Pty};
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use station::config::{LineFinding, Severity, UpsConfig, check_section, generic, nearest};
use station::driver_kind::NUTDRV_QX;
use station::log::Log;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The name of the driver.
pub(crate) const DRIVER: &str = "qxups-sim";
/// The dialect that it speaks, if none is named.
const DIALECT: &str = "megatec";
/// No script is longer, in bytes.
const LONGEST_SCRIPT: u64 = 1024 * 1024;
/// How often it forgets what it heard.
const FORGETS: Duration = Duration::from_secs(60);
/// Scenarios that have a name. On battery, the battery is filled again in secret, so that it lasts.
const SCENARIOS: [(&str, &str); 4] = [
    ("mains", ""),
    ("on-battery", "at 0s mains fail\nat 0s load 20\nevery 60s charge 80\n"),
    ("low-battery", "at 0s mains fail\nat 0s charge 8\nevery 10s charge 8\n"),
    ("outages", "every 120s mains fail\nevery 150s mains back\n"),
];

/// What a section says of a simulated UPS.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SimulatedPlan {
    protocol: &'static Protocol,
    script: Script,
    knobs: Vec<Knob>,
    seed: u64,
    /// The section as `nutdrv_qx` would have it, but for its port.
    section: Section,
    global: Vec<Assignment>,
}

/// A simulated UPS. It goes when this is dropped.
pub(crate) struct Simulated {
    task: JoinHandle<()>,
}

impl Drop for Simulated {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl SimulatedPlan {
    /// Reads a section: `protocol`, `scenario`, `knob` (which may come again), `seed`; all else is as for `nutdrv_qx`.
    ///
    /// # Errors
    /// All that is wrong, each with its line.
    pub fn of(
        conf: &UpsConf,
        section: &Section,
        folder: &Path,
        hints: &mut Vec<LineFinding>,
    ) -> Result<SimulatedPlan, Vec<Wrong>> {
        let (mut wrong, mut knob_lines) = (vec![], vec![]);
        let none = || vec![(section.line, format!("no dialect {DIALECT}"))];
        let mut plan = SimulatedPlan {
            protocol: qx::protocols::named(DIALECT).ok_or_else(none)?,
            script: Script::default(),
            knobs: vec![],
            seed: 1,
            section: Section { settings: vec![], ..section.clone() },
            global: conf.global.clone(),
        };
        for setting in &section.settings {
            let value = setting.value.as_deref().unwrap_or_default();
            let taken = match setting.name.to_ascii_lowercase().as_str() {
                "driver" | "port" | "desc" => Ok(()),
                "protocol" => named(value).map(|protocol| plan.protocol = protocol),
                "scenario" => script(value, folder).map(|script| plan.script = script),
                "knob" => Knob::parse(value).map(|knob| {
                    plan.knobs.push(knob);
                    knob_lines.push(setting.line);
                }),
                "seed" => value
                    .parse()
                    .map(|seed| plan.seed = seed)
                    .map_err(|_| format!("seed = {value}: write a whole number")),
                name => match own_name(name) {
                    Some(meant) => Err(format!("'{name}' is not an option; did you mean {meant}?")),
                    None => {
                        plan.section.settings.push(setting.clone());
                        Ok(())
                    }
                },
            };
            wrong.extend(taken.err().map(|why| (setting.line, why)));
        }
        for finding in check_section(&NUTDRV_QX, &plan.conf("/dev/null"), &section.name) {
            match finding.severity {
                Severity::Error => wrong.push((finding.line.unwrap_or(section.line), finding.text)),
                Severity::Hint => hints.push(finding),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        hints.extend(plan.overridden(&knob_lines));
        // two that are equal make the same UPS, wherever they stand in their files
        plan.section.line = 0;
        let settings = plan.section.settings.iter_mut().chain(&mut plan.global);
        settings.for_each(|setting| setting.line = 0);
        Ok(plan)
    }

    /// Knobs that the scenario turns as well: what is turned last counts, and that is never the line of the knob.
    fn overridden(&self, lines: &[usize]) -> Vec<LineFinding> {
        let one = |(knob, line): (&Knob, &usize)| {
            let (by, due) = self.script.turns(knob.name())?;
            let text = format!(
                "knob = {knob}: the scenario turns it as well ('{by}', after {} s), and that counts from then on; leave one of the two out, or write both into a file of a scenario",
                due.as_secs()
            );
            Some(LineFinding::hint(Some(*line), text))
        };
        self.knobs.iter().zip(lines).filter_map(one).collect()
    }

    /// The UPS at that port, for a station.
    fn config(&self, port: &str) -> Result<UpsConfig, String> {
        UpsConfig::of_section(&NUTDRV_QX, &self.conf(port), &self.section.name)
            .map_err(|wrong| wrong.sentence)
    }

    /// The section as `nutdrv_qx` would have it.
    fn conf(&self, port: &str) -> UpsConf {
        let mut section = self.section.clone();
        let set = |name: &str, value: &str| Assignment {
            name: name.into(),
            value: Some(value.into()),
            line: section.line,
        };
        let settings =
            [set("driver", NUTDRV_QX.name), set("port", port), set("protocol", self.protocol.name)];
        section.settings.extend(settings);
        UpsConf { global: self.global.clone(), sections: vec![section], ..UpsConf::default() }
    }

    /// Makes the UPS, and says where a station finds it. The name of its pseudo-terminal is kept in `state`, where
    /// that can be written to.
    ///
    /// # Errors
    /// A sentence.
    pub fn start(&self, state: &Path, log: &Log) -> Result<(Simulated, UpsConfig), String> {
        let mut ups = SimulatedUps::new(
            self.protocol,
            Profile::default(),
            Trouble::new(self.seed),
            self.script.clone(),
        );
        self.knobs.iter().for_each(|knob| ups.turn(knob.clone(), Moment::ZERO));
        let end = self.open(state).map_err(|error| {
            format!("cannot open a pseudo-terminal for a simulated UPS: {error}; mount /dev/pts")
        })?;
        let config = self.config(&end.path().to_string_lossy())?;
        let (shared, log) = (SharedUps::new(ups), log.clone());
        let task = tokio::task::spawn_local(async move {
            tokio::select! {
                ended = pty::run(&shared, end) => if let Err(error) = ended {
                    log.warning(&format!("the simulated UPS has ended: {error}"));
                },
                () = forget(&shared) => {}
            }
        });
        Ok((Simulated { task }, config))
    }

    fn open(&self, state: &Path) -> io::Result<Pty> {
        let name = format!("{DRIVER}-{}.tty", self.section.name);
        let link: PathBuf = state.join(name.replace('/', "_"));
        Pty::open(Some(&link)).or_else(|_| Pty::open(None))
    }
}

/// A simulated UPS records what it hears, for tests; here that would only grow.
async fn forget(shared: &SharedUps) {
    loop {
        tokio::time::sleep(FORGETS).await;
        shared.with(|ups, _| {
            ups.forget_heard();
            drop(ups.take_records());
        });
    }
}

/// The option of a simulated UPS that was meant by a name which `nutdrv_qx` does not have.
fn own_name(name: &str) -> Option<&'static str> {
    let is_known = NUTDRV_QX.option(name).is_some() || generic(name).is_some() || name.contains('.');
    nearest(name, ["protocol", "scenario", "knob", "seed"]).filter(|_| !is_known)
}

fn named(name: &str) -> Result<&'static Protocol, String> {
    qx::protocols::named(name).ok_or_else(|| {
        let names: Vec<&str> = qx::protocols::ALL.iter().map(|protocol| protocol.name).collect();
        format!("there is no dialect '{name}'; there are {}", names.join(", "))
    })
}

/// A scenario that has a name, or the file of one (see `qxups sim --script`).
fn script(value: &str, folder: &Path) -> Result<Script, String> {
    if let Some((_, text)) = SCENARIOS.iter().find(|(name, _)| *name == value) {
        return Script::parse(text);
    }
    let names: Vec<&str> = SCENARIOS.iter().map(|(name, _)| *name).collect();
    let path = folder.join(value);
    let text = link::read_bounded(&path, LONGEST_SCRIPT).map_err(|error| {
        format!(
            "scenario = {value}: {} or the file of a script ({}: {error})",
            names.join(", "),
            path.display()
        )
    })?;
    Script::parse(&String::from_utf8_lossy(&text)).map_err(|why| format!("{}: {why}", path.display()))
}
