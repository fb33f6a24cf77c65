//! The delays `ondelay` and `offdelay`: what is allowed depends on the dialect, which may be known last.

use super::draft::Draft;
use super::{ConfigError, Purpose};

impl Draft {
    /// The delays must be allowed by the chosen dialect, or by any while it is not known.
    pub(super) fn check_delays(&mut self) -> Result<(), ConfigError> {
        for wrong in self.wrong_delays() {
            match self.purpose {
                Purpose::Watch => return Err(wrong),
                Purpose::KillPower => self.fault(wrong),
            }
        }
        Ok(())
    }

    /// The delays that the chosen dialect does not allow, or no dialect while it is not known.
    pub(super) fn wrong_delays(&self) -> Vec<ConfigError> {
        let given = [("ondelay", &self.options.ondelay), ("offdelay", &self.options.offdelay)];
        let wrong = |(option, text): (&str, &Option<String>)| self.wrong_delay(option, text.as_deref()?);
        given.into_iter().filter_map(wrong).collect()
    }

    fn wrong_delay(&self, option: &str, text: &str) -> Option<ConfigError> {
        let chosen = self.options.protocol.as_deref().and_then(|name| self.kind.dialect(name));
        let dialects = self.kind.dialects.iter().copied();
        let candidates = dialects.filter(|p| chosen.is_none_or(|chosen| chosen.name == p.name));
        let delays = candidates.flat_map(|protocol| protocol.delays).filter(|delay| delay.option == option);
        let mut last = None;
        for delay in delays {
            match delay.check_option(text) {
                Ok(_) => return None,
                Err(why) => last = Some(ConfigError::of(option, format!("{option}: {}", why.0))),
            }
        }
        last
    }

    /// NUT cuts decimals off in silence.
    pub(super) fn look_at_decimals(&mut self, name: &str, value: &str) {
        let Some((whole, decimals)) = value.trim().split_once('.') else { return };
        if decimals.contains(|digit| digit != '0') {
            self.hint(format!("{name} = {value}: a whole number is read here, so this is {whole}"));
        }
    }
}
