//! The board on the screen: a function of the board and of nothing else.

use super::super::place::UpsAddress;
use super::board::{Board, Panel, ServerState, UpsRow};
use super::keys::switches;
use super::status::{self, Tone};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, Clear, Paragraph, Row as TableRow, Table, TableState, Wrap};

/// From this width on input and output voltage are shown, and from this one the runtime.
const WIDE: u16 = 76;
const MIDDLE: u16 = 50;
/// Columns of the status at least.
const MIN_STATUS: u16 = 13;
/// Rows of what is known of the chosen UPS.
const SUMMARY: u16 = 6;
/// At this height there is room for it.
const HIGH: u16 = 14;
/// Stands for a value that there is not.
const NONE: &str = "-";

/// Draws all.
pub fn draw(frame: &mut Frame<'_>, board: &Board) {
    let area = frame.area();
    let summary = if area.height >= HIGH { SUMMARY } else { 0 };
    let message_lines = 1 + board.message.chars().count() / usize::from(area.width.max(1));
    let footer_lines = u16::try_from(message_lines).unwrap_or(1).min(if summary > 0 { 3 } else { 1 });
    let [top, middle, below, bottom] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(summary),
        Constraint::Length(footer_lines),
    ])
    .areas(area);
    frame.render_widget(header(board, area.width), top);
    if let Panel::Details(ups, from) = &board.view {
        let whole = Rect { height: middle.height + below.height, ..middle };
        details(frame, board, ups, *from, whole);
    } else {
        table(frame, board, middle);
        if summary > 0 {
            frame.render_widget(chosen(board), below);
        }
    }
    match &board.view {
        Panel::Commands(ups, list, at) => commands(frame, ups, list.as_deref(), *at, area),
        Panel::Question(ups, command) => question(frame, ups, command, area),
        Panel::Table | Panel::Details(..) => {}
    }
    frame.render_widget(footer(board), bottom);
}

fn header(board: &Board, width: u16) -> Paragraph<'static> {
    let servers = board.servers.iter().map(|(server, link)| match link {
        ServerState::Connected(true) => format!("{server} (encrypted)"),
        ServerState::Connected(false) => format!("{server} (in the clear)"),
        ServerState::Lost(_) => format!("{server} (NO CONNECTION)"),
    });
    let servers: Vec<String> = servers.collect();
    let mut text = format!("qxups top: {}", servers.join(", "));
    if servers.is_empty() {
        text += "connecting";
    } else if text.chars().count() > usize::from(width) {
        let lost = board.servers.values().filter(|link| matches!(link, ServerState::Lost(_))).count();
        text = format!("qxups top: {} servers, {lost} WITHOUT CONNECTION", servers.len());
    }
    Paragraph::new(text).style(Style::new().add_modifier(Modifier::BOLD))
}

fn footer(board: &Board) -> Paragraph<'static> {
    let keys = match board.view {
        _ if !board.message.is_empty() && !matches!(board.view, Panel::Question(..)) => {
            let style = Style::new().add_modifier(Modifier::BOLD);
            return Paragraph::new(board.message.clone()).wrap(Wrap { trim: true }).style(style);
        }
        Panel::Table => "arrows choose  Enter details  c commands  r read  q quit",
        Panel::Details(..) => "arrows scroll  c commands  r read  Esc back",
        Panel::Commands(..) => "arrows choose  Enter send  Esc back",
        Panel::Question(..) => "y send  any other key: do not send",
    };
    Paragraph::new(keys).style(Style::new().add_modifier(Modifier::REVERSED))
}

fn tone_style(board: &Board, tone: Tone) -> Style {
    let colour = match tone {
        Tone::Well => Color::Green,
        Tone::Plain => return Style::new(),
        Tone::Warning => Color::Yellow,
        Tone::Danger => Color::Red,
    };
    let style = if board.colours { Style::new().fg(colour) } else { Style::new() };
    if tone >= Tone::Warning { style.add_modifier(Modifier::BOLD) } else { style }
}

/// The status in so many columns. Where it does not fit, what is dangerous stands first.
fn status_line(board: &Board, row: &UpsRow, width: u16) -> Line<'static> {
    if row.no_data.is_some() {
        return Line::styled("NO DATA", tone_style(board, Tone::Danger));
    }
    let Some(status) = row.value("ups.status") else { return Line::raw(NONE) };
    let mut words: Vec<&str> = status.split_whitespace().collect();
    if words.join(" ").len() > usize::from(width) {
        words.sort_by_key(|word| std::cmp::Reverse(status::tone(word)));
    }
    let mut spans = vec![];
    for word in words {
        if !spans.is_empty() {
            spans.push(Span::raw(" "));
        }
        spans.push(Span::styled(word.to_string(), tone_style(board, status::tone(word))));
    }
    Line::from(spans)
}

fn with_unit(row: &UpsRow, name: &str, unit: &str) -> String {
    row.value(name).map_or(NONE.into(), |value| format!("{value} {unit}"))
}

