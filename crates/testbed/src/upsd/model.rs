//! The same UPSes for both: what their drivers tell upsd, and a [`Site`] that knows it.

use nut::driver_socket::{self, SocketRequest};
use nut::network::server::{
    Client, Freshness, Handed, Order, Permission, Right, ServerIdentity, Site, UpsId, ValueKind, Variable,
};
use nut::network::{TrackedOutcome, TrackingId};
use nut::upsd_users::{self, AllowedAction, UpsdUsers};
use nut::words;

pub const USERS: &str = "[admin]\npassword = secret\nactions = SET FSD\ninstcmds = ALL\nupsmon primary\n\
    [second]\npassword = \"two words\"\nupsmon secondary\n[few]\npassword = few\n\
    instcmds = test.battery.start beeper.mute\n[setter]\npassword = s\nactions = set\n[nothing]\n\
    password = n\n[master]\npassword = m\nactions = PRIMARY\n[none]\nactions = SET\n";

pub struct ModelVariable {
    name: &'static str,
    value: &'static str,
    writable: bool,
    longest: Option<i64>,
    choices: &'static [&'static str],
    ranges: &'static [(i64, i64)],
}

pub struct ModelUps {
    pub name: &'static str,
    pub description: Option<&'static str>,
    pub freshness: Freshness,
    pub variables: Vec<ModelVariable>,
    pub commands: Vec<&'static str>,
    forced: bool,
    logins: Vec<String>,
}

const fn read_only(name: &'static str, value: &'static str) -> ModelVariable {
    ModelVariable { name, value, writable: false, longest: None, choices: &[], ranges: &[] }
}

fn variables() -> Vec<ModelVariable> {
    vec![
        read_only("battery.charge", "100"),
        ModelVariable {
            writable: true,
            ranges: &[(10, 50), (-5, 5)],
            ..read_only("battery.charge.low", "20")
        },
        ModelVariable { writable: true, longest: Some(8), ..read_only("ups.id", "rack 1") },
        ModelVariable { writable: true, longest: Some(0), ..read_only("ups.odd", "no length") },
        ModelVariable { longest: Some(40), ..read_only("ups.mfr", "Acme") },
        ModelVariable {
            writable: true,
            longest: Some(10),
            choices: &["low", "medium", "high"],
            ..read_only("input.sensitivity", "medium")
        },
        ModelVariable { writable: true, ..read_only("ups.delay.shutdown", "20") },
        ModelVariable {
            writable: true,
            choices: &["208", "220"],
            ..read_only("output.voltage.nominal", "220")
        },
        ModelVariable { writable: true, choices: &["a\"b", "c"], ..read_only("ups.choice", "c") },
        read_only("ups.model", "a \"quoted\" # and \\ one"),
        read_only("ups.status", "OL CHRG"),
        read_only("Ups.Upper", "x"),
        read_only("ups.empty", ""),
    ]
}

fn ups(name: &'static str, description: Option<&'static str>, freshness: Freshness) -> ModelUps {
    let commands = vec!["test.battery.start", "load.off", "Beeper.mute", "shutdown.return", "fails.now"];
    ModelUps { name, description, freshness, variables: variables(), commands, forced: false, logins: vec![] }
}

pub fn upses() -> Vec<ModelUps> {
    vec![
        ups("ups", Some("A \"good\" one, #1 \\ 2"), Freshness::Fresh),
        ups("Old", None, Freshness::Stale),
        ups("gone", Some(""), Freshness::NotConnected),
        ModelUps {
            variables: vec![read_only("ups.status", "OB LB")],
            commands: vec![],
            ..ups("bare", None, Freshness::Fresh)
        },
    ]
}

impl ModelUps {
    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|variable| (variable.name, variable.value))
    }

    /// What its driver answers to DUMPALL.
    pub fn dump(&self) -> String {
        let mut dump = String::new();
        for variable in &self.variables {
            dump += &driver_socket::setinfo(variable.name, variable.value);
            for choice in variable.choices.iter() {
                dump += &driver_socket::addenum(variable.name, choice);
            }
            for (least, most) in variable.ranges {
                dump += &driver_socket::addrange(variable.name, *least, *most);
            }
            if let Some(longest) = variable.longest {
                dump += &format!("SETAUX {} {longest}\n", variable.name);
            }
            let flags = [(variable.writable, "RW"), (variable.longest.is_some(), "STRING")];
            let flags: Vec<&str> = flags.iter().filter(|(on, _)| *on).map(|(_, flag)| *flag).collect();
            dump += &driver_socket::setflags(variable.name, &flags);
        }
        dump.extend(self.commands.iter().map(|command| driver_socket::addcmd(command)));
        dump += if self.freshness == Freshness::Fresh { "DATAOK\n" } else { "DATASTALE\n" };
        dump + "DUMPDONE\n"
    }
}

