//! Outputs before servers and programs of the test's own: what is said of each attempt is what these saw.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use notify::output::{
    Delivery, DeliveryOutcome, ExecOutput, ExecPlan, MailPlan, MqttNoticeOutput, MqttPlan, NoticeOutput,
    SendmailOutput, SendmailPlan, SmtpOutput, SmtpPlan, SmtpTls, WebhookOutput, WebhookPlan,
};
use notify::{HiddenText, NoticeKind, NoticeTemplate, Parcel, PlaceholderEscape, UpsNotice};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

const TOKEN: &str = "s3cret-token";
const LIMIT: Duration = Duration::from_secs(1);

fn parcel(title: &str) -> Parcel {
    let notice = UpsNotice {
        id: "m-1".into(),
        rule: "mains".into(),
        ups: "rack".into(),
        kind: NoticeKind::Began,
        notify_type: "ONBATT".into(),
        at_ms: 1_772_373_909_000,
        since_ms: 1_772_373_900_000,
        title: title.into(),
        text: "line one\n.line \"two\"".into(),
        status: "OB".into(),
    };
    Parcel { number: 1, notice: Rc::new(notice), may_have_come: false, held_back: vec![], untold: 0 }
}

fn send(output: &dyn NoticeOutput, parcel: &Parcel) -> DeliveryOutcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let delivery = Delivery::of(parcel, &|_| "then".into());
    let began = Instant::now();
    let outcome = runtime.block_on(output.send(&delivery));
    runtime.shutdown_background();
    assert!(began.elapsed() < LIMIT * 5, "{outcome:?} took {:?}", began.elapsed());
    assert!(!format!("{outcome:?}{}", output.about()).contains(TOKEN), "{outcome:?}");
    outcome
}

fn template(text: &str) -> NoticeTemplate {
    NoticeTemplate::parse(text).unwrap()
}

fn webhook(port: u16) -> WebhookPlan {
    WebhookPlan {
        url: template(&format!("http://user@127.0.0.1:{port}/{{{{secret}}}}/{{{{title}}}}")),
        shown: "127.0.0.1".into(),
        method: "POST".into(),
        headers: vec![
            ("title".into(), template("{{title}}")),
            ("authorization".into(), template("Bearer {{secret}}")),
        ],
        content_type: "application/json".into(),
        body: template("{\"text\":\"{{text}}\",\"id\":\"{{id}}\"}"),
        secret: HiddenText::new(TOKEN),
        limit: LIMIT,
    }
}

/// Reads a request, and does something with the connection; what was read is given back.
fn web_server(act: impl FnOnce(TcpStream) + Send + 'static) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, came) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut read, mut room) = (vec![], [0; 4096]);
        while !String::from_utf8_lossy(&read).contains("\"id\":\"m-1\"}") {
            match stream.read(&mut room) {
                Ok(0) | Err(_) => break,
                Ok(count) => read.extend_from_slice(&room[..count]),
            }
        }
        sender.send(String::from_utf8(read).unwrap()).unwrap();
        act(stream);
        // a second connection would be one too many
        listener.set_nonblocking(true).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        assert!(listener.accept().is_err(), "a request came twice");
    });
    (port, came)
}

fn answered(answer: impl Into<Vec<u8>>) -> DeliveryOutcome {
    let answer = answer.into();
    let (port, _came) = web_server(move |mut stream| drop(stream.write_all(&answer)));
    send(&WebhookOutput::new(webhook(port), Err("none".into())), &parcel("on battery"))
}

fn is_not_taken(outcome: &DeliveryOutcome) -> bool {
    matches!(outcome, DeliveryOutcome::NotTaken { .. })
}

