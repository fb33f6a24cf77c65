//! A simulated UPS on a pseudo-terminal or TCP, in a thread of its own.

use crate::nut::Which;
use simulator::end::SharedUps;
use simulator::profile::Profile;
use simulator::pty::Pty;
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use simulator::usbip::{self, Converter};
use simulator::{control, pty, tcp};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What a driver finds at the UPS.
enum End {
    Terminal,
    Tcp,
    Usb(Converter),
}

static STARTED: AtomicUsize = AtomicUsize::new(0);

pub struct SimUps {
    /// What a driver opens.
    pub port: PathBuf,
    control: PathBuf,
}

impl SimUps {
    /// A UPS on a pseudo-terminal, with these knobs turned before the first question.
    pub fn start(name: &str, which: Which, protocol: &str, knobs: &[&str]) -> SimUps {
        SimUps::begin(name, which, protocol, knobs, End::Terminal)
    }

    /// The same on TCP.
    pub fn start_tcp(name: &str, which: Which, protocol: &str, knobs: &[&str]) -> SimUps {
        SimUps::begin(name, which, protocol, knobs, End::Tcp)
    }

    /// The same behind a converter, for a machine that attaches it from this TCP port.
    pub fn start_usb(
        name: &str,
        which: Which,
        protocol: &str,
        knobs: &[&str],
        converter: Converter,
    ) -> (SimUps, u16) {
        let ups = SimUps::begin(name, which, protocol, knobs, End::Usb(converter));
        let port = ups.port.to_str().and_then(|text| text.rsplit(':').next()).unwrap().parse().unwrap();
        (ups, port)
    }

    fn begin(name: &str, which: Which, protocol: &str, knobs: &[&str], end: End) -> SimUps {
        let name = name.replace(['/', ' ', '('], "-");
        // one of the same name may go on until the test ends
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let stem = std::env::temp_dir().join(format!("qxups-ups-{process}-{number}-{name}-{which:?}"));
        let (link, control) = (stem.with_extension("tty"), stem.with_extension("control"));
        let protocol = qx::protocols::named(protocol).expect("a known dialect");
        let (ready, started) = mpsc::channel();
        let path = control.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let ups = SimulatedUps::new(protocol, Profile::default(), Trouble::new(1), Script::default());
                let shared = SharedUps::new(ups);
                let listening = async {
                    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                    let port = listener.local_addr().unwrap().port();
                    ready.send(PathBuf::from(format!("tcp://127.0.0.1:{port}"))).unwrap();
                    listener
                };
                let serving = async {
                    match end {
                        End::Tcp => tcp::run(&shared, listening.await).await,
                        End::Usb(converter) => usbip::run(&shared, &converter, listening.await).await,
                        End::Terminal => {
                            let end = Pty::open(Some(&link)).unwrap();
                            ready.send(end.path().to_path_buf()).unwrap();
                            pty::run(&shared, end).await
                        }
                    }
                };
                tokio::select! {
                    _ = serving => {}
                    _ = control::run(&shared, &path) => {}
                }
            });
        });
        let ups = SimUps { port: started.recv().unwrap(), control };
        knobs.iter().for_each(|knob| ups.turn(knob));
        ups
    }

    /// Turns a knob.
    pub fn turn(&self, knob: &str) {
        let answer = self.order(knob);
        assert_eq!(answer.last().map(String::as_str), Some("ok"), "{knob}: {answer:?}");
    }

    /// What the UPS heard since the last [`SimUps::forget`].
    pub fn heard(&self) -> Vec<String> {
        let mut lines = self.order("heard");
        lines.pop();
        lines
    }

    /// What is so in its world: `powered true`, say.
    pub fn is(&self, line: &str) -> bool {
        self.order("state").iter().any(|state| state == line)
    }

    pub fn forget(&self) {
        self.turn("forget-heard");
    }

    fn order(&self, order: &str) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut stream = loop {
            match UnixStream::connect(&self.control) {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < deadline, "{}: {error}", self.control.display()),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        writeln!(stream, "{order}").unwrap();
        let mut lines = vec![];
        for line in BufReader::new(stream).lines() {
            let line = line.unwrap();
            let last = line == "ok" || line.starts_with("error:");
            lines.push(line);
            if last {
                break;
            }
        }
        lines
    }
}

impl Drop for SimUps {
    fn drop(&mut self) {
        if let Ok(mut stream) = UnixStream::connect(&self.control) {
            let _ = writeln!(stream, "quit");
        }
        let _ = std::fs::remove_file(&self.control);
        let _ = std::fs::remove_file(&self.port);
    }
}
