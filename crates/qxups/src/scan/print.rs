//! What was found, as sections of `ups.conf` or as JSON.

use super::ScanResult;
use super::places::{Mark, ScanPlace, exactly};
use link::Attached;
use serde_json::{Map, Value};
use station::advice::{self, SettingLine, plain, written};
use std::fmt::Write;

/// Sections of `ups.conf`; what is unsure, foreign devices, and with `verbose` the evidence, as comments.
pub fn sections(found: &[ScanResult], foreign: &[Attached], verbose: bool) -> String {
    let mut parts: Vec<String> = vec![];
    for (one, name) in found.iter().zip(names(found, &[])) {
        let Some(name) = name else { continue };
        let (mark, about) = match &one.answer {
            Ok(answer) => ("", answer.dialect.as_str()),
            Err(trouble) => ("# ", trouble.sentence.as_str()),
        };
        let mut part = comment(&format!("{}: {about}", one.place));
        let evidence = one.answer.as_ref().map(|answer| answer.evidence.as_slice()).unwrap_or_default();
        part.extend(evidence.iter().filter(|_| verbose).map(|line| comment(&format!("  {line}"))));
        let _ = writeln!(part, "{mark}[{name}]");
        for line in lines(one) {
            let _ = writeln!(part, "{mark}{}", written(&line));
        }
        parts.push(part);
    }
    let about = |device: &Attached| {
        let Attached { vendor, product, serial, .. } = device;
        comment(&format!("not asked: USB device {device}, '{vendor}' '{product}' '{serial}'"))
    };
    if !foreign.is_empty() {
        parts.push(foreign.iter().map(about).collect());
    }
    parts.join("\n")
}

fn comment(text: &str) -> String {
    format!("# {}\n", plain(text))
}

/// The same for programs: places that did not answer are there with the reason.
pub fn json(found: &[ScanResult]) -> String {
    let entry = |(one, name): (&ScanResult, Option<String>)| {
        let mut entry = Map::new();
        let mut put = |key: &str, text: &str| {
            if !text.is_empty() {
                entry.insert(key.into(), Value::from(text));
            }
        };
        put("name", name.as_deref().unwrap_or_default());
        put("place", &one.place.to_string());
        match &one.answer {
            Ok(answer) => {
                put("state", "found");
                put("dialect", &answer.dialect);
                put("maker", &answer.maker);
                put("model", &answer.model);
                put("status", &answer.status);
            }
            Err(trouble) => {
                put("state", trouble.word());
                put("error", &trouble.sentence);
            }
        }
        if let ScanPlace::Usb { device, bridge, .. } = &one.place {
            put("bridge", bridge.name);
            put("bus_port", &device.place);
            put("usb_vendor", &device.vendor);
            put("usb_product", &device.product);
            put("usb_serial", &device.serial);
        }
        let settings: Map<String, Value> =
            lines(one).into_iter().map(|(key, value)| (key.to_string(), Value::from(value))).collect();
        entry.insert("ups_conf".into(), Value::Object(settings));
        Value::Object(entry)
    };
    let all: Vec<Value> = found.iter().zip(names(found, &[])).map(entry).collect();
    format!("{:#}\n", Value::Array(all))
}

/// What to write into the section of a UPS.
pub fn lines(one: &ScanResult) -> Vec<SettingLine> {
    let mut lines = match &one.place {
        ScanPlace::Line(address) | ScanPlace::Port(address) => advice::at("nutdrv_qx", address),
        ScanPlace::Usb { device, bridge, named, mark } => {
            let mut lines = advice::on_usb("nutdrv_qx", device);
            match mark {
                Mark::Numbers => {}
                Mark::Serial => lines.push(("serial", exactly(&device.serial))),
                // its dot can only fit a dot: what stands beside it are numbers of sockets
                Mark::Place => lines.push(("busport", device.place.clone())),
            }
            if *named {
                lines.push(("subdriver", bridge.name.into()));
            }
            lines
        }
    };
    if let Ok(answer) = &one.answer {
        lines.push(("protocol", answer.dialect.clone()));
        let words = [answer.maker.as_str(), answer.model.as_str()];
        let desc: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        if !desc.is_empty() {
            lines.push(("desc", desc.join(" ")));
        }
    }
    lines
}

/// A name for each section: the model, if it has one, and a number when it is taken, also by those that are there
/// already. A line that did not answer may lead nowhere, and has none.
pub fn names(found: &[ScanResult], there: &[String]) -> Vec<Option<String>> {
    let mut taken: Vec<Option<String>> = there.iter().cloned().map(Some).collect();
    for one in found {
        if let (ScanPlace::Line(_) | ScanPlace::Port(_), Err(_)) = (&one.place, &one.answer) {
            taken.push(None);
            continue;
        }
        let model = one.answer.as_ref().map(|answer| answer.model.as_str()).unwrap_or_default();
        let plain: String =
            model.to_lowercase().chars().filter(char::is_ascii_alphanumeric).take(20).collect();
        let plain = if plain.is_empty() { "ups".to_string() } else { plain };
        let numbered = (2..).map(|number| format!("{plain}-{number}"));
        let free =
            std::iter::once(plain.clone()).chain(numbered).map(Some).find(|name| !taken.contains(name));
        taken.push(free.unwrap_or(Some(plain)));
    }
    taken.split_off(there.len())
}

