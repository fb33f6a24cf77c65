//! The history of one UPS: what a client asks of it, what the server finds there, and the answer. The file is read elsewhere,
//! beside the thread that answers: a disk that is slow delays such an answer and no other.

mod civil;
mod json;
mod thin;

pub(crate) use civil::{clock, day, stamp};
pub use thin::{gap_behind, thinned};

use crate::answer::{PageSource, Whole};
use crate::escape::decoded;
use crate::page;
use crate::request::parameter;
use std::time::Duration;

/// The variables of which a history has series: NUT's name, what it is called in a plot, its unit, its decimals.
pub const VARIABLES: [(&str, &str, &str, u8); 10] = [
    ("input.voltage", "Input", "V", 1),
    ("output.voltage", "Output", "V", 1),
    ("ups.load", "Load", "%", 1),
    ("battery.charge", "Charge", "%", 1),
    ("battery.voltage", "Battery", "V", 2),
    ("ups.temperature", "Temperature", "°C", 1),
    ("battery.runtime", "Runtime", "s", 0),
    ("ups.realpower", "Power", "W", 0),
    ("input.frequency", "Input", "Hz", 2),
    ("output.frequency", "Output", "Hz", 2),
];

/// So many points a series has at least, and at most; and where nothing is said.
const POINTS: std::ops::RangeInclusive<u32> = 50..=2000;
const USUAL_POINTS: u32 = 500;
/// So many outages are told at most, the latest.
const OUTAGES: u32 = 500;
/// And on the page of the battery, where each is looked at closely.
const CLOSE_OUTAGES: u32 = 40;
/// No time is later than this, in seconds since 1970: the year 9999.
const LATEST_S: i64 = 253_402_300_799;

/// What is asked of the history of one UPS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PastQuestion {
    /// Its name.
    pub ups: String,
    /// Of which variables series are wanted.
    pub variables: Vec<&'static str>,
    /// Where they begin: seconds since 1970, or less than 0 for so many seconds before now. 0 is the first that there is.
    pub from_s: i64,
    /// Where they end, the same; now where it is left out.
    pub to_s: Option<i64>,
    /// In about so many points.
    pub points: u32,
    /// So many outages, the latest; with [`from_s`](Self::from_s) where series are asked for as well.
    pub outages: u32,
    /// Of each outage the charge before it is wanted.
    pub charge_before: bool,
    /// The energy is wanted.
    pub energy: bool,
}

impl PastQuestion {
    /// From when to when, in seconds since 1970. It may end before it begins.
    pub fn range(&self, now_s: i64) -> (i64, i64) {
        let at = |time: i64| if time < 0 { now_s.saturating_add(time).max(0) } else { time };
        (at(self.from_s), self.to_s.map_or(now_s, at))
    }
}

/// What a history has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// The time of the answer, in seconds since 1970.
    pub now_s: i64,
    /// The range of the series, in seconds since 1970.
    pub from_s: i64,
    /// See `from_s`.
    pub to_s: i64,
    /// When the first of the series that were asked for begins, also where that is before the range; 0 where there is none.
    pub begin_s: i64,
    /// Those that have a point in the range; what the UPS says before what was computed.
    pub series: Vec<PastSeries>,
    /// The latest last.
    pub outages: Vec<PastOutage>,
    /// At most two: by the power that the UPS says, and by what was computed.
    pub energy: Vec<PastEnergy>,
}

/// One variable over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PastSeries {
    /// NUT's name.
    pub variable: &'static str,
    /// The UPS says it; else it was computed or estimated by the server.
    pub is_said: bool,
    /// In order, none over the next.
    pub points: Vec<PastPoint>,
}

/// What was read in a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PastPoint {
    /// When the span begins, in seconds since 1970.
    pub at_s: i64,
    /// How long it is, in seconds.
    pub span_s: i64,
    /// The lowest value, in the variable's unit.
    pub lowest: f64,
    /// The mean.
    pub mean: f64,
    /// The highest.
    pub highest: f64,
    /// How many samples there are of it.
    pub samples: u32,
}

/// A number, and whose word it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SourcedNumber {
    /// The number.
    pub value: f64,
    /// The UPS says it; else it was computed or estimated by the server.
    pub is_said: bool,
}

