use super::port::BREAK;
use super::*;
use crate::world::UnitOrder;
use qx::protocols;
use qx::vocabulary::flag::Flags;
use qx::wire::command::Command;
use qx::wire::fact::Facts;
use qx::wire::spelling;

fn ups(protocol: &'static Protocol) -> SimulatedUps {
    SimulatedUps::new(protocol, Profile::default(), Trouble::new(1), Script::default())
}

fn ask(ups: &mut SimulatedUps, line: &str, now: u64) -> Option<String> {
    let now = Moment::after_start(Duration::from_secs(now));
    ups.receive(format!("{line}\r").as_bytes(), now);
    let mut reply = vec![];
    while let Some(due) = ups.poll_timeout() {
        reply.extend(ups.poll_output(due)?);
    }
    (!reply.is_empty()).then(|| String::from_utf8_lossy(&reply).into_owned())
}

/// Every dialect, in each of its families and models.
fn units() -> Vec<SimulatedUps> {
    let mut units: Vec<SimulatedUps> = protocols::ALL.iter().map(|protocol| ups(protocol)).collect();
    let families = [
        ("voltronic", &["P00", "P03", "P08", "P09", "P10", "P14", "P31", "P99"][..]),
        ("voltronic-qs", &["PM-H"]),
        ("voltronic-qs-hex", &["PM-T"]),
        ("bestups", &["AX1", "PRO", "PR2", "320", "620"]),
        ("masterguard", &["A700", "A1000", "E60", "E200"]),
    ];
    for (dialect, names) in families {
        for name in names {
            let mut unit = ups(protocols::named(dialect).unwrap());
            unit.profile.family = Some((*name).into());
            units.push(unit);
        }
    }
    units
}

#[test]
fn every_dialect_answers_its_questions() {
    for mut unit in units() {
        let mut answered = 0;
        let readings = unit.readings();
        let facts = Facts::of(unit.protocol.queries[0], &readings, Flags::default());
        for query in unit.protocol.queries.iter().filter(|query| query.when.holds(&facts)) {
            let now = Moment::ZERO;
            unit.receive(&[query.wire(0).as_slice(), b"\r"].concat(), now);
            let Some(due) = unit.poll_timeout() else { continue };
            let reply = unit.poll_output(due).unwrap();
            let reply = reply.strip_suffix(b"\r").unwrap();
            let shown = format!(
                "{} {:?} {}: {}",
                unit.protocol.name,
                unit.profile.family,
                query.ask,
                reply.escape_ascii()
            );
            let fit = query.read(reply).unwrap_or_else(|misfit| panic!("{shown} {misfit:?}"));
            answered += 1;
            let printable = reply.iter().all(|byte| (0x20..0x7f).contains(byte));
            assert!(!printable || fit.odd.is_none(), "{shown}");
            assert!(query.codec.is_some() || query.read(&query.write(&fit.readings)).is_ok(), "{shown}");
        }
        assert!(
            answered > 0 && answered * 2 >= unit.protocol.queries.len().min(14),
            "{}",
            unit.protocol.name
        );
    }
}

/// Sends a command, or sets a variable, as the tables spell it; what the UPS said.
fn order(ups: &mut SimulatedUps, name: &str, given: u32, at: u64) -> Option<String> {
    let readings = ups.readings();
    let facts = Facts::of(ups.protocol.queries[0], &readings, Flags::default());
    let args = spelling::Args { shutdown: 30, start: 180, given, ..spelling::Args::default() };
    let fits = |command: &&Command| {
        command.when.holds(&facts)
            && command.parameter.is_none_or(|allowed| allowed.check(Some(&given.to_string())).is_ok())
    };
    let lines = ups.protocol.commands_named(name).find(fits)?.write(&args);
    Some(lines.iter().filter_map(|line| ask(ups, line, at)).collect())
}

#[test]
fn every_dialect_obeys() {
    for mut ups in units() {
        let name = ups.protocol.name;
        if ups.protocol.commands.is_empty() {
            continue;
        }
        let before = ups.world.beeper;
        if order(&mut ups, "beeper.toggle", 0, 1).is_some() {
            assert_ne!(ups.world.beeper, before, "{name}");
        }
        assert!(
            order(&mut ups, "shutdown.return", 0, 2).is_some() && ups.world.countdown.is_some(),
            "{name}"
        );
        assert!(order(&mut ups, "shutdown.stop", 0, 3).is_some() && ups.world.countdown.is_none(), "{name}");
        order(&mut ups, "shutdown.stayoff", 0, 4);
        ups.advance(Moment::after_start(Duration::from_secs(3600)));
        assert!(!ups.world.powered(), "{name}");
        ups.world.obey(UnitOrder::OnOrStop);
        if order(&mut ups, "test.battery.start", 120, 3602).is_some() {
            ups.advance(Moment::after_start(Duration::from_secs(3610)));
            assert!(ups.world.on_battery(), "{name}");
            order(&mut ups, "test.battery.stop", 0, 3611);
            assert!(ups.world.test.is_none(), "{name}");
        }
    }
}