#[test]
fn a_request_is_as_its_template_says_and_injects_nothing() {
    let (port, came) = web_server(|mut stream| drop(stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")));
    let output = WebhookOutput::new(webhook(port), Err("none".into()));
    let odd = "a/b?\r\nX-Evil: 1 \"ü";
    assert_eq!(send(&output, &parcel(odd)), DeliveryOutcome::Taken);
    let request = came.recv().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with(&format!("POST /{TOKEN}/a%2Fb%3F%0D%0AX-Evil%3A%201%20%22%C3%BC HTTP/1.1\r\n")),
        "{head}"
    );
    assert!(head.contains(&format!("host: 127.0.0.1:{port}\r\n")), "{head}");
    assert!(head.contains("title: a/b?  X-Evil: 1 \"?\r\n"), "{head}");
    assert!(head.contains(&format!("authorization: Bearer {TOKEN}")), "{head}");
    assert!(!head.lines().any(|line| line.starts_with("X-Evil")), "{head}");
    assert!(
        body.starts_with(
            "{\"text\":\"line one\\n.line \\\"two\\\"\\n\\nNotice m-1, rule \\\"mains\\\", of then.\""
        ),
        "{body}"
    );
}

#[test]
fn what_a_status_says_is_what_is_done() {
    let code =
        |code: u16| answered(format!("HTTP/1.1 {code} x\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"));
    for taken in [200, 201, 202, 204] {
        assert_eq!(code(taken), DeliveryOutcome::Taken, "{taken}");
    }
    for later in [301, 302, 307, 401, 403, 404, 408, 429, 500, 502, 503] {
        let outcome = code(later);
        let pause = matches!(outcome, DeliveryOutcome::NotTaken { again_after_s: Some(7), .. });
        assert!(pause, "{later}: {outcome:?}");
    }
    for never in [400, 413, 422] {
        assert!(matches!(code(never), DeliveryOutcome::Refused(_)), "{never}");
    }
    assert!(matches!(code(504), DeliveryOutcome::Unknown(_)));
}

#[test]
fn a_redirect_is_followed_to_nowhere() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = elsewhere.local_addr().unwrap();
    let outcome =
        answered(format!("HTTP/1.1 307 x\r\nLocation: http://{place}/\r\nContent-Length: 0\r\n\r\n"));
    assert!(is_not_taken(&outcome), "{outcome:?}");
    elsewhere.set_nonblocking(true).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert!(elsewhere.accept().is_err());
}

#[test]
fn a_server_that_says_what_is_no_answer_may_have_taken_it() {
    let is_unknown = |outcome: DeliveryOutcome| {
        assert!(matches!(outcome, DeliveryOutcome::Unknown(_)), "{outcome:?}");
    };
    is_unknown(answered(&b"\x00\x01garbage\r\n\r\n"[..]));
    is_unknown(answered(&b""[..]));
    is_unknown(answered(&b"HTTP/1.1 200"[..]));
    is_unknown(answered(format!("HTTP/1.1 200 OK\r\n{}", "X: y\r\n".repeat(200))));
    // an answer without an end, a slow one, and none
    let endless = |bytes: &'static [u8], pause: Duration| {
        let (port, _came) = web_server(move |mut stream| {
            let _ = stream.set_write_timeout(Some(LIMIT));
            let began = Instant::now();
            while began.elapsed() < LIMIT * 2 && stream.write_all(bytes).is_ok() {
                std::thread::sleep(pause);
            }
        });
        send(&WebhookOutput::new(webhook(port), Err("none".into())), &parcel("x"))
    };
    is_unknown(endless(b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", Duration::ZERO));
    is_unknown(endless(b"H", Duration::from_millis(100)));
    is_unknown(endless(b"HTTP/1.1 100 Continue\r\n\r\n", Duration::from_millis(1)));
    is_unknown(endless(b"", Duration::from_millis(100)));
}

#[test]
fn what_cannot_be_reached_was_not_taken() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let outcome = send(&WebhookOutput::new(webhook(port), Err("none".into())), &parcel("x"));
    assert!(is_not_taken(&outcome), "{outcome:?}");
    // the secret is the host itself, and TLS cannot begin
    let secret_host = WebhookPlan {
        url: template("{{secret}}"),
        shown: "of a secret address".into(),
        secret: HiddenText::new(format!("https://{TOKEN}.invalid/x")),
        ..webhook(port)
    };
    let outcome = send(&WebhookOutput::new(secret_host, Err("none".into())), &parcel("x"));
    assert!(is_not_taken(&outcome), "{outcome:?}");
}

/// A folder with a script.
struct Script(PathBuf);

