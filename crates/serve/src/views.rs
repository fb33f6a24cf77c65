//! What clients are shown of a UPS besides what it says: a further name of it, and the signal of the stage that they are in.
//! Metrics, pages, the broker and the history show none of this.

use crate::extras::ProtectOptions;
use ::protect::StageSignal;
use nut::network::server::UpsId;
use nut::upsd_users::Network;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

/// Numbers of further names begin here; those of UPSes never come so far.
const FIRST: u64 = 1 << 63;

/// A further name of a UPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExtraName {
    /// No UPS and no other name ever has this number.
    pub id: UpsId,
    /// As clients write it.
    pub name: String,
    /// The UPS that it stands for.
    pub ups: String,
    /// The stage that its clients are in.
    pub stage: StageId,
}

/// A stage by its place: the group, and the stage of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StageId {
    pub group: usize,
    pub stage: usize,
}

/// Who is in a stage.
#[derive(Debug)]
struct StageClients {
    id: StageId,
    /// The group and the stage by name: what they are after a reload as well.
    names: (String, String),
    /// In lower case.
    upses: Vec<String>,
    users: Vec<String>,
    addresses: Vec<Network>,
    takes_the_rest: bool,
}

#[derive(Debug, Default)]
struct Views {
    stages: Vec<StageClients>,
    names: Vec<Rc<ExtraName>>,
    signals: HashMap<StageId, StageSignal>,
}

/// The further names, the stages, and what each stage is shown.
#[derive(Debug, Default)]
pub(crate) struct ViewBoard {
    views: RefCell<Views>,
    last: Cell<u64>,
}

impl ViewBoard {
    /// Takes other options. A name that stands for the same UPS keeps its number, so that its clients stay; `is_ups` says
    /// whether `ups.conf` has that name, which then counts.
    pub fn follow(&self, options: Option<&ProtectOptions>, is_ups: &dyn Fn(&str) -> bool) -> Vec<String> {
        let mut hints = vec![];
        let mut views = self.views.borrow_mut();
        let before = std::mem::take(&mut *views);
        let groups = options.map(|options| options.groups.as_slice()).unwrap_or_default();
        for (at, group) in groups.iter().enumerate() {
            let upses: Vec<String> =
                group.plan.feeds.iter().map(|feed| feed.ups.to_ascii_lowercase()).collect();
            for missing in group.plan.feeds.iter().filter(|feed| !is_ups(&feed.ups)) {
                hints.push(format!(
                    "[protect] group {}: ups.conf has no UPS {}; write the name of its section",
                    group.plan.name, missing.ups
                ));
            }
            for (number, (plan, stage)) in group.plan.stages.iter().zip(&group.stages).enumerate() {
                let id = StageId { group: at, stage: number };
                for (name, ups) in &stage.names {
                    if is_ups(name) {
                        hints.push(format!(
                            "[protect] stage {}: {name} is a UPS of ups.conf, and no further name; write another",
                            plan.name
                        ));
                        continue;
                    }
                    let known = before.names.iter().find(|known| known.name == *name && known.ups == *ups);
                    let number = known.map_or_else(|| self.next(), |known| known.id);
                    let name = ExtraName { id: number, name: name.clone(), ups: ups.clone(), stage: id };
                    views.names.push(Rc::new(name));
                }
                views.stages.push(StageClients {
                    id,
                    names: (group.plan.name.clone(), plan.name.clone()),
                    upses: upses.clone(),
                    users: stage.users.clone(),
                    addresses: stage.addresses.clone(),
                    takes_the_rest: stage.takes_the_rest(),
                });
            }
        }
        // what a stage is shown it is shown on
        let views = &mut *views;
        for stage in &views.stages {
            let known = before.stages.iter().find(|known| known.names == stage.names);
            let shown = known.and_then(|known| before.signals.get(&known.id));
            views.signals.extend(shown.map(|signal| (stage.id, *signal)));
        }
        hints
    }

    fn next(&self) -> UpsId {
        let number = FIRST + self.last.get();
        self.last.set(self.last.get() + 1);
        UpsId(number)
    }

    /// What the clients of a stage are shown from now on.
    pub fn show(&self, stage: StageId, signal: Option<StageSignal>) {
        let mut views = self.views.borrow_mut();
        match signal {
            Some(signal) => views.signals.insert(stage, signal),
            None => views.signals.remove(&stage),
        };
    }

    /// The further name of that spelling, whose case does not matter.
    pub fn find(&self, name: &str) -> Option<Rc<ExtraName>> {
        let views = self.views.borrow();
        views.names.iter().find(|known| known.name.eq_ignore_ascii_case(name)).cloned()
    }

    /// The further name of that number.
    pub fn get(&self, id: UpsId) -> Option<Rc<ExtraName>> {
        if id.0 < FIRST {
            return None;
        }
        self.views.borrow().names.iter().find(|known| known.id == id).cloned()
    }

    /// Those of a UPS, in the order of the file.
    pub fn names_of(&self, ups: &str) -> Vec<Rc<ExtraName>> {
        let views = self.views.borrow();
        views.names.iter().filter(|known| known.ups.eq_ignore_ascii_case(ups)).cloned().collect()
    }

