//! The power race: mains return while hosts shut down. What becomes of the load, for every dialect and at every moment,
//! by the rules that are known of its units; and what the driver makes of it. Prints `docs/protect-power-race.md`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::plan::{LoadEffect, PlannedForm, PowerRace};
use qx::device::{Event, NoProof, Outcome, SwitchOffProof};
use qx::options::Options;
use qx::protocols;
use qx::usb::bridges;
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use simulator::knob::Knob;
use simulator::profile::Profile;
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use simulator::world::Output;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;
use testbed::wire::{Wire, say};

/// A load that is off for less is as good as never off: power supplies and what hangs on them ride through it.
const LEAST_OFF_S: f64 = 5.0;
/// By the Megatec protocol paper the output stays off for so long at least, in seconds.
const PAPER_S: f64 = 10.0;
/// Between two looks at the output.
const LOOK: Duration = Duration::from_millis(100);
/// So long after the cut and mains it is looked on, longer than any delay that is ordered here.
const LOOKS_ON: Duration = Duration::from_secs(900);

/// What is known of how a unit comes back.
#[derive(Clone, Copy)]
struct Rule {
    name: &'static str,
    about: &'static str,
    back: fn(Order) -> f64,
}

/// An order that a unit has taken.
#[derive(Clone, Copy)]
struct Order {
    /// Seconds that it asks the load to be off for.
    on_s: f64,
    /// It was given on mains.
    on_mains: bool,
}

const PAPER: Rule = Rule {
    name: "paper",
    about: "Megatec protocol paper 2.7: the output goes off after the delay although mains is there; once mains is there it is on again after the minutes behind `R`, or after 10 s where there are none",
    back: |order| order.on_s.max(PAPER_S),
};
const AS_MEGATEC: Rule = Rule {
    name: "as megatec",
    about: "NUT 2.8.5 has the same commands for it as for megatec; that they mean the same with mains present is assumed, and so are the 10 s",
    ..PAPER
};
const QS: Rule = Rule {
    name: "qs",
    about: "as megatec, as far as nutdrv_qx(8) of NUT 2.8.0 says (\"Known problems\"): where the load was switched off and on again by command before, and mains fail again after this order, the unit does not wait for the minutes behind `R`",
    ..AS_MEGATEC
};
const HEX: Rule = Rule {
    name: "qs-hex",
    about: "nutdrv_qx(8) of NUT 2.8.0, \"Known problems\": the order works as meant if mains is present; if it is given on battery, the load is powered as soon as mains returns",
    back: |order| if order.on_mains { order.on_s.max(PAPER_S) } else { 0.0 },
};
const UNTIMED: Rule = Rule {
    name: "no time",
    about: "the order carries no time of return, and no source says how long the load is off; that it goes off with mains present is assumed. Of omron nutdrv_qx(8) of NUT 2.8.5 says that it was tried on battery, where the load came back with mains",
    back: |order| order.on_s,
};
const RULES: [Rule; 5] = [PAPER, AS_MEGATEC, QS, HEX, UNTIMED];

/// By which rule the units of a dialect go; none where nothing can be ordered.
fn rule(protocol: &str) -> Option<Rule> {
    Some(match protocol {
        "megatec" | "megatec/old" => PAPER,
        "voltronic-qs" => QS,
        "voltronic-qs-hex" => HEX,
        "omron" | "hunnox" => UNTIMED,
        "voltronic-axpert" => return None,
        "voltronic" | "mustek" | "bestups" | "mecer" | "zinto" | "masterguard" | "ablerex" | "innovart31"
        | "innovart33" | "innovatae" | "q2" | "q6" | "gtec" | "q1" => AS_MEGATEC,
        other => panic!("{other}: say what is known of how its units come back, and where it is said"),
    })
}

/// When mains return.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Return {
    BeforeTheOrder,
    BeforeTheCut,
    AtTheCut,
    AfterTheCut,
    MuchLater,
}

const RETURNS: [Return; 5] =
    [Return::BeforeTheOrder, Return::BeforeTheCut, Return::AtTheCut, Return::AfterTheCut, Return::MuchLater];

impl Return {
    /// The moment, of a cut that comes `left` after `now`.
    fn at(self, now: Moment, left: Duration) -> Moment {
        match self {
            Return::BeforeTheOrder => now,
            Return::BeforeTheCut => now + left / 2,
            Return::AtTheCut => now + left,
            Return::AfterTheCut => now + left + Duration::from_secs(10),
            Return::MuchLater => now + left + Duration::from_secs(3600),
        }
    }
}

