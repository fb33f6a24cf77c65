//! `qxups log`: readings to a file, with the format strings of upslog (NUT 2.8.0 docs/man/upslog.txt).

mod format;

use super::access::{AccessOptions, Credentials, OrderUser, Reach, seconds};
use super::connection::NutConnection;
use super::feed::wake;
use super::place::UpsAddress;
use super::show;
use super::trouble::{ClientTrouble, ExitStatus, STATUSES};
use crate::out;
use clap::Args;
use format::Format;
use nut::network::client::{About, Answer, Having, NetworkRequest};
use station::config::nearest;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// What upslog writes when nothing else is said (NUT 2.8.0 clients/upslog.h).
pub const USUAL_FORMAT: &str = "%TIME @Y@m@d @H@M@S% %VAR battery.charge% %VAR input.voltage% %VAR ups.load% \
     [%VAR ups.status%] %VAR ups.temperature% %VAR input.frequency%";
/// What stands for a value that there is not (NUT 2.8.0 clients/upslog.c).
const NONE: &str = "NA";
/// How many lines may wait to be written.
const WAITING: usize = 64;

#[derive(Args)]
#[command(after_help = STATUSES)]
pub struct LogOptions {
    /// UPSes: UPS[@HOST[:PORT]]; UPS,FILE writes those of this one to a file of their own
    #[arg(required = true, value_name = "UPS[,FILE]", value_parser = target)]
    upses: Vec<Target>,
    /// What a line says: %TIME FORMAT% (strftime's words with @ for %), %VAR NAME%, %HOST%, %UPSHOST%, %PID%,
    /// %ETIME% and %%, as of upslog
    #[arg(short, long, default_value = USUAL_FORMAT, value_parser = Format::parse)]
    format: Format,
    /// From line to line
    #[arg(short, long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    interval: Duration,
    /// The file to append to; - is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    logfile: PathBuf,
    /// End after so many lines of each UPS
    #[arg(short = 'n', long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    #[command(flatten)]
    access: AccessOptions,
    #[command(flatten)]
    user: OrderUser,
}

/// A UPS that is logged.
#[derive(Clone)]
struct Target {
    /// As it was named.
    named: String,
    ups: UpsAddress,
    /// A file of its own.
    file: Option<PathBuf>,
}

fn target(text: &str) -> Result<Target, String> {
    let (named, file) = match text.split_once(',') {
        Some((_, "")) => return Err("the name of the file behind the comma is missing".into()),
        Some((ups, file)) => (ups, Some(file.into())),
        None => (text, None),
    };
    Ok(Target { named: named.into(), ups: named.parse()?, file })
}

impl LogOptions {
    /// # Errors
    /// [`ClientTrouble`].
    pub fn run(self) -> Result<ExitStatus, ClientTrouble> {
        let failed = |error: std::io::Error| {
            ClientTrouble::Said(ExitStatus::Failed, format!("cannot wait for signals: {error}"))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (lines, taken) = mpsc::channel(WAITING);
        let (reach, user) = (self.access.reach()?, self.user.named()?);
        for target in &self.upses {
            self.look(target, &reach, user.as_ref())?;
        }
        let mut wakers = vec![];
        for target in &self.upses {
            let (wake, woken) = channel();
            wakers.push(wake);
            let logger = Logger {
                target: target.clone(),
                format: self.format.clone(),
                reach: reach.clone(),
                user: user.clone(),
                file: target.file.clone().unwrap_or_else(|| self.logfile.clone()),
            };
            let (interval, count, lines) = (self.interval, self.count, lines.clone());
            std::thread::spawn(move || {
                logger.log_on(interval, count, &lines, |pause| woken.recv_timeout(pause));
            });
        }
        drop(lines);
        let files = self.logfile != Path::new("-") || self.upses.iter().any(|target| target.file.is_some());
        runtime.block_on(write_on(taken, &wakers, files))?;
        Ok(ExitStatus::Done)
    }
}

impl LogOptions {
    /// Says what was mistyped before a log of nothing but NA begins. A server that is away now, and a variable that is like none
    /// of the UPS, may come.
    fn look(&self, target: &Target, reach: &Reach, user: Option<&Credentials>) -> Result<(), ClientTrouble> {
        let UpsAddress { name, server } = &target.ups;
        let Ok(mut connection) = NutConnection::open(server, reach, user) else { return Ok(()) };
        let Ok(upses) = connection.list(NetworkRequest::ListUps, "") else { return Ok(()) };
        let upses: Vec<String> = show::upses(upses).map(|(name, _)| name).collect();
        if !upses.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            let hint = match nearest(name, upses.iter().map(String::as_str)) {
                Some(known) => format!("did you mean {known}?"),
                None => format!("'qxups list @{server}' lists those that it has"),
            };
            let sentence = format!("{server} has no UPS '{name}'; {hint}");
            return Err(ClientTrouble::Said(ExitStatus::Failed, sentence));
        }
        let request = NetworkRequest::List(Having::Variables, name.clone());
        let Ok(variables) = connection.list(request, "") else { return Ok(()) };
        let variables: Vec<String> = show::variables(variables).map(|(name, _)| name).collect();
        let mistyped = self.format.variables().find_map(|wanted| {
            let is_known = variables.iter().any(|known| known.eq_ignore_ascii_case(wanted));
            if is_known || is_of_nut(wanted) {
                return None;
            }
            let near = nearest(wanted, variables.iter().map(String::as_str))?;
            // outlet 3 is not outlet 2 mistyped
            (without_digits(near) != without_digits(wanted)).then_some((wanted, near))
        });
        mistyped.map_or(Ok(()), |(wanted, near)| {
            let sentence = format!("{name} has no variable '{wanted}'; did you mean {near}?");
            Err(ClientTrouble::Said(ExitStatus::Failed, sentence))
        })
    }
}

