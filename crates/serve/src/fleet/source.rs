//! Where the data of a UPS comes from.

use super::mirror::Mirror;
use nut::network::TrackedOutcome;
use nut::network::server::{Freshness, Order, Variable};
use qx::device::plan::PowerRace;
use qx::vocabulary::variable::Var;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

/// Takes what became of an order, once.
pub(crate) type WhenEnded = Box<dyn FnOnce(Ended)>;

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// For the client.
    pub outcome: TrackedOutcome,
    /// Why it was not done, for the log, where that is known.
    pub why: Option<String>,
    /// Whether what became of it was seen. Else it may have been done: the outcome is what is left to say to clients of NUT, who
    /// have no word for that.
    pub is_seen: bool,
}

impl Ended {
    /// What became of it is not known, for this reason.
    pub fn unseen(why: impl Into<String>) -> Ended {
        Ended { outcome: TrackedOutcome::Failed, why: Some(why.into()), is_seen: false }
    }
}

/// What upsd shows for the status before the first word of a driver (NUT 2.8.0 server/sstate.c): no word of the UPS.
pub(crate) const NOTHING_YET: &str = "WAIT";

/// Whether there is fresh data in which the UPS says something.
pub(crate) fn has_word(source: &dyn Source) -> bool {
    let mut has = true;
    source.variable("ups.status", &mut |status| has = status.value != NOTHING_YET);
    has && source.freshness() == Freshness::Fresh
}

/// Hears each status of a UPS, also one that is over before the next look.
pub(crate) trait HearsStatus {
    /// The status is this now. The source may be borrowed: it must not be asked from here.
    fn status(&self, ups: &str, words: &str);
}

/// Hands each status on to all outputs that want it at once. A source knows one hearer, which is this.
#[derive(Default)]
pub(crate) struct StatusHub(RefCell<Vec<Weak<dyn HearsStatus>>>);

impl StatusHub {
    /// From now on, as long as it is there.
    pub fn add(&self, hearer: &Rc<impl HearsStatus + 'static>) {
        let hearer: Weak<dyn HearsStatus> = Rc::downgrade(hearer) as _;
        let mut all = self.0.borrow_mut();
        all.retain(|there| there.strong_count() > 0);
        all.push(hearer);
    }
}

impl HearsStatus for StatusHub {
    fn status(&self, ups: &str, words: &str) {
        let all: Vec<_> = self.0.borrow().iter().filter_map(Weak::upgrade).collect();
        all.iter().for_each(|hearer| hearer.status(ups, words));
    }
}

