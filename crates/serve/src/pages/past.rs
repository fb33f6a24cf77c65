//! Reads the history for pages: on a thread of its own, one question after the other. A disk that hangs holds it up, and who
//! asked for the history; nothing else waits.

use crate::chronicle::wall_ms;
use history::{
    EnergyCounter, HistoryReader, HistoryTrouble, Outage, OutageRecord, Provenance, Quantity, SeriesKey,
    SeriesPoint,
};
use std::cell::RefCell;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;
use web::{
    Past, PastEnergy, PastOutage, PastPoint, PastQuestion, PastSeries, PastTrouble, SourcedNumber,
    SpanEnergy, thinned,
};

/// So many questions wait.
const QUEUE: usize = 32;
/// An answer is waited for no longer.
const WITHIN: Duration = Duration::from_secs(10);
/// A sample stands for so many seconds.
const SAMPLE_S: i64 = 10;
const DAY_S: i64 = 86_400;
const MONTH_S: i64 = 30 * DAY_S;
/// The charge before an outage was read no longer before it, in seconds.
const BEFORE_S: i64 = 7200;

/// The thread, once there was a question.
#[derive(Debug, Default)]
pub(super) struct PastReader {
    sender: RefCell<Option<SyncSender<Box<QueuedQuestion>>>>,
}

/// A question that waits.
#[derive(Debug)]
struct QueuedQuestion {
    path: PathBuf,
    question: PastQuestion,
    answer: oneshot::Sender<Result<Past, PastTrouble>>,
}

impl PastReader {
    /// Asks the file at a path. It never blocks; what is not answered in time is late.
    pub fn ask(
        &self,
        path: PathBuf,
        question: PastQuestion,
    ) -> impl Future<Output = Result<Past, PastTrouble>> + 'static {
        let (answer, answered) = oneshot::channel();
        let sent = self.send(Box::new(QueuedQuestion { path, question, answer }));
        async move {
            sent?;
            match timeout(WITHIN, answered).await {
                Ok(Ok(found)) => found,
                // the thread has ended
                Ok(Err(_)) => Err(PastTrouble::Busy),
                Err(_) => Err(PastTrouble::Late),
            }
        }
    }

    fn send(&self, asked: Box<QueuedQuestion>) -> Result<(), PastTrouble> {
        let mut sender = self.sender.borrow_mut();
        if sender.is_none() {
            let (to, questions) = sync_channel(QUEUE);
            let builder = std::thread::Builder::new().name("history-reader".into()).stack_size(256 * 1024);
            builder.spawn(move || answer_all(&questions)).map_err(|_| PastTrouble::Busy)?;
            *sender = Some(to);
        }
        match sender.as_ref().map(|sender| sender.try_send(asked)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => Err(PastTrouble::Busy),
            Some(Err(TrySendError::Disconnected(_))) | None => {
                // the next question starts another
                *sender = None;
                Err(PastTrouble::Busy)
            }
        }
    }
}

/// Answers until the server needs no answers any more.
fn answer_all(questions: &Receiver<Box<QueuedQuestion>>) {
    while let Ok(first) = questions.recv() {
        let mut next = Some(first);
        while let Some(asked) = next {
            let QueuedQuestion { path, question, answer } = *asked;
            // who has left, or waited too long, needs none
            if !answer.is_closed() {
                let _ = answer.send(read_range(&path, &question, wall_ms().div_euclid(1000)));
            }
            next = questions.try_recv().ok();
        }
        driver::resident::give_back_heap();
    }
}

/// Reads what is asked, where its range is one.
fn read_range(path: &Path, question: &PastQuestion, now_s: i64) -> Result<Past, PastTrouble> {
    let (from_s, to_s) = question.range(now_s);
    if !question.variables.is_empty() && from_s > to_s {
        return Err(PastTrouble::Backwards(from_s, to_s));
    }
    read(path, question, now_s).map_err(|why| PastTrouble::Broken(why.to_string()))
}

