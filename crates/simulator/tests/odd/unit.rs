//! The units of a life, and the cable to the one that is plugged in.

use super::life::{Event, Life};
use qx::line::exchange::END;
use qx::vocabulary::moment::Moment;
use simulator::claims::StatusClaims;
use simulator::knob::Knob;
use simulator::profile::Profile;
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::{Record, SimulatedUps};
use testbed::exchange::Far;

/// Whether bytes pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cable {
    Plugged,
    /// Nothing passes, and nobody is told.
    Out,
    /// The link is known to be lost.
    Gone,
}

/// A knob that is turned in the world, for every unit in it.
fn is_of_the_world(knob: &str) -> bool {
    ["mains", "frequency", "load"].contains(&knob.split(' ').next().unwrap_or_default())
}

/// The script of what is turned from `from` on.
fn script(life: &Life, from: Moment, only_the_world: bool) -> Script {
    let mut text = String::new();
    for (at, event) in life.events.iter().filter(|(at, _)| *at >= from) {
        match event {
            Event::Turn(knob) if !only_the_world || is_of_the_world(knob) => {
                text += &format!("at {:.3}s {knob}\n", at.since_start().as_secs_f64());
            }
            _ => {}
        }
    }
    Script::parse(&text).expect("a script")
}

fn turn(ups: &mut SimulatedUps, knob: &str, now: Moment) {
    ups.turn(Knob::parse(knob).unwrap_or_else(|why| panic!("{knob}: {why}")), now);
}

/// The unit that is there at the beginning.
pub fn first(life: &Life) -> SimulatedUps {
    let (trouble, script) = (Trouble::new(life.seed), script(life, Moment::ZERO, false));
    let mut ups = SimulatedUps::new(life.protocol(), Profile::default(), trouble, script);
    ups.seed_oddities(life.seed);
    life.knobs.iter().for_each(|knob| turn(&mut ups, knob, Moment::ZERO));
    ups
}

/// A unit that is plugged in later, into the world as it is then.
pub fn another(life: &Life, knobs: &[String], now: Moment) -> SimulatedUps {
    let (trouble, script) = (Trouble::new(life.seed + 1), script(life, now, true));
    let mut ups = SimulatedUps::new(life.protocol(), Profile::default(), trouble, script);
    ups.seed_oddities(life.seed + 1);
    ups.advance(now);
    for (_, event) in life.events.iter().filter(|(at, _)| *at < now) {
        match event {
            Event::Turn(knob) if is_of_the_world(knob) => turn(&mut ups, knob, now),
            _ => {}
        }
    }
    knobs.iter().for_each(|knob| turn(&mut ups, knob, now));
    ups
}

/// The end of the cable where the unit is.
pub struct End<'u> {
    pub ups: &'u mut SimulatedUps,
    pub passes: bool,
    /// The link is lost then.
    pub breaks: Option<Moment>,
}

impl Far for End<'_> {
    fn send(&mut self, command: &[u8], now: Moment) {
        if self.passes {
            self.ups.receive(command, now);
        }
    }

    fn next(&mut self, until: Moment) -> Option<(Moment, Option<Vec<u8>>)> {
        loop {
            let next = self.ups.next(until);
            let broken = self.breaks.filter(|at| *at <= until);
            return match (next, broken) {
                (Some((due, _)), Some(at)) if at <= due => Some((at, None)),
                (None, Some(at)) => Some((at, None)),
                (Some(_), _) if !self.passes => continue,
                (next, _) => next,
            };
        }
    }
}

/// What the unit would claim now, in answer to each of its questions, to whoever asked twice, and let it rest between.
pub fn would_claim(ups: &SimulatedUps, now: Moment) -> Vec<StatusClaims> {
    let mut copy = ups.clone();
    copy.end_rests();
    copy.trouble = Trouble::new(0);
    copy.take_records();
    for query in ups.protocol.queries.iter().chain(ups.protocol.queries) {
        copy.receive(&[query.wire(0).as_slice(), &[END]].concat(), now);
        while let Some(due) = copy.poll_timeout() {
            copy.poll_output(due);
        }
    }
    let claims = |(_, record)| if let Record::Said { claims, .. } = record { Some(claims) } else { None };
    copy.take_records().into_iter().filter_map(claims).collect()
}