/// What the load saw.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Load {
    /// Off for so many seconds, and on again.
    Cycles(f64),
    /// Off for so short a time, in seconds, that hosts do not see it.
    Blinks(f64),
    /// Off although mains is there.
    StaysOff,
}

impl Load {
    /// Whether hosts that are down start again.
    fn starts_hosts(self) -> bool {
        matches!(self, Load::Cycles(_))
    }

    /// For the table. After the cut it depends on the unit from when on it counts its minutes.
    fn cell(self, returns: Return) -> String {
        match self {
            Load::Cycles(_) if matches!(returns, Return::AfterTheCut | Return::MuchLater) => "cycles".into(),
            Load::Cycles(seconds) => format!("cycles ({seconds:.0} s)"),
            Load::Blinks(_) => "**blinks**".into(),
            Load::StaysOff => "**stays off**".into(),
        }
    }
}

/// One run.
struct Race {
    outcome: Outcome,
    proof: SwitchOffProof,
    /// What was sent in the end, and what the plan said of it.
    sent: Option<String>,
    planned: Option<PlannedForm>,
    /// What the device says would come of it.
    expected: PowerRace,
    load: Option<Load>,
    /// How long after the order the load went off, in seconds.
    off_after_s: Option<f64>,
}

fn turn(ups: &mut SimulatedUps, knob: &str, now: Moment) {
    ups.turn(Knob::parse(knob).unwrap(), now);
}

/// Mains fail, the order is sent, mains return; and an hour later the load is looked at.
fn race(protocol: &'static Protocol, options: Options, back: fn(Order) -> f64, returns: Return) -> Race {
    let mut ups = SimulatedUps::new(protocol, Profile::default(), Trouble::new(1), Script::default());
    let options = Options { protocol: Some(protocol.name.into()), ..options };
    let mut wire = Wire::new(options);
    let run = |wire: &mut Wire, ups: &mut SimulatedUps, seconds: u64, answered: bool| {
        let until = wire.now + Duration::from_secs(seconds);
        wire.run(until, &mut |command, now| say(ups, command, now), |event| match event {
            Event::Ready => !answered,
            Event::Answered(7, _) => answered,
            _ => false,
        })
    };
    assert!(run(&mut wire, &mut ups, 60, false), "{}: {}", protocol.name, wire.talk());
    turn(&mut ups, "mains fail", wire.now);
    run(&mut wire, &mut ups, 60, true);
    if returns == Return::BeforeTheOrder {
        turn(&mut ups, "mains back", wire.now);
        run(&mut wire, &mut ups, 3, true);
    }
    let plan = wire.device.kill_plan();
    let planned = plan.iter().find(|step| step.effect != LoadEffect::Stops);
    let planned = planned.and_then(|step| step.forms.first()).cloned();
    let expected = wire.device.power_race();
    wire.device.kill_power(7);
    assert!(run(&mut wire, &mut ups, 70, true), "{}: {}", protocol.name, wire.talk());
    let outcome = wire.events.iter().rev().find_map(|(_, event)| match event {
        Event::Answered(7, outcome) => Some(outcome.clone()),
        _ => None,
    });
    let sent = ups.heard().filter(|line| line.starts_with('S') && line.len() > 1).last().map(String::from);
    let proof = wire.device.proof_of_order();
    ups.advance(wire.now);
    let on_mains = ups.world.mains_good();
    let left = ups.world.countdown.as_mut().map(|countdown| {
        if let Output::Returns(on_s) = countdown.then {
            countdown.then = Output::Returns(back(Order { on_s, on_mains }));
        }
        Duration::from_secs_f64(countdown.seconds)
    });
    let load = left.map(|left| watch(&mut ups, wire.now, left, returns));
    let off_after_s = planned.as_ref().map(|form| f64::from(form.off_s));
    Race { outcome: outcome.unwrap(), proof, sent, planned, expected, load, off_after_s }
}

/// What the load sees from now on.
fn watch(ups: &mut SimulatedUps, now: Moment, left: Duration, returns: Return) -> Load {
    let back = returns.at(now, left);
    let end = back.max(now + left) + LOOKS_ON;
    let (mut at, mut off, mut is_back) = (now, Duration::ZERO, returns == Return::BeforeTheOrder);
    while at < end {
        // the last moment of the countdown is before the cut
        if !is_back && at >= back {
            turn(ups, "mains back", at);
            is_back = true;
        }
        at += LOOK;
        ups.advance(at);
        off += if ups.world.powered() { Duration::ZERO } else { LOOK };
    }
    match off.as_secs_f64() {
        _ if !ups.world.powered() => Load::StaysOff,
        seconds if seconds >= LEAST_OFF_S => Load::Cycles(seconds),
        seconds => Load::Blinks(seconds),
    }
}

