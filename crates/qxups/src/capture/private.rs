//! `--anonymous`: what belongs to the owner alone is taken out of a recording.

use qx::line::capture::Recorded;
use qx::text::anonymise::{Looks, PRIVATE, masked, without_suspects};
use qx::text::explain::asked_by;
use qx::wire::refusal::is_refusal;

/// A text that is shorter may stand in a reply by chance.
const LEAST: usize = 6;

/// Texts that must not be in the file.
#[derive(Debug, Default)]
pub struct Private(Vec<Vec<u8>>);

impl Private {
    /// A text that came from elsewhere: the serial number of a USB device.
    pub fn know(&mut self, text: &str) {
        let text = text.trim().as_bytes();
        if text.len() >= LEAST && !self.0.iter().any(|known| known == text) {
            self.0.push(text.to_vec());
        }
    }

    /// What the reply says that is private, or looks so.
    pub fn learn(&mut self, recorded: &Recorded) {
        let Some(reply) = &recorded.reply else { return };
        for query in asked_by(&recorded.question) {
            let Ok(fit) = query.read(reply) else { continue };
            let texts = PRIVATE.iter().filter_map(|var| fit.readings.value(var));
            texts.for_each(|text| self.know(&text.to_string()));
            let likely = query.suspects(reply).into_iter().filter(|(_, looks)| *looks > Looks::Perhaps);
            likely.for_each(|(text, _)| self.know(&String::from_utf8_lossy(&text)));
        }
    }

    /// The exchange without it, and a remark where it is not sure that nothing is left.
    pub fn anonymise(&self, recorded: &Recorded) -> (Recorded, Option<&'static str>) {
        let Some(reply) = &recorded.reply else { return (recorded.clone(), None) };
        let queries = asked_by(&recorded.question);
        let is_read = queries.iter().any(|query| query.read(reply).is_ok());
        // who was not understood may say numbers in rows: only what is called a serial number is one there
        let mut hidden = if is_read { reply.clone() } else { without_suspects(reply, Looks::Labelled) };
        let mut remark = None;
        for query in queries.iter().filter(|query| query.read(reply).is_ok()) {
            hidden = query.anonymise(&hidden).unwrap_or_else(|| {
                remark = Some("note: the private part of this reply could not be told from the rest: all of it is masked");
                masked(reply)
            });
        }
        let before = hidden.clone();
        self.0.iter().for_each(|text| hide(&mut hidden, text));
        if hidden != before && is_read && !queries.iter().any(|query| query.read(&hidden).is_ok()) {
            remark =
                Some("note: a private text was masked in this reply, its checksum does not fit any more");
        }
        if remark.is_none() && !is_read && !is_refusal(&recorded.question, reply) {
            remark = Some("note: this reply was not understood and may hold private texts");
        }
        if remark.is_none() && queries.iter().any(|query| !query.suspects(&hidden).is_empty()) {
            remark = Some(
                "note: a number in this reply may be a serial number: look at it before you send this, and write X in its place if it is",
            );
        }
        (Recorded { reply: Some(hidden), ..recorded.clone() }, remark)
    }

    /// A line of the header without it.
    pub fn anonymise_text(&self, text: &str) -> String {
        let mut bytes = without_suspects(text.as_bytes(), Looks::Long);
        self.0.iter().for_each(|private| hide(&mut bytes, private));
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Masks each place where `text` stands, whatever the case of its letters.
fn hide(bytes: &mut [u8], text: &[u8]) {
    let mask = masked(text);
    for at in 0..(bytes.len() + 1).saturating_sub(text.len()) {
        let place = &mut bytes[at..at + text.len()];
        if place.eq_ignore_ascii_case(text) {
            place.copy_from_slice(&mask);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(question: &str, reply: &[u8]) -> Recorded {
        Recorded { question: question.into(), reply: Some(reply.to_vec()), ..Recorded::default() }
    }

    #[test]
    fn a_serial_number_is_masked_wherever_it_stands() {
        let mut private = Private::default();
        let omron = recorded("PSNR", b"A0Z25110005109G ");
        private.learn(&omron);
        assert_eq!(private.anonymise(&omron), (recorded("PSNR", b"XXXXXXXXXXXXXXX "), None));
        let elsewhere = recorded("??", b"<a0z25110005109g>");
        let (hidden, remark) = private.anonymise(&elsewhere);
        assert_eq!(hidden, recorded("??", b"<XXXXXXXXXXXXXXX>"));
        assert!(remark.unwrap().contains("may hold private texts"));
        assert_eq!(private.anonymise_text("S A0Z25110005109G"), "S XXXXXXXXXXXXXXX");
    }

    #[test]
    fn what_is_understood_or_a_refusal_needs_no_remark() {
        let mut private = Private::default();
        private.know("1");
        let status = recorded("Q1", b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000");
        assert_eq!(private.anonymise(&status), (status.clone(), None));
        assert_eq!(private.anonymise(&recorded("Q1", b"Q1")), (recorded("Q1", b"Q1"), None));
    }

    /// What makers put into the place of a model, also in a reply that nobody understands.
    #[test]
    fn what_looks_like_a_serial_number_is_masked_or_remarked_upon() {
        for (reply, hidden, word) in [
            ("#QXUPS           SN12345678 V1.0      ", "#QXUPS           SNXXXXXXXX V1.0      ", None),
            ("#UPS 83250701100 SIM-1000   V1.0      ", "#UPS XXXXXXXXXXX SIM-1000   V1.0      ", None),
            (
                "#QXUPS           AS041811   V1.0      ",
                "#QXUPS           AS041811   V1.0      ",
                Some("may be a serial"),
            ),
            ("#QXUPS           SIM-1000   V1.0      ", "#QXUPS           SIM-1000   V1.0      ", None),
            ("#S/N: 1234567", "#S/N: XXXXXXX", Some("not understood")),
            ("!1234567890123 227", "!1234567890123 227", Some("not understood")),
        ] {
            let mut private = Private::default();
            let heard = recorded("I", reply.as_bytes());
            private.learn(&heard);
            let (anonymised, remark) = private.anonymise(&heard);
            let said = String::from_utf8(anonymised.reply.unwrap()).unwrap();
            assert_eq!(said, hidden);
            assert_eq!(remark.is_some(), word.is_some(), "{reply}: {remark:?}");
            assert!(remark.is_none_or(|remark| remark.contains(word.unwrap())), "{reply}: {remark:?}");
        }
        // and wherever it stands besides
        let mut private = Private::default();
        private.learn(&recorded("I", b"#QXUPS           SN12345678 V1.0      "));
        let elsewhere = private.anonymise(&recorded("??", b"<12345678>")).0;
        assert_eq!(elsewhere.reply.unwrap(), b"<XXXXXXXX>");
        assert_eq!(
            private.anonymise_text("usb product: UPS S/N 0987654\n"),
            "usb product: UPS S/N XXXXXXX\n"
        );
    }
}
