//! What one UPS says at one moment.

use std::time::Duration;

/// What one UPS says at one moment: its own word, never what this server shows to a stage.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PowerView {
    /// Which unit it is (serial number, or what else tells units apart). Another one is another UPS: what was known of
    /// the former, its time on battery and the orders to it, is void. `None` when it is not known.
    pub unit: Option<String>,
    /// Whether the data is fresh by the rules of its source.
    pub fresh: bool,
    /// When the status was read from the UPS, on the clock of [`crate::Machine::handle`].
    pub read_at: Duration,
    /// The words of its status.
    pub words: PowerWords,
    /// Whether the input has voltage, where the UPS measures it: what a self test cannot hide.
    pub input_alive: Option<bool>,
    /// Battery charge in percent.
    pub charge: Option<f64>,
    /// Runtime.
    pub runtime: Option<Duration>,
    /// How sure the runtime is, 0 to 1; 1 for what the UPS reports itself.
    pub runtime_confidence: f64,
    /// Temperature in degrees Celsius.
    pub temperature: Option<f64>,
    /// Whether it reports a fault of its own.
    pub failing: bool,
    /// Whether the UPS says that it will switch off: the proof that an order was taken. `None` where it cannot say.
    pub will_switch_off: Option<bool>,
}

/// The words of `ups.status` that protection looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PowerWords {
    /// `OL`.
    pub online: bool,
    /// `OB`.
    pub on_battery: bool,
    /// `LB`.
    pub low_battery: bool,
    /// `FSD` that this server did not raise itself.
    pub forced: bool,
    /// `CAL` or `TEST`.
    pub testing: bool,
    /// `OFF`.
    pub off: bool,
}

impl PowerWords {
    /// The words of a status as NUT spells it, such as `OB DISCHRG LB`. Other words mean nothing here.
    pub fn read(status: &str) -> PowerWords {
        let mut words = PowerWords::default();
        for word in status.split_ascii_whitespace() {
            match word {
                "OL" => words.online = true,
                "OB" => words.on_battery = true,
                "LB" => words.low_battery = true,
                "FSD" => words.forced = true,
                "CAL" | "TEST" => words.testing = true,
                "OFF" => words.off = true,
                _ => {}
            }
        }
        words
    }
}

/// Where the power of a UPS comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerOrigin {
    /// Mains.
    Mains,
    /// The battery.
    Battery,
    /// The UPS does not say, or says it of a self test.
    Unclear,
}

impl PowerView {
    /// Where its power comes from: `OB` wins over `OL`; `OB` in a self test is an outage only when the input is dead.
    pub fn origin(&self) -> PowerOrigin {
        let words = self.words;
        match (words.on_battery, words.online) {
            (true, _) if words.testing && self.input_alive != Some(false) => PowerOrigin::Unclear,
            (true, _) => PowerOrigin::Battery,
            (false, true) if !words.off => PowerOrigin::Mains,
            _ => PowerOrigin::Unclear,
        }
    }
}