fn default_race(protocol: &'static Protocol, returns: Return) -> Race {
    let back = rule(protocol.name).map_or(PAPER.back, |rule| rule.back);
    race(protocol, Options::default(), back, returns)
}

fn shows(proof: &SwitchOffProof) -> String {
    match proof {
        SwitchOffProof::Pending(seen) | SwitchOffProof::Off(seen) => format!("`{}`", seen.question),
        SwitchOffProof::Absent(_) | SwitchOffProof::Unknown(_) => "nothing".into(),
    }
}

fn row(protocol: &'static Protocol) -> String {
    let races = RETURNS.map(|returns| default_race(protocol, returns));
    let first = &races[0];
    let Some(rule) = rule(protocol.name) else {
        // the dialect has no such command
        let refused =
            races.iter().all(|race| matches!(race.outcome, Outcome::Failed(_)) && race.load.is_none());
        assert!(refused, "{}", protocol.name);
        return format!("| {} | nothing can be ordered | – | – | – | – | – | – | – | – |\n", protocol.name);
    };
    for (race, returns) in races.iter().zip(RETURNS) {
        let name = protocol.name;
        assert_eq!(race.outcome, Outcome::Done, "{name} {returns:?}");
        assert!(matches!(race.proof, SwitchOffProof::Pending(_)), "{name} {returns:?}: {}", race.proof);
        let load = race.load.expect("an order that was taken runs");
        // nothing that comes back with mains stays off for ever, and an outage that lasts cycles the load
        assert_ne!(load, Load::StaysOff, "{name} {returns:?}");
        assert!(load.starts_hosts() || returns != Return::MuchLater, "{name} {returns:?}: {load:?}");
        // what the plan says that it would send is what is sent
        let planned = race.planned.as_ref().unwrap();
        assert_eq!(planned.lines.last(), race.sent.as_ref(), "{name}");
        // nothing is promised that the world does not keep
        let is_kept = match race.expected {
            PowerRace::Cycles => load.starts_hosts(),
            PowerRace::MayBlink => true,
            PowerRace::StaysOff | PowerRace::NoOrder => false,
        };
        assert!(is_kept, "{name} {returns:?}: {load:?} and not {:?}", race.expected);
    }
    let cell = |(race, returns): (&Race, Return)| race.load.map_or("–".into(), |load| load.cell(returns));
    let cells: Vec<String> = races.iter().zip(RETURNS).map(cell).collect();
    format!(
        "| {} | `{}` | {:.0} s | {} | {} | {} |\n",
        protocol.name,
        first.planned.as_ref().unwrap().lines.join("`, `"),
        first.off_after_s.unwrap(),
        cells.join(" | "),
        shows(&first.proof),
        rule.name
    )
}

const TABLE_HEAD: &str = "\
| dialect | sent | off after | mains back before the order | between order and cut | at the cut | 10 s after it | an hour after it | shows | by what rule |
|---|---|---|---|---|---|---|---|---|---|
";

/// The delays of megatec, otherwise.
const DELAYS: [(&str, &str); 4] =
    [("ondelay = 0", "0"), ("ondelay = 60", "60"), ("stayoff", ""), ("sdcommands = load.off", "")];

fn with_delays() -> String {
    let mut table = String::from(
        "| megatec with | sent | mains back before the cut | an hour after it |\n|---|---|---|---|\n",
    );
    for (said, ondelay) in DELAYS {
        let options = || Options {
            ondelay: (!ondelay.is_empty()).then(|| ondelay.into()),
            stayoff: said == "stayoff",
            sdcommands: if said.ends_with("load.off") { vec!["load.off".into()] } else { vec![] },
            ..Options::default()
        };
        let [before, later] = [Return::BeforeTheCut, Return::MuchLater]
            .map(|returns| race(&protocols::MEGATEC, options(), PAPER.back, returns));
        let is_timed = ondelay == "60";
        let expected = match before.planned.as_ref().unwrap().lines.last().unwrap().ends_with("R0000") {
            true => PowerRace::StaysOff,
            false if is_timed => PowerRace::Cycles,
            false => PowerRace::MayBlink,
        };
        assert_eq!(before.expected, expected, "{said}");
        // one that switches off at once has no countdown
        let cell = |race: &Race, returns| race.load.unwrap_or(Load::StaysOff).cell(returns);
        let sent = before.planned.as_ref().unwrap().lines.join(", ");
        let _ = writeln!(
            table,
            "| `{said}` | `{sent}` | {} | {} |",
            cell(&before, Return::BeforeTheCut),
            cell(&later, Return::MuchLater)
        );
    }
    table
}

