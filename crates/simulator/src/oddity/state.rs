//! Which oddities there are in a reply: they count, and some are drawn by chance.

use super::{Behaviour, Oddity};
use crate::trouble::Random;
use crate::world::World;
use qx::wire::query::{Cadence, Query};
use std::collections::BTreeMap;
use std::time::Duration;

/// What the oddities of a unit remember.
#[derive(Clone, Debug)]
pub struct Oddness {
    random: Random,
    /// Replies to a question in the state for an oddity, by the place of the oddity.
    counts: BTreeMap<(usize, String), u32>,
    /// What is said to the next question, when it is one behind.
    pub(crate) held: Option<Vec<u8>>,
}

impl Oddness {
    /// That of a unit whose oddities come from `seed`.
    pub fn new(seed: u64) -> Oddness {
        Oddness { random: Random::new(seed), counts: BTreeMap::new(), held: None }
    }

    /// The behaviours that concern what is said to `line` now; a command is no `query`.
    pub(crate) fn strike(
        &mut self,
        oddities: &[Oddity],
        line: &str,
        query: Option<&Query>,
        (world, now): (&World, Duration),
    ) -> Vec<Behaviour> {
        let mut behaviours = vec![];
        for (at, odd) in oddities.iter().enumerate() {
            let of_the_unnamed = || match odd.behaviour {
                Behaviour::Plate(_) => query.is_some_and(|query| query.cadence == Cadence::Once),
                _ => odd.behaviour.is_of_all() || query.is_some_and(Query::tells_status),
            };
            let meant = odd.ask.as_deref().map_or_else(of_the_unnamed, |ask| ask == line);
            if !meant || !odd.is_on(world, now) {
                continue;
            }
            let count = self.counts.entry((at, line.into())).or_default();
            let turn = *count % odd.every == odd.phase % odd.every;
            *count = count.wrapping_add(1);
            if turn && (odd.chance >= 100 || self.random.chance(f64::from(odd.chance) / 100.0)) {
                behaviours.push(odd.behaviour.clone());
            }
        }
        behaviours
    }
}

impl Behaviour {
    /// Whether it befalls every reply, where no question is named.
    fn is_of_all(&self) -> bool {
        matches!(
            self,
            Behaviour::Slow(_)
                | Behaviour::Gap(_)
                | Behaviour::Rests(_)
                | Behaviour::RestsFromReply(_)
                | Behaviour::Busy(_)
                | Behaviour::ActsLate(_)
                | Behaviour::Behind
                | Behaviour::LateWord(_)
                | Behaviour::NoWord
                | Behaviour::Volts(_)
                | Behaviour::Nuls
                | Behaviour::NulBefore
                | Behaviour::NulAfter
        )
    }
}
