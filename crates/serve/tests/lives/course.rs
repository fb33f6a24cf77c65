//! The course of a life: what happens to UPSes, and what the administrator does.

use super::truth::{Account, Driven, MAX_AGE, Origin, Section, Truth};
use super::unit::{Place, Unit, free_port, number};
use crate::site::{Client, Site, connect_from};
use serve::passwords;
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testbed::nut::Which;
use testbed::ups::SimUps;
use testbed::upsd::random::Chance;

const HOSTS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

/// What the administrator has written, and the server taken.
#[derive(Clone)]
pub struct Written {
    sections: BTreeMap<String, Section>,
    accounts: BTreeMap<String, Account>,
    hashes: BTreeMap<String, String>,
    second_port: Option<u16>,
}

/// A life under way.
pub struct Course {
    pub site: Site,
    pub truth: Arc<Truth>,
    chance: Chance,
    now: Written,
    /// Clients that stay logged in, and to what.
    held: Vec<(Client, String)>,
    driven: Vec<Arc<Driven>>,
    /// A unit that hangs for all of the life.
    stuck: Option<Arc<Unit>>,
}

impl Course {
    pub fn begin(seed: u64) -> Course {
        let mut site = Site::new(&format!("life-{seed}"), "", "");
        site.port = free_port();
        let truth = Truth::new(site.port);
        let mut chance = Chance::new(seed + 1);
        let driven = (0..1 + chance.below(2)).map(|_| {
            Arc::new(Driven::new(SimUps::start(&format!("life-{seed}"), Which::Ours, "megatec", &[])))
        });
        let driven = driven.collect();
        let now = Written {
            sections: BTreeMap::new(),
            accounts: BTreeMap::new(),
            hashes: BTreeMap::new(),
            second_port: None,
        };
        let mut course = Course { site, truth, chance, now, held: vec![], driven, stuck: None };
        let mut first = course.now.clone();
        for name in ["a", "b", "c"] {
            course.new_section(&mut first, name);
        }
        HOSTS.iter().for_each(|host| course.new_password(&mut first, host));
        course.write(&first);
        course.take(first);
        course.site.start();
        if let (Origin::Unit(unit), 0) = (course.any_section().1.origin, course.chance.below(2)) {
            // once its data was read
            course.soon("the server has begun", || course.site.ask("VER").starts_with("Network"));
            std::thread::sleep(Duration::from_millis(300));
            unit.set_hanging(true);
            course.stuck = Some(unit);
        }
        course.truth.watch(course.site.pid().as_raw());
        course
    }

    fn take(&mut self, new: Written) {
        *self.truth.sections.lock().unwrap() = new.sections.clone();
        *self.truth.accounts.lock().unwrap() = new.accounts.clone();
        self.now = new;
    }

    fn new_section(&mut self, written: &mut Written, name: &str) {
        let used = |driven: &Arc<Driven>| {
            written
                .sections
                .values()
                .any(|section| matches!(&section.origin, Origin::Driven(d) if Arc::ptr_eq(d, driven)))
        };
        let free = self.driven.iter().find(|driven| !used(driven)).cloned();
        let origin = match (self.chance.below(4), free) {
            (0, Some(driven)) => Origin::Driven(driven),
            (1 | 2, _) => Origin::Unit(self.new_unit(name, Place::Socket)),
            _ => Origin::Unit(self.new_unit(name, Place::Server)),
        };
        // a section that goes on under its name keeps a forced shutdown
        let forced = self.now.sections.get(name).and_then(|section| section.forced);
        written.sections.insert(name.into(), Section { origin, forced });
    }

    fn new_unit(&mut self, name: &str, place: Place) -> Arc<Unit> {
        let serial = format!("u{}", number());
        let path = self.site.state().join(format!("{serial}-{name}"));
        let unit = Unit::start(serial.clone(), place, &path, self.truth.began);
        self.truth.units.lock().unwrap().insert(serial, unit.clone());
        unit
    }

    fn new_password(&mut self, written: &mut Written, host: &str) {
        let account = Account { password: format!("p{}", number()), is_hashed: self.chance.below(2) == 0 };
        if account.is_hashed {
            written.hashes.insert(host.into(), passwords::hash(&account.password).unwrap());
        }
        written.accounts.insert(host.into(), account);
    }

