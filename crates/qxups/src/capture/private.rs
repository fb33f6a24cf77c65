//! `--anonymous`: what belongs to the owner alone is taken out of a recording.

use qx::capture::Recorded;
use qx::conceal::{PRIVATE, masked};
use qx::detect::is_refusal;
use qx::explain::asked_by;

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

    /// What the reply says that is private.
    pub fn learn(&mut self, recorded: &Recorded) {
        let Some(reply) = &recorded.reply else { return };
        for fit in asked_by(&recorded.question).iter().filter_map(|query| query.read(reply).ok()) {
            let texts = PRIVATE.iter().filter_map(|var| fit.readings.value(var));
            texts.for_each(|text| self.know(&text.to_string()));
        }
    }

    /// The exchange without it, and a remark where it is not sure that nothing is left.
    pub fn conceal(&self, recorded: &Recorded) -> (Recorded, Option<&'static str>) {
        let Some(reply) = &recorded.reply else { return (recorded.clone(), None) };
        let queries = asked_by(&recorded.question);
        let is_read = queries.iter().any(|query| query.read(reply).is_ok());
        let mut hidden = reply.clone();
        let mut remark = None;
        for query in queries.iter().filter(|query| query.is_private() && query.read(reply).is_ok()) {
            hidden = query.conceal(&hidden).unwrap_or_else(|| {
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
        (Recorded { reply: Some(hidden), ..recorded.clone() }, remark)
    }

    /// A line of the header without it.
    pub fn conceal_text(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
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
        assert_eq!(private.conceal(&omron), (recorded("PSNR", b"XXXXXXXXXXXXXXX "), None));
        let elsewhere = recorded("??", b"<a0z25110005109g>");
        let (hidden, remark) = private.conceal(&elsewhere);
        assert_eq!(hidden, recorded("??", b"<XXXXXXXXXXXXXXX>"));
        assert!(remark.unwrap().contains("may hold private texts"));
        assert_eq!(private.conceal_text("S A0Z25110005109G"), "S XXXXXXXXXXXXXXX");
    }

    #[test]
    fn what_is_understood_or_a_refusal_needs_no_remark() {
        let mut private = Private::default();
        private.know("1");
        let status = recorded("Q1", b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000");
        assert_eq!(private.conceal(&status), (status.clone(), None));
        assert_eq!(private.conceal(&recorded("Q1", b"Q1")), (recorded("Q1", b"Q1"), None));
    }
}