/// An outage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PastOutage {
    /// When it was seen first, in milliseconds since 1970.
    pub begin_ms: i64,
    /// When mains was seen again, or the outage was seen last where its end was not; none while it lasts.
    pub end_ms: Option<i64>,
    /// How long it was, or is so far.
    pub length: Duration,
    /// The UPS was on mains right before.
    pub begin_seen: bool,
    /// It was seen all the time, and so was its end.
    pub all_seen: bool,
    /// The UPS said that it tests itself.
    pub is_test: bool,
    /// The UPS said that its battery is low.
    pub battery_low: bool,
    /// The charge right before it, in percent, in the word of `lowest_charge`; where it was asked for and is known.
    pub charge_before: Option<f64>,
    /// The lowest charge in percent.
    pub lowest_charge: Option<SourcedNumber>,
    /// The lowest volts of the battery.
    pub lowest_voltage: Option<SourcedNumber>,
    /// The mean load in percent.
    pub mean_load: Option<SourcedNumber>,
    /// What the load took, in watt-hours.
    pub energy_wh: Option<SourcedNumber>,
}

/// The energy that the load took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PastEnergy {
    /// By the power that the UPS says; else by what was computed.
    pub is_said: bool,
    /// Watt-hours since it is counted.
    pub wh: f64,
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
    /// Of the last 24 hours.
    pub day: SpanEnergy,
    /// Of the last 30 days.
    pub month: SpanEnergy,
}

/// Energy of a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SpanEnergy {
    /// Watt-hours.
    pub wh: f64,
    /// So many seconds of it the power was known; nothing is counted for the others.
    pub seen_s: i64,
}

/// Why there is no answer of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PastTrouble {
    /// None is kept.
    Off,
    /// Too many wait for it.
    Busy,
    /// The disk took too long.
    Late,
    /// The file cannot be read, and why.
    Broken(String),
    /// The range ends before it begins: from when to when, in seconds since 1970.
    Backwards(i64, i64),
}

impl PastTrouble {
    /// The status of the answer.
    fn status(&self) -> u16 {
        match self {
            PastTrouble::Off => 404,
            PastTrouble::Backwards(..) => 400,
            PastTrouble::Busy | PastTrouble::Late | PastTrouble::Broken(_) => 503,
        }
    }

    /// What to say of it.
    pub(crate) fn sentence(&self) -> String {
        match self {
            PastTrouble::Off => {
                "No history is kept: write enabled = true below [history] in qxups.toml, and run 'qxups reload'.".into()
            }
            PastTrouble::Busy => "As many clients wait for the history as this server lets; try again later.".into(),
            PastTrouble::Late => {
                "The disk of the history did not answer in time; try again, or look at the system log of the server.".into()
            }
            PastTrouble::Broken(why) => format!("The history cannot be read: {why}."),
            PastTrouble::Backwards(from_s, to_s) => format!(
                "The range ends before it begins: from {} to {} (UTC). Give a 'from' that is before 'to', or before now where \
                 'to' is left out.",
                clock(*from_s),
                clock(*to_s)
            ),
        }
    }
}

/// How far back a page of plots goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlotSpan {
    Hour,
    Day,
    Week,
    Month,
    Year,
    All,
}

impl PlotSpan {
    pub const ALL: [PlotSpan; 6] =
        [PlotSpan::Hour, PlotSpan::Day, PlotSpan::Week, PlotSpan::Month, PlotSpan::Year, PlotSpan::All];

    /// As an address has it, and as it is read.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            PlotSpan::Hour => ("1h", "1 hour"),
            PlotSpan::Day => ("24h", "24 hours"),
            PlotSpan::Week => ("7d", "7 days"),
            PlotSpan::Month => ("30d", "30 days"),
            PlotSpan::Year => ("1y", "1 year"),
            PlotSpan::All => ("all", "All"),
        }
    }

    /// As [`PastQuestion::from_s`].
    fn begin_s(self) -> i64 {
        match self {
            PlotSpan::Hour => -3600,
            PlotSpan::Day => -86_400,
            PlotSpan::Week => -7 * 86_400,
            PlotSpan::Month => -30 * 86_400,
            PlotSpan::Year => -366 * 86_400,
            PlotSpan::All => 0,
        }
    }
}

