//! What keys do.

use super::super::place::UpsAddress;
use super::board::{Board, Panel, moved};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// How many rows a page key moves.
const PAGE: isize = 10;

/// What is to be done outside of the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Leave.
    Quit,
    /// Read all servers at once.
    Refresh,
    /// Ask which commands a UPS has.
    ListCommands(UpsAddress),
    /// Send a command.
    Give(UpsAddress, String),
}

/// Whether a command is sent without a question: what neither switches the load nor can end with the battery
/// empty. `shutdown.stop` is not one of them: on many UPSes it switches the load on.
pub fn is_harmless(command: &str) -> bool {
    command.starts_with("beeper.") || command.starts_with("test.panel.") || command == "test.battery.stop"
}

/// Whether a command says by its name that it switches the load.
pub fn switches(command: &str) -> bool {
    ["load.", "shutdown.", "outlet.", "bypass.", "driver.killpower"]
        .iter()
        .any(|start| command.starts_with(start))
}

/// A key is pressed.
pub fn press(board: &mut Board, key: KeyEvent) -> Option<Action> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Action::Quit);
    }
    let view = board.view.clone();
    if !matches!(view, Panel::Question(..)) {
        board.message.clear();
    }
    match view {
        Panel::Table => in_table(board, key.code),
        Panel::Details(ups, at) => in_details(board, ups, at, key.code),
        Panel::Commands(ups, list, at) => in_commands(board, ups, list, at, key.code),
        Panel::Question(ups, command) => in_question(board, ups, command, key.code),
    }
}

/// How far a key moves.
fn step(key: KeyCode) -> Option<isize> {
    match key {
        KeyCode::Up | KeyCode::Char('k') => Some(-1),
        KeyCode::Down | KeyCode::Char('j') => Some(1),
        KeyCode::PageUp => Some(-PAGE),
        KeyCode::PageDown => Some(PAGE),
        KeyCode::Home => Some(isize::MIN),
        KeyCode::End => Some(isize::MAX),
        _ => None,
    }
}

fn in_table(board: &mut Board, key: KeyCode) -> Option<Action> {
    match (key, board.chosen.clone()) {
        (KeyCode::Char('q') | KeyCode::Esc, _) => return Some(Action::Quit),
        (KeyCode::Char('r'), _) => return Some(Action::Refresh),
        (KeyCode::Enter, Some(ups)) => board.view = Panel::Details(ups, 0),
        (KeyCode::Char('c'), Some(ups)) => return to_commands(board, ups),
        _ => {
            if let Some(by) = step(key) {
                board.choose(by);
            }
        }
    }
    None
}

fn to_commands(board: &mut Board, ups: UpsAddress) -> Option<Action> {
    if board.user.is_none() {
        board.message = "commands need a user: start again with --user NAME".into();
        return None;
    }
    board.view = Panel::Commands(ups.clone(), None, 0);
    Some(Action::ListCommands(ups))
}

fn in_details(board: &mut Board, ups: UpsAddress, at: usize, key: KeyCode) -> Option<Action> {
    match key {
        KeyCode::Char('q') | KeyCode::Esc | KeyCode::Enter => board.view = Panel::Table,
        KeyCode::Char('r') => return Some(Action::Refresh),
        KeyCode::Char('c') => return to_commands(board, ups),
        _ => {
            let lines = board.rows.get(&ups).map_or(0, |row| row.variables.len());
            if let Some(by) = step(key) {
                board.view = Panel::Details(ups, moved(at, by, lines));
            }
        }
    }
    None
}

fn in_commands(
    board: &mut Board,
    ups: UpsAddress,
    list: Option<Vec<String>>,
    at: usize,
    key: KeyCode,
) -> Option<Action> {
    let commands = list.as_deref().unwrap_or_default();
    match (key, commands.get(at)) {
        (KeyCode::Char('q') | KeyCode::Esc, _) => board.view = Panel::Table,
        (KeyCode::Enter, Some(command)) if is_harmless(command) => {
            return Some(give(board, ups, command.clone()));
        }
        (KeyCode::Enter, Some(command)) => board.view = Panel::Question(ups, command.clone()),
        _ => {
            if let Some(by) = step(key) {
                let at = moved(at, by, commands.len());
                board.view = Panel::Commands(ups, list, at);
            }
        }
    }
    None
}

/// Only a y sends it.
fn in_question(board: &mut Board, ups: UpsAddress, command: String, key: KeyCode) -> Option<Action> {
    match key {
        KeyCode::Char('y' | 'Y') => Some(give(board, ups, command)),
        _ => {
            board.message = format!("{command} is not sent");
            board.view = Panel::Table;
            None
        }
    }
}

fn give(board: &mut Board, ups: UpsAddress, command: String) -> Action {
    board.message = format!("{ups} {command}: sent, waiting for the outcome");
    board.view = Panel::Table;
    Action::Give(ups, command)
}
