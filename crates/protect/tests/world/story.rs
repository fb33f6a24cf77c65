//! What happens in a life: a site by lot, and events by lot. A life that fails is shortened to the events that matter.

use std::time::Duration;

use protect::*;

use super::Dice;
use super::site::{Host, HostPower, Process, Site, Ups};

#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    Mains(usize, bool),
    Unplug(usize),
    Plug(usize),
    /// kill -9, and a start so many seconds later.
    Kill(u64),
    /// kill -9 before the action of this number from now on.
    KillInActions(u32, u64),
    Stop(u64),
    Clock(i64),
    Replace(usize),
    SelfTest(usize, u64),
    StartByHand(usize),
    Reload,
}

#[derive(Debug, Clone)]
pub struct Story {
    pub seed: u64,
    pub end: u64,
    pub events: Vec<(u64, Happening)>,
}

const LAST: u64 = 4000;
/// Longer than all waiting of a recovery.
const CALM: u64 = 4500;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn begin(dice: &mut Dice) -> Begin {
    Begin {
        on_battery_for: dice.chance(60).then(|| secs(dice.between(20, 300))),
        charge_below: dice.chance(30).then(|| dice.between(20, 80) as f64),
        runtime_below: dice.chance(30).then(|| secs(dice.between(100, 600))),
        lost: if dice.chance(50) { LostMeaning::Wait } else { LostMeaning::Shutdown(secs(15)) },
        ..Begin::default()
    }
}

fn stage(dice: &mut Dice, name: &str) -> StagePlan {
    StagePlan {
        time: secs(dice.between(20, 60)),
        down: secs(dice.between(20, 60)),
        programs: usize::from(dice.chance(20)),
        ..StagePlan::new(name)
    }
}

fn group(dice: &mut Dice, name: &str, feeds: &[usize]) -> GroupPlan {
    let stages = dice.between(1, 3);
    let mut plan = GroupPlan::new(name);
    plan.feeds =
        feeds.iter().map(|at| GroupFeed { ups: format!("ups{at}"), supplies: 1, begin: None }).collect();
    plan.need = if feeds.len() > 1 { dice.between(1, 2) as u32 } else { 1 };
    plan.begin = begin(dice);
    plan.steady = secs(dice.between(15, 60));
    plan.cancel = match dice.between(0, 4) {
        0 => CancelChoice::Never,
        1 => CancelChoice::Always,
        _ => CancelChoice::WhenWakeable,
    };
    plan.stages = (0..stages).map(|at| stage(dice, &format!("stage{at}"))).collect();
    plan.recovery = RecoveryPlan {
        charge: dice.chance(50).then(|| dice.between(20, 60) as f64),
        runtime: None,
        unknown_wait: secs(200),
        at_latest: secs(1200),
        stagger: secs(5),
        tries: 12,
        interval: secs(60),
    };
    plan
}

fn ups(dice: &mut Dice, at: usize, circuit: usize) -> Ups {
    let full = dice.between(500, 2500) as f64;
    Ups {
        name: format!("ups{at}"),
        circuit,
        full,
        energy: full,
        low: 350.0,
        recharge: dice.between(1, 20) as f64 / 10.0,
        says_charge: dice.chance(70),
        says_runtime: dice.chance(50),
        output: true,
        cut_at: None,
        back_at: None,
        on_delay: dice.between(60, 180),
        cycles: dice.chance(80),
        refuses: if dice.chance(80) { 0 } else { dice.between(1, 5) as u32 },
        confirms: dice.chance(70),
        proves: dice.chance(50),
        connected: true,
        poll: dice.between(1, 6),
        unit: 1,
        test_until: 0,
        reading: None,
        was_cut: false,
        ever_refuses: false,
    }
}

