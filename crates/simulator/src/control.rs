//! Control from outside: a Unix socket that takes one order a line.
//!
//! An order is a knob (`mains fail`), or `state`, `heard`, `forget-heard` or `quit`. The answer ends
//! by a line `ok`, or is one line that begins with `error:`.

use crate::end::Shared;
use crate::knob::{HELP, Knob};
use std::io;
use std::path::Path;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// Longest order.
const LONGEST: u64 = 4096;

/// Takes orders at `path` until one is `quit`.
///
/// # Errors
/// What the system says.
pub async fn run(shared: &Shared, path: &Path) -> io::Result<()> {
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    loop {
        let (stream, _) = listener.accept().await?;
        // a client that breaks off is no reason to stop
        if let Ok(true) = converse(shared, stream).await {
            let _ = std::fs::remove_file(path);
            return Ok(());
        }
    }
}

/// True when it was told to quit.
async fn converse(shared: &Shared, stream: UnixStream) -> io::Result<bool> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if (&mut reader).take(LONGEST).read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let order = line.trim();
        let answer = obey(shared, order);
        reader.get_mut().write_all(answer.as_bytes()).await?;
        if order == "quit" {
            return Ok(true);
        }
    }
}

/// Does what a line asks for; the answer.
pub fn obey(shared: &Shared, order: &str) -> String {
    match order {
        "" | "help" => format!("{HELP}\nstate     heard     forget-heard     quit\nok\n"),
        "quit" => "ok\n".into(),
        "state" => shared.with(|ups, _| ups.state()) + "ok\n",
        "heard" => {
            shared.with(|ups, _| ups.heard().map(|line| format!("{line}\n")).collect::<String>()) + "ok\n"
        }
        "forget-heard" => {
            shared.with(|ups, _| ups.forget_heard());
            "ok\n".into()
        }
        knob => match Knob::parse(knob) {
            Ok(knob) => {
                shared.with(|ups, now| ups.turn(knob, now));
                "ok\n".into()
            }
            Err(why) => format!("error: {}\n", why.lines().next().unwrap_or_default()),
        },
    }
}
