//! `qxups prove` on a simulated UPS: what is sent, and what is not, by what its owner answers.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use testbed::tool::{Sim, read, text};

const QXUPS: &str = env!("CARGO_BIN_EXE_qxups");

/// A simulated UPS, and a report on it.
struct Bench {
    ups: Sim,
}

impl Bench {
    fn new(arguments: &[&str]) -> Bench {
        Bench { ups: Sim::start(QXUPS, arguments) }
    }

    fn report(&self) -> PathBuf {
        self.ups.folder.join("report.log")
    }

    /// Proves it with these answers, each a line.
    fn prove(&self, answers: &[&str], arguments: &[&str]) -> Output {
        let mut child = Command::new(QXUPS)
            .args(["prove", &self.ups.port, "--watch", "2", "--output"])
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

    /// What the UPS was told that is no question of megatec, nor what finds the dialect (docs/detection.md).
    fn orders(&self) -> Vec<String> {
        const QUESTIONS: &[&str] = &["Q1", "F", "I", "QPI", "QS", "D", "ID", "M", "QGS", "FW?"];
        let is_question = |line: &String| line.starts_with("QPI") || QUESTIONS.contains(&line.as_str());
        self.ups.heard().into_iter().filter(|line| !is_question(line)).collect()
    }
}

/// No to everything; an input that ends; yes by habit, but not the word.
#[test]
fn nothing_at_all_is_sent_without_consent() {
    for answers in [&["no"][..], &[], &[""], &["y"], &["yes please"], &["lamp"], &["send"]] {
        let bench = Bench::new(&[]);
        let output = bench.prove(answers, &[]);
        // there is no report: a script takes that for no proof
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(text(&output.stdout).contains("Nothing was sent"), "{output:?}");
        assert_eq!(bench.ups.heard(), [""; 0], "{answers:?}");
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
        let bench = Bench::new(&[]);
        let output = bench.prove(answers, &[]);
        assert!(output.status.success(), "{answers:?}: {output:?}");
        assert!(bench.ups.heard().contains(&"Q1".to_string()));
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
    let bench = Bench::new(&["--knob", "speed 20"]);
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
    let bench = Bench::new(&["--knob", "refuse echo"]);
    let answers = ["yes", "", "no", "no", "no", "no", "lamp", "send", "no"];
    let output = bench.prove(&answers, &[]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(bench.orders(), ["S.5R0003"], "{}", text(&output.stdout));
    let report = read(&bench.report());
    assert!(report.contains("'S01R0003' was declined, and not sent"), "{report}");
}

#[test]
fn a_ups_that_is_not_there_leaves_a_report() {
    let bench = Bench::new(&["--knob", "silent on"]);
    let output = bench.prove(&["yes"], &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(read(&bench.report()).contains("> Q1\n-\n"), "{}", read(&bench.report()));
}
