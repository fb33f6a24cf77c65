//! What the tests of this crate share.

use crate::number::unit_of;
use crate::view::{DataState, UpsView, VariableView};
use std::time::Duration;

/// A UPS with fresh data.
pub fn ups(name: &str, variables: &[(&str, &str)]) -> UpsView {
    let mut ups = UpsView {
        name: name.into(),
        state: DataState::Fresh,
        age: Some(Duration::from_millis(1250)),
        ..UpsView::default()
    };
    let variable = |(name, text): &(&str, &str)| VariableView {
        name: (*name).to_string().into(),
        text: (*text).into(),
        unit: unit_of(name),
        about: "",
        age: None,
    };
    ups.set_variables(variables.iter().map(variable).collect());
    ups
}