impl Script {
    fn new(name: &str, text: &str) -> Script {
        let folder = std::env::temp_dir().join(format!("qxups-notify-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let script = Script(folder);
        let path = script.path();
        std::fs::write(&path, format!("#!/bin/sh\nhere=$(dirname \"$0\")\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        script
    }

    fn path(&self) -> PathBuf {
        self.0.join("script")
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_default()
    }

    fn exec(&self, words: &[&str]) -> ExecOutput {
        let program = self.path().display().to_string();
        let words = std::iter::once(program.as_str()).chain(words.iter().copied());
        ExecOutput::new(ExecPlan {
            command: words.map(template).collect(),
            program: program.clone(),
            limit: LIMIT,
        })
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_program_gets_arguments_and_environment_and_no_shell() {
    let script = Script::new("exec", "printf '%s|' \"$@\" >\"$here/arguments\"; env >\"$here/environment\"");
    let odd = "$(touch /tmp/x) `id` ; \"";
    let output = script.exec(&["{{title}}", "for {{ups}}"]);
    assert_eq!(send(&output, &parcel(odd)), DeliveryOutcome::Taken);
    assert_eq!(script.read("arguments"), format!("{odd}|for rack|"));
    let environment = script.read("environment");
    for row in ["NOTIFYTYPE=ONBATT", "UPSNAME=rack", "QXUPS_ID=m-1", "QXUPS_TIME=2026-03-01T14:05:09Z"] {
        assert!(environment.lines().any(|line| line == row), "{row}: {environment}");
    }
    assert!(!environment.contains("CARGO"), "{environment}");
}

#[test]
fn a_program_that_failed_ran_and_one_that_hangs_is_killed_with_its_children() {
    let failed = Script::new("fails", "exit 3");
    assert!(matches!(send(&failed.exec(&[]), &parcel("x")), DeliveryOutcome::Refused(_)));
    let hangs = Script::new("hangs", "sleep 300 & echo $! >\"$here/child\"; wait");
    assert!(matches!(send(&hangs.exec(&[]), &parcel("x")), DeliveryOutcome::Unknown(_)));
    let child = hangs.read("child");
    let is_there = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    };
    let began = Instant::now();
    while is_there() {
        assert!(began.elapsed() < Duration::from_secs(5), "its child {child} is left");
        std::thread::sleep(Duration::from_millis(20));
    }
    let none = ExecPlan {
        command: vec![template("/no/such/program")],
        program: "/no/such/program".into(),
        limit: LIMIT,
    };
    assert!(is_not_taken(&send(&ExecOutput::new(none), &parcel("x"))));
}

fn mail() -> MailPlan {
    MailPlan { from: "ups@example.org".into(), to: vec!["a@example.org".into(), "b@example.org".into()] }
}

#[test]
fn sendmail_gets_a_mail_and_its_status_counts() {
    let script = Script::new(
        "sendmail",
        "echo \"$@\" >\"$here/arguments\"; cat >\"$here/mail\"; exit $(cat \"$here/code\")",
    );
    let sendmail = |limit| {
        let program = script.path().display().to_string();
        SendmailOutput::new(SendmailPlan { program, mail: mail(), limit })
    };
    std::fs::write(script.0.join("code"), "0").unwrap();
    assert_eq!(send(&sendmail(LIMIT), &parcel("rack ist im Batteriebetrieb – ü")), DeliveryOutcome::Taken);
    assert_eq!(script.read("arguments").trim(), "-i -f ups@example.org -- a@example.org b@example.org");
    let mail = script.read("mail");
    let (head, body) = mail.split_once("\n\n").unwrap();
    assert!(head.contains("Subject: =?UTF-8?B?") && !head.contains('\r'), "{head}");
    assert!(head.contains("Message-ID: <m-1@example.org>"), "{head}");
    assert!(head.contains("Date: 01 Mar 2026 14:05:09 +0000"), "{head}");
    assert!(body.contains("line one\n.line \"two\"\n"), "{body}");
    std::fs::write(script.0.join("code"), "75").unwrap();
    assert!(is_not_taken(&send(&sendmail(LIMIT), &parcel("x"))));
    let hangs = Script::new("sendmail-hangs", "sleep 60");
    let plan = SendmailPlan { program: hangs.path().display().to_string(), mail: self::mail(), limit: LIMIT };
    assert!(matches!(send(&SendmailOutput::new(plan), &parcel("x")), DeliveryOutcome::Unknown(_)));
}

/// A server of SMTP that answers a word with a line, and writes down what it hears; without a row for a word it says 250.
fn smtp_server(answers: &'static [(&'static str, &'static str)]) -> (u16, mpsc::Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, came) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = vec![];
        let answer = |word: &str| answers.iter().find(|(of, _)| *of == word).map(|(_, answer)| *answer);
        let reader = BufReader::new(stream.try_clone().unwrap());
        let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes()).is_ok();
        say(answer("").unwrap_or("220 test"));
        let mut is_data = false;
        for line in reader.lines().map_while(Result::ok) {
            lines.push(line.clone());
            let word = line.split([' ', ':']).next().unwrap_or_default().to_string();
            let reply = match (is_data, line.as_str()) {
                (true, ".") => {
                    is_data = false;
                    answer(".").unwrap_or("250 taken")
                }
                (true, _) => continue,
                (false, "DATA") => {
                    let reply = answer("DATA").unwrap_or("354 go on");
                    is_data = reply.starts_with("354");
                    reply
                }
                (false, "QUIT") => break,
                (false, _) => answer(&line).or(answer(&word)).unwrap_or("250 fine"),
            };
            match reply {
                "HANGUP" => break,
                "SILENCE" => std::thread::sleep(LIMIT * 2),
                reply => drop(say(reply)),
            }
        }
        let _ = sender.send(lines);
    });
    (port, came)
}

fn smtp(port: u16, login: bool) -> SmtpPlan {
    let login = login.then(|| ("me".to_string(), HiddenText::new(TOKEN)));
    SmtpPlan { host: "127.0.0.1".into(), port, tls: SmtpTls::None, login, mail: mail(), limit: LIMIT }
}

fn mailed(answers: &'static [(&'static str, &'static str)], login: bool) -> (DeliveryOutcome, Vec<String>) {
    let (port, came) = smtp_server(answers);
    let outcome = send(&SmtpOutput::new(smtp(port, login), Err("none".into())), &parcel("x"));
    (outcome, came.recv_timeout(LIMIT * 4).unwrap())
}

#[test]
fn a_mail_goes_by_smtp_with_a_login() {
    let (outcome, lines) =
        mailed(&[("EHLO", "250-test\r\n250 AUTH PLAIN LOGIN"), ("AUTH", "235 welcome")], true);
    assert_eq!(outcome, DeliveryOutcome::Taken);
    let expected = [
        "EHLO example.org",
        // by printf '\0me\0s3cret-token' | base64
        "AUTH PLAIN AG1lAHMzY3JldC10b2tlbg==",
        "MAIL FROM:<ups@example.org>",
        "RCPT TO:<a@example.org>",
        "RCPT TO:<b@example.org>",
        "DATA",
    ];
    assert_eq!(lines[..6], expected);
    assert!(lines.contains(&"..line \"two\"".to_string()), "{lines:?}");
}

#[test]
fn a_mail_that_certainly_was_not_taken_is_known_from_one_that_may_have_been() {
    for answers in [
        &[("", "421 busy")][..],
        &[("MAIL", "451 later")],
        &[("RCPT", "452 full")],
        &[("DATA", "HANGUP")],
        &[(".", "451 later")],
        &[("EHLO", "SILENCE")],
        &[("EHLO", "what is this")],
    ] {
        let (outcome, _) = mailed(answers, false);
        assert!(is_not_taken(&outcome), "{answers:?}: {outcome:?}");
    }
    for answers in [&[(".", "HANGUP")][..], &[(".", "SILENCE")], &[(".", "garbage")]] {
        let (outcome, _) = mailed(answers, false);
        assert!(matches!(outcome, DeliveryOutcome::Unknown(_)), "{answers:?}: {outcome:?}");
    }
    for answers in [&[("RCPT", "550 no such user")][..], &[(".", "554 spam")]] {
        let (outcome, _) = mailed(answers, false);
        assert!(matches!(outcome, DeliveryOutcome::Refused(_)), "{answers:?}: {outcome:?}");
    }
    // one address that does not exist costs the other nothing
    let (outcome, lines) = mailed(&[("RCPT TO:<a@example.org>", "550 no such user")], false);
    assert_eq!((outcome, lines.contains(&"DATA".to_string())), (DeliveryOutcome::Taken, true));
}

#[test]
fn a_password_is_in_no_error_and_goes_nowhere_in_the_clear_where_tls_is_wanted() {
    // the server says back what it heard
    let (outcome, _) = mailed(
        &[("EHLO", "250 AUTH PLAIN"), ("AUTH", "535 no: AG1lAHMzY3JldC10b2tlbg== s3cret-token")],
        true,
    );
    assert!(is_not_taken(&outcome) && !format!("{outcome:?}").contains("AG1l"), "{outcome:?}");
    let (port, came) = smtp_server(&[("EHLO", "250 AUTH PLAIN")]);
    let plan = SmtpPlan { tls: SmtpTls::StartTls, ..smtp(port, true) };
    let outcome = send(&SmtpOutput::new(plan, Err("none".into())), &parcel("x"));
    assert!(is_not_taken(&outcome), "{outcome:?}");
    let lines = came.recv_timeout(LIMIT * 4).unwrap();
    assert!(lines.iter().all(|line| !line.starts_with("AUTH")), "{lines:?}");
}

/// A broker that reads a packet, says this, reads the next, says that, and ends the connection; what it read.
fn broker(welcome: &'static [u8], behind: &'static [u8], hangs: bool) -> (u16, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, came) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for answer in [welcome, behind] {
            let mut room = [0; 4096];
            let Ok(read @ 1..) = stream.read(&mut room) else { return };
            let _ = sender.send(room[..read].to_vec());
            let _ = stream.write_all(answer);
        }
        if hangs {
            std::thread::sleep(LIMIT * 3);
        }
    });
    (port, came)
}

