//! Claims: what a reply says of the power, by the table of its dialect: not how a driver reads it, but what
//! the unit meant. A test of a driver has to know what the driver could have known.

use qx::vocabulary::status::Status;
use qx::vocabulary::value::Value;
use qx::wire::query::{Effect, Meaning, Query};
use qx::wire::readings::Readings;

/// The words that are told of, and whether they are so. What a reply does not speak of is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusClaims {
    /// Mains is there.
    pub online: Option<bool>,
    /// The battery is low.
    pub low: Option<bool>,
    /// A shutdown is under way.
    pub shutdown: Option<bool>,
    /// The load is not powered.
    pub off: Option<bool>,
}

impl StatusClaims {
    /// What a reply to `query` claims that says `readings`.
    pub fn of(query: &Query, readings: &Readings) -> StatusClaims {
        let claim = |status| claim(query, readings, status);
        StatusClaims {
            online: claim(Status::Online),
            low: claim(Status::LowBattery),
            shutdown: claim(Status::ForcedShutdown),
            off: claim(Status::Off),
        }
    }
}

/// What it claims of one word: what only raises it, and does not, claims that it is not so.
fn claim(query: &Query, readings: &Readings, status: Status) -> Option<bool> {
    let mut claimed = None;
    for field in query.fields {
        match field.meaning {
            Meaning::Bits(rows) => {
                for row in rows {
                    if speaks(&row.one, status) || speaks(&row.zero, status) {
                        let other = row.one.parts().iter().all(|part| shown(part, readings, Some(status)));
                        claimed = Some(readings.status.has(status) && other || claimed == Some(true));
                    }
                }
            }
            Meaning::Codes(rows) if rows.iter().any(|row| speaks(&row.effect, status)) => {
                let whole = |effect: &Effect| {
                    !matches!(effect, Effect::Nothing)
                        && effect.parts().iter().all(|part| shown(part, readings, None))
                };
                let rest = rows.iter().filter(|row| whole(&row.effect));
                // a field of letters says all of them, a field of one code the first
                let said: Vec<&Effect> = if is_rest(query) {
                    rest.map(|row| &row.effect).collect()
                } else {
                    rest.take(1).map(|row| &row.effect).collect()
                };
                let sets = said
                    .iter()
                    .flat_map(|effect| effect.parts())
                    .any(|part| matches!(part, Effect::Set(set) if *set == status));
                let clears = said
                    .iter()
                    .flat_map(|effect| effect.parts())
                    .any(|part| matches!(part, Effect::Clear(clear) if *clear == status));
                claimed = match (sets, clears) {
                    (true, _) => Some(true),
                    (_, true) => Some(false),
                    // of mains, silence says nothing
                    _ if status == Status::Online => None,
                    _ => Some(false),
                };
            }
            _ => {}
        }
    }
    claimed
}

fn speaks(effect: &Effect, status: Status) -> bool {
    let of_it = |part: &Effect| matches!(part, Effect::Set(word) | Effect::Clear(word) if *word == status);
    effect.parts().iter().any(of_it)
}

fn shown(part: &Effect, readings: &Readings, but: Option<Status>) -> bool {
    match part {
        Effect::Set(word) | Effect::Clear(word) if Some(*word) == but => true,
        Effect::Set(word) => readings.status.has(*word),
        Effect::Clear(word) => !readings.status.has(*word),
        Effect::Alarm(alarm) => readings.alarms.contains(alarm),
        Effect::Says(var, word) => readings.value(var) == Some(&Value::text(*word)),
        Effect::Regulating => readings.status.has(Status::Regulating),
        Effect::Nothing | Effect::All(_) => true,
    }
}

fn is_rest(query: &Query) -> bool {
    query.picture.ends_with('*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::readings::{UnitMemory, readings};
    use crate::world::{UnitOrder, World};
    use qx::protocols;

    /// What all the replies of a unit claim together.
    fn all(name: &str, world: &World) -> StatusClaims {
        let protocol = protocols::named(name).unwrap();
        let readings = readings(protocol, world, &Profile::default(), &UnitMemory::default());
        let each = protocol.queries.iter().map(|query| StatusClaims::of(query, &readings));
        let or = |a: Option<bool>, b: Option<bool>| if a == Some(true) { a } else { b.or(a) };
        each.fold(StatusClaims::default(), |sum, one| StatusClaims {
            online: or(sum.online, one.online),
            low: or(sum.low, one.low),
            shutdown: or(sum.shutdown, one.shutdown),
            off: or(sum.off, one.off),
        })
    }

    #[test]
    fn every_dialect_tells_of_mains_and_of_a_low_battery() {
        for protocol in protocols::ALL {
            let mut world = World::default();
            let claims = all(protocol.name, &world);
            assert_eq!((claims.online, claims.low), (Some(true), Some(false)), "{}", protocol.name);
            world.mains_volts = 0.0;
            world.charge = 0.1;
            world.advance(std::time::Duration::from_secs(1));
            let claims = all(protocol.name, &world);
            assert_eq!((claims.online, claims.low), (Some(false), Some(true)), "{}", protocol.name);
        }
    }

    #[test]
    fn a_countdown_is_told_where_the_dialect_can() {
        let mut world = World::default();
        world.obey(UnitOrder::Return(60.0, 60.0));
        for name in ["megatec", "voltronic", "gtec", "ablerex", "masterguard"] {
            assert_eq!(all(name, &world).shutdown, Some(true), "{name}");
        }
    }
}
