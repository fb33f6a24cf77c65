//! The manual page of NUT's driver that Debian installs: every option, dialect, command, variable and
//! warning in it is known here.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod page;

use page::{name, section, terms};
use qx::protocols;
use qx::vocabulary::variable;
use qx::wire::query::{Effect, Meaning};
use station::driver_kind::NUTDRV_QX;

/// The page of nutdrv_qx(8).
fn page() -> String {
    page::page("8/nutdrv_qx")
}

#[test]
fn every_option_is_known() {
    let page = page();
    let end = page.find(".SH \"UPS COMMANDS").unwrap();
    let terms = terms(&page[..end]);
    assert!(terms.len() > 40, "{terms:?}");
    // NUT's generic options are read by the configuration itself
    let generic = ["port", "pollinterval"];
    let known = |term: &&String| {
        let name = name(term);
        NUTDRV_QX.option(name).is_some()
            || generic.contains(&name)
            || name.starts_with("default.")
            || name.starts_with("override.")
            || bridges(&page).contains(&name.to_string())
    };
    let unknown: Vec<&String> = terms.iter().filter(|term| !known(term)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// The USB bridges, which are explained among the options: values of `subdriver`.
fn bridges(page: &str) -> Vec<String> {
    let start = page.find("*subdriver =*").expect("the option subdriver");
    let rest = &page[start..];
    let text = &rest[..rest.find(".RE").unwrap()];
    text.split('*').map(str::to_string).collect()
}

#[test]
fn every_dialect_is_known() {
    let page = page();
    let start = page.find("*protocol =*").unwrap();
    let text = &page[start..];
    let text = &text[..text.find(".sp").unwrap()];
    let names: Vec<&str> = text.lines().skip(2).filter_map(|line| line.split('*').nth(1)).collect();
    assert_eq!(names.len(), 12, "{names:?}");
    for name in names {
        assert!(protocols::named(name).is_some(), "{name}");
    }
}

#[test]
fn every_command_is_known() {
    let page = page();
    let terms = terms(section(&page, "UPS COMMANDS"));
    assert!(terms.len() >= 10, "{terms:?}");
    for term in terms {
        let known =
            protocols::ALL.iter().any(|protocol| protocol.commands_named(name(&term)).next().is_some());
        // outlets are numbered
        let outlet = term.replace("outlet.n.", "outlet.1.");
        let known = known || protocols::VOLTRONIC.commands_named(&outlet).next().is_some();
        assert!(known, "{term}");
    }
}

#[test]
fn every_variable_is_known() {
    let page = page();
    let is_name = |word: &&str| {
        let parts: Vec<&str> = word.split('.').collect();
        let letters = |part: &&str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        parts.len() > 1 && parts.iter().all(letters) && parts[0].len() > 2
    };
    let words: Vec<&str> = page.split('*').filter(is_name).collect();
    assert!(words.len() > 20, "{words:?}");
    let prefixes = ["default.", "override.", "driver."];
    for word in words {
        let plain = prefixes.iter().find_map(|prefix| word.strip_prefix(prefix)).unwrap_or(word);
        // groups of commands are spoken of as well: test.battery
        let names = |name: &str| name == plain || name.starts_with(&format!("{plain}."));
        let command =
            protocols::ALL.iter().flat_map(|protocol| protocol.all_commands()).any(|row| names(row.name));
        let file = [".conf", ".txt", ".html"].iter().any(|end| plain.ends_with(end));
        assert!(command || file || variable::named(plain).is_some(), "{word}");
    }
}

/// The table of warnings: numbers and sentences.
#[test]
fn every_warning_is_known() {
    let page = page();
    let table = section(&page, "UPS WARNINGS");
    let cells: Vec<&str> = table
        .split("T{\n")
        .flat_map(|cell| cell.split("}:T{"))
        .map(|cell| cell.trim_start_matches("\n.sp").trim())
        .collect();
    let text = |cell: &str| {
        let cell = cell.split("T}").next().unwrap_or_default();
        cell.lines().filter(|line| *line != ".sp").collect::<Vec<_>>().join(" ").trim().to_string()
    };
    let cells: Vec<String> = cells.iter().map(|cell| text(cell)).filter(|cell| !cell.is_empty()).collect();
    let mut count = 0;
    for pair in cells.windows(2) {
        let Ok(number) = pair[0].parse::<u8>() else { continue };
        let ours = warning(number).unwrap_or_else(|| panic!("warning {number}"));
        let plain = |text: &str| {
            text.trim_end_matches('.').to_lowercase().replace(['-', '!'], " ").replace("upses", "upss")
        };
        assert_eq!(plain(ours), plain(&pair[1]), "warning {number}");
        count += 1;
    }
    assert!(count > 50, "only {count} warnings in the table: {cells:?}");
}

fn warning(number: u8) -> Option<&'static str> {
    let queries = protocols::VOLTRONIC.queries.iter().filter(|query| query.ask == "QWS");
    let rows = queries.flat_map(|query| query.fields).filter_map(|field| match field.meaning {
        Meaning::Bits(rows) => Some(rows),
        _ => None,
    });
    let mut alarms = rows.flatten().flat_map(|row| row.one.parts()).filter_map(|part| match part {
        Effect::Alarm(alarm) => Some(alarm),
        _ => None,
    });
    alarms.find(|alarm| alarm.warning.is_some_and(|warning| warning.number == number)).map(|alarm| alarm.text)
}
