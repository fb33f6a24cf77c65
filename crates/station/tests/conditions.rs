//! A station is there before its UPS is, and goes on whatever becomes of it: each state is shown, none is an end.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use link::{Address, LinkErrorKind};
use qx::device::{LinkChange, Outcome};
use qx::vocabulary::moment::Moment;
use station::config::UpsConfig;
use station::driver_kind::NUTDRV_QX;
use station::{Condition, Found, Refused, Request, RequestedAction, Setup, Station};
use std::future::Future;
use std::time::Duration;
use testbed::units::Units;
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio::time::timeout;

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test)
}

fn station(port: u16) -> Station {
    let address = Address::Tcp { host: "127.0.0.1".into(), port };
    Station::spawn(Setup::look(&NUTDRV_QX, UpsConfig::at(&NUTDRV_QX, address)))
}

async fn becomes(station: &Station, condition: impl Fn(&Condition) -> bool) {
    let waits = station.until(|station| condition(&station.condition()));
    let waited = timeout(Duration::from_secs(60), waits).await;
    assert!(waited.is_ok(), "still {:?}", station.condition());
}

/// The answer to a request, which may come late, but comes.
async fn answered(answer: oneshot::Receiver<Outcome>) -> Outcome {
    timeout(Duration::from_secs(10), answer).await.expect("an answer").unwrap()
}

fn command(name: &str) -> RequestedAction {
    RequestedAction::Command { name: name.into(), parameter: None }
}

#[test]
fn a_port_that_is_not_there_is_a_state_and_is_tried_again() {
    let units = Units::start(1);
    // a port that is closed until a unit listens there
    let reserved = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = reserved.local_addr().unwrap().port();
    drop(reserved);
    run(async {
        let station = station(port);
        assert_eq!(station.condition(), Condition::Opening);
        let error = station.opened().await.unwrap_err();
        assert_eq!(error.kind, LinkErrorKind::NotFound);
        assert!(matches!(station.found().await, Found::CannotOpen(_)));
        // it was said before the session went on
        assert_eq!(station.status(), "");
        let (request, outcome) = Request::awaited(command("beeper.toggle"));
        station.request(request).unwrap();
        assert!(matches!(answered(outcome).await, Outcome::Failed(_) | Outcome::Unknown));
        assert!(station.status().starts_with("cannot open "), "{}", station.status());
        let forwarded = units.forward(port);
        becomes(&station, |condition| *condition == Condition::Ready).await;
        assert_eq!(station.device().borrow().store().text("ups.status"), Some("OL"));
        drop(forwarded);
    });
}

#[test]
fn a_ups_that_is_not_understood_is_a_state_and_is_found_later() {
    let units = Units::start(1);
    units.turn(0, "silent on");
    run(async {
        let station = station(units.ports[0]);
        assert!(matches!(station.found().await, Found::NotFound(why) if why.contains("does not answer")));
        units.turn(0, "silent off");
        becomes(&station, |condition| *condition == Condition::Ready).await;
        units.turn(0, "silent on");
        becomes(&station, |condition| *condition == Condition::Stale).await;
        assert_eq!(station.status(), "the UPS does not answer; it was on mains (OL)");
        units.turn(0, "silent off");
        becomes(&station, |condition| *condition == Condition::Ready).await;
    });
}

/// Whatever becomes of a station, each request is answered, and by its own answer.
#[test]
fn no_request_is_left_without_an_answer() {
    let units = Units::start(1);
    run(async {
        let station = station(units.ports[0]);
        assert_eq!(station.found().await, Found::Ready);
        // nothing else runs meanwhile, so they wait; what is for the driver itself does not
        let mut all: Vec<_> = (0..40).map(|_| (false, command("test.battery.start.quick"))).collect();
        all.push((true, command("driver.killpower")));
        let mut answers = vec![];
        for (is_own, what) in all {
            let (request, answer) = Request::awaited(what);
            let left = station.request(request);
            let is_refused = left == Err(Refused::TooMany);
            assert_eq!(is_refused, answers.len() >= 32 && !is_own, "{}", answers.len());
            answers.push((is_refused, answer));
        }
        let requests = station.requests().clone();
        station.stop();
        let own = answers.len() - 1;
        for (at, (is_refused, answer)) in answers.into_iter().enumerate() {
            let Outcome::Failed(why) = answered(answer).await else { panic!("not sent") };
            let said = match is_refused {
                true => "too many requests wait already",
                false if at == own => "driver.killpower: not allowed",
                false => "failed: ",
            };
            assert!(why.contains(said), "{why}");
        }
        becomes(&station, |condition| *condition == Condition::Ended).await;
        let (request, answer) = Request::awaited(command("beeper.toggle"));
        assert_eq!(requests.leave(request), Err(Refused::Stopped));
        assert!(
            matches!(answered(answer).await, Outcome::Failed(why) if why.contains("not watched any more"))
        );
        // a waiter that went away harms nothing
        let (request, answer) = Request::awaited(command("beeper.toggle"));
        drop(answer);
        assert_eq!(requests.leave(request), Err(Refused::Stopped));
    });
}

/// What waited while the link was lost is not for the UPS that answers then.
#[test]
fn a_request_is_for_the_link_that_was_there() {
    let units = Units::start(1);
    run(async {
        let station = station(units.ports[0]);
        assert_eq!(station.found().await, Found::Ready);
        let (request, answer) = Request::awaited(command("beeper.toggle"));
        station.request(request).unwrap();
        // as if the link were lost before the session comes round
        station
            .device()
            .borrow_mut()
            .handle_link(LinkChange::Gone, Moment::after_start(Duration::from_secs(5)));
        let Outcome::Failed(why) = answered(answer).await else { panic!("sent") };
        assert_eq!(why, "beeper.toggle: the line was lost meanwhile, so nothing was sent");
    });
}