/// Whether NUT has such a variable, or the server itself: then a UPS may be without it.
fn is_of_nut(name: &str) -> bool {
    name.starts_with("server.") || qx::vocabulary::variable::named(name).is_some()
}

fn without_digits(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

/// Writes lines until there are no more. SIGUSR1 asks for one of each UPS at once; SIGHUP is for upslog to open its
/// file again, which happens here with each line.
async fn write_on(
    mut lines: mpsc::Receiver<(PathBuf, String)>,
    wakers: &[Sender<()>],
    files: bool,
) -> Result<(), ClientTrouble> {
    let failed = |error: std::io::Error| {
        ClientTrouble::Said(ExitStatus::Failed, format!("cannot wait for signals: {error}"))
    };
    let mut now = signal(SignalKind::user_defined1()).map_err(failed)?;
    // a terminal that closes ends what writes to it, not what writes to a file
    let _reopen: Option<Signal> = files.then(|| signal(SignalKind::hangup())).transpose().map_err(failed)?;
    let mut full: BTreeMap<PathBuf, String> = BTreeMap::new();
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = now.recv() => {
                wake(wakers);
                continue;
            }
        };
        let Some((path, line)) = line else { return written(&full) };
        if path == Path::new("-") {
            out::print(&line)?;
            continue;
        }
        match append(&path, &line) {
            Ok(()) => drop(full.remove(&path)),
            Err(error) => {
                let why = error.to_string();
                if full.insert(path.clone(), why.clone()).as_ref() != Some(&why) {
                    out::tell(format_args!(
                        "qxups: cannot write to {}: {why}; make room or give another --logfile; it is tried again with each line",
                        path.display()
                    ));
                }
            }
        }
    }
}

/// The end; what could not be written is not passed over.
fn written(full: &BTreeMap<PathBuf, String>) -> Result<(), ClientTrouble> {
    match full.iter().next() {
        None => Ok(()),
        Some((path, why)) => {
            let sentence = format!(
                "lines are missing in {}: {why}; make room, or give another --logfile",
                path.display()
            );
            Err(ClientTrouble::Said(ExitStatus::Failed, sentence))
        }
    }
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(line.as_bytes())
}

/// What is logged of one UPS.
struct Logger {
    target: Target,
    format: Format,
    reach: Reach,
    user: Option<Credentials>,
    file: PathBuf,
}

impl Logger {
    fn log_on(
        &self,
        interval: Duration,
        count: Option<u64>,
        lines: &mpsc::Sender<(PathBuf, String)>,
        pause: impl Fn(Duration) -> Result<(), RecvTimeoutError>,
    ) {
        let mut connection = None;
        let mut trouble = String::new();
        let mut left = count;
        loop {
            let began = Instant::now();
            let line = self.line(&mut connection, &mut trouble);
            if lines.blocking_send((self.file.clone(), line)).is_err() {
                return;
            }
            left = left.map(|left| left - 1);
            if left == Some(0) {
                return;
            }
            if let Err(RecvTimeoutError::Disconnected) = pause(interval.saturating_sub(began.elapsed())) {
                return;
            }
        }
    }

    /// A line, with "NA" for what there is not. Why the connection is gone is told once.
    fn line(&self, kept: &mut Option<NutConnection>, trouble: &mut String) -> String {
        if kept.is_none() {
            match NutConnection::open(&self.target.ups.server, &self.reach, self.user.as_ref()) {
                Ok(connection) => *kept = Some(connection),
                Err(error) => tell_once(trouble, error.sentence()),
            }
        }
        let mut values = BTreeMap::new();
        for name in self.format.variables() {
            let Some(connection) = kept else { break };
            let request = NetworkRequest::Get(About::Value, self.target.ups.name.clone(), name.into());
            match connection.ask(request).map(|reply| reply.answer) {
                Ok(Ok(Answer::Value(value))) => {
                    trouble.clear();
                    values.insert(name.to_string(), value);
                }
                Ok(_) => {}
                Err(error) => {
                    tell_once(trouble, error.sentence());
                    *kept = None;
                }
            }
        }
        self.format.line(&self.target.named, &values, NONE)
    }
}

fn tell_once(told: &mut String, sentence: &str) {
    if told != sentence {
        out::tell(format_args!("qxups: {sentence}; it is tried again with each line"));
        *told = sentence.into();
    }
}