    fn write(&self, written: &Written) {
        let mut ups = "pollinterval = 1\n".to_string();
        for (name, section) in &written.sections {
            ups += &match &section.origin {
                Origin::Unit(unit) if unit.place == Place::Socket => {
                    format!("[{name}]\ndriver = {}\nport = auto\n", unit.serial)
                }
                Origin::Unit(unit) => format!(
                    "[{name}]\ndriver = nut-upstream\nport = {}@127.0.0.1:{}\nupstream_user = x\nupstream_password = y\n",
                    unit.serial, unit.port
                ),
                Origin::Driven(driven) => format!(
                    "[{name}]\ndriver = nutdrv_qx\nport = {}\nprotocol = megatec\n",
                    driven.ups.port.display()
                ),
            };
        }
        let second = written.second_port.map_or(String::new(), |port| format!("LISTEN 127.0.0.1 {port}\n"));
        let upsd = format!("LISTEN 127.0.0.1 {}\n{second}MAXAGE {}\n", self.site.port, MAX_AGE.as_secs());
        let mut users = crate::site::USERS.to_string();
        for (host, account) in &written.accounts {
            let password =
                written.hashes.get(host).filter(|_| account.is_hashed).unwrap_or(&account.password);
            users += &format!("[{host}]\npassword = \"{password}\"\nupsmon secondary\n");
        }
        self.site.write("ups.conf", &ups);
        self.site.write("upsd.conf", &upsd);
        self.site.write("upsd.users", &users);
    }

    /// Something happens.
    pub fn go_on(&mut self) {
        match self.chance.below(12) {
            0..=3 => self.change_status(),
            4..=6 => self.trouble(),
            7 | 8 => self.reload(),
            9 => self.reload_what_is_wrong(),
            10 => self.hold_a_login(),
            _ => self.force_a_shutdown(),
        }
    }

    fn any_section(&mut self) -> (String, Section) {
        let at = self.chance.below(self.now.sections.len());
        let (name, section) = self.now.sections.iter().nth(at).unwrap();
        (name.clone(), section.clone())
    }

    fn change_status(&mut self) {
        match self.any_section().1.origin {
            Origin::Unit(unit) => unit.set_status(self.chance.one(&["OL", "OB", "OB LB", "OL CHRG"])),
            Origin::Driven(driven) => driven.turn_mains(),
        }
    }

    fn trouble(&mut self) {
        let Origin::Unit(unit) = self.any_section().1.origin else { return };
        if self.stuck.as_ref().is_some_and(|stuck| Arc::ptr_eq(stuck, &unit)) {
            return;
        }
        match self.chance.below(8) {
            0 => unit.set_stale(true),
            1 => unit.set_stale(false),
            2 | 3 => unit.set_hanging(true),
            4 => unit.set_hanging(false),
            5 => unit.go(),
            6 => unit.come(),
            _ => unit.answer_orders([Some(0), Some(1), Some(2), Some(3), None][self.chance.below(5)]),
        }
    }

