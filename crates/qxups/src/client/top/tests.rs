use super::super::feed::News;
use super::super::place::{ServerAddress, UpsAddress};
use super::super::trouble::ExitStatus;
use super::board::{Board, Panel};
use super::draw::draw;
use super::keys::{Action, is_harmless, press, switches};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier};

fn ups(name: &str) -> UpsAddress {
    name.parse().unwrap()
}

fn server() -> ServerAddress {
    "h".parse().unwrap()
}

fn read(name: &str, pairs: &[(&str, &str)]) -> News {
    News::Read(ups(name), pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
}

/// Two UPSes, one in an outage, and one without data.
fn board(user: Option<&str>) -> Board {
    let mut board = Board::new(user.map(String::from));
    board.take(News::Connected(server(), false));
    let outage = [
        ("ups.status", "OB LB DISCHRG"),
        ("battery.charge", "9"),
        ("battery.runtime", "65"),
        ("ups.alarm", "Hot!"),
    ];
    board.take(read("cellar@h", &outage));
    let well = [
        ("ups.status", "OL"),
        ("battery.charge", "100"),
        ("battery.runtime", "3725"),
        ("ups.load", "42"),
        ("input.voltage", "230.1"),
    ];
    board.take(read("rack@h", &well));
    board.take(News::Refused(ups("gone@h"), ExitStatus::NoData, "stale".into()));
    board.take(News::Round(server()));
    board
}

fn drawn(board: &Board, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, board)).unwrap();
    terminal.backend().buffer().clone()
}

fn lines(buffer: &Buffer) -> Vec<String> {
    let line = |row: &[ratatui::buffer::Cell]| row.iter().map(|cell| cell.symbol()).collect::<String>();
    buffer
        .content()
        .chunks(usize::from(buffer.area.width))
        .map(|row| line(row).trim_end().to_string())
        .collect()
}

/// Style of the first letter of a text.
fn style_of(buffer: &Buffer, text: &str) -> (Color, Modifier) {
    let lines = lines(buffer);
    let (y, x) = lines.iter().enumerate().find_map(|(y, line)| Some((y, line.find(text)?))).unwrap();
    // all letters before it are of one byte in these tables
    let cell = &buffer[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())];
    (cell.fg, cell.modifier)
}

fn key(board: &mut Board, code: KeyCode) -> Option<Action> {
    press(board, KeyEvent::new(code, KeyModifiers::NONE))
}

#[test]
fn everything_is_readable_at_80_by_24() {
    let buffer = drawn(&board(None), 80, 24);
    let shown = lines(&buffer);
    let words = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>().join(" ");
    assert_eq!(words(&shown[0]), "qxups top: h (in the clear)");
    assert_eq!(words(&shown[1]), "UPS STATUS CHARGE LOAD RUNTIME INPUT OUTPUT");
    assert_eq!(words(&shown[2]), "> cellar OB LB DISCHRG 9 % - 1:05 - -");
    assert_eq!(words(&shown[3]), "gone NO DATA - - - - -");
    assert_eq!(words(&shown[4]), "rack OL 100 % 42 % 1:02:05 230.1 V -");
    // the chosen one in plain words
    assert!(shown.iter().any(|line| line == "on battery, battery low, discharging"), "{shown:#?}");
    assert!(shown.iter().any(|line| line == "alarm: Hot!"), "{shown:#?}");
    assert!(shown[23].contains("q quit"), "{shown:#?}");
}

#[test]
fn at_60_columns_the_status_and_the_keys_are_whole() {
    let shown = lines(&drawn(&board(None), 60, 24));
    assert!(
        shown[2].contains("OB LB DISCHRG") && shown[2].contains("9 %") && shown[2].contains("1:05"),
        "{shown:#?}"
    );
    assert!(shown[23].ends_with("q quit"), "{shown:#?}");
}

