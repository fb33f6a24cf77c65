//! One UPS of the fleet as pages show it.

use crate::fleet::{Ups, has_word};
use nut::network::server::Freshness;
use qx::vocabulary::variable::published;
use std::borrow::Cow;
use web::view::{DataState, ExchangeCounts, UpsView, VariableView};

/// A UPS with its variables and their ages.
pub(super) fn of(ups: &Ups) -> UpsView {
    let state = match ups.freshness() {
        Freshness::Fresh if ups.with_source(false, has_word) => DataState::Fresh,
        // its driver is there and has said nothing yet: alerts of Prometheus are not to take that for data
        Freshness::Fresh => DataState::Stale,
        Freshness::Stale => DataState::Stale,
        Freshness::NotConnected => DataState::NotConnected,
    };
    let mut view = UpsView::new(ups.name(), state);
    view.description = ups.with_description(|description| description.map(String::from));
    view.forced_shutdown = ups.forced_shutdown();
    ups.with_source((), |source| {
        view.age = source.age();
        view.exchanges = source.replies().map(|(whole, bad)| ExchangeCounts { whole, bad });
        source.each_command(&mut |command| view.commands.push(command.to_string().into()));
        if state == DataState::Fresh {
            let mut variables = vec![];
            source.each_variable(&mut |variable| variables.push(shown(variable.name, variable.value)));
            let computed = |variable: &&VariableView| {
                variable.name.contains("battery.") && source.is_said(&variable.name) == Some(false)
            };
            view.computed = variables.iter().filter(computed).map(|variable| variable.name.clone()).collect();
            for variable in &mut variables {
                variable.age = published(&variable.name).and_then(|var| source.age_of(var));
            }
            view.set_variables(variables);
        }
    });
    view
}

fn shown(name: &str, text: &str) -> VariableView {
    let (name, unit, about) = match published(name) {
        Some(var) => (Cow::Borrowed(var.name), var.unit, var.about),
        None => (Cow::Owned(name.to_string()), web::unit_of(name), ""),
    };
    VariableView { name, text: text.to_string(), unit, about, age: None }
}