fn hosts(dice: &mut Dice, groups: &mut [GroupPlan]) -> Vec<Host> {
    let mut hosts = vec![];
    for (group, plan) in groups.iter_mut().enumerate() {
        for (stage, of) in plan.stages.iter_mut().enumerate() {
            of.all_wakeable = true;
            for _ in 0..dice.between(0, 2) {
                let wakeable = dice.chance(70);
                let name = format!("host{}", hosts.len());
                of.all_wakeable &= wakeable;
                if wakeable {
                    let mac = [2, 0, 0, 0, 0, hosts.len() as u8];
                    let address = Some(name.clone());
                    of.wake.push(WakeTarget { host: name.clone(), mac, address, user: None });
                }
                let time = of.time.as_secs();
                hosts.push(Host {
                    name,
                    group,
                    stage,
                    power: HostPower::On,
                    fed: true,
                    final_delay: dice.between(0, time - 12),
                    halt: dice.between(5, of.down.as_secs() - 2),
                    boot: dice.between(20, 90),
                    obeys: dice.chance(90),
                    logs_in: dice.chance(90),
                    wakeable,
                    restores: !wakeable || dice.chance(60),
                    by_hand: false,
                    off_since: 0,
                    cycled_since_off: false,
                    alone: false,
                });
                let host = hosts.last_mut().unwrap();
                if !host.logs_in {
                    // it is not waited for: only the time to go down protects it
                    (host.final_delay, host.halt) = (0, dice.between(5, of.down.as_secs() - 12));
                }
            }
        }
    }
    hosts
}

/// A site by lot.
pub fn site(seed: u64, armed: bool) -> Site {
    let mut dice = Dice::new(seed);
    let shape = dice.between(0, 5);
    let (feeds, circuits): (&[&[usize]], &[usize]) = match shape {
        0 => (&[&[0]], &[0]),
        1 => (&[&[0, 1]], &[0, 0]),
        2 => (&[&[0, 1]], &[0, 1]),
        3 => (&[&[0], &[0]], &[0]),
        4 => (&[&[0], &[1]], &[0, 0]),
        _ => (&[&[0, 1], &[1]], &[0, 1]),
    };
    let mut upses: Vec<Ups> =
        circuits.iter().enumerate().map(|(at, circuit)| ups(&mut dice, at, *circuit)).collect();
    upses.iter_mut().for_each(|ups| ups.ever_refuses = ups.refuses > 0);
    let mut groups: Vec<GroupPlan> =
        feeds.iter().enumerate().map(|(at, feeds)| group(&mut dice, &format!("group{at}"), feeds)).collect();
    let hosts = hosts(&mut dice, &mut groups);
    let down = dice.between(20, 90);
    let host = dice.chance(75).then(|| HostPlan {
        group: groups[dice.between(0, groups.len() as u64 - 1) as usize].name.clone(),
        down: secs(down),
        proof_wait: secs(15),
        tries: 3,
    });
    let delay = secs(down + dice.between(30, 60));
    let loads = upses.iter().map(|ups| LoadPlan {
        ups: ups.name.clone(),
        delay,
        longest: dice.chance(15).then(|| secs(dice.between(20, 60))),
        on_mains: OnMains::Unknown,
    });
    // of its own, so that other lives stay as they are
    let has_loads = !Dice::new(seed ^ 0x10ad).chance(25);
    let policy = Policy { armed, loads: loads.filter(|_| has_loads).collect(), host, groups };
    let server = policy.host.as_ref().map(|plan| Host {
        name: "server".into(),
        group: policy.groups.iter().position(|group| group.name == plan.group).unwrap(),
        stage: 0,
        power: HostPower::On,
        fed: true,
        final_delay: 0,
        halt: dice.between(5, down - 3),
        boot: dice.between(20, 90),
        obeys: true,
        logs_in: false,
        wakeable: false,
        restores: true,
        by_hand: false,
        off_since: 0,
        cycled_since_off: false,
        alone: false,
    });
    let groups = policy.groups.len();
    Site {
        t: 0,
        mains: vec![true; 2],
        upses,
        hosts,
        server,
        process: Process { starts_at: Some(1), ..Process::default() },
        boot: 0,
        boot_t: 0,
        wall_shift: 0,
        disk: None,
        flag: vec![],
        dice: Dice::new(seed ^ 0xabcd),
        faults: vec![],
        log: vec![],
        last_short: vec![0; groups],
        steady_since: vec![None; groups],
        in_course: vec![false; groups],
        failing_commands: if dice.chance(10) { 2 } else { 0 },
        counts: Default::default(),
        policy,
    }
}

