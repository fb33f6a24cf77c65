//! The client's end: what upsd and other servers answer, with quirks, bounds and cuts.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use nut::network::client::{
    About, Answer, AnswerOddity, AskError, Asker, ClientOrder, ConnectionFault, Errand, Having, Item,
    LONGEST_LINE, MOST_ITEMS, MOST_WAITING, NetworkRequest, Next, OrderEnd, Rank, Received, Refusal, Secret,
    SessionOpening, TlsMode, Type, Unspeakable, Values,
};
use nut::network::{ErrorWord, TrackedOutcome};
use proptest::prelude::*;
use std::time::Duration;

fn text(text: &str) -> String {
    text.into()
}

fn get(about: About, name: &str) -> NetworkRequest {
    NetworkRequest::Get(about, text("u"), text(name))
}

/// What is said when these bytes answer these requests, and what is odd in it.
fn said(
    requests: &[NetworkRequest],
    bytes: &[u8],
) -> (Vec<Received>, Vec<AnswerOddity>, Option<ConnectionFault>) {
    let mut asker = Asker::default();
    let mut out = vec![];
    for request in requests {
        asker.ask(request.clone(), &mut out).unwrap();
    }
    let (mut all, mut rest) = (vec![], bytes);
    loop {
        match asker.read(&mut rest) {
            Ok(Some(said)) => all.push(said),
            Ok(None) => return (all, asker.oddities(), None),
            Err(fault) => return (all, asker.oddities(), Some(fault)),
        }
    }
}

fn refusal(word: Option<ErrorWord>, behind: &str) -> Result<Answer, Refusal> {
    Err(Refusal { word, text: text(behind) })
}

#[test]
fn requests_are_written_as_clients_write_them() {
    let u = || text("u");
    let command = |parameter: Option<&str>| NetworkRequest::Command {
        ups: u(),
        name: text("load.off"),
        parameter: parameter.map(text),
    };
    let set = |value: &str| NetworkRequest::Set { ups: u(), variable: text("ups.id"), value: text(value) };
    for (request, expected) in [
        (NetworkRequest::Version, "VER"),
        (NetworkRequest::NetVersion, "NETVER"),
        (NetworkRequest::ProtocolVersion, "PROTVER"),
        (NetworkRequest::Help, "HELP"),
        (NetworkRequest::StartTls, "STARTTLS"),
        (NetworkRequest::Username(text("a")), "USERNAME a"),
        (NetworkRequest::Password(Secret(text("a b"))), "PASSWORD \"a b\""),
        (NetworkRequest::Password(Secret(text(""))), "PASSWORD \"\""),
        (NetworkRequest::Login(u()), "LOGIN u"),
        (NetworkRequest::Logout, "LOGOUT"),
        (NetworkRequest::Primary(u()), "PRIMARY u"),
        (NetworkRequest::Master(u()), "MASTER u"),
        (NetworkRequest::ForceShutdown(u()), "FSD u"),
        (NetworkRequest::ClearForcedShutdown(u()), "FSD u CLEAR"),
        (NetworkRequest::Logins(u()), "GET NUMLOGINS u"),
        (NetworkRequest::UpsDescription(u()), "GET UPSDESC u"),
        (get(About::Value, "v"), "GET VAR u v"),
        (get(About::Type, "v"), "GET TYPE u v"),
        (get(About::Description, "v"), "GET DESC u v"),
        (get(About::CommandDescription, "c"), "GET CMDDESC u c"),
        (NetworkRequest::Tracking, "GET TRACKING"),
        (NetworkRequest::Outcome(text("1-2")), "GET TRACKING 1-2"),
        (NetworkRequest::ListUps, "LIST UPS"),
        (NetworkRequest::List(Having::Variables, u()), "LIST VAR u"),
        (NetworkRequest::List(Having::Writables, u()), "LIST RW u"),
        (NetworkRequest::List(Having::Commands, u()), "LIST CMD u"),
        (NetworkRequest::List(Having::Clients, u()), "LIST CLIENT u"),
        (NetworkRequest::ListValues(Values::Choices, u(), text("v")), "LIST ENUM u v"),
        (NetworkRequest::ListValues(Values::Ranges, u(), text("v")), "LIST RANGE u v"),
        (set("a \"b\" #1 \\"), "SET VAR u ups.id \"a \\\"b\\\" \\#1 \\\\\""),
        (set("1"), "SET VAR u ups.id \"1\""),
        (NetworkRequest::SetTracking(true), "SET TRACKING ON"),
        (NetworkRequest::SetTracking(false), "SET TRACKING OFF"),
        (command(None), "INSTCMD u load.off"),
        (command(Some("60")), "INSTCMD u load.off 60"),
        (command(Some("a b")), "INSTCMD u load.off \"a b\""),
    ] {
        let mut out = vec![];
        request.write(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}\n"));
    }
}