    fn reload(&mut self) {
        let mut new = self.now.clone();
        for _ in 0..1 + self.chance.below(3) {
            let name = self.chance.one(&["a", "b", "c", "d", "e"]);
            match self.chance.below(5) {
                0 if new.sections.len() > 2 => drop(new.sections.remove(name)),
                0 | 1 => self.new_section(&mut new, name),
                2 | 3 => {
                    let host = self.chance.one(&HOSTS);
                    self.new_password(&mut new, host);
                }
                _ => new.second_port = new.second_port.is_none().then(free_port),
            }
        }
        self.write(&new);
        self.truth.turn_epoch();
        let output = self.site.upsd().args(["-c", "reload"]).output().unwrap();
        if !output.status.success() {
            self.truth.fault(format!("reload: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let (gone, old_port) = (self.now.second_port, new.second_port);
        self.take(new);
        self.truth.turn_epoch();
        self.look_at_ports(gone, old_port);
        self.look_at_held();
        let listed = self.site.connect().list("LIST UPS");
        let names = listed.iter().filter_map(|line| line.strip_prefix("UPS ")?.split(' ').next());
        if names.map(String::from).collect::<Vec<_>>() != self.truth.names() {
            self.truth.fault(format!("after a reload the UPSes are {listed:?}"));
        }
    }

    /// A listener that is gone takes no client, and a new one does.
    fn look_at_ports(&self, before: Option<u16>, now: Option<u16>) {
        let takes = |port: u16| TcpStream::connect(("127.0.0.1", port)).is_ok();
        if let Some(port) = now {
            self.soon("the new listener takes clients", || takes(port));
        }
        if let Some(port) = before.filter(|_| before != now) {
            self.soon("the former listener takes none", || !takes(port));
        }
    }

    fn soon(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is_so() {
            if began.elapsed() > Duration::from_secs(3) + self.truth.starved_since(began) {
                return self.truth.fault(format!("not within 3 s: {what}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Who is logged in to a UPS that is gone is dropped, and no one else is.
    fn look_at_held(&mut self) {
        let (truth, sections) = (self.truth.clone(), self.now.sections.clone());
        self.held.retain_mut(|(client, name)| {
            let stays = sections.contains_key(name);
            if stays {
                let answer = client.ask(&format!("GET UPSDESC {name}"));
                if !answer.starts_with("UPSDESC") {
                    truth.fault(format!("a client that is logged in to {name} hears '{answer}'"));
                }
            } else if !client.is_closed(Duration::from_secs(2)) {
                truth.fault(format!("a client is logged in to {name}, which is gone"));
            }
            stays
        });
    }

    fn reload_what_is_wrong(&mut self) {
        let (file, more) = [
            ("upsd.conf", "MAXAGE soon\n"),
            ("ups.conf", "[wrong]\ndriver = nutdrv_qx\nport = /dev/ttyS0\npollinterval = soon\n"),
            ("upsd.users", "[wrong]\npassword = $argon2id$v=19$m=1\n"),
        ][self.chance.below(3)];
        let path = self.site.folder.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}{more}")).unwrap();
        let output = self.site.upsd().args(["-c", "reload"]).output().unwrap();
        std::fs::write(&path, text).unwrap();
        if output.status.success() {
            self.truth.fault(format!("a reload took {more:?}"));
        }
        self.look_at_held();
    }

    fn hold_a_login(&mut self) {
        let (name, _) = self.any_section();
        let mut client = connect_from("127.10.0.1", self.site.port).user("second", "two");
        let answer = client.ask(&format!("LOGIN {name}"));
        if answer != "OK" {
            return self.truth.fault(format!("LOGIN {name}: {answer}"));
        }
        self.held.push((client, name));
    }

    fn force_a_shutdown(&mut self) {
        if self.chance.below(3) > 0 {
            return;
        }
        let (name, _) = self.any_section();
        // from now on it may be shown
        let set = |section: &mut Section, at| section.forced = section.forced.or(Some(at));
        let mut client = self.site.connect().user("first", "one");
        let was = self.now.sections[&name].forced;
        let later = Instant::now() + Duration::from_secs(3600);
        set(self.truth.sections.lock().unwrap().get_mut(&name).unwrap(), later);
        let answer = client.ask(&format!("FSD {name}"));
        if answer != "OK FSD-SET" {
            self.truth.fault(format!("FSD {name}: {answer}"));
        }
        let at = was.unwrap_or_else(Instant::now);
        self.now.sections.get_mut(&name).unwrap().forced = Some(at);
        self.truth.sections.lock().unwrap().get_mut(&name).unwrap().forced = Some(at);
    }

    /// All is well again, and clients see that.
    pub fn heal(&mut self) {
        for section in self.now.sections.values() {
            if let Origin::Unit(unit) = &section.origin {
                unit.set_hanging(false);
                unit.set_stale(false);
                unit.come();
            }
        }
        for (name, section) in self.now.sections.clone() {
            let status = match &section.origin {
                Origin::Unit(unit) => unit.status(),
                Origin::Driven(driven) => driven.status(),
            };
            let began = Instant::now();
            let mut answer = String::new();
            let is_shown = |answer: &str| {
                answer.split(['"', ' ']).filter(|word| status.split(' ').any(|is| is == *word)).count()
            };
            while is_shown(&answer) < status.split(' ').count() {
                answer = self.site.ask(&format!("GET VAR {name} ups.status"));
                if began.elapsed() > Duration::from_secs(12) + self.truth.starved_since(began) {
                    self.truth.fault(format!("{name} is well, and '{status}'; clients hear {answer}"));
                    break;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }

    /// Only those who are logged in count.
    pub fn count_logins(&self) {
        for name in self.now.sections.keys() {
            let held = self.held.iter().filter(|(_, to)| to == name).count();
            let line = format!("GET NUMLOGINS {name}");
            let expected = format!("NUMLOGINS {name} {held}");
            let answer = std::cell::RefCell::new(String::new());
            self.soon(&format!("{line} is {held}"), || {
                *answer.borrow_mut() = self.site.ask(&line);
                *answer.borrow() == expected
            });
            if *answer.borrow() != expected {
                self.truth.fault(answer.take());
            }
        }
    }

    /// The beepers were toggled as often as it was said, and no oftener than it was asked.
    pub fn judge_toggles(&self, (asked, done): (usize, usize)) {
        let heard: usize =
            self.driven.iter().map(|d| d.ups.heard().iter().filter(|line| *line == "Q").count()).sum();
        if heard > asked || heard < done {
            self.truth.fault(format!("{heard} beepers toggled, {asked} asked, {done} said to be done"));
        }
    }
}
