//! The server's end beside Debian's upsd 2.8.0, in front of the same UPSes: the same bytes go to both,
//! and the answers are the same, byte for byte, but for the differences that have a name here and a row
//! in docs/differences-from-nut.md.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::indexing_slicing, clippy::disallowed_methods, clippy::cast_possible_truncation)]

mod upsd;
mod upsmon;

use model::Model;
use nut::driver_socket;
use nut::network::client::{
    Answer, Asker, ClientOrder, Errand, Having, Item, NetworkRequest, Next, OrderEnd, Rank, Received,
    Refusal, SessionOpening, TlsMode, Values,
};
use nut::network::server::{Connection, ConnectionEvent, TlsOffer};
use nut::network::{ErrorWord, TrackedOutcome};
use nut::words::{Splitter, WordError};
use random::Chance;
use std::io::{BufRead, BufReader, Read, Write};
use testbed::upsd::{model, random};
use upsd::Upsd;

/// What a connection of ours answers to these bytes, in pieces of any size.
fn ours(model: &mut Model, bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut connection = Connection::new("127.0.0.1", TlsOffer::NotConfigured);
    let mut out = vec![];
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at((1 + chance.below(60)).min(rest.len()));
        let taken = connection.take(piece, model, &mut out);
        if taken.event == Some(ConnectionEvent::Close) {
            break;
        }
        assert_eq!((taken.consumed, taken.event), (piece.len(), None), "{}", bytes.escape_ascii());
        rest = behind;
    }
    if let Some(ups) = connection.logged_in() {
        model.log_out(ups, "127.0.0.1");
    }
    out
}

/// The answers with one name for all ids of tracked requests.
fn comparable(answers: &[u8]) -> Vec<String> {
    let text = answers.escape_ascii().to_string().replace("\\n", "\n").replace("\\\"", "\"");
    let id = |line: &str| match line.strip_prefix("OK TRACKING ") {
        Some(id) if id.len() == 36 => "OK TRACKING id".to_string(),
        _ => line.to_string(),
    };
    text.split('\n').map(id).collect()
}

fn assert_same(upsd: &Upsd, model: &mut Model, bytes: &[u8], chance: &mut Chance) {
    let theirs = comparable(&upsd.answers(bytes));
    let ours = comparable(&ours(model, bytes, chance));
    assert_eq!(ours, theirs, "{}", bytes.escape_ascii());
    let handed = std::mem::take(&mut model.handed);
    assert_eq!(handed, upsd.handed(handed.len()), "{}", bytes.escape_ascii());
}

/// Whether bytes have a request in them that is answered otherwise on purpose.
fn differs(bytes: &[u8]) -> bool {
    let mut line = Splitter::default();
    for byte in bytes {
        if line.take(*byte) {
            if matches!(line.wrong(), Some(WordError::HashInQuotes | WordError::LongWord)) {
                return true;
            }
            line.clear();
        }
    }
    false
}

#[test]
fn requests_by_chance_are_answered_as_by_upsd() {
    let upsd = Upsd::start("chance");
    let mut model = Model::new();
    let seeds = std::env::var("QXUPS_SEEDS").map_or(1, |seeds| seeds.parse::<u64>().unwrap());
    let mut requests = 0;
    for session in 0..2_000 * seeds {
        let mut chance = Chance::new(session);
        let count = 1 + chance.below(40);
        let mut bytes: String = (0..count).map(|_| chance.request()).collect();
        if chance.below(3) == 0 {
            bytes = format!("USERNAME admin\nPASSWORD secret\n{bytes}");
        }
        requests += count;
        assert_same(&upsd, &mut model, bytes.as_bytes(), &mut chance);
    }
    assert!(requests > 30_000, "{requests}");
}

#[test]
fn rubbish_is_answered_as_by_upsd() {
    let upsd = Upsd::start("rubbish");
    let mut model = Model::new();
    let mut compared = 0;
    for session in 0..600 {
        let mut chance = Chance::new(1_000_000 + session);
        let bytes = chance.rubbish();
        if !differs(&bytes) {
            compared += 1;
            assert_same(&upsd, &mut model, &bytes, &mut chance);
        }
    }
    assert!(compared > 300, "{compared}");
}

