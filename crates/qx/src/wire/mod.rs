//! What dialects are made of: pictures of replies, from which reading and writing follow, commands, settings, the
//! conditions under which they hold; and [`protocol`], one dialect.

pub mod acknowledgement;
pub mod codec;
pub mod command;
pub(crate) mod drift;
pub mod fact;
pub mod picture;
pub mod protocol;
pub mod query;
pub mod read;
pub mod readings;
pub mod refusal;
pub mod setting;
pub mod settle;
pub mod spelling;
pub mod when;
pub mod write;
