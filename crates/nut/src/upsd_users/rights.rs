//! What a user may do: the words of `actions`, `instcmds` and `upsmon`.

use super::UpsdUsersFault;

/// What `actions` allows. upsd accepts any word there; others than these allow nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AllowedAction {
    /// SET VAR.
    Set,
    /// FSD.
    ForceShutdown,
    /// LOGIN.
    Login,
    /// PRIMARY or MASTER: both words mean the same.
    Primary,
    /// Ours: GET and LIST, where upsd.conf asks for a user (LOGIN_TO_READ).
    Read,
}

/// A word of `instcmds`: `name`, `ALL`, or, ours, either with `@ups`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRight {
    /// The command; `None` for all.
    pub command: Option<String>,
    /// The UPS; `None` for any.
    pub ups: Option<String>,
}

impl AllowedAction {
    pub(super) fn of(word: &str) -> Option<AllowedAction> {
        let actions = [
            ("SET", AllowedAction::Set),
            ("FSD", AllowedAction::ForceShutdown),
            ("LOGIN", AllowedAction::Login),
            ("PRIMARY", AllowedAction::Primary),
            ("MASTER", AllowedAction::Primary),
            ("READ", AllowedAction::Read),
        ];
        actions.into_iter().find(|(text, _)| word.eq_ignore_ascii_case(text)).map(|(_, action)| action)
    }
}

impl CommandRight {
    pub(super) fn of(word: &str) -> CommandRight {
        let (command, ups) = match word.split_once('@') {
            Some((command, ups)) => (command, Some(ups.to_string())),
            None => (word, None),
        };
        let command = (!command.eq_ignore_ascii_case("ALL")).then(|| command.to_string());
        CommandRight { command, ups }
    }
}

/// What `upsmon` stands for (NUT 2.8.0 server/user.c).
pub(super) fn upsmon(kind: &str) -> Result<&'static [AllowedAction], UpsdUsersFault> {
    let is = |word: &str| kind.eq_ignore_ascii_case(word);
    if is("primary") || is("master") {
        Ok(&[AllowedAction::Login, AllowedAction::Primary, AllowedAction::ForceShutdown])
    } else if is("secondary") || is("slave") {
        Ok(&[AllowedAction::Login])
    } else {
        Err(UpsdUsersFault::NoType(kind.into()))
    }
}
