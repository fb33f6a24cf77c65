//! Lines with noise, in real time: NUT's driver and ours, each on a simulated UPS of its own, all at
//! once. What is published is judged by what a driver reads of the same UPS without noise. Prints the
//! second table of docs/trouble.md: `cargo bench -p driver --bench trouble -- SECONDS`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use qx::vocabulary::moment::Moment;
use simulator::end::SharedUps;
use simulator::knob::Knob;
use simulator::profile::Profile;
use simulator::pty::{self, Pty};
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::cell::RefCell;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use testbed::judge::{Findings, TwinJudge};
use testbed::nut::{NutStation, Which};
use testbed::twin::Twin;

const DIALECTS: [&str; 3] = ["megatec", "mustek", "voltronic-qs"];
const RATES: [f64; 5] = [0.0, 0.001, 0.01, 0.05, 0.2];
/// What happens, over and over: the same for all.
const MINUTES: &[(u64, &str)] = &[
    (15, "mains fail"),
    (27, "mains back"),
    (35, "load 47"),
    (45, "mains 190"),
    (55, "mains back"),
    (62, "mains fail"),
    (66, "charge 12"),
    (78, "charge 88"),
    (80, "mains back"),
    (90, "load 20"),
    (100, "charge 100"),
];
const CYCLE_S: u64 = 110;

#[derive(Clone, Copy)]
struct Case {
    which: Which,
    protocol: &'static str,
    rate: f64,
}

struct Outcome {
    found: Findings,
    questions: u64,
    unasked: u64,
    stale: Duration,
}

/// One line of the driver socket and when it came.
type Heard = (Duration, String);

