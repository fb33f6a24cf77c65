//! Outputs before servers and programs of the test's own: what is said of each attempt is what these saw.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use notify::output::{
    Delivery, DeliveryOutcome, ExecOutput, ExecPlan, MailPlan, NoticeOutput, SendmailOutput, SendmailPlan,
    SmtpOutput, SmtpPlan, SmtpTls, WebhookOutput, WebhookPlan,
};
use notify::{HiddenText, NoticeKind, NoticeTemplate, Parcel, UpsNotice};
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
    until_gone(&hangs.read("child"));
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

/// A server of HTTPS or SMTP with the TLS of OpenSSL. It prints its port, and then each line that came encrypted.
const TLS_SERVER: &str = r#"
import socket, ssl, sys
kind, identity = sys.argv[1:3]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(identity)

def smtp(client, is_tls):
    lines, is_data = client.makefile("rb"), False
    for line in lines:
        line = line.rstrip(b"\r\n").decode()
        if is_tls:
            print(line, flush=True)
        if is_data and line != ".":
            continue
        if line == "STARTTLS":
            client.sendall(b"220 go on\r\n")
            return smtp(context.wrap_socket(client, server_side=True), True)
        if line == "QUIT":
            return
        answer = {"DATA": "354 go on", "EHLO": "250-test\r\n250-AUTH PLAIN\r\n250 STARTTLS", "AUTH": "235 welcome"}
        client.sendall((answer.get(line.split(" ")[0], "250 fine") + "\r\n").encode())
        is_data = line == "DATA"

def serve(client):
    client.settimeout(5)
    if kind == "starttls":
        client.sendall(b"220 test\r\n")
        return smtp(client, False)
    client = context.wrap_socket(client, server_side=True)
    if kind == "implicit":
        client.sendall(b"220 test\r\n")
        return smtp(client, True)
    print(client.makefile("rb").readline().strip().decode(), flush=True)
    client.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
    client.unwrap()

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    client, _ = listener.accept()
    try:
        serve(client)
    except OSError:
        pass
    client.close()
"#;

/// That server, as a program.
struct TlsServer {
    program: std::process::Child,
    port: u16,
    heard: mpsc::Receiver<String>,
}

impl TlsServer {
    /// None where there is no Python, unless all judges have to be there.
    fn start(kind: &str, identity: &std::path::Path) -> Option<TlsServer> {
        let started = std::process::Command::new("python3")
            .args(["-c", TLS_SERVER, kind])
            .arg(identity)
            .stdout(std::process::Stdio::piped())
            .spawn();
        let is_needed = std::env::var_os("QXUPS_JUDGES").is_some_and(|judges| judges == "all");
        assert!(started.is_ok() || !is_needed, "no python3");
        let mut program = started.ok()?;
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.next().unwrap().parse().unwrap();
        let (sender, heard) = mpsc::channel();
        std::thread::spawn(move || lines.try_for_each(|line| sender.send(line)));
        Some(TlsServer { program, port, heard })
    }