/// What an answer is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PastForm {
    Series,
    Outages,
    Energy,
    PlotsPage(PlotSpan),
    OutagesPage,
    BatteryPage,
}

impl PastForm {
    fn is_api(self) -> bool {
        matches!(self, PastForm::Series | PastForm::Outages | PastForm::Energy)
    }
}

/// A request that the history is needed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastAsk {
    form: PastForm,
    /// What is asked of it.
    pub question: PastQuestion,
}

/// An address below that of a UPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PastRoute {
    pub ups: String,
    pub is_api: bool,
    /// What is asked, or what is wrong with it.
    pub ask: Result<PastAsk, String>,
}

/// What lies at such a path; none where it is another.
pub(crate) fn route(path: &str, query: Option<&str>) -> Option<PastRoute> {
    let (rest, is_api) = match (path.strip_prefix("/ups/"), path.strip_prefix("/api/v1/ups/")) {
        (Some(rest), _) => (rest, false),
        (None, Some(rest)) => (rest, true),
        (None, None) => return None,
    };
    let (name, what) = rest.split_once('/')?;
    let ups = decoded(name, false).filter(|name| !name.is_empty())?;
    let base = PastQuestion { ups: ups.clone(), ..PastQuestion::default() };
    let ask = match (is_api, what) {
        (true, "history") => series(query, base).map(|question| (PastForm::Series, question)),
        (true, "outages") => Ok((PastForm::Outages, PastQuestion { outages: OUTAGES, ..base })),
        (true, "energy") => Ok((PastForm::Energy, PastQuestion { energy: true, ..base })),
        (false, "history") => {
            let span = span(query);
            let question = PastQuestion {
                variables: page::plotted().collect(),
                from_s: span.begin_s(),
                points: page::SVG_POINTS,
                outages: OUTAGES,
                energy: true,
                ..base
            };
            Ok((PastForm::PlotsPage(span), question))
        }
        (false, "outages") => Ok((PastForm::OutagesPage, PastQuestion { outages: OUTAGES, ..base })),
        (false, "battery") => {
            let question = PastQuestion { outages: CLOSE_OUTAGES, charge_before: true, ..base };
            Ok((PastForm::BatteryPage, question))
        }
        _ => return None,
    };
    Some(PastRoute { ups, is_api, ask: ask.map(|(form, question)| PastAsk { form, question }) })
}

fn span(query: Option<&str>) -> PlotSpan {
    let asked = parameter(query, "range");
    let known = PlotSpan::ALL.into_iter().find(|span| Some(span.words().0) == asked.as_deref());
    known.unwrap_or(PlotSpan::Day)
}

/// Reads the parameters of a series.
fn series(query: Option<&str>, base: PastQuestion) -> Result<PastQuestion, String> {
    let Some(variable) = parameter(query, "variable") else {
        return Err("Name a variable: history?variable=input.voltage.".into());
    };
    let Some((variable, ..)) = VARIABLES.into_iter().find(|(known, ..)| *known == variable) else {
        let names: Vec<&str> = VARIABLES.iter().map(|(known, ..)| *known).collect();
        return Err(format!("No history is kept of this variable; there are {}.", names.join(", ")));
    };
    let number = |name: &str, usual: i64, least: i64, most: i64| match given(query, name) {
        None => Ok(usual),
        Some(text) => text.parse().ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| {
            format!("The parameter '{name}' is a whole number from {least} to {most}: write {name}={usual}.")
        }),
    };
    let (least, most) = (i64::from(*POINTS.start()), i64::from(*POINTS.end()));
    let points = number("points", USUAL_POINTS.into(), least, most)?;
    let from_s = number("from", -86_400, -LATEST_S, LATEST_S)?;
    let to_s = given(query, "to").map(|_| number("to", -3600, -LATEST_S, LATEST_S)).transpose()?;
    let points = u32::try_from(points).unwrap_or(USUAL_POINTS);
    Ok(PastQuestion { variables: vec![variable], from_s, to_s, points, ..base })
}