fn published(welcome: &'static [u8], behind: &'static [u8], hangs: bool) -> (DeliveryOutcome, Vec<Vec<u8>>) {
    let (port, came) = broker(welcome, behind, hangs);
    let plan = MqttPlan {
        host: "127.0.0.1".into(),
        port,
        version: mqtt::MqttVersion::V311,
        client: "qxups-home_broker".into(),
        user: Some("ups".into()),
        password: Some(HiddenText::new(TOKEN)),
        topic: "qxups/home/notice".into(),
        body: template("{{title}}"),
        escape: PlaceholderEscape::Plain,
        limit: LIMIT,
    };
    let outcome = send(&MqttNoticeOutput::new(plan, None), &parcel("on battery"));
    (outcome, came.try_iter().collect())
}

/// MQTT 3.1.1, 3.2 (CONNACK) and 3.4 (PUBACK), by hand.
#[test]
fn a_message_is_taken_when_it_is_acknowledged_and_certainty_ends_where_it_is_sent() {
    let (outcome, read) = published(&[0x20, 2, 0, 0], &[0x40, 2, 0, 1], true);
    assert_eq!(outcome, DeliveryOutcome::Taken);
    assert!(read[0].windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()));
    assert_eq!(read[1], b"\x32\x1f\0\x11qxups/home/notice\0\x01on battery");
    // refused, garbage, closed and silent before the message: it was not sent
    for (welcome, hangs) in [(&[0x20, 2, 0, 5][..], true), (&[0xff; 9], true), (&[], false), (&[], true)] {
        let (outcome, read) = published(welcome, &[], hangs);
        assert!(is_not_taken(&outcome) && read.len() == 1, "{welcome:?}: {outcome:?}, {read:?}");
    }
    // and behind it: it may have been taken
    for (behind, hangs) in [(&[0xff; 9][..], true), (&[0x40, 2, 0, 9], true), (&[], false), (&[], true)] {
        let (outcome, read) = published(&[0x20, 2, 0, 0], behind, hangs);
        assert!(matches!(outcome, DeliveryOutcome::Unknown(_)), "{behind:?}: {outcome:?}");
        assert_eq!(read.len(), 2);
    }
}
