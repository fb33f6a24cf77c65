//! A simulated UPS: a world, a dialect, manners, troubles and a script. It does no I/O and takes the time as an
//! argument; its ends feed it bytes and take what it says. `clock` is its time, `port` its line, `act` what a
//! command makes it do, `answer` what it says, `forced` what it says whatever is so, `record` what it heard.

mod act;
mod answer;
mod clock;
mod forced;
mod port;
mod record;
#[cfg(test)]
mod tests;

use crate::knob::Knob;
use crate::oddity::{Behaviour, Oddness};
use crate::profile::Profile;
use crate::readings::UnitMemory;
use crate::script::Script;
use crate::trouble::{Trouble, UsbTrouble};
use crate::world::World;
use act::Act;
use clock::SimulatedClock;
use forced::Forced;
use port::Port;
use qx::line::exchange::END;
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use record::Journal;
pub use record::Record;
use std::collections::VecDeque;
use std::time::Duration;

/// A simulated UPS.
#[derive(Clone, Debug)]
pub struct SimulatedUps {
    /// The dialect it speaks.
    pub protocol: &'static Protocol,
    /// Its world.
    pub world: World,
    /// Its manners.
    pub profile: Profile,
    /// What it was told and keeps.
    pub memory: UnitMemory,
    /// The troubles of its line.
    pub trouble: Trouble,
    /// The troubles of its USB converter.
    pub usb: UsbTrouble,
    script: Script,
    pub(crate) clock: SimulatedClock,
    pub(crate) forced: Forced,
    pub(crate) port: Port,
    journal: Journal,
    oddness: Oddness,
    locked_up: bool,
    /// Until then it hears nothing.
    rests_until: Moment,
    /// A line that is not heard makes it rest for so long again.
    rests_for: Duration,
    /// Nothing is heard before: a command is carried out.
    busy_until: Moment,
    /// Commands that are carried out later, the next one first, by simulated time.
    late_acts: VecDeque<(Duration, Act)>,
}

impl SimulatedUps {
    /// A UPS that speaks `protocol`.
    pub fn new(
        protocol: &'static Protocol,
        profile: Profile,
        trouble: Trouble,
        script: Script,
    ) -> SimulatedUps {
        SimulatedUps {
            protocol,
            world: World::default(),
            profile,
            memory: UnitMemory::default(),
            trouble,
            usb: UsbTrouble::default(),
            script,
            clock: SimulatedClock::default(),
            forced: Forced::default(),
            port: Port::default(),
            journal: Journal::default(),
            oddness: Oddness::new(1),
            locked_up: false,
            rests_until: Moment::ZERO,
            rests_for: Duration::ZERO,
            busy_until: Moment::ZERO,
            late_acts: VecDeque::new(),
        }
    }

    /// Simulated time at the real time `now`.
    pub fn simulated(&self, now: Moment) -> Duration {
        self.clock.simulated(now)
    }

    /// Lets time pass: the world goes on, the script is played, and commands are carried out that come late.
    pub fn advance(&mut self, now: Moment) {
        loop {
            let acts = self.late_acts.front().map(|(due, _)| *due);
            let script = self.script.next_due();
            let Some(due) = acts.into_iter().chain(script).min().filter(|due| *due <= self.simulated(now))
            else {
                break;
            };
            self.world.advance(due);
            if acts == Some(due) {
                let act = self.late_acts.pop_front().map(|(_, act)| act);
                act.into_iter().for_each(|act| act.carry_out(&mut self.world, &mut self.memory));
                continue;
            }
            // a change of speed counts from its own time, however late it is looked at
            let at = self.clock.real(due);
            if let Some(knob) = self.script.take_due(due) {
                self.turn(knob, at.min(now));
            }
        }
        let until = self.simulated(now);
        self.world.advance(until);
    }

    /// Turns a knob at the real time `now`.
    pub fn turn(&mut self, knob: Knob, now: Moment) {
        knob.turn(self, now);
    }

    /// Takes bytes from the line.
    pub fn receive(&mut self, bytes: &[u8], now: Moment) {
        self.advance(now);
        if self.profile.echoes_line {
            self.port.echo(bytes, now);
        }
        for byte in self.trouble.scramble(bytes) {
            if let Some(line) = self.port.take(byte) {
                self.hear(&line, now);
            }
        }
    }

