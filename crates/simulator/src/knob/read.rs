//! Reading what stands behind the name of a knob.

use crate::ups::SimulatedUps;
use qx::vocabulary::moment::Moment;
use std::sync::Arc;

/// What a knob does to a UPS, at a moment of real time.
pub(super) type Turn = Arc<dyn Fn(&mut SimulatedUps, Moment) + Send + Sync>;

/// What comes of reading one: what it does, or a sentence.
pub(super) type Read = Result<Turn, String>;

/// A knob as it is written.
pub(super) struct KnobText<'t> {
    /// Its name,
    pub(super) name: &'t str,
    /// and what stands behind it.
    pub(super) value: &'t str,
}

/// Sets a value.
pub(super) fn sets<T>(value: T, set: fn(&mut SimulatedUps, T)) -> Read
where
    T: Clone + Send + Sync + 'static,
{
    Ok(Arc::new(move |ups, _| set(ups, value.clone())))
}

impl KnobText<'_> {
    /// A number, where these words are known beside it, with what parts them from it.
    fn a_number_or(&self, words: &str, least: f64, most: f64) -> Result<f64, String> {
        let KnobText { name, value } = self;
        let number = value.parse::<f64>().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| {
            format!("{name}: '{value}' is not known; write {words}a number from {least} to {most}")
        })
    }

    /// A number.
    pub(super) fn a_number(&self, least: f64, most: f64) -> Result<f64, String> {
        self.a_number_or("", least, most)
    }

    /// Sets a number.
    pub(super) fn number(&self, least: f64, most: f64, set: fn(&mut SimulatedUps, f64)) -> Read {
        sets(self.a_number(least, most)?, set)
    }

    /// The same beside words that the row reads itself.
    pub(super) fn number_or(
        &self,
        words: &str,
        least: f64,
        most: f64,
        set: fn(&mut SimulatedUps, f64),
    ) -> Read {
        sets(self.a_number_or(words, least, most)?, set)
    }

    /// Sets a probability.
    pub(super) fn probability(&self, set: fn(&mut SimulatedUps, f64)) -> Read {
        self.number(0.0, 1.0, set)
    }

    /// Sets a number, or none for `off`.
    pub(super) fn number_or_off(
        &self,
        least: f64,
        most: f64,
        set: fn(&mut SimulatedUps, Option<f64>),
    ) -> Read {
        match self.value {
            "off" => sets(None, set),
            _ => sets(Some(self.a_number_or("off or ", least, most)?), set),
        }
    }

    /// Turns something on or off.
    pub(super) fn switch(&self, set: fn(&mut SimulatedUps, bool)) -> Read {
        let KnobText { name, value } = self;
        let on = on_or_off(value);
        sets(on.ok_or_else(|| format!("{name}: '{value}' is not known; write on or off"))?, set)
    }

    /// What may be anything but nothing.
    pub(super) fn a_text(&self) -> Result<String, String> {
        match self.value {
            "" => Err(format!("{}: something is missing behind it", self.name)),
            text => Ok(text.into()),
        }
    }

    /// Sets a text.
    pub(super) fn text(&self, set: fn(&mut SimulatedUps, String)) -> Read {
        sets(self.a_text()?, set)
    }

    /// Sets a text, or none for `off`.
    pub(super) fn text_or_off(&self, set: fn(&mut SimulatedUps, Option<String>)) -> Read {
        sets(Some(self.a_text()?).filter(|text| text != "off"), set)
    }

    /// The first word and the rest; an error says what to write.
    pub(super) fn two_words(&self) -> Option<(&str, &str)> {
        self.value.split_once(char::is_whitespace).map(|(first, rest)| (first, rest.trim()))
    }
}

/// `on` or `off`.
pub(super) fn on_or_off(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// `on`, `off` or `free`.
pub(super) fn on_off_or_free(text: &str) -> Option<Option<bool>> {
    if text == "free" { Some(None) } else { on_or_off(text).map(Some) }
}
