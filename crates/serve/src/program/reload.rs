//! A reload: all files are read and checked, then all of it is taken, or nothing; and what changed is said.

use super::{
    FINISHES, Fatal, ProgramRequest, ServerPlan, check, descriptions, finish_orders, raise_limit,
    say_fingerprint, settings, state_paths, tls,
};
use crate::chronicle;
use crate::descriptions::Descriptions;
use crate::encryption::Encryption;
use crate::extras::Extras;
use crate::fleet::{CheckedConf, named};
use crate::listener::{self, Listeners};
use crate::mqtt::MqttOutput;
use crate::notices::NoticeDesk;
use crate::pages::Pages;
use crate::protect::ProtectDesk;
use crate::server::Server;
use crate::settings::Settings;
use crate::snmp::SnmpAgents;
use driver::config::Paths;
use driver::resident;
use driver::supervisor::Supervisor;
use history::EventKind;
use nut::upsd_conf::{Listen, ListenAddress};
use nut::upsd_users::{UpsdUsers, User};
use station::log::Log;
use std::cell::RefCell;
use std::rc::Rc;
use tokio::sync::mpsc;

/// What a reload works with.
pub(super) struct Reloading {
    pub plan: ServerPlan,
    pub paths: Paths,
    pub server: Rc<Server>,
    pub listeners: Rc<RefCell<Listeners>>,
    pub pages: Pages,
    pub notices: Rc<NoticeDesk>,
    pub protection: ProtectDesk,
    pub agents: SnmpAgents,
    pub mqtt: MqttOutput,
    pub log: Log,
}

/// What was read and checked, before any of it counts.
struct Read {
    settings: Settings,
    users: UpsdUsers,
    extras: Extras,
    checked: CheckedConf,
    descriptions: Descriptions,
    tls: Encryption,
    /// Sentences for the log, and for who asked.
    hints: Vec<String>,
}