    fn hear(&mut self, raw: &[u8], now: Moment) {
        let codec = self.protocol.codec;
        let plain = codec.and_then(|codec| (codec.unpack_question)(raw)).unwrap_or_else(|| raw.to_vec());
        let line = String::from_utf8_lossy(&plain).into_owned();
        self.journal.hear(line.clone());
        let manners = &self.profile;
        if manners.silent || self.locked_up || !self.world.alive() {
            return;
        }
        if manners.locks_up_on.as_deref() == Some(line.as_str()) {
            self.locked_up = true;
            return;
        }
        if now < self.busy_until {
            return;
        }
        if now < self.rests_until {
            self.rests_until = self.rests_until.max(now + self.rests_for);
            return;
        }
        let Some(mut saying) = self.reply(raw, &line, now) else { return };
        if !self.profile.no_end {
            saying.bytes.push(END);
        }
        self.journal.complete(&saying.bytes, now);
        self.port.say(saying, raw.len() + 1, now, (&self.profile, &mut self.trouble));
        let rest;
        (rest, self.rests_for) = self.rest(&line, now);
        // (one that does not rest hears also while it speaks)
        let until = self.port.last_due().unwrap_or(now) + rest;
        self.rests_until = if rest.is_zero() { Moment::ZERO } else { until };
    }

    /// It rests no more, as after a long silence of the line.
    pub fn end_rests(&mut self) {
        (self.rests_until, self.busy_until) = (Moment::ZERO, Moment::ZERO);
        self.profile.oddities.retain(|odd| odd.behaviour.rest().is_none());
    }

    /// Whether it hears: it is not busy with a command.
    pub fn hears(&self, now: Moment) -> bool {
        now >= self.busy_until
    }

    /// How long it hears nothing behind the reply to a line, where it is odd in that, and behind a line that it does not
    /// hear meanwhile.
    fn rest(&self, line: &str, now: Moment) -> (Duration, Duration) {
        let simulated = self.clock.simulated(now);
        let is_of_line = |odd: &&crate::oddity::Oddity| odd.ask.as_deref().is_none_or(|ask| ask == line);
        let odd = self.profile.oddities.iter().filter(|odd| odd.is_on(&self.world, simulated));
        let rests = odd.filter(is_of_line).filter_map(|odd| {
            let is_anew = matches!(odd.behaviour, Behaviour::Rests(_));
            odd.behaviour.rest().map(|time| (time, if is_anew { time } else { Duration::ZERO }))
        });
        rests.fold(Default::default(), |(rest, anew), (time, again)| (time.max(rest), again.max(anew)))
    }

    /// What it says now; each call gives what is due.
    pub fn poll_output(&mut self, now: Moment) -> Option<Vec<u8>> {
        self.port.poll_output(now)
    }

    /// When it wants to say something next.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.port.poll_timeout()
    }

    /// Whether the line is to be closed, and for how long.
    pub fn take_hang_up(&mut self) -> Option<Duration> {
        self.port.take_hang_up()
    }

    /// The lines it heard, the oldest first.
    pub fn heard(&self) -> impl Iterator<Item = &str> {
        self.journal.lines().iter().map(String::as_str)
    }

    /// Forgets what it heard.
    pub fn forget_heard(&mut self) {
        self.journal.forget_lines();
    }

    /// What became of the lines that it heard since the last call, and when: by the world's own clock, not
    /// by what a driver makes of it.
    pub fn take_records(&mut self) -> Vec<(Moment, Record)> {
        self.journal.take_records()
    }

    /// Draws what is odd by chance from another seed.
    pub fn seed_oddities(&mut self, seed: u64) {
        self.oddness = Oddness::new(seed);
    }

    /// What there is to know about it, as lines `name value`.
    pub fn state(&self) -> String {
        let world = &self.world;
        format!(
            "protocol {}\nmains {:.1} V {:.1} Hz\noutput {:.1} V\nload {} %\ncharge {:.1} %\nbattery {:.2} V\non battery {}\nbattery low {}\npowered {}\ntest {:?}\ncountdown {:?}\nbeeper {}\nfault {}\nheard {}\n",
            self.protocol.name,
            world.mains_volts,
            world.mains_hertz,
            world.output_volts(),
            world.load_percent,
            100.0 * world.charge,
            world.battery_volts(),
            world.on_battery(),
            world.battery_low(),
            world.powered(),
            world.test,
            world.countdown,
            world.beeper,
            world.fault,
            self.journal.lines().len(),
        )
    }
}
