//! Requests a second, and how long one takes: Debian's upsd and ours in front of the same driver sockets, each client
//! asking anew once it is answered. Prints a table of docs/benchmarks.md:
//! `cargo bench -p serve --bench requests -- [SECONDS]`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_precision_loss)]

use nix::sys::resource::{Resource, setrlimit};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

const CLIENTS: [usize; 4] = [1, 10, 100, 1000];
const UPSES: [usize; 3] = [1, 10, 100];
/// Clients that ask for all and read nothing, for the last table.
const NEVER_READ: usize = 10;
/// A request that is not answered for so long is given up.
const PATIENCE: Duration = Duration::from_secs(3);
/// As many variables as a UPS of Voltronic has.
const VARIABLES: usize = 45;

/// What is asked.
#[derive(Clone, Copy, PartialEq)]
enum Ask {
    List,
    Get,
}

impl Ask {
    fn line(self, ups: usize) -> String {
        match self {
            Ask::List => format!("LIST VAR ups{ups}\n"),
            Ask::Get => format!("GET VAR ups{ups} ups.status\n"),
        }
    }
    fn end(self, ups: usize) -> Vec<u8> {
        match self {
            Ask::List => format!("END LIST VAR ups{ups}\n").into_bytes(),
            Ask::Get => b"\n".to_vec(),
        }
    }
    fn name(self) -> &'static str {
        match self {
            Ask::List => "LIST VAR",
            Ask::Get => "GET VAR",
        }
    }
}

/// A driver as the server sees it: says all at once, and answers PING.
async fn be_driver(stream: UnixStream, dump: String) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match line.trim() {
            "DUMPALL" => dump.as_str(),
            "PING" => "PONG\n",
            _ => continue,
        };
        if write.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn dump() -> String {
    let mut text = String::from("SETINFO ups.status \"OL\"\n");
    for at in 0..VARIABLES {
        let _ = writeln!(text, "SETINFO outlet.{at}.voltage.nominal \"2{at:02}.0\"");
    }
    text + "DATAOK\nDUMPDONE\n"
}

