//! A web server of a test's own: it writes down each request, and answers as the test has it answer.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A request that came.
#[derive(Clone, Debug)]
pub struct Received {
    pub at: Instant,
    pub head: String,
    pub body: String,
}

impl Received {
    /// A field of the body, which is the default one: JSON of texts.
    pub fn field(&self, name: &str) -> String {
        let (_, rest) = self.body.split_once(&format!("\"{name}\":\"")).unwrap_or_default();
        let mut end = rest.len();
        let mut escaped = false;
        for (at, letter) in rest.char_indices() {
            match letter {
                '"' if !escaped => {
                    end = at;
                    break;
                }
                '\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        rest[..end].replace("\\n", "\n").replace("\\\"", "\"")
    }
}

/// What it answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status line's code.
    Code(u16),
    /// These bytes, whatever they are.
    Bytes(Vec<u8>),
    /// The request is read, then nothing comes, and the connection stays.
    Silence,
    /// The request is read, then the connection ends.
    Hangup,
    /// Bytes without an end.
    Endless(&'static [u8]),
}

type Answers = Box<dyn FnMut(usize) -> Reply + Send>;

/// The server, from when it listens until it is dropped.
pub struct Receiver {
    pub port: u16,
    all: Arc<Mutex<Vec<Received>>>,
    ended: Arc<Mutex<bool>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Receiver {
    /// Answers 200.
    pub fn start() -> Receiver {
        Receiver::answering(0, |_| Reply::Code(200))
    }

    /// Listens at a port, or at any where that is 0; `answers` gets the number of the request, from 0.
    pub fn answering(port: u16, answers: impl FnMut(usize) -> Reply + Send + 'static) -> Receiver {
        let listener = bound(port);
        let port = listener.local_addr().unwrap().port();
        let (all, ended) = (Arc::new(Mutex::new(vec![])), Arc::new(Mutex::new(false)));
        let answers: Arc<Mutex<Answers>> = Arc::new(Mutex::new(Box::new(answers)));
        let (received, is_over) = (all.clone(), ended.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if *is_over.lock().unwrap() {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (received, answers, is_over) = (received.clone(), answers.clone(), is_over.clone());
                std::thread::spawn(move || serve(stream, &received, &answers, &is_over));
            }
        });
        Receiver { port, all, ended, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub fn all(&self) -> Vec<Received> {
        self.all.lock().unwrap().clone()
    }

    pub fn titles(&self) -> Vec<String> {
        self.all().iter().map(|received| received.field("title")).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        *self.ended.lock().unwrap() = true;
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A port that was in use a moment ago may be so a moment longer.
fn bound(port: u16) -> TcpListener {
    for _ in 0..200 {
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("port {port} does not become free");
}

fn serve(
    mut stream: TcpStream,
    received: &Mutex<Vec<Received>>,
    answers: &Mutex<Answers>,
    is_over: &Mutex<bool>,
) {
    let Some((head, body)) = request(&mut stream) else { return };
    let mut all = received.lock().unwrap();
    let number = all.len();
    all.push(Received { at: Instant::now(), head, body });
    drop(all);
    let reply = answers.lock().unwrap()(number);
    match reply {
        Reply::Code(code) => {
            let _ = write!(stream, "HTTP/1.1 {code} said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        Reply::Bytes(bytes) => drop(stream.write_all(&bytes)),
        Reply::Hangup => {}
        Reply::Silence => {
            while !*is_over.lock().unwrap() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Reply::Endless(bytes) => while !*is_over.lock().unwrap() && stream.write_all(bytes).is_ok() {},
    }
}

fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let (mut came, mut room) = (vec![], [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&came).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Some((head.into(), body.into()));
            }
        }
        match stream.read(&mut room) {
            Ok(0) | Err(_) => return None,
            Ok(count) => came.extend_from_slice(&room[..count]),
        }
    }
}
