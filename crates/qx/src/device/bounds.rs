//! How long orders wait, how often they are tried, and when it is looked who answers: every bound, in one
//! place. The tests read them.

use std::time::Duration;

/// A command or setting has so long for its first byte, at least. NUT waits for one second (`SER_WAIT_SEC` in
/// NUT 2.8.0 drivers/nutdrv_qx.c and blazer_ser.c).
pub const ANSWER: Duration = Duration::from_millis(1000);

/// What comes within this of a command may be the answer to it; what comes later is no answer to it.
pub const LATE: Duration = Duration::from_millis(3000);

/// Where silence is acknowledgement, it counts for an order to the load from so long on, if the status that is asked
/// then shows nothing else: a refusal may come late.
pub const SILENCE_COUNTS: Duration = Duration::from_millis(2000);

/// A status that is asked for after a command comes within this, or not at all.
pub const SHOWS: Duration = Duration::from_millis(3000);
/// The same where parts of the status do come: a slow UPS needs long for all of them.
pub const SHOWS_SLOWLY: Duration = Duration::from_secs(10);

/// Before a command is sent, the status has been heard within this: a UPS that has gone meanwhile would do it
/// when the line is back.
pub const STATUS_IS_NEW: Duration = Duration::from_millis(3000);

/// Before a command is sent, the UPS has said nothing for so long: some hear nothing right behind their own reply, and
/// of a command that was not heard its silence would tell that it was taken. (NUT asks nothing before a command; at `-k`
/// it lets a second pass between the first and the next: NUT 2.8.0 nutdrv_qx.c, `upsdrv_shutdown`.)
pub const ORDER_REST: Duration = Duration::from_millis(1200);
/// The same where commands are answered by words: there a command that was not heard is known to be unanswered.
pub const ORDER_REST_ANSWERED: Duration = Duration::from_millis(300);

/// A request that could not be sent within this is not sent any more.
pub const REQUEST_LASTS: Duration = Duration::from_secs(30);

/// At most so many commands wait, so that each of them is sent in time: a command that is not answered, the status after
/// it and the rest before the next take 2.3 s. What the configuration asks for is not counted.
pub const WAITING: usize = 12;

/// Switching the load off goes on for so long.
pub const KILL: Duration = Duration::from_secs(60);

/// So long it waits for the status before it sends blind.
pub const KILL_LOOKS: Duration = Duration::from_secs(4);

/// So long it looks for a dialect that is neither configured nor known; then, if anything was heard, the
/// orders of most dialects are sent.
pub const KILL_UNKNOWN_TRIES: Duration = Duration::from_secs(15);

/// So often an order is tried in a row (NUT 2.8.0 nutdrv_qx.c: `MAXTRIES`).
pub const KILL_TRIES: u8 = 3;

/// Between two of these tries.
pub const KILL_PAUSE: Duration = Duration::from_millis(1000);

/// After them it waits until the load should be off and so much longer: each order may start the countdown
/// of the UPS again.
pub const KILL_REST: Duration = Duration::from_secs(5);
/// It waits for so long at most: an order whose countdown is longer is not delayed much by another one.
pub const KILL_RESTS_AT_MOST: Duration = Duration::from_secs(40);

/// After a blink of the line, what was shown stays as it was for so long, but for the words of the status,
/// while the UPS is asked who it is; after that, nothing of the UPS before is shown.
pub const IDENTITY: Duration = Duration::from_millis(3000);

/// What it does not answer of that is asked again after so long,
pub const IDENTITY_AGAIN: Duration = Duration::from_secs(2);
/// so often; then it counts as one that says nothing of itself. Only another answer proves another UPS.
pub const IDENTITY_ASKED_AGAIN: u8 = 3;

/// A UPS that says nothing of itself is taken for the one before after so many replies to its status.
pub const IDENTITY_STATUSES: u32 = 2;

/// And if its battery shows no less than this part of the volts before, and no more than the inverse: no
/// battery changes so much while a line blinks, and one of half or twice the cells does.
pub const IDENTITY_VOLTS: f64 = 0.7;

/// After a status that was not answered, and after volts that leap beyond [`IDENTITY_VOLTS`], a UPS is asked again
/// what it is called, but not more often than this;
pub const PLATE_AGAIN: Duration = Duration::from_secs(60);
/// its answers are compared for so long.
pub const PLATE_TAKES: Duration = Duration::from_secs(20);
/// That two units answer in turn is taken for true for so long after their volts were seen to leap last.
pub const TWO_UNITS: Duration = Duration::from_secs(60);

/// So many questions for the status in a row without an answer, on a line that is not noisy, are a loss of
/// the line: a cable may have been put into another UPS.
pub const IDENTITY_SILENCES: u8 = 3;
