//! Control from outside: a Unix socket that takes one order a line.
//!
//! An order is a knob (`mains fail`), or `state`, `heard`, `forget-heard` or `quit`. The answer ends
//! by a line `ok`, or is one line that begins with `error:`. Of a line that is too long, or never ended,
//! nothing is done: a part of it may be another order.

use crate::end::SharedUps;
use crate::knob::{self, Knob};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// Longest order, in bytes, without its line feed.
pub const LONGEST: usize = 4096;

/// Takes orders at `path` until one is `quit`.
///
/// # Errors
/// What the system says.
pub async fn run(shared: &SharedUps, path: &Path) -> io::Result<()> {
    let listener = bind(path).await?;
    let _removed_at_the_end = Bound(path);
    loop {
        let (stream, _) = listener.accept().await?;
        // a client that breaks off is no reason to stop
        if let Ok(true) = converse(shared, stream).await {
            return Ok(());
        }
    }
}

/// Listens at a path. A socket that was left behind is replaced; one in use is not, and
/// anything else is left alone.
async fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.symlink_metadata().is_ok_and(|meta| meta.file_type().is_socket()) {
        match UnixStream::connect(path).await {
            Ok(_) => {
                let text = format!(
                    "{}: another program listens there; end it, or name another path",
                    path.display()
                );
                return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            Err(_) => std::fs::remove_file(path)?,
        }
    }
    UnixListener::bind(path)
}

/// A socket of ours, whose file goes with it.
struct Bound<'p>(&'p Path);

impl Drop for Bound<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0);
    }
}

/// True when it was told to quit.
async fn converse(shared: &SharedUps, stream: UnixStream) -> io::Result<bool> {
    let mut reader = BufReader::new(stream);
    while let Some(line) = next_line(&mut reader).await? {
        let order = line.as_ref().map_or("", |line| line.trim());
        let answer = match &line {
            Ok(_) => obey(shared, order),
            Err(why) => format!("error: {why}; nothing was done\n"),
        };
        reader.get_mut().write_all(answer.as_bytes()).await?;
        if order == "quit" {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The next line, without its line feed, or what is wrong with it; then it is over as a whole. `None` at the end.
async fn next_line(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Result<String, String>>> {
    let (mut line, mut length) = (vec![], 0);
    loop {
        let bytes = reader.fill_buf().await?;
        if bytes.is_empty() {
            let unended = Err("the order has no line feed at its end".to_string());
            return Ok((length > 0).then_some(unended));
        }
        let feed = bytes.iter().position(|byte| *byte == b'\n');
        let part = &bytes[..feed.unwrap_or(bytes.len())];
        length += part.len();
        // what is too long is counted, and not kept
        line.extend_from_slice(&part[..part.len().min((LONGEST + 1).saturating_sub(line.len()))]);
        let used = feed.map_or(bytes.len(), |feed| feed + 1);
        reader.consume(used);
        if feed.is_none() {
            continue;
        }
        return Ok(Some(match String::from_utf8(line) {
            _ if length > LONGEST => Err(format!("an order has at most {LONGEST} bytes, this one {length}")),
            Ok(line) => Ok(line),
            Err(_) => Err("the order is no text".to_string()),
        }));
    }
}

/// Does what a line asks for; the answer.
pub fn obey(shared: &SharedUps, order: &str) -> String {
    match order {
        "" | "help" => format!("{}\nstate     heard     forget-heard     quit\nok\n", knob::summary()),
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
            Err(why) => format!("error: {}\n", why.lines().collect::<Vec<_>>().join(" ")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::script::Script;
    use crate::trouble::Trouble;
    use crate::ups::SimulatedUps;
    use tokio::io::AsyncReadExt;

    /// What is answered to these bytes, as lines, and what the UPS is in then.
    fn conversation(bytes: &[u8]) -> (Vec<String>, String) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let protocol = &qx::protocols::MEGATEC;
            let ups = SimulatedUps::new(protocol, Profile::default(), Trouble::new(1), Script::default());
            let shared = SharedUps::new(ups);
            let (mut client, server) = UnixStream::pair().unwrap();
            let talk = async {
                let (mut reader, mut writer) = client.split();
                let mut said = String::new();
                let write = async {
                    writer.write_all(bytes).await.unwrap();
                    writer.shutdown().await.unwrap();
                };
                let (_, read) = tokio::join!(write, reader.read_to_string(&mut said));
                read.unwrap();
                said
            };
            let (done, said) = tokio::join!(converse(&shared, server), talk);
            done.unwrap();
            (said.lines().map(String::from).collect(), obey(&shared, "state"))
        })
    }

    #[test]
    fn no_part_of_a_line_is_taken_for_an_order() {
        assert!(conversation(b"").1.contains("on battery false"));
        let long = |length: usize| [&vec![b'x'; length][..], b" mains fail\n"].concat();
        for line in [
            // whatever the size of the pieces in which it is read: each may begin with an order
            long(200_000),
            long(LONGEST),
            long(LONGEST - 10),
            [&b" ".repeat(LONGEST)[..], b"mains fail\n"].concat(),
            [&b"mains fail"[..], &b" ".repeat(LONGEST), b"\n"].concat(),
        ] {
            let (answers, after) = conversation(&[&line[..], b"load 33\n"].concat());
            assert_eq!(answers.len(), 2, "{answers:?}");
            assert!(answers[0].contains("at most 4096 bytes") && answers[0].contains("nothing was done"));
            assert_eq!(answers[1], "ok", "the next line is one again");
            assert!(after.contains("on battery false") && after.contains("load 33 %"), "{after}");
        }
        // just fits: it is no knob, but it is one line
        let (answers, _) = conversation(&long(LONGEST - 11));
        assert!(answers[0].contains("there is no knob") && answers.len() == 1, "{answers:?}");
    }

    #[test]
    fn what_was_broken_off_is_not_done() {
        let before = conversation(b"").1;
        for cut in [&b"mains fail"[..], b"load 9", b"quit", b"x"] {
            let (answers, after) = conversation(cut);
            assert!(answers[0].starts_with("error: the order has no line feed"), "{answers:?}");
            assert_eq!(after, before);
        }
        assert!(conversation(b"load \xff\n").0[0].contains("no text"));
    }
}
