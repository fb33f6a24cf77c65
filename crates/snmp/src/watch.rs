//! What is seen of a UPS over time: rows of the alarm table, outages, tests; and what managers are to be sent of it.
//!
//! RFC 1628 allows no notification to one receiver more often than every five seconds: what goes to and fro within that is
//! sent as it is in the end.

use crate::alarms::{
    self, COMMUNICATIONS_LOST, Conditions, INPUT_BAD, ON_BATTERY, OUTPUT_OFF, TEST_FAILED, TEST_IN_PROGRESS,
};
use crate::oid::Oid;
use crate::self_test::{self, TestSummary};
use std::collections::BTreeMap;
use std::time::Duration;

/// The same notification is not sent again sooner.
const APART: Duration = Duration::from_secs(5);
/// While a UPS is on battery, that is sent so often.
const REMINDED: Duration = Duration::from_secs(60);
/// An agent waits so long for the first data before it calls communication lost.
const FIRST_DATA: Duration = Duration::from_secs(15);

/// What is so at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look<'l> {
    /// Whether there is data. Without it the rest does not count.
    pub is_fresh: bool,
    /// The words of `ups.status`, with FSD where a client forces a shutdown.
    pub words: &'l str,
    /// `ups.alarm`; empty for none.
    pub alarm: &'l str,
    /// How the last test ended, in the driver's words; empty where it says nothing of it.
    pub test: &'l str,
}

/// A row of the alarm table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AlarmRow {
    /// Its index.
    pub id: u32,
    /// The condition, by its number.
    pub alarm: u8,
    /// When it was seen; 0 where it was so from the beginning.
    pub since: Duration,
}

/// The test that runs, or the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TestSeen {
    /// Which, by its number below upsWellKnownTests.
    pub which: u32,
    pub summary: TestSummary,
    pub began: Duration,
    /// How long it took; none while it runs.
    pub took: Option<Duration>,
}

/// What managers are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The agent began.
    ColdStart,
    /// `upsTrapOnBattery`.
    OnBattery,
    /// `upsTrapTestCompleted`.
    TestCompleted,
    /// `upsTrapAlarmEntryAdded`, with index and name of the alarm.
    AlarmAdded(u32, Oid),
    /// `upsTrapAlarmEntryRemoved`, the same.
    AlarmRemoved(u32, Oid),
}

/// Notices of one kind have to be apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum NoticeKind {
    OnBattery,
    TestCompleted,
    Added(u8),
    Removed(u8),
}

/// What was seen of one UPS.
#[derive(Debug, Default)]
pub struct UpsWatch {
    is_fresh: bool,
    had_data: bool,
    /// What the words of the status say.
    by_words: Conditions,
    /// What alarms and tests say.
    by_texts: Conditions,
    on_battery_since: Option<Duration>,
    bads: u32,
    /// Rows of conditions, hidden while there is no data.
    rows: Vec<AlarmRow>,
    lost: Option<AlarmRow>,
    last_id: u32,
    test: TestSeen,
    /// What the UPS's own word on its last test is.
    said: TestSummary,
    test_ended: bool,
    /// The outage was sent at least once since it began.
    outage_sent: bool,
    cold_start_sent: bool,
    /// Rows of which managers were sent that they are there.
    told: Vec<AlarmRow>,
    sent: BTreeMap<NoticeKind, Duration>,
}

impl UpsWatch {
    /// One of which nothing was seen.
    pub fn new() -> UpsWatch {
        UpsWatch {
            test: TestSeen { which: self_test::NO_TEST, ..TestSeen::default() },
            ..UpsWatch::default()
        }
    }

    /// The UPS was looked at.
    pub fn look(&mut self, look: Look<'_>, now: Duration) {
        if look.is_fresh {
            self.by_texts = Conditions::of_alarm(look.alarm);
            self.said = self_test::summary(look.test);
            if self.said == TestSummary::Failed {
                self.by_texts.add(TEST_FAILED);
            }
            self.see(look.words, now);
        } else {
            self.lose(now);
        }
    }

    /// A status came: its words, with FSD where a client forces a shutdown.
    pub fn hear(&mut self, words: &str, now: Duration) {
        if self.had_data {
            self.see(words, now);
        }
    }

