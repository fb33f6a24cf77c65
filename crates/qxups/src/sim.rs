//! `qxups sim`: a simulated UPS for any driver.

use crate::out::{self, Stop};
use clap::Args;
use link::read_piped;
use qx::usb::bridge::usb;
use qx::usb::bridges;
use qx::vocabulary::moment::Moment;
use simulator::end::SharedUps;
use simulator::knob::{Knob, help};
use simulator::profile::Profile;
use simulator::pty::Pty;
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use simulator::usbip::{self, Converter};
use simulator::{control, pty, tcp};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// No script is longer, in bytes.
const LONGEST_SCRIPT: u64 = 1024 * 1024;

/// The options of `qxups sim`.
#[derive(Args)]
#[command(after_help = format!("Knobs, for --knob, scripts (at 10s KNOB, every 60s KNOB) and the control socket:\n{}", help()))]
pub struct SimOptions {
    /// The dialect it speaks
    #[arg(short, long, default_value = "megatec")]
    protocol: String,
    /// Make this name point at the pseudo-terminal
    #[arg(short, long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Listen here instead of on a pseudo-terminal
    #[arg(short, long, value_name = "HOST:PORT", conflicts_with = "link")]
    tcp: Option<String>,
    /// Be this USB converter with the UPS behind it, over the USB/IP protocol (with --tcp)
    #[arg(short, long, value_name = "BRIDGE", requires = "tcp")]
    bridge: Option<String>,
    /// Numbers of the converter, where it has several: VID:PID
    #[arg(long, value_name = "VID:PID", requires = "bridge")]
    usb_id: Option<String>,
    /// Play this script
    #[arg(short, long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Take knobs from a Unix socket here, one a line
    #[arg(short, long, value_name = "PATH")]
    control: Option<PathBuf>,
    /// Turn a knob at the start; may be given again
    #[arg(short, long)]
    knob: Vec<String>,
    /// Troubles come from this seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// End after so many seconds
    #[arg(long, value_name = "SECONDS")]
    end: Option<f64>,
}

/// The signals that ask to end: those that would otherwise leave link and socket behind.
struct Ends([Signal; 3]);

impl Ends {
    /// From now on they do not end the process.
    fn catch() -> std::io::Result<Ends> {
        let on = |kind| signal(kind);
        Ok(Ends([on(SignalKind::interrupt())?, on(SignalKind::terminate())?, on(SignalKind::hangup())?]))
    }