#[test]
fn what_cannot_be_said_is_not_said() {
    let mut out = vec![];
    let set = |value: &str| NetworkRequest::Set { ups: text("u"), variable: text("v"), value: text(value) };
    for (request, expected) in [
        (NetworkRequest::Login(text("a\nFSD u")), Unspeakable::Letters(text("a\nFSD u"))),
        (set("é"), Unspeakable::Letters(text("é"))),
        (set(&"x".repeat(513)), Unspeakable::Long("x".repeat(513))),
    ] {
        let mut asker = Asker::default();
        assert_eq!(asker.ask(request, &mut out), Err(AskError::Unspeakable(expected)));
        assert_eq!((out.len(), asker.waiting()), (0, 0));
    }
    assert!(set(&"x".repeat(512)).write(&mut out).is_ok());
    let mut asker = Asker::default();
    for _ in 0..MOST_WAITING {
        asker.ask(NetworkRequest::Version, &mut out).unwrap();
    }
    assert_eq!(asker.ask(NetworkRequest::Version, &mut out), Err(AskError::Full));
}

/// Bytes of Debian's upsd 2.8.0.
#[test]
fn answers_of_upsd_are_read() {
    let value = |value: &str| Ok(Answer::Value(text(value)));
    let of = |writable, choices, ranges, longest: Option<i64>, number| {
        Ok(Answer::Type(Type { writable, choices, ranges, text: longest, number }))
    };
    for (request, line, expected) in [
        (
            NetworkRequest::Version,
            "Network UPS Tools upsd 2.8.0 - http://www.networkupstools.org/",
            Ok(Answer::Text(text("Network UPS Tools upsd 2.8.0 - http://www.networkupstools.org/"))),
        ),
        (NetworkRequest::NetVersion, "1.3", Ok(Answer::Text(text("1.3")))),
        (
            get(About::Value, "ups.model"),
            "VAR u ups.model \"a \\\"quoted\\\" \\# and \\\\ one\"",
            value("a \"quoted\" # and \\ one"),
        ),
        (get(About::Value, "x"), "VAR u x \"\"", value("")),
        (get(About::Description, "x"), "DESC u x \"UPS status\"", value("UPS status")),
        (
            get(About::CommandDescription, "b'load.off'"),
            "CMDDESC u b'load.off' \"Description unavailable\"",
            value("Description unavailable"),
        ),
        (get(About::Type, "x"), "TYPE u x RW ENUM STRING:10", of(true, true, false, Some(10), false)),
        (get(About::Type, "x"), "TYPE u x RW RANGE NUMBER", of(true, false, true, None, true)),
        (get(About::Type, "x"), "TYPE u x NUMBER", of(false, false, false, None, true)),
        (
            NetworkRequest::UpsDescription(text("u")),
            "UPSDESC u \"A \\\"good\\\" one\"",
            value("A \"good\" one"),
        ),
        (NetworkRequest::Logins(text("u")), "NUMLOGINS u 3", Ok(Answer::Logins(3))),
        (NetworkRequest::Tracking, "OFF", Ok(Answer::Tracking(false))),
        (NetworkRequest::Outcome(text("1")), "PENDING", Ok(Answer::Outcome(TrackedOutcome::Pending))),
        (NetworkRequest::Outcome(text("1")), "ERR FAILED", Ok(Answer::Outcome(TrackedOutcome::Failed))),
        (NetworkRequest::Outcome(text("1")), "ERR UNKNOWN", Ok(Answer::Outcome(TrackedOutcome::Unknown))),
        (
            NetworkRequest::Outcome(text("1")),
            "ERR FEATURE-NOT-CONFIGURED",
            refusal(Some(ErrorWord::FeatureNotConfigured), "FEATURE-NOT-CONFIGURED"),
        ),
        (NetworkRequest::Username(text("a")), "OK", Ok(Answer::Done)),
        (NetworkRequest::Primary(text("u")), "OK PRIMARY-GRANTED", Ok(Answer::Done)),
        (NetworkRequest::ForceShutdown(text("u")), "OK FSD-SET", Ok(Answer::Done)),
        (NetworkRequest::StartTls, "OK STARTTLS", Ok(Answer::StartTls)),
        (NetworkRequest::Logout, "OK Goodbye", Ok(Answer::Goodbye)),
        (NetworkRequest::Logout, "Goodbye...", Ok(Answer::Goodbye)),
        (
            NetworkRequest::SetTracking(true),
            "ERR USERNAME-REQUIRED",
            refusal(Some(ErrorWord::UsernameRequired), "USERNAME-REQUIRED"),
        ),
        (
            NetworkRequest::Command { ups: text("u"), name: text("c"), parameter: None },
            "OK TRACKING 1BD31808-CB49-4AEC-9D75-D056E6F018D2",
            Ok(Answer::Tracked(text("1BD31808-CB49-4AEC-9D75-D056E6F018D2"))),
        ),
        (
            NetworkRequest::ListUps,
            "ERR ACCESS-DENIED",
            refusal(Some(ErrorWord::AccessDenied), "ACCESS-DENIED"),
        ),
    ] {
        let (all, odd, fault) = said(std::slice::from_ref(&request), format!("{line}\n").as_bytes());
        assert_eq!((all, odd, fault), (vec![Received::Answer(request, expected)], vec![], None), "{line}");
    }
}

