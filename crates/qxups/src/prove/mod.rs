//! `qxups prove`: an owner proves a real UPS, step by step, and gets a report to send. First it is only asked; then,
//! each by itself, the beeper, a test and a shutdown with a lamp for a load. Nothing is sent that was not agreed to.

mod ask;
mod unit;

use crate::capture::{Paper, port_with_options, usb_lines};
use crate::out::{self, Stop};
use ask::UpsOwner;
use link::Address;
use qx::device::KillStep;
use qx::device::plan::{LoadEffect, plan};
use qx::wire::command::Args;
use station::config::UpsConfig;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use unit::{CommandEnd, ProvedUps};

/// The options of `qxups prove`.
#[derive(clap::Args)]
pub struct Prove {
    /// Where the UPS is: /dev/ttyS0, tcp://HOST:PORT, or auto for USB. Its driver must not run
    port: String,
    /// An option of the driver, such as vendorid=0665; may be given again
    #[arg(short = 'x', value_name = "NAME[=VALUE]")]
    option: Vec<String>,
    /// The report
    #[arg(short, long, value_name = "FILE", default_value = "qxups-prove.log")]
    output: PathBuf,
    /// Mask serial numbers
    #[arg(short, long)]
    anonymous: bool,
    /// Watch for so many seconds after each step
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    watch: u32,
}

/// A command to try, and what its owner has to know.
struct Trial {
    command: &'static str,
    /// What is done before, and what happens.
    intro: &'static str,
    /// What has to be typed, so that a yes is no habit.
    word: &'static str,
    /// What to ask when it is over.
    question: &'static str,
}

const TRIALS: [Trial; 4] = [
    Trial {
        command: "beeper.toggle",
        intro: "The beeper is switched. The load is not touched.",
        word: "yes",
        question: "What did the beeper do (it may only sound on battery)?",
    },
    Trial {
        command: "beeper.toggle",
        intro: "The beeper is switched back.",
        word: "yes",
        question: "What did the beeper do?",
    },
    Trial {
        command: "test.battery.start.quick",
        intro: "The UPS runs on its battery for some seconds. With a bad battery the load may go off: have nothing on it that minds.",
        word: "yes",
        question: "What was to be heard and seen?",
    },
    Trial {
        command: "shutdown.return",
        intro: "THE LOAD GOES OFF. Plug everything out of the UPS but a lamp, also this computer. Then pull the plug of the UPS out of the mains, as in an outage. When the lamp has gone out, put the plug back: the lamp should come on again.",
        word: "lamp",
        question: "Did the lamp go out, after how many seconds, and did it come back?",
    },
];

impl Prove {
    /// Goes through the steps.
    ///
    /// Fails also where nothing was agreed to: then there is no report.
    ///
    /// # Errors
    /// The port cannot be opened, the UPS does not answer, or the report cannot be written.
    pub fn run(self) -> Result<ExitCode, Stop> {
        let config = port_with_options(&self.port, self.option.iter().cloned())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        runtime.block_on(self.prove(&config))
    }

    async fn prove(&self, config: &UpsConfig) -> Result<ExitCode, Stop> {
        let mut owner = UpsOwner::default();
        out::print(&format!(
            "Each step says what it does and asks first; what is not agreed to is not sent. Answers go into the report\n{}.\n\n",
            self.output.display()
        ))?;
        let step = "Step 1: the UPS on {port} is asked what the driver asks of it: questions only, Q1 first.";
        let agreed = owner.agrees(&step.replace("{port}", &self.port), "yes")?;
        if !agreed {
            out::print("Nothing was sent, and no report written.\n")?;
            return Ok(ExitCode::FAILURE);
        }
        let mut unit = ProvedUps::open(config).await?;
        let mut paper = Paper::new(Some(&self.output), self.anonymous)?;
        let found = unit.until_ready(&mut owner).await;
        let header = self.header(&mut paper, config, &unit);
        paper.header(&header)?;
        paper.header(&unit.take_notes())?;
        paper.exchanges(unit.exchanges())?;
        found?;
        out::print(&format!("{}\n", unit.sums_up()))?;
        let said =
            owner.says("What is the UPS called, and what does its display or its own software show?")?;
        paper.header(&[format!("note: its owner: {said}")])?;

        let text = "Step 2: the UPS is only watched. Pull its plug out of the mains for some seconds, and put it back.";
        self.watched(&mut unit, &mut owner, &mut paper, text).await?;
        for (at, trial) in TRIALS.iter().enumerate() {
            self.tried(&mut unit, &mut owner, &mut paper, at + 3, trial).await?;
        }
        out::print(&format!(
            "\nThat was all. Look through {}, then send it as an issue of this project (docs/guide.md, \"Reporting an unknown UPS\").\n",
            self.output.display()
        ))?;
        Ok(ExitCode::SUCCESS)
    }