#[test]
fn every_description_is_that_of_upsd() {
    let upsd = Upsd::start("descriptions");
    let mut model = Model::new();
    let [commands, variables] = model.described();
    let commands = commands.iter().map(|(name, _)| format!("GET CMDDESC ups {name}\n"));
    let bytes: String =
        variables.iter().map(|(name, _)| format!("GET DESC ups {name}\n")).chain(commands).collect();
    assert!(bytes.lines().count() > 200);
    assert_same(&upsd, &mut model, bytes.as_bytes(), &mut Chance::new(1));
}

/// Each request with what both answer: from upsd's source, so that both being wrong in the same way
/// would be seen as well.
const TABLE: &[(&str, &str)] = &[
    ("VER", "Network UPS Tools upsd 2.8.0 - http://www.networkupstools.org/\n"),
    ("NETVER", "1.3\n"),
    ("protver", "1.3\n"),
    ("VER x", "ERR INVALID-ARGUMENT\n"),
    ("NETVER x", "ERR INVALID-ARGUMENT\n"),
    ("HELP x", "ERR INVALID-ARGUMENT\n"),
    ("LOGOUT x", "ERR INVALID-ARGUMENT\n"),
    ("", "ERR UNKNOWN-COMMAND\n"),
    ("\r", "ERR UNKNOWN-COMMAND\n"),
    ("# VER", "ERR UNKNOWN-COMMAND\n"),
    ("FROB", "ERR UNKNOWN-COMMAND\n"),
    ("VER=", "ERR INVALID-ARGUMENT\n"),
    ("STARTTLS more", "ERR FEATURE-NOT-CONFIGURED\n"),
    ("GET", "ERR INVALID-ARGUMENT\n"),
    ("GET VAR ups", "ERR INVALID-ARGUMENT\n"),
    ("GET FROB ups x", "ERR INVALID-ARGUMENT\n"),
    ("GET VAR nope x", "ERR UNKNOWN-UPS\n"),
    ("GET VAR gone x", "ERR DRIVER-NOT-CONNECTED\n"),
    ("GET VAR old x", "ERR DATA-STALE\n"),
    ("GET VAR ups x", "ERR VAR-NOT-SUPPORTED\n"),
    ("get var UPS UPS.Status", "VAR UPS UPS.Status \"OL CHRG\"\n"),
    ("GET VAR ups ups.model more words", "VAR ups ups.model \"a \\\"quoted\\\" \\# and \\\\ one\"\n"),
    (
        "GET VAR nope server.info",
        "VAR nope server.info \"Network UPS Tools upsd 2.8.0 - http://www.networkupstools.org/\"\n",
    ),
    ("GET VAR nope Server.Version", "VAR nope server.version \"2.8.0\"\n"),
    ("GET VAR ups server.x", "ERR VAR-NOT-SUPPORTED\n"),
    ("GET TYPE ups battery.charge", "TYPE ups battery.charge NUMBER\n"),
    ("GET TYPE ups battery.charge.low", "TYPE ups battery.charge.low RW RANGE NUMBER\n"),
    ("GET TYPE ups ups.id", "TYPE ups ups.id RW STRING:8\n"),
    ("GET TYPE ups input.sensitivity", "TYPE ups input.sensitivity RW ENUM STRING:10\n"),
    ("GET TYPE ups server.info", "ERR VAR-NOT-SUPPORTED\n"),
    ("GET DESC ups ups.status", "DESC ups ups.status \"UPS status\"\n"),
    ("GET DESC ups nothing", "DESC ups nothing \"Description unavailable\"\n"),
    ("GET CMDDESC ups b'load.off'", "CMDDESC ups b'load.off' \"Description unavailable\"\n"),
    ("GET CMDDESC nope load.off", "ERR UNKNOWN-UPS\n"),
    ("GET UPSDESC gone", "UPSDESC gone \"\"\n"),
    ("GET UPSDESC bare", "UPSDESC bare \"Unavailable\"\n"),
    ("GET UPSDESC ups", "UPSDESC ups \"A \\\"good\\\" one, \\#1 \\\\ 2\"\n"),
    ("GET NUMLOGINS ups", "NUMLOGINS ups 0\n"),
    ("GET NUMLOGINS old", "ERR DATA-STALE\n"),
    ("GET TRACKING", "OFF\n"),
    ("GET TRACKING x", "ERR FEATURE-NOT-CONFIGURED\n"),
    (
        "LIST UPS more",
        "BEGIN LIST UPS\nUPS ups \"A \\\"good\\\" one, \\#1 \\\\ 2\"\nUPS Old \"Description unavailable\"\n\
         UPS gone \"\"\nUPS bare \"Description unavailable\"\nEND LIST UPS\n",
    ),
    ("LIST VAR Bare", "BEGIN LIST VAR Bare\nVAR Bare ups.status \"OB LB\"\nEND LIST VAR Bare\n"),
    ("LIST RW bare", "BEGIN LIST RW bare\nEND LIST RW bare\n"),
    ("LIST CMD bare", "BEGIN LIST CMD bare\nEND LIST CMD bare\n"),
    (
        "LIST CMD ups",
        "BEGIN LIST CMD ups\nCMD ups Beeper.mute\nCMD ups fails.now\nCMD ups load.off\n\
         CMD ups shutdown.return\nCMD ups test.battery.start\nEND LIST CMD ups\n",
    ),
    ("LIST CLIENT gone", "BEGIN LIST CLIENT gone\nEND LIST CLIENT gone\n"),
    (
        "LIST ENUM ups input.Sensitivity",
        "BEGIN LIST ENUM ups input.Sensitivity\nENUM ups input.Sensitivity \"low\"\n\
         ENUM ups input.Sensitivity \"medium\"\nENUM ups input.Sensitivity \"high\"\n\
         END LIST ENUM ups input.Sensitivity\n",
    ),
    (
        "LIST RANGE ups battery.charge.low",
        "BEGIN LIST RANGE ups battery.charge.low\nRANGE ups battery.charge.low \"10\" \"50\"\n\
         RANGE ups battery.charge.low \"-5\" \"5\"\nEND LIST RANGE ups battery.charge.low\n",
    ),
    ("LIST ENUM ups", "ERR INVALID-ARGUMENT\n"),
    ("LIST ENUM ups nothing", "ERR VAR-NOT-SUPPORTED\n"),
    ("LIST RANGE gone nothing", "ERR DRIVER-NOT-CONNECTED\n"),
    ("LIST FROB ups x", "ERR INVALID-ARGUMENT\n"),
    ("LIST", "ERR INVALID-ARGUMENT\n"),
    ("SET", "ERR USERNAME-REQUIRED\n"),
    ("USERNAME", "ERR INVALID-ARGUMENT\n"),
    ("USERNAME a b", "ERR INVALID-ARGUMENT\n"),
    ("PASSWORD ", "ERR INVALID-ARGUMENT\n"),
    ("USERNAME admin", "OK\n"),
    ("USERNAME admin", "ERR ALREADY-SET-USERNAME\n"),
    ("LOGIN", "ERR PASSWORD-REQUIRED\n"),
    ("PASSWORD secret", "OK\n"),
    ("PASSWORD other", "ERR ALREADY-SET-PASSWORD\n"),
    ("LOGIN", "ERR INVALID-ARGUMENT\n"),
    ("LOGIN ups more", "ERR INVALID-ARGUMENT\n"),
    ("LOGIN nope", "ERR UNKNOWN-UPS\n"),
    ("LOGIN gone", "OK\n"),
    ("LOGIN nope", "ERR ALREADY-LOGGED-IN\n"),
    ("LIST CLIENT GONE", "BEGIN LIST CLIENT GONE\nCLIENT gone 127.0.0.1\nEND LIST CLIENT GONE\n"),
    ("PRIMARY ups", "OK PRIMARY-GRANTED\n"),
    ("MASTER gone", "OK MASTER-GRANTED\n"),
    ("MASTER", "ERR INVALID-ARGUMENT\n"),
    ("PRIMARY nope", "ERR UNKNOWN-UPS\n"),
    ("FSD", "ERR INVALID-ARGUMENT\n"),
    ("FSD nope", "ERR UNKNOWN-UPS\n"),
    ("FSD BARE", "OK FSD-SET\n"),
    ("GET VAR bare ups.status", "VAR bare ups.status \"FSD OB LB\"\n"),
    ("LIST VAR bare", "BEGIN LIST VAR bare\nVAR bare ups.status \"FSD OB LB\"\nEND LIST VAR bare\n"),
    ("SET VAR", "ERR INVALID-ARGUMENT\n"),
    ("SET VAR ups ups.id", "ERR INVALID-ARGUMENT\n"),
    ("SET FROB x", "ERR INVALID-ARGUMENT\n"),
    ("SET VAR nope x y", "ERR UNKNOWN-UPS\n"),
    ("SET VAR gone x y", "ERR DRIVER-NOT-CONNECTED\n"),
    ("SET VAR ups x y", "ERR VAR-NOT-SUPPORTED\n"),
    ("SET VAR ups ups.mfr y", "ERR READONLY\n"),
    ("SET VAR ups ups.odd y", "ERR SET-FAILED\n"),
    ("SET VAR ups ups.id 123456789", "ERR TOO-LONG\n"),
    ("SET VAR ups ups.id 12345678", "OK\n"),
    ("SET VAR ups UPS.ID \"a \\\"b\\\" \\#\"", "OK\n"),
    ("SET VAR ups input.sensitivity Low", "ERR INVALID-VALUE\n"),
    ("SET VAR ups input.sensitivity low", "OK\n"),
    ("SET VAR ups battery.charge.low 9", "ERR INVALID-VALUE\n"),
    ("SET VAR ups battery.charge.low 10", "OK\n"),
    ("SET VAR ups battery.charge.low 50x", "OK\n"),
    ("SET VAR ups battery.charge.low 51", "ERR INVALID-VALUE\n"),
    ("SET VAR ups battery.charge.low -5", "OK\n"),
    ("SET VAR ups battery.charge.low abc", "OK\n"),
    ("SET TRACKING maybe", "ERR INVALID-ARGUMENT\n"),
    ("INSTCMD ups", "ERR INVALID-ARGUMENT\n"),
    ("INSTCMD nope x", "ERR UNKNOWN-UPS\n"),
    ("INSTCMD old load.off", "ERR DATA-STALE\n"),
    ("INSTCMD ups frob", "ERR CMD-NOT-SUPPORTED\n"),
    ("INSTCMD ups LOAD.off", "OK\n"),
    ("INSTCMD ups load.off 60", "OK\n"),
];

