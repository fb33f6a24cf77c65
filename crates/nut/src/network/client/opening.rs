//! What is said first on a connection.

use super::Next;
use super::answer::{Answer, Refusal};
use super::request::{NetworkRequest, Secret};

/// Whether a connection is to be encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// Not tried.
    Never,
    /// Tried; in the clear when the server refuses, as upsc does.
    #[default]
    IfOffered,
    /// Needed: nothing is said in the clear but STARTTLS, and never a password.
    Required,
}

/// As what a host watches a UPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// LOGIN only.
    Secondary,
    /// LOGIN and PRIMARY, or MASTER where the server is older than NUT 2.8.
    Primary,
}

/// STARTTLS, USERNAME, PASSWORD, LOGIN and PRIMARY, as far as they are wanted. Give each answer to
/// [`SessionOpening::next`], which says what comes next; it ends with `Ok` whether the connection is
/// encrypted, or the request that was refused.
#[derive(Clone, Debug)]
pub struct SessionOpening {
    tls: TlsMode,
    user: Option<(String, Secret)>,
    watch: Option<(String, Rank)>,
    encrypted: bool,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Begin,
    Tls,
    User,
    Password,
    Login,
    Primary,
    Master,
    Done,
}

impl SessionOpening {
    /// For reading, unless [`SessionOpening::as_user`] and [`SessionOpening::watching`] say more.
    pub fn new(tls: TlsMode) -> SessionOpening {
        SessionOpening { tls, user: None, watch: None, encrypted: false, step: Step::Begin }
    }

    /// With name and password of a user.
    #[must_use]
    pub fn as_user(mut self, name: &str, password: &str) -> SessionOpening {
        self.user = Some((name.into(), Secret(password.into())));
        self
    }

    /// Logged in to a UPS, which the server counts as a host to wait for in a shutdown.
    #[must_use]
    pub fn watching(mut self, ups: &str, rank: Rank) -> SessionOpening {
        self.watch = Some((ups.into(), rank));
        self
    }

    /// What comes next. `None` at first, then the answer to what was asked; after [`Next::StartTls`]
    /// once more [`Answer::StartTls`], when TLS stands.
    pub fn next(
        &mut self,
        answer: Option<Result<Answer, Refusal>>,
    ) -> Next<Result<bool, (NetworkRequest, Refusal)>> {
        let refused = match answer {
            Some(Err(refusal)) => Some(refusal),
            Some(Ok(Answer::StartTls)) if self.step == Step::Tls && !self.encrypted => {
                self.encrypted = true;
                return Next::StartTls;
            }
            _ => None,
        };
        if let Some(refusal) = refused {
            let goes_on = match self.step {
                Step::Tls => self.tls != TlsMode::Required,
                Step::Primary => refusal.is_unknown_request(),
                _ => false,
            };
            if !goes_on {
                let request = self.request(self.step).unwrap_or(NetworkRequest::StartTls);
                self.step = Step::Done;
                return Next::End(Err((request, refusal)));
            }
            self.step = if self.step == Step::Primary { Step::Master } else { self.after(self.step) };
        } else {
            self.step = self.after(self.step);
        }
        loop {
            if self.step == Step::Done {
                return Next::End(Ok(self.encrypted));
            }
            if let Some(request) = self.request(self.step) {
                return Next::Ask(request);
            }
            self.step = self.after(self.step);
        }
    }

    fn after(&self, step: Step) -> Step {
        match step {
            Step::Begin => Step::Tls,
            Step::Tls => Step::User,
            Step::User => Step::Password,
            Step::Password => Step::Login,
            Step::Login => Step::Primary,
            Step::Primary | Step::Master | Step::Done => Step::Done,
        }
    }

    /// What a step asks, when it is wanted.
    fn request(&self, step: Step) -> Option<NetworkRequest> {
        let user = self.user.as_ref();
        let watch = self.watch.as_ref();
        let primary = || watch.filter(|(_, rank)| *rank == Rank::Primary).map(|(ups, _)| ups.clone());
        match step {
            Step::Begin | Step::Done => None,
            Step::Tls => (self.tls != TlsMode::Never).then_some(NetworkRequest::StartTls),
            Step::User => user.map(|(name, _)| NetworkRequest::Username(name.clone())),
            Step::Password => user.map(|(_, password)| NetworkRequest::Password(password.clone())),
            Step::Login => watch.map(|(ups, _)| NetworkRequest::Login(ups.clone())),
            Step::Primary => primary().map(NetworkRequest::Primary),
            Step::Master => primary().map(NetworkRequest::Master),
        }
    }
}