/// Reads what is asked.
fn read(path: &Path, question: &PastQuestion, now_s: i64) -> Result<Past, HistoryTrouble> {
    let reader = HistoryReader::open(path)?;
    let (from_s, to_s) = question.range(now_s);
    let mut past = Past { now_s, from_s, to_s, ..Past::default() };
    if !question.variables.is_empty() && from_s < to_s {
        let mut begins = vec![];
        for key in keys(question) {
            begins.extend(reader.begin(&question.ups, key)?.map(|begin_s| (key, begin_s)));
        }
        past.begin_s = begins.iter().map(|(_, begin_s)| *begin_s).min().unwrap_or(0);
        if from_s == 0 {
            past.from_s = past.begin_s.min(to_s);
        }
        // as fine as what there is of the range allows
        let range = (from_s.max(past.begin_s), to_s);
        for (key, begin_s) in begins.into_iter().filter(|(_, begin_s)| *begin_s < to_s) {
            past.series.extend(series(&reader, &question.ups, (key, begin_s), range, question.points)?);
        }
    }
    if question.outages > 0 {
        let since_ms = if question.variables.is_empty() { i64::MIN } else { from_s.saturating_mul(1000) };
        for record in reader.outages(Some(&question.ups), since_ms, question.outages)? {
            let before = if question.charge_before { charge_before(&reader, &record)? } else { None };
            past.outages.push(outage(&record.outage, before));
        }
    }
    if question.energy {
        for counter in reader.energy(&question.ups)? {
            past.energy.push(energy(&reader, &question.ups, counter, now_s)?);
        }
    }
    Ok(past)
}

/// The series that may be there: what the UPS says, then what was computed.
fn keys(question: &PastQuestion) -> impl Iterator<Item = SeriesKey> {
    let quantities = question.variables.iter().filter_map(|variable| Quantity::named(variable));
    quantities.flat_map(|quantity| [SeriesKey::said(quantity), SeriesKey::computed(quantity)])
}

/// A series that begins then.
fn series(
    reader: &HistoryReader,
    ups: &str,
    (key, begin_s): (SeriesKey, i64),
    (from_s, to_s): (i64, i64),
    points: u32,
) -> Result<Option<PastSeries>, HistoryTrouble> {
    let range = (from_s.saturating_mul(1000), to_s.saturating_mul(1000));
    let found: Vec<PastPoint> = reader.series(ups, key, range, points)?.iter().map(point).collect();
    let mut points = thinned(&found, (from_s, to_s), points);
    // its first point stands for no time in which nothing was read yet
    if let Some(first) = points.first_mut().filter(|first| first.at_s < begin_s) {
        first.span_s = (first.at_s + first.span_s - begin_s).max(SAMPLE_S);
        first.at_s = begin_s;
    }
    let is_said = key.provenance == Provenance::Said;
    Ok((!points.is_empty()).then(|| PastSeries { variable: key.quantity.variable(), is_said, points }))
}

fn point(point: &SeriesPoint) -> PastPoint {
    PastPoint {
        at_s: point.at_ms.div_euclid(1000),
        span_s: point.step_s,
        lowest: point.min,
        mean: point.mean,
        highest: point.max,
        samples: point.count,
    }
}

fn sourced((value, provenance): (f64, Provenance)) -> SourcedNumber {
    SourcedNumber { value, is_said: provenance == Provenance::Said }
}

fn outage(outage: &Outage, charge_before: Option<f64>) -> PastOutage {
    PastOutage {
        begin_ms: outage.begin_ms,
        end_ms: outage.end_ms,
        length: outage.length,
        begin_seen: outage.begin_seen,
        all_seen: outage.end_seen,
        is_test: outage.test,
        battery_low: outage.low_battery,
        charge_before,
        lowest_charge: outage.lowest_charge.map(sourced),
        lowest_voltage: outage.lowest_voltage.map(sourced),
        mean_load: outage.mean_load.map(sourced),
        energy_wh: outage.energy_wh.map(sourced),
    }
}

/// Puts the latest outage, which the server knows as of now, in the place of what the file has of it.
pub(super) fn bring_up_to_now(past: &mut Past, latest: &Outage, most: u32) {
    let latest = outage(latest, None);
    if let Some(known) = past.outages.iter_mut().find(|known| known.begin_ms == latest.begin_ms) {
        *known = PastOutage { charge_before: known.charge_before, ..latest };
    } else if latest.end_ms.is_none() && most > 0 {
        // its first batch is not written yet
        past.outages.push(latest);
        let more = past.outages.len().saturating_sub(usize::try_from(most).unwrap_or(usize::MAX));
        past.outages.drain(..more);
    }
}

