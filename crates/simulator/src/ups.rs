//! A simulated UPS: a world, a dialect, manners, troubles and a script. It does no I/O and is told
//! the time; its ends feed it bytes and take what it says.

use crate::claims::Claims;
use crate::knob::Knob;
use crate::oddity::{Deed as Odd, Oddness};
use crate::personality::{Personality, Refusal};
use crate::readings::{Memory, readings, value};
use crate::script::Script;
use crate::trouble::{Fate, Trouble, UsbTrouble};
use crate::world::{Order, Test, World};
use qx::command::Command;
use qx::exchange::END;
use qx::fact::Facts;
use qx::option::{Flag, Flags};
use qx::protocol::Protocol;
use qx::query::{Meaning, Query};
use qx::read::Readings;
use qx::spelling;
use qx::value::Value;
use qx::variable::{ALARM_CONTROL, INPUT_VOLTAGE, UPS_ID, Var};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A line without an end is cut off at this length.
const LONGEST: usize = 256;
/// So many lines that were heard are kept, and so many records.
const HEARD: usize = 4096;
/// Zero bytes that stand for an answer where there is none.
const NULS: usize = 8;
/// From so many volts on the grid counts as there, where nothing but its volts tell.
const GRID_VOLTS: f64 = 60.0;
/// A battery test without a time lasts so many seconds (quick test of most units).
const QUICK_TEST: f64 = 10.0;
/// A line that breaks by itself is back after so long.
const BREAK: Duration = Duration::from_secs(2);
/// Bytes written at once when they are paced.
const PACE: usize = 4;

/// What became of a line that was heard whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// It was a question, and this was said (with its end, before any trouble of the line).
    Said {
        /// The question.
        question: String,
        /// What was said.
        bytes: Vec<u8>,
        /// What that claims.
        claims: Claims,
    },
    /// It was a command or a setting, and obeyed.
    Obeyed(String),
    /// It was a command or a setting, and refused in words.
    Refused(String),
    /// It was no question that is answered and no command that is known.
    Unknown(String),
}

/// What is said to a line.
#[derive(Debug, Default)]
struct Saying {
    bytes: Vec<u8>,
    /// So much later than usual.
    late: Duration,
    /// A pause in its midst.
    gap: Duration,
}

/// A simulated UPS.
#[derive(Clone, Debug)]
pub struct SimulatedUps {
    /// The dialect it speaks.
    pub protocol: &'static Protocol,
    /// Its world.
    pub world: World,
    /// Its manners.
    pub personality: Personality,
    /// What it was told and keeps.
    pub memory: Memory,
    /// The troubles of its line.
    pub trouble: Trouble,
    /// The troubles of its USB converter.
    pub usb: UsbTrouble,
    script: Script,
    speed: f64,
    /// Real and simulated time when the speed was last changed.
    epoch: (Duration, Duration),
    bits: BTreeMap<usize, bool>,
    replies: BTreeMap<String, Vec<u8>>,
    input: Vec<u8>,
    output: VecDeque<(Duration, Vec<u8>)>,
    heard: VecDeque<String>,
    records: VecDeque<(Duration, Record)>,
    oddness: Oddness,
    locked_up: bool,
    hang_up: Option<Duration>,
}

impl SimulatedUps {
    /// A UPS that speaks `protocol`.
    pub fn new(
        protocol: &'static Protocol,
        personality: Personality,
        trouble: Trouble,
        script: Script,
    ) -> SimulatedUps {
        SimulatedUps {
            protocol,
            world: World::default(),
            personality,
            memory: Memory::default(),
            trouble,
            usb: UsbTrouble::default(),
            script,
            speed: 1.0,
            epoch: (Duration::ZERO, Duration::ZERO),
            bits: BTreeMap::new(),
            replies: BTreeMap::new(),
            input: vec![],
            output: VecDeque::new(),
            heard: VecDeque::new(),
            records: VecDeque::new(),
            oddness: Oddness::new(1),
            locked_up: false,
            hang_up: None,
        }
    }

    /// Simulated time at the real time `now`.
    pub fn simulated(&self, now: Duration) -> Duration {
        self.epoch.1 + now.saturating_sub(self.epoch.0).mul_f64(self.speed)
    }

