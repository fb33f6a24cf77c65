//! How long the device waits, how often it asks again, and why: every such number of polling and finding, in one
//! place. What concerns orders and who answers is in [`super::bounds`], which the tests read.

use std::time::Duration;

// --- one exchange ---

/// How long a question waits while nothing is known of the speed of this UPS.
pub(super) const FIRST_PATIENCE: Duration = Duration::from_millis(1100);
/// How long a poll waits.
pub(super) const POLL_PATIENCE: Duration = Duration::from_millis(1000);
/// Silence to a question is not known earlier, however fast the UPS is.
pub(super) const LEAST_PATIENCE: Duration = Duration::from_millis(250);
/// A question for mains that was not answered twice waits so long: the UPS may be slow on battery.
pub(super) const PATIENCE_IN_SILENCE: Duration = Duration::from_millis(2000);
/// A reply may be held up for so long.
pub(super) const HELD_UP: Duration = Duration::from_millis(400);
/// How long each further byte may take, as in NUT.
pub(super) const GAP: Duration = Duration::from_millis(1000);
/// The same where the UPS ends its replies by no carriage return, so that only time tells.
pub(super) const GAP_WITHOUT_END: Duration = Duration::from_millis(300);
/// Where no reply has gaps.
pub(super) const LEAST_GAP: Duration = Duration::from_millis(300);
/// No exchange takes so long: 512 bytes at 2400 baud are two seconds.
pub(super) const LONGEST_EXCHANGE: Duration = Duration::from_secs(30);
/// What is to come unasked comes within so much time more than was reckoned.
pub(super) const UNASKED: Duration = Duration::from_millis(100);
/// Where it is reckoned how long a round of questions takes, no reply takes longer: one that came later may have been lost
/// on the way.
pub(super) const SLOWEST: Duration = Duration::from_secs(3);
/// What is asked once is asked again so long after the last reply that came to another question.
pub(super) const WELL_AGAIN: Duration = Duration::from_secs(10);

// --- asking again ---

/// How often a question is repeated at once, when its reply was garbled, doubted or missing.
pub(super) const REPEATS: u8 = 3;
/// The same on a noisy line: of replies that are whole now and then, three have to agree.
pub(super) const NOISY_REPEATS: u8 = 9;
/// After so many replies of which nothing can be read, whatever they are, a question is not answered.
pub(super) const UNREADABLE: u8 = 12;
/// Readings are evidence for what comes until so many polls later. (The newest has to agree all the same.)
pub(super) const EVIDENCE_LASTS: u32 = 10;
/// A question for mains that was due and is not answered is asked again after this, however seldom it is
/// asked.
pub(super) const RETRY: Duration = Duration::from_secs(2);
/// One that was answered before, and is not any more, is asked so often.
pub(super) const ASKED_ON: Duration = Duration::from_secs(10);

// --- the rhythm of polls ---

/// The status is asked more often until so long after mains came back, or a status word changed.
pub(super) const LIVELY: Duration = Duration::from_secs(30);
/// A status that is asked less often than this does not keep the rest waiting.
pub(super) const SELDOM: Duration = Duration::from_secs(30);
/// A round of questions is under way until so long after a reply.
pub(super) const ROUND: Duration = Duration::from_millis(20);
/// What falls due so soon goes along with it, and not before a quarter of `pollinterval`.
pub(super) const ALONG: Duration = Duration::from_millis(500);
/// Not more often than this, unless that is configured.
pub(super) const QUICKEST: Duration = Duration::from_secs(1);
/// After a reload with a shorter interval the status is read within this.
pub(super) const RELOAD_ASKS: Duration = Duration::from_secs(3);
/// What was read since then was read in the same round of questions.
pub(super) const JUST_NOW: Duration = Duration::from_secs(2);
/// An estimate stands in for what the UPS said itself when it has not said it for so long.
pub(super) const STANDS_IN_AFTER: Duration = Duration::from_secs(60);

// --- finding and surveying ---