    fn header(&self, paper: &mut Paper, config: &UpsConfig, unit: &ProvedUps) -> Vec<String> {
        let kind = match &config.opening.address {
            Address::Serial(_) => "serial line",
            Address::Tcp { .. } => "device server on TCP",
            Address::Usb(_) => "USB",
            Address::Replay { .. } => "a recording",
        };
        let mut lines =
            vec![format!("program: qxups {} prove", env!("CARGO_PKG_VERSION")), format!("port: {kind}")];
        if let (Some(usb), Address::Usb(options)) = (unit.usb_device(), &config.opening.address) {
            paper.know(&usb.serial);
            let bridge = options.bridge_of(usb).map_or("none", |bridge| bridge.name);
            lines.extend(usb_lines(usb, bridge, self.anonymous));
        }
        lines.extend(unit.device().protocol().map(|protocol| format!("protocol: {}", protocol.name)));
        lines
    }

    /// A step in which the UPS is only asked.
    async fn watched(
        &self,
        unit: &mut ProvedUps,
        owner: &mut UpsOwner,
        paper: &mut Paper,
        text: &str,
    ) -> Result<(), Stop> {
        let text = format!("{text} It is watched for {} seconds.", self.watch);
        if !owner.agrees(&text, "yes")? {
            return paper.header(&["note: step 2 was declined".into()]);
        }
        paper.header(&["note: step 2: watched; the owner was asked to pull the plug".into()])?;
        self.watch(unit, owner, paper).await?;
        let said = owner.says("What did you do, and what did the UPS do?")?;
        paper.header(&[format!("note: step 2: its owner: {said}")])
    }

    /// Asks on for the time of a step.
    async fn watch(&self, unit: &mut ProvedUps, owner: &mut UpsOwner, paper: &mut Paper) -> Result<(), Stop> {
        let watched = unit.watch(Duration::from_secs(self.watch.into()), owner).await;
        paper.exchanges(unit.exchanges())?;
        paper.header(&unit.take_notes())?;
        watched
    }

    /// A step in which a command is sent, if its owner agrees to the step, and then to the very bytes.
    async fn tried(
        &self,
        unit: &mut ProvedUps,
        owner: &mut UpsOwner,
        paper: &mut Paper,
        number: usize,
        trial: &Trial,
    ) -> Result<(), Stop> {
        let Trial { command, intro, word, question } = trial;
        if !unit.device().store().commands().contains(command) {
            out::print(&format!("\nStep {number}: {command} is skipped: this UPS does not offer it.\n"))?;
            return paper.header(&[format!("note: step {number}: {command} is not offered")]);
        }
        let text = format!("Step {number}: {command}. {intro}\n{}", will_send(unit, command));
        if !owner.agrees(&text, word)? {
            return paper.header(&[format!("note: step {number}: {command} was declined")]);
        }
        paper.header(&[format!("note: step {number}: {command}")])?;
        let ended = unit.command(command, owner).await;
        paper.exchanges(unit.exchanges())?;
        paper.header(&unit.take_notes())?;
        match ended? {
            CommandEnd::Declined(line) => {
                paper.header(&[format!("note: step {number}: '{line}' was declined, and not sent")])
            }
            CommandEnd::With(outcome) => {
                out::print(&format!("{command}: {outcome}\n"))?;
                paper.header(&[format!("note: step {number}: the driver says: {outcome}")])?;
                self.watch(unit, owner, paper).await?;
                let said = owner.says(question)?;
                paper.header(&[format!("note: step {number}: its owner: {said}")])
            }
        }
    }
}

/// What a command would send, as far as it is known before, and what follows for the load.
fn will_send(unit: &ProvedUps, command: &str) -> String {
    let device = unit.device();
    let Some(protocol) = device.protocol() else { return String::new() };
    let number =
        |name: &str| device.store().text(name).and_then(|text| text.parse().ok()).unwrap_or_default();
    let args = Args {
        shutdown: number("ups.delay.shutdown"),
        start: number("ups.delay.start"),
        address: number("ups.id"),
        ..Args::default()
    };
    let step = KillStep { name: command.into(), ends: true };
    let rows: Vec<_> = protocol.all_commands().filter(|row| row.name == command).collect();
    let planned = plan(&[step], rows.into_iter(), &args);
    let after = planned.first().and_then(|planned| Some((planned.effect, planned.forms.first()?)));
    match after {
        Some((LoadEffect::Returns, form)) => format!(
            "The load goes off {} s after it, and comes back {} s after mains is there, at the soonest.",
            form.off_s, form.on_s
        ),
        _ => "Before each line is sent, it is shown.".into(),
    }
}
