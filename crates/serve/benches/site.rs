//! A site of many UPSes in one server: memory, processor time, rhythm, and how soon clients read that mains failed.
//! Prints a table of docs/benchmarks.md: `cargo bench -p serve --bench site -- [SECONDS [UPSES ...]]`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_precision_loss)]

use nix::sys::resource::{Resource, setrlimit};
use qx::vocabulary::moment::Moment;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use testbed::units::Units;

const UPSES: [usize; 4] = [1, 10, 100, 1000];
const POLL: Duration = Duration::from_secs(2);

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    fn start(folder: &Path, port: u16, units: &Units) -> Server {
        std::fs::create_dir_all(folder).unwrap();
        let section = |(at, unit): (usize, &u16)| {
            format!("[ups{at}]\ndriver = nutdrv_qx\nport = tcp://127.0.0.1:{unit}\npollinterval = 2\n")
        };
        let sections: String = units.ports.iter().enumerate().map(section).collect();
        std::fs::write(folder.join("ups.conf"), sections).unwrap();
        let settings = format!("LISTEN 127.0.0.1 {port}\nSTATEPATH {}\n", folder.display());
        std::fs::write(folder.join("upsd.conf"), settings).unwrap();
        std::fs::write(folder.join("upsd.users"), "").unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_upsd"))
            .args(["-F", "-u", "root"])
            .env("NUT_CONFPATH", folder)
            .env("NUT_STATEPATH", folder)
            .env("NUT_ALTPIDPATH", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Server(child)
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.0.id())).unwrap()
    }

    fn busy(&self) -> Duration {
        let stat = self.file("stat");
        let fields: Vec<&str> = stat[stat.rfind(')').unwrap()..].split(' ').collect();
        let ticks: u64 = fields[12].parse::<u64>().unwrap() + fields[13].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    fn resident_kb(&self) -> u64 {
        let status = self.file("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

/// A client that asks for one status after the other.
struct Client(BufReader<TcpStream>);

impl Client {
    fn new(port: u16) -> Client {
        let begin = Instant::now();
        loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => {
                    stream.set_nodelay(true).unwrap();
                    return Client(BufReader::new(stream));
                }
                Err(why) => assert!(begin.elapsed() < Duration::from_secs(10), "{why}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn status(&mut self, ups: usize) -> String {
        self.0.get_mut().write_all(format!("GET VAR ups{ups} ups.status\n").as_bytes()).unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    /// Until each of them shows one of these words; how long each took.
    fn until(&mut self, count: usize, word: &str, limit: Duration) -> Vec<Duration> {
        let begin = Instant::now();
        let mut waiting: Vec<usize> = (0..count).collect();
        let mut times = vec![];
        while !waiting.is_empty() {
            waiting.retain(|ups| {
                let shows = self.status(*ups).contains(word);
                if shows {
                    times.push(begin.elapsed());
                }
                !shows
            });
            assert!(begin.elapsed() < limit, "{} of {count} do not show {word}", waiting.len());
            std::thread::sleep(Duration::from_millis(5));
        }
        times.sort_unstable();
        times
    }
}

fn at(times: &[Duration], percent: usize) -> Duration {
    times[(times.len() - 1) * percent / 100]
}

/// How far the time between two questions for the status is from the interval.
fn jitter(asked: &[Vec<Moment>]) -> Vec<Duration> {
    let gaps = asked.iter().flat_map(|times| times.windows(2).map(|two| two[1] - two[0]));
    let mut late: Vec<Duration> = gaps.map(|gap| gap.saturating_sub(POLL)).collect();
    late.sort_unstable();
    late
}

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse().ok());
    let seconds: u64 = numbers.next().unwrap_or(30);
    let counts: Vec<usize> = numbers.filter_map(|count| usize::try_from(count).ok()).collect();
    let counts = if counts.is_empty() { UPSES.to_vec() } else { counts };
    setrlimit(Resource::RLIMIT_NOFILE, 16_384, 16_384).unwrap();
    let root = std::env::temp_dir().join(format!("qxups-site-{}", std::process::id()));
    println!(
        "| UPSes | first client reads the first, all, s | the same at the second start | resident on mains, kB | each further, kB | of one core | poll late p99, ms | outage of all: read by a client p50, p99, last, s | resident on battery, kB | of one core |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let mut first = 0;
    let started = |begin: Instant, port: u16, count: usize| {
        let mut client = Client::new(port);
        client.until(1, "OL", Duration::from_secs(60));
        let soon = begin.elapsed();
        client.until(count, "OL", Duration::from_secs(120));
        (client, soon, begin.elapsed())
    };
    for (turn, count) in counts.into_iter().enumerate() {
        let units = Units::start(count);
        let port =
            21_000 + u16::try_from(std::process::id() % 20_000).unwrap() + u16::try_from(turn).unwrap();
        let folder = root.join(count.to_string());
        let begin = Instant::now();
        let server = Server::start(&folder, port, &units);
        let (_, soon, all) = started(begin, port, count);
        // a UPS that is known is asked what it was last
        drop(server);
        let begin = Instant::now();
        let server = Server::start(&folder, port, &units);
        let (mut client, known_soon, known_all) = started(begin, port, count);
        // the first minute is not the usual one: all is asked once
        std::thread::sleep(Duration::from_secs(40));
        units.forget();
        let before = server.busy();
        std::thread::sleep(Duration::from_secs(seconds));
        let core = (server.busy() - before).as_secs_f64() / seconds as f64;
        let late = jitter(&units.asked());
        let mains = server.resident_kb();
        first = if turn == 0 { mains } else { first };
        (0..count).for_each(|ups| units.turn(ups, "mains fail"));
        let times = client.until(count, "OB", Duration::from_secs(60));
        let before = server.busy();
        std::thread::sleep(Duration::from_secs(20));
        let on_battery = (server.busy() - before).as_secs_f64() / 20.0;
        let each = if count == 1 { 0.0 } else { (mains as f64 - first as f64) / (count - 1) as f64 };
        println!(
            "| {count} | {:.2}, {:.2} | {:.2}, {:.2} | {mains} | {each:.1} | {:.2} % | {:.1} | {:.2}, {:.2}, {:.2} | {} | {:.2} % |",
            soon.as_secs_f64(),
            all.as_secs_f64(),
            known_soon.as_secs_f64(),
            known_all.as_secs_f64(),
            core * 100.0,
            at(&late, 99).as_secs_f64() * 1000.0,
            at(&times, 50).as_secs_f64(),
            at(&times, 99).as_secs_f64(),
            times[times.len() - 1].as_secs_f64(),
            server.resident_kb(),
            on_battery * 100.0,
        );
    }
    let _ = std::fs::remove_dir_all(root);
}