/// After how many seconds the load is on again once mains is back, from the order as it is sent; none where it is not carried.
type Carried = Option<fn(Order) -> f64>;

/// What becomes of the order on its way, where a bridge changes it (nutdrv_qx(8) of NUT 2.8.0, "Implementation notes").
const BRIDGES: [(&str, &str, Carried); 5] = [
    (
        "fabula",
        "a number for half a minute and \"returns\": the three minutes are lost; the load is on as soon as mains is back",
        Some(|_| 0.0),
    ),
    ("hunnox", "as fabula", Some(|_| 0.0)),
    (
        "fuji",
        "carried; the UPS ignores the time of return, and the load is on as soon as mains is back",
        Some(|_| 0.0),
    ),
    ("krauler", "it is not carried: FAILED, and the load stays on", None),
    ("snr", "it is not carried: FAILED, and the load stays on", None),
];

fn over_bridges() -> String {
    let mut rows = String::new();
    for (name, about, back) in BRIDGES {
        let bridge = bridges::named(name).unwrap();
        assert_eq!(bridge.carries(b"S.5R0003"), back.is_some(), "{name}");
        let cell = back.map_or("**stays on**".into(), |back| {
            race(&protocols::MEGATEC, Options::default(), back, Return::BeforeTheCut)
                .load
                .unwrap()
                .cell(Return::BeforeTheCut)
        });
        let _ = writeln!(rows, "| {name} | {about} | {cell} | nutdrv_qx(8) of NUT 2.8.0 |");
    }
    rows
}

#[test]
fn the_table_of_moments_is_what_the_simulated_units_do() {
    let rows: String = protocols::ALL.iter().map(|protocol| row(protocol)).collect();
    let used: BTreeSet<&str> =
        protocols::ALL.iter().filter_map(|protocol| rule(protocol.name)).map(|rule| rule.name).collect();
    assert_eq!(used.len(), RULES.len());
    let rules: String = RULES.iter().map(|rule| format!("* **{}**: {}.\n", rule.name, rule.about)).collect();
    let page = HEAD
        .replace("{least}", &format!("{LEAST_OFF_S:.0}"))
        .replace("{table}\n", &format!("{TABLE_HEAD}{rows}"))
        .replace("{rules}\n", &rules)
        .replace("{delays}\n", &with_delays())
        .replace("{bridges}\n", &over_bridges());
    keep_fresh(&page);
}

/// The two whose orders carry no time of return.
#[test]
fn omron_and_hunnox_do_not_cycle_the_load_when_mains_are_back_before_the_cut() {
    for protocol in [&protocols::OMRON, &protocols::HUNNOX] {
        for (returns, starts) in [(Return::BeforeTheCut, false), (Return::AfterTheCut, true)] {
            let race = default_race(protocol, returns);
            assert_eq!(race.load.unwrap().starts_hosts(), starts, "{} {returns:?}", protocol.name);
            assert_eq!(race.planned.unwrap().on_s, 0, "{}", protocol.name);
            assert_eq!(race.expected, PowerRace::MayBlink, "{}", protocol.name);
        }
    }
}

/// What a dialect shows is what is read; one that cannot be ordered proves nothing.
#[test]
fn axpert_is_never_said_to_go_off() {
    let race = default_race(&protocols::VOLTRONIC_AXPERT, Return::BeforeTheCut);
    assert_eq!(race.proof, SwitchOffProof::Unknown(NoProof::NotOrdered));
    assert!(matches!(race.outcome, Outcome::Failed(_)) && race.load.is_none());
    assert_eq!(race.expected, PowerRace::NoOrder);
}

const HEAD: &str = include_str!("power_race.md");

fn keep_fresh(printed: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protect-power-race.md");
    if std::fs::read_to_string(&path).ok().as_deref() != Some(printed) {
        std::fs::write(&path, printed).unwrap();
        panic!(
            "docs/protect-power-race.md was stale, and is written anew: look at the changes and commit them"
        );
    }
}