#[test]
fn lists_are_told_item_by_item() {
    let u = || text("u");
    let variable = |name: &str, value: &str| Item::Variable { name: text(name), value: text(value) };
    let ups = |name: &str, description: &str| Item::Ups { name: text(name), description: text(description) };
    let range = |least: &str, most: &str| Item::Range { least: text(least), most: text(most) };
    for (request, lines, items) in [
        (
            NetworkRequest::ListUps,
            "UPS a \"one \\\"two\\\"\"\nUPS b \"Description unavailable\"\n",
            vec![ups("a", "one \"two\""), ups("b", "Description unavailable")],
        ),
        (
            NetworkRequest::List(Having::Variables, u()),
            "VAR u ups.status \"FSD OL\"\nVAR u x \"\"\n",
            vec![variable("ups.status", "FSD OL"), variable("x", "")],
        ),
        (
            NetworkRequest::List(Having::Writables, u()),
            "RW u ups.id \"a b\"\n",
            vec![variable("ups.id", "a b")],
        ),
        (
            NetworkRequest::List(Having::Commands, u()),
            "CMD u load.off\nCMD u load.on\n",
            vec![Item::Command(text("load.off")), Item::Command(text("load.on"))],
        ),
        (NetworkRequest::List(Having::Clients, u()), "CLIENT u ::1\n", vec![Item::Client(text("::1"))]),
        (
            NetworkRequest::ListValues(Values::Choices, u(), text("v")),
            "ENUM u v \"low\"\n",
            vec![Item::Choice(text("low"))],
        ),
        (
            NetworkRequest::ListValues(Values::Ranges, u(), text("v")),
            "RANGE u v \"-5\" \"5\"\n",
            vec![range("-5", "5")],
        ),
        (NetworkRequest::List(Having::Writables, u()), "", vec![]),
    ] {
        let echo = request.to_string();
        let bytes = format!("BEGIN {echo}\n{lines}END {echo}\n1.3\n");
        let (all, odd, fault) = said(&[request.clone(), NetworkRequest::NetVersion], bytes.as_bytes());
        let mut expected: Vec<Received> = items.iter().cloned().map(Received::Item).collect();
        expected.push(Received::Answer(request, Ok(Answer::End(items.len()))));
        expected.push(Received::Answer(NetworkRequest::NetVersion, Ok(Answer::Text(text("1.3")))));
        assert_eq!((all, odd, fault), (expected, vec![], None), "{echo}");
    }
}

