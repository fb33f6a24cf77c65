//! The other manual pages of NUT that say something of our drivers, as Debian installs them:
//! blazer_ser(8), blazer_usb(8), nutupsdrv(8) and ups.conf(5), and what nutdrv_qx(8) says to users of the
//! drivers of old. What they document is known here.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod page;

use driver::command_line::CommandLine;
use driver::upgrade::Upgrade;
use page::{name, page, section, terms};
use station::config::generic;
use station::driver_kind::{BLAZER_SER, BLAZER_USB, DriverKind, NUTDRV_QX};
use std::ffi::OsString;

fn every_option_is_known(kind: &DriverKind) {
    let page = page(&format!("8/{}", kind.name));
    let terms = terms(section(&page, "EXTRA ARGUMENTS"));
    assert!(terms.len() > 12, "{terms:?}");
    for term in terms {
        let option = name(&term);
        let variable = option.starts_with("default.") || option.starts_with("override.");
        assert!(variable || kind.option(option).is_some(), "{}: {term}", kind.name);
    }
}

#[test]
fn every_option_of_blazer_ser_is_known() {
    every_option_is_known(&BLAZER_SER);
}
#[test]
fn every_option_of_blazer_usb_is_known() {
    every_option_is_known(&BLAZER_USB);
}

#[test]
fn every_command_of_blazer_is_known() {
    for kind in [&BLAZER_SER, &BLAZER_USB] {
        let page = page(&format!("8/{}", kind.name));
        let terms = terms(section(&page, "UPS COMMANDS"));
        assert_eq!(terms.len(), 10, "{terms:?}");
        for term in terms {
            for protocol in kind.dialects {
                assert!(protocol.commands_named(name(&term)).next().is_some(), "{}: {term}", protocol.name);
            }
        }
    }
}

/// `a..b unit` in the text of an option.
#[test]
fn the_ranges_of_blazer_are_kept() {
    let page = page("8/blazer_ser");
    for option in ["ondelay", "offdelay"] {
        let text = &page[page.find(&format!("*{option} =*")).unwrap()..];
        let text = &text[..text.find(".RE").unwrap()];
        let range = text.lines().find_map(|line| line.split_once("..")).expect("a range");
        let edges: (u32, u32) = (range.0.parse().unwrap(), range.1.parse().unwrap());
        for protocol in BLAZER_SER.dialects {
            let delay = protocol.delays.iter().find(|delay| delay.option == option).unwrap();
            let allowed = |number: u32| delay.check_option(&number.to_string()).is_ok();
            assert!(allowed(edges.0) && allowed(edges.1) && !allowed(edges.1 + 1), "{option} {edges:?}");
            assert!(edges.0 == 0 || !allowed(edges.0 - 1), "{option} {edges:?}");
        }
    }
}

#[test]
fn every_dialect_of_blazer_is_known() {
    let page = page("8/blazer_ser");
    let text = &page[page.find("*protocol =*").unwrap()..];
    let text = &text[..text.find(".RE").unwrap()];
    let names: Vec<&str> = text.lines().skip(2).filter_map(|line| line.split('*').nth(1)).collect();
    assert_eq!(names.len(), BLAZER_SER.dialects.len(), "{names:?}");
    for name in names {
        assert!(BLAZER_SER.dialect(name).is_some(), "{name}");
    }
}

#[test]
fn every_name_of_ups_conf_is_known() {
    let page = page("5/ups.conf");
    let known = |title: &str, place: fn(&station::config::GenericRow) -> bool| {
        let terms = terms(section(&page, title));
        assert!(terms.len() >= 11, "{terms:?}");
        for term in terms {
            let name = name(&term).split(['[', '<']).next().unwrap();
            let variable = ["default.", "override."].contains(&name);
            let row = generic(name).is_some_and(place);
            assert!(variable || row || NUTDRV_QX.option(name).is_some(), "{title}: {term}");
        }
    };
    known("GLOBAL DIRECTIVES", |row| row.is_global());
    known("UPS FIELDS", |row| row.is_for_sections());
}

#[test]
fn every_flag_of_the_command_line_is_known() {
    let page = page("8/nutupsdrv");
    let terms = terms(section(&page, "OPTIONS"));
    assert!(terms.len() >= 15, "{terms:?}");
    for term in terms {
        let flag = name(&term);
        // something that any of them takes
        let value = if flag == "-x" { "a=b" } else { "1" };
        let takes_value = term.trim_start_matches(flag).chars().any(char::is_alphanumeric);
        let arguments = [flag, value].into_iter().take(1 + usize::from(takes_value));
        let line = CommandLine::parse(arguments.map(OsString::from));
        assert!(line.is_ok(), "{term}: {line:?}");
    }
}

#[test]
fn every_environment_variable_is_known() {
    let page = page("8/nutupsdrv");
    let text = section(&page, "ENVIRONMENT VARIABLES");
    let is_name = |word: &&str| word.starts_with("NUT_");
    let letters = |letter: char| !letter.is_ascii_uppercase() && letter != '_';
    let names: std::collections::BTreeSet<&str> = text.split(letters).filter(is_name).collect();
    // each is read in `Paths::from_environment`; the stations of the differential tests live by them
    assert_eq!(Vec::from_iter(names), ["NUT_ALTPIDPATH", "NUT_CONFPATH", "NUT_STATEPATH"]);
}

/// What the manuals say to users of the drivers of old stands in the table.
#[test]
fn every_upgrade_note_is_in_the_table() {
    let page = page("8/nutdrv_qx");
    for (title, driver, least) in [
        ("MEGATEC", "megatec", 4),
        ("BLAZER", "blazer_ser", 1),
        ("BESTUPS", "bestups", 3),
        ("VOLTRONIC", "voltronic", 17),
    ] {
        let text = section(&page, &format!("NOTES FOR THE PREVIOUS USER OF {title}"));
        let upgrade = Upgrade::of(driver).unwrap();
        let words = text.lines().filter(|line| line.starts_with('*')).flat_map(|line| line.split('*'));
        let is_option = |word: &&str| {
            let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            word.len() > 1 && word.bytes().all(letters) && !["and", "nutdrv_qx"].contains(word)
        };
        let mut count = 0;
        // what is written now stands in the same letters
        let now = ["cablepower", "battery_number", "value"];
        for option in words.filter(is_option).filter(|word| !now.contains(word)) {
            let known = upgrade.options.iter().any(|(name, _)| *name == option);
            assert!(known, "{driver}: {option}");
            count += 1;
        }
        assert!(count >= least, "{driver}: only {count} in\n{text}");
    }
}