#[test]
fn settings_are_kept_and_told_again() {
    let mut ups = ups(&protocols::VOLTRONIC);
    ups.profile.unknown = crate::profile::RefusalReply::Text("(NAK".into());
    assert_eq!(ask(&mut ups, "BATGN07", 1).unwrap(), "(ACK\r");
    assert!(ask(&mut ups, "QBV", 1).unwrap().contains(" 02 07 "));
    assert_eq!(ask(&mut ups, "PDR", 1).unwrap(), "(ACK\r");
    assert_eq!(ask(&mut ups, "PER", 1).unwrap(), "(ACK\r");
    assert!(ask(&mut ups, "QFLAG", 1).unwrap().split('D').next().unwrap().contains('r'));
    assert_eq!(ask(&mut ups, "SKOFF1", 1).unwrap(), "(ACK\r");
    assert_eq!(ask(&mut ups, "QSK1", 1).unwrap(), "(0\r");
    assert_eq!(ask(&mut ups, "QSK3", 1).unwrap(), "(NAK\r");
    assert_eq!(ask(&mut ups, "PHV300", 1).unwrap(), "(NAK\r", "out of the limits of P01");
    assert_eq!(ask(&mut ups, "PHV250", 1).unwrap(), "(ACK\r");
    assert_eq!(ask(&mut ups, "QBYV", 1).unwrap(), "(250 170\r");
    assert_eq!(ask(&mut ups, "QBT", 1).unwrap(), "(NAK\r", "only P31 has it");
    ups.profile.family = Some("P31".into());
    assert_eq!(ask(&mut ups, "PBT02", 1).unwrap(), "(ACK\r");
    assert_eq!(ask(&mut ups, "QBT", 1).unwrap(), "(02\r");
}

#[test]
fn a_script_may_change_the_speed_whenever_it_is_looked_at() {
    let end = |step: u64| {
        let script = Script::parse("at 10s speed 10\nat 100s mains fail\nat 200s speed 1").unwrap();
        let mut ups = SimulatedUps::new(&protocols::MEGATEC, Profile::default(), Trouble::new(1), script);
        (1..=60_000 / step).for_each(|n| ups.advance(Moment::after_start(Duration::from_millis(n * step))));
        (
            ups.simulated(Moment::after_start(Duration::from_secs(60))).as_millis(),
            (ups.world.charge * 1e6).round(),
        )
    };
    assert_eq!(end(100), end(60_000));
}

#[test]
fn it_says_one_thing_after_the_other() {
    let mut ups = ups(&protocols::MEGATEC);
    ups.profile.baud = Some(2400);
    ups.receive(b"Q1\rF\r", Moment::ZERO);
    let mut last = Moment::ZERO;
    while let Some(due) = ups.poll_timeout() {
        assert!(due >= last);
        last = due;
        ups.poll_output(due);
    }
    assert!(last > Moment::after_start(Duration::from_millis(280)), "69 bytes at 2400 baud, not {last:?}");
}

#[test]
fn knobs_change_what_is_said() {
    let mut ups = ups(&protocols::MEGATEC);
    let turn = |ups: &mut SimulatedUps, text: &str| ups.turn(Knob::parse(text).unwrap(), Moment::ZERO);
    for text in ["mains fail", "load 42", "dashes temperature", "bit 7 off", "cell on"] {
        turn(&mut ups, text);
    }
    assert_eq!(ask(&mut ups, "Q1", 0).unwrap(), "(000.0 000.0 230.0 042 00.0 1.95 --.- 10001000\r");
    turn(&mut ups, "reply Q1 \"(x\"");
    assert_eq!(ask(&mut ups, "Q1", 0).unwrap(), "(x\r");
    turn(&mut ups, "unknown echo");
    assert_eq!(ask(&mut ups, "QS", 0).unwrap(), "QS\r");
    turn(&mut ups, "refuse (NAK");
    assert_eq!(ask(&mut ups, "Q", 0).unwrap(), "(NAK\r");
    turn(&mut ups, "echo on");
    assert_eq!(ask(&mut ups, "F", 0).unwrap(), "F\r#230.0 003 24.00 50.0\r");
    turn(&mut ups, "silent on");
    turn(&mut ups, "echo off");
    assert_eq!(ask(&mut ups, "F", 0), None);
    assert_eq!(ups.heard().last(), Some("F"));
}

#[test]
fn a_line_may_break() {
    let mut ups = ups(&protocols::MEGATEC);
    ups.turn(Knob::parse("break 1").unwrap(), Moment::ZERO);
    assert_eq!(ask(&mut ups, "Q1", 0), None);
    assert_eq!(ups.take_hang_up(), Some(BREAK));
}

#[test]
fn bytes_are_paced() {
    let mut ups = ups(&protocols::MEGATEC);
    ups.profile.baud = Some(2400);
    ups.profile.latency = Duration::ZERO;
    ups.receive(b"Q1\r", Moment::ZERO);
    let mut last = Moment::ZERO;
    while let Some(due) = ups.poll_timeout() {
        last = due;
        ups.poll_output(due);
    }
    // 3 bytes of the question and 47 of the reply, 10 bits each
    assert!((last.since_start().as_secs_f64() - 500.0 / 2400.0).abs() < 0.001, "{last:?}");
}

#[test]
fn time_may_run_faster() {
    let script = Script::parse("at 100s mains fail").unwrap();
    let mut ups = SimulatedUps::new(&protocols::Q1, Profile::default(), Trouble::new(1), script);
    ups.turn(Knob::parse("speed 100").unwrap(), Moment::ZERO);
    ups.advance(Moment::after_start(Duration::from_millis(990)));
    assert!(!ups.world.on_battery());
    ups.advance(Moment::after_start(Duration::from_millis(1010)));
    assert!(ups.world.on_battery());
}
