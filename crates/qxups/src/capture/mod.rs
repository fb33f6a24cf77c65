//! `qxups capture`: records what a UPS says, as a file that can be sent, explained and replayed.

mod private;
pub mod recorder;
pub mod survey;

use crate::out::{self, Stop};
use clap::Args;
use link::{Address, Attached, Link};
use private::Private;
use qx::line::capture::{Capture as Recording, Recorded};
use qx::text::anonymise::masked;
use qx::vocabulary::escape::escape;
use qx::wire::protocol::Protocol;
use recorder::Recorder;
use station::config::UpsConfig;
use station::driver_kind::NUTDRV_QX;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

/// The options of `qxups capture`.
#[derive(Args)]
pub struct CaptureOptions {
    /// Where the UPS is: /dev/ttyS0, tcp://HOST:PORT, or auto for USB
    port: String,
    /// An option of the driver, such as vendorid=0665; may be given again
    #[arg(short = 'x', value_name = "NAME[=VALUE]")]
    option: Vec<String>,
    /// Its dialect, where it is known; otherwise it is looked for
    #[arg(short, long)]
    protocol: Option<String>,
    /// Ask for what changes so many times more
    #[arg(long, default_value_t = 3, conflicts_with = "seconds")]
    rounds: u32,
    /// Go on for so many seconds: time to pull the plug of the UPS, and to put it back; Ctrl-C ends it
    #[arg(long)]
    seconds: Option<u32>,
    /// Write here; without it, to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Ask what other dialects ask as well, when its own is known or nothing fits. To a UPS of another family
    /// (APC) some of that is an order: only for one that is known to be none
    #[arg(long)]
    all_signs: bool,
    /// Mask serial numbers
    #[arg(short, long)]
    anonymous: bool,
}

/// A UPS at a port, with options as `-x` of a driver takes them: `NAME` or `NAME=VALUE`.
pub fn port_with_options(port: &str, options: impl Iterator<Item = String>) -> Result<UpsConfig, String> {
    let option = |text: String| match text.split_once('=') {
        Some((name, value)) => (name.to_string(), Some(value.to_string())),
        None => (text, None),
    };
    Ok(UpsConfig::of_port(&NUTDRV_QX, port, &options.map(option).collect::<Vec<_>>())?)
}

impl CaptureOptions {
    /// Records.
    ///
    /// # Errors
    /// A sentence: the port cannot be opened, the file cannot be written, or no dialect fits.
    pub fn run(self) -> Result<ExitCode, Stop> {
        let config = self.config()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        runtime.block_on(self.record(&config)).map(|()| ExitCode::SUCCESS)
    }

    /// As the driver reads it.
    fn config(&self) -> Result<UpsConfig, String> {
        let protocol = self.protocol.iter().map(|name| format!("protocol={name}"));
        port_with_options(&self.port, self.option.iter().cloned().chain(protocol))
    }

    async fn record(self, config: &UpsConfig) -> Result<(), Stop> {
        let link = Link::open(&config.opening).await.map_err(|error| error.to_string())?;
        let mut paper = Paper::new(self.output.as_deref(), self.anonymous)?;
        let mut recorder = Recorder::new(link);
        out::tell("asking which dialect it speaks ...");
        let found = survey::find(&mut recorder, &config.options, None).await;
        let mut line = found.as_ref().map(|_| ()).map_err(|error| Stop::Failed(error.to_string()));
        let found = found.unwrap_or_default();
        let protocol = found.protocol;
        if self.all_signs && found.foreign.is_none() && line.is_ok() {
            let asked = survey::ask_other_signs(&mut recorder, &config.options).await;
            line = asked.map_err(|error| error.to_string().into());
        }
        let mut address = 0;
        if let (Some(protocol), Ok(())) = (protocol, &line) {
            out::tell(format_args!("it speaks {}; asking the rest ...", protocol.name));
            let asked = survey::ask_all(&mut recorder, protocol, &config.options).await;
            line = asked.map(|number| address = number).map_err(|error| error.to_string().into());
        }
        if let Some(usb) = recorder.link().usb_device() {
            paper.know(&usb.serial);
        }
        recorder.exchanges.iter().for_each(|recorded| paper.private.learn(recorded));
        paper.header(&header(config, &recorder, protocol, self.anonymous))?;
        paper.exchanges(&recorder.exchanges)?;
        if let (Some(protocol), Ok(())) = (protocol, &line) {
            line = self.poll(&mut recorder, protocol, address, config.options.pollinterval, &mut paper).await;
        }
        if let Err(Stop::Failed(why)) = &line {
            paper.header(&[format!("note: {why}")])?;
        }
        line?;
        if let Some((who, said)) = found.foreign {
            return Err(format!("'{}' answers Q1, {who}; nothing more was asked", escape(&said)).into());
        }
        match (protocol, recorder.exchanges.iter().any(|recorded| recorded.reply.is_some())) {
            (Some(_), _) => Ok(()),
            (None, true) => Err("the UPS answers, but in no known dialect: send the recording, see \"Reporting an unknown UPS\" in docs/guide.md".into()),
            (None, false) => Err("the UPS does not answer: check the cable and the port, or ask 'qxups doctor'".into()),
        }
    }

