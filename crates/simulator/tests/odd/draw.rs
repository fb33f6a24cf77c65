//! A life drawn from a seed.

use super::life::{DRIVERS, Event, Life, Link};
use qx::vocabulary::moment::Moment;
use simulator::oddity;
use simulator::trouble::Random;
use std::time::Duration;

/// Whoever has a client orders these.
const ORDERS: [&str; 8] = [
    "beeper.toggle",
    "test.battery.start.quick",
    "test.battery.stop",
    "shutdown.return",
    "shutdown.stop",
    "load.off",
    "load.on",
    "shutdown.stayoff",
];

/// A life that is being drawn.
pub struct Draw {
    random: Random,
    pub life: Life,
    /// The second up to which it is drawn.
    pub now: u64,
}

/// The life of a seed. Seeds that follow one another have all dialects in turn.
pub fn draw(seed: u64) -> Life {
    let mut draw = Draw::begin(seed, 0x9E37);
    let protocol = draw.life.protocol();
    draw.manners();
    draw.options();
    // drawn apart, so that all else of a seed stays as it was (an order goes into a line that was quiet for longer)
    let mut apart = Random::new(seed.wrapping_mul(0x51_7C).wrapping_add(3));
    if apart.chance(0.05) {
        let rest = [300, 600, 900, 1100][apart.below(4)];
        draw.life.knobs.push(format!("odd rests={rest} after:30"));
    }
    for _ in 0..1 + draw.random.below(3) {
        let odd = oddity::draw(&mut draw.random, protocol);
        draw.life.knobs.push(format!("odd {odd}"));
    }
    for _ in 0..2 + draw.random.below(4) {
        draw.scene();
    }
    draw.end(60)
}

impl Draw {
    /// The life of a seed of which the driver and the UPS are drawn, in a family of lives.
    pub fn begin(seed: u64, family: u64) -> Draw {
        let mut random = Random::new(seed.wrapping_mul(family).wrapping_add(7));
        let driver = if random.chance(0.75) { 0 } else { 1 + random.below(2) };
        let (driver, dialects) = DRIVERS[driver];
        let protocol = dialects[(seed as usize) % dialects.len()];
        let mut life = Life::plain(protocol.name);
        life.seed = seed;
        life.driver = driver.into();
        life.named = protocol.by_name || random.chance(0.6);
        Draw { random, life, now: 40 }
    }

    /// The life as it was drawn, which goes on for so many seconds.
    pub fn end(self, seconds: u64) -> Life {
        let Draw { mut life, now, .. } = self;
        life.events.sort_by_key(|(at, _)| *at);
        life.until = Moment::after_start(Duration::from_secs(now + seconds));
        life
    }

    pub fn chance(&mut self, of_one: f64) -> bool {
        self.random.chance(of_one)
    }

    pub fn below(&mut self, count: usize) -> usize {
        self.random.below(count)
    }

