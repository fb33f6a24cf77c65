//! What NUT serves is served, and not later: over delays of answers, gaps within them and dialects, in virtual
//! time. What NUT 2.8.0 does was measured with its driver on a pseudo-terminal, each UPS answering as the
//! simulated one does: seconds to the first data.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod wire;

use qx::device::{Event, Moment};
use qx::option::Options;
use qx::protocol::Protocol;
use qx::protocols;
use simulator::personality::Personality;
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::time::Duration;
use wire::{Wire, say};

/// How the replies come.
#[derive(Clone, Copy, Debug)]
struct Manner {
    delay: f64,
    gap: f64,
}

/// What came of it.
#[derive(Debug)]
struct Served {
    ready: Option<f64>,
    claim: Option<&'static str>,
    /// Seconds of a minute after that in which the data was stale.
    stale: f64,
    gave_up: bool,
}

fn serve(protocol: &'static Protocol, named: bool, manner: Manner) -> (Served, Wire) {
    let personality = Personality { latency: Duration::ZERO, ..Personality::default() };
    let mut ups = SimulatedUps::new(protocol, personality, Trouble::new(1), Script::default());
    let mut options = Options::default();
    options.protocol = named.then(|| protocol.name.to_string());
    let mut wire = Wire::new(options);
    let delay = Duration::from_secs_f64(manner.delay);
    let mut slow = |command: &[u8], now: Moment| {
        let whole: Vec<u8> = say(&mut ups, command, now).into_iter().flat_map(|(_, bytes)| bytes).collect();
        if whole.is_empty() {
            return vec![];
        }
        if manner.gap == 0.0 {
            return vec![(now + delay, whole)];
        }
        let (head, tail) = whole.split_at(whole.len() / 2);
        let gap = Duration::from_secs_f64(manner.gap);
        vec![(now + delay, head.to_vec()), (now + delay + gap, tail.to_vec())]
    };
    let end = Duration::from_secs(90);
    let over = |event: &Event| matches!(event, Event::Ready | Event::NotFound(_));
    wire.run(end, &mut slow, over);
    let gave_up = wire.events.iter().any(|(_, event)| matches!(event, Event::NotFound(_)));
    let ready = wire.device.is_ready().then(|| wire.now.as_secs_f64());
    let claim = wire.claim();
    let from = wire.now;
    wire.run(from + Duration::from_secs(60), &mut slow, |_| false);
    let (mut stale, mut since) = (0.0, None);
    for (at, event) in &wire.events {
        match event {
            Event::Stale => since = Some(*at),
            Event::Fresh => stale += since.take().map_or(0.0, |since| (*at - since).as_secs_f64()),
            _ => {}
        }
    }
    stale += since.map_or(0.0, |since| (wire.now - since).as_secs_f64());
    (Served { ready, claim, stale, gave_up }, wire)
}

/// For people: `cargo test -p simulator --test patience -- --ignored --nocapture`.
#[test]
#[ignore = "prints a table"]
fn print() {
    let only = std::env::var("ONLY").ok();
    for protocol in protocols::ALL.iter().filter(|one| only.as_deref().is_none_or(|only| only == one.name)) {
        for named in [false, true] {
            if !named && protocol.by_name {
                continue;
            }
            print!("{:17} {} ", protocol.name, if named { "named" } else { "auto " });
            let at: Option<f64> = std::env::var("AT").ok().map(|at| at.parse().unwrap());
            let is_named = std::env::var("NAMED").is_ok();
            if at.is_some() && named != is_named {
                continue;
            }
            for (delay, gap) in MANNERS.into_iter().filter(|(delay, _)| at.is_none_or(|at| at == *delay)) {
                let (served, wire) = serve(protocol, named, Manner { delay, gap });
                let ready = served.ready.map_or(if served.gave_up { "exit".into() } else { "-".to_string() }, |at| format!("{at:.1}"));
                let claim = served.claim.filter(|claim| *claim != protocol.name).map_or(String::new(), |claim| format!("/{claim}"));
                let stale = if served.stale > 0.0 { format!("!{:.0}", served.stale) } else { String::new() };
                print!("{delay}{}:{ready}{claim}{stale} ", if gap > 0.0 { format!("+{gap}") } else { String::new() });
                if std::env::var("TALK").is_ok() {
                    println!("\n{}\n{:?}", wire.talk(), wire.events);
                }
            }
            println!();
        }
    }
}

const MANNERS: [(f64, f64); 21] = [
    (0.02, 0.0), (0.1, 0.0), (0.3, 0.0), (0.4, 0.0), (0.5, 0.0), (0.7, 0.0), (0.9, 0.0), (0.95, 0.0), (0.98, 0.0), (1.0, 0.0), (1.05, 0.0), (1.15, 0.0), (1.5, 0.0),
    (2.0, 0.0), (2.5, 0.0), (3.0, 0.0), (0.1, 0.3), (0.1, 0.5), (0.1, 0.8), (0.1, 0.95), (0.6, 0.3),
];
