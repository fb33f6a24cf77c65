//! A life: everything that happens to a driver and its UPS, as a recipe that is written and read, line by line.
//!
//! ```text
//! driver nutdrv_qx          (or blazer_ser, blazer_usb)
//! dialect voltronic         (of the UPS)
//! named                     (protocol = ... in ups.conf; left out, the dialect is found)
//! link serial               (or tcp, usb)
//! option pollinterval=5
//! knob odd silent ask:QWS on:battery
//! at 60s mains fail         (any knob, as in a script)
//! at 70s order load.off     (with a parameter, if any, and x16 for so many in a row)
//! at 80s kill | restart | out | in | gone | back | swap KNOB; KNOB | reload pollinterval=2
//! at 90s want battery.charge >= 50   (or has, lacks, =, <=; also of: stale, ready, powered, answer, heard:LINE)
//! until 300s
//! ```

use qx::options::Options;
use qx::options::quirk;
use qx::protocols;
use qx::vocabulary::flag::Flag;
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use simulator::script::time_of;
use std::fmt;
use std::time::Duration;

/// How bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Serial,
    Tcp,
    /// A converter that is read empty after each silence.
    Usb,
}

impl Link {
    pub const ALL: [(&'static str, Link); 3] =
        [("serial", Link::Serial), ("tcp", Link::Tcp), ("usb", Link::Usb)];
}

/// What happens at its moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A knob of the unit, or of the world.
    Turn(String),
    /// A client orders something, so many times in a row.
    Order(String, Option<String>, u32),
    /// `driver.killpower`.
    Kill,
    /// The driver is started anew.
    Restart,
    /// Another unit is plugged in, with these knobs turned.
    Swap(Vec<String>),
    /// Nothing passes any more, and nobody is told,
    Out,
    /// until it does again.
    In,
    /// The link is known to be lost,
    Gone,
    /// until it is open again.
    Back,
    /// An option is changed, and the driver told to reload.
    Reload(String, String),
    /// Something has to be so then.
    Want(String),
}

/// A life.
#[derive(Clone, Debug, PartialEq)]
pub struct Life {
    pub seed: u64,
    pub driver: String,
    pub dialect: String,
    pub named: bool,
    pub link: Link,
    pub options: Vec<(String, String)>,
    pub knobs: Vec<String>,
    pub events: Vec<(Moment, Event)>,
    pub until: Moment,
}

/// The three names, and the dialects each knows.
pub const DRIVERS: [(&str, &[&Protocol]); 3] =
    [("nutdrv_qx", protocols::ALL), ("blazer_ser", protocols::BLAZER), ("blazer_usb", protocols::BLAZER)];

fn moment(text: &str) -> Moment {
    Moment::after_start(time_of(text).expect("a time"))
}

impl Life {
    /// A life of that dialect in which nothing happens.
    pub fn plain(dialect: &str) -> Life {
        Life {
            seed: 1,
            driver: "nutdrv_qx".into(),
            dialect: dialect.into(),
            named: true,
            link: Link::Serial,
            options: vec![],
            knobs: vec![],
            events: vec![],
            until: Moment::after_start(Duration::from_secs(300)),
        }
    }

    /// Reads a recipe.
    pub fn parse(text: &str) -> Life {
        let mut life = Life { named: false, ..Life::plain("megatec") };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "seed" => life.seed = rest.parse().expect("a number"),
                "driver" => life.driver = rest.into(),
                "dialect" => life.dialect = rest.into(),
                "named" => life.named = true,
                "link" => {
                    life.link = Link::ALL.into_iter().find(|(name, _)| *name == rest).expect("a link").1;
                }
                "option" => life.options.push(pair(rest)),
                "knob" => life.knobs.push(rest.into()),
                "at" => {
                    let (time, event) = rest.split_once(' ').expect("a time and an event");
                    life.events.push((moment(time), Event::parse(event)));
                }
                "until" => life.until = moment(rest),
                _ => panic!("'{line}' is no line of a life"),
            }
        }
        life.events.sort_by_key(|(at, _)| *at);
        life
    }

    /// Whether the driver is run to switch the load off, as by `-k`.
    pub fn is_for_killing(&self) -> bool {
        let soon = Moment::after_start(Duration::from_secs(5));
        self.events.iter().any(|(at, event)| *event == Event::Kill && *at < soon)
    }

    /// The dialects that the driver knows.
    pub fn dialects(&self) -> &'static [&'static Protocol] {
        DRIVERS.iter().find(|(name, _)| *name == self.driver).expect("a driver").1
    }

    /// The dialect of the unit, as this driver has it.
    pub fn protocol(&self) -> &'static Protocol {
        let dialects = self.dialects();
        dialects.iter().find(|protocol| protocol.name == self.dialect).expect("a dialect")
    }

    /// What the driver is told.
    pub fn options(&self) -> Options {
        let mut options = Options {
            dialects: self.dialects(),
            protocol: self.named.then(|| self.dialect.clone()),
            ..Options::default()
        };
        self.options.iter().for_each(|(name, value)| set_option(&mut options, name, value));
        options
    }
}