    /// In which stage a client of a UPS is: by the further name that it uses, else by its user, else by its address, else the
    /// stage that takes the rest.
    pub fn stage_of(
        &self,
        ups: &str,
        extra: Option<&ExtraName>,
        user: Option<&str>,
        address: IpAddr,
    ) -> Option<StageId> {
        if let Some(extra) = extra {
            return Some(extra.stage);
        }
        let views = self.views.borrow();
        let of_ups = || {
            views
                .stages
                .iter()
                .filter(|stage| stage.upses.iter().any(|known| known.eq_ignore_ascii_case(ups)))
        };
        let by_user =
            user.and_then(|user| of_ups().find(|stage| stage.users.iter().any(|known| known == user)));
        let by_address =
            || of_ups().find(|stage| stage.addresses.iter().any(|known| known.contains(address)));
        by_user
            .or_else(by_address)
            .or_else(|| of_ups().find(|stage| stage.takes_the_rest))
            .map(|stage| stage.id)
    }

    /// What a client is shown of a UPS.
    pub fn signal_for(
        &self,
        ups: &str,
        extra: Option<&ExtraName>,
        user: Option<&str>,
        address: IpAddr,
    ) -> Option<StageSignal> {
        if self.views.borrow().signals.is_empty() {
            return None;
        }
        let stage = self.stage_of(ups, extra, user, address)?;
        self.views.borrow().signals.get(&stage).copied()
    }
}

/// A status as `OB LB`: clients go down by nothing less. What else it says stays.
pub(crate) fn with_low_battery(status: &str) -> String {
    let others = status.split_ascii_whitespace().filter(|word| !matches!(*word, "OL" | "OB" | "LB"));
    ["OB", "LB"].into_iter().chain(others).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extras::parse;

    const TEXT: &str = "[[protect.group]]\nname = 'g'\nups = ['rack', 'b']\n\
        [[protect.group.stage]]\nname = 'one'\nusers = ['lab']\nnames = { rack-lab = 'rack' }\n\
        [[protect.group.stage]]\nname = 'two'\naddresses = ['192.0.2.0/24']\n\
        [[protect.group.stage]]\nname = 'rest'\n";

    fn board(text: &str) -> ViewBoard {
        let board = ViewBoard::default();
        let options = parse(text.as_bytes()).unwrap().protect.unwrap();
        assert_eq!(board.follow(Some(&options), &|name| ["rack", "b"].contains(&name)), Vec::<String>::new());
        board
    }

    #[test]
    fn a_client_is_in_one_stage() {
        let board = board(TEXT);
        let (near, far): (IpAddr, IpAddr) = ("192.0.2.9".parse().unwrap(), "198.51.100.1".parse().unwrap());
        let extra = board.find("RACK-lab").unwrap();
        let of = |extra: Option<&ExtraName>, user: Option<&str>, address| {
            board.stage_of("Rack", extra, user, address).map(|id| id.stage)
        };
        assert_eq!(of(Some(&extra), Some("other"), near), Some(0));
        assert_eq!(of(None, Some("lab"), near), Some(0));
        assert_eq!(of(None, Some("other"), near), Some(1));
        assert_eq!(of(None, None, near), Some(1));
        assert_eq!(of(None, None, far), Some(2));
        assert_eq!(board.stage_of("elsewhere", None, Some("lab"), near), None);
    }

    #[test]
    fn a_signal_is_for_its_stage_alone() {
        let board = board(TEXT);
        let near = "192.0.2.9".parse().unwrap();
        board.show(StageId { group: 0, stage: 0 }, Some(StageSignal::Forced));
        assert_eq!(board.signal_for("b", None, Some("lab"), near), Some(StageSignal::Forced));
        assert_eq!(board.signal_for("b", None, Some("x"), near), None);
        let again = parse(TEXT.as_bytes()).unwrap().protect.unwrap();
        let _ = board.follow(Some(&again), &|_| false);
        assert_eq!(
            board.signal_for("b", None, Some("lab"), near),
            Some(StageSignal::Forced),
            "after a reload"
        );
        board.show(StageId { group: 0, stage: 0 }, None);
        assert_eq!(board.signal_for("b", None, Some("lab"), near), None);
    }

    #[test]
    fn a_name_keeps_its_number_as_long_as_it_is_of_the_same_ups() {
        let board = board(TEXT);
        let before = board.find("rack-lab").unwrap().id;
        let again = parse(TEXT.as_bytes()).unwrap().protect.unwrap();
        let _ = board.follow(Some(&again), &|_| false);
        assert_eq!(board.find("rack-lab").unwrap().id, before);
        let other = TEXT.replace("rack-lab = 'rack'", "rack-lab = 'b'");
        let other = parse(other.as_bytes()).unwrap().protect.unwrap();
        let _ = board.follow(Some(&other), &|_| false);
        assert_ne!(board.find("rack-lab").unwrap().id, before);
        assert_eq!(board.get(before), None);
        let hints = board.follow(Some(&other), &|name| name == "rack-lab" || name == "rack");
        assert_eq!(hints.len(), 2, "{hints:?}");
        assert_eq!(board.find("rack-lab"), None);
    }

    #[test]
    fn low_battery_is_said_once() {
        assert_eq!(with_low_battery("OB DISCHRG"), "OB LB DISCHRG");
        assert_eq!(with_low_battery("OL"), "OB LB");
        assert_eq!(with_low_battery("OB LB"), "OB LB");
    }
}
