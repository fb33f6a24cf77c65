//! `qxups prove` on a simulated UPS: what is sent, and what is not, by what its owner answers.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const QXUPS: &str = env!("CARGO_BIN_EXE_qxups");

/// A simulated UPS, and a folder for the report.
struct Bench {
    folder: PathBuf,
    ups: Child,
    port: String,
}

impl Bench {
    fn new(name: &str, arguments: &[&str]) -> Bench {
        let folder = std::env::temp_dir().join(format!("qxups-prove-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let mut ups = Command::new(QXUPS)
            .args(["sim", "--end", "100", "--control", folder.join("control").to_str().unwrap()])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(ups.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Bench { folder, ups, port: port.trim().into() }
    }

    fn report(&self) -> PathBuf {
        self.folder.join("report.log")
    }

    /// Proves it with these answers, each a line.
    fn prove(&self, answers: &[&str], arguments: &[&str]) -> Output {
        let mut child = Command::new(QXUPS)
            .args(["prove", &self.port, "--watch", "2", "--output"])
            .arg(self.report())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input
            .write_all(answers.iter().map(|answer| format!("{answer}\n")).collect::<String>().as_bytes())
            .unwrap();
        drop(input);
        child.wait_with_output().unwrap()
    }

    fn order(&self, order: &str) -> Vec<String> {
        let mut stream = UnixStream::connect(self.folder.join("control")).unwrap();
        stream.write_all(format!("{order}\n").as_bytes()).unwrap();
        let lines = BufReader::new(stream).lines().map(Result::unwrap);
        lines.take_while(|line| line != "ok").collect()
    }

    /// What the UPS was told that is no question of megatec, nor what finds the dialect (docs/detection.md).
    fn orders(&self) -> Vec<String> {
        const QUESTIONS: &[&str] = &["Q1", "F", "I", "QPI", "QS", "D", "ID", "M", "QGS", "FW?"];
        let is_question = |line: &String| line.starts_with("QPI") || QUESTIONS.contains(&line.as_str());
        self.order("heard").into_iter().filter(|line| !is_question(line)).collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.ups.kill();
        let _ = self.ups.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// No to everything; an input that ends; yes by habit, but not the word.
#[test]
fn nothing_at_all_is_sent_without_consent() {
    for answers in [&["no"][..], &[], &[""], &["y"], &["yes please"], &["lamp"], &["send"]] {
        let bench = Bench::new("none", &[]);
        let output = bench.prove(answers, &[]);
        assert!(output.status.success(), "{output:?}");
        assert!(text(&output.stdout).contains("Nothing was sent"), "{output:?}");
        assert_eq!(bench.order("heard"), [""; 0], "{answers:?}");
        assert!(!bench.report().exists());
    }
}

#[test]
fn whoever_agrees_to_questions_gets_questions() {
    // the second step is watching; then each trial, by habit, with the wrong word or none
    for answers in [
        &["yes", "a UPS", "no", "no", "no", "no", "no"][..],
        &["yes"],
        &["yes", "", "yes", "pulled it", "", "", "", "yes"],
        // to the step, but not to the line
        &["yes", "", "no", "yes", "no", "yes", "", "yes", "yes", "lamp", "lamp"],
        &["yes", "", "no", "no", "no", "no", "lamp"],
    ] {
        let bench = Bench::new("questions", &[]);
        let output = bench.prove(answers, &[]);
        assert!(output.status.success(), "{answers:?}: {output:?}");
        assert!(bench.order("heard").contains(&"Q1".to_string()));
        assert_eq!(bench.orders(), [""; 0], "{answers:?}: {}", text(&output.stdout));
        let report = read(&bench.report());
        assert!(report.contains("# protocol: megatec\n") && report.contains("> Q1\n< ("), "{report}");
        assert!(
            report.contains("shutdown.return was declined") || report.contains("declined, and not sent"),
            "{report}"
        );
    }
}

#[test]
fn what_is_agreed_to_is_sent_and_written_down() {
    let bench = Bench::new("all", &["--knob", "speed 20"]);
    let answers = [
        "yes",
        "SIM-1000, shows 230 V",
        "yes",
        "nothing", // reading, watching
        "yes",
        "send",
        "it fell silent", // the beeper
        "yes",
        "send",
        "it sounds", // and back
        "yes",
        "send",
        "a click", // the test
        "lamp",
        "send",
        "out after 12 s", // the shutdown
    ];
    let output = bench.prove(&answers, &["-x", "offdelay=12", "-x", "ondelay=0"]);
    let out = text(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    // the spelling of shutdown.return is that of NUT's megatec: 12 s are .2 minutes
    assert_eq!(bench.orders()[..3], ["Q", "Q", "T"], "{out}");
    assert!(bench.orders()[3].starts_with("S.2"), "{:?}", bench.orders());
    assert_eq!(bench.orders().len(), 4, "{:?}", bench.orders());
    let report = read(&bench.report());
    for part in [
        "# note: its owner: SIM-1000, shows 230 V\n",
        "> Q\n",
        "> T\n",
        "> S.2",
        "# note: step 3: beeper.toggle\n",
        "# note: step 3: the driver says: ",
        "# note: step 3: its owner: it fell silent\n",
        "# note: step 6: its owner: out after 12 s\n",
    ] {
        assert!(report.contains(part), "{part}\n{report}");
    }
    // it can be read as any capture
    let explained = Command::new(QXUPS).arg("explain").arg(bench.report()).output().unwrap();
    assert!(explained.status.success() && text(&explained.stdout).contains("input.voltage"), "{explained:?}");
    // and is not overwritten
    let again = bench.prove(&["yes"], &[]);
    assert!(!again.status.success() && text(&again.stderr).contains("cannot write"), "{again:?}");
}

/// A UPS that refuses by word is told so; another spelling is another line to agree to.
#[test]
fn each_spelling_is_agreed_to_by_itself() {
    let bench = Bench::new("refused", &["--knob", "refuse echo"]);
    let answers = ["yes", "", "no", "no", "no", "no", "lamp", "send", "no"];
    let output = bench.prove(&answers, &[]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(bench.orders(), ["S.5R0003"], "{}", text(&output.stdout));
    let report = read(&bench.report());
    assert!(report.contains("'S01R0003' was declined, and not sent"), "{report}");
}

#[test]
fn a_ups_that_is_not_there_leaves_a_report() {
    let bench = Bench::new("silent", &["--knob", "silent on"]);
    let output = bench.prove(&["yes"], &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(read(&bench.report()).contains("> Q1\n-\n"), "{}", read(&bench.report()));
}