/// A UPS on a noisy line, for so long; where it is goes to `ready`, and what it learns of the driver
/// comes by `heard`.
async fn serve(
    case: Case,
    time: Duration,
    began: Instant,
    ready: mpsc::Sender<PathBuf>,
    heard: mpsc::Receiver<Heard>,
) -> Outcome {
    let protocol = qx::protocols::named(case.protocol).unwrap();
    let mut trouble = Trouble::new(7);
    trouble.noise = case.rate;
    let shared = SharedUps::new(SimulatedUps::new(protocol, Profile::default(), trouble, Script::default()));
    let pty = Pty::open(None).unwrap();
    ready.send(pty.path().to_path_buf()).unwrap();
    let found = Rc::new(RefCell::new(None));
    let watching = async {
        let (mut judge, mut twin, mut next) = (TwinJudge::default(), Twin::new(protocol), 0);
        let (mut questions, mut unasked) = (0, 0);
        let (mut stale, mut stale_since) = (Duration::ZERO, Some(Duration::ZERO));
        while began.elapsed() < time {
            let now = Moment::after_start(began.elapsed());
            let second = now.since_start().as_secs() % CYCLE_S;
            if second < 15 {
                next = 0;
            }
            // what was so until now, and what is so from now on
            let mut turn = None;
            if let Some((_, knob)) = MINUTES.get(next).filter(|(at, _)| *at <= second) {
                turn = Some(Knob::parse(knob).unwrap());
                next += 1;
            }
            let mut ups = shared.with(|ups, _| ups.clone());
            twin.look_at_once(&ups, now);
            judge.learn(now, twin.said());
            if let Some(knob) = turn {
                ups = shared.with(|ups, at| {
                    ups.turn(knob, at);
                    ups.clone()
                });
                twin.look_at_once(&ups, now);
                judge.learn(now, twin.said());
            }
            shared.with(|ups, _| {
                let asks = |line: &str| protocol.queries.iter().any(|query| query.ask == line);
                questions += ups.heard().filter(|line| asks(line)).count() as u64;
                let commands = || protocol.all_commands().filter(|command| command.name.contains('.'));
                let orders =
                    |line: &&str| !asks(line) && commands().any(|command| command.read(line).is_some());
                unasked += ups.heard().filter(orders).count() as u64;
                ups.forget_heard();
                // what noise has switched off is switched on again
                if ups.world.countdown.is_some() || !ups.world.powered() {
                    ups.world.obey(simulator::world::UnitOrder::OnOrStop);
                }
            });
            for (after, line) in heard.try_iter() {
                let at = Moment::after_start(after);
                match line.splitn(3, ' ').collect::<Vec<_>>()[..] {
                    ["DATASTALE"] => stale_since = stale_since.or(Some(after)),
                    ["DATAOK"] => stale += stale_since.take().map_or(Duration::ZERO, |since| after - since),
                    ["SETINFO", name, text] => {
                        let text = text.trim_matches('"');
                        if name == "ups.status" {
                            judge.status(at, text);
                        } else if is_said(protocol, name) {
                            judge.value(at, name, text);
                        }
                    }
                    _ => {}
                }
            }
            judge.judge(now);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        stale += stale_since.map_or(Duration::ZERO, |since| time - since);
        *found.borrow_mut() = Some(Outcome { found: judge.found, questions, unasked, stale });
    };
    tokio::select! {
        _ = pty::run(&shared, pty) => {}
        () = watching => {}
    }
    found.take().unwrap()
}

/// What the UPS itself says in some reply; the beeper is left out, which noise may switch.
fn is_said(protocol: &qx::wire::protocol::Protocol, name: &str) -> bool {
    let said =
        |var: &qx::vocabulary::variable::Var| protocol.queries.iter().any(|query| query.speaks_of(var));
    name != "ups.beeper.status" && qx::vocabulary::variable::named(name).is_some_and(said)
}

/// Follows what a driver tells upsd, until it leaves or the time is over.
fn follow(station: &NutStation, began: Instant, time: Duration, tell: &mpsc::Sender<Heard>) -> Option<()> {
    let path = station.run_folder().join("nutdrv_qx-u");
    let mut stream = UnixStream::connect(path).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    stream.write_all(b"DUMPALL\n").ok()?;
    let (mut reader, mut line) = (BufReader::new(stream), String::new());
    while began.elapsed() < time {
        match reader.read_line(&mut line) {
            Ok(0) => return None,
            Ok(_) => {
                let said = line.trim_end().replace("DUMPDONE", "DATAOK");
                tell.send((began.elapsed(), said)).ok()?;
                line.clear();
            }
            // nothing for a second, or the first half of a line
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return None,
        }
    }
    Some(())
}

fn run(case: Case, time: Duration) -> Outcome {
    let began = Instant::now();
    let (ready, port) = mpsc::channel();
    let (tell, heard) = mpsc::channel();
    std::thread::scope(|scope| {
        let served = scope.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve(case, time, began, ready, heard))
        });
        let name = format!("trouble-{}-{}", case.protocol, case.rate);
        let station = NutStation::new(&name, case.which);
        station.configure(&port.recv().unwrap(), &format!("protocol = {}", case.protocol));
        while began.elapsed() < time {
            // a driver that gave up is started again, as an administrator would
            station.run_driver(&["-a", "u"]);
            let _ = follow(&station, began, time, &tell);
            std::thread::sleep(Duration::from_secs(1));
        }
        drop(station);
        served.join().unwrap()
    })
}

fn main() {
    let seconds = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(330);
    let time = Duration::from_secs(seconds);
    println!(
        "| dialect | error rate per byte | driver | questions | wrong of published values | false OB | false LB, FSD, OFF | outages missed | slowest, s | commands by noise | without data, s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let cases = DIALECTS.iter().flat_map(|protocol| RATES.map(|rate| (*protocol, rate)));
    let cases: Vec<Case> =
        cases.flat_map(|(protocol, rate)| Which::BOTH.map(|which| Case { which, protocol, rate })).collect();
    std::thread::scope(|scope| {
        let running: Vec<_> =
            cases.iter().map(|case| (case, scope.spawn(move || run(*case, time)))).collect();
        for (case, outcome) in running {
            let Outcome { found, questions, unasked, stale } = outcome.join().unwrap();
            println!(
                "| {} | {} | {} | {questions} | {} of {} | {} | {} | {} of {} | {:.1} | {unasked} | {:.0} of {seconds} |",
                case.protocol,
                case.rate,
                if case.which == Which::Nut { "NUT" } else { "ours" },
                found.wrong,
                found.published,
                found.false_ob,
                found.false_grave,
                found.missed,
                found.happened,
                found.slowest.as_secs_f64(),
                stale.as_secs_f64(),
            );
            if std::env::var_os("QXUPS_TROUBLE_EXAMPLES").is_some() {
                found.examples.iter().for_each(|example| println!("  {example}"));
            }
        }
    });
}
