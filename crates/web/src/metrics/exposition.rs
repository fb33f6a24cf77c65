//! The text that Prometheus reads: OpenMetrics 1.0, or the older format 0.0.4.

use crate::escape;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsFormat {
    /// `application/openmetrics-text; version=1.0.0`.
    OpenMetrics,
    /// `text/plain; version=0.0.4`.
    Text,
}

impl MetricsFormat {
    /// What a client accepts: OpenMetrics where it says so and prefers it, else the text that every client reads.
    pub fn accepted(accept: Option<&str>) -> MetricsFormat {
        let quality = |wanted: &str| {
            let ranges = accept.unwrap_or_default().split(',');
            let of_kind = ranges.filter(|range| {
                let mut parts = range.split(';').map(str::trim);
                parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(wanted))
                    // another version of OpenMetrics is not written here
                    && parts.all(|part| !part.starts_with("version=") || wanted != OPEN || is_known_version(part))
            });
            of_kind
                .map(quality_of)
                .fold(None, |best: Option<f32>, next| Some(best.map_or(next, |best| best.max(next))))
        };
        match (quality(OPEN), quality("text/plain")) {
            (Some(open), text) if open > 0.0 && open >= text.unwrap_or(0.0) => MetricsFormat::OpenMetrics,
            _ => MetricsFormat::Text,
        }
    }

    /// The content type.
    pub fn content_type(self) -> &'static str {
        match self {
            MetricsFormat::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            MetricsFormat::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

const OPEN: &str = "application/openmetrics-text";

fn is_known_version(part: &str) -> bool {
    matches!(part.trim_start_matches("version=").trim_matches('"'), "1.0.0" | "0.0.1")
}

fn quality_of(range: &str) -> f32 {
    let quality = range.split(';').find_map(|part| part.trim().strip_prefix("q="));
    quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0))
}

/// What a family of samples is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Counter,
    Info,
}

/// A text in the making.
pub(super) struct Exposition {
    pub out: String,
    pub format: MetricsFormat,
}

impl Exposition {
    pub fn new(format: MetricsFormat) -> Exposition {
        Exposition { out: String::new(), format }
    }

    /// The lines above the samples of a family; its name is without `_total` and `_info`.
    pub fn family(&mut self, name: &str, kind: Kind, unit: &str, help: &str) {
        let (word, suffix) = match (kind, self.format) {
            (Kind::Gauge, _) => ("gauge", ""),
            (Kind::Counter, MetricsFormat::OpenMetrics) => ("counter", ""),
            (Kind::Counter, MetricsFormat::Text) => ("counter", "_total"),
            (Kind::Info, MetricsFormat::OpenMetrics) => ("info", ""),
            (Kind::Info, MetricsFormat::Text) => ("gauge", "_info"),
        };
        self.out.push_str(&format!("# TYPE {name}{suffix} {word}\n"));
        if self.format == MetricsFormat::OpenMetrics && !unit.is_empty() {
            self.out.push_str(&format!("# UNIT {name}{suffix} {unit}\n"));
        }
        self.out.push_str(&format!("# HELP {name}{suffix} "));
        let mut escaped = String::new();
        escape::label(help, &mut escaped);
        match self.format {
            MetricsFormat::OpenMetrics => self.out.push_str(&escaped),
            // there a quote stands for itself
            MetricsFormat::Text => self.out.push_str(&escaped.replace("\\\"", "\"")),
        }
        self.out.push('\n');
    }

    /// One sample; `name` is whole, with its suffix.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        self.out.push_str(name);
        self.out.push_str(&labels_of(labels));
        self.out.push(' ');
        self.out.push_str(value);
        self.out.push('\n');
    }

    /// The whole text.
    pub fn end(mut self) -> String {
        if self.format == MetricsFormat::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
        self.out
    }
}

/// Labels in their braces; nothing where there are none.
pub(super) fn labels_of(labels: &[(&str, &str)]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let mut out = String::from("{");
    for (at, (name, value)) in labels.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(name);
        out.push_str("=\"");
        escape::label(value, &mut out);
        out.push('"');
    }
    out.push('}');
    out
}

/// A name of NUT as part of a name of Prometheus.
pub(super) fn metric_name(name: &str) -> String {
    name.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Prometheus 2.42 and 3.x send, curl, and a browser.
    #[test]
    fn a_client_gets_what_it_accepts() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let third = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                     application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                     text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, format) in [
            (Some(prometheus), MetricsFormat::OpenMetrics),
            (Some(third), MetricsFormat::OpenMetrics),
            (Some("text/plain;q=1,application/openmetrics-text;q=0.1"), MetricsFormat::Text),
            (Some("application/openmetrics-text;version=2.0.0"), MetricsFormat::Text),
            (Some("application/openmetrics-text;q=0"), MetricsFormat::Text),
            (Some("*/*"), MetricsFormat::Text),
            (Some("text/html"), MetricsFormat::Text),
            (None, MetricsFormat::Text),
        ] {
            assert_eq!(MetricsFormat::accepted(accept), format, "{accept:?}");
        }
    }
}