    /// Waits for one of them.
    async fn asked(&mut self) {
        let Ends([interrupt, terminate, hangup]) = self;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// Whether the kernel lets only its owner follow a link: one in a sticky folder that everybody may write to, and
/// that is not its owner's (fs.protected_symlinks, proc_sys_fs(5)).
fn only_its_owner_follows(link: &Path) -> bool {
    let is_on =
        std::fs::read_to_string("/proc/sys/fs/protected_symlinks").is_ok_and(|text| text.trim() == "1");
    let folder = link.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.metadata(), link.symlink_metadata()) {
        (Ok(folder), Ok(link)) => is_on && folder.mode() & 0o1002 == 0o1002 && folder.uid() != link.uid(),
        _ => false,
    }
}

/// What is said of an unknown dialect.
pub fn no_such_protocol(name: &str) -> String {
    let names: Vec<&str> = qx::protocols::ALL.iter().map(|protocol| protocol.name).collect();
    format!("there is no dialect '{name}'; there are {}", names.join(", "))
}

/// What is said of an unknown bridge.
pub fn no_such_bridge(name: &str) -> String {
    let names: Vec<&str> = bridges::ALL.iter().map(|bridge| bridge.name).collect();
    format!("there is no bridge '{name}'; there are {}", names.join(", "))
}

/// Reads `0665:5161`.
pub fn usb_numbers(text: &str) -> Option<(u16, u16)> {
    let (vendor, product) = text.split_once(':')?;
    Some((u16::from_str_radix(vendor, 16).ok()?, u16::from_str_radix(product, 16).ok()?))
}

impl SimOptions {
    /// Runs until it is told to end.
    ///
    /// # Errors
    /// A sentence.
    pub fn run(self) -> Result<ExitCode, Stop> {
        let protocol =
            qx::protocols::named(&self.protocol).ok_or_else(|| no_such_protocol(&self.protocol))?;
        let script = match &self.script {
            None => Script::default(),
            Some(path) => {
                let text = read_piped(path, LONGEST_SCRIPT)
                    .map_err(|error| format!("{}: {error}; name a script by --script", path.display()))?;
                Script::parse(&String::from_utf8_lossy(&text))
                    .map_err(|why| format!("{}: {why}", path.display()))?
            }
        };
        let mut ups = SimulatedUps::new(protocol, Profile::default(), Trouble::new(self.seed), script);
        for text in &self.knob {
            ups.turn(Knob::parse(text)?, Moment::ZERO);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        runtime.block_on(async {
            // before anything is made that has to be taken along
            let mut ends = Ends::catch().map_err(|error| error.to_string())?;
            let shared = SharedUps::new(ups);
            // what ends here takes its link and its socket along
            tokio::select! {
                ended = self.serve(&shared) => ended,
                ended = self.take_orders(&shared) => ended.map_err(|error| format!("control socket: {error}").into()),
                () = ends.asked() => Ok(()),
                () = self.time_is_over() => Ok(()),
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }

    async fn serve(&self, shared: &SharedUps) -> Result<(), Stop> {
        let said = |error: std::io::Error| error.to_string();
        if let Some(address) = &self.tcp {
            let listener = TcpListener::bind(address).await.map_err(said)?;
            let local = listener.local_addr().map_err(said)?;
            let converter = self.converter()?;
            out::print(&format!("tcp://{local}\n"))?;
            let ended = match converter {
                Some(converter) => usbip::run(shared, &converter, listener).await,
                None => tcp::run(shared, listener).await,
            };
            return Ok(ended.map_err(said)?);
        }
        let end = Pty::open(self.link.as_deref()).map_err(said)?;
        out::print(&format!("{}\n", end.path().display()))?;
        if let Some(link) = self.link.as_deref().filter(|link| only_its_owner_follows(link)) {
            out::tell(format_args!(
                "{}: in a folder that everybody may write to, only its owner may follow this link; let a driver of another user open {}",
                link.display(),
                end.terminal().display()
            ));
        }
        Ok(pty::run(shared, end).await.map_err(said)?)
    }

    /// The USB converter that is asked for.
    fn converter(&self) -> Result<Option<Converter>, String> {
        let Some(name) = &self.bridge else { return Ok(None) };
        let bridge = bridges::named(name).ok_or_else(|| no_such_bridge(name))?;
        let id = match &self.usb_id {
            None => bridge.ids.first().copied(),
            Some(text) => {
                let (vendor, product) =
                    usb_numbers(text).ok_or_else(|| format!("--usb-id {text}: write 0665:5161"))?;
                let known = bridge.ids.iter().find(|id| (id.vendor, id.product) == (vendor, product));
                Some(known.copied().unwrap_or(usb(vendor, product)))
            }
        };
        let id =
            id.ok_or_else(|| format!("the bridge {name} has no numbers of its own: add --usb-id VID:PID"))?;
        Ok(Some(Converter { bridge, id, serial: "QX0001".into() }))
    }

    async fn take_orders(&self, shared: &SharedUps) -> std::io::Result<()> {
        match &self.control {
            Some(path) => control::run(shared, path).await,
            None => std::future::pending().await,
        }
    }

    async fn time_is_over(&self) {
        match self.end {
            Some(seconds) if seconds >= 0.0 => {
                tokio::time::sleep(Duration::from_secs_f64(seconds.min(1e9))).await
            }
            _ => std::future::pending().await,
        }
    }
}