    fn lose(&mut self, now: Duration) {
        self.is_fresh = false;
        // what happens meanwhile is not seen
        self.on_battery_since = None;
        if self.test.summary == TestSummary::InProgress {
            self.test = TestSeen { which: self_test::NO_TEST, ..TestSeen::default() };
        }
        if self.lost.is_none() && (self.had_data || now >= FIRST_DATA) {
            self.lost = Some(self.new_row(COMMUNICATIONS_LOST, now));
        }
    }

    fn see(&mut self, words: &str, now: Duration) {
        self.test_goes(self_test::running(words), now);
        self.by_words = Conditions::of_words(words);
        let mut all = self.by_words.or(self.by_texts);
        if self.test.summary == TestSummary::InProgress {
            all.add(TEST_IN_PROGRESS);
        }
        self.lost = None;
        self.is_fresh = true;
        let was_bad = self.rows.iter().any(|row| row.alarm == INPUT_BAD);
        if all.has(INPUT_BAD) && !was_bad {
            self.bads = self.bads.wrapping_add(1);
        }
        self.on_battery_since = all.has(ON_BATTERY).then(|| self.on_battery_since.unwrap_or(now));
        self.outage_sent &= all.has(ON_BATTERY);
        self.rows.retain(|row| all.has(row.alarm));
        for alarm in all.numbers() {
            if self.rows.iter().all(|row| row.alarm != alarm) {
                // what was so from the beginning has no moment
                let since = if self.had_data { now } else { Duration::ZERO };
                let row = self.new_row(alarm, since);
                self.rows.push(row);
            }
        }
        self.had_data = true;
    }

    /// A test runs, by the status or by the word on its outcome, or none does.
    fn test_goes(&mut self, by_words: Option<u32>, now: Duration) {
        let by_text = (self.said == TestSummary::InProgress).then_some(self_test::GENERAL_TEST);
        let did_run = self.test.summary == TestSummary::InProgress;
        match by_words.or(by_text) {
            Some(_) if did_run => {}
            Some(which) => {
                self.test = TestSeen { which, summary: TestSummary::InProgress, began: now, took: None };
            }
            None if did_run => {
                self.test.summary = self.said;
                self.test.took = Some(now.saturating_sub(self.test.began));
                self.test_ended = true;
            }
            // the outcome may be said later, or be that of a test before the agent
            None => {
                self.test.summary = self.said;
                self.test.took = self.test.took.or(Some(Duration::ZERO));
            }
        }
    }

    fn new_row(&mut self, alarm: u8, since: Duration) -> AlarmRow {
        let in_use = |id: u32| self.rows.iter().chain(&self.lost).any(|row| row.id == id);
        let following = |id: u32| if id >= i32::MAX.unsigned_abs() { 1 } else { id + 1 };
        let mut id = following(self.last_id);
        while in_use(id) {
            id = following(id);
        }
        self.last_id = id;
        AlarmRow { id, alarm, since }
    }

    /// The alarm table. What is not known to be so still is not in it.
    pub(crate) fn alarms(&self) -> impl Iterator<Item = &AlarmRow> {
        let rows = if self.is_fresh { self.rows.as_slice() } else { &[] };
        rows.iter().chain(&self.lost)
    }

    pub(crate) fn on_battery_since(&self) -> Option<Duration> {
        self.on_battery_since
    }

    pub(crate) fn input_bads(&self) -> u32 {
        self.bads
    }

    pub(crate) fn test(&self) -> TestSeen {
        self.test
    }

    /// What is to be sent now; it counts as sent.
    pub fn take_due(&mut self, now: Duration) -> Vec<Notice> {
        let mut due = vec![];
        if !self.cold_start_sent {
            self.cold_start_sent = true;
            due.push(Notice::ColdStart);
        }
        self.sent.retain(|kind, at| {
            now.saturating_sub(*at) < if *kind == NoticeKind::OnBattery { REMINDED } else { APART }
        });
        self.outage(now, &mut due);
        self.rows_told(now, &mut due);
        if self.test_ended && self.may_send(NoticeKind::TestCompleted, now) {
            self.test_ended = false;
            due.push(Notice::TestCompleted);
        }
        due
    }

    fn outage(&mut self, now: Duration, due: &mut Vec<Notice>) {
        if !self.is_fresh || self.on_battery_since.is_none() {
            return;
        }
        let last = self.sent.get(&NoticeKind::OnBattery).map(|at| now.saturating_sub(*at));
        let is_due = match last {
            None => !self.outage_sent || !self.by_words.has(OUTPUT_OFF),
            Some(ago) => !self.outage_sent && ago >= APART,
        };
        if is_due {
            self.sent.insert(NoticeKind::OnBattery, now);
            self.outage_sent = true;
            due.push(Notice::OnBattery);
        }
    }