    /// Lets time pass: the world goes on, and the script is played.
    pub fn advance(&mut self, now: Duration) {
        while let Some(due) = self.script.next_due().filter(|due| *due <= self.simulated(now)) {
            self.world.advance(due);
            // a change of speed counts from its own time, however late it is looked at
            let at = self.epoch.0 + due.saturating_sub(self.epoch.1).div_f64(self.speed);
            if let Some(knob) = self.script.take_due(due) {
                self.turn(knob, at.min(now));
            }
        }
        let until = self.simulated(now);
        self.world.advance(until);
    }

    /// Turns a knob.
    pub fn turn(&mut self, knob: Knob, now: Duration) {
        let (world, manners) = (&mut self.world, &mut self.personality);
        match knob {
            Knob::Mains(volts) => {
                world.mains_volts = volts;
                if !world.mains_good() {
                    world.fault_volts = volts;
                }
            }
            Knob::MainsBack => world.mains_volts = world.rating.mains_volts,
            Knob::Frequency(hertz) => world.mains_hertz = hertz,
            Knob::Load(percent) => world.load_percent = percent,
            Knob::Charge(percent) => world.charge = percent / 100.0,
            Knob::Temperature(celsius) => world.temperature = celsius,
            Knob::Fault(on) => world.fault = on,
            Knob::Beeper(on) => world.beeper = on,
            Knob::Bypass(on) => world.bypass = on,
            Knob::Family(family) => manners.family = Some(family),
            Knob::Word(status, Some(on)) => drop(self.memory.words.insert(status, on)),
            Knob::Word(status, None) => drop(self.memory.words.remove(&status)),
            Knob::Warning(number, true) => self.memory.warnings.push(number),
            Knob::Warning(number, false) => self.memory.warnings.retain(|raised| *raised != number),
            Knob::Say(var, text) => self.memory.keep(var, value(self.protocol, var, &text)),
            Knob::Bit(place, Some(on)) => drop(self.bits.insert(place, on)),
            Knob::Bit(place, None) => drop(self.bits.remove(&place)),
            Knob::Dashes(name) => manners.does_not_know.push(name),
            Knob::Unknown(refusal) => manners.unknown = refusal,
            Knob::Refuse(refusal) => manners.refuses = refusal,
            Knob::Accept(text) => manners.accepts = text,
            Knob::Latency(latency) => manners.latency = latency,
            Knob::Baud(baud) => manners.baud = baud,
            Knob::Echo(on) => manners.echoes_line = on,
            Knob::Cell(on) => manners.per_cell = on,
            Knob::Silent(on) => manners.silent = on,
            Knob::Countdown(Some(seconds)) => world.obey(Order::Return(seconds, 0.0)),
            Knob::Countdown(None) => world.countdown = None,
            Knob::Model(name) => manners.model = name,
            Knob::Rated(volts) => world.rating.battery_volts = volts,
            Knob::Odd(Some(odd)) => manners.oddities.push(odd),
            Knob::Odd(None) => manners.oddities.clear(),
            Knob::Hurt(count) => self.trouble.hurt = count,
            Knob::Forget(question) => manners.ignorant_of.push(question),
            Knob::Lose(probability) => self.trouble.lose = probability,
            Knob::Garble(probability) => self.trouble.garble = probability,
            Knob::Double(probability) => self.trouble.double = probability,
            Knob::Noise(probability) => self.trouble.noise = probability,
            Knob::Late(probability) => self.trouble.late = probability,
            Knob::Break(probability) => self.trouble.hang_up = probability,
            Knob::Reply(question, Some(bytes)) => drop(self.replies.insert(question, bytes)),
            Knob::Reply(question, None) => drop(self.replies.remove(&question)),
            Knob::Usb(fate, count) => match fate {
                Fate::Good => {}
                Fate::Short => self.usb.short = count,
                Fate::Garbled => self.usb.garble = count,
                Fate::Stall => self.usb.stall = count,
                Fate::Babble => self.usb.babble = count,
                Fate::Fault => self.usb.fault = count,
            },
            Knob::UsbDeaf(deaf) => self.usb.deaf = deaf,
            Knob::UsbHung(hung) => self.usb.hung = hung,
            Knob::UsbNothing(nothing) => self.usb.nothing = nothing,
            Knob::HangUp(time) => self.hang_up = Some(time),
            Knob::Speed(speed) => {
                self.epoch = (now, self.simulated(now));
                self.speed = speed;
            }
        }
    }