#[test]
fn a_status_that_does_not_fit_shows_what_is_dangerous() {
    let mut board = board(None);
    board.take(read("cellar@h", &[("ups.status", "OL CHRG BOOST ECO BYPASS TRIM HB CAL RB OVER")]));
    let shown = lines(&drawn(&board, 60, 24));
    assert!(shown[2].contains("RB OVER"), "{shown:#?}");
}

#[test]
fn words_have_colours_and_never_colours_alone() {
    let mut board = board(None);
    board.chosen = Some(ups("gone@h"));
    let buffer = drawn(&board, 80, 24);
    assert_eq!(style_of(&buffer, "LB DISCHRG"), (Color::Red, Modifier::BOLD));
    assert_eq!(style_of(&buffer, "OB LB"), (Color::Yellow, Modifier::BOLD));
    board.colours = false;
    let buffer = drawn(&board, 80, 24);
    assert_eq!(style_of(&buffer, "LB DISCHRG"), (Color::Reset, Modifier::BOLD));
    assert!(buffer.content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
}

#[test]
fn no_size_breaks_it() {
    let mut all = vec![board(None), Board::new(None)];
    let view = |view: Panel| {
        let mut board = board(Some("admin"));
        board.view = view;
        board.message = "x".repeat(500);
        board
    };
    let commands: Vec<String> = (0..300).map(|at| format!("outlet.{at}.load.off")).collect();
    all.push(view(Panel::Details(ups("rack@h"), usize::MAX)));
    all.push(view(Panel::Commands(ups("rack@h"), Some(commands), 299)));
    all.push(view(Panel::Commands(ups("rack@h"), None, 0)));
    all.push(view(Panel::Question(ups("rack@h"), "load.off".into())));
    for board in &all {
        for (width, height) in [(1, 1), (2, 3), (20, 5), (49, 13), (60, 14), (76, 24), (300, 100)] {
            drawn(board, width, height);
        }
    }
}

#[test]
fn what_a_lost_server_said_is_not_shown_as_fresh() {
    let mut board = board(None);
    board.take(News::Lost(server(), "cannot connect to h: refused".into()));
    let shown = lines(&drawn(&board, 80, 24)).join("\n");
    assert!(shown.contains("h (NO CONNECTION)") && shown.contains("cannot connect to h: refused"), "{shown}");
    assert!(!shown.contains("100 %") && !shown.contains("OB LB"), "{shown}");
    // a round that could not be made removes nothing
    board.take(News::Round(server()));
    assert_eq!(board.rows.len(), 3);
}

#[test]
fn a_ups_that_the_server_has_no_more_leaves() {
    let mut board = board(None);
    board.take(read("rack@h", &[("ups.status", "OL")]));
    board.take(News::Round(server()));
    assert_eq!(board.rows.keys().map(|ups| ups.name.as_str()).collect::<Vec<_>>(), ["rack"]);
    assert_eq!(board.chosen, Some(ups("rack@h")));
}

#[test]
fn a_runtime_that_is_no_number_stands_as_it_is() {
    let mut board = board(None);
    for (text, shown) in
        [("x", " x "), ("-5", " -5 "), ("inf", " inf "), ("59.9", " 0:59 "), ("3600", " 1:00:00 ")]
    {
        board.take(read("rack@h", &[("ups.status", "OL"), ("battery.runtime", text)]));
        let lines = lines(&drawn(&board, 80, 24));
        assert!(format!("{} ", lines[4]).contains(shown), "{text}: {lines:#?}");
    }
}

#[test]
fn what_switches_the_load_is_asked_before_it_is_sent_and_only_y_sends_it() {
    let commands = || Ok(vec!["beeper.mute".to_string(), "load.off".to_string()]);
    for (answer, sent) in [('y', true), ('n', false), (' ', false), ('q', false)] {
        let mut board = board(Some("admin"));
        assert_eq!(key(&mut board, KeyCode::Char('c')), Some(Action::ListCommands(ups("cellar@h"))));
        board.commands(ups("cellar@h"), commands());
        key(&mut board, KeyCode::Down);
        assert_eq!(key(&mut board, KeyCode::Enter), None, "not before the question");
        let shown = lines(&drawn(&board, 80, 24)).join("\n");
        assert!(shown.contains("load.off may switch the load of cellar@h"), "{shown}");
        let given = key(&mut board, KeyCode::Char(answer));
        assert_eq!(given, sent.then(|| Action::Give(ups("cellar@h"), "load.off".into())), "{answer:?}");
        assert_eq!(board.view, Panel::Table);
    }
    let mut board = board(Some("admin"));
    key(&mut board, KeyCode::Char('c'));
    board.commands(ups("cellar@h"), commands());
    // Enter twice is no yes
    key(&mut board, KeyCode::Down);
    key(&mut board, KeyCode::Enter);
    assert_eq!(key(&mut board, KeyCode::Enter), None);
    // what switches nothing goes at once
    key(&mut board, KeyCode::Char('c'));
    board.commands(ups("cellar@h"), commands());
    assert_eq!(key(&mut board, KeyCode::Enter), Some(Action::Give(ups("cellar@h"), "beeper.mute".into())));
}

#[test]
fn commands_of_nut_that_switch_are_never_harmless() {
    // NUT 2.8.0 data/cmdvartab
    for name in [
        "load.off",
        "load.on",
        "load.off.delay",
        "load.on.delay",
        "shutdown.return",
        "shutdown.stayoff",
        "shutdown.stop",
        "shutdown.reboot",
        "shutdown.reboot.graceful",
        "bypass.start",
        "bypass.stop",
        "outlet.1.load.off",
        "outlet.0.shutdown.return",
        "driver.killpower",
    ] {
        assert!(!is_harmless(name) && switches(name), "{name}");
    }
    for name in [
        "test.battery.start",
        "test.battery.start.deep",
        "calibrate.start",
        "reset.watchdog",
        "x.vendor.thing",
    ] {
        assert!(!is_harmless(name), "{name}");
    }
}

#[test]
fn without_a_user_no_command_is_offered() {
    let mut board = board(None);
    assert_eq!(key(&mut board, KeyCode::Char('c')), None);
    assert!(board.message.contains("--user"), "{}", board.message);
    assert_eq!(board.view, Panel::Table);
}

#[test]
fn keys_choose_and_leave() {
    let mut board = board(None);
    for (code, name) in [
        (KeyCode::Down, "gone"),
        (KeyCode::End, "rack"),
        (KeyCode::Down, "rack"),
        (KeyCode::Home, "cellar"),
        (KeyCode::Up, "cellar"),
    ] {
        key(&mut board, code);
        assert_eq!(board.chosen.as_ref().unwrap().name, name);
    }
    key(&mut board, KeyCode::Enter);
    assert!(lines(&drawn(&board, 80, 24)).join("\n").contains("battery.charge: 9"));
    assert_eq!(key(&mut board, KeyCode::Esc), None);
    assert_eq!(key(&mut board, KeyCode::Char('r')), Some(Action::Refresh));
    assert_eq!(key(&mut board, KeyCode::Char('q')), Some(Action::Quit));
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    board.view = Panel::Question(ups("rack@h"), "load.off".into());
    assert_eq!(press(&mut board, interrupt), Some(Action::Quit));
}

#[test]
fn commands_that_come_late_open_nothing() {
    let mut board = board(Some("admin"));
    key(&mut board, KeyCode::Char('c'));
    key(&mut board, KeyCode::Esc);
    board.commands(ups("cellar@h"), Ok(vec!["load.off".into()]));
    assert_eq!(board.view, Panel::Table);
    key(&mut board, KeyCode::Char('c'));
    board.commands(ups("rack@h"), Ok(vec!["load.off".into()]));
    assert_eq!(board.view, Panel::Commands(ups("cellar@h"), None, 0));
}