/// What small servers do, and what is made of it.
#[test]
fn oddities_are_understood_and_told() {
    let list = NetworkRequest::List(Having::Variables, text("u"));
    let echo = |expected: &str, said: &str| AnswerOddity::Echo { expected: text(expected), said: text(said) };
    let values = |all: &[Received]| -> Vec<String> {
        all.iter()
            .filter_map(|said| match said {
                Received::Item(Item::Variable { name, value }) => Some(format!("{name}={value}")),
                Received::Answer(_, Ok(Answer::Value(value))) => Some(value.clone()),
                _ => None,
            })
            .collect()
    };
    for (request, bytes, expected, odd) in [
        (get(About::Value, "v"), "VAR u v plain\n", vec!["plain"], vec![AnswerOddity::Quotes(text("plain"))]),
        (
            get(About::Value, "v"),
            "VAR u v \"a \"b\" # c\"\r\n",
            vec!["a \"b\" # c"],
            vec![AnswerOddity::CarriageReturn, AnswerOddity::Quotes(text("\"a \"b\" # c\""))],
        ),
        (
            get(About::Value, "v"),
            "\nVAR U v \"1\"\n",
            vec!["1"],
            vec![AnswerOddity::BlankLine, echo("VAR u v", "VAR U v")],
        ),
        (
            get(About::Value, "v"),
            "VAR u v \"°\"\n",
            vec!["°"],
            vec![AnswerOddity::NotAscii(text("VAR u v \"°\""))],
        ),
        (
            list.clone(),
            "BEGIN LIST VAR\nVAR u a \"1\"\nVAR u b\nEND LIST VAR\n",
            vec!["a=1", "b="],
            vec![
                echo("BEGIN LIST VAR u", "BEGIN LIST VAR"),
                AnswerOddity::Quotes(text("")),
                echo("END LIST VAR u", "END LIST VAR"),
            ],
        ),
    ] {
        let (all, oddities, fault) = said(std::slice::from_ref(&request), bytes.as_bytes());
        assert_eq!(
            (values(&all), oddities, fault),
            (expected.into_iter().map(text).collect(), odd, None),
            "{bytes}"
        );
    }
    let (all, odd, _) = said(std::slice::from_ref(&list), b"BEGIN LIST VAR u\nERR DATA-STALE\n");
    assert_eq!(all, [Received::Answer(list.clone(), refusal(Some(ErrorWord::DataStale), "DATA-STALE"))]);
    assert_eq!(odd, [AnswerOddity::ErrorInList(text("ERR DATA-STALE"))]);
    let (all, odd, _) = said(std::slice::from_ref(&list), b"ERR ACCESS-DENIED \"SSL trust failed\"\n");
    let behind = "ACCESS-DENIED \"SSL trust failed\"";
    assert_eq!(all, [Received::Answer(list.clone(), refusal(Some(ErrorWord::AccessDenied), behind))]);
    assert_eq!(odd, [AnswerOddity::ErrorWord(text(behind))]);
    let (all, odd, _) = said(std::slice::from_ref(&list), b"ERR NO-SUCH-THING\n");
    assert_eq!(all, [Received::Answer(list, refusal(None, "NO-SUCH-THING"))]);
    assert_eq!(odd, [AnswerOddity::ErrorWord(text("NO-SUCH-THING"))]);
}

#[test]
fn what_is_no_nut_server_is_a_fault() {
    let list = NetworkRequest::List(Having::Variables, text("u"));
    let value = get(About::Value, "v");
    for (request, bytes) in [
        (&value, "SSH-2.0-OpenSSH_9.2\n"),
        (&value, "VAR u w \"1\"\n"),
        (&value, "VAR other v \"1\"\n"),
        (&value, "OK\n"),
        (&list, "VAR u a \"1\"\n"),
        (&list, "BEGIN LIST RW u\n"),
        (&list, "BEGIN LIST VAR u\nRW u a \"1\"\n"),
        (&NetworkRequest::Username(text("a")), "OKAY\n"),
        (&NetworkRequest::Logins(text("u")), "NUMLOGINS u x\n"),
        (&NetworkRequest::StartTls, "HTTP/1.0 400\n"),
    ] {
        let (_, _, fault) = said(std::slice::from_ref(request), bytes.as_bytes());
        let line = text(bytes.lines().last().unwrap());
        assert_eq!(fault, Some(ConnectionFault::Unexpected(request.clone(), line)), "{bytes}");
    }
    assert_eq!(said(&[], b"220 hello\n").2, Some(ConnectionFault::Unasked(text("220 hello"))));
    let password = NetworkRequest::Password(Secret(text("hidden")));
    let fault = said(&[password], b"what\n").2.unwrap();
    assert!(!fault.to_string().contains("hidden") && !format!("{fault:?}").contains("hidden"));
}

