//! `qxups demo`: a simulated UPS, the driver's own core on it, and an outage played through, in half a minute.
//!
//! Minutes pass in a second while little happens, so UPS and driver have one clock: a driver whose time went slower
//! than that of its UPS would see batteries that no battery is like.

use crate::out::Stop;
use crate::view::View;
use clap::Args;
use qx::device::{Device, Event, Ticket};
use qx::options::Options;
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use simulator::knob::Knob;
use simulator::lapse::Lapse;
use simulator::profile::Profile;
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::process::ExitCode;
use std::time::Duration;

/// The options of `qxups demo`.
#[derive(Args)]
pub struct Demo {
    /// The dialect of the simulated UPS
    #[arg(short, long, default_value = "megatec")]
    protocol: String,
    /// Print lines instead of drawing in place
    #[arg(long)]
    plain: bool,
}

/// So often the view is drawn anew.
const FRAME: Duration = Duration::from_millis(100);

/// What ends a scene.
enum Until {
    /// So many seconds of the person who watches.
    Seconds(f64),
    /// This word is in `ups.status`.
    Says(&'static str),
    /// The load is off.
    Off,
    /// The load is on, and `ups.status` says that mains is there.
    On,
    /// This word is in `ups.status` no more.
    Without(&'static str),
}

/// A part of what happens: what is said, which knobs are turned and which command is sent; then how fast time goes,
/// and until when.
struct Scene {
    text: &'static str,
    knobs: &'static [&'static str],
    command: Option<&'static str>,
    speed: f64,
    until: Until,
}

const fn scene(text: &'static str, knobs: &'static [&'static str], speed: f64, until: Until) -> Scene {
    Scene { text, knobs, command: None, speed, until }
}

const SCENES: &[Scene] = &[
    scene("the driver looks for the dialect", &["load 25"], 1.0, Until::Says("OL")),
    scene("all is well", &[], 1.0, Until::Seconds(4.0)),
    scene("a lamp is switched on: the load rises", &["load 60"], 1.0, Until::Seconds(4.0)),
    scene(
        "mains fails (a minute passes in each second from now on)",
        &["mains fail"],
        60.0,
        Until::Says("LB"),
    ),
    Scene {
        text: "battery low: upsmon shuts its hosts down, then says shutdown.return",
        knobs: &[],
        command: Some("shutdown.return"),
        speed: 8.0,
        until: Until::Off,
    },
    scene("the UPS has switched the load off", &[], 8.0, Until::Seconds(3.0)),
    scene("mains is back: the UPS switches the load on again", &["mains back"], 60.0, Until::On),
    scene("the battery charges (five minutes in each second)", &[], 300.0, Until::Without("LB")),
    scene("the battery is not low any more", &[], 300.0, Until::Seconds(3.0)),
];

/// No scene takes longer, in time of the UPS: a demonstration has an end.
const LONGEST: Duration = Duration::from_secs(3600);

impl Demo {
    /// Plays it.
    ///
    /// # Errors
    /// There is no such dialect, or nothing can be shown.
    pub fn run(self) -> Result<ExitCode, Stop> {
        let protocol = qx::protocols::named(&self.protocol)
            .ok_or_else(|| crate::sim::no_such_protocol(&self.protocol))?;
        let view =
            View::new("qxups demo: a simulated UPS at 2400 baud, watched by the driver's core", self.plain);
        let mut play = Play::new(protocol, view);
        play.all(&mut |_| std::thread::sleep(FRAME))?;
        play.view.tell("the end; a UPS of your own: 'qxups scan' finds it and prints its ups.conf")?;
        play.view.draw()?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A demonstration that goes on.
struct Play {
    lapse: Lapse,
    view: View,
    /// The time up to which it is shown.
    shown: Moment,
}

impl Play {
    fn new(protocol: &'static Protocol, view: View) -> Play {
        let profile = Profile { baud: Some(2400), ..Profile::default() };
        let ups = SimulatedUps::new(protocol, profile, Trouble::new(1), Script::default());
        let by_name = protocol.by_name.then(|| protocol.name.to_string());
        let options =
            Options { pollinterval: Duration::from_secs(1), protocol: by_name, ..Options::default() };
        Play { lapse: Lapse::new(Device::new(options), ups), view, shown: Moment::ZERO }
    }

    /// Plays all scenes; `frame` is called after each frame.
    fn all(&mut self, frame: &mut dyn FnMut(&Lapse)) -> Result<(), Stop> {
        for (number, scene) in SCENES.iter().enumerate() {
            self.view.progress(number as f64 / SCENES.len() as f64, scene.text);
            self.view.tell(scene.text)?;
            self.play(scene, frame)?;
        }
        self.view.progress(1.0, "done");
        self.view.draw()
    }

    fn play(&mut self, scene: &Scene, frame: &mut dyn FnMut(&Lapse)) -> Result<(), Stop> {
        // the knobs are our own; a wrong one would be seen by the test below
        for knob in scene.knobs.iter().filter_map(|text| Knob::parse(text).ok()) {
            self.lapse.ups.turn(knob, self.lapse.now());
        }
        if let Some(command) = scene.command {
            self.lapse.device.instant_command(Ticket::default(), command, None);
        }
        let (began, mut frames) = (self.shown, 0_u32);
        loop {
            self.shown += FRAME.mul_f64(scene.speed);
            frames += 1;
            while self.lapse.step(self.shown) {
                self.tell()?;
            }
            self.view.draw()?;
            frame(&self.lapse);
            if self.shown - began > LONGEST {
                return Err(format!("the demonstration came to no end: {}", scene.text).into());
            }
            let status = self.lapse.device.store().text("ups.status").unwrap_or_default();
            let says = |word: &str| status.split(' ').any(|said| said == word);
            let powered = self.lapse.ups.world.powered();
            let is_over = match scene.until {
                Until::Seconds(seconds) => (FRAME * frames).as_secs_f64() >= seconds,
                Until::Says(word) => says(word),
                Until::Off => !powered,
                Until::On => powered && says("OL"),
                Until::Without(word) => !says(word),
            };
            if is_over {
                return Ok(());
            }
        }
    }

    /// Shows what the last step brought.
    fn tell(&mut self) -> Result<(), Stop> {
        self.view.at(self.lapse.now());
        while let Some(event) = self.lapse.device.poll_event() {
            if let Event::NotFound(why) = &event {
                return Err(why.clone().into());
            }
            self.view.happened(&event)?;
        }
        let changes = self.lapse.device.take_changes();
        if !changes.is_empty() {
            self.view.changed(self.lapse.device.store(), &changes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qx::protocols;

    #[test]
    fn every_knob_of_the_scenes_is_one() {
        for knob in SCENES.iter().flat_map(|scene| scene.knobs.iter()) {
            assert!(Knob::parse(knob).is_ok(), "{knob}");
        }
    }

    /// What is shown frame by frame: the status, the charge if one is known, and what the battery really holds.
    fn frames(protocol: &'static Protocol) -> Vec<(String, Option<f64>, f64)> {
        let mut play = Play::new(protocol, View::hidden());
        let mut frames = vec![];
        let ended = play.all(&mut |lapse| {
            let text = |name: &str| lapse.device.store().text(name);
            let charge = text("battery.charge").and_then(|text| text.parse().ok());
            frames.push((
                text("ups.status").unwrap_or_default().to_string(),
                charge,
                lapse.ups.world.charge * 100.0,
            ));
        });
        assert_eq!(ended, Ok(()), "{}", protocol.name);
        frames
    }

    /// UPS and driver have one clock: nothing is shown that only a clock that goes wrong makes.
    #[test]
    fn what_is_shown_goes_together() {
        for protocol in ["megatec", "voltronic", "voltronic-qs", "mustek", "bestups"] {
            let protocol = protocols::named(protocol).unwrap();
            let frames = frames(protocol);
            let name = protocol.name;
            let says = |status: &str, word: &str| status.split(' ').any(|said| said == word);
            let mut story: Vec<&str> = frames.iter().map(|(status, ..)| status.as_str()).collect();
            story.dedup();
            let mut rest = story.iter();
            for words in [&["OL"][..], &["OB"], &["OB", "LB"], &["OL"]] {
                assert!(
                    rest.any(|status| words.iter().all(|word| says(status, word))),
                    "{name}: {words:?} in {story:?}"
                );
            }
            for (status, charge, truth) in &frames {
                let low = says(status, "LB");
                // the simulated battery is low below 20 %, and no more above 25 %
                assert!(!low || *truth < 27.0, "{name}: {status} at {truth} %");
                if let Some(charge) = charge {
                    assert!(
                        !low || *charge < 60.0,
                        "{name}: {status} is shown with {charge} %, and it is {truth} %"
                    );
                }
            }
            let seconds = frames.len() as f64 * FRAME.as_secs_f64();
            assert!((20.0..50.0).contains(&seconds), "{name}: {seconds} s");
        }
    }
}
