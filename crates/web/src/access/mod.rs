//! Who may do more than read: sessions, the forms of pages, and the question before each order. All of it is pure; what only the
//! server can know or do is behind [`AccessSite`].

mod cookie;
mod form;
mod questions;
mod secret;
mod sessions;
mod signs;
mod words;

pub use cookie::{FORM_COOKIE, SESSION_COOKIE, forget, only, set};
pub use form::{LONGEST_FORM, PostedForm, WrongForm, is_form};
pub use questions::{ANSWERED_WITHIN, Answered, OutcomeSeen, QUESTIONS, Questions};
pub use secret::{PageSecret, is_same};
pub use sessions::{IDLE, LONGEST_SESSION, PageSession, PageSessions, SESSIONS};
pub use signs::{BrowserSigns, BrowserWire, Caller, Exposed};
pub use words::{Weight, consequence, value_of};

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use tokio::sync::watch;

/// A user, as long as name and password are what they were at the login. Its text for debugging has no password.
#[derive(Clone, PartialEq, Eq)]
pub struct PageAccount {
    /// The name.
    pub name: String,
    /// What the server compares, to see whether the account is still the same.
    pub proof: String,
}

impl PageAccount {
    /// Of a name, and what proves that it is the same account later.
    pub fn new(name: &str, proof: &str) -> PageAccount {
        PageAccount { name: name.into(), proof: proof.into() }
    }
}

impl fmt::Debug for PageAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageAccount").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a user asks of a UPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageOrder {
    /// An instant command.
    Command {
        /// NUT's name of it.
        name: String,
        /// Its parameter, for one that takes one.
        value: Option<String>,
    },
    /// A new value of a variable.
    Set {
        /// NUT's name of it.
        variable: String,
        /// What it is to be.
        value: String,
    },
}

impl PageOrder {
    /// In a few words, as the log has it.
    pub fn in_words(&self) -> String {
        match self {
            PageOrder::Command { name, value: None } => name.clone(),
            PageOrder::Command { name, value: Some(value) } => format!("{name} {value}"),
            PageOrder::Set { variable, value } => format!("{variable} = {value}"),
        }
    }
}

/// What became of an order, as far as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageOutcome {
    /// The driver reports that it was done.
    Done,
    /// The driver reports that it was not done, or that it does not know; why, where it says so.
    Failed(Option<String>),
    /// It was handed over, and nothing says what became of it.
    Unseen,
    /// It was not handed over, and why.
    NotGiven(String),
}

/// How a login ended.
#[derive(Clone, Debug)]
pub enum LoginSeen {
    /// Name and password fit.
    Fits(PageAccount),
    /// They do not, or the user may not come from there.
    Wrong,
    /// It could not be found out in time.
    Later,
}

/// Why something is refused: the status of HTTP, and a sentence with the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRefused {
    /// 403, for example.
    pub status: u16,
    /// For people.
    pub sentence: String,
}

impl AccessRefused {
    /// With this sentence.
    pub fn new(status: u16, sentence: impl Into<String>) -> AccessRefused {
        AccessRefused { status, sentence: sentence.into() }
    }
}

/// A command that a user may give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandControl {
    /// NUT's name.
    pub name: String,
    /// What it does, in words of NUT; may be empty.
    pub about: String,
}

/// A variable that a user may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingControl {
    /// NUT's name.
    pub name: String,
    /// What it is; may be empty.
    pub about: String,
    /// What it is now.
    pub value: String,
    /// The values that it can be set to; empty where it is not a choice.
    pub choices: Vec<String>,
    /// Between which numbers it can be set; empty where that is not known.
    pub ranges: Vec<(i64, i64)>,
    /// Most bytes of a text.
    pub longest: Option<u32>,
}

/// What a user may do to one UPS now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpsControls {
    /// Sorted by name.
    pub commands: Vec<CommandControl>,
    /// Sorted by name.
    pub settings: Vec<SettingControl>,
}

/// What takes its time.
pub type Soon<T> = Pin<Box<dyn Future<Output = T>>>;

/// The server, as far as it decides who may do what, and does it.
pub trait AccessSite {
    /// A new secret, of the system's random bytes.
    ///
    /// # Errors
    /// The system gives none.
    fn secret(&self) -> Result<PageSecret, AccessRefused>;
    /// Whether name and password fit. Failures make the next attempts of the address wait.
    fn log_in(self: Rc<Self>, caller: Caller, name: String, password: String) -> Soon<LoginSeen>;
    /// Whether a first account can be created: no user may do anything.
    fn may_create(&self) -> bool;
    /// Creates the first account.
    fn create(
        self: Rc<Self>,
        caller: Caller,
        code: String,
        name: String,
        password: String,
    ) -> Soon<Result<PageAccount, AccessRefused>>;
    /// Whether a user still has the password of the login, and may come from there.
    fn is_still(&self, account: &PageAccount, caller: &Caller) -> bool;
    /// A number of the UPS that is served by this name, which is another one when the UPS may be another; none where there is
    /// no such name.
    fn unit(&self, ups: &str) -> Option<u128>;
    /// What the user may do to a UPS; nothing without fresh data.
    fn controls(&self, account: &PageAccount, ups: &str) -> UpsControls;
    /// Whether the user may give this order to this UPS now, and the UPS takes it.
    ///
    /// # Errors
    /// Why not.
    fn check(&self, account: &PageAccount, ups: &str, order: &PageOrder) -> Result<(), AccessRefused>;
    /// Checks the order once more, and gives it. What becomes of it is left in `outcome`, which is dropped when nothing will.
    ///
    /// # Errors
    /// Why it was not handed over.
    fn give(
        &self,
        account: &PageAccount,
        caller: &Caller,
        ups: &str,
        order: &PageOrder,
        outcome: watch::Sender<Option<PageOutcome>>,
    ) -> Result<(), AccessRefused>;
    /// The user logged out.
    fn logged_out(&self, account: &PageAccount, caller: &Caller);
}
