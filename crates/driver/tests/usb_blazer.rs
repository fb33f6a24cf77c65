//! `blazer_usb` of NUT and ours on its four bridges, on a real Linux USB stack: the same is shown and sent.
//! Ours is a link to nutdrv_qx.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beside;
mod machine;

use beside::{listed, nearly, of_the_driver, without_estimates};
use machine::Machine;
use qx::usb::bridge::{UsbId, usb};
use qx::usb::bridges;
use simulator::usbip::Converter;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use testbed::nut::{Which, both};
use testbed::ups::SimUps;

/// A bridge, the device it is in, and the dialect of the UPS. What calls itself MEC0003 is hunnox to
/// nutdrv_qx; blazer_usb goes by the numbers.
const UNITS: [(&str, UsbId, &str); 4] = [
    ("cypress", usb(0x0665, 0x5161), "megatec"),
    ("krauler", usb(0x0001, 0x0000).by("MEC").called("MEC0003"), "megatec"),
    ("ippon", usb(0x06da, 0x0003), "mustek"),
    ("phoenix", usb(0x06da, 0x0601), "zinto"),
];

const QUESTIONS: [&str; 6] = ["Q1", "QS", "D", "F", "I", "FW?"];

/// What a driver showed and did: lines that say what, and how it came out.
type Told = BTreeMap<String, String>;

fn told(which: Which) -> Told {
    let machine = Machine::start("blazer", which);
    let driver = match which {
        Which::Ours => {
            machine.must("ln -s nutdrv_qx /lib/qxups/blazer_usb");
            "/lib/qxups/blazer_usb"
        }
        _ => {
            machine.put(&which.folder().join("blazer_usb"), "/lib/nut/blazer_usb");
            "/lib/nut/blazer_usb"
        }
    };
    let mut plugged = vec![];
    let mut conf = String::from("maxretry = 1\nuser = root\npollinterval = 1\n");
    for (place, (name, id, dialect)) in UNITS.into_iter().enumerate() {
        let bridge = bridges::named(name).unwrap();
        let converter = Converter { bridge, id, serial: format!("QX-{name}") };
        // an ippon says something when there is nothing to say
        let nothing = if name == "ippon" { "usb nothing nul" } else { "usb nothing off" };
        let knobs = ["unknown silent", "speed 0.1", nothing];
        let (ups, tcp) = SimUps::start_usb(name, which, dialect, &knobs, converter);
        machine.attach(place as u8, tcp);
        plugged.push((name, ups));
        conf += &format!(
            "[{name}]\ndriver = blazer_usb\nport = auto\nserial = QX-{name}\nprotocol = {dialect}\n"
        );
    }
    machine.configure(&[]);
    machine.write("/etc/nut/ups.conf", &conf);
    let mut told = Told::new();
    for (name, _) in &plugged {
        let said = machine.run(&format!("{driver} -a {name} >/tmp/{name}.log 2>&1"));
        assert_eq!(said.code, Some(0), "{which:?} {name}: {}", machine.driver_log(name));
    }
    machine.start_upsd();
    for (state, knobs) in [("mains", &[][..]), ("low battery", &["mains fail", "charge 10"])] {
        for (_, ups) in &plugged {
            knobs.iter().for_each(|knob| ups.turn(knob));
        }
        std::thread::sleep(Duration::from_secs(9));
        for (name, _) in &plugged {
            let own = |(key, _): &(String, String)| {
                !key.starts_with("driver.version") && !key.starts_with("driver.state") && !of_the_driver(key)
            };
            let mut listing = machine.upsc(name);
            without_estimates(&mut listing);
            told.extend(
                listing.into_iter().filter(own).map(|(key, value)| (format!("{name} {state}: {key}"), value)),
            );
        }
    }
    std::thread::scope(|scope| {
        let doing: Vec<_> =
            plugged.iter().map(|(name, ups)| scope.spawn(|| orders(&machine, name, ups))).collect();
        doing.into_iter().for_each(|orders| told.extend(orders.join().unwrap()));
    });
    told
}

/// Every command that is offered: how it ended, and what the UPS heard.
fn orders(machine: &Machine, name: &str, ups: &SimUps) -> Told {
    ups.turn("mains back");
    let offered = machine.run(&format!("upscmd -l {name}@127.0.0.1 2>/dev/null")).out;
    let commands = offered.lines().filter_map(|line| line.split_once(" - ")).map(|(command, _)| command);
    let do_one = |command: &str| {
        ups.forget();
        let said = machine.run(&format!("upscmd -w -u admin -p secret {name}@127.0.0.1 {command} 2>&1"));
        let heard: Vec<String> =
            ups.heard().into_iter().filter(|line| !QUESTIONS.contains(&line.as_str())).collect();
        format!("{} {heard:?}", said.out.lines().last().unwrap_or_default())
    };
    // a UPS that is off has nothing to say
    let commands = commands.filter(|command| *command != "load.off" && !of_the_driver(command));
    commands.map(|command| (format!("{name} does: {command}"), do_one(command))).collect()
}

/// Krauler: NUT's driver asks ten times for a reply that never comes, and each time is a command.
fn is_repeated(what: &str, nut: &str, ours: &str) -> bool {
    what.starts_with("krauler does: ")
        && nut.starts_with("SUCCESS")
        && ours.starts_with("SUCCESS")
        && nut.matches(", ").count() == 9
        && ours.matches(", ").count() == 0
}

/// Krauler has no string for it, so nothing was sent: that is no success.
fn is_unsent(what: &str, nut: &str, ours: &str) -> bool {
    what.starts_with("krauler does: ") && (nut, ours) == ("SUCCESS []", "ERR FAILED []")
}

#[test]
fn blazer_usb_shows_and_does_the_same() {
    let _alone = machine::alone();
    let (nut, ours) = both(told);
    let mut wrong = vec![];
    for what in nut.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
        let (one, other) = (nut.get(what), ours.get(what));
        let name = what.rsplit(": ").next().unwrap();
        if nearly(name, one, other) {
            continue;
        }
        match (one, other) {
            (Some(one), Some(other)) if is_repeated(what, one, other) => listed("usb-command-once"),
            (Some(one), Some(other)) if is_unsent(what, one, other) => listed("blazer-unsent"),
            _ => wrong.push(format!("{what}: NUT {one:?}, ours {other:?}")),
        }
    }
    println!("{} values and orders compared", ours.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (name, ..) in UNITS {
        assert_eq!(ours[&format!("{name} low battery: ups.status")], "OB LB", "{name}");
        assert!(ours.contains_key(&format!("{name} does: shutdown.return")), "{name}");
    }
    // the differences are still there
    let one = |what: &str| (nut[what].as_str(), ours[what].as_str());
    let (quick, unsent) = ("krauler does: test.battery.start.quick", "krauler does: shutdown.return");
    assert!(is_repeated(quick, one(quick).0, one(quick).1), "{:?}", one(quick));
    assert!(is_unsent(unsent, one(unsent).0, one(unsent).1), "{:?}", one(unsent));
}