    /// Takes bytes from the line.
    pub fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.advance(now);
        if self.personality.echoes_line {
            self.output.push_back((now, bytes.to_vec()));
        }
        for byte in self.trouble.scramble(bytes) {
            match byte {
                END => {
                    let line = std::mem::take(&mut self.input);
                    self.hear(&line, now);
                }
                byte if self.input.len() < LONGEST => self.input.push(byte),
                _ => {}
            }
        }
    }

    /// What it says now; each call gives what is due.
    pub fn poll_output(&mut self, now: Duration) -> Option<Vec<u8>> {
        let due = self.output.front().is_some_and(|(due, _)| *due <= now);
        due.then(|| self.output.pop_front()).flatten().map(|(_, bytes)| bytes)
    }

    /// When it wants to say something next.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.output.front().map(|(due, _)| *due)
    }

    /// Whether the line is to be closed, and for how long.
    pub fn take_hang_up(&mut self) -> Option<Duration> {
        let hang_up = self.hang_up.take();
        if hang_up.is_some() {
            self.input.clear();
            self.output.clear();
        }
        hang_up
    }

    /// The lines it heard, the oldest first.
    pub fn heard(&self) -> impl Iterator<Item = &str> {
        self.heard.iter().map(String::as_str)
    }

    /// Forgets what it heard.
    pub fn forget_heard(&mut self) {
        self.heard.clear();
    }

    /// What became of the lines that it heard since the last call, and when: by the world's own clock, not
    /// by what a driver makes of it.
    pub fn take_records(&mut self) -> Vec<(Duration, Record)> {
        self.records.drain(..).collect()
    }

    /// Draws what is odd by chance from another seed.
    pub fn seed_oddities(&mut self, seed: u64) {
        self.oddness = Oddness::new(seed);
    }

    fn record(&mut self, record: Record, now: Duration) {
        if self.records.len() == HEARD {
            self.records.pop_front();
        }
        self.records.push_back((now, record));
    }

    fn hear(&mut self, raw: &[u8], now: Duration) {
        if self.heard.len() == HEARD {
            self.heard.pop_front();
        }
        let armour = self.protocol.armour;
        let plain = armour.and_then(|armour| (armour.unpack_question)(raw)).unwrap_or_else(|| raw.to_vec());
        let line = String::from_utf8_lossy(&plain).into_owned();
        self.heard.push_back(line.clone());
        let manners = &self.personality;
        if manners.silent || self.locked_up || !self.world.alive() {
            return;
        }
        if manners.locks_up_on.as_deref() == Some(line.as_str()) {
            self.locked_up = true;
            return;
        }
        let Some(mut saying) = self.reply(raw, &line, now) else { return };
        if !self.personality.no_end {
            saying.bytes.push(END);
        }
        match self.records.back_mut() {
            Some((at, Record::Said { bytes, .. })) if *at == now => bytes.clone_from(&saying.bytes),
            _ => {}
        }
        self.say(saying, raw.len() + 1, now);
    }

    fn readings(&self) -> Readings {
        readings(self.protocol, &self.world, &self.personality, &self.memory)
    }

    /// What is said to a line, before its end and its troubles.
    fn reply(&mut self, raw: &[u8], line: &str, now: Duration) -> Option<Saying> {
        let plain = |bytes: Vec<u8>| Saying { bytes, ..Saying::default() };
        if let Some(bytes) = self.replies.get(line) {
            return Some(plain(bytes.clone()));
        }
        let readings = self.readings();
        // it knows everything that it could be asked for
        let all = Flag::ALL.into_iter().fold(Flags::default(), |flags, flag| match flag {
            Flag::NoRating | Flag::NoVendor | Flag::NoOutStats | Flag::IgnoreSab => flags,
            Flag::Testing | Flag::ResetToDefault => flags.with(flag),
        });
        let facts = Facts::of(self.protocol.queries[0], &readings, all);
        let address =
            readings.number(&UPS_ID).and_then(|id| u32::try_from(id.whole()).ok()).unwrap_or_default();
        let ignorant = self.personality.ignorant_of.iter().any(|question| question == line);
        let asked = |query: &&&'static Query| {
            query.wire(address) == raw && query.when.holds(&facts) && !ignorant && knows(query, &readings)
        };
        let query = self.protocol.queries.iter().find(asked).copied();
        let deed = if query.is_some() || ignorant { None } else { self.deed(line, &facts) };
        let told = query.is_some_and(|query| query.tells_status());
        let oddities = std::mem::take(&mut self.personality.oddities);
        let at = (&self.world, self.simulated(now));
        let odd = self.oddness.strike(&oddities, query.map_or(line, |query| query.ask), told, at);
        self.personality.oddities = oddities;
        let said = match (query, deed) {
            (Some(query), _) => self.answer(query, line, readings, &odd, now),
            (None, Some(deed)) => self.obey_in_words(deed, raw, line, &odd, now),
            (None, None) => {
                self.record(Record::Unknown(line.into()), now);
                self.personality.unknown.reply(raw)
            }
        };
        let is_command = query.is_none();
        let said = said.or_else(|| odd.contains(&Odd::Nuls).then(|| vec![0; NULS]));
        let said = if odd.contains(&Odd::Behind) { self.oddness.held.replace(said?) } else { said };
        let time = |of: &dyn Fn(&Odd) -> Option<Duration>| odd.iter().filter_map(of).sum::<Duration>();
        let late = time(&|odd| match odd {
            Odd::Slow(time) => Some(*time),
            Odd::LateWord(time) if is_command => Some(*time),
            _ => None,
        });
        let gap = time(&|odd| if let Odd::Gap(time) = odd { Some(*time) } else { None });
        Some(Saying { bytes: said?, late, gap })
    }

    /// What is said to a question.
    fn answer(
        &mut self,
        query: &'static Query,
        line: &str,
        mut readings: Readings,
        odd: &[Odd],
        now: Duration,
    ) -> Option<Vec<u8>> {
        let per_cell = self.personality.per_cell;
        if odd.contains(&Odd::Silent) {
            return None;
        } else if odd.contains(&Odd::Refuses) {
            let word = || Refusal::Text("(NAK".into()).reply(&[]);
            return self.personality.unknown.reply(line.as_bytes()).or_else(word);
        } else if odd.contains(&Odd::Empty) {
            return Some(vec![]);
        } else if odd.contains(&Odd::Nuls) && self.is_named(Odd::Nuls, query.ask) {
            return Some(vec![0; NULS]);
        }
        odd.iter().for_each(|odd| odd.change(&mut readings, &self.world, per_cell));
        let bare = Query { armour: None, ..*query };
        let mut text = self.write(&bare, &readings, query.armour.is_some());
        // bits are counted from the drawn place, so they come before what moves them
        let (bits, forms): (Vec<_>, Vec<_>) = odd.iter().partition(|odd| odd.is_of_bits());
        let (nuls, forms): (Vec<_>, Vec<_>) = forms.into_iter().partition(|odd| odd.is_around());
        bits.into_iter().chain(forms).for_each(|odd| odd.deform(&mut text, query));
        let mut claims = Claims::of(query, &readings);
        // without its mode it still shows by its volts whether mains is there, if it says those
        if odd.iter().any(|odd| odd.is_mode_of(query)) {
            // (a brown-out, for which it goes on battery, looks like mains then)
            let by_volts =
                |online: &bool| self.says_volts() && *online == (self.world.mains_volts >= GRID_VOLTS);
            claims = Claims { online: claims.online.filter(by_volts), ..Claims::default() };
        }
        if odd.contains(&Odd::Behind) {
            claims = Claims::default();
        }
        self.record(Record::Said { question: line.into(), bytes: vec![], claims }, now);
        let mut reply = query.armour.map_or(text.clone(), |armour| (armour.pack_reply)(&text));
        nuls.into_iter().for_each(|odd| odd.deform(&mut reply, query));
        Some(reply)
    }

    /// Whether no oddity keeps back, now or then, what says the volts of mains.
    fn says_volts(&self) -> bool {
        let of_volts = |ask: &String| {
            self.protocol.queries.iter().any(|query| query.ask == ask && query.speaks_of(&INPUT_VOLTAGE))
        };
        let keeps_back = |odd: &Odd| matches!(odd, Odd::Silent | Odd::Refuses | Odd::Empty);
        let oddities = &self.personality.oddities;
        !oddities.iter().any(|odd| keeps_back(&odd.deed) && odd.ask.as_ref().is_some_and(of_volts))
    }

    fn is_named(&self, deed: Odd, line: &str) -> bool {
        self.personality.oddities.iter().any(|odd| odd.deed == deed && odd.ask.as_deref() == Some(line))
    }

    /// What is said to a command or setting, once it is obeyed.
    fn obey_in_words(
        &mut self,
        deed: Deed,
        raw: &[u8],
        line: &str,
        odd: &[Odd],
        now: Duration,
    ) -> Option<Vec<u8>> {
        if let Some(refusal) = &self.personality.refuses {
            let said = refusal.reply(raw);
            self.record(Record::Refused(line.into()), now);
            return said;
        }
        self.record(Record::Obeyed(line.into()), now);
        match deed {
            Deed::Nothing => {}
            Deed::Keep(var, value) => self.memory.keep(var, value),
            Deed::Order(order) => self.world.obey(order),
            Deed::Reset => self.memory.values.retain(|_, (var, _)| var.public),
            Deed::ClearFaults => {
                self.memory.values.retain(|name, _| !name.starts_with("experimental.fault"));
                for var in qx::variable::KEPT.iter().filter(|var| var.name.starts_with("experimental.fault_"))
                {
                    self.memory.keep(var, Value::text("0: none"));
                }
            }
        }
        if odd.contains(&Odd::NoWord) {
            return None;
        }
        let said = self.personality.accepts.as_deref().or(self.protocol.consent.said())?;
        let text = said.as_bytes().to_vec();
        Some(self.protocol.armour.map_or(text.clone(), |armour| (armour.pack_reply)(&text)))
    }

    fn write(&self, query: &Query, readings: &Readings, packed: bool) -> Vec<u8> {
        let mut reply = query.write(readings);
        let last = query.fields.last().filter(|_| !packed);
        if let Some(Meaning::Bits(rows)) = last.map(|field| field.meaning) {
            for (place, on) in &self.bits {
                let at = reply.len() - rows.len() + place;
                if let Some(bit) = reply.get_mut(at) {
                    *bit = if *on { b'1' } else { b'0' };
                }
            }
        }
        reply
    }

    /// What a line makes it do, by the same tables that the driver writes it with. Of two commands
    /// that a line could be, it is the one that would be written so.
    fn deed(&self, line: &str, facts: &Facts) -> Option<Deed> {
        for setting in self.protocol.all_settings() {
            if let Some(value) = setting.read(line) {
                let allowed = setting.when.holds(facts) && setting.args(&value.to_string(), facts).is_ok();
                return match setting.var.name {
                    "reset_to_default" => Some(Deed::Reset),
                    _ => allowed.then_some(Deed::Keep(setting.var, value)),
                };
            }
        }
        let first = |command: &&'static Command| {
            let steps: Vec<_> = spelling::steps(command.wire).collect();
            steps.len() > 1 && spelling::read(steps[0], line, &[]).is_some()
        };
        if self.protocol.all_commands().any(|command| first(&command)) {
            return Some(Deed::Nothing);
        }
        let spelt = |command: &&'static Command| {
            let again = command.read(line).map(|args| command.write(&args));
            again.is_some_and(|lines| lines.last().is_some_and(|last| last == line))
                && command.when.holds(facts)
        };
        let command = self.protocol.all_commands().find(spelt)?;
        order_of(command, line)
    }

    /// Says something, with its end, to a line of so many bytes.
    fn say(&mut self, saying: Saying, heard: usize, now: Duration) {
        if self.trouble.hangs_up() {
            self.hang_up = Some(BREAK);
            return;
        }
        let reply = self.trouble.befall(saying.bytes);
        // it says one thing after the other
        let start = (now + self.personality.latency + saying.late)
            .max(self.output.back().map_or(Duration::ZERO, |(due, _)| *due))
            + self.trouble.lateness();
        let half = if saying.gap.is_zero() { reply.len() } else { reply.len() / 2 };
        match self.personality.baud {
            None => {
                let (first, second) = reply.split_at(half);
                self.output.push_back((start, first.to_vec()));
                if !second.is_empty() {
                    self.output.push_back((start + saying.gap, second.to_vec()));
                }
            }
            Some(baud) => {
                let byte = Duration::from_secs_f64(10.0 / f64::from(baud.max(1)));
                // what was heard had to cross the line as well
                let mut due = start + byte * heard as u32;
                for (at, chunk) in reply.chunks(PACE).enumerate() {
                    due += byte * chunk.len() as u32;
                    let gap = if at * PACE >= half { saying.gap } else { Duration::ZERO };
                    self.output.push_back((due + gap, chunk.to_vec()));
                }
            }
        }
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
            self.heard.len(),
        )
    }
}

