//! What servers say of their UPSes, again and again: a thread for each server, so that one that hangs delays no other.

use super::access::{Credentials, Reach};
use super::connection::NutConnection;
use super::place::{ServerAddress, UpsAddress, UpsPlace};
use super::show;
use super::trouble::{ClientTrouble, ExitStatus};
use nut::network::client::{Having, NetworkRequest};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel};
use std::time::{Duration, Instant};

/// Variables and their values.
pub type Variables = BTreeMap<String, String>;

/// What is known anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A connection to the server stands; whether it is encrypted.
    Connected(ServerAddress, bool),
    /// There is none, or none any more, and why; it is tried again each interval.
    Lost(ServerAddress, String),
    /// All variables of a UPS.
    Read(UpsAddress, Variables),
    /// The server refuses them, and why.
    Refused(UpsAddress, ExitStatus, String),
    /// A round is over.
    Round(ServerAddress),
}

/// What a feed is made of.
#[derive(Clone)]
pub struct Feed {
    /// How servers are reached.
    pub reach: Reach,
    /// As whom; reading needs no user on most servers.
    pub user: Option<Credentials>,
    /// From round to round.
    pub interval: Duration,
}

/// The UPSes of one server that are wanted: all, or those.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    All,
    These(Vec<String>),
}

impl Feed {
    /// Starts to read; the threads end with the receiver. What is sent to a returned sender makes its
    /// server be read at once.
    pub fn start(&self, places: &[UpsPlace], news: &SyncSender<News>) -> Vec<Sender<()>> {
        let mut wakers = vec![];
        for (server, wanted) in by_server(places) {
            let (wake, woken) = channel();
            wakers.push(wake);
            let (feed, news) = (self.clone(), news.clone());
            std::thread::spawn(move || feed.read_on(&server, &wanted, &news, &woken));
        }
        wakers
    }

    fn read_on(
        &self,
        server: &ServerAddress,
        wanted: &Wanted,
        news: &SyncSender<News>,
        woken: &Receiver<()>,
    ) {
        let (mut connection, mut listed) = (None, BTreeSet::new());
        loop {
            let began = Instant::now();
            if let Err(lost) = self.round(server, wanted, news, &mut connection, &mut listed) {
                connection = None;
                let told = lost.map(|why| news.send(News::Lost(server.clone(), why)).is_ok());
                if told != Some(true) {
                    return;
                }
            }
            if news.send(News::Round(server.clone())).is_err() {
                return;
            }
            match woken.recv_timeout(self.interval.saturating_sub(began.elapsed())) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => while woken.try_recv().is_ok() {},
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Reads each UPS once. The error says why the connection is of no use, or `None` that nothing more is
    /// wanted.
    fn round(
        &self,
        server: &ServerAddress,
        wanted: &Wanted,
        news: &SyncSender<News>,
        kept: &mut Option<NutConnection>,
        listed: &mut BTreeSet<String>,
    ) -> Result<(), Option<String>> {
        let lost = |trouble: ClientTrouble| Some(trouble.sentence().to_string());
        let tell = |said: News| news.send(said).map_err(|_| None);
        if kept.is_none() {
            let connection = NutConnection::open(server, &self.reach, self.user.as_ref()).map_err(lost)?;
            tell(News::Connected(server.clone(), connection.is_encrypted()))?;
            *kept = Some(connection);
        }
        let Some(connection) = kept else { return Ok(()) };
        let names = match wanted {
            Wanted::These(names) => names.clone(),
            Wanted::All => {
                let items = connection.list(NetworkRequest::ListUps, "LIST UPS").map_err(lost)?;
                let names: Vec<String> = show::upses(items).map(|(name, _)| name).collect();
                for name in gone(listed, &names) {
                    let ups = UpsAddress { name, server: server.clone() };
                    tell(News::Refused(
                        ups,
                        ExitStatus::NoData,
                        "the server has no such UPS any more".into(),
                    ))?;
                }
                names
            }
        };
        for name in names {
            let reply =
                connection.ask(NetworkRequest::List(Having::Variables, name.clone())).map_err(lost)?;
            let ups = UpsAddress { name, server: server.clone() };
            match reply.answer {
                Ok(_) => tell(News::Read(ups, show::variables(reply.items).collect()))?,
                Err(refusal) => tell(News::Refused(ups, ExitStatus::of(&refusal), refusal.to_string()))?,
            }
        }
        Ok(())
    }
}

/// The UPSes that were listed before, and are not any more.
fn gone(listed: &mut BTreeSet<String>, names: &[String]) -> Vec<String> {
    let before = std::mem::replace(listed, names.iter().cloned().collect());
    before.into_iter().filter(|name| !listed.contains(name)).collect()
}

/// Makes those who wait for their next round begin it at once.
pub fn wake(wakers: &[Sender<()>]) {
    for waker in wakers {
        // one that has ended needs none
        let _ = waker.send(());
    }
}

/// Which UPSes are wanted of which server, in the order in which they were named.
fn by_server(places: &[UpsPlace]) -> Vec<(ServerAddress, Wanted)> {
    let mut servers: Vec<(ServerAddress, Wanted)> = vec![];
    for place in places {
        let known = servers.iter().position(|(server, _)| *server == place.server);
        let at = known.unwrap_or_else(|| {
            servers.push((place.server.clone(), Wanted::These(vec![])));
            servers.len() - 1
        });
        let Some((_, wanted)) = servers.get_mut(at) else { continue };
        match (&place.ups, wanted) {
            (None, wanted) => *wanted = Wanted::All,
            (Some(name), Wanted::These(names)) if !names.contains(name) => names.push(name.clone()),
            (Some(_), _) => {}
        }
    }
    servers
}

/// The UPSes that are wanted when none is named: all of this host.
pub fn or_all(places: Vec<UpsPlace>) -> Vec<UpsPlace> {
    match places.is_empty() {
        true => vec![UpsPlace { ups: None, server: ServerAddress::default() }],
        false => places,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by a review: a UPS that the server has no more was watched on without a word.
    #[test]
    fn a_ups_that_is_gone_from_the_list_is_told_once() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut listed = BTreeSet::new();
        let mut told = |now: &[&str]| gone(&mut listed, &names(now));
        assert_eq!(told(&["a", "b"]), [""; 0]);
        assert_eq!(told(&["b"]), ["a"]);
        assert_eq!(told(&["b"]), [""; 0]);
        assert_eq!(told(&["a", "b"]), [""; 0]);
        assert_eq!(told(&[]), ["a", "b"]);
    }

    #[test]
    fn each_server_is_asked_once() {
        let places: Vec<UpsPlace> =
            ["a@h", "b@i", "c@h", "a@h", "@i"].iter().map(|text| text.parse().unwrap()).collect();
        let server = |host: &str| ServerAddress { host: host.into(), ..ServerAddress::default() };
        let wanted = [(server("h"), Wanted::These(vec!["a".into(), "c".into()])), (server("i"), Wanted::All)];
        assert_eq!(by_server(&places), wanted);
    }
}