    /// Rows that came or went since managers were sent of them. What is hidden is neither.
    fn rows_told(&mut self, now: Duration, due: &mut Vec<Notice>) {
        let mut told = std::mem::take(&mut self.told);
        told.retain(|row| {
            let is_there = self.rows.iter().chain(&self.lost).any(|known| known.id == row.id);
            let is_silent = row.alarm == TEST_IN_PROGRESS;
            let stays = is_there || !is_silent && !self.may_send(NoticeKind::Removed(row.alarm), now);
            if !stays && !is_silent {
                due.push(Notice::AlarmRemoved(row.id, alarms::name(row.alarm)));
            }
            stays
        });
        let there: Vec<AlarmRow> = self.alarms().copied().collect();
        for row in there {
            // a row of the same condition that is gone is sent as gone first
            if told.iter().any(|known| known.alarm == row.alarm) {
                continue;
            }
            let is_silent = matches!(row.alarm, ON_BATTERY | TEST_IN_PROGRESS);
            if is_silent || self.may_send(NoticeKind::Added(row.alarm), now) {
                told.push(row);
                if !is_silent {
                    due.push(Notice::AlarmAdded(row.id, alarms::name(row.alarm)));
                }
            }
        }
        self.told = told;
    }

    /// Whether a notice may be sent; then it counts as sent.
    fn may_send(&mut self, kind: NoticeKind, now: Duration) -> bool {
        let is_free = self.sent.get(&kind).is_none_or(|at| now.saturating_sub(*at) >= APART);
        if is_free {
            self.sent.insert(kind, now);
        }
        is_free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn fresh(words: &str) -> Look<'_> {
        Look { is_fresh: true, words, ..Look::default() }
    }

    fn seen(watch: &mut UpsWatch, words: &str, at: u32) -> Vec<String> {
        watch.look(fresh(words), S * at);
        due(watch, at)
    }