/// A parameter, also an empty one.
fn given(query: Option<&str>, name: &str) -> Option<String> {
    query?.split('&').find_map(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(key, true).as_deref() == Some(name)).then(|| decoded(value, true).unwrap_or_default())
    })
}

/// Answers with what the history has, or why it has nothing.
pub fn past_answer(ask: &PastAsk, site: &dyn PageSource, found: Result<Past, PastTrouble>) -> Whole {
    let name = &ask.question.ups;
    let fleet = site.one(name);
    let Some(ups) = fleet.find(name) else { return crate::answer::unknown(name, ask.form.is_api()) };
    let past = match found {
        Ok(past) => past,
        Err(trouble) if ask.form.is_api() => {
            return Whole::json(trouble.status(), crate::json::error(&trouble.sentence()));
        }
        // a page that says so is there all the same
        Err(PastTrouble::Off) => {
            return Whole::html(200, page::without_history(ups, &PastTrouble::Off.sentence()));
        }
        Err(trouble) => {
            return Whole::html(trouble.status(), page::without_history(ups, &trouble.sentence()));
        }
    };
    match ask.form {
        PastForm::Series => Whole::json(200, json::series(ups, &ask.question, &past)),
        PastForm::Outages => Whole::json(200, json::outages(ups, &past)),
        PastForm::Energy => Whole::json(200, json::energy(ups, &past)),
        PastForm::PlotsPage(span) => Whole::html(200, page::plots(ups, span, &past)),
        PastForm::OutagesPage => Whole::html(200, page::outages(ups, &past)),
        PastForm::BatteryPage => Whole::html(200, page::battery(ups, &past)),
    }
}

/// Of a variable: what it is called in a plot, its unit, its decimals.
pub(crate) fn known(variable: &str) -> (&'static str, &'static str, u8) {
    let found = VARIABLES.into_iter().find(|(name, ..)| *name == variable);
    found.map_or(("", "", 1), |(_, label, unit, decimals)| (label, unit, decimals))
}

/// A number with so many decimals, without zeros at its end.
pub(crate) fn rounded(value: f64, decimals: u8) -> String {
    let scale = 10_f64.powi(decimals.into());
    crate::number::plain((value * scale).round() / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(path: &str, query: &str) -> Result<PastQuestion, String> {
        route(path, Some(query)).unwrap().ask.map(|ask| ask.question)
    }

    #[test]
    fn parameters_are_bounded() {
        let at = |query: &str| ask("/api/v1/ups/rack/history", query);
        let usual = at("variable=ups.load").unwrap();
        assert_eq!((usual.from_s, usual.to_s, usual.points), (-86_400, None, 500));
        assert_eq!(usual.range(100_000), (13_600, 100_000));
        let all = at("variable=ups%2Eload&from=10&to=-5&points=2000").unwrap();
        assert_eq!((all.range(100), all.points), ((10, 95), 2000));
        for wrong in [
            "",
            "variable=",
            "variable=ups.mfr",
            "variable=UPS.LOAD",
            "variable=ups.load&points=49",
            "variable=ups.load&points=2001",
            "variable=ups.load&points=",
            "variable=ups.load&points=1e2",
            "variable=ups.load&from=a",
            "variable=ups.load&from=253402300800",
            "variable=ups.load&to=%ff",
            "variable=ups.load&to=99999999999999999999999",
        ] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn views_lie_below_their_ups() {
        let name = |path: &str| route(path, None).map(|route| route.ups);
        assert_eq!(name("/ups/%3Cscript%3E/history"), Some("<script>".into()));
        assert_eq!(name("/api/v1/ups/a%2Fb/outages"), Some("a/b".into()));
        for nothing in
            ["/ups/a", "/ups//history", "/ups/a/energy", "/api/v1/ups/a/battery", "/ups/a/history/x"]
        {
            assert_eq!(name(nothing), None, "{nothing}");
        }
        assert_eq!(ask("/ups/a/history", "range=30d").unwrap().from_s, -30 * 86_400);
        assert_eq!(ask("/ups/a/history", "range=<b>").unwrap().from_s, -86_400);
    }
}