/// What the driver's TRACKING line says of a request.
pub fn code(request: &SocketRequest) -> u8 {
    match request {
        SocketRequest::InstCmd { name, .. } if name == "fails.now" => 3,
        SocketRequest::InstCmd { parameter: Some(_), .. } => 2,
        _ => 0,
    }
}

pub struct Model {
    pub upses: Vec<ModelUps>,
    users: UpsdUsers,
    identity: ServerIdentity,
    commands: Vec<(String, String)>,
    variables: Vec<(String, String)>,
    outcomes: Vec<(TrackingId, TrackedOutcome)>,
    /// What was handed to drivers, without ids.
    pub handed: Vec<SocketRequest>,
}

impl Model {
    pub fn new() -> Model {
        let mut upses = upses();
        for ups in &mut upses {
            ups.variables.sort_by_key(|variable| variable.name.to_ascii_lowercase());
            ups.commands.sort_by_key(|command| command.to_ascii_lowercase());
        }
        let table = std::fs::read("/usr/share/nut/cmdvartab").expect("apt-get install nut-server");
        let mut lists = [vec![], vec![]];
        for line in words::lines(&table) {
            if let Some([kind, name, text, ..]) = line.words.ok().as_deref() {
                lists[usize::from(kind == "VARDESC")].push((name.clone(), text.clone()));
            }
        }
        let [commands, variables] = lists;
        let info = "Network UPS Tools upsd 2.8.0 - http://www.networkupstools.org/".into();
        let identity = ServerIdentity { info, version: "2.8.0".into() };
        let users = upsd_users::parse(USERS.as_bytes());
        assert_eq!(users.wrong, []);
        Model { upses, users, identity, commands, variables, outcomes: vec![], handed: vec![] }
    }

    fn ups(&self, ups: UpsId) -> &ModelUps {
        &self.upses[ups.0 as usize]
    }

    pub fn log_out(&mut self, ups: UpsId, address: &str) {
        let logins = &mut self.upses[ups.0 as usize].logins;
        let at = logins.iter().position(|login| login == address).expect("logged in");
        logins.remove(at);
    }

    pub fn described(&self) -> [&[(String, String)]; 2] {
        [&self.commands, &self.variables]
    }
}

fn found<'a>(list: &'a [(String, String)], name: &str) -> Option<&'a str> {
    list.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, text)| text.as_str())
}

fn view(variable: &ModelVariable) -> Variable<'_> {
    Variable {
        name: variable.name,
        value: variable.value,
        writable: variable.writable,
        has_choices: !variable.choices.is_empty(),
        has_ranges: !variable.ranges.is_empty(),
        kind: variable.longest.map_or(ValueKind::Number, |longest| ValueKind::Text { longest }),
    }
}

