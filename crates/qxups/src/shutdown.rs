//! `qxups shutdown --dry-run`: what `-k` would send, without sending it.

use crate::driver_dump;
use driver::config::Paths;
use nut::ups_conf::{self, UpsConf};
use qx::device::kill_steps;
use qx::device::plan::{LoadEffect, Planned, PlannedForm, plan};
use qx::options::Options;
use qx::protocols;
use qx::wire::protocol::Protocol;
use qx::wire::spelling::Args;
use serde_json::json;
use station::config::{Configuration, LONGEST_CONF, Purpose, UpsConfig};
use station::driver_kind::DriverKind;
use station::{Found, Setup, Station};
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use tokio::task::LocalSet;

/// The command line of it.
#[derive(clap::Args)]
pub struct Shutdown {
    /// The UPS: a section of ups.conf
    name: String,
    /// Only say what would be sent; without it nothing is done at all
    #[arg(long)]
    dry_run: bool,
    /// For programs
    #[arg(long)]
    json: bool,
    /// Another ups.conf
    #[arg(long, value_name = "FILE")]
    conf: Option<PathBuf>,
}

/// What is known of the UPS, and from whom.
struct Known {
    dialect: &'static str,
    from: String,
    plan: Vec<Planned>,
}

impl Shutdown {
    /// Says what would be sent.
    ///
    /// # Errors
    /// A sentence: there is no such UPS, or it cannot be asked.
    pub fn run(&self) -> Result<String, String> {
        if !self.dry_run {
            return Err(
                "give --dry-run: it says what would be sent. To do it: upsdrvctl shutdown NAME".into()
            );
        }
        let paths = Paths::from_environment();
        let path = self.conf.clone().unwrap_or_else(|| paths.conf.join("ups.conf"));
        let text = link::read_piped(&path, LONGEST_CONF).map_err(|error| {
            let remedy = match error.kind() {
                ErrorKind::PermissionDenied => "run this with sudo",
                _ => "name the file by --conf; 'qxups setup' writes one",
            };
            format!("cannot read {}: {error}; {remedy}", path.display())
        })?;
        let conf = ups_conf::parse(&text);
        let (kind, config) = configuration(&self.name, &conf)?;
        let known = match from_the_driver(
            &paths.state.join(format!("{}-{}", kind.name, self.name)),
            &config.options,
        )? {
            Some(known) => known,
            None => from_the_ups(kind, config)?,
        };
        Ok(if self.json { as_json(&self.name, &known) } else { as_text(&self.name, kind.name, &known) })
    }
}

/// The driver and what ups.conf says of the UPS.
fn configuration(name: &str, conf: &UpsConf) -> Result<(&'static DriverKind, UpsConfig), String> {
    let settings = conf.section(name).map_or(&[][..], |section| &section.settings);
    let driver = settings.iter().find(|setting| setting.name == "driver").and_then(|s| s.value.as_deref());
    let name_of_driver = driver.unwrap_or("nutdrv_qx");
    let kind = DriverKind::named(name_of_driver)
        .ok_or_else(|| format!("[{name}] is for driver {name_of_driver}, which is not part of qxups"))?;
    let read = Configuration::of_section(kind, conf, name, Purpose::KillPower)?;
    Ok((kind, read.ups))
}

/// What a running driver knows, which holds the line. `None` when none runs.
fn from_the_driver(socket: &Path, options: &Options) -> Result<Option<Known>, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", socket.display());
    let stream = match UnixStream::connect(socket) {
        Ok(stream) => stream,
        // it runs, and has the line
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(wrong(error) + "; be root"),
        Err(_) => return Ok(None),
    };
    let said = driver_dump::ask(stream).map_err(wrong)?;
    let text = |name: &str| said.variables.get(name).map_or("", String::as_str);
    // NUT's own driver puts a version behind the name
    let dialect = text("driver.version.data").split(' ').next().unwrap_or_default();
    let Some(protocol) = protocols::named(dialect) else {
        return Err(format!("the driver that runs speaks '{dialect}', which is not known here"));
    };
    let seconds = |name: &str| text(name).parse().unwrap_or_default();
    let args = Args {
        shutdown: seconds("ups.delay.shutdown"),
        start: seconds("ups.delay.start"),
        address: seconds("ups.id"),
        ..Args::default()
    };
    let known = known(protocol, &said.commands, options, &args);
    Ok(Some(Known { from: "as the driver that runs says".into(), ..known }))
}

