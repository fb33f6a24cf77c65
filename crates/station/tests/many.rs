//! Three hundred UPSes in one process. One is flooded with requests, one falls silent, the peer of one never
//! reads, one is unplugged, some are reloaded: all others keep their rhythm, judged by what the simulated units
//! themselves recorded. It prints what one UPS costs.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use link::Address;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::time::{ClockId, clock_gettime};
use qx::device::Outcome;
use qx::device::store::{Change, Store};
use qx::vocabulary::moment::Moment;
use station::config::UpsConfig;
use station::driver_kind::NUTDRV_QX;
use station::{Condition, Publisher, Reloaded, Request, RequestedAction, Setup, Station};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use testbed::units::Units;
use tokio::time::{Instant, sleep, timeout};

const ALL: usize = 300;
/// What happens to single ones; the others are only watched.
const FLOODED: usize = 0;
const SILENT: usize = 1;
const UNPLUGGED: usize = 2;
const FASTER: std::ops::Range<usize> = 3..8;
const REFUSED: usize = 8;
const MOVED: usize = 9;
const WATCHED: std::ops::Range<usize> = 10..ALL;

const POLLINTERVAL: Duration = Duration::from_secs(2);
/// How long all of them are looked at.
const LOOK: Duration = Duration::from_secs(16);
/// A question may be that much later than its interval, on a machine that has other things to do.
const SLACK: Duration = Duration::from_millis(1500);

/// Counts what it is told.
struct Counter(Rc<Cell<usize>>);

impl Publisher for Counter {
    fn changed(&mut self, _: &Store, changes: &[Change]) {
        self.0.set(self.0.get() + changes.len());
    }
}

fn config(address: Address) -> UpsConfig {
    UpsConfig::at(&NUTDRV_QX, address)
}

fn tcp(port: u16) -> Address {
    Address::Tcp { host: "127.0.0.1".into(), port }
}

/// Resident memory of this process, in kB.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

/// The processor time of this thread: that of the stations, as the units have another.
fn worked() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

/// Thousands of requests at one station; each has to be answered, once, and with its own answer.
async fn flood(station: &Station) -> usize {
    let answers: Rc<RefCell<Vec<(usize, Outcome)>>> = Rc::default();
    let command = |name: &str| RequestedAction::Command { name: name.into(), parameter: None };
    let kinds = [
        command("beeper.toggle"),
        command("no.such.command"),
        command("driver.killpower"),
        RequestedAction::Set { variable: "ups.delay.shutdown".into(), value: "60".into() },
        RequestedAction::Set { variable: "no.such".into(), value: "1".into() },
    ];
    let mut left = 0;
    for _ in 0..200 {
        for number in 0..20 {
            let (kind, answers) = (number % kinds.len(), answers.clone());
            let answer = move |outcome| answers.borrow_mut().push((kind, outcome));
            // one that is refused has answered by now
            let _ = station.request(Request::new(kinds[kind].clone(), answer));
            left += 1;
        }
        sleep(Duration::from_millis(10)).await;
    }
    let all = timeout(Duration::from_secs(40), async {
        while answers.borrow().len() < left {
            sleep(Duration::from_millis(50)).await;
        }
    });
    all.await.unwrap();
    sleep(Duration::from_millis(100)).await;
    assert_eq!(answers.borrow().len(), left, "each is answered once");
    for (kind, outcome) in answers.borrow().iter() {
        let is_full =
            matches!(outcome, Outcome::Failed(why) if why.contains("too many") || why.contains("wait"));
        let is_its_own = match kind {
            0 => !matches!(outcome, Outcome::Unknown | Outcome::Invalid(_)),
            1 | 4 => *outcome == Outcome::Unknown,
            2 => matches!(outcome, Outcome::Failed(why) if why.contains("not allowed")),
            _ => *outcome == Outcome::Done,
        };
        assert!(is_its_own || is_full, "{kind}: {outcome:?}");
    }
    left
}

/// The longest pause between two questions for the status, and how many there were.
fn rhythm(asked: &[Moment]) -> (Duration, usize) {
    let longest = asked.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(LOOK);
    (longest, asked.len())
}

