//! `qxups demo`: the whole server on simulated UPSes of several dialects, one of which goes through outages, with its page
//! and its history. What it shows is read from that server as any client reads it.

mod board;
mod stage;

use crate::client::{Feed, News, Reach, ServerAddress, UpsPlace};
use crate::out::{self, Stop};
use board::DemoBoard;
use clap::Args;
use driver::process;
use nix::sys::signal::Signal;
use nix::unistd::getpid;
use nut::network::client::TlsMode;
use stage::DemoStage;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tls::Verify;

/// How often the UPSes are read, and drawn at least.
const FRAME: Duration = Duration::from_millis(500);
/// How much news may wait to be shown.
const WAITING: usize = 256;

/// The options of `qxups demo`.
#[derive(Args)]
pub struct Demo {
    /// The dialect of the UPS that goes through outages
    #[arg(short, long, default_value = stage::DIALECT)]
    protocol: String,
    /// Listen for clients of NUT here; left out: on this host alone, at port 3493, or another where that is in use
    #[arg(short, long, value_name = "ADDRESS[:PORT]")]
    listen: Option<String>,
    /// Print lines instead of drawing in place
    #[arg(long)]
    plain: bool,
}

impl Demo {
    /// The one that listens there, as lines.
    pub fn at(listen: Option<String>) -> Demo {
        Demo { protocol: stage::DIALECT.into(), listen, plain: true }
    }

    /// Serves and shows until it is stopped.
    ///
    /// # Errors
    /// There is no such dialect, or nothing can be shown.
    pub fn run(self) -> Result<ExitCode, Stop> {
        let stage = DemoStage::new(&self.protocol, self.listen.as_deref())?;
        let mut board = DemoBoard::new(stage.introduction(), stage.upses());
        let is_drawn = !self.plain && std::io::stdout().is_terminal();
        out::print(&if is_drawn { board.draw() } else { board.introduction_lines() })?;
        let (end, ended) = sync_channel(1);
        let shown = show(board, is_drawn, stage.server(), ended);
        let code = ::serve::program::run(stage.plan());
        // one that has ended hears it no more
        let _ = end.send(());
        drop(stage);
        match shown.join() {
            Ok(Ok(())) => Ok(code),
            Ok(Err(stop)) => Err(stop),
            Err(_) => Err("what shows the UPSes has ended; report this as a bug".into()),
        }
    }
}

/// Reads the server and shows what it says, beside it; where that cannot be shown any more, the server is stopped.
fn show(
    board: DemoBoard,
    is_drawn: bool,
    server: ServerAddress,
    ended: Receiver<()>,
) -> JoinHandle<Result<(), Stop>> {
    std::thread::spawn(move || {
        let done = follow(board, is_drawn, server, &ended);
        if done.is_err() {
            // as Control-C does
            let _ = process::signal(getpid(), Signal::SIGTERM);
        }
        done
    })
}

fn follow(
    mut board: DemoBoard,
    is_drawn: bool,
    server: ServerAddress,
    ended: &Receiver<()>,
) -> Result<(), Stop> {
    let reach = Reach { tls: TlsMode::Never, verify: Verify::Nothing, timeout: Duration::from_secs(5) };
    let feed = Feed { reach, user: None, interval: FRAME };
    let (sender, news): (SyncSender<News>, _) = sync_channel(WAITING);
    let wakers = feed.start(&[UpsPlace { ups: None, server }], &sender);
    let began = Instant::now();
    // before, the server would not hear that it is to end
    let mut is_serving = false;
    loop {
        let came = news.recv_timeout(FRAME);
        let is_round = matches!(came, Ok(News::Round(_)));
        match came {
            Ok(News::Connected(..)) => is_serving = true,
            Ok(News::Read(ups, variables)) => board.read(&ups.name, variables, began.elapsed()),
            Ok(News::Refused(ups, _, why)) => board.refused(&ups.name, why, began.elapsed()),
            // until it serves, and when it ends
            Ok(News::Lost(..) | News::Round(_)) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err("the server is read no more".into()),
        }
        let text = match is_drawn {
            true if is_round => board.draw(),
            true => String::new(),
            false => board.take_lines(),
        };
        if is_serving && !text.is_empty() {
            out::print(&text)?;
        }
        if ended.try_recv().is_ok() {
            drop(wakers);
            return Ok(());
        }
    }
}
