//! Points taken together, so that a plot has no more than it can show; and where there are none.

use super::PastPoint;

/// What is not there for no longer than this is no gap, in seconds: a look at the UPS every 10 s may come late.
const LATE_S: i64 = 20;
/// The steps between points, in seconds, that people read easily.
const STEPS: [i64; 17] =
    [10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

/// The step by which a range in seconds has no more than so many points.
fn step_of((from_s, to_s): (i64, i64), most: u32) -> i64 {
    let range = to_s.saturating_sub(from_s).max(0);
    let most = i64::from(most.max(1));
    let wanted = range / most + i64::from(range % most > 0);
    STEPS.into_iter().find(|step| *step >= wanted).unwrap_or(wanted)
}

/// Takes points of a range together, to about so many. Each new one has the lowest and highest of its own, and their mean by
/// their samples. The points are in order; none of the new ones lies over the next.
pub fn thinned(points: &[PastPoint], range: (i64, i64), most: u32) -> Vec<PastPoint> {
    let step = step_of(range, most);
    let mut thin: Vec<PastPoint> = vec![];
    for point in points {
        // one that is coarser already stays as it is
        let whole = match point.span_s <= step {
            true => PastPoint { at_s: point.at_s - point.at_s.rem_euclid(step), span_s: step, ..*point },
            false => *point,
        };
        match thin.last_mut() {
            Some(last) if last.at_s == whole.at_s && last.span_s == whole.span_s => merge(last, &whole),
            Some(last) => {
                let room = whole.at_s.saturating_sub(last.at_s);
                if room <= 0 {
                    continue;
                }
                last.span_s = last.span_s.min(room);
                thin.push(whole);
            }
            None => thin.push(whole),
        }
    }
    thin
}

#[allow(clippy::cast_precision_loss)]
fn merge(into: &mut PastPoint, more: &PastPoint) {
    let (before, added) = (f64::from(into.samples), f64::from(more.samples));
    if before + added > 0.0 {
        into.mean = (into.mean * before + more.mean * added) / (before + added);
    }
    into.lowest = into.lowest.min(more.lowest);
    into.highest = into.highest.max(more.highest);
    into.samples = into.samples.saturating_add(more.samples);
}

/// How long nothing was read behind a point, in seconds; none where the next follows at once.
pub fn gap_behind(point: &PastPoint, next: &PastPoint) -> Option<i64> {
    let gap = next.at_s.saturating_sub(point.at_s.saturating_add(point.span_s));
    (gap > LATE_S).then_some(gap)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at_s: i64, span_s: i64, value: f64, samples: u32) -> PastPoint {
        PastPoint { at_s, span_s, lowest: value - 1.0, mean: value, highest: value + 1.0, samples }
    }

    #[test]
    fn what_is_taken_together_keeps_extremes_and_mean() {
        let points: Vec<PastPoint> =
            (0..360).map(|at| point(at * 10, 10, if at == 77 { 500.0 } else { 100.0 }, 1)).collect();
        let thin = thinned(&points, (0, 3600), 60);
        assert_eq!(thin.len(), 60);
        let peak = thin[12];
        assert_eq!(
            (peak.at_s, peak.span_s, peak.lowest, peak.highest, peak.samples),
            (720, 60, 99.0, 501.0, 6)
        );
        assert!((peak.mean - (500.0 + 5.0 * 100.0) / 6.0).abs() < 1e-9);
        let all: u32 = thin.iter().map(|point| point.samples).sum();
        assert_eq!(all, 360);
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let there = |at: &i64| !(100..130).contains(at);
        let points: Vec<PastPoint> = (0..360).filter(there).map(|at| point(at * 10, 10, 1.0, 1)).collect();
        let gaps = |points: &[PastPoint]| -> Vec<(i64, i64)> {
            let pairs = points.windows(2);
            pairs
                .filter_map(|pair| Some((pair[0].at_s + pair[0].span_s, gap_behind(&pair[0], &pair[1])?)))
                .collect()
        };
        assert_eq!(gaps(&points), [(1000, 300)]);
        // by its whole steps
        assert_eq!(gaps(&thinned(&points, (0, 3600), 60)), [(1020, 240)]);
        // a look that came late is none
        let late = [point(0, 10, 1.0, 1), point(20, 10, 1.0, 1), point(50, 10, 1.0, 1)];
        assert_eq!(gaps(&late), []);
    }

    #[test]
    fn what_is_coarse_already_stays_and_lies_over_nothing() {
        let points = [
            point(0, 3600, 1.0, 360),
            point(3600, 3600, 2.0, 360),
            point(5400, 60, 3.0, 6),
            point(5460, 60, 4.0, 6),
        ];
        let thin = thinned(&points, (0, 6000), 100);
        let spans: Vec<_> = thin.iter().map(|point| (point.at_s, point.span_s)).collect();
        assert_eq!(spans, [(0, 3600), (3600, 1800), (5400, 60), (5460, 60)]);
    }

    #[test]
    fn no_range_makes_more_points_than_wanted() {
        for range in [1, 59, 3600, 86_400, 31_622_400, 10_000_000_000, i64::MAX] {
            let step = step_of((0, range), 50);
            assert!(step >= 10 && range / step <= 50, "{range} {step}");
        }
        assert_eq!(step_of((100, 0), 50), 10);
        assert_eq!(thinned(&[], (0, 100), 50), []);
    }
}
