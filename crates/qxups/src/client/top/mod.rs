//! `qxups top`: all UPSes of one or several servers, live in the terminal.

mod board;
mod draw;
mod keys;
mod status;
#[cfg(test)]
mod tests;

use super::access::{AccessOptions, Credentials, OrderUser, Reach, seconds};
use super::connection::NutConnection;
use super::feed::{self, Feed, News, or_all};
use super::order;
use super::place::{UpsAddress, UpsPlace};
use super::show;
use super::trouble::{ClientTrouble, ExitStatus, STATUSES};
use crate::out::Stop;
use board::Board;
use clap::Args;
use keys::Action;
use nut::network::client::{ClientOrder, Having, NetworkRequest};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
pub use status::plain as in_plain_words;
use std::io::{IsTerminal, Stdout, stdout};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::time::Duration;

/// How much news may wait to be shown.
const WAITING: usize = 256;
/// How often news is looked for while no key is pressed.
const GLANCE: Duration = Duration::from_millis(100);
/// How long the outcome of a command is waited for.
const OUTCOME: Duration = Duration::from_secs(30);

#[derive(Args)]
#[command(after_help = STATUSES)]
pub struct Top {
    /// UPSes: UPS[@HOST[:PORT]], or @HOST[:PORT] for all of a server; left out, all of this host
    #[arg(value_name = "UPS")]
    places: Vec<UpsPlace>,
    /// How often each UPS is read
    #[arg(short, long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    interval: Duration,
    #[command(flatten)]
    access: AccessOptions,
    #[command(flatten)]
    user: OrderUser,
}

/// What came of something that was asked for by a key.
enum Heard {
    /// The commands of a UPS, or why there are none.
    Commands(UpsAddress, Result<Vec<String>, String>),
    /// What became of an order.
    Outcome(String),
}

impl Top {
    /// # Errors
    /// [`ClientTrouble`].
    pub fn run(self) -> Result<ExitStatus, ClientTrouble> {
        if !stdout().is_terminal() {
            return Err(ClientTrouble::usage("top needs a terminal; 'qxups watch' prints changes as lines"));
        }
        let feed = Feed { reach: self.access.reach()?, user: None, interval: self.interval };
        let user = self.user.named()?;
        let (sender, news) = sync_channel(WAITING);
        let wakers = feed.start(&or_all(self.places), &sender);
        drop(sender);
        let mut screen = Screen::open()?;
        let orders = Orders { reach: feed.reach, user, wakers };
        orders.show(&mut screen, &news)
    }
}

/// How orders are given, and servers read at once.
struct Orders {
    reach: Reach,
    user: Option<Credentials>,
    wakers: Vec<Sender<()>>,
}

impl Orders {
    fn show(&self, screen: &mut Screen, news: &Receiver<News>) -> Result<ExitStatus, ClientTrouble> {
        let mut board = Board::new(self.user.as_ref().map(|user| user.user.clone()));
        board.colours = std::env::var_os("NO_COLOR").is_none_or(|text| text.is_empty());
        let (tell, heard) = channel();
        loop {
            screen.terminal.draw(|frame| draw::draw(frame, &board)).map_err(Stop::from)?;
            if event::poll(GLANCE).map_err(Stop::from)? {
                if let Event::Key(key) = event::read().map_err(Stop::from)? {
                    let action = (key.kind != KeyEventKind::Release).then(|| keys::press(&mut board, key));
                    match action.flatten() {
                        Some(Action::Quit) => return Ok(ExitStatus::Done),
                        Some(action) => self.act(action, &tell),
                        None => {}
                    }
                }
            }
            // a bounded part at a time, so that a flood leaves keys alive
            for said in news.try_iter().take(WAITING) {
                board.take(said);
            }
            for said in heard.try_iter().take(WAITING) {
                match said {
                    Heard::Commands(ups, found) => board.commands(ups, found),
                    Heard::Outcome(sentence) => board.message = sentence,
                }
            }
        }
    }

    fn act(&self, action: Action, tell: &Sender<Heard>) {
        let (reach, tell) = (self.reach.clone(), tell.clone());
        match (action, self.user.clone()) {
            (Action::Refresh, _) => feed::wake(&self.wakers),
            (Action::ListCommands(ups), _) => {
                std::thread::spawn(move || {
                    let found = commands(&ups, &reach).map_err(|trouble| trouble.sentence().to_string());
                    let _ = tell.send(Heard::Commands(ups, found));
                });
            }
            (Action::Give(ups, command), Some(user)) => {
                std::thread::spawn(move || {
                    let order = ClientOrder::Command {
                        ups: ups.name.clone(),
                        name: command.clone(),
                        parameter: None,
                    };
                    let sentence = match order::give_alone(&ups.server, &reach, &user, order, OUTCOME) {
                        Ok(seen) => seen.sentence(),
                        Err(trouble) => trouble.sentence().to_string(),
                    };
                    let _ = tell.send(Heard::Outcome(format!("{ups} {command}: {sentence}")));
                });
            }
            (Action::Give(..) | Action::Quit, _) => {}
        }
    }
}

fn commands(ups: &UpsAddress, reach: &Reach) -> Result<Vec<String>, ClientTrouble> {
    let mut connection = NutConnection::open(&ups.server, reach, None)?;
    let items = connection.list(NetworkRequest::List(Having::Commands, ups.name.clone()), &ups.name)?;
    connection.close();
    Ok(show::commands(items).collect())
}

/// The terminal, put back at the end.
struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    fn open() -> Result<Screen, ClientTrouble> {
        let terminal = Terminal::new(CrosstermBackend::new(stdout())).map_err(Stop::from)?;
        let screen = Screen { terminal };
        enable_raw_mode().map_err(Stop::from)?;
        execute!(stdout(), EnterAlternateScreen).map_err(Stop::from)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = disable_raw_mode();
        let _ = execute!(stdout(), LeaveAlternateScreen);
        let _ = self.terminal.show_cursor();
    }
}
