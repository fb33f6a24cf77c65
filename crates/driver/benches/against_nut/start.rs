//! From start to all data, for each dialect: found by itself, and named.

use crate::table::{Figures, Page};
use std::process::Command;
use std::time::Instant;
use testbed::nut::{NutStation, Which, lives};
use testbed::ups::SimUps;

/// Dialects that are found without being named, and those of them that Debian's driver knows.
const FOUND: [(&str, bool); 16] = [
    ("voltronic", true),
    ("voltronic-axpert", false),
    ("voltronic-qs", true),
    ("voltronic-qs-hex", true),
    ("mustek", true),
    ("megatec/old", true),
    ("bestups", true),
    ("mecer", true),
    ("megatec", true),
    ("zinto", true),
    ("masterguard", false),
    ("innovart31", false),
    ("q2", false),
    ("q6", false),
    ("gtec", false),
    ("q1", true),
];
/// So often with the dialect named, one driver after the other.
const ROUNDS: usize = 5;

/// Seconds until all data of a unit is there, and how many questions that took. It answers nothing that
/// it does not know.
pub fn start(which: Which, protocol: &str, options: &str, knobs: &[&str]) -> (f64, usize) {
    let name = format!("start-{}-{}", protocol.replace('/', ""), options.len());
    let ups = SimUps::start(&name, which, protocol, knobs);
    let station = NutStation::new(&name, which);
    station.configure(&ups.port, options);
    let began = Instant::now();
    station.start_driver();
    let mut socket = station.socket();
    socket.send("DUMPALL\n");
    let dump = socket.lines_until("DUMPDONE");
    assert!(dump.iter().any(|line| line.starts_with("SETINFO ups.status")), "{which:?} {protocol}: {dump:?}");
    (began.elapsed().as_secs_f64(), ups.heard().len())
}

/// The same at the second start of a driver that found the dialect itself at the first, and knows it.
fn start_again(protocol: &str) -> (f64, usize) {
    let name = format!("again-{}", protocol.replace('/', ""));
    let ups = SimUps::start(&name, Which::Ours, protocol, &[]);
    let station = NutStation::new(&name, Which::Ours);
    station.configure(&ups.port, "");
    station.start_driver();
    let pid = station.pid().unwrap();
    let kept = station.folder.join("qxups-dialect-u");
    station.wait_for("the dialect to be kept", || kept.exists());
    assert!(Command::new("kill").arg(pid.to_string()).status().unwrap().success());
    station.wait_for("the driver to leave", || !lives(pid));
    ups.forget();
    let began = Instant::now();
    station.start_driver();
    let time = began.elapsed().as_secs_f64();
    let mut socket = station.socket();
    socket.send("DUMPALL\n");
    assert!(socket.lines_until("DUMPDONE").iter().any(|line| line.starts_with("SETINFO ups.status")));
    (time, ups.heard().len())
}

pub fn measure(page: &mut Page) {
    let looks_for_it = found(page);
    remembered(page, &looks_for_it);
    named(page);
}

/// What NUT took for each dialect.
type ByNut = Vec<(&'static str, Figures)>;

fn found(page: &mut Page) -> ByNut {
    let mut by_nut = vec![];
    page.table(
        "From start to all data, the dialect found, in seconds",
        "The simulated UPS answers after 10 ms, and stays silent on what it does not know. Questions asked \
         until then in brackets behind the dialect: NUT, ours. NUT 2.8.0 does not find those without a figure.",
    );
    let found: Vec<_> = std::thread::scope(|scope| {
        let both = FOUND.map(|(protocol, by_nut)| {
            let nut = by_nut.then(|| scope.spawn(move || start(Which::Nut, protocol, "", &[])));
            (protocol, nut, scope.spawn(move || start(Which::Ours, protocol, "", &[])))
        });
        let end = |(protocol, nut, ours): (_, Option<std::thread::ScopedJoinHandle<_>>, _)| {
            (protocol, nut.map(|nut| nut.join().unwrap()), std::thread::ScopedJoinHandle::join(ours).unwrap())
        };
        both.into_iter().map(end).collect()
    });
    for (protocol, nut, (ours, asked)) in found {
        let asked_by_nut = nut.map_or("-".into(), |(_, asked): (f64, usize)| asked.to_string());
        let nut = Figures(nut.iter().map(|(time, _)| *time).collect());
        page.row(&format!("{protocol} ({asked_by_nut}, {asked})"), &nut, &Figures(vec![ours]), 2);
        by_nut.push((protocol, nut));
    }
    by_nut
}

fn remembered(page: &mut Page, by_nut: &ByNut) {
    page.table(
        "From start to all data, the dialect remembered, in seconds",
        "The second start of the same. Questions asked by ours in brackets; NUT looks for the dialect at each \
         start, so its figures are those from above.",
    );
    for (protocol, nut) in by_nut {
        let (time, asked) = start_again(protocol);
        page.row(&format!("{protocol} ({asked})"), nut, &Figures(vec![time]), 2);
    }
}

fn named(page: &mut Page) {
    page.table(
        "From start to all data, the dialect named, in seconds",
        "The same with `protocol` set, five times, one driver after the other.",
    );
    for (protocol, by_nut) in FOUND {
        let (mut nut, mut ours, mut asked) =
            (Figures::default(), Figures::default(), ["-".into(), String::new()]);
        for _ in 0..ROUNDS {
            for which in Which::BOTH.into_iter().filter(|which| by_nut || *which == Which::Ours) {
                let (time, number) = start(which, protocol, &format!("protocol = {protocol}"), &[]);
                let (figures, at) = if which == Which::Nut { (&mut nut, 0) } else { (&mut ours, 1) };
                figures.0.push(time);
                asked[at] = number.to_string();
            }
        }
        page.row(&format!("{protocol} ({})", asked.join(", ")), &nut, &ours, 2);
    }
}