impl Site for Model {
    fn identity(&self) -> &ServerIdentity {
        &self.identity
    }
    fn find(&self, _: &Client, name: &str) -> Option<UpsId> {
        let at = self.upses.iter().position(|ups| ups.name.eq_ignore_ascii_case(name));
        at.map(|at| UpsId(at as u64))
    }
    fn each_ups(&self, _: &Client, each: &mut dyn FnMut(&str, Option<&str>)) {
        self.upses.iter().for_each(|ups| each(ups.name, ups.description));
    }
    fn about(&self, ups: UpsId, tell: &mut dyn FnMut(&str, Option<&str>)) {
        let ups = self.ups(ups);
        tell(ups.name, ups.description);
    }
    fn freshness(&self, ups: UpsId) -> Freshness {
        self.ups(ups).freshness
    }
    fn forced_shutdown(&self, ups: UpsId) -> bool {
        self.ups(ups).forced
    }
    fn each_variable(&self, ups: UpsId, each: &mut dyn FnMut(&Variable<'_>)) {
        self.ups(ups).variables.iter().for_each(|variable| each(&view(variable)));
    }
    fn variable(&self, ups: UpsId, name: &str, tell: &mut dyn FnMut(&Variable<'_>)) {
        let mut known = self.ups(ups).variables.iter();
        if let Some(variable) = known.find(|variable| variable.name.eq_ignore_ascii_case(name)) {
            tell(&view(variable));
        }
    }
    fn each_choice(&self, ups: UpsId, name: &str, each: &mut dyn FnMut(&str)) {
        for variable in self.ups(ups).variables.iter().filter(|known| known.name.eq_ignore_ascii_case(name)) {
            variable.choices.iter().for_each(|choice| each(choice));
        }
    }
    fn each_range(&self, ups: UpsId, name: &str, each: &mut dyn FnMut(i64, i64)) {
        for variable in self.ups(ups).variables.iter().filter(|known| known.name.eq_ignore_ascii_case(name)) {
            variable.ranges.iter().for_each(|(least, most)| each(*least, *most));
        }
    }
    fn each_command(&self, ups: UpsId, each: &mut dyn FnMut(&str)) {
        self.ups(ups).commands.iter().for_each(|command| each(command));
    }
    fn has_command(&self, ups: UpsId, name: &str) -> bool {
        self.ups(ups).commands.iter().any(|command| command.eq_ignore_ascii_case(name))
    }
    fn variable_description(&self, name: &str) -> Option<&str> {
        found(&self.variables, name)
    }
    fn command_description(&self, name: &str) -> Option<&str> {
        found(&self.commands, name)
    }
    fn logins(&self, ups: UpsId) -> usize {
        self.ups(ups).logins.len()
    }
    fn each_login(&self, ups: UpsId, each: &mut dyn FnMut(&str)) {
        self.ups(ups).logins.iter().rev().for_each(|address| each(address));
    }
    fn outcome(&self, id: &str) -> Option<TrackedOutcome> {
        let id = TrackingId::parse(id)?;
        self.outcomes.iter().find(|(known, _)| *known == id).map(|(_, outcome)| *outcome)
    }
    fn may(&mut self, client: &Client, right: Right<'_>, ups: Option<UpsId>) -> Permission {
        let name = ups.map(|ups| self.ups(ups).name).unwrap_or_default();
        let user = client.username.as_deref().and_then(|name| self.users.user(name));
        let given = client.password.as_deref().unwrap_or_default();
        let granted = user.is_some_and(|user| {
            let password = user.password.as_ref().is_some_and(|known| known.is(given, &mut |_, _| false));
            password
                && match right {
                    Right::Read => user.may_do(AllowedAction::Read),
                    Right::Login => user.may_do(AllowedAction::Login),
                    Right::Primary => user.may_do(AllowedAction::Primary),
                    Right::ForceShutdown => user.may_do(AllowedAction::ForceShutdown),
                    Right::Set(_) => user.may_do(AllowedAction::Set),
                    Right::Command(command) => user.may_run(command, name),
                }
        });
        if granted { Permission::Granted } else { Permission::Denied }
    }
    fn log_in(&mut self, client: &Client, ups: UpsId) {
        self.upses[ups.0 as usize].logins.push(client.address.clone());
    }
    fn set_forced_shutdown(&mut self, _: &Client, ups: UpsId, on: bool) {
        self.upses[ups.0 as usize].forced = on;
    }
    fn hand_over(&mut self, _: &Client, _: UpsId, order: Order<'_>, tracked: bool) -> Handed {
        let request = match order {
            Order::Command { name, parameter } => SocketRequest::InstCmd {
                name: name.into(),
                parameter: parameter.map(Into::into),
                tracking: None,
            },
            Order::Set { variable, value } => {
                SocketRequest::Set { variable: variable.into(), value: value.into(), tracking: None }
            }
        };
        let outcome = TrackedOutcome::of_driver(code(&request)).expect("a code of drivers");
        self.handed.push(request);
        if !tracked {
            return Handed::Over;
        }
        let id = TrackingId::from_random([self.handed.len() as u8; 16]);
        self.outcomes.push((id, outcome));
        Handed::Tracked(id)
    }
}