/// Events by lot; in the end mains are there, and every cable is plugged in.
pub fn story(seed: u64) -> Story {
    let mut dice = Dice::new(seed ^ 0x5eed);
    let mut events = vec![];
    let mut t = 60;
    while t < LAST {
        let circuit = dice.between(0, 1) as usize;
        let both = dice.chance(70);
        let long = match dice.between(0, 3) {
            0 => dice.between(1, 8),
            1 => dice.between(10, 120),
            _ => dice.between(120, 1800),
        };
        for of in if both { vec![0, 1] } else { vec![circuit] } {
            events.push((t, Happening::Mains(of, false)));
            let back = t + long + if dice.chance(20) { dice.between(0, 60) } else { 0 };
            events.push((back, Happening::Mains(of, true)));
        }
        for _ in 0..dice.between(0, 3) {
            let at = t + dice.between(0, long + 300);
            let ups = dice.between(0, 1) as usize;
            match dice.between(0, 9) {
                0 | 1 => events.push((at, Happening::Kill(dice.between(1, 20)))),
                2 => events.push((at, Happening::Kill(dice.between(20, 900)))),
                3 | 4 => events
                    .push((at, Happening::KillInActions(dice.between(0, 12) as u32, dice.between(1, 30)))),
                5 => events.push((at, Happening::Stop(dice.between(5, 200)))),
                6 => events.push((at, Happening::Clock(dice.between(0, 200_000) as i64 - 100_000))),
                7 => {
                    events.push((at, Happening::Unplug(ups)));
                    events.push((at + dice.between(10, 1000), Happening::Plug(ups)));
                }
                8 => events.push((at, Happening::StartByHand(dice.between(0, 5) as usize))),
                _ => events
                    .push((at, if dice.chance(50) { Happening::Replace(ups) } else { Happening::Reload })),
            }
        }
        if dice.chance(20) {
            events.push((t.saturating_sub(50), Happening::SelfTest(circuit, dice.between(10, 45))));
        }
        t += long + dice.between(5, 1500);
    }
    events.sort_by_key(|event| event.0);
    let last = events.iter().map(|event| event.0).max().unwrap_or(0).max(LAST);
    Story { seed, end: last + CALM, events }
}

fn happens(site: &mut Site, event: &Happening) {
    site.note(format!("-- {event:?}"));
    match *event {
        Happening::Mains(circuit, there) => site.mains[circuit] = there,
        Happening::Unplug(at) if at < site.upses.len() => site.upses[at].connected = false,
        Happening::Plug(at) if at < site.upses.len() => site.upses[at].connected = true,
        Happening::Kill(down_for) => site.kill(down_for),
        Happening::KillInActions(count, down_for) => {
            (site.process.die_after, site.process.down_for) = (Some(count), down_for);
        }
        Happening::Stop(time) => {
            site.process.paused_until = site.t + time;
            site.is_away(time);
        }
        Happening::Clock(shift) => site.wall_shift += shift,
        Happening::Replace(at) if at < site.upses.len() => {
            let ups = &mut site.upses[at];
            (ups.unit, ups.cut_at, ups.energy) = (ups.unit + 1, None, ups.full);
        }
        Happening::SelfTest(at, time) if at < site.upses.len() => site.upses[at].test_until = site.t + time,
        Happening::StartByHand(at) if at < site.hosts.len() && site.hosts[at].fed => {
            let t = site.t;
            let host = &mut site.hosts[at];
            if host.power == HostPower::Off {
                (host.power, host.by_hand) = (HostPower::Booting(t + host.boot), true);
            }
        }
        Happening::Reload => {
            let (now, policy) = (site.now(), site.policy.clone());
            if let Some(machine) = site.process.machine.as_mut() {
                let actions = machine.reconfigure(now, policy);
                site.after_reload(actions);
            }
        }
        _ => {}
    }
}

/// Lives it.
pub fn live(story: &Story, armed: bool) -> Site {
    let mut site = site(story.seed, armed);
    let mut events = story.events.iter().peekable();
    while site.t < story.end {
        if site.t == story.end - CALM + 1 {
            for at in 0..2 {
                happens(&mut site, &Happening::Mains(at, true));
                happens(&mut site, &Happening::Plug(at));
            }
        }
        while let Some((_, event)) = events.next_if(|(at, _)| *at <= site.t) {
            happens(&mut site, event);
        }
        site.step();
        if !site.faults.is_empty() {
            return site;
        }
    }
    site.judge_end(story);
    site
}

/// The shortest story that still fails.
pub fn shrink(mut story: Story, armed: bool) -> Story {
    let mut at = 0;
    while at < story.events.len() {
        let mut less = story.clone();
        less.events.remove(at);
        if live(&less, armed).faults.is_empty() {
            at += 1;
        } else {
            story = less;
        }
    }
    story
}
