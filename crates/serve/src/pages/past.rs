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
                let found = read(&path, &question, wall_ms().div_euclid(1000));
                let _ = answer.send(found.map_err(|why| PastTrouble::Broken(why.to_string())));
            }
            next = questions.try_recv().ok();
        }
        driver::resident::give_back_heap();
    }
}

/// Reads what is asked.
fn read(path: &Path, question: &PastQuestion, now_s: i64) -> Result<Past, HistoryTrouble> {
    let reader = HistoryReader::open(path)?;
    let (mut from_s, to_s) = question.range(now_s);
    let mut past = Past { now_s, from_s, to_s, ..Past::default() };
    if !question.variables.is_empty() && from_s < to_s {
        if from_s == 0 {
            from_s = begin(&reader, question, to_s)?;
            past.from_s = from_s;
        }
        for key in keys(question) {
            past.series.extend(series(&reader, &question.ups, key, (from_s, to_s), question.points)?);
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

/// When the first of these series begins, in seconds since 1970; 0 where there is none.
fn begin(reader: &HistoryReader, question: &PastQuestion, to_s: i64) -> Result<i64, HistoryTrouble> {
    let mut first: Option<i64> = None;
    for key in keys(question) {
        let coarse = reader.series(&question.ups, key, (0, to_s.saturating_mul(1000)), 1)?;
        if let Some(point) = coarse.first() {
            let at_s = point.at_ms.div_euclid(1000);
            first = Some(first.map_or(at_s, |known| known.min(at_s)));
        }
    }
    Ok(first.unwrap_or(0))
}

fn series(
    reader: &HistoryReader,
    ups: &str,
    key: SeriesKey,
    (from_s, to_s): (i64, i64),
    points: u32,
) -> Result<Option<PastSeries>, HistoryTrouble> {
    let range = (from_s.saturating_mul(1000), to_s.saturating_mul(1000));
    let found: Vec<PastPoint> = reader.series(ups, key, range, points)?.iter().map(point).collect();
    let points = thinned(&found, (from_s, to_s), points);
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
        lowest_voltage: outage.lowest_voltage,
        mean_load: outage.mean_load,
        energy_wh: outage.energy_wh.map(sourced),
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

    /// 360 W for an hour of which half was seen are 180 Wh.
    #[test]
    fn time_without_data_takes_no_energy() {
        let point = SeriesPoint { at_ms: 0, step_s: 3600, min: 300.0, mean: 360.0, max: 400.0, count: 180 };
        assert_eq!(sum([point].iter()), SpanEnergy { wh: 180.0, seen_s: 1800 });
        let twice = SeriesPoint { count: 720, ..point };
        assert_eq!(sum([twice].iter()), SpanEnergy { wh: 360.0, seen_s: 3600 });
    }
}