fn assert_rhythm(name: usize, asked: &[Moment], interval: Duration) {
    let (longest, count) = rhythm(asked);
    assert!(longest <= interval + SLACK, "unit {name} was left alone for {longest:?}: {asked:?}");
    let least = (LOOK.as_secs_f64() / (interval + SLACK).as_secs_f64()).floor();
    assert!(count as f64 >= least, "unit {name} was asked {count} times only: {asked:?}");
}

#[test]
fn three_hundred_upses_keep_their_rhythm_whatever_happens_to_one() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let units = Units::start(ALL);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())
        .unwrap();
    runtime.block_on(async { tokio::task::spawn_local(all(units)).await.unwrap() });
}

async fn all(units: Units) {
    let before = resident_kb();
    let counters: Vec<Rc<Cell<usize>>> = (0..ALL).map(|_| Rc::default()).collect();
    let mut stations = vec![];
    for (port, counter) in units.ports.iter().zip(&counters) {
        let station = Station::spawn(Setup::look(&NUTDRV_QX, config(tcp(*port))));
        station.subscribe(Box::new(Counter(counter.clone())));
        stations.push(station);
        sleep(Duration::from_millis(10)).await;
    }
    // its peer takes the connection, and never reads
    let unread = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = unread.local_addr().unwrap().port();
    let ignored = Station::spawn(Setup::look(&NUTDRV_QX, config(tcp(port))));

    let began = Instant::now();
    for station in &stations {
        let is_ready = |station: &Station| station.condition() == Condition::Ready;
        let found = timeout(Duration::from_secs(30), station.until(is_ready)).await;
        assert!(found.is_ok(), "{}: {:?}", station.name(), station.condition());
    }
    println!("all are found after {:.1} s", began.elapsed().as_secs_f64());
    println!(
        "resident, with what its simulated unit takes: {} kB each",
        (resident_kb() - before) / ALL as u64
    );

    units.forget();
    units.turn(SILENT, "silent on");
    units.turn(UNPLUGGED, "hangup 3");
    let (work, start) = (worked(), Instant::now());
    for number in FASTER {
        let mut faster = stations[number].config().clone();
        faster.options.pollinterval = Duration::from_secs(1);
        assert_eq!(stations[number].reload(faster.clone()), Ok(Reloaded::InUse));
        assert_eq!(stations[number].reload(faster), Ok(Reloaded::Unchanged));
    }
    let mut refused = stations[REFUSED].config().clone();
    refused.options.ignorelb = true;
    assert_eq!(stations[REFUSED].reload(refused).unwrap_err().option.as_deref(), Some("ignorelb"));
    let mut moved = stations[MOVED].config().clone();
    moved.opening.address = tcp(1);
    assert_eq!(stations[MOVED].reload(moved), Ok(Reloaded::NeedsRestart));
    let requests = flood(&stations[FLOODED]).await;
    sleep(LOOK.saturating_sub(start.elapsed())).await;

    let asked = units.asked();
    let (work, wall) = (worked() - work, start.elapsed());
    println!(
        "{requests} requests were answered; {:.2} % of a core, {:.0} us each for a poll",
        100.0 * work.as_secs_f64() / wall.as_secs_f64(),
        work.as_secs_f64() * 1e6 / asked.iter().map(Vec::len).sum::<usize>() as f64
    );
    let longest = WATCHED.map(|number| rhythm(&asked[number]).0).max().unwrap();
    println!("the longest pause of {} UPSes was {:.2} s, at 2 s", WATCHED.len(), longest.as_secs_f64());

    for number in WATCHED.chain([REFUSED, MOVED]) {
        assert_rhythm(number, &asked[number], POLLINTERVAL);
        assert_eq!(stations[number].condition(), Condition::Ready, "{number}");
        assert!(counters[number].get() > 0, "{number}");
    }
    for number in FASTER {
        assert_rhythm(number, &asked[number], Duration::from_secs(1));
    }
    assert_rhythm(FLOODED, &asked[FLOODED], 2 * POLLINTERVAL);
    assert_eq!(stations[SILENT].condition(), Condition::Stale);
    assert_eq!(stations[UNPLUGGED].condition(), Condition::Ready, "it is back");
    assert!(!matches!(ignored.condition(), Condition::Ready | Condition::Ended));
    // all sessions come round, whatever their UPSes do
    for station in stations.iter().chain([&ignored]) {
        let turn = station.last_turn().get();
        assert!(turn.elapsed() < Duration::from_secs(10), "{}: {:?}", station.name(), turn.elapsed());
    }
}