/// The charge that was read last before an outage, in the word of its lowest charge.
fn charge_before(reader: &HistoryReader, record: &OutageRecord) -> Result<Option<f64>, HistoryTrouble> {
    let Some((_, provenance)) = record.outage.lowest_charge else { return Ok(None) };
    let key = SeriesKey { quantity: Quantity::Charge, provenance };
    let begin_ms = record.outage.begin_ms;
    let range = (begin_ms.saturating_sub(BEFORE_S * 1000), begin_ms);
    let points = u32::try_from(BEFORE_S / SAMPLE_S).unwrap_or(u32::MAX);
    let found = reader.series(&record.ups, key, range, points)?;
    // in a coarse point the outage itself may lie: before it the charge was at its highest
    Ok(found.iter().rfind(|point| point.at_ms < begin_ms).map(|point| point.max))
}

fn energy(
    reader: &HistoryReader,
    ups: &str,
    counter: EnergyCounter,
    now_s: i64,
) -> Result<PastEnergy, HistoryTrouble> {
    let key = SeriesKey { quantity: Quantity::RealPower, provenance: counter.provenance };
    let span = |length_s: i64, step_s: i64| -> Result<SpanEnergy, HistoryTrouble> {
        let (from_s, points) = (now_s - length_s, u32::try_from(length_s / step_s).unwrap_or(1));
        let found = reader.series(ups, key, (from_s * 1000, now_s * 1000), points)?;
        Ok(sum(found.iter().filter(|point| point.at_ms >= from_s * 1000)))
    };
    Ok(PastEnergy {
        is_said: counter.provenance == Provenance::Said,
        wh: counter.wh,
        since_ms: counter.since_ms,
        day: span(DAY_S, 60)?,
        month: span(MONTH_S, 3600)?,
    })
}

/// Power over the time that its samples stand for.
#[allow(clippy::cast_precision_loss)]
fn sum<'p>(points: impl Iterator<Item = &'p SeriesPoint>) -> SpanEnergy {
    let mut all = SpanEnergy::default();
    for point in points {
        let seen_s = (i64::from(point.count) * SAMPLE_S).min(point.step_s);
        all.wh += point.mean * seen_s as f64 / 3600.0;
        all.seen_s += seen_s;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_history_have_the_same_variables() {
        let known = Quantity::ALL.map(|quantity| (quantity.variable(), quantity.unit(), quantity.decimals()));
        let shown = web::VARIABLES.map(|(name, _, unit, decimals)| (name, unit, decimals));
        assert_eq!(known, shown);
    }

    #[test]
    fn an_outage_is_told_as_of_now() {
        let at = |begin_ms, seconds, end_ms| Outage {
            begin_ms,
            end_ms,
            length: Duration::from_secs(seconds),
            ..Outage::default()
        };
        let of_file = || Past {
            outages: vec![outage(&at(1, 5, Some(2)), None), outage(&at(3, 60, None), Some(90.0))],
            ..Past::default()
        };
        let told = |latest: &Outage, most| {
            let mut past = of_file();
            bring_up_to_now(&mut past, latest, most);
            let all = past.outages.iter();
            all.map(|o| (o.begin_ms, o.length.as_secs(), o.end_ms, o.charge_before)).collect::<Vec<_>>()
        };
        let first = (1, 5, Some(2), None);
        assert_eq!(told(&at(3, 75, None), 9), [first, (3, 75, None, Some(90.0))]);
        // it is over, and the file does not know yet
        assert_eq!(told(&at(3, 80, Some(83)), 9), [first, (3, 80, Some(83), Some(90.0))]);
        // it has just begun
        assert_eq!(told(&at(7, 1, None), 2), [(3, 60, None, Some(90.0)), (7, 1, None, None)]);
        assert_eq!(told(&at(7, 1, None), 0).len(), 2);
    }

    /// 360 W for an hour of which half was seen are 180 Wh.
    #[test]
    fn time_without_data_takes_no_energy() {
        let point = SeriesPoint { at_ms: 0, step_s: 3600, min: 300.0, mean: 360.0, max: 400.0, count: 180 };
        assert_eq!(sum([point].iter()), SpanEnergy { wh: 180.0, seen_s: 1800 });
        let twice = SeriesPoint { count: 720, ..point };
        assert_eq!(sum([twice].iter()), SpanEnergy { wh: 360.0, seen_s: 3600 });
    }
}
