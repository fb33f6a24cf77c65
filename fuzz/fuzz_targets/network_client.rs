//! Any bytes from a NUT server: no panic, bounded memory, the same whatever the cuts. The first byte says
//! where in the list of requests it begins.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nut::network::client::{
    About, Asker, Having, NetworkRequest, Next, Rank, Received, SessionOpening, TlsMode, Values,
};

fn requests() -> Vec<NetworkRequest> {
    let (u, v) = (|| "u".to_string(), || "v".to_string());
    vec![
        NetworkRequest::Version,
        NetworkRequest::ListUps,
        NetworkRequest::List(Having::Variables, u()),
        NetworkRequest::List(Having::Writables, u()),
        NetworkRequest::List(Having::Commands, u()),
        NetworkRequest::List(Having::Clients, u()),
        NetworkRequest::ListValues(Values::Choices, u(), v()),
        NetworkRequest::ListValues(Values::Ranges, u(), v()),
        NetworkRequest::Get(About::Value, u(), v()),
        NetworkRequest::Get(About::Type, u(), v()),
        NetworkRequest::Logins(u()),
        NetworkRequest::Outcome(v()),
        NetworkRequest::Tracking,
        NetworkRequest::SetTracking(true),
        NetworkRequest::StartTls,
        NetworkRequest::Logout,
    ]
}

fn said(first: usize, bytes: &[u8], cut: usize) -> (Vec<Received>, bool) {
    let mut asker = Asker::default();
    let mut out = vec![];
    for request in requests().into_iter().cycle().skip(first % 16).take(16) {
        asker.ask(request, &mut out).expect("few and short");
    }
    let mut all = vec![];
    for chunk in bytes.chunks(cut) {
        let mut rest = chunk;
        loop {
            match asker.read(&mut rest) {
                Ok(Some(said)) => all.push(said),
                Ok(None) => break,
                Err(_) => return (all, false),
            }
        }
    }
    assert!(asker.oddities().len() <= 64);
    (all, true)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let whole = said((*first).into(), bytes, bytes.len().max(1));
    assert_eq!(whole, said((*first).into(), bytes, 5));
    // whatever is answered, an opening ends
    let mut opening = SessionOpening::new(TlsMode::IfOffered).as_user("a", "b").watching("u", Rank::Primary);
    let mut next = opening.next(None);
    for said in whole.0 {
        if let Received::Answer(_, answer) = said {
            next = match next {
                Next::End(_) => return,
                _ => opening.next(Some(answer)),
            };
        }
    }
});