    fn due(watch: &mut UpsWatch, at: u32) -> Vec<String> {
        let shown = |notice| match notice {
            Notice::ColdStart => "cold".into(),
            Notice::OnBattery => "battery".into(),
            Notice::TestCompleted => "test".into(),
            Notice::AlarmAdded(id, name) => format!("+{id}:{}", name.parts()[10]),
            Notice::AlarmRemoved(id, name) => format!("-{id}:{}", name.parts()[10]),
        };
        watch.take_due(S * at).into_iter().map(shown).collect()
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn an_outage_is_sent_at_once_and_each_minute_and_its_end() {
        let mut watch = UpsWatch::new();
        assert_eq!(seen(&mut watch, "OL", 1), ["cold"]);
        // on battery has no entry of its own that is sent; the input has (RFC 1628, upsTrapAlarmEntryAdded)
        assert_eq!(seen(&mut watch, "OB", 10), ["battery", "+2:6"]);
        assert_eq!(seen(&mut watch, "OB", 69), NONE);
        assert_eq!(seen(&mut watch, "OB LB", 70), ["battery", "+3:3"]);
        assert_eq!(seen(&mut watch, "OB LB", 129), NONE);
        assert_eq!(due(&mut watch, 130), ["battery"]);
        assert_eq!(watch.on_battery_since(), Some(S * 10));
        // off, it is not repeated (upsTrapOnBattery)
        assert_eq!(seen(&mut watch, "OB LB OFF", 190), ["+4:14"]);
        assert_eq!(seen(&mut watch, "OL", 200), ["-1:2", "-2:6", "-3:3", "-4:14"]);
        assert_eq!((watch.on_battery_since(), watch.input_bads()), (None, 1));
    }

    #[test]
    fn no_notification_is_sent_twice_within_five_seconds_and_the_last_state_is_sent() {
        let mut watch = UpsWatch::new();
        seen(&mut watch, "OL", 0);
        assert_eq!(seen(&mut watch, "OB", 10), ["battery", "+2:6"]);
        assert_eq!(seen(&mut watch, "OL", 11), ["-1:2", "-2:6"]);
        assert_eq!(seen(&mut watch, "OB", 12), NONE);
        assert_eq!(seen(&mut watch, "OL", 13), NONE);
        assert_eq!(seen(&mut watch, "OB", 14), NONE);
        assert_eq!(due(&mut watch, 15), ["battery", "+6:6"]);
        assert_eq!(seen(&mut watch, "OL", 16), ["-3:2", "-6:6"]);
        assert_eq!(watch.input_bads(), 3);
    }

    #[test]
    fn lost_data_hides_alarms_and_neither_ends_nor_begins_one() {
        let mut watch = UpsWatch::new();
        watch.look(Look::default(), S);
        assert_eq!((due(&mut watch, 1), watch.alarms().count()), (vec!["cold".to_string()], 0));
        assert_eq!(seen(&mut watch, "OL RB", 2), ["+1:1"]);
        assert_eq!(watch.alarms().next().unwrap().since, Duration::ZERO);
        watch.look(Look::default(), S * 20);
        assert_eq!(due(&mut watch, 20), ["+2:20"]);
        assert_eq!(watch.alarms().map(|row| row.alarm).collect::<Vec<_>>(), [20]);
        assert_eq!(seen(&mut watch, "OL RB", 30), ["-2:20"]);
        assert_eq!(watch.alarms().map(|row| row.id).collect::<Vec<_>>(), [1]);
        // and where data never came
        let mut watch = UpsWatch::new();
        watch.look(Look::default(), S * 14);
        assert_eq!(due(&mut watch, 14), ["cold"]);
        watch.look(Look::default(), S * 15);
        assert_eq!(due(&mut watch, 15), ["+1:20"]);
    }

    #[test]
    fn on_battery_counts_from_when_it_is_seen_again() {
        let mut watch = UpsWatch::new();
        seen(&mut watch, "OB", 1);
        watch.look(Look::default(), S * 30);
        assert_eq!(watch.on_battery_since(), None);
        due(&mut watch, 30);
        assert_eq!(due(&mut watch, 120), NONE);
        assert_eq!(seen(&mut watch, "OB", 130), ["battery", "-3:20"]);
        assert_eq!(watch.on_battery_since(), Some(S * 130));
    }

    #[test]
    fn a_test_is_sent_when_it_ends_with_what_the_ups_says_of_it() {
        let mut watch = UpsWatch::new();
        seen(&mut watch, "OL", 0);
        assert_eq!((watch.test().which, watch.test().summary), (1, TestSummary::None));
        assert_eq!(seen(&mut watch, "OB CAL", 10), ["battery"]);
        assert_eq!((watch.test().which, watch.test().summary), (5, TestSummary::InProgress));
        let look = Look { test: "Done and passed", ..fresh("OL") };
        watch.look(look, S * 20);
        assert_eq!(due(&mut watch, 20), ["-1:2", "test"]);
        let expected = TestSeen { which: 5, summary: TestSummary::Passed, began: S * 10, took: Some(S * 10) };
        assert_eq!(watch.test(), expected);
        // one that is lost from sight did not end
        watch.look(fresh("OL TEST"), S * 30);
        watch.look(Look::default(), S * 40);
        watch.look(fresh("OL"), S * 50);
        assert!(!due(&mut watch, 50).contains(&"test".to_string()));
        // a failed one is an alarm, whatever the status says
        watch.look(Look { test: "failed", ..fresh("OL") }, S * 60);
        assert_eq!(due(&mut watch, 60), ["+5:19"]);
    }

    #[test]
    fn a_status_that_is_heard_between_two_looks_is_sent() {
        let mut watch = UpsWatch::new();
        watch.hear("OB", S);
        assert_eq!(watch.alarms().count(), 0);
        seen(&mut watch, "OL", 2);
        watch.hear("OB", S * 3);
        assert_eq!(due(&mut watch, 3), ["battery", "+2:6"]);
    }

    #[test]
    fn indexes_and_counts_wrap_and_an_index_in_use_is_passed_over() {
        let mut watch = UpsWatch { last_id: i32::MAX.unsigned_abs() - 1, bads: u32::MAX, ..UpsWatch::new() };
        watch.look(fresh("OL RB"), S);
        watch.look(fresh("OL RB OVER"), S);
        let ids = |watch: &UpsWatch| watch.alarms().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(ids(&watch), [2_147_483_647, 1]);
        watch.last_id = i32::MAX.unsigned_abs();
        watch.look(fresh("OB RB OVER"), S);
        assert_eq!((ids(&watch), watch.input_bads()), (vec![2_147_483_647, 1, 2, 3], 0));
    }
}
