//! What switching the load off would send, and when the load would go off and on: for people who want
//! to know before the day it counts. Nothing is sent by it.

use crate::options::Options;
use crate::wire::command::{Args, Command};

/// What newer NUT calls the usual way to switch the load off.
pub const DEFAULT: &str = "shutdown.default";

/// A command on the way to a load that is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillStep {
    /// Its name.
    pub name: String,
    /// Whether all is done when the UPS takes it; if not, the next follows whatever comes of this one.
    pub ends: bool,
}

/// The commands that switch the load off, in their order: a pending shutdown is stopped first, so that
/// the delays are those of now. The administrator's own list (`sdcommands`) stands for itself.
pub fn steps(options: &Options) -> Vec<KillStep> {
    let step = |name: &str, ends| KillStep { name: name.into(), ends };
    let usual = || {
        let name = if options.stayoff { "shutdown.stayoff" } else { "shutdown.return" };
        [step("shutdown.stop", false), step(name, true)]
    };
    if options.sdcommands.is_empty() {
        return usual().into();
    }
    let named = |name: &String| match name.as_str() {
        DEFAULT => usual().into(),
        name => vec![step(name, true)],
    };
    options.sdcommands.iter().flat_map(named).collect()
}

/// A command of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// What follows from it, for the load.
    pub effect: LoadEffect,
    /// How it is spelt, the first form first; the others follow when the UPS refuses those before.
    /// Empty when this UPS does not know the command.
    pub forms: Vec<PlannedForm>,
    /// Whether nothing follows once the UPS has taken it.
    pub ends: bool,
}

/// One spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedForm {
    /// What is sent, one exchange after the other, without the carriage return.
    pub lines: Vec<String>,
    /// Seconds until the load goes off.
    pub off_s: u32,
    /// Seconds that the load stays off at least, once mains is there.
    pub on_s: u32,
}

/// What a command does to the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadEffect {
    /// It goes off, and comes back with mains.
    Returns,
    /// It goes off and stays so.
    StaysOff,
    /// A shutdown that is pending is stopped.
    Stops,
    /// Something else.
    Other,
}

impl LoadEffect {
    fn of(name: &str) -> LoadEffect {
        match name {
            "shutdown.return" => LoadEffect::Returns,
            "shutdown.stayoff" | "load.off" => LoadEffect::StaysOff,
            "shutdown.stop" => LoadEffect::Stops,
            _ => LoadEffect::Other,
        }
    }
}

/// The plan for these steps. `offered` are the commands of the UPS, in the order of its table.
pub fn plan<'a>(
    steps: &[KillStep],
    offered: impl Iterator<Item = &'a Command> + Clone,
    args: &Args,
) -> Vec<Planned> {
    let planned = |step: &KillStep| {
        let mut rows = offered.clone().filter(|command| command.name.eq_ignore_ascii_case(&step.name));
        let taken = rows.find_map(|command| {
            let given = command.parameter.map_or(Some(0), |allowed| allowed.check(None).ok())?;
            Some((command, Args { given, ..args.clone() }))
        });
        Planned {
            name: step.name.clone(),
            effect: LoadEffect::of(&step.name),
            forms: taken.map_or(vec![], |(command, args)| forms(command, &args)),
            ends: step.ends,
        }
    };
    steps.iter().map(planned).collect()
}

fn forms(command: &Command, args: &Args) -> Vec<PlannedForm> {
    let all = [command.write(args)].into_iter().chain(command.write_otherwise(args));
    let form = |lines: Vec<String>| {
        let said = lines.last().and_then(|line| command.understand(line)).unwrap_or_default();
        PlannedForm { lines, off_s: said.shutdown, on_s: said.start }
    };
    all.map(form).collect()
}

/// What becomes of a load that was ordered off when mains are back before it goes off, as far as that is known
/// (`docs/protect-power-race.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerRace {
    /// It goes off all the same, for a minute or more: hosts that are down start again.
    Cycles,
    /// It may be off for so short a time that hosts that are down do not see it: they have to be woken.
    MayBlink,
    /// It stays off, although mains is there.
    StaysOff,
    /// Nothing can be ordered.
    NoOrder,
}

/// Ordered on battery, their units are on again as soon as mains is, whatever the order says (nutdrv_qx(8) of NUT 2.8.0,
/// "Known problems").
const IGNORE_TIME_OF_RETURN: [&str; 1] = ["voltronic-qs-hex"];

/// What becomes of the load by a plan that a UPS of this dialect takes.
pub fn power_race(dialect: &str, plan: &[Planned]) -> PowerRace {
    let order = plan.iter().find(|step| step.ends && !step.forms.is_empty());
    let timed = |form: &PlannedForm| form.on_s >= 60;
    match order.map(|step| (step.effect, step.forms.iter().all(timed))) {
        None => PowerRace::NoOrder,
        Some((LoadEffect::StaysOff, _)) => PowerRace::StaysOff,
        Some((LoadEffect::Returns, true)) if !IGNORE_TIME_OF_RETURN.contains(&dialect) => PowerRace::Cycles,
        Some(_) => PowerRace::MayBlink,
    }
}
