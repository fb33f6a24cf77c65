//! `runtimecal`: two runtimes at two loads, as users measure them.

/// Two runtimes at two loads, from which the runtime is estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RuntimeCal {
    /// Seconds at the high load.
    pub high_runtime_s: f64,
    /// The high load in percent.
    pub high_load_percent: f64,
    /// Seconds at the low load.
    pub low_runtime_s: f64,
    /// The low load in percent.
    pub low_load_percent: f64,
}

impl RuntimeCal {
    /// Reads `240,100,720,50`.
    ///
    /// # Errors
    /// A sentence, when it is not four numbers in the order that makes sense.
    pub fn parse(text: &str) -> Result<RuntimeCal, String> {
        let numbers: Vec<f64> = text.split(',').filter_map(|n| n.trim().parse().ok()).collect();
        let [high_runtime_s, high_load_percent, low_runtime_s, low_load_percent] = numbers[..] else {
            return Err(format!(
                "runtimecal = {text}: write seconds,percent,seconds,percent, such as 240,100,720,50"
            ));
        };
        let ordered = high_runtime_s > 0.0
            && low_runtime_s >= high_runtime_s
            && low_load_percent > 0.0
            && low_load_percent < high_load_percent
            && high_load_percent <= 100.0
            && low_runtime_s.is_finite();
        if !ordered {
            return Err(format!(
                "runtimecal = {text}: the first load must be the higher one (at most 100 percent) with the shorter runtime, all above 0"
            ));
        }
        Ok(RuntimeCal { high_runtime_s, high_load_percent, low_runtime_s, low_load_percent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimecal_wants_sense() {
        assert!(RuntimeCal::parse("240,100,720,50").is_ok());
        for text in ["", "240,100,720", "720,50,240,100", "240,100,720,100", "240,120,720,50", "0,100,720,50"]
        {
            assert!(RuntimeCal::parse(text).is_err(), "{text}");
        }
    }
}