impl Reloading {
    /// Reloads whenever that is asked for, until the server is to exit; on which signal.
    pub async fn until_exit(
        &self,
        requests: &mut mpsc::Receiver<ProgramRequest>,
        supervisor: &Supervisor,
    ) -> Result<&'static str, Fatal> {
        loop {
            match requests.recv().await {
                Some(ProgramRequest::Exit(name)) => return Ok(name),
                Some(ProgramRequest::Reload(answer)) => {
                    finish_orders(&self.server).await;
                    let done = self.reload_and_say(supervisor);
                    // who asked may have left
                    let _ = answer.map(|answer| answer.send(done));
                }
                // who asked may have left
                Some(ProgramRequest::Timers(answer)) => drop(answer.send(self.notices.list())),
                Some(ProgramRequest::Plan(answer)) => drop(answer.send(self.protection.plan())),
                None => return Err("cannot go on: no signal is heard any more; report this as a bug".into()),
            }
        }
    }

    /// Reloads, and says what came of it in the log and in the line of status. Who asked hears that in the first line, and
    /// what the files say that has no effect in further ones.
    pub fn reload_and_say(&self, supervisor: &Supervisor) -> Result<String, Fatal> {
        supervisor.reloading();
        let done = self.read();
        let (said, done) = match done {
            Ok(read) => {
                let hints = read.hints.clone();
                hints.iter().for_each(|hint| self.log.warning(hint));
                let done = self.take(read);
                let text = format!("reload: {done}");
                self.log.info(&text);
                (text, Ok([vec![done], hints].concat().join("\n")))
            }
            Err(why) => {
                let text = format!("reload: {why}; going on as before");
                self.log.warning(&text);
                (text, Err(why))
            }
        };
        self.server.note_event(EventKind::Reload, None, &said);
        supervisor.ready();
        supervisor.status(&said);
        done
    }

    /// Reads all files again, and checks them as a start does.
    fn read(&self) -> Result<Read, Fatal> {
        let (plan, server) = (&self.plan, &self.server);
        if let Some(name) = server.fleet.borrow().kills_power() {
            return Err(format!(
                "the load of {name} is being switched off; reload again when that is done, within {} s",
                FINISHES.as_secs()
            ));
        }
        let mut hints = vec![];
        let upsd_conf = plan.from.upsd_conf(&mut hints)?;
        let mut settings = settings(&upsd_conf, plan)?;
        settings.fit(raise_limit())?;
        let ups_conf = plan.from.ups_conf()?;
        let users = plan.from.users(&mut hints)?;
        let extras = plan.from.extras()?;
        hints.extend(plan.from.open_to_all(&ups_conf));
        hints.extend(plan.from.communities_open_to_all());
        let none = "ups.conf names no UPS any more; add ALLOW_NO_DEVICE yes to upsd.conf if that is meant";
        let checked = check(&server.fleet.borrow(), &ups_conf, &mut settings, none)?;
        if let Some(why) = listener::would_be_deaf(&self.listeners.borrow(), &settings.listen) {
            return Err(format!("upsd.conf: {why}"));
        }
        let state =
            state_paths(&Paths::from_environment(), &upsd_conf, &ups_conf, plan.state.as_deref()).state;
        if state != self.paths.state {
            hints
                .push(format!("the state path is {} now: start the server again to use it", state.display()));
        }
        let descriptions = descriptions(&upsd_conf, &mut hints);
        let tls = tls(&upsd_conf, plan, &self.paths, &settings, &extras.web, &mut hints)?;
        if let (Some(why), true) = (&tls.lacks, server.tls.borrow().config.is_some()) {
            return Err(format!("{why}; TLS would be gone"));
        }
        Ok(Read { settings, users, extras, checked, descriptions, tls, hints })
    }

    /// Makes it count; what changed.
    fn take(&self, read: Read) -> String {
        let Read { settings, users, extras, checked, descriptions, tls, .. } = read;
        let server = &self.server;
        let mut fleet = server.fleet.borrow_mut();
        fleet.set_max_age(settings.max_age);
        let news = fleet.take(checked);
        drop(fleet);
        server.describe(descriptions);
        let old_users = server.users.replace(users);
        let shown = server.tls.replace(tls).fingerprint;
        if server.tls.borrow().fingerprint != shown {
            say_fingerprint(server);
        }
        listener::keep(server, &self.listeners, &settings.listen, &self.log);
        let old = server.settings.replace(settings);
        chronicle::follow(server, extras.history.as_ref(), &self.paths.lasting);
        let old_extras = server.extras.replace(extras);
        self.pages.become_what_is_asked();
        self.notices.become_what_is_asked();
        self.protection.become_what_is_asked();
        // by now it is known which further names there are
        server.drop_orphans();
        self.agents.become_what_is_asked();
        self.mqtt.become_what_is_asked();
        resident::give_back();
        let users = change_of_users(&old_users, &server.users.borrow());
        let settings = server.settings.borrow();
        let addresses = change_of_addresses(&old.listen, &settings.listen);
        let others = old.changes(&settings);
        let settings = (!others.is_empty()).then(|| others.join(", "));
        let kinds = [("users", users), ("addresses", addresses), ("settings", settings)];
        let said = kinds.iter().filter_map(|(what, change)| Some(format!("; {what}: {}", change.as_ref()?)));
        let said = said.collect::<String>() + &change_of_extras(&old_extras, &server.extras.borrow());
        match said.is_empty() {
            true => format!("UPSes: {news}; users, addresses and settings as before"),
            false => format!("UPSes: {news}{said}; all else as before"),
        }
    }
}

/// Which users are new, gone or changed; none when all are as before.
fn change_of_users(old: &UpsdUsers, new: &UpsdUsers) -> Option<String> {
    // where it stands in the file is no change of it
    let plain = |user: &User| User { line: 0, password_line: 0, ..user.clone() };
    let changed =
        new.users.iter().filter(|user| old.user(&user.name).is_some_and(|known| plain(known) != plain(user)));
    let names = |users: Vec<&User>| users.into_iter().map(|user| user.name.clone()).collect::<Vec<_>>();
    change(
        &names(new.users.iter().filter(|user| old.user(&user.name).is_none()).collect()),
        &names(old.users.iter().filter(|user| new.user(&user.name).is_none()).collect()),
        &names(changed.collect()),
    )
}