/// What a UPS says, and what it can be asked: from a station in this process, from the socket of a driver, from
/// another server. Lists are given in alphabetical order without case, as [`Site`](nut::network::server::Site) wants
/// them; a closure must not call back.
pub(crate) trait Source {
    /// Whether there is data.
    fn freshness(&self) -> Freshness;
    /// The servers that the data came through, this one not included.
    fn path(&self) -> String {
        String::new()
    }
    /// How long ago the UPS, or the driver or server that speaks for it, said last that its data is fresh; none where it
    /// never did.
    fn age(&self) -> Option<Duration>;
    /// How long ago a variable was read, where that is known of it alone.
    fn age_of(&self, _: &Var) -> Option<Duration> {
        None
    }
    /// How many replies of the UPS were whole, and how many were lost or garbled, where this process asks it.
    fn replies(&self) -> Option<(u64, u64)> {
        None
    }
    /// All variables.
    fn each_variable(&self, each: &mut dyn FnMut(&Variable<'_>));
    /// One of them.
    fn variable(&self, name: &str, tell: &mut dyn FnMut(&Variable<'_>));
    /// What it can be set to.
    fn each_choice(&self, name: &str, each: &mut dyn FnMut(&str));
    /// Between which numbers it can be set.
    fn each_range(&self, name: &str, each: &mut dyn FnMut(i64, i64));
    /// All commands.
    fn each_command(&self, each: &mut dyn FnMut(&str));
    /// Whether it has one.
    fn has_command(&self, name: &str) -> bool;
    /// Whether a command takes a value; a driver that does not say so is asked.
    fn takes_value(&self, _: &str) -> bool {
        true
    }
    /// A number that is another one when another UPS answers, where that is known.
    fn unit(&self) -> u64 {
        0
    }
    /// Whether the UPS says that its load goes off, by what was read since an order of so long ago; none where no reading
    /// tells.
    fn will_switch_off(&self, since: Duration) -> Option<bool> {
        let _ = since;
        None
    }
    /// What becomes of the load that is ordered off when mains are back before it goes off, where that is known.
    fn power_race(&self) -> Option<PowerRace> {
        None
    }
    /// Hands an order over. False when that is not possible; then there is no answer, or it says so. Where no client
    /// tracks it there may be none either: a driver is asked for its outcome only then, as by upsd.
    fn hand_over(&self, order: Order<'_>, tracked: bool, answer: WhenEnded) -> bool;
    /// Whether what is shown of a variable is the UPS's own word, and not an estimate; none while that is not known. What
    /// another driver or server says counts as the UPS's.
    fn is_said(&self, name: &str) -> Option<bool> {
        let _ = name;
        Some(true)
    }
    /// From now on each status is said to `hearer`, as long as that is there; to no other any more.
    fn tell_status(&self, ups: &str, hearer: &Rc<dyn HearsStatus>) {
        let _ = (ups, hearer);
    }
    /// The source is not used any more.
    fn stop(&self) {}
}

/// A source that shows what another process said of the UPS, as a mirror of it.
pub(crate) trait Mirrored {
    /// Does something with the mirror.
    fn with_mirror(&self, act: &mut dyn FnMut(&Mirror));
    /// As [`Source::tell_status`].
    fn tell_status_of_mirror(&self, ups: &str, hearer: &Rc<dyn HearsStatus>) {
        let _ = (ups, hearer);
    }
    /// As [`Source::path`].
    fn path_of_mirror(&self) -> String {
        String::new()
    }
    /// As [`Source::age`].
    fn age_of_mirror(&self) -> Option<Duration>;
    /// As [`Source::freshness`].
    fn freshness_of_mirror(&self) -> Freshness;
    /// As [`Source::hand_over`].
    fn pass_on(&self, order: Order<'_>, tracked: bool, answer: WhenEnded) -> bool;
}

impl<M: Mirrored> Source for M {
    fn path(&self) -> String {
        self.path_of_mirror()
    }

    fn freshness(&self) -> Freshness {
        self.freshness_of_mirror()
    }

    fn tell_status(&self, ups: &str, hearer: &Rc<dyn HearsStatus>) {
        self.tell_status_of_mirror(ups, hearer);
    }

    fn age(&self) -> Option<Duration> {
        self.age_of_mirror()
    }

    fn each_variable(&self, each: &mut dyn FnMut(&Variable<'_>)) {
        self.with_mirror(&mut |mirror| mirror.each_variable(each));
    }

    fn variable(&self, name: &str, tell: &mut dyn FnMut(&Variable<'_>)) {
        self.with_mirror(&mut |mirror| mirror.variable(name, tell));
    }

    fn each_choice(&self, name: &str, each: &mut dyn FnMut(&str)) {
        self.with_mirror(&mut |mirror| mirror.each_choice(name, each));
    }

    fn each_range(&self, name: &str, each: &mut dyn FnMut(i64, i64)) {
        self.with_mirror(&mut |mirror| mirror.each_range(name, each));
    }

    fn each_command(&self, each: &mut dyn FnMut(&str)) {
        self.with_mirror(&mut |mirror| mirror.each_command(each));
    }

    fn has_command(&self, name: &str) -> bool {
        let mut has = false;
        self.with_mirror(&mut |mirror| has = mirror.has_command(name));
        has
    }

    fn hand_over(&self, order: Order<'_>, tracked: bool, answer: WhenEnded) -> bool {
        self.pass_on(order, tracked, answer)
    }
}
