//! `qxups demo`: a simulated UPS, the real driver code on it over a real pseudo-terminal, and an
//! outage played through, in half a minute.

use crate::out::Stop;
use crate::view::View;
use clap::Args;
use driver::log::Log;
use driver::session::{Publisher, Session, Wish, Wishes};
use link::{Address, CablePower, Link, Opening};
use qx::device::{Device, Event};
use qx::option::Options;
use simulator::end::Shared;
use simulator::knob::Knob;
use simulator::personality::Personality;
use simulator::pty::{self, Pty};
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::cell::RefCell;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::sleep;

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

/// What happens: seconds to wait before it, what is said, and which knobs are turned.
const SCENES: [(f64, &str, &[&str]); 5] = [
    (5.0, "a lamp is switched on: the load rises", &["load 60"]),
    (4.0, "mains fails (a minute passes in each second from now on)", &["speed 60", "mains fail"]),
    (0.0, "", &[]), // until the battery is low, and the load is switched off
    (3.0, "mains is back: the UPS switches the load on again", &["mains back", "speed 600"]),
    (6.0, "the battery charges", &[]),
];

impl Demo {
    /// Plays it.
    ///
    /// # Errors
    /// A sentence.
    pub fn run(self) -> Result<ExitCode, Stop> {
        let protocol = qx::protocols::named(&self.protocol)
            .ok_or_else(|| crate::sim::no_such_protocol(&self.protocol))?;
        let ups = SimulatedUps::new(protocol, Personality::default(), Trouble::new(1), Script::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async {
            let shared = Shared::new(ups);
            shared.with(|ups, now| {
                ups.personality.baud = Some(2400);
                ups.turn(Knob::Load(25.0), now);
            });
            let end = Pty::open(None).map_err(|error| format!("cannot open a pseudo-terminal: {error}"))?;
            let port = end.path().to_path_buf();
            let served = shared.clone();
            tokio::task::spawn_local(async move { pty::run(&served, end).await });
            self.play(shared, Address::Serial(port)).await
        })?;
        Ok(ExitCode::SUCCESS)
    }

    async fn play(&self, shared: Shared, address: Address) -> Result<(), Stop> {
        let view =
            View::new("qxups demo: a simulated UPS at 2400 baud, watched by the real driver", self.plain);
        view.tell(&format!("a simulated UPS waits on {address}"));
        let opening = Opening { address, cable_power: CablePower::Normal, lock: true };
        let link = Link::open(&opening).await.map_err(|error| error.to_string())?;
        let options = Options { pollinterval: Duration::from_millis(500), ..Options::default() };
        let device = Rc::new(RefCell::new(Device::new(options)));
        let (wishes, receiver) = Wishes::new(device.clone(), 4);
        // the view tells what the log would
        let log = Rc::new(Log::new(0, u8::MAX));
        let mut session = Session::new(device.clone(), opening, link, receiver, log);
        session.publish_to(Box::new(view.clone()));
        let played = async {
            let found = session.run_until(|event| matches!(event, Event::Ready | Event::NotFound(_))).await;
            if let Event::NotFound(why) = found {
                return Err(why);
            }
            let driving = session.run_until(|_| false);
            tokio::pin!(driving);
            tokio::select! {
                _ = &mut driving => {}
                () = scenes(&view, &shared, &device, &wishes) => {}
            }
            view.tell("that was all; the same driver runs under NUT as nutdrv_qx, see the README");
            Ok(())
        };
        let broken = view.broken();
        tokio::select! {
            done = played => done?,
            stop = broken => return Err(stop),
        }
        // what was said last may have been what failed
        view.ended()
    }
}

async fn scenes(view: &View, shared: &Shared, device: &driver::session::Shared, wishes: &Wishes) {
    let has = |word: &str| {
        let device = device.borrow();
        device.store().text("ups.status").is_some_and(|status| status.split(' ').any(|found| found == word))
    };
    for (number, (seconds, text, knobs)) in SCENES.iter().enumerate() {
        let part = number as f64 / SCENES.len() as f64;
        if text.is_empty() {
            view.progress(part, "the battery empties");
            wait_until(|| has("LB")).await;
            view.tell("the battery is low: upsmon would shut its hosts down and then say shutdown.return");
            // the clock of the world goes slower, so that the countdown can be seen
            turn(shared, &["speed 8"]);
            // the queue is empty: nobody else asks for anything here
            let _ = wishes.leave(Wish::Command(1, "shutdown.return".into(), None));
            wait_until(|| shared.with(|ups, _| !ups.world.powered())).await;
            view.tell("the UPS has switched the load off");
            continue;
        }
        view.progress(part, text);
        sleep(Duration::from_secs_f64(*seconds)).await;
        if !knobs.is_empty() {
            view.tell(text);
        }
        turn(shared, knobs);
    }
    sleep(Duration::from_secs(4)).await;
    view.progress(1.0, "done");
}

async fn wait_until(mut done: impl FnMut() -> bool) {
    while !done() {
        sleep(Duration::from_millis(100)).await;
    }
}

fn turn(shared: &Shared, knobs: &[&str]) {
    // the knobs are our own; a wrong one would be seen by the test below
    for knob in knobs.iter().filter_map(|text| Knob::parse(text).ok()) {
        shared.with(|ups, now| ups.turn(knob, now));
    }
}

/// A view is told by the session of everything it needs.
const _: fn(View) -> Box<dyn Publisher> = |view| Box::new(view);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_knob_of_the_scenes_is_one() {
        for knob in SCENES.iter().flat_map(|(_, _, knobs)| knobs.iter()) {
            assert!(Knob::parse(knob).is_ok(), "{knob}");
        }
    }
}