#[test]
fn each_request_of_the_table_is_answered_so() {
    let upsd = Upsd::start("table");
    let mut model = Model::new();
    let text: String = TABLE.iter().map(|(request, _)| request.to_string() + "\n").collect();
    let expected: String = TABLE.iter().map(|(_, answer)| *answer).collect();
    let theirs = String::from_utf8(upsd.answers(text.as_bytes())).unwrap();
    let ours = String::from_utf8(ours(&mut model, text.as_bytes(), &mut Chance::new(2))).unwrap();
    for (number, ((expected, theirs), ours)) in
        expected.lines().zip(theirs.lines()).zip(ours.lines()).enumerate()
    {
        assert_eq!((theirs, ours), (expected, expected), "line {number}");
    }
    assert_eq!((theirs.len(), ours.len()), (expected.len(), expected.len()));
    assert_eq!(model.handed, upsd.handed(model.handed.len()));
}

/// Users without a right, without a password, with a wrong one.
#[test]
fn rights_are_those_of_upsd() {
    let upsd = Upsd::start("rights");
    let mut model = Model::new();
    let denied = "ERR ACCESS-DENIED";
    for (user, password, expected) in [
        // LOGIN, PRIMARY, MASTER, FSD, SET VAR, INSTCMD test.battery.start, INSTCMD load.off
        (
            "admin",
            "secret",
            ["OK", "OK PRIMARY-GRANTED", "OK MASTER-GRANTED", "OK FSD-SET", "OK", "OK", "OK"],
        ),
        ("second", "\"two words\"", ["OK", denied, denied, denied, denied, denied, denied]),
        ("few", "few", [denied, denied, denied, denied, denied, "OK", denied]),
        ("setter", "s", [denied, denied, denied, denied, "OK", denied, denied]),
        ("master", "m", [denied, "OK PRIMARY-GRANTED", "OK MASTER-GRANTED", denied, denied, denied, denied]),
        ("nothing", "n", [denied; 7]),
        ("none", "\"\"", [denied; 7]),
        ("Admin", "secret", [denied; 7]),
        ("admin", "Secret", [denied; 7]),
    ] {
        let text = format!(
            "USERNAME {user}\nPASSWORD {password}\nLOGIN ups\nPRIMARY ups\nMASTER ups\nFSD ups\n\
             SET VAR ups ups.id x\nINSTCMD ups test.battery.start\nINSTCMD ups load.off\n"
        );
        let expected = format!("OK\nOK\n{}\n", expected.join("\n"));
        let theirs = String::from_utf8(upsd.answers(text.as_bytes())).unwrap();
        let ours = ours(&mut model, text.as_bytes(), &mut Chance::new(3));
        assert_eq!((theirs, String::from_utf8(ours).unwrap()), (expected.clone(), expected), "{user}");
        let handed = std::mem::take(&mut model.handed);
        assert_eq!(handed, upsd.handed(handed.len()), "{user}");
    }
}