/// Which addresses of LISTEN are new or gone.
fn change_of_addresses(old: &[Listen], new: &[Listen]) -> Option<String> {
    let name = |listen: &Listen| match &listen.address {
        ListenAddress::Any => format!("*:{}", listen.port),
        ListenAddress::Host(host) if host.contains(':') => format!("[{host}]:{}", listen.port),
        ListenAddress::Host(host) => format!("{host}:{}", listen.port),
    };
    let names = |rows: &[Listen]| rows.iter().map(name).collect::<Vec<_>>();
    let (old, new) = (names(old), names(new));
    let only = |here: &[String], there: &[String]| {
        here.iter().filter(|name| !there.contains(name)).cloned().collect::<Vec<_>>()
    };
    change(&only(&new, &old), &only(&old, &new), &[])
}

/// Which parts of `qxups.toml` are other than before.
fn change_of_extras(old: &Extras, new: &Extras) -> String {
    let state = |was: bool, is: bool| match (was, is) {
        (false, true) => "on",
        (true, false) => "off",
        _ => "changed",
    };
    let mut said = String::new();
    if old.history != new.history {
        said += &format!("; history: {}", state(old.history.is_some(), new.history.is_some()));
    }
    if old.notify != new.notify {
        said += &format!("; notify: {}", state(old.notify.is_some(), new.notify.is_some()));
    }
    if old.snmp != new.snmp {
        said += &format!("; snmp: {}", state(old.snmp.is_some(), new.snmp.is_some()));
    }
    if old.mqtt != new.mqtt {
        said += &format!("; mqtt: {}", state(old.mqtt.is_some(), new.mqtt.is_some()));
    }
    if old.protect != new.protect {
        said += &format!("; protect: {}", state(old.protect.is_some(), new.protect.is_some()));
    }
    if old.web != new.web {
        said += &format!("; web: {}", state(!old.web.listen.is_empty(), !new.web.listen.is_empty()));
    }
    said
}

fn change(new: &[String], gone: &[String], changed: &[String]) -> Option<String> {
    let kinds = [(new, "new"), (gone, "gone"), (changed, "changed")];
    let said: Vec<String> = kinds
        .into_iter()
        .filter(|(names, _)| !names.is_empty())
        .map(|(names, what)| format!("{} {what}", named(names)))
        .collect();
    (!said.is_empty()).then(|| said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_addresses_that_changed_are_named() {
        let users = |text: &str| nut::upsd_users::parse(text.as_bytes());
        let old = users("[a]\npassword = x\n[b]\npassword = y\n[c]\npassword = z\n");
        let new = users("[d]\npassword = x\n\n[a]\npassword = x\n[b]\npassword = other\n");
        assert_eq!(change_of_users(&old, &new).as_deref(), Some("d new, c gone, b changed"));
        assert_eq!(change_of_users(&old, &old), None);
        let listen = |text: &str| nut::upsd_conf::parse(text.as_bytes()).listen;
        let old = listen("LISTEN 127.0.0.1\nLISTEN ::1 3494\n");
        let new = listen("# moved\nLISTEN ::1 3494\nLISTEN * 3495\n");
        assert_eq!(change_of_addresses(&old, &new).as_deref(), Some("*:3495 new, 127.0.0.1:3493 gone"));
        assert_eq!(change_of_addresses(&old, &old), None);
        let many: Vec<String> = (0..8).map(|number| format!("u{number}")).collect();
        assert_eq!(change(&many, &[], &[]).as_deref(), Some("u0, u1, u2, u3, u4 and 3 more new"));
    }
}