#[test]
fn an_end_is_told_from_a_break() {
    let mut out = vec![];
    for (request, expected) in [
        (NetworkRequest::Logout, Ok(())),
        (NetworkRequest::Version, Err(ConnectionFault::Ended(NetworkRequest::Version))),
    ] {
        let mut asker = Asker::default();
        asker.ask(request, &mut out).unwrap();
        assert_eq!(asker.ended(), expected);
    }
    assert_eq!(Asker::default().ended(), Ok(()));
}

/// Just below, at and above each bound.
#[test]
fn lines_and_lists_are_bounded() {
    let line = |length: usize| format!("VAR u v \"{}\"\n", "x".repeat(length - "VAR u v \"\"".len()));
    for (length, fault) in
        [(LONGEST_LINE - 1, None), (LONGEST_LINE, None), (LONGEST_LINE + 1, Some(ConnectionFault::LongLine))]
    {
        assert_eq!(said(&[get(About::Value, "v")], line(length).as_bytes()).2, fault, "{length}");
    }
    assert_eq!(
        said(&[NetworkRequest::Version], &[b'x'; LONGEST_LINE + 1]).2,
        Some(ConnectionFault::LongLine),
        "without an end"
    );
    for (count, fault) in [(MOST_ITEMS, None), (MOST_ITEMS + 1, Some(ConnectionFault::LongList))] {
        let bytes = format!("BEGIN LIST CMD u\n{}END LIST CMD u\n", "CMD u c\n".repeat(count));
        let list = NetworkRequest::List(Having::Commands, text("u"));
        assert_eq!(said(&[list], bytes.as_bytes()).2, fault, "{count}");
    }
}

#[test]
fn what_follows_starttls_is_left() {
    let mut asker = Asker::default();
    let mut out = vec![];
    asker.ask(NetworkRequest::StartTls, &mut out).unwrap();
    let mut rest = &b"OK STARTTLS\nVAR u v \"evil\"\n"[..];
    let answer = asker.read(&mut rest).unwrap();
    assert_eq!(answer, Some(Received::Answer(NetworkRequest::StartTls, Ok(Answer::StartTls))));
    assert_eq!(rest, b"VAR u v \"evil\"\n");
}

/// What is asked when each request is answered so, and how it ends.
fn opened(mut opening: SessionOpening, answers: &[(&str, Result<Answer, ErrorWord>)]) -> String {
    let mut answer = None;
    for (expected, given) in answers {
        let asked = match opening.next(answer.take()) {
            Next::Ask(request) => request.to_string(),
            Next::StartTls => text("(TLS)"),
            other => return format!("{other:?} where {expected} was expected"),
        };
        if asked != *expected {
            return format!("{asked} where {expected} was expected");
        }
        answer = Some(given.clone().map_err(|word| Refusal { word: Some(word), text: text(word.text()) }));
    }
    match opening.next(answer) {
        Next::End(Ok(encrypted)) => format!("encrypted: {encrypted}"),
        Next::End(Err((request, refusal))) => format!("{request}: {}", refusal.text),
        other => format!("{other:?}"),
    }
}