/// A tracked request, its outcome, and who may ask for it.
#[test]
fn tracking_is_that_of_upsd() {
    let upsd = Upsd::start("tracking");
    let mut model = Model::new();
    let mut connection = Connection::new("127.0.0.1", TlsOffer::NotConfigured);
    let mut stream = BufReader::new(upsd.connect());
    let mut both = |request: &str, wait: Option<&str>| -> [String; 2] {
        let mut out = vec![];
        connection.take(format!("{request}\n").as_bytes(), &mut model, &mut out);
        let mut line = String::new();
        loop {
            line.clear();
            writeln!(stream.get_mut(), "{request}").unwrap();
            stream.read_line(&mut line).unwrap();
            if wait != Some(&line) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        [line, String::from_utf8(out).unwrap()]
    };
    for request in ["USERNAME admin", "PASSWORD secret", "SET TRACKING On", "SET TRACKING on"] {
        assert_eq!(both(request, None), ["OK\n", "OK\n"]);
    }
    assert_eq!(both("GET TRACKING", None), ["ON\n", "ON\n"]);
    assert_eq!(both("GET TRACKING nope", None), ["ERR UNKNOWN\n", "ERR UNKNOWN\n"]);
    for (request, outcome) in [
        ("INSTCMD ups load.off", "SUCCESS\n"),
        ("INSTCMD ups fails.now", "ERR FAILED\n"),
        ("INSTCMD ups load.off 60", "ERR INVALID-ARGUMENT\n"),
        ("SET VAR ups ups.id x", "SUCCESS\n"),
    ] {
        let [theirs, ours] = both(request, None);
        let ids = [theirs, ours].map(|line| {
            let id = line.strip_prefix("OK TRACKING ").unwrap().trim_end().to_string();
            let parsed = nut::network::TrackingId::parse(&id).unwrap();
            assert_eq!(parsed.to_string(), id, "as upsd writes it");
            id.to_ascii_lowercase()
        });
        // each server has its own id
        let [theirs, _] = both(&format!("GET TRACKING {}", ids[0]), Some("PENDING\n"));
        let [_, ours] = both(&format!("GET TRACKING {}", ids[1]), None);
        assert_eq!([theirs.as_str(), ours.as_str()], [outcome, outcome], "{request}");
    }
    assert_eq!(both("SET TRACKING OFF", None), ["OK\n", "OK\n"]);
    assert_eq!(
        both("GET TRACKING x", None),
        ["ERR FEATURE-NOT-CONFIGURED\n", "ERR FEATURE-NOT-CONFIGURED\n"]
    );
}

/// The requests that are answered otherwise on purpose: the name of the row, what is asked, what upsd
/// answers, and what we do.
const DIFFERENCES: &[(&str, &str, &str, &str)] = &[
    (
        "net-help",
        "HELP",
        "Commands: HELP VER GET LIST SET INSTCMD LOGIN LOGOUT USERNAME PASSWORD STARTTLS\n",
        "Commands: HELP VER PROTVER GET LIST SET INSTCMD LOGIN LOGOUT USERNAME PASSWORD PRIMARY FSD STARTTLS\n",
    ),
    ("net-hash-in-quotes", "GET VAR ups \"a # b\"", "", "ERR INVALID-ARGUMENT\n"),
    (
        "net-list-clients",
        "LIST CLIENTS bare",
        "ERR INVALID-ARGUMENT\n",
        "BEGIN LIST CLIENTS\nEND LIST CLIENTS\n",
    ),
    ("net-fsd-clear", "FSD bare CLEAR", "ERR INVALID-ARGUMENT\n", "OK FSD-CLEARED\n"),
    ("net-set-words", "SET VAR ups ups.id rack 2", "OK\n", "ERR INVALID-ARGUMENT\n"),
    ("net-instcmd-words", "INSTCMD ups load.off 60 70", "OK\n", "ERR INVALID-ARGUMENT\n"),
    ("net-number-bits", "SET VAR ups battery.charge.low 4294967306", "OK\n", "ERR INVALID-VALUE\n"),
    ("net-quoted-choices", "SET VAR ups ups.choice \"a\\\"b\"", "ERR INVALID-VALUE\n", "OK\n"),
    (
        "net-upstream",
        "GET DESC ups upstream.ups.status",
        "DESC ups upstream.ups.status \"Description unavailable\"\n",
        "DESC ups upstream.ups.status \"UPS status\"\n",
    ),
    ("net-logout", "LOGOUT\nNETVER", "OK Goodbye\n1.3\n", "OK Goodbye\n"),
];

#[test]
fn every_difference_has_a_name() {
    let upsd = Upsd::start("differences");
    let mut model = Model::new();
    let page = include_str!("../../../../docs/differences-from-nut.md");
    let mut said = |name: &str, request: &str| {
        assert!(page.contains(&format!("| `{name}` |")), "{name} has no row");
        let bytes = format!("USERNAME admin\nPASSWORD secret\n{request}\n");
        let theirs = String::from_utf8(upsd.answers(bytes.as_bytes())).unwrap();
        let ours = String::from_utf8(ours(&mut model, bytes.as_bytes(), &mut Chance::new(4))).unwrap();
        [theirs, ours].map(|said| said.strip_prefix("OK\nOK\n").expect("a user").to_string())
    };
    for (name, request, theirs, ours) in DIFFERENCES {
        assert_eq!(said(name, request), [*theirs, *ours], "{name}");
    }
    // a word of 600 bytes is cut to 512, and an answer to 511, its line feed included
    let long = said("net-long-words", &format!("GET VAR ups {}", "x".repeat(600)));
    assert_eq!(long, ["ERR VAR-NOT-SUPPORTED\n", "ERR INVALID-ARGUMENT\n"]);
    let middle = "x".repeat(480);
    let whole = format!("DESC ups {middle} \"Description unavailable\"\n");
    let [theirs, ours] = said("net-long-answers", &format!("GET DESC ups {middle}"));
    assert!(whole.starts_with(&theirs) && !theirs.ends_with('\n'), "{theirs}");
    assert_eq!(ours, whole);
    // upsd hands over one word of two, a command without its parameter, a number that was cut; ours the
    // choice
    assert_eq!(upsd.handed(3).len(), 3);
    assert_eq!(model.handed.len(), 1);
}

/// The client's end before Debian's upsd: asks, and takes everything that is said until the answer.
struct Conversation {
    stream: std::net::TcpStream,
    asker: Asker,
}

impl Conversation {
    fn with(upsd: &Upsd) -> Conversation {
        Conversation { stream: upsd.connect(), asker: Asker::default() }
    }

    fn ask(&mut self, request: NetworkRequest) -> (Vec<Item>, Result<Answer, Refusal>) {
        let (mut out, mut items) = (vec![], vec![]);
        self.asker.ask(request, &mut out).unwrap();
        self.stream.write_all(&out).unwrap();
        let mut buffer = [0; 100];
        loop {
            let count = self.stream.read(&mut buffer).unwrap();
            assert!(count > 0, "upsd closed");
            let mut rest = &buffer[..count];
            while let Some(said) = self.asker.read(&mut rest).unwrap() {
                match said {
                    Received::Item(item) => items.push(item),
                    Received::Answer(_, answer) => {
                        assert_eq!((rest.len(), self.asker.oddities()), (0, vec![]));
                        return (items, answer);
                    }
                }
            }
        }
    }
}

#[test]
fn the_client_reads_what_upsd_has() {
    let upsd = Upsd::start("client");
    let model = Model::new();
    let mut upsd = Conversation::with(&upsd);
    let (items, answer) = upsd.ask(NetworkRequest::ListUps);
    let ups =
        |name: &str, description: &str| Item::Ups { name: name.into(), description: description.into() };
    let none = "Description unavailable";
    let expected =
        [ups("ups", "A \"good\" one, #1 \\ 2"), ups("Old", none), ups("gone", ""), ups("bare", none)];
    assert_eq!((&items[..], answer), (&expected[..], Ok(Answer::End(4))));
    let (items, _) = upsd.ask(NetworkRequest::List(Having::Variables, "ups".into()));
    let expected: Vec<Item> = model.upses[0]
        .values()
        .map(|(name, value)| Item::Variable { name: name.into(), value: value.into() })
        .collect();
    assert_eq!(items, expected);
    let choices = NetworkRequest::ListValues(Values::Choices, "ups".into(), "ups.choice".into());
    assert_eq!(upsd.ask(choices).0, [Item::Choice("a\"b".into()), Item::Choice("c".into())]);
    for (ups, word) in [
        ("nope", ErrorWord::UnknownUps),
        ("old", ErrorWord::DataStale),
        ("gone", ErrorWord::DriverNotConnected),
    ] {
        let (items, answer) = upsd.ask(NetworkRequest::List(Having::Variables, ups.into()));
        assert_eq!((items.len(), answer.unwrap_err().word), (0, Some(word)), "{ups}");
    }
    assert_eq!(upsd.ask(NetworkRequest::Logout).1, Ok(Answer::Goodbye));
    assert_eq!(upsd.stream.read(&mut [0; 1]).unwrap(), 0, "upsd closes after LOGOUT");
}

#[test]
fn the_client_follows_an_order_to_its_outcome() {
    let upsd = Upsd::start("errand");
    let mut conversation = Conversation::with(&upsd);
    let mut opening =
        SessionOpening::new(TlsMode::IfOffered).as_user("admin", "secret").watching("ups", Rank::Primary);
    let mut answer = None;
    let encrypted = loop {
        match opening.next(answer.take()) {
            Next::Ask(request) => answer = Some(conversation.ask(request).1),
            Next::End(end) => break end.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert!(!encrypted, "this upsd has no certificate");
    let (clients, _) = conversation.ask(NetworkRequest::List(Having::Clients, "ups".into()));
    assert_eq!(clients, [Item::Client("127.0.0.1".into())]);
    let command = |name: &str| ClientOrder::Command { ups: "ups".into(), name: name.into(), parameter: None };
    let id = ClientOrder::Set { ups: "ups".into(), variable: "ups.id".into(), value: "a \"b\" #1".into() };
    let refused = Refusal { word: Some(ErrorWord::CmdNotSupported), text: "CMD-NOT-SUPPORTED".into() };
    for (order, expected) in [
        (command("load.off"), OrderEnd::Done),
        (command("fails.now"), OrderEnd::Failed(TrackedOutcome::Failed)),
        (command("frob"), OrderEnd::Refused(refused)),
        (id, OrderEnd::Done),
    ] {
        let mut errand = Errand::new(order);
        let mut answer = None;
        let end = loop {
            match errand.next(answer.take()) {
                Next::Ask(request) => answer = Some(conversation.ask(request).1),
                Next::AskAfter(wait, request) => {
                    std::thread::sleep(wait);
                    answer = Some(conversation.ask(request).1);
                }
                Next::End(end) => break end,
                Next::StartTls => panic!("no TLS"),
            }
        };
        assert_eq!(end, expected);
    }
    let value = driver_socket::SocketRequest::Set {
        variable: "ups.id".into(),
        value: "a \"b\" #1".into(),
        tracking: None,
    };
    assert_eq!(upsd.handed(3).last(), Some(&value));
}
