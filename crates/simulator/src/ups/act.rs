//! What a command or a setting makes a unit do, by the tables that a driver writes it with.

use crate::readings::UnitMemory;
use crate::world::{Test, UnitOrder, World};
use qx::vocabulary::value::Value;
use qx::vocabulary::variable::{ALARM_CONTROL, KEPT, Var};
use qx::wire::command::Command;
use qx::wire::fact::Facts;
use qx::wire::protocol::Protocol;
use qx::wire::spelling;

/// A battery test without a time lasts so many seconds (quick test of most units).
const QUICK_TEST: f64 = 10.0;

/// What a line makes a unit do.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Nothing,
    Keep(&'static Var, Value),
    Order(UnitOrder),
    Reset,
    ClearFaults,
}

impl Act {
    /// That of a line, if it is a command or a setting. Of two commands that a line could be, it is the one that
    /// would be written so.
    pub(super) fn of(protocol: &'static Protocol, line: &str, facts: &Facts) -> Option<Act> {
        for setting in protocol.all_settings() {
            if let Some(value) = setting.read(line) {
                let allowed = setting.when.holds(facts) && setting.args(&value.to_string(), facts).is_ok();
                return match setting.var.name {
                    "reset_to_default" => Some(Act::Reset),
                    _ => allowed.then_some(Act::Keep(setting.var, value)),
                };
            }
        }
        let first = |command: &&'static Command| {
            let steps: Vec<_> = spelling::steps(command.wire).collect();
            steps.len() > 1 && spelling::read(steps[0], line, &[]).is_some()
        };
        if protocol.all_commands().any(|command| first(&command)) {
            return Some(Act::Nothing);
        }
        let spelt = |command: &&'static Command| {
            let again = command.read(line).map(|args| command.write(&args));
            again.is_some_and(|lines| lines.last().is_some_and(|last| last == line))
                && command.when.holds(facts)
        };
        ordered(protocol.all_commands().find(spelt)?, line)
    }

    /// Does it.
    pub(super) fn carry_out(self, world: &mut World, memory: &mut UnitMemory) {
        match self {
            Act::Nothing => {}
            Act::Keep(var, value) => memory.keep(var, value),
            Act::Order(order) => world.obey(order),
            Act::Reset => memory.values.retain(|_, (var, _)| var.public),
            Act::ClearFaults => {
                memory.values.retain(|name, _| !name.starts_with("experimental.fault"));
                for var in KEPT.iter().filter(|var| var.name.starts_with("experimental.fault_")) {
                    memory.keep(var, Value::text("0: none"));
                }
            }
        }
    }
}

/// What a command orders that is spelt so.
fn ordered(command: &Command, line: &str) -> Option<Act> {
    let args = command.read(line)?;
    let seconds = f64::from;
    Some(Act::Order(match command.name {
        "beeper.toggle" => UnitOrder::ToggleBeeper,
        "beeper.enable" | "beeper.disable" if line.starts_with('P') => {
            let word = if command.name == "beeper.enable" { "enabled" } else { "disabled" };
            return Some(Act::Keep(&ALARM_CONTROL, Value::text(word)));
        }
        "beeper.enable" => UnitOrder::Beeper(true),
        "beeper.disable" => UnitOrder::Beeper(false),
        "bypass.start" => UnitOrder::Bypass(true),
        "bypass.stop" => UnitOrder::Bypass(false),
        "clear.fault.record" => return Some(Act::ClearFaults),
        "load.off" => UnitOrder::Off,
        "load.on" | "shutdown.stop" => UnitOrder::OnOrStop,
        "shutdown.return" => UnitOrder::Return(seconds(args.shutdown), seconds(args.start)),
        "shutdown.stayoff" => UnitOrder::StayOff(seconds(args.shutdown)),
        "test.battery.start" if args.given > 0 => UnitOrder::Test(Test::For(seconds(args.given))),
        "test.battery.start.deep" | "test.battery.start.low" => UnitOrder::Test(Test::UntilLow),
        "test.battery.start" | "test.battery.start.quick" => UnitOrder::Test(Test::For(QUICK_TEST)),
        "test.battery.stop" => UnitOrder::StopTest,
        name => {
            let (outlet, state) = name.strip_prefix("outlet.")?.split_once(".load.")?;
            let var = qx::vocabulary::variable::named(&format!("outlet.{outlet}.status"))?;
            return Some(Act::Keep(var, Value::text(state)));
        }
    }))
}
