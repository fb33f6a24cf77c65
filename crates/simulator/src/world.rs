//! The world of a simulated UPS: mains, load, a battery that discharges and charges, timers.

use std::time::Duration;

/// Physics is computed in steps of at most this.
const STEP: f64 = 1.0;
/// The battery counts as low below this charge, and no more above the second one.
const LOW: (f64, f64) = (0.20, 0.25);

/// What is printed on the unit.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitRating {
    /// Volt-amperes.
    pub power: f64,
    /// Volts.
    pub mains_volts: f64,
    /// Hertz.
    pub mains_hertz: f64,
    /// Amperes.
    pub mains_amperes: f64,
    /// Volts of the whole battery.
    pub battery_volts: f64,
    /// Seconds that a full battery carries the full load.
    pub full_load_seconds: f64,
    /// Seconds to charge an empty battery.
    pub charge_seconds: f64,
}

impl Default for UnitRating {
    fn default() -> UnitRating {
        UnitRating {
            power: 1000.0,
            mains_volts: 230.0,
            mains_hertz: 50.0,
            mains_amperes: 3.0,
            battery_volts: 24.0,
            full_load_seconds: 300.0,
            charge_seconds: 4.0 * 3600.0,
        }
    }
}

/// Whether the load is powered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Output {
    /// It is.
    On,
    /// It is not, and stays so until it is switched on.
    Off,
    /// It is not, until mains is there and so many seconds have passed.
    Returns(f64),
}

/// A battery test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Test {
    /// For so many seconds.
    For(f64),
    /// Until the battery is low.
    UntilLow,
}

/// What happens in a shutdown that was ordered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Countdown {
    /// Seconds until the load is switched off.
    pub seconds: f64,
    /// What follows.
    pub then: Output,
}

/// What an order to the UPS is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UnitOrder {
    /// Switch the beeper on or off.
    ToggleBeeper,
    /// Switch the beeper on (true) or off.
    Beeper(bool),
    /// Let mains go straight to the load, or no more.
    Bypass(bool),
    /// Switch the load off, now.
    Off,
    /// Stop a shutdown that is pending; else switch the load on.
    OnOrStop,
    /// Switch the load off after so many seconds; return after so many seconds with mains.
    Return(f64, f64),
    /// Switch the load off after so many seconds and stay off.
    StayOff(f64),
    /// Test the battery.
    Test(Test),
    /// Stop the test.
    StopTest,
}

/// The world.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// What is printed on the unit.
    pub rating: UnitRating,
    /// Volts of the mains now; 0 in an outage.
    pub mains_volts: f64,
    /// Hertz of the mains now.
    pub mains_hertz: f64,
    /// Load in percent.
    pub load_percent: f64,
    /// Charge of the battery, 0 to 1.
    pub charge: f64,
    /// Degrees Celsius.
    pub temperature: f64,
    /// Whether the beeper is on.
    pub beeper: bool,
    /// Whether the last self test failed.
    pub fault: bool,
    /// Whether the load is powered.
    pub output: Output,
    /// Whether mains goes straight to the load.
    pub bypass: bool,
    /// The test that runs.
    pub test: Option<Test>,
    /// The shutdown that is pending.
    pub countdown: Option<Countdown>,
    /// Volts of the mains when it last failed.
    pub fault_volts: f64,
    low: bool,
    now: f64,
}

impl Default for World {
    fn default() -> World {
        World {
            rating: UnitRating::default(),
            mains_volts: 230.0,
            mains_hertz: 50.0,
            load_percent: 20.0,
            charge: 1.0,
            temperature: 25.0,
            beeper: true,
            fault: false,
            output: Output::On,
            bypass: false,
            test: None,
            countdown: None,
            fault_volts: 230.0,
            low: false,
            now: 0.0,
        }
    }
}

impl World {
    /// Lets time pass until `to`, counted from the beginning of the world.
    pub fn advance(&mut self, to: Duration) {
        while self.now < to.as_secs_f64() {
            let step = (to.as_secs_f64() - self.now).min(STEP).min(self.next_event());
            self.now += step;
            self.step(step);
        }
    }

