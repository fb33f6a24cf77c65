//! Figures and the tables they stand in.

use std::fmt::Write;

/// The same thing measured several times; the median counts, least and most show how noisy it was.
#[derive(Clone, Debug, Default)]
pub struct Figures(pub Vec<f64>);

impl Figures {
    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    pub fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        sorted.get(sorted.len() / 2).copied()
    }

    fn text(&self, places: usize) -> String {
        let sorted = self.sorted();
        match (self.median(), sorted.as_slice()) {
            (Some(median), [least, .., most]) => {
                format!("{median:.places$} ({least:.places$} to {most:.places$})")
            }
            (Some(only), _) => format!("{only:.places$}"),
            (None, _) => "not measured".into(),
        }
    }
}

/// The document as it grows.
#[derive(Debug, Default)]
pub struct Page(pub String);

impl Page {
    /// Begins a table of figures where less is better.
    pub fn table(&mut self, title: &str, about: &str) {
        let head = "| | NUT 2.8.0 | ours | ours / NUT |\n|---|---|---|---|";
        let _ = writeln!(self.0, "\n## {title}\n\n{about}\n\n{head}");
    }

    pub fn row(&mut self, what: &str, nut: &Figures, ours: &Figures, places: usize) {
        let ratio = nut.median().zip(ours.median()).filter(|(nut, _)| *nut > 0.0);
        let ratio = ratio.map_or(String::new(), |(nut, ours)| format!("{:.2}", ours / nut));
        let (nut, ours) = (nut.text(places), ours.text(places));
        let _ = writeln!(self.0, "| {what} | {nut} | {ours} | {ratio} |");
    }
}