    /// Rounds, until enough; each is on paper before the next begins.
    async fn poll(
        &self,
        recorder: &mut Recorder,
        protocol: &'static Protocol,
        address: u32,
        interval: Duration,
        paper: &mut Paper,
    ) -> Result<(), Stop> {
        let end = self.seconds.map(|seconds| Instant::now() + Duration::from_secs(u64::from(seconds)));
        match self.seconds {
            Some(seconds) => out::tell(format_args!(
                "recording for {seconds} seconds; pull the plug of the UPS if you can"
            )),
            None => out::tell(format_args!("recording {} rounds", self.rounds)),
        }
        let mut round = 0;
        while end.map_or(round < self.rounds, |end| Instant::now() < end) {
            let next = Instant::now() + interval;
            let polled = survey::poll(recorder, protocol, address).await;
            paper.exchanges(&recorder.exchanges)?;
            polled.map_err(|error| error.to_string())?;
            round += 1;
            tokio::time::sleep_until(end.map_or(next, |end| end.min(next))).await;
        }
        Ok(())
    }
}

/// Lines that say what was recorded; nothing that tells whose it is, but for the serial number on USB.
fn header(
    config: &UpsConfig,
    recorder: &Recorder,
    protocol: Option<&Protocol>,
    anonymous: bool,
) -> Vec<String> {
    let mut lines = vec![format!("program: qxups {}", env!("CARGO_PKG_VERSION"))];
    let kind = match &config.opening.address {
        Address::Serial(_) => "serial line",
        Address::Tcp { .. } => "device server on TCP",
        Address::Usb(_) => "USB",
        Address::Replay { .. } => "another recording",
    };
    lines.push(format!("port: {kind}"));
    if let (Some(usb), Address::Usb(options)) = (recorder.link().usb_device(), &config.opening.address) {
        let bridge = options.bridge_of(usb).map_or("none", |bridge| bridge.name);
        lines.extend(usb_lines(usb, bridge, anonymous));
    }
    if let Some(protocol) = protocol {
        lines.push(format!("protocol: {}", protocol.name));
        let signs: Vec<String> = protocol.signs.iter().map(|sign| escape(&sign.query().wire(0))).collect();
        let manner = if config.options.protocol.is_some() { "asked for by name; " } else { "" };
        lines.push(format!("why: {manner}answered {} as this dialect does", signs.join(", ")));
    }
    let recording = Recording { exchanges: recorder.exchanges.clone(), ..Recording::default() };
    lines.push(format!("unknown: {}", recording.unknown()));
    if recorder.line_echoes() {
        lines.push("note: the line sends every question back before the reply".into());
    }
    lines
}

/// What the converter says of itself.
pub fn usb_lines(usb: &Attached, bridge: &str, anonymous: bool) -> Vec<String> {
    let serial = usb.serial.as_bytes();
    let serial = if anonymous { masked(serial) } else { serial.to_vec() };
    vec![
        format!("usb: {:04x}:{:04x}, bridge {bridge}", usb.vendor_id, usb.product_id),
        format!("usb vendor: {}", escape(usb.vendor.as_bytes())),
        format!("usb product: {}", escape(usb.product.as_bytes())),
        format!("usb serial: {}", escape(&serial)),
    ]
}

/// What a recording is written on.
pub struct Paper {
    /// `None` for standard output.
    out: Option<File>,
    anonymous: bool,
    private: Private,
    written: usize,
}

impl Paper {
    /// A new file, or standard output.
    ///
    /// # Errors
    /// There is such a file already, or it cannot be made.
    pub fn new(path: Option<&std::path::Path>, anonymous: bool) -> Result<Paper, String> {
        let out = match path {
            None => None,
            // a recording is worth more than to be overwritten
            Some(path) => Some(File::create_new(path).map_err(|error| {
                format!("cannot write {}: {error}; name a new file by --output", path.display())
            })?),
        };
        Ok(Paper { out, anonymous, private: Private::default(), written: 0 })
    }

    /// Remarks, each a line.
    pub fn header(&mut self, lines: &[String]) -> Result<(), Stop> {
        let text: String = lines.iter().map(|line| format!("# {line}\n")).collect();
        let text = if self.anonymous { self.private.anonymise_text(&text) } else { text };
        self.write(&text)
    }

    /// What was said since the last time, of all that was said.
    pub fn exchanges(&mut self, all: &[Recorded]) -> Result<(), Stop> {
        for recorded in &all[self.written..] {
            let text = match self.anonymous {
                false => recorded.lines(),
                true => {
                    self.private.learn(recorded);
                    let (recorded, remark) = self.private.anonymise(recorded);
                    remark.map(|remark| format!("# {remark}\n")).unwrap_or_default() + &recorded.lines()
                }
            };
            self.write(&text)?;
        }
        self.written = all.len();
        Ok(())
    }

    /// A text that must not be in an anonymous file.
    pub fn know(&mut self, text: &str) {
        self.private.know(text);
    }

    fn write(&mut self, text: &str) -> Result<(), Stop> {
        let Some(file) = &mut self.out else { return out::print(text) };
        let written = file.write_all(text.as_bytes()).and_then(|()| file.flush());
        written.map_err(|error| format!("cannot write the recording: {error}").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_serial_number_of_a_converter_is_masked_too() {
        let usb = Attached {
            vendor_id: 0x0665,
            product_id: 0x5161,
            vendor: "INNO\nTECH".into(),
            product: "USB to Serial".into(),
            serial: "A1 b".into(),
            bus: 1,
            address: 7,
            place: "1-2".into(),
        };
        let lines = usb_lines(&usb, "cypress", true);
        assert_eq!(lines[..2], ["usb: 0665:5161, bridge cypress", "usb vendor: INNO\\x0aTECH"]);
        assert_eq!(lines[3], "usb serial: XX X");
        assert_eq!(usb_lines(&usb, "cypress", false)[3], "usb serial: A1 b");
    }
}