/// Sets one of the options that lives have.
pub fn set_option(options: &mut Options, name: &str, value: &str) {
    let number = || value.parse::<f64>().expect("a number");
    match name {
        "pollinterval" => options.pollinterval = Duration::from_secs_f64(number()),
        "pollfreq" => options.pollfreq = Duration::from_secs_f64(number()),
        "lowbatt_charge" => options.low_charge_percent = Some(number()),
        "lowbatt_runtime" => options.low_runtime_s = Some(number()),
        "lowbatt_voltage" => options.low_volts = Some(number()),
        "ignorelb" => options.ignorelb = value == "yes",
        "offdelay" => options.offdelay = Some(value.into()),
        "noquirks" => options.quirks.off.push(quirk::named(value).expect("a quirk").name),
        "flag" => options.flags = options.flags.with(Flag::named(value).expect("a flag")),
        "stayoff" => options.stayoff = value == "yes",
        _ => panic!("lives have no option {name}"),
    }
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').expect("name=value");
    (name.into(), value.into())
}

impl Event {
    fn parse(text: &str) -> Event {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match word {
            "order" => {
                let mut words: Vec<&str> = rest.split(' ').collect();
                let times = words.last().and_then(|last| last.strip_prefix('x')?.parse().ok());
                if times.is_some() {
                    words.pop();
                }
                Event::Order(words[0].into(), words.get(1).map(|text| (*text).into()), times.unwrap_or(1))
            }
            "kill" => Event::Kill,
            "restart" => Event::Restart,
            "swap" => {
                Event::Swap(rest.split("; ").filter(|knob| !knob.is_empty()).map(String::from).collect())
            }
            "out" => Event::Out,
            "in" => Event::In,
            "want" => Event::Want(rest.into()),
            "gone" => Event::Gone,
            "back" => Event::Back,
            "reload" => {
                let (name, value) = pair(rest);
                Event::Reload(name, value)
            }
            _ => Event::Turn(text.into()),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Turn(knob) => f.write_str(knob),
            Event::Order(name, parameter, times) => {
                write!(f, "order {name}")?;
                parameter.iter().try_for_each(|text| write!(f, " {text}"))?;
                if *times > 1 { write!(f, " x{times}") } else { Ok(()) }
            }
            Event::Kill => f.write_str("kill"),
            Event::Restart => f.write_str("restart"),
            Event::Swap(knobs) => write!(f, "swap {}", knobs.join("; ")),
            Event::Out => f.write_str("out"),
            Event::In => f.write_str("in"),
            Event::Gone => f.write_str("gone"),
            Event::Back => f.write_str("back"),
            Event::Want(what) => write!(f, "want {what}"),
            Event::Reload(name, value) => write!(f, "reload {name}={value}"),
        }
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.driver != "nutdrv_qx" {
            writeln!(f, "driver {}", self.driver)?;
        }
        writeln!(f, "dialect {}", self.dialect)?;
        if self.named {
            writeln!(f, "named")?;
        }
        if let Some((name, _)) =
            Link::ALL.into_iter().find(|(_, link)| *link == self.link && *link != Link::Serial)
        {
            writeln!(f, "link {name}")?;
        }
        if self.seed != 1 {
            writeln!(f, "seed {}", self.seed)?;
        }
        self.options.iter().try_for_each(|(name, value)| writeln!(f, "option {name}={value}"))?;
        self.knobs.iter().try_for_each(|knob| writeln!(f, "knob {knob}"))?;
        for (at, event) in &self.events {
            let ms = at.since_start().as_millis();
            match ms % 1000 {
                0 => writeln!(f, "at {}s {event}", ms / 1000)?,
                _ => writeln!(f, "at {ms}ms {event}")?,
            }
        }
        writeln!(f, "until {}s", self.until.since_start().as_secs())
    }
}