#[cfg(test)]
mod tests {
    use super::super::ask::{ScanTrouble, UpsAnswer};
    use super::*;
    use link::LinkErrorKind;
    use station::config::{Configuration, Purpose};
    use station::driver_kind::NUTDRV_QX;

    fn on_usb(serial: &str, place: &str, mark: Mark, answer: Result<UpsAnswer, ScanTrouble>) -> ScanResult {
        let device = Attached {
            vendor_id: 0x06da,
            product_id: 0x0002,
            vendor: "Phoenixtec Power".into(),
            product: "USB Cable (V2.00)".into(),
            serial: serial.into(),
            bus: 1,
            address: 7,
            place: place.into(),
        };
        let bridge = device.bridge().unwrap();
        ScanResult { place: ScanPlace::Usb { device, bridge, named: false, mark }, answer }
    }

    fn answer(model: &str) -> UpsAnswer {
        UpsAnswer {
            dialect: "megatec".into(),
            maker: "A \"B\"".into(),
            model: model.into(),
            status: "OL".into(),
            evidence: vec!["I: refused".into()],
        }
    }

    fn trouble(kind: Option<LinkErrorKind>, sentence: &str) -> Result<UpsAnswer, ScanTrouble> {
        Err(ScanTrouble { kind, sentence: sentence.into() })
    }

    fn some() -> Vec<ScanResult> {
        let line = |text: &str, answer| ScanResult { place: ScanPlace::tcp(text).unwrap(), answer };
        vec![
            on_usb("A#1", "1-2.4", Mark::Place, Ok(answer("SIM-1000"))),
            on_usb("B.2", "1-3", Mark::Serial, trouble(Some(LinkErrorKind::Busy), "interface is busy")),
            line("192.0.2.7:4001", Ok(answer("SIM-1000"))),
            line("192.0.2.8:4001", trouble(None, "no answer")),
        ]
    }

    /// Whoever copies it gets a driver that starts.
    #[test]
    fn sections_are_read_by_the_driver() {
        let text = sections(&some(), &[], false);
        assert!(!text.contains("refused"), "{text}");
        assert!(sections(&some(), &[], true).contains("\n#   I: refused\n"), "{text}");
        assert!(text.contains("# USB device 06da:0002 at 1-3 (phoenixtec): interface is busy"), "{text}");
        assert!(!text.contains("192.0.2.8"), "{text}");
        for (name, port) in [("sim1000", "auto"), ("sim1000-2", "tcp://192.0.2.7:4001")] {
            let read = || nut::ups_conf::parse(text.as_bytes());
            assert!(read().wrong.is_empty(), "{:?}", read().wrong);
            let config = Configuration::of_section(&NUTDRV_QX, &read(), name, Purpose::Watch).unwrap();
            assert_eq!(config.ups.opening.address.to_string(), port);
            assert!(config.hints.is_empty(), "{:?}", config.hints);
            if let link::Address::Usb(options) = &config.ups.opening.address {
                let ScanPlace::Usb { device, .. } = &some()[0].place else { panic!() };
                assert_eq!(options.bridge_of(device).map(|bridge| bridge.name), Some("phoenixtec"));
                let other = Attached { place: "1-2.5".into(), ..device.clone() };
                assert!(options.bridge_of(&other).is_none(), "its twin");
            }
        }
    }

    #[test]
    fn what_a_device_says_begins_no_line() {
        let evil = "x\n[evil]\r\n\u{2028}\u{1b}[2J\"\\ # é";
        let mut found = some();
        found.truncate(1);
        found[0].answer = Ok(answer(evil));
        if let ScanPlace::Usb { device, mark, .. } = &mut found[0].place {
            *mark = Mark::Serial;
            device.serial = "S\n1".into();
            device.product = evil.into();
        }
        let ScanPlace::Usb { device, .. } = &found[0].place else { panic!() };
        let foreign = Attached { product_id: 1, ..device.clone() };
        let text = sections(&found, &[foreign], true);
        assert!(
            text.chars().all(|letter| "\n\t".contains(letter) || (' '..='~').contains(&letter)),
            "{text}"
        );
        let read = nut::ups_conf::parse(text.as_bytes());
        assert_eq!((read.wrong.len(), read.sections.len(), read.global.len()), (0, 1, 0), "{text}");
        let desc = read.sections[0].settings.iter().find(|setting| setting.name == "desc").unwrap();
        assert_eq!(desc.value.as_deref(), Some("A \"B\" x?[evil]????[2J\"\\ # ?"));
        let read: Value = serde_json::from_str(&json(&found)).unwrap();
        assert_eq!(read[0]["model"], evil);
    }

    #[test]
    fn programs_get_all_of_it() {
        let read: Value = serde_json::from_str(&json(&some())).unwrap();
        assert_eq!(read[0]["usb_serial"], "A#1");
        assert_eq!(read[1]["ups_conf"]["serial"], "B\\.2");
        assert_eq!(read[0]["maker"], "A \"B\"");
        assert_eq!((&read[0]["state"], &read[0]["dialect"]), (&"found".into(), &"megatec".into()));
        assert_eq!((&read[1]["state"], &read[3]["state"]), (&"busy".into(), &"not found".into()));
        assert_eq!(read[1]["error"], "interface is busy");
        assert_eq!(read[1]["bridge"], "phoenixtec");
        assert_eq!(read[2]["name"], "sim1000-2");
    }
}