/// Seconds as a watch shows them; what is no number stands as it is.
fn runtime(row: &UpsRow) -> String {
    let Some(text) = row.value("battery.runtime") else { return NONE.into() };
    let Some(seconds) = text.parse::<f64>().ok().filter(|seconds| (0.0..1e7).contains(seconds)) else {
        return text.into();
    };
    let seconds = std::time::Duration::from_secs_f64(seconds).as_secs();
    match seconds {
        0..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

fn table(frame: &mut Frame<'_>, board: &Board, area: Rect) {
    let wide = area.width >= WIDE;
    let middle = area.width >= MIDDLE;
    let one_server = board.servers.len() <= 1;
    let mut heads = vec!["UPS", "STATUS", "CHARGE", "LOAD"];
    let longest =
        board.rows.values().filter_map(|row| row.value("ups.status")).map(str::len).max().unwrap_or(0);
    let status = u16::try_from(longest).unwrap_or(u16::MAX).clamp(MIN_STATUS, MIN_STATUS.max(area.width / 3));
    let mut widths =
        vec![Constraint::Min(10), Constraint::Length(status), Constraint::Length(6), Constraint::Length(6)];
    if middle {
        heads.push("RUNTIME");
        widths.push(Constraint::Length(8));
    }
    if wide {
        heads.extend(["INPUT", "OUTPUT"]);
        widths.extend([Constraint::Length(7), Constraint::Length(7)]);
    }
    let rows = board.rows.iter().map(|(ups, row)| {
        let name = if one_server { ups.name.clone() } else { ups.to_string() };
        let mut cells = vec![
            Cell::from(name),
            Cell::from(status_line(board, row, status)),
            Cell::from(with_unit(row, "battery.charge", "%")),
            Cell::from(with_unit(row, "ups.load", "%")),
        ];
        if middle {
            cells.push(Cell::from(runtime(row)));
        }
        if wide {
            cells.push(Cell::from(with_unit(row, "input.voltage", "V")));
            cells.push(Cell::from(with_unit(row, "output.voltage", "V")));
        }
        TableRow::new(cells)
    });
    let table = Table::new(rows, widths)
        .header(TableRow::new(heads).style(Style::new().add_modifier(Modifier::UNDERLINED)))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED))
        .highlight_symbol("> ");
    let at = board.chosen.as_ref().and_then(|chosen| board.rows.keys().position(|ups| ups == chosen));
    let mut state = TableState::default().with_selected(at);
    frame.render_stateful_widget(table, area, &mut state);
}

/// What is to be known of the chosen UPS at a glance, or why there is none.
fn chosen(board: &Board) -> Paragraph<'static> {
    let block = Block::new().borders(Borders::TOP);
    let mut lines: Vec<Line<'static>> = vec![];
    if let Some((ups, row)) = board.chosen.as_ref().and_then(|ups| Some((ups, board.rows.get(ups)?))) {
        let maker = ["device.mfr", "device.model", "device.serial"].iter().filter_map(|name| row.value(name));
        let maker: Vec<&str> = maker.filter(|text| !text.trim().is_empty()).collect();
        lines.push(Line::raw(format!("{ups}  {}", maker.join(" "))));
        match (&row.no_data, row.value("ups.status")) {
            (Some(why), _) => {
                lines.push(Line::styled(format!("no data: {why}"), tone_style(board, Tone::Danger)))
            }
            (None, Some(text)) => {
                let loudest = text.split_whitespace().map(status::tone).max().unwrap_or(Tone::Plain);
                lines.push(Line::styled(status::plain(text), tone_style(board, loudest)));
            }
            (None, None) => {}
        }
        if let Some(alarm) = row.value("ups.alarm") {
            lines.push(Line::styled(format!("alarm: {alarm}"), tone_style(board, Tone::Danger)));
        }
        if let Some(test) = row.value("ups.test.result") {
            lines.push(Line::raw(format!("last test: {test}")));
        }
    }
    for link in board.servers.values() {
        if let ServerState::Lost(why) = link {
            lines.push(Line::styled(why.clone(), tone_style(board, Tone::Danger)));
        }
    }
    Paragraph::new(lines).wrap(Wrap { trim: true }).block(block)
}

fn details(frame: &mut Frame<'_>, board: &Board, ups: &UpsAddress, from: usize, area: Rect) {
    let block = Block::bordered().title(format!(" {ups} "));
    let lines: Vec<Line<'static>> = match board.rows.get(ups) {
        None => vec![Line::raw("the server has no such UPS any more")],
        Some(UpsRow { no_data: Some(why), .. }) => vec![Line::raw(format!("no data: {why}"))],
        Some(row) => {
            let known = row.variables.iter().map(|(name, value)| Line::raw(format!("{name}: {value}")));
            known.skip(from).collect()
        }
    };
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// A box in the middle of the screen, never larger than it.
fn boxed(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

fn commands(frame: &mut Frame<'_>, ups: &UpsAddress, list: Option<&[String]>, at: usize, area: Rect) {
    let rows = list.map_or(1, <[String]>::len).min(usize::from(area.height));
    let place = boxed(area, 46, u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(2));
    let block = Block::bordered().title(format!(" commands of {ups} "));
    frame.render_widget(Clear, place);
    let Some(list) = list else {
        frame.render_widget(Paragraph::new("asking the server").block(block), place);
        return;
    };
    let rows = list.iter().map(|name| TableRow::new([name.clone()]));
    let table = Table::new(rows, [Constraint::Min(1)])
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED))
        .highlight_symbol("> ")
        .block(block);
    let mut state = TableState::default().with_selected(Some(at));
    frame.render_stateful_widget(table, place, &mut state);
}

fn question(frame: &mut Frame<'_>, ups: &UpsAddress, command: &str, area: Rect) {
    let what = match switches(command) {
        true => {
            format!("{command} may switch the load of {ups} off or on.\n\nSend it? y: yes, any other key: no")
        }
        false => format!("Send {command} to {ups}?\n\ny: yes, any other key: no"),
    };
    let place = boxed(area, 56, 7);
    frame.render_widget(Clear, place);
    let text = Paragraph::new(what).wrap(Wrap { trim: true }).block(Block::bordered().title(" question "));
    frame.render_widget(text, place);
}
