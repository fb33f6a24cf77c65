//! Any bytes as the file of an outbox, and as what a server of mail says: no panic, nothing grows beyond its bounds, and what
//! was read is written and read again the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use notify::journal;
use notify::output::{MailPlan, SmtpDialog, SmtpReplies, SmtpStep};
use notify::Outbox;

fuzz_target!(|bytes: &[u8]| {
    file(bytes);
    // the same with sums that are right, so that more than the first line is read
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(|line| format!("{:016x} {line}\n", sum(line.as_bytes())));
    file((journal::head() + &lines.collect::<String>()).as_bytes());
    mail(bytes);
});

fn file(bytes: &[u8]) {
    let Ok(state) = journal::read(bytes) else { return };
    assert!(state.parcels.len() <= journal::MOST_PARCELS && state.standing.len() <= journal::MOST_STANDING);
    let standing = state.standing.values().cloned();
    let parcels = state.parcels.values().cloned();
    let again = journal::read(journal::whole(standing, state.seen.clone(), parcels).as_bytes()).unwrap();
    assert!(!again.is_torn);
    assert_eq!((&again.standing, &again.seen, &again.parcels), (&state.standing, &state.seen, &state.parcels));
    let mut outbox = Outbox::new("mark");
    outbox.set_outputs([("a", 10, true), ("b", 600, false)]);
    outbox.recover(state);
    for step in 0..20 {
        let _ = outbox.next("a", step * 100);
    }
}

/// FNV-1a, as the file has it.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn mail(bytes: &[u8]) {
    let plan = MailPlan { from: "a@b".into(), to: vec!["c@d".into(), "e@f".into()] };
    let mut dialog = SmtpDialog::new(&plan, None, bytes.first().is_some_and(|byte| byte & 1 == 1), b"text\r\n.\r\n");
    let mut replies = SmtpReplies::default();
    for piece in bytes.chunks(7) {
        replies.push(piece);
        while let Ok(Some(reply)) = replies.take() {
            let mut step = dialog.reply(&reply);
            if step == SmtpStep::StartTls {
                step = dialog.secured();
            }
            if matches!(step, SmtpStep::Done(_)) {
                return;
            }
        }
        if replies.take().is_err() {
            return;
        }
    }
}
