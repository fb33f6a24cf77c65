//! What the server said, as it is shown.

use nut::network::client::{Item, Type};
use serde_json::{Value, json};

/// A variable that can be written, with all that is known of it.
pub struct Writable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What it is.
    pub description: String,
    /// Its type, when the server says.
    pub kind: Option<Type>,
    /// What it can be: of an enum.
    pub choices: Vec<String>,
    /// Between what it can be: least and most.
    pub ranges: Vec<(String, String)>,
}

impl Writable {
    /// Over several lines.
    pub fn text(&self) -> String {
        let mut text = format!("{}: {}\n    {}\n", self.name, self.value, self.description);
        for (least, most) in &self.ranges {
            text += &format!("    from {least} to {most}\n");
        }
        if !self.choices.is_empty() {
            text += &format!("    one of: {}\n", self.choices.join(", "));
        }
        if let (true, Some(Type { text: Some(length), .. })) = (self.choices.is_empty(), &self.kind) {
            text += &format!("    at most {length} characters\n");
        }
        if self.kind.as_ref().is_some_and(|kind| kind.number)
            && self.ranges.is_empty()
            && self.choices.is_empty()
        {
            text += "    a number\n";
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let ranges: Vec<Value> =
            self.ranges.iter().map(|(least, most)| json!({"min": least, "max": most})).collect();
        json!({
            "name": self.name,
            "value": self.value,
            "description": self.description,
            "number": self.kind.as_ref().map(|kind| kind.number),
            "longest": self.kind.as_ref().and_then(|kind| kind.text),
            "choices": self.choices,
            "ranges": ranges,
        })
    }
}

/// The names and values among the items.
pub fn variables(items: Vec<Item>) -> impl Iterator<Item = (String, String)> {
    items.into_iter().filter_map(|item| match item {
        Item::Variable { name, value } => Some((name, value)),
        _ => None,
    })
}

/// The names of UPSes among the items, with their descriptions.
pub fn upses(items: Vec<Item>) -> impl Iterator<Item = (String, String)> {
    items.into_iter().filter_map(|item| match item {
        Item::Ups { name, description } => Some((name, description)),
        _ => None,
    })
}

/// The commands among the items.
pub fn commands(items: Vec<Item>) -> impl Iterator<Item = String> {
    items.into_iter().filter_map(|item| match item {
        Item::Command(name) => Some(name),
        _ => None,
    })
}

/// The values that a variable can have among the items.
pub fn choices(items: Vec<Item>) -> impl Iterator<Item = String> {
    items.into_iter().filter_map(|item| match item {
        Item::Choice(value) => Some(value),
        _ => None,
    })
}

/// An object of names and texts.
pub fn object(pairs: impl IntoIterator<Item = (String, String)>) -> Value {
    Value::Object(pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
}
