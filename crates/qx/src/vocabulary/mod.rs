//! Words that everything else is made of: variables, values, status words, flags; moments, and bytes as text.

pub mod escape;
pub mod flag;
pub mod moment;
pub mod status;
pub mod value;
pub mod variable;