    pub fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.random.below(of.len())].clone()
    }

    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.random.below((most - least + 1) as usize) as u64
    }

    pub fn at(&mut self, second: u64, event: Event) {
        let ms = 1000 * second + self.between(0, 9) * 100;
        self.life.events.push((Moment::after_start(Duration::from_millis(ms)), event));
    }

    pub fn turn(&mut self, second: u64, knob: &str) {
        self.at(second, Event::Turn(knob.into()));
    }

    /// How it is plugged in.
    pub fn plug(&mut self) {
        self.life.link = self.one(&[Link::Serial, Link::Serial, Link::Tcp, Link::Usb]);
        let knobs: &[&str] = match self.life.link {
            Link::Serial => &["latency 20", "latency 100\nbaud 2400", "latency 250\nbaud 2400"],
            Link::Tcp => &["latency 50", "latency 300", "latency 5"],
            Link::Usb => &["latency 20", "latency 150"],
        };
        let knobs = self.one(knobs);
        self.life.knobs.extend(knobs.lines().map(String::from));
    }

    /// How it is plugged in, and what it says to what it does not know.
    fn manners(&mut self) {
        self.plug();
        // it may begin in the midst of an outage
        if self.random.chance(0.12) {
            self.life.knobs.extend(["mains fail".into(), "charge 60".into()]);
            let back = self.between(10, 38);
            self.turn(back, "mains back");
        }
        let unknown = self.one(&["silent", "silent", "echo", "(NAK"]);
        if unknown != "silent" {
            self.life.knobs.push(format!("unknown {unknown}"));
        }
    }

    fn options(&mut self) {
        let mut say = |name: &str, value: &str| self.life.options.push((name.into(), value.into()));
        match self.random.below(10) {
            0 => say("pollinterval", "1"),
            1 => say("pollinterval", "5"),
            2 => say("pollinterval", "10"),
            3 => say("pollfreq", "60"),
            _ => {}
        }
        match self.random.below(14) {
            0 => say("lowbatt_charge", "30"),
            1 => say("lowbatt_runtime", "120"),
            2 => say("lowbatt_voltage", "22.5"),
            _ => {}
        }
    }

    /// Something that happens, and takes its time.
    fn scene(&mut self) {
        let start = self.now + self.between(5, 40);
        let end = match self.random.below(16) {
            0..=5 => self.outage(start),
            6 => self.brown_out(start),
            7 => self.test(start),
            8 | 9 => self.orders(start),
            10 => self.blink(start),
            11 => self.swap(start),
            12 | 13 => self.restart(start),
            14 => {
                let count = self.between(1, 3);
                self.turn(start, &format!("hurt {count}"));
                start + 10
            }
            _ => self.reload(start),
        };
        self.now = end;
    }

    fn outage(&mut self, start: u64) -> u64 {
        let end = start + self.between(4, 70);
        self.turn(start, "mains fail");
        if self.random.chance(0.5) {
            let low = self.between(start, end - 2);
            self.turn(low, "charge 14");
            // no model of a battery follows one that leaps
            let has_bounds = self.life.options.iter().any(|(name, _)| name.starts_with("lowbatt"));
            if self.random.chance(0.5) && !has_bounds {
                self.turn(end, "charge 70");
            }
        }
        if self.random.chance(0.2) {
            let when = self.between(start, end - 2);
            let order = self.one(&ORDERS);
            self.at(when, Event::Order(order.into(), None, 1));
        }
        if self.random.chance(0.15) {
            let when = self.between(start, end - 2);
            self.at(when, Event::Restart);
        }
        self.turn(end, "mains back");
        end
    }

    /// An outage that lasts until a UPS that is asked seldom has told it, a low battery in it, and as long on mains.
    pub fn long_outage(&mut self, interval: u64) {
        let start = self.now + self.between(20, 60 + 4 * interval);
        let low = start + self.between(5, 30 + 6 * interval);
        let end = low + self.between(10, 40 + 8 * interval);
        self.turn(start, "mains fail");
        if self.random.chance(0.7) {
            self.turn(low, "charge 14");
            self.turn(end, "charge 70");
        }
        self.turn(end, "mains back");
        self.now = end + 2 * interval;
    }

    fn brown_out(&mut self, start: u64) -> u64 {
        let volts = self.one(&[120, 165, 180, 195, 250, 290]);
        let end = start + self.between(5, 40);
        self.turn(start, &format!("mains {volts}"));
        self.turn(end, "mains back");
        end
    }

    fn test(&mut self, start: u64) -> u64 {
        self.at(start, Event::Order("test.battery.start.quick".into(), None, 1));
        if self.random.chance(0.4) {
            self.turn(start + 3, "mains fail");
            self.turn(start + 25, "mains back");
        }
        start + 30
    }

    fn orders(&mut self, start: u64) -> u64 {
        if self.random.chance(0.2) {
            self.at(start, Event::Kill);
            self.turn(start + 5, "mains fail");
            self.turn(start + 80, "mains back");
            return start + 100;
        }
        if self.random.chance(0.15) {
            self.at(start, Event::Order("beeper.toggle".into(), None, 16));
            return start + 40;
        }
        for late in 0..self.between(1, 3) {
            let name = self.one(&ORDERS);
            let again = self.between(0, 6);
            self.at(start + 3 * late + again, Event::Order(name.into(), None, 1));
        }
        self.at(start + 45, Event::Order("load.on".into(), None, 1));
        start + 60
    }

    fn blink(&mut self, start: u64) -> u64 {
        let end = start + self.one(&[1, 3, 8, 30]);
        if self.life.link == Link::Serial || self.random.chance(0.3) {
            self.at(start, Event::Out);
            self.at(end + 1, Event::In);
        } else {
            self.at(start, Event::Gone);
            self.at(end + 1, Event::Back);
        }
        if self.random.chance(0.5) {
            let order = self.one(&ORDERS);
            let when = self.between(start, end);
            self.at(when, Event::Order(order.into(), None, 1));
        }
        if self.random.chance(0.4) {
            self.turn(start, "mains fail");
            self.turn(end + 30, "mains back");
        }
        end + 40
    }

    fn swap(&mut self, start: u64) -> u64 {
        let (gone, back) =
            if self.life.link == Link::Serial { (Event::Out, Event::In) } else { (Event::Gone, Event::Back) };
        let away = self.one(&[4, 15]);
        let away = if gone == Event::Out { away.max(3 * 10 + 5) } else { away };
        self.at(start, gone);
        let knobs = ["model OTHER-2", "rated 12", "latency 30"].map(String::from).to_vec();
        self.at(start + 1, Event::Swap(knobs));
        if self.random.chance(0.4) {
            let order = self.one(&ORDERS);
            self.at(start + 2, Event::Order(order.into(), None, 1));
        }
        self.at(start + 2 + away, back);
        start + away + 90
    }

    fn restart(&mut self, start: u64) -> u64 {
        self.at(start, Event::Restart);
        start + 40
    }

    fn reload(&mut self, start: u64) -> u64 {
        let (name, value) = self.one(&[
            ("pollinterval", "1"),
            ("pollinterval", "5"),
            ("pollfreq", "20"),
            ("pollinterval", "2"),
        ]);
        self.at(start, Event::Reload(name.into(), value.into()));
        start + 20
    }
}
