//! What `qxups timers` prints.

use super::{Notifier, local_time};
use notify::{NotifyRule, OutputState, TimerView, span};
use std::fmt::Write as _;
use std::time::Duration;

/// No more UPSes of a rule are listed.
const LISTED: usize = 50;
/// No list is longer.
const LETTERS: usize = 15_000;

impl Notifier {
    /// Rules with what is raised and which timers run, and outputs with what waits.
    pub(super) fn list(&self) -> String {
        let machine = self.machine.borrow();
        let timers = machine.timers(self.now());
        let mut text = String::new();
        if machine.rules().is_empty() {
            text += "no rule: qxups.toml has no [[notify]]\n";
        }
        for rule in machine.rules() {
            let _ = writeln!(text, "rule {}", describe(rule));
            let of_it = || timers.iter().filter(|timer| timer.rule == rule.name);
            of_it().take(LISTED).for_each(|timer| text += &line_of(timer, rule));
            let more = of_it().count().saturating_sub(LISTED);
            if more > 0 {
                let _ = writeln!(text, "  and {more} more UPSes");
            }
        }
        for (state, about) in self.post.states() {
            text += &output(&state, &about);
        }
        shortened(text.trim_end())
    }
}

/// The answer to one request has its bounds.
fn shortened(text: &str) -> String {
    let Some((cut, _)) = text.char_indices().nth(LETTERS) else { return text.into() };
    let whole = text[..cut].rfind('\n').unwrap_or(cut);
    format!("{}\nand more, which does not fit", &text[..whole])
}

fn ms(length: i64) -> String {
    // a timer that has a moment left has not ended
    let seconds = length.max(0).unsigned_abs().div_ceil(1000);
    span(Duration::from_secs(seconds))
}

fn describe(rule: &NotifyRule) -> String {
    let mut text = format!("\"{}\": {}", rule.name, rule.condition);
    if !rule.after.is_zero() {
        let _ = write!(text, " for {}", span(rule.after));
    }
    let to = if rule.outputs.is_empty() { "no output".into() } else { rule.outputs.join(", ") };
    let _ = write!(text, ", to {to}");
    if let Some(repeat) = rule.repeat {
        let _ = write!(text, ", again each {}", span(repeat));
    }
    if !rule.tells_end {
        text += ", without its end";
    }
    if !rule.tells_begin {
        text += ", only its end";
    }
    text
}

fn line_of(timer: &TimerView, rule: &NotifyRule) -> String {
    let since = local_time(timer.since_ms);
    let then = match (timer.is_raised, timer.due_in_ms, rule.repeat) {
        (true, Some(due), Some(_)) => format!("; again in {}", ms(due)),
        (true, None, Some(_)) => "; again when its data is fresh".into(),
        (true, ..) => String::new(),
        (false, Some(due), _) => format!("; the timer ends in {}", ms(due)),
        (false, None, _) => "; the timer stands still, as there is no fresh data".into(),
    };
    let what = if timer.is_raised { "raised" } else { "timer" };
    format!("  {what} {}, since {since}{then}\n", timer.ups)
}

fn output(state: &OutputState, about: &str) -> String {
    let mut text = format!("output {} ({about}): ", state.name);
    match (state.waiting, state.oldest_ms) {
        (0, _) | (_, None) => text += "nothing waits",
        (count, Some(oldest)) => {
            let _ = write!(text, "{count} waiting, the oldest of {}", local_time(oldest));
        }
    }
    if let Some(next) = state.next_in_ms {
        let _ = write!(text, "; tried again in {}", ms(next));
    }
    if let Some(why) = &state.trouble {
        let _ = write!(text, "; {why}");
    }
    text + "\n"
}