/// All drivers of a site, on a thread of their own.
fn drivers(folder: &Path, count: usize) {
    let paths: Vec<PathBuf> = (0..count).map(|ups| folder.join(format!("dummy-ups-ups{ups}"))).collect();
    let (ready, is_ready) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        runtime().block_on(async {
            for path in paths {
                let listener = UnixListener::bind(path).unwrap();
                tokio::spawn(async move {
                    while let Ok((stream, _)) = listener.accept().await {
                        tokio::spawn(be_driver(stream, dump()));
                    }
                });
            }
            ready.send(()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    is_ready.recv().unwrap();
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(program: &Path, folder: &Path, port: u16, upses: usize) -> Server {
        let conf = folder.join(format!("conf-{port}"));
        std::fs::create_dir_all(&conf).unwrap();
        let sections = (0..upses).map(|ups| format!("[ups{ups}]\ndriver = dummy-ups\nport = none\n"));
        std::fs::write(conf.join("ups.conf"), sections.collect::<String>()).unwrap();
        let settings = format!("LISTEN 127.0.0.1 {port}\nSTATEPATH {}\nMAXCONN 3000\n", folder.display());
        std::fs::write(conf.join("upsd.conf"), settings).unwrap();
        std::fs::write(conf.join("upsd.users"), "").unwrap();
        let child = Command::new(program)
            .args(["-F", "-u", "root"])
            .env("NUT_CONFPATH", &conf)
            .env("NUT_STATEPATH", folder)
            .env("NUT_ALTPIDPATH", &conf)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { child, port };
        runtime().block_on(server.is_ready(upses));
        server
    }

    async fn is_ready(&self, upses: usize) {
        let begin = Instant::now();
        for ups in 0..upses {
            while let Err(why) = self.asks_once(Ask::Get, ups).await {
                assert!(begin.elapsed() < Duration::from_secs(30), "port {}: {why}", self.port);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn asks_once(&self, ask: Ask, ups: usize) -> Result<(), String> {
        let mut client = Client::new(self.port).await?;
        client.ask(ask, ups).await?;
        match client.buffer.starts_with(b"VAR") {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&client.buffer).into()),
        }
    }

    /// Processor time of the process so far.
    fn busy(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat[stat.rfind(')').unwrap()..].split(' ').collect();
        let ticks: u64 = fields[12].parse::<u64>().unwrap() + fields[13].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    fn resident_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn new(port: u16) -> Result<Client, String> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).unwrap();
        Ok(Client { stream, buffer: Vec::with_capacity(8192) })
    }

    async fn ask(&mut self, ask: Ask, ups: usize) -> Result<(), String> {
        self.buffer.clear();
        self.stream.write_all(ask.line(ups).as_bytes()).await.map_err(|error| error.to_string())?;
        let end = ask.end(ups);
        while !self.buffer.ends_with(&end) {
            if self.buffer.starts_with(b"ERR") && self.buffer.ends_with(b"\n") {
                return Err(String::from_utf8_lossy(&self.buffer).into());
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return Err("the connection ended".into()),
                Ok(_) => {}
            }
        }
        Ok(())
    }
}

struct Measured {
    a_second: f64,
    p50_us: u64,
    p99_us: u64,
    busy_us: f64,
}

fn measure(server: &Server, ask: Ask, clients: usize, upses: usize, time: Duration) -> Measured {
    let before = server.busy();
    let begin = Instant::now();
    let mut times: Vec<u64> = runtime().block_on(async {
        let port = server.port;
        let mut tasks = vec![];
        for number in 0..clients {
            tasks.push(tokio::spawn(async move {
                let mut times = vec![];
                let connected = timeout(PATIENCE, Client::new(port)).await;
                let Ok(Ok(mut client)) = connected else { return times };
                let mut ups = number % upses;
                while begin.elapsed() < time {
                    let sent = Instant::now();
                    // a server that hangs answers no more
                    if !matches!(timeout(PATIENCE, client.ask(ask, ups)).await, Ok(Ok(()))) {
                        break;
                    }
                    times.push(u64::try_from(sent.elapsed().as_micros()).unwrap());
                    ups = (ups + 1) % upses;
                }
                times
            }));
        }
        let mut all = vec![];
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        all
    });
    let (took, busy) = (begin.elapsed(), server.busy() - before);
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len().saturating_sub(1) * percent / 100).copied().unwrap_or(0);
    Measured {
        a_second: times.len() as f64 / took.as_secs_f64(),
        p50_us: at(50),
        p99_us: at(99),
        busy_us: busy.as_secs_f64() * 1e6 / times.len().max(1) as f64,
    }
}

/// Clients that ask for all, over and over, and read nothing.
async fn never_read(port: u16) -> Vec<TcpStream> {
    let mut streams = vec![];
    for _ in 0..NEVER_READ {
        let connected = timeout(PATIENCE, TcpStream::connect(("127.0.0.1", port))).await;
        let Ok(Ok(mut stream)) = connected else { continue };
        let asks = Ask::List.line(0).repeat(200);
        // until nothing more goes in
        let _ = timeout(Duration::from_millis(200), async {
            while stream.write_all(asks.as_bytes()).await.is_ok() {}
        })
        .await;
        streams.push(stream);
    }
    streams
}

fn main() {
    let seconds = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(2.0);
    let time = Duration::from_secs_f64(seconds);
    setrlimit(Resource::RLIMIT_NOFILE, 8192, 8192).unwrap();
    let root = std::env::temp_dir().join(format!("qxups-bench-{}", std::process::id()));
    let programs = [PathBuf::from("/lib/nut/upsd"), PathBuf::from(env!("CARGO_BIN_EXE_upsd"))];
    println!(
        "| request | UPSes | clients | upsd, a second | ours, a second | ours / upsd | upsd p50, p99 in ms | ours p50, p99 in ms | upsd, µs of processor each | ours |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (turn, upses) in UPSES.into_iter().enumerate() {
        let folder = root.join(upses.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        drivers(&folder, upses);
        let port =
            20_000 + u16::try_from(std::process::id() % 20_000).unwrap() + u16::try_from(turn).unwrap() * 2;
        let servers: Vec<Server> = programs
            .iter()
            .zip([port, port + 1])
            .map(|(program, port)| Server::start(program, &folder, port, upses))
            .collect();
        for ask in [Ask::List, Ask::Get] {
            for clients in CLIENTS {
                let [nut, ours] = [0, 1].map(|which| measure(&servers[which], ask, clients, upses, time));
                row(ask, upses, &clients.to_string(), &nut, &ours);
            }
        }
        let [nut, ours] = [0, 1].map(|which: usize| {
            let busy = runtime();
            let streams = busy.block_on(never_read(servers[which].port));
            let measured = measure(&servers[which], Ask::List, 10, upses, time);
            drop(streams);
            measured
        });
        row(Ask::List, upses, &format!("10, and {NEVER_READ} that never read"), &nut, &ours);
        println!(
            "| resident, kB | {upses} | | {} | {} | {:.2} | | | | |",
            servers[0].resident_kb(),
            servers[1].resident_kb(),
            servers[1].resident_kb() as f64 / servers[0].resident_kb() as f64
        );
    }
    let _ = std::fs::remove_dir_all(root);
}

fn row(ask: Ask, upses: usize, clients: &str, nut: &Measured, ours: &Measured) {
    let ms = |us: u64| us as f64 / 1000.0;
    println!(
        "| {} | {upses} | {clients} | {:.0} | {:.0} | {:.1} | {:.2}, {:.2} | {:.2}, {:.2} | {:.0} | {:.0} |",
        ask.name(),
        nut.a_second,
        ours.a_second,
        ours.a_second / nut.a_second,
        ms(nut.p50_us),
        ms(nut.p99_us),
        ms(ours.p50_us),
        ms(ours.p99_us),
        nut.busy_us,
        ours.busy_us,
    );
}