    /// What came encrypted until now.
    fn heard(&self) -> Vec<String> {
        std::thread::sleep(Duration::from_millis(100));
        self.heard.try_iter().collect()
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Nothing of a notice, of a token or of a password goes to a server that does not prove who it is.
#[test]
fn a_server_is_known_by_its_certificate_before_anything_is_sent() {
    let folder = Script::new("tls", "");
    let identity = |name: &str| {
        let path = folder.0.join(name);
        std::fs::write(&path, tls::TlsIdentity::make(&["localhost".to_string()]).unwrap()).unwrap();
        path
    };
    let (ours, other) = (identity("ours.pem"), identity("other.pem"));
    let print = |path: &PathBuf| tls::TlsIdentity::from_file(path).unwrap().fingerprint().unwrap();
    let roots = |path: &PathBuf| tls::client_config(&tls::Verify::Roots(path.clone()), None).unwrap();
    let pinned = |path: &PathBuf| tls::client_config(&tls::Verify::Fingerprint(print(path)), None).unwrap();
    for kind in ["https", "implicit", "starttls"] {
        let Some(server) = TlsServer::start(kind, &ours) else { return };
        let attempt = |host: &str, config: std::sync::Arc<tls::rustls::ClientConfig>| -> DeliveryOutcome {
            let port = server.port;
            if kind == "https" {
                let url = template(&format!("https://{host}:{port}/{{{{secret}}}}"));
                let plan = WebhookPlan { url, shown: host.into(), ..webhook(port) };
                return send(&WebhookOutput::new(plan, Ok(config)), &parcel("x"));
            }
            let tls = if kind == "implicit" { SmtpTls::Implicit } else { SmtpTls::StartTls };
            let plan = SmtpPlan { host: host.into(), tls, ..smtp(port, true) };
            send(&SmtpOutput::new(plan, Ok(config)), &parcel("x"))
        };
        for (what, host, config) in [
            ("signed by others", "localhost", roots(&other)),
            ("of another host", "127.0.0.1", roots(&ours)),
            ("another than that of the fingerprint", "localhost", pinned(&other)),
        ] {
            let outcome = attempt(host, config);
            assert!(is_not_taken(&outcome), "{kind}, a certificate {what}: {outcome:?}");
            assert_eq!(server.heard(), [""; 0], "{kind}, a certificate {what}");
        }
        for (what, host, config) in [
            ("signed by ours", "localhost", roots(&ours)),
            ("that of the fingerprint", "localhost", pinned(&ours)),
        ] {
            assert_eq!(attempt(host, config), DeliveryOutcome::Taken, "{kind}, a certificate {what}");
            let heard = server.heard();
            let sign = if kind == "https" { "POST /s3cret-token HTTP/1.1" } else { "." };
            assert!(heard.iter().any(|line| line == sign), "{kind}: {heard:?}");
        }
    }
    // a server that speaks no TLS at all gets no request
    let (port, came) = web_server(|_| ());
    let url = template(&format!("https://127.0.0.1:{port}/{{{{secret}}}}"));
    let outcome =
        send(&WebhookOutput::new(WebhookPlan { url, ..webhook(port) }, Ok(roots(&ours))), &parcel("x"));
    assert!(!matches!(outcome, DeliveryOutcome::Taken | DeliveryOutcome::Refused(_)), "{outcome:?}");
    drop(came);
}

/// What a UPS says never becomes an option of a program.
#[test]
fn a_text_of_a_ups_is_no_option_of_a_program() {
    let script = Script::new("option", "printf '%s|' \"$@\" >\"$here/arguments\"");
    let output = script.exec(&["{{status}}", "--type={{status}}", "-s{{ups}}"]);
    let mut odd = parcel("x");
    odd.notice = Rc::new(UpsNotice { status: "--config=/tmp/x".into(), ..(*odd.notice).clone() });
    assert_eq!(send(&output, &odd), DeliveryOutcome::Taken);
    assert_eq!(script.read("arguments"), " --config=/tmp/x|--type=--config=/tmp/x|-srack|");
}

/// An output that a reload removes, or a server that ends, leaves nothing of a program behind.
#[test]
fn a_program_that_is_given_up_goes_with_its_children() {
    let script =
        Script::new("given-up", "sleep 300 & echo $! >\"$here/new\"; mv \"$here/new\" \"$here/child\"; wait");
    let (output, parcel) = (script.exec(&[]), parcel("x"));
    let delivery = Delivery::of(&parcel, &|_| "then".into());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let has_begun = async {
            while script.read("child").is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            _ = output.send(&delivery) => panic!("it ended"),
            () = has_begun => {}
        }
    });
    until_gone(&script.read("child"));
}

fn until_gone(child: &str) {
    let is_there = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    };
    let began = Instant::now();
    while is_there() {
        assert!(began.elapsed() < Duration::from_secs(5), "its child {child} is left");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Has the start of a program hang, as on a file system that does not answer, until this is killed (fanotify(7)).
const HANGING: &str = r#"
import ctypes, os, sys, time
libc = ctypes.CDLL(None)
CLASS_CONTENT, CLOEXEC, MARK_ADD, OPEN_EXEC_PERM, HERE = 4, 1, 1, 0x40000, -100
watch = libc.fanotify_init(CLASS_CONTENT | CLOEXEC, os.O_RDONLY)
mark = libc.fanotify_mark(watch, MARK_ADD, ctypes.c_uint64(OPEN_EXEC_PERM), HERE, sys.argv[1].encode())
print(mark, flush=True)
time.sleep(60)
"#;

/// Nothing else of the thread waits for a program whose file does not come: the thread is that of all UPSes.
#[test]
fn a_program_that_does_not_begin_holds_up_nothing_else() {
    let script = Script::new("hanging", "echo ran >\"$here/ran\"");
    let hanging = std::process::Command::new("python3")
        .args(["-c", HANGING])
        .arg(script.path())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let Ok(mut hanging) = hanging else { return };
    let mut said = String::new();
    BufReader::new(hanging.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (output, parcel) = (script.exec(&[]), parcel("x"));
    let delivery = Delivery::of(&parcel, &|_| "then".into());
    // only root can do this
    if said.trim() == "0" {
        let others = async {
            let began = Instant::now();
            tokio::time::sleep(LIMIT / 10).await;
            began.elapsed()
        };
        // who would hold the thread up would hold this test up as well
        let kill = hanging.id();
        std::thread::spawn(move || {
            std::thread::sleep(LIMIT * 3);
            let pid = nix::unistd::Pid::from_raw(i32::try_from(kill).unwrap());
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        });
        let (outcome, others) = runtime.block_on(async { tokio::join!(output.send(&delivery), others) });
        assert!(others < LIMIT, "others waited for {others:?}");
        assert!(matches!(outcome, DeliveryOutcome::Unknown(_)), "{outcome:?}");
    }
    let _ = hanging.kill();
    let _ = hanging.wait();
    runtime.shutdown_background();
    std::thread::sleep(LIMIT / 5);
    assert_eq!(send(&output, &parcel), DeliveryOutcome::Taken);
}