/// What a line makes a unit do.
enum Deed {
    Nothing,
    Keep(&'static Var, Value),
    Order(Order),
    Reset,
    ClearFaults,
}

/// Whether it can say anything to the question.
fn knows(query: &Query, readings: &Readings) -> bool {
    let has_bits = query.fields.iter().any(|field| matches!(field.meaning, Meaning::Bits(_)));
    let vars: Vec<&Var> = query.fields.iter().flat_map(|field| field.vars()).collect();
    has_bits || vars.is_empty() || vars.iter().any(|var| readings.value(var).is_some())
}

fn order_of(command: &Command, line: &str) -> Option<Deed> {
    let args = command.read(line)?;
    let seconds = f64::from;
    Some(Deed::Order(match command.name {
        "beeper.toggle" => Order::ToggleBeeper,
        "beeper.enable" | "beeper.disable" if line.starts_with('P') => {
            let word = if command.name == "beeper.enable" { "enabled" } else { "disabled" };
            return Some(Deed::Keep(&ALARM_CONTROL, Value::text(word)));
        }
        "beeper.enable" => Order::Beeper(true),
        "beeper.disable" => Order::Beeper(false),
        "bypass.start" => Order::Bypass(true),
        "bypass.stop" => Order::Bypass(false),
        "clear.fault.record" => return Some(Deed::ClearFaults),
        "load.off" => Order::Off,
        "load.on" | "shutdown.stop" => Order::OnOrStop,
        "shutdown.return" => Order::Return(seconds(args.shutdown), seconds(args.start)),
        "shutdown.stayoff" => Order::StayOff(seconds(args.shutdown)),
        "test.battery.start" if args.given > 0 => Order::Test(Test::For(seconds(args.given))),
        "test.battery.start.deep" | "test.battery.start.low" => Order::Test(Test::UntilLow),
        "test.battery.start" | "test.battery.start.quick" => Order::Test(Test::For(QUICK_TEST)),
        "test.battery.stop" => Order::StopTest,
        name => {
            let (outlet, deed) = name.strip_prefix("outlet.")?.split_once(".load.")?;
            let var = qx::variable::named(&format!("outlet.{outlet}.status"))?;
            return Some(Deed::Keep(var, Value::text(deed)));
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use qx::protocols;

    fn ups(protocol: &'static Protocol) -> SimulatedUps {
        SimulatedUps::new(protocol, Personality::default(), Trouble::new(1), Script::default())
    }

    fn ask(ups: &mut SimulatedUps, line: &str, now: u64) -> Option<String> {
        let now = Duration::from_secs(now);
        ups.receive(format!("{line}\r").as_bytes(), now);
        let mut reply = vec![];
        while let Some(due) = ups.poll_timeout() {
            reply.extend(ups.poll_output(due)?);
        }
        (!reply.is_empty()).then(|| String::from_utf8_lossy(&reply).into_owned())
    }

    /// Every dialect, in each of its families and models.
    fn units() -> Vec<SimulatedUps> {
        let mut units: Vec<SimulatedUps> = protocols::ALL.iter().map(|protocol| ups(protocol)).collect();
        let families = [
            ("voltronic", &["P00", "P03", "P08", "P09", "P10", "P14", "P31", "P99"][..]),
            ("voltronic-qs", &["PM-H"]),
            ("voltronic-qs-hex", &["PM-T"]),
            ("bestups", &["AX1", "PRO", "PR2", "320", "620"]),
            ("masterguard", &["A700", "A1000", "E60", "E200"]),
        ];
        for (dialect, names) in families {
            for name in names {
                let mut unit = ups(protocols::named(dialect).unwrap());
                unit.personality.family = Some((*name).into());
                units.push(unit);
            }
        }
        units
    }

    #[test]
    fn every_dialect_answers_its_questions() {
        for mut unit in units() {
            let mut answered = 0;
            let readings = unit.readings();
            let facts = Facts::of(unit.protocol.queries[0], &readings, Flags::default());
            for query in unit.protocol.queries.iter().filter(|query| query.when.holds(&facts)) {
                let now = Duration::ZERO;
                unit.receive(&[query.wire(0).as_slice(), b"\r"].concat(), now);
                let Some(due) = unit.poll_timeout() else { continue };
                let reply = unit.poll_output(due).unwrap();
                let reply = reply.strip_suffix(b"\r").unwrap();
                let shown = format!(
                    "{} {:?} {}: {}",
                    unit.protocol.name,
                    unit.personality.family,
                    query.ask,
                    reply.escape_ascii()
                );
                let fit = query.read(reply).unwrap_or_else(|misfit| panic!("{shown} {misfit:?}"));
                answered += 1;
                let printable = reply.iter().all(|byte| (0x20..0x7f).contains(byte));
                assert!(!printable || fit.odd.is_none(), "{shown}");
                assert!(query.armour.is_some() || query.read(&query.write(&fit.readings)).is_ok(), "{shown}");
            }
            assert!(
                answered > 0 && answered * 2 >= unit.protocol.queries.len().min(14),
                "{}",
                unit.protocol.name
            );
        }
    }

    /// Sends a command, or sets a variable, as the tables spell it; what the UPS said.
    fn order(ups: &mut SimulatedUps, name: &str, given: u32, at: u64) -> Option<String> {
        let readings = ups.readings();
        let facts = Facts::of(ups.protocol.queries[0], &readings, Flags::default());
        let args = spelling::Args { shutdown: 30, start: 180, given, ..spelling::Args::default() };
        let fits = |command: &&Command| {
            command.when.holds(&facts)
                && command.parameter.is_none_or(|allowed| allowed.check(Some(&given.to_string())).is_ok())
        };
        let lines = ups.protocol.commands_named(name).find(fits)?.write(&args);
        Some(lines.iter().filter_map(|line| ask(ups, line, at)).collect())
    }

    #[test]
    fn every_dialect_obeys() {
        for mut ups in units() {
            let name = ups.protocol.name;
            if ups.protocol.commands.is_empty() {
                continue;
            }
            let before = ups.world.beeper;
            if order(&mut ups, "beeper.toggle", 0, 1).is_some() {
                assert_ne!(ups.world.beeper, before, "{name}");
            }
            assert!(
                order(&mut ups, "shutdown.return", 0, 2).is_some() && ups.world.countdown.is_some(),
                "{name}"
            );
            assert!(
                order(&mut ups, "shutdown.stop", 0, 3).is_some() && ups.world.countdown.is_none(),
                "{name}"
            );
            order(&mut ups, "shutdown.stayoff", 0, 4);
            ups.advance(Duration::from_secs(3600));
            assert!(!ups.world.powered(), "{name}");
            ups.world.obey(Order::OnOrStop);
            if order(&mut ups, "test.battery.start", 120, 3602).is_some() {
                ups.advance(Duration::from_secs(3610));
                assert!(ups.world.on_battery(), "{name}");
                order(&mut ups, "test.battery.stop", 0, 3611);
                assert!(ups.world.test.is_none(), "{name}");
            }
        }
    }

    #[test]
    fn settings_are_kept_and_told_again() {
        let mut ups = ups(&protocols::VOLTRONIC);
        ups.personality.unknown = crate::personality::Refusal::Text("(NAK".into());
        assert_eq!(ask(&mut ups, "BATGN07", 1).unwrap(), "(ACK\r");
        assert!(ask(&mut ups, "QBV", 1).unwrap().contains(" 02 07 "));
        assert_eq!(ask(&mut ups, "PDR", 1).unwrap(), "(ACK\r");
        assert_eq!(ask(&mut ups, "PER", 1).unwrap(), "(ACK\r");
        assert!(ask(&mut ups, "QFLAG", 1).unwrap().split('D').next().unwrap().contains('r'));
        assert_eq!(ask(&mut ups, "SKOFF1", 1).unwrap(), "(ACK\r");
        assert_eq!(ask(&mut ups, "QSK1", 1).unwrap(), "(0\r");
        assert_eq!(ask(&mut ups, "QSK3", 1).unwrap(), "(NAK\r");
        assert_eq!(ask(&mut ups, "PHV300", 1).unwrap(), "(NAK\r", "out of the limits of P01");
        assert_eq!(ask(&mut ups, "PHV250", 1).unwrap(), "(ACK\r");
        assert_eq!(ask(&mut ups, "QBYV", 1).unwrap(), "(250 170\r");
        assert_eq!(ask(&mut ups, "QBT", 1).unwrap(), "(NAK\r", "only P31 has it");
        ups.personality.family = Some("P31".into());
        assert_eq!(ask(&mut ups, "PBT02", 1).unwrap(), "(ACK\r");
        assert_eq!(ask(&mut ups, "QBT", 1).unwrap(), "(02\r");
    }

    #[test]
    fn a_script_may_change_the_speed_whenever_it_is_looked_at() {
        let end = |step: u64| {
            let script = Script::parse("at 10s speed 10\nat 100s mains fail\nat 200s speed 1").unwrap();
            let mut ups =
                SimulatedUps::new(&protocols::MEGATEC, Personality::default(), Trouble::new(1), script);
            (1..=60_000 / step).for_each(|n| ups.advance(Duration::from_millis(n * step)));
            (ups.simulated(Duration::from_secs(60)).as_millis(), (ups.world.charge * 1e6).round())
        };
        assert_eq!(end(100), end(60_000));
    }

    #[test]
    fn it_says_one_thing_after_the_other() {
        let mut ups = ups(&protocols::MEGATEC);
        ups.personality.baud = Some(2400);
        ups.receive(b"Q1\rF\r", Duration::ZERO);
        let mut last = Duration::ZERO;
        while let Some(due) = ups.poll_timeout() {
            assert!(due >= last);
            last = due;
            ups.poll_output(due);
        }
        assert!(last > Duration::from_millis(280), "69 bytes at 2400 baud, not {last:?}");
    }

    #[test]
    fn knobs_change_what_is_said() {
        let mut ups = ups(&protocols::MEGATEC);
        let turn = |ups: &mut SimulatedUps, text: &str| ups.turn(Knob::parse(text).unwrap(), Duration::ZERO);
        for text in ["mains fail", "load 42", "dashes temperature", "bit 7 off", "cell on"] {
            turn(&mut ups, text);
        }
        assert_eq!(ask(&mut ups, "Q1", 0).unwrap(), "(000.0 000.0 230.0 042 00.0 1.95 --.- 10001000\r");
        turn(&mut ups, "reply Q1 \"(x\"");
        assert_eq!(ask(&mut ups, "Q1", 0).unwrap(), "(x\r");
        turn(&mut ups, "unknown echo");
        assert_eq!(ask(&mut ups, "QS", 0).unwrap(), "QS\r");
        turn(&mut ups, "refuse (NAK");
        assert_eq!(ask(&mut ups, "Q", 0).unwrap(), "(NAK\r");
        turn(&mut ups, "echo on");
        assert_eq!(ask(&mut ups, "F", 0).unwrap(), "F\r#230.0 003 24.00 50.0\r");
        turn(&mut ups, "silent on");
        turn(&mut ups, "echo off");
        assert_eq!(ask(&mut ups, "F", 0), None);
        assert_eq!(ups.heard().last(), Some("F"));
    }

    #[test]
    fn a_line_may_break() {
        let mut ups = ups(&protocols::MEGATEC);
        ups.turn(Knob::Break(1.0), Duration::ZERO);
        assert_eq!(ask(&mut ups, "Q1", 0), None);
        assert_eq!(ups.take_hang_up(), Some(BREAK));
    }

    #[test]
    fn bytes_are_paced() {
        let mut ups = ups(&protocols::MEGATEC);
        ups.personality.baud = Some(2400);
        ups.personality.latency = Duration::ZERO;
        ups.receive(b"Q1\r", Duration::ZERO);
        let mut last = Duration::ZERO;
        while let Some(due) = ups.poll_timeout() {
            last = due;
            ups.poll_output(due);
        }
        // 3 bytes of the question and 47 of the reply, 10 bits each
        assert!((last.as_secs_f64() - 500.0 / 2400.0).abs() < 0.001, "{last:?}");
    }

    #[test]
    fn time_may_run_faster() {
        let script = Script::parse("at 100s mains fail").unwrap();
        let mut ups = SimulatedUps::new(&protocols::Q1, Personality::default(), Trouble::new(1), script);
        ups.turn(Knob::Speed(100.0), Duration::ZERO);
        ups.advance(Duration::from_millis(990));
        assert!(!ups.world.on_battery());
        ups.advance(Duration::from_millis(1010));
        assert!(ups.world.on_battery());
    }
}