    /// Whether mains is good enough to be used, perhaps raised or lowered.
    pub fn mains_good(&self) -> bool {
        let ratio = self.mains_volts / self.rating.mains_volts;
        (0.75..1.2).contains(&ratio) && (self.mains_hertz - self.rating.mains_hertz).abs() < 5.0
    }

    /// Whether the battery carries the load.
    pub fn on_battery(&self) -> bool {
        self.powered() && (!self.mains_good() || self.test.is_some())
    }

    /// Whether the load is powered.
    pub fn powered(&self) -> bool {
        self.output == Output::On
    }

    /// Whether the battery is low.
    pub fn battery_low(&self) -> bool {
        self.low
    }

    /// Whether there is anything left to answer with.
    pub fn alive(&self) -> bool {
        self.mains_good() || self.charge > 0.0
    }

    /// Volts of the output.
    pub fn output_volts(&self) -> f64 {
        match self.mains_volts / self.rating.mains_volts {
            _ if !self.powered() => 0.0,
            _ if self.on_battery() => self.rating.mains_volts,
            _ if self.bypass => self.mains_volts,
            ratio if ratio < 0.9 => self.mains_volts * 1.15,
            ratio if ratio > 1.1 => self.mains_volts * 0.87,
            _ => self.mains_volts,
        }
    }

    /// Whether the voltage is raised or lowered.
    pub fn regulating(&self) -> bool {
        self.powered() && !self.on_battery() && (self.output_volts() - self.mains_volts).abs() > 1.0
    }

    /// Seconds that the battery would carry the load.
    pub fn runtime(&self) -> f64 {
        self.charge * self.rating.full_load_seconds * 100.0 / self.load_percent.max(2.0)
    }

    /// Whether mains goes straight to the load now.
    pub fn bypassed(&self) -> bool {
        self.bypass && self.powered() && !self.on_battery()
    }

    /// Volts of the battery: those of lead-acid cells at rest, the drop under load, the knee at the end,
    /// and on mains what the charger adds.
    pub fn battery_volts(&self) -> f64 {
        let cells = self.rating.battery_volts / 2.0;
        let used = 1.0 - self.charge;
        let rested = 2.14 - 0.14 * used;
        let cell = if self.on_battery() {
            rested - 0.45 * self.load_percent / 100.0 - 0.15 * used.powi(6)
        } else if self.mains_good() {
            rested + 0.13
        } else {
            rested
        };
        cells * cell
    }

    /// Obeys an order.
    pub fn obey(&mut self, order: UnitOrder) {
        match order {
            UnitOrder::ToggleBeeper => self.beeper = !self.beeper,
            UnitOrder::Beeper(on) => self.beeper = on,
            UnitOrder::Bypass(on) => self.bypass = on,
            UnitOrder::Off => {
                self.output = Output::Off;
                self.countdown = None;
            }
            UnitOrder::OnOrStop if self.countdown.is_some() => self.countdown = None,
            UnitOrder::OnOrStop => self.output = Output::On,
            UnitOrder::Return(off, on) => {
                self.countdown = Some(Countdown { seconds: off, then: Output::Returns(on) });
            }
            UnitOrder::StayOff(off) => self.countdown = Some(Countdown { seconds: off, then: Output::Off }),
            UnitOrder::Test(test) if self.mains_good() && self.powered() => self.test = Some(test),
            UnitOrder::Test(_) => {}
            UnitOrder::StopTest => self.test = None,
        }
    }

    /// Seconds until a timer ends, so that a step never passes over it.
    fn next_event(&self) -> f64 {
        let countdown = self.countdown.map(|countdown| countdown.seconds);
        let test = match self.test {
            Some(Test::For(seconds)) => Some(seconds),
            _ => None,
        };
        let returns = match self.output {
            Output::Returns(seconds) if self.mains_good() => Some(seconds),
            _ => None,
        };
        let next = countdown.into_iter().chain(test).chain(returns).fold(f64::INFINITY, f64::min);
        next.max(0.001)
    }

