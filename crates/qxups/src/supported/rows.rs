//! The rows: devices of which there is a capture or are replies, and those of NUT's list.

/// From the captures; the test `the_list_of_captures_is_fresh` writes it.
const CAPTURED: &str = include_str!("captured.tsv");
/// Maker, model, line, USB numbers, drivers, options: from data/driver.list.in of NUT's newest source.
const LISTED: &str = include_str!("nut.tsv");

/// A device of which something that it said was published.
#[derive(Clone, Copy, Debug)]
pub struct Captured {
    /// Maker and model.
    pub device: &'static str,
    /// Its dialect.
    pub dialect: &'static str,
    /// Its USB numbers, with a blank between them; none for a serial line.
    pub ids: &'static str,
    /// The file in this repository.
    pub file: &'static str,
}

impl Captured {
    /// What it is proved by.
    pub fn proof(&self) -> String {
        match self.file.ends_with(".log") {
            true => format!("a capture of a real unit ({})", self.file),
            false => format!("replies from a public source ({})", self.file),
        }
    }
}

/// A device of NUT's list.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// Its maker.
    pub maker: &'static str,
    /// Its model.
    pub model: &'static str,
    /// `USB`, `serial`, both or neither.
    pub line: &'static str,
    /// Its USB numbers, with a blank between them.
    pub ids: &'static str,
    /// The drivers that NUT names, with a blank between them.
    pub drivers: &'static str,
    /// The options that NUT names, with a blank between them.
    pub options: &'static str,
}

impl Listed {
    /// What to write into ups.conf.
    pub fn write(&self) -> String {
        let mut settings = vec!["driver = nutdrv_qx".to_string()];
        settings.push(match self.line {
            "USB" => "port = auto".into(),
            "serial" => "port = /dev/ttyS0".into(),
            _ => "port = auto for USB, or /dev/ttyS0".into(),
        });
        settings.extend(self.settings().map(|option| option.replacen('=', " = ", 1)));
        settings.join(", ")
    }

    /// The options that it needs. A bridge is named with the numbers alone; without them it is found.
    fn settings(&self) -> impl Iterator<Item = &'static str> {
        let with_numbers = self.options.contains("vendorid=");
        let options = self.options.split(' ').filter(|option| !option.is_empty());
        options.filter(move |option| with_numbers || !option.starts_with("subdriver="))
    }

    /// What it is proved by: the replies of its dialect, where NUT names one, or nothing but the list.
    pub fn proof(&self) -> String {
        let named = self.options.split(' ').find_map(|option| option.strip_prefix("protocol="));
        match named.filter(|name| DIALECTS_WITH_REPLIES.contains(name)) {
            Some(name) => format!("NUT's list; its dialect by replies (captures/replies/{name}.txt)"),
            None => "NUT's list only".into(),
        }
    }
}

/// The dialects of which `captures/replies` has a file; a test looks there.
const DIALECTS_WITH_REPLIES: &[&str] = &[
    "ablerex",
    "bestups",
    "gtec",
    "hunnox",
    "innovart31",
    "innovart33",
    "innovatae",
    "masterguard",
    "mecer",
    "omron",
    "q2",
    "q6",
    "voltronic",
    "voltronic-axpert",
    "voltronic-qs",
    "voltronic-qs-hex",
];

/// Devices of which something was published.
pub fn captured() -> impl Iterator<Item = Captured> {
    rows(CAPTURED).filter_map(|fields| match fields[..] {
        [device, dialect, ids, file] => Some(Captured { device, dialect, ids, file }),
        _ => None,
    })
}

/// Devices of NUT's list.
pub fn listed() -> impl Iterator<Item = Listed> {
    rows(LISTED).filter_map(|fields| match fields[..] {
        [maker, model, line, ids, drivers, options] => {
            Some(Listed { maker, model, line, ids, drivers, options })
        }
        _ => None,
    })
}

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().map(|line| line.split('\t').collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::port_with_options;
    use std::path::{Path, PathBuf};

    /// Devices that are known by replies alone, and where those come from.
    const BY_REPLIES: [(&str, &str, &str); 1] = [(
        "Voltronic Power Axpert 3 kW",
        "voltronic-axpert",
        "https://github.com/ned-kelly/docker-voltronic-homeassistant/issues/51",
    )];

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// The line of a capture's heading that begins with this word.
    fn heading<'t>(text: &'t str, word: &str) -> &'t str {
        let lead = format!("# {word}: ");
        text.lines().find_map(|line| line.strip_prefix(&lead)).unwrap_or_default().trim()
    }

    #[test]
    fn the_list_of_captures_is_fresh() {
        let mut lines = vec![];
        let folder = root().join("captures");
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
        for path in &paths {
            let text = std::fs::read_to_string(path).unwrap();
            let file = path.file_name().unwrap().to_str().unwrap();
            let (device, source) = (heading(&text, "device"), heading(&text, "source"));
            assert!(!device.is_empty() && source.starts_with("http"), "{file}");
            // an example of a paper is no device
            if device.starts_with("none") {
                continue;
            }
            let is_numbers = |word: &&str| crate::sim::usb_numbers(word).is_some() && word.len() == 9;
            let ids: Vec<&str> = device
                .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != ':')
                .filter(is_numbers)
                .collect();
            lines.push(format!(
                "{device}\t{}\t{}\tcaptures/{file}\n",
                heading(&text, "protocol"),
                ids.join(" ")
            ));
        }
        for (device, dialect, source) in BY_REPLIES {
            let file = format!("captures/replies/{dialect}.txt");
            assert!(
                std::fs::read_to_string(root().join(&file)).unwrap().contains(source),
                "{file}: {source}"
            );
            lines.push(format!("{device}\t{dialect}\t\t{file}\n"));
        }
        lines.sort_by_key(|line| line.to_lowercase());
        let fresh: String = lines.concat();
        if fresh != CAPTURED {
            std::fs::write(root().join("crates/qxups/src/supported/captured.tsv"), fresh).unwrap();
            panic!("captured.tsv was stale, and is written anew: look at the changes and commit them");
        }
    }

    #[test]
    fn every_line_of_the_lists_is_a_row() {
        assert_eq!(captured().count(), CAPTURED.lines().count());
        assert_eq!(listed().count(), LISTED.lines().count());
        assert!(listed().count() > 400, "{}", listed().count());
        for name in DIALECTS_WITH_REPLIES {
            assert!(qx::protocols::named(name).is_some(), "{name}");
            assert!(root().join(format!("captures/replies/{name}.txt")).exists(), "{name}");
        }
        for row in captured() {
            assert!(qx::protocols::named(row.dialect).is_some(), "{row:?}");
        }
        for id in
            captured().map(|row| row.ids).chain(listed().map(|row| row.ids)).flat_map(|ids| ids.split(' '))
        {
            assert!(id.is_empty() || crate::sim::usb_numbers(id).is_some(), "{id}");
        }
    }

    /// Whoever writes what is proposed gets a driver that starts.
    #[test]
    fn what_is_proposed_is_taken_by_the_driver() {
        for row in listed() {
            let config = port_with_options("auto", row.settings().map(String::from));
            assert_eq!(config.err(), None, "{row:?}");
        }
    }
}