fn known(protocol: &'static Protocol, offered: &[String], options: &Options, args: &Args) -> Known {
    let rows: Vec<_> =
        protocol.all_commands().filter(|command| offered.iter().any(|name| name == command.name)).collect();
    let plan = plan(&kill_steps(options), rows.into_iter(), args);
    Known { dialect: protocol.name, from: String::new(), plan }
}

/// What the UPS itself says: no driver runs, so the line is free.
fn from_the_ups(kind: &'static DriverKind, mut config: UpsConfig) -> Result<Known, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
    let place = config.opening.address.to_string();
    // nothing is written to it
    config.options.settings.clear();
    let asking = async {
        let station = Station::spawn(Setup::look(kind, config));
        match station.found().await {
            Found::CannotOpen(error) => return Err(error.to_string()),
            Found::NotFound(why) => return Err(format!("{place}: {why}")),
            Found::Ready | Found::Stale | Found::Ended => {}
        }
        let device = station.device().borrow();
        Ok(Known {
            dialect: device.protocol().map_or("none", |protocol| protocol.name),
            from: format!("as the UPS on {place} says"),
            plan: device.kill_plan(),
        })
    };
    LocalSet::new().block_on(&runtime, asking)
}

fn as_text(name: &str, program: &str, known: &Known) -> String {
    let mut out = format!(
        "{name} speaks {}, {}.\n'upsdrvctl shutdown {name}' ('{program} -a {name} -k') would send:\n\n",
        known.dialect, known.from
    );
    for (at, step) in known.plan.iter().enumerate() {
        let _ = writeln!(out, "{}. {}", at + 1, step.name);
        if step.forms.is_empty() {
            out += "     nothing: this UPS does not know it\n";
        }
        for (nth, form) in step.forms.iter().enumerate() {
            let lead = if nth == 0 { "" } else { "if refused: " };
            let _ =
                writeln!(out, "     {lead}{:<12} {}", form.lines.join(", then "), effect(step.effect, form));
        }
        if step.ends && at + 1 < known.plan.len() {
            out += "     (what follows only if the UPS does not take it)\n";
        }
    }
    out + "\nNothing was sent.\n"
}

fn effect(effect: LoadEffect, form: &PlannedForm) -> String {
    let off = match form.off_s {
        0 => "the load goes off at once".into(),
        seconds => format!("the load goes off after {seconds} s"),
    };
    match (effect, form.on_s) {
        (LoadEffect::Returns, 0) => format!("{off}, and on again with mains"),
        (LoadEffect::Returns, seconds) => {
            format!("{off}, and on again with mains, {seconds} s later at the soonest")
        }
        (LoadEffect::StaysOff, _) => format!("{off}, and stays off"),
        (LoadEffect::Stops, _) => "stops a shutdown that is pending; goes on if there is none".into(),
        (LoadEffect::Other, _) => String::new(),
    }
}

fn as_json(name: &str, known: &Known) -> String {
    let form = |form: &PlannedForm, effect: LoadEffect| {
        let (off, on) = match effect {
            LoadEffect::Returns => (Some(form.off_s), Some(form.on_s)),
            LoadEffect::StaysOff => (Some(form.off_s), None),
            LoadEffect::Stops | LoadEffect::Other => (None, None),
        };
        json!({ "sent": form.lines, "off_after_seconds": off, "on_after_seconds": on })
    };
    let step = |step: &Planned| {
        let forms: Vec<_> = step.forms.iter().map(|one| form(one, step.effect)).collect();
        json!({ "command": step.name, "forms": forms, "ends": step.ends })
    };
    let steps: Vec<_> = known.plan.iter().map(step).collect();
    format!("{:#}\n", json!({ "ups": name, "dialect": known.dialect, "steps": steps }))
}