    fn step(&mut self, seconds: f64) {
        self.flow(seconds);
        self.low = self.charge < if self.low { LOW.1 } else { LOW.0 };
        let good = self.mains_good();
        match (&mut self.countdown, self.output) {
            (Some(countdown), _) => {
                countdown.seconds -= seconds;
                if countdown.seconds <= 1e-9 {
                    self.output = countdown.then;
                    self.countdown = None;
                    self.test = None;
                }
            }
            (None, Output::Returns(left)) if good => {
                self.output = if left <= seconds { Output::On } else { Output::Returns(left - seconds) };
            }
            (None, _) => {}
        }
        self.test = match self.test {
            _ if !self.mains_good() || !self.powered() => None,
            Some(Test::For(left)) if left <= seconds + 1e-9 => None,
            Some(Test::For(left)) => Some(Test::For(left - seconds)),
            Some(Test::UntilLow) if self.low => None,
            test => test,
        };
    }

    /// Charge into or out of the battery.
    fn flow(&mut self, seconds: f64) {
        if self.on_battery() {
            let load = (self.load_percent / 100.0).max(0.02);
            self.charge = (self.charge - seconds * load / self.rating.full_load_seconds).max(0.0);
            if self.charge == 0.0 {
                // it comes back with mains, as most small units do
                self.output = Output::Returns(0.0);
            }
        } else if self.mains_good() {
            self.charge = (self.charge + seconds / self.rating.charge_seconds).min(1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn an_outage_empties_the_battery_and_mains_fills_it() {
        let mut world = World { load_percent: 50.0, mains_volts: 0.0, ..World::default() };
        world.advance(seconds(300));
        assert!((world.charge - 0.5).abs() < 0.01 && !world.battery_low());
        world.advance(seconds(500));
        assert!(world.battery_low() && world.powered());
        world.advance(seconds(601));
        assert!(!world.powered() && !world.alive());
        world.mains_volts = 230.0;
        world.advance(seconds(603));
        assert!(world.powered() && world.alive());
        world.advance(seconds(603 + 4 * 3600));
        assert!(world.charge > 0.99 && !world.battery_low());
    }

    #[test]
    fn a_shutdown_returns_with_mains_only() {
        let mut world = World { mains_volts: 0.0, ..World::default() };
        world.obey(UnitOrder::Return(30.0, 60.0));
        world.advance(seconds(29));
        assert!(world.powered());
        world.advance(seconds(31));
        assert!(!world.powered());
        world.advance(seconds(200));
        assert!(!world.powered());
        world.mains_volts = 230.0;
        world.advance(seconds(259));
        assert!(!world.powered());
        world.advance(seconds(262));
        assert!(world.powered());
    }

    #[test]
    fn staying_off_and_stopping() {
        let mut world = World::default();
        world.obey(UnitOrder::StayOff(30.0));
        world.advance(seconds(10));
        world.obey(UnitOrder::OnOrStop);
        world.advance(seconds(100));
        assert!(world.powered());
        world.obey(UnitOrder::StayOff(30.0));
        world.advance(seconds(1000));
        assert!(!world.powered());
        world.obey(UnitOrder::OnOrStop);
        assert!(world.powered());
    }

    #[test]
    fn tests_end() {
        let mut world = World::default();
        world.obey(UnitOrder::Test(Test::For(10.0)));
        world.advance(seconds(9));
        assert!(world.on_battery());
        world.advance(seconds(11));
        assert!(!world.on_battery() && world.charge < 1.0);
        world.obey(UnitOrder::Test(Test::UntilLow));
        world.advance(seconds(1500));
        assert!(world.test.is_none() && world.charge < 0.25);
    }

    #[test]
    fn the_size_of_steps_does_not_matter() {
        let run = |step: u64| {
            let mut world = World { mains_volts: 0.0, load_percent: 40.0, ..World::default() };
            world.obey(UnitOrder::Return(45.0, 60.0));
            let mut at = 0;
            while at < 60_000 {
                at += step;
                world.advance(Duration::from_millis(at));
                world.mains_volts = if at > 50_000 { 230.0 } else { 0.0 };
            }
            (world.charge, world.output)
        };
        let (fine, coarse) = (run(50), run(5_000));
        assert!((fine.0 - coarse.0).abs() < 0.001, "{fine:?} {coarse:?}");
    }
}