#[test]
fn an_opening_goes_by_what_the_server_has() {
    let done = || Ok(Answer::Done);
    let user = |tls| SessionOpening::new(tls).as_user("a", "hidden");
    let no_tls = [
        ErrorWord::FeatureNotConfigured,
        ErrorWord::FeatureNotSupported,
        ErrorWord::UnknownCommand,
        ErrorWord::InvalidArgument,
    ];
    assert_eq!(opened(SessionOpening::new(TlsMode::Never), &[]), "encrypted: false");
    let tls = [("STARTTLS", Ok(Answer::StartTls)), ("(TLS)", Ok(Answer::StartTls))];
    assert_eq!(opened(SessionOpening::new(TlsMode::IfOffered), &tls), "encrypted: true");
    assert_eq!(opened(SessionOpening::new(TlsMode::Required), &tls), "encrypted: true");
    for word in no_tls {
        let refused = [("STARTTLS", Err(word))];
        assert_eq!(opened(SessionOpening::new(TlsMode::IfOffered), &refused), "encrypted: false");
        assert_eq!(opened(user(TlsMode::Required), &refused), format!("STARTTLS: {word}"), "no password");
    }
    let watching = |rank| user(TlsMode::Never).watching("u", rank);
    let names = [("USERNAME a", done()), ("PASSWORD", done()), ("LOGIN u", done())];
    assert_eq!(opened(watching(Rank::Secondary), &names), "encrypted: false");
    let with = |more: &[(&'static str, Result<Answer, ErrorWord>)]| [&names[..], more].concat();
    assert_eq!(opened(watching(Rank::Primary), &with(&[("PRIMARY u", done())])), "encrypted: false");
    // upsd before 2.8 knows MASTER only
    let old = [("PRIMARY u", Err(ErrorWord::UnknownCommand)), ("MASTER u", done())];
    assert_eq!(opened(watching(Rank::Primary), &with(&old)), "encrypted: false");
    let denied = [("PRIMARY u", Err(ErrorWord::AccessDenied))];
    assert_eq!(opened(watching(Rank::Primary), &with(&denied)), "PRIMARY u: ACCESS-DENIED");
    let denied = [("USERNAME a", done()), ("PASSWORD", done()), ("LOGIN u", Err(ErrorWord::AccessDenied))];
    assert_eq!(opened(watching(Rank::Primary), &denied), "LOGIN u: ACCESS-DENIED");
}

/// How an errand ends when each request is answered so, and how long it waited before each.
fn ended(mut errand: Errand, answers: &[Result<Answer, ErrorWord>]) -> (OrderEnd, Vec<(u64, String)>) {
    let mut answers = answers.iter();
    let (mut answer, mut asked) = (None, vec![]);
    loop {
        match errand.next(answer.take()) {
            Next::Ask(request) => asked.push((0, request.to_string())),
            Next::AskAfter(wait, request) => {
                asked.push((wait.min(Duration::from_secs(9)).as_millis() as u64, request.to_string()));
            }
            Next::End(end) => return (end, asked),
            Next::StartTls => panic!("no TLS in an errand"),
        }
        let given = answers.next().expect("an answer for each request").clone();
        answer = Some(given.map_err(|word| Refusal { word: Some(word), text: text(word.text()) }));
    }
}

#[test]
fn an_errand_ends_when_the_outcome_is_known_and_not_before() {
    let order = || ClientOrder::Command { ups: text("u"), name: text("load.off"), parameter: None };
    let outcome = |outcome| Ok(Answer::Outcome(outcome));
    let pending = || outcome(TrackedOutcome::Pending);
    let begin = [Ok(Answer::Done), Ok(Answer::Tracked(text("ID")))];
    for (last, expected) in [
        (TrackedOutcome::Success, OrderEnd::Done),
        (TrackedOutcome::Failed, OrderEnd::Failed(TrackedOutcome::Failed)),
        (TrackedOutcome::Invalid, OrderEnd::Failed(TrackedOutcome::Invalid)),
        (TrackedOutcome::Unknown, OrderEnd::Failed(TrackedOutcome::Unknown)),
    ] {
        let mut answers = begin.to_vec();
        answers.extend(std::iter::repeat_with(pending).take(7));
        answers.push(outcome(last));
        let (end, asked) = ended(Errand::new(order()), &answers);
        assert_eq!(end, expected);
        let waits: Vec<u64> = asked.iter().map(|(wait, _)| *wait).collect();
        assert_eq!(waits, [0, 0, 50, 100, 200, 400, 800, 1000, 1000, 1000]);
        let words: Vec<&str> = asked.iter().take(3).map(|(_, words)| words.as_str()).collect();
        assert_eq!(words, ["SET TRACKING ON", "INSTCMD u load.off", "GET TRACKING ID"]);
    }
    // a server before NUT 2.8: "accepted" is not "done"
    let (end, _) = ended(Errand::new(order()), &[Err(ErrorWord::InvalidArgument), Ok(Answer::Done)]);
    assert_eq!(end, OrderEnd::Accepted);
    let (end, _) = ended(Errand::new(order()), &[Ok(Answer::Done), Err(ErrorWord::CmdNotSupported)]);
    assert!(matches!(end, OrderEnd::Refused(refusal) if refusal.word == Some(ErrorWord::CmdNotSupported)));
    let mut answers = begin.to_vec();
    answers.push(Err(ErrorWord::FeatureNotConfigured));
    assert!(matches!(ended(Errand::new(order()), &answers).0, OrderEnd::Lost(_)));
    let (end, asked) = ended(Errand::without_outcome(order()), &[Ok(Answer::Done)]);
    assert_eq!((end, asked), (OrderEnd::Accepted, vec![(0, text("INSTCMD u load.off"))]));
}

#[test]
fn a_refusal_says_what_to_do() {
    for word in ErrorWord::all() {
        assert_eq!(ErrorWord::of(word.text()), Some(word));
        let refusal = Refusal { word: Some(word), text: text(word.text()) };
        let said = refusal.to_string();
        assert!(said.ends_with(&format!("(ERR {word})")) && said.contains("; "), "{said}");
    }
}

fn any_request() -> impl Strategy<Value = NetworkRequest> {
    let u = || text("u");
    prop::sample::select(vec![
        NetworkRequest::Version,
        NetworkRequest::StartTls,
        NetworkRequest::Username(u()),
        get(About::Value, "v"),
        get(About::Type, "v"),
        NetworkRequest::Logins(u()),
        NetworkRequest::Outcome(u()),
        NetworkRequest::Tracking,
        NetworkRequest::ListUps,
        NetworkRequest::List(Having::Variables, u()),
        NetworkRequest::ListValues(Values::Ranges, u(), text("v")),
        NetworkRequest::Logout,
    ])
}

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let lines = prop::sample::select(vec![
        "OK\n",
        "OK STARTTLS\n",
        "OK TRACKING x\n",
        "ERR ACCESS-DENIED\n",
        "ERR\n",
        "VAR u v \"1\"\n",
        "TYPE u v RW\n",
        "BEGIN LIST UPS\n",
        "UPS a \"b\"\n",
        "END LIST UPS\n",
        "BEGIN LIST VAR u\n",
        "VAR u x \"\\\n",
        "END LIST VAR u\n",
        "BEGIN LIST RANGE u v\n",
        "RANGE u v \"1\" \"2\"\n",
        "RANGE u v\n",
        "END LIST RANGE u v\n",
        "\n",
        "\r\n",
        "PENDING\n",
        "NUMLOGINS u 1\n",
        "ON\n",
        "é",
        "VAR u ",
    ]);
    prop_oneof![
        6 => lines.prop_map(|line| line.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..30),
    ]
}

proptest! {
    #[test]
    fn the_cuts_make_no_difference(
        requests in prop::collection::vec(any_request(), 0..8),
        lines in prop::collection::vec(any_line(), 0..20),
        cut in 1usize..20,
    ) {
        let bytes = lines.concat();
        let whole = said(&requests, &bytes);
        let mut asker = Asker::default();
        for request in &requests {
            asker.ask(request.clone(), &mut vec![]).unwrap();
        }
        let (mut all, mut fault) = (vec![], None);
        'pieces: for piece in bytes.chunks(cut) {
            let mut rest = piece;
            loop {
                match asker.read(&mut rest) {
                    Ok(Some(said)) => all.push(said),
                    Ok(None) => break,
                    Err(broken) => {
                        fault = Some(broken);
                        break 'pieces;
                    }
                }
            }
        }
        prop_assert_eq!(whole, (all, asker.oddities(), fault));
    }

    /// A value that goes out as a request comes back as it was, by upsd's grammar.
    #[test]
    fn a_value_is_the_same_on_the_other_side(value in "[ -~]{0,60}", name in "[!-~]{1,20}") {
        let request = NetworkRequest::Set { ups: text("u"), variable: name.clone(), value: value.clone() };
        let mut out = vec![];
        request.write(&mut out).unwrap();
        let words = nut::words::words(&out).unwrap();
        prop_assert_eq!(words, [text("SET"), text("VAR"), text("u"), name, value]);
    }
}