/// So often it is looked for a dialect when something answers; twice, when nothing does.
pub(super) const ROUNDS: u8 = 4;
/// And for so long: NUT tries each of its dialects three times, a second for each try.
pub(super) const LOOKS_FOR: Duration = Duration::from_secs(40);
/// After the first rounds there is no hurry.
pub(super) const BETWEEN_ROUNDS: Duration = Duration::from_secs(1);
/// The same where the dialect is named.
pub(super) const LOOKS_FOR_ONE: Duration = Duration::from_secs(8);
/// Detection is repeated when a stale UPS stays silent for so long: it may be another one.
pub(super) const DETECT_AGAIN: Duration = Duration::from_secs(60);
/// Who is heard through noise and was not understood for so long may speak another dialect.
pub(super) const LISTENS_ON: Duration = Duration::from_secs(600);
/// A UPS that was found and not read whole after so long is told to be stale. (`upsdrvctl` waits for 75 s.)
pub(super) const SURVEY_WAITS: Duration = Duration::from_secs(45);
/// After so long what tells the status is enough to begin with.
pub(super) const SURVEY_TAKES: Duration = Duration::from_secs(8);
/// After a first attempt that showed nothing, the next question of the search waits for so long behind a reply.
pub(super) const SIGN_REST: Duration = Duration::from_millis(1200);
/// Before the first data, what tells the status is asked not more often than this.
pub(super) const SURVEY_POLLS: Duration = Duration::from_secs(5);

// --- the battery ---

/// The first volts of a discharge dip and recover: nothing is guessed by them for so long.
pub(super) const VOLTS_SETTLE: Duration = Duration::from_secs(30);
/// After the load was taken over the voltage dips and recovers: no bound counts meanwhile.
pub(super) const LOW_AFTER: Duration = Duration::from_secs(10);
/// A value has to be below its bound for so many polls before the battery is low by it.
pub(super) const LOW_POLLS: u32 = 2;
/// A poll is taken for no longer than this there, however seldom the UPS is asked: it is asked again so soon.
pub(super) const LOW_ASKS_AGAIN: Duration = Duration::from_secs(2);
/// Time above the bound counts for so much less than time below: a value that is below in two of four polls counts.
pub(super) const LOW_WEIGHS_LESS: u32 = 3;
/// What the UPS itself says to be far above its bound for so many polls takes LB by that bound back.
pub(super) const LOW_LETS_GO: u32 = 5;
/// Mains that is back for less charges nothing to speak of: a battery that was below goes on from there.
pub(super) const CHARGES: Duration = Duration::from_secs(300);
/// A UPS that says in an outage for longer that nothing is left, does not say so because it does not know yet.
pub(super) const RECKONS: Duration = Duration::from_secs(120);

// --- a self test that looks like an outage ---

/// An outage that a self test claims counts for so long as the test; with good mains no unit tests longer by itself.
pub(super) const TEST_LASTS: Duration = Duration::from_secs(600);
/// With a low battery a UPS ends its test: what lasts longer than this is an outage.
pub(super) const TEST_ENDS: Duration = Duration::from_secs(20);

// --- requests ---

/// A load that should be off is given so much longer.
pub(super) const GRACE: Duration = Duration::from_secs(10);
/// The same sentence of a request that failed stands in the log once in so long.
pub(super) const SAID_AGAIN: Duration = Duration::from_secs(60);
/// A reply that changed a word so long ago is not what changes the status now; it may wait so long until it is known who
/// answers.
pub(super) const CAUSE_IS_NEW: Duration = Duration::from_secs(5);
/// The same sentence of a question stands in the log once in so long.
pub(super) const SAID_OF_QUESTION_AGAIN: Duration = Duration::from_secs(600);
/// So many sentences of questions are compared: more than any dialect has questions.
pub(super) const SAID_OF_QUESTION_KEPT: usize = 64;
/// Of requests of clients, so many different sentences stand in the log within that time.
pub(super) const SAID_AT_MOST: usize = 8;
