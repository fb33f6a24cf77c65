//! This server beside Debian's upsd 2.8.0, both as processes in front of the same drivers: the same requests of the same
//! clients, and each answer the same, but for the differences that have a row in docs/differences-from-nut.md.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod pair;
#[path = "../site/mod.rs"]
mod site;

use pair::{Both, Pair};
use site::FakeDriver;
use std::time::Duration;
use testbed::upsd::model;
use testbed::upsd::random::Chance;

/// Requests about one UPS, `@` for its name: all that looks at its driver.
const ABOUT: &[&str] = &[
    "GET VAR @ ups.status",
    "GET VAR @ server.info",
    "GET TYPE @ battery.charge.low",
    "GET DESC @ ups.status",
    "GET CMDDESC @ load.off",
    "GET UPSDESC @",
    "GET NUMLOGINS @",
    "LIST VAR @",
    "LIST RW @",
    "LIST CMD @",
    "LIST CLIENT @",
    "LIST ENUM @ input.sensitivity",
    "LIST RANGE @ battery.charge.low",
    "LIST ENUM @ ups.status",
    "LIST UPS",
    "SET VAR @ ups.id x",
    "SET VAR @ battery.charge.low 9",
    "INSTCMD @ load.off",
    "INSTCMD @ frob",
    "PRIMARY @",
];

fn about(pair: &mut Pair, ups: &str) {
    for request in ABOUT {
        pair.same(&request.replace('@', ups));
    }
}

/// Many clients of several users, in turn by chance; some leave without a word, and others come.
#[test]
fn clients_by_chance_get_the_same_answers() {
    const USERS: [(&str, &str); 6] = [
        ("admin", "secret"),
        ("admin", "secret"),
        ("second", "\"two words\""),
        ("few", "few"),
        ("setter", "s"),
        ("nothing", "n"),
    ];
    let Some((both, _drivers)) = Both::of_the_model("chance") else { return };
    let seeds = std::env::var("QXUPS_SEEDS").map_or(1, |seeds| seeds.parse::<u64>().unwrap());
    let mut compared = 0;
    for seed in 0..seeds {
        let mut chance = Chance::new(7_000 + seed);
        let mut clients: Vec<Pair> = USERS.iter().map(|(user, word)| both.user(user, word)).collect();
        clients.push(both.connect());
        for _ in 0..5_000 {
            let at = chance.below(clients.len());
            if chance.below(40) == 0 {
                let (user, word) = USERS[chance.below(USERS.len())];
                clients[at] = both.user(user, word);
                both.same_logins(&["ups", "bare", "gone"]);
                continue;
            }
            let request = chance.request();
            // each wrong password costs time here, and the fence that ends an answer has to be a request of its own
            if request.to_ascii_uppercase().contains("PASSWORD") || request.contains('\\') {
                continue;
            }
            clients[at].same_bytes(request.as_bytes());
            compared += 1;
        }
        drop(clients);
        both.same_logins(&["ups", "bare", "gone"]);
    }
    assert!(compared > 1_500, "{compared}");
    both.same_orders(&_drivers);
}

/// Bytes that are hardly a request, in pieces, and clients that leave in the middle.
#[test]
fn hostile_clients_get_the_same_answers() {
    let Some((both, _drivers)) = Both::of_the_model("hostile") else { return };
    let mut chance = Chance::new(11);
    let mut compared = 0;
    for _ in 0..300 {
        let bytes = chance.rubbish();
        // what differs has its rows: quotes and comments that are left open, and LOGOUT
        if bytes.iter().any(|byte| matches!(byte, b'"' | b'#' | b'\\')) {
            continue;
        }
        compared += 1;
        both.connect().same_to_the_end(&bytes);
    }
    assert!(compared > 30, "{compared}");
    let long = "x".repeat(400);
    let words = "w ".repeat(60);
    let many = "GET VAR ups ups.status\nLIST VAR bare\nFROB\n".repeat(300);
    for text in [
        "",
        "GET VAR ups ups.status",
        "GET VAR ups ups.status\nLIST UPS",
        "\n\n\n",
        "\r\n\r\r\n",
        &format!("GET VAR ups {long}\n"),
        &format!("{words}\nNETVER\n"),
        &format!("GET {words}\nNETVER\n"),
        "GET\tVAR\tups\tups.status\n",
        "\u{1}\u{2}NETVER\n",
        "LOGOUT\n",
        "NETVER\nLOGOUT\n",
        &many,
    ] {
        both.connect().same_to_the_end(text.as_bytes());
    }
    // one byte at a time
    let mut slow = both.connect();
    slow.say_slowly(b"GET VAR ups ups.status\n");
    slow.same("NETVER");
    // after all of this they serve
    about(&mut both.user("admin", "secret"), "ups");
}

/// A driver that is stale, hangs, dies and comes back.
#[test]
fn a_driver_that_fails_looks_the_same() {
    let Some((both, mut drivers)) = Both::of_the_model("fails") else { return };
    let mut admin = both.user("admin", "secret");
    let mut other = both.connect();
    about(&mut admin, "ups");
    admin.same("LOGIN ups");
    drivers[0].say("DATASTALE\n");
    admin.until("GET VAR ups ups.status", "ERR DATA-STALE");
    about(&mut admin, "ups");
    about(&mut other, "ups");
    drivers[0].say("DATAOK\n");
    admin.until("GET VAR ups ups.status", "VAR ups ups.status \"OL CHRG\"");
    about(&mut admin, "ups");
    // it is killed
    drivers.remove(0);
    admin.until("GET VAR ups ups.status", "ERR DRIVER-NOT-CONNECTED");
    about(&mut admin, "ups");
    about(&mut other, "ups");
    other.same("LIST CLIENT ups");
    // and forced to shut down meanwhile
    admin.same("FSD ups");
    drivers.insert(0, FakeDriver::start(&both.site, "fake-ups", &model::upses()[0].dump()));
    admin.until("GET VAR ups ups.status", "VAR ups ups.status \"FSD OL CHRG\"");
    about(&mut admin, "ups");
    // it says nothing more
    drivers[0].hang(true);
    admin.until("GET VAR ups ups.status", "ERR DATA-STALE");
    about(&mut admin, "ups");
    drivers[0].hang(false);
    drivers[0].say("PONG\n");
    admin.until("GET VAR ups ups.status", "VAR ups ups.status \"FSD OL CHRG\"");
    about(&mut admin, "ups");
}

/// What a driver says after its dump, right and wrong.
#[test]
fn what_a_driver_says_looks_the_same() {
    let Some((both, drivers)) = Both::of_the_model("says") else { return };
    let mut admin = both.user("admin", "secret");
    for (number, said) in [
        "SETINFO ups.status \"OB DISCHRG LB\"\n",
        "SETINFO ups.new \"a \\\"b\\\" \\\\ c\"\n",
        "SETINFO UPS.NEW \"other case\"\n",
        "DELINFO ups.new\n",
        "DELINFO ups.never\n",
        "SETFLAGS ups.mfr RW STRING\n",
        "SETFLAGS ups.mfr RW NUMBER FROB\n",
        "SETAUX ups.id 4\n",
        "SETAUX ups.id frob\n",
        "ADDENUM input.sensitivity \"new\"\n",
        "ADDENUM input.sensitivity \"new\"\n",
        "DELENUM input.sensitivity \"medium\"\n",
        "DELENUM input.sensitivity \"never\"\n",
        "ADDRANGE battery.charge.low 60 70\n",
        "ADDRANGE battery.charge.low 90 80\n",
        "DELRANGE battery.charge.low 10 50\n",
        "DELRANGE battery.charge.low 1 2\n",
        "ADDCMD new.command\n",
        "ADDCMD new.command\n",
        "ADDCMD Load.OFF\n",
        "DELCMD load.off\n",
        "DELCMD never\n",
        "FROB\n",
        "\n",
        "SETINFO\n",
        "SETINFO ups.half\n",
        "SETINFO ups.three a b\n",
        "ADDENUM ups.never \"x\"\n",
        "ADDRANGE ups.never 1 2\n",
        "SETFLAGS ups.never RW\n",
        "SETINFO ups.empty \"\"\n",
        "SETINFO ups.long \"0123456789012345678901234567890123456789012345678901234567890123456789\"\n",
    ]
    .into_iter()
    .enumerate()
    {
        let done = format!("SETINFO ups.count \"{number}\"\n");
        drivers[0].say(&format!("{said}{done}"));
        admin.until("GET VAR ups ups.count", &format!("VAR ups ups.count \"{number}\""));
        for request in [
            "LIST VAR ups",
            "LIST RW ups",
            "LIST CMD ups",
            "LIST ENUM ups input.sensitivity",
            "LIST RANGE ups battery.charge.low",
            "GET TYPE ups ups.mfr",
            "GET TYPE ups ups.id",
            "SET VAR ups ups.id 12345",
            "SET VAR ups battery.charge.low 65",
            "SET VAR ups input.sensitivity new",
            "INSTCMD ups new.command",
            "INSTCMD ups load.off",
        ] {
            admin.same_after(request, said);
        }
    }
    both.same_orders(&drivers);
}

/// One line of a driver by chance, mostly one that means something.
fn statement(chance: &mut Chance) -> String {
    let variable = chance.one(&[
        "ups.a",
        "ups.b",
        "UPS.A",
        "ups.id",
        "Ups.Upper",
        "input.sensitivity",
        "ups.never",
        "z",
    ]);
    let command = chance.one(&["load.off", "LOAD.off", "a.b", "z", "Beeper.mute"]);
    let value =
        chance.one(&["low", "", "a b", "a \\\"b\\\" c", "\\\\", "0", "-1", "10", "\\#", "x=y", "[a]"]);
    let number = |chance: &mut Chance| chance.one(&["0", "1", "10", "-5", "50", "007", "2147483647"]);
    let (low, high) = (number(chance), number(chance));
    let kind = chance.one(&["RW", "STRING", "NUMBER", "RW STRING", "rw string", "FROB", "RW FROB NUMBER"]);
    match chance.below(14) {
        0..=2 => format!("SETINFO {variable} \"{value}\""),
        3 => format!("DELINFO {variable}"),
        // (one with a quote cannot be deleted: `net-quoted-choices`)
        4 | 5 => {
            let verb = chance.one(&["ADDENUM", "ADDENUM", "DELENUM"]);
            format!("{verb} {variable} \"{}\"", chance.one(&["low", "Low", "", "a b", "10", "x=y"]))
        }
        6 => format!("ADDRANGE {variable} {low} {high}"),
        7 => format!("DELRANGE {variable} {low} {high}"),
        8 => format!("SETAUX {variable} {low}"),
        9 | 10 => format!("SETFLAGS {variable} {kind}"),
        11 => format!("ADDCMD {command}"),
        12 => format!("DELCMD {command}"),
        _ => chance
            .one(&[
                "PONG",
                "DATAOK",
                "FROB a b",
                "setinfo ups.b lower",
                "SETINFO",
                "TRACKING x 0",
                "\"SETINFO\" z q",
            ])
            .into(),
    }
}

#[test]
fn what_a_driver_says_by_chance_looks_the_same() {
    let Some((both, drivers)) = Both::of_the_model("driver-chance") else { return };
    let mut admin = both.user("admin", "secret");
    let mut chance = Chance::new(23);
    for round in 0..250 {
        let mut said: String = (0..1 + chance.below(6)).map(|_| statement(&mut chance) + "\n").collect();
        if std::env::var("QXUPS_TELL").is_ok() {
            println!("{said}");
        }
        said += &format!("SETINFO ups.count \"{round}\"\n");
        drivers[0].say(&said);
        admin.until("GET VAR ups ups.count", &format!("VAR ups ups.count \"{round}\""));
        let mut requests = String::from("LIST VAR ups\nLIST RW ups\nLIST CMD ups\n");
        for variable in ["ups.a", "ups.b", "ups.id", "Ups.Upper", "input.sensitivity", "z"] {
            for request in ["GET TYPE ups", "LIST ENUM ups", "LIST RANGE ups"] {
                requests += &format!("{request} {variable}\n");
            }
        }
        admin.same_after(requests.trim_end(), &said);
    }
}

/// Guesses are slowed down here, and answered in the same words; who has proven a password is not slowed down.
#[test]
fn wrong_users_get_the_same_answers() {
    let Some((both, _drivers)) = Both::of_the_model("wrong") else { return };
    let mut admin = both.user("admin", "secret");
    admin.same("LOGIN ups");
    // each wrong request makes the next one wait longer
    for (user, password, request) in [
        ("admin", "wrong", "LOGIN ups"),
        ("nope", "secret", "FSD ups"),
        ("ADMIN", "secret", "SET VAR ups ups.id x"),
        ("none", "x", "INSTCMD ups load.off"),
        ("none", "x", "PRIMARY ups"),
    ] {
        let mut wrong = both.user(user, password);
        wrong.same(request);
        wrong.same("GET VAR ups ups.status");
    }
    let mut nameless = both.connect();
    for request in ["LOGIN ups", "PASSWORD secret", "LOGIN ups", "USERNAME admin", "LOGIN ups", "LOGIN ups"] {
        nameless.same(request);
    }
    admin.same("FSD ups");
}

/// What differs on purpose, beyond what each connection does (those are in crates/nut's test of the same kind).
#[test]
fn every_difference_of_the_servers_has_a_name() {
    let Some((both, drivers)) = Both::of_the_model("differences") else { return };
    let page = include_str!("../../../../docs/differences-from-nut.md");
    let row = |name: &str| assert!(page.contains(&format!("| `{name}` |")), "{name} has no row");
    let mut admin = both.user("admin", "secret");
    row("net-version");
    let [ours, theirs] = admin.exactly("VER");
    assert_eq!(theirs, ["Network UPS Tools upsd 2.8.0 - http://www.networkupstools.org/"]);
    assert!(ours[0].starts_with("Network UPS Tools upsd 2.8.0 - qxups "), "{ours:?}");
    row("serve-no-flags");
    drivers[0].say("SETFLAGS ups.id\nSETINFO ups.count \"1\"\n");
    admin.until("GET VAR ups ups.count", "VAR ups ups.count \"1\"");
    let [ours, theirs] = admin.exactly("SET VAR ups ups.id x");
    assert_eq!((&ours[0][..], &theirs[0][..]), ("ERR READONLY", "OK"));
    row("net-instcmd-blanks");
    let before = drivers[0].orders().len();
    admin.same("INSTCMD ups load.off \"60 0\"");
    both.site.until("both orders have come", || drivers[0].orders().len() == before + 2);
    let orders: Vec<String> = drivers[0].orders().split_off(before);
    assert!(orders.contains(&"INSTCMD load.off 60 0".into()), "{orders:?}");
    assert!(orders.iter().any(|line| line.trim_end() == "INSTCMD \"load.off\" \"60 0\""), "{orders:?}");
}

/// Logins are counted, a primary forces the shutdown, and waits for the secondaries to leave.
#[test]
fn a_shutdown_looks_the_same() {
    let Some((both, _drivers)) = Both::of_the_model("shutdown") else { return };
    let mut primary = both.user("admin", "secret");
    let mut secondaries: Vec<Pair> = (0..3).map(|_| both.user("second", "\"two words\"")).collect();
    for (count, client) in secondaries.iter_mut().chain([&mut primary]).enumerate() {
        client.same("LOGIN bare");
        client.same("LOGIN bare");
        client.same("LOGIN ups");
        client.until("GET NUMLOGINS bare", &format!("NUMLOGINS bare {}", count + 1));
        client.same("LIST CLIENT bare");
    }
    for client in &mut secondaries {
        for request in ["PRIMARY bare", "MASTER bare", "FSD bare", "GET VAR bare ups.status"] {
            client.same(request);
        }
    }
    for request in ["PRIMARY bare", "MASTER bare", "FSD bare", "FSD bare", "GET VAR bare ups.status"] {
        primary.same(request);
    }
    for left in (0..3).rev() {
        let mut client = secondaries.pop().unwrap();
        client.same("GET VAR bare ups.status");
        client.same("LIST VAR bare");
        // one says goodbye, the others are cut off
        if left == 1 {
            client.same_or_closed("LOGOUT");
        }
        drop(client);
        primary.until("GET NUMLOGINS bare", &format!("NUMLOGINS bare {}", left + 1));
        primary.same("LIST CLIENT bare");
    }
    both.connect().same("GET VAR bare ups.status");
}

/// Orders with their outcome, asked for by others too.
#[test]
fn tracking_looks_the_same() {
    let Some((both, drivers)) = Both::of_the_model("tracking") else { return };
    let mut admin = both.user("admin", "secret");
    let mut other = both.user("second", "\"two words\"");
    for (code, outcome) in [
        (Some(0), "SUCCESS"),
        (Some(1), "ERR UNKNOWN"),
        (Some(2), "ERR INVALID-ARGUMENT"),
        (Some(3), "ERR FAILED"),
        (Some(9), "ERR UNKNOWN"),
        (None, "PENDING"),
    ] {
        drivers[0].answer_orders(code);
        for order in ["INSTCMD ups load.off", "INSTCMD ups load.off 60", "SET VAR ups ups.id rack"] {
            for request in ["SET TRACKING OFF", "GET TRACKING", order, "SET TRACKING ON", "GET TRACKING"] {
                admin.same(request);
            }
            let ids = admin.tracked(order);
            admin.until_each(
                ["GET TRACKING ".to_string() + &ids[0], "GET TRACKING ".to_string() + &ids[1]],
                outcome,
            );
            other.same("SET TRACKING OFF");
            other.each(["GET TRACKING ".to_string() + &ids[0], "GET TRACKING ".to_string() + &ids[1]]);
            other.same("SET TRACKING ON");
            other.each(["GET TRACKING ".to_string() + &ids[0], "GET TRACKING ".to_string() + &ids[1]]);
        }
    }
    for request in ["GET TRACKING frob", "GET TRACKING 00000000-0000-4000-8000-000000000000", "SET TRACKING"]
    {
        admin.same(request);
    }
    both.same_orders(&drivers);
}

/// Users, UPSes and descriptions change, and SIGHUP tells.
#[test]
fn a_reload_looks_the_same() {
    let Some((both, drivers)) = Both::of_the_model("reload") else { return };
    let mut admin = both.user("admin", "secret");
    let mut second = both.user("second", "\"two words\"");
    let mut on_old = both.user("second", "\"two words\"");
    admin.same("LOGIN ups");
    second.same("LOGIN bare");
    on_old.same("LOGIN old");
    admin.same("FSD ups");
    let added = FakeDriver::start(&both.site, "fake-added", "SETINFO ups.status \"OL\"\nDATAOK\nDUMPDONE\n");
    let kept: String = both
        .ups_conf()
        .split_inclusive('[')
        .filter(|part| !part.starts_with("Old]"))
        .collect::<String>()
        .replace("A \\\"good\\\" one", "Another");
    both.write(
        "ups.conf",
        &format!("{}\n[added]\ndriver = fake\nport = auto\ndesc = \"New\"\n", kept.trim_end_matches('[')),
    );
    both.write(
        "upsd.users",
        "[admin]\npassword = changed\ninstcmds = ALL\n[second]\npassword = \"two words\"\nactions = SET\n\
         [fresh]\npassword = f\nupsmon primary\n",
    );
    both.reload();
    let mut looking = both.connect();
    looking.until("GET VAR added ups.status", "VAR added ups.status \"OL\"");
    let [ours, theirs] = looking.exactly("LIST UPS").map(|lines| lines[1].clone());
    assert_eq!((ours.contains(" added "), theirs.contains(" added ")), (false, true), "`serve-order`");
    for ups in ["ups", "bare", "gone", "added", "old"] {
        about(&mut looking, ups);
    }
    // those that were there before the users changed
    for client in [&mut admin, &mut second] {
        for ups in ["ups", "bare", "added", "old"] {
            about(client, ups);
            client.same(&format!("FSD {ups}"));
            client.same(&format!("LOGIN {ups}"));
        }
    }
    on_old.same_or_closed("GET VAR ups ups.status");
    let mut fresh = both.user("fresh", "f");
    let mut changed = both.user("admin", "changed");
    for client in [&mut fresh, &mut changed] {
        for ups in ["ups", "bare", "added", "old"] {
            about(client, ups);
        }
        client.same("LOGIN added");
        client.same("FSD added");
    }
    drop((drivers, added));
}

/// The servers themselves end and start again: what they knew of clients is gone, and nothing else.
#[test]
fn a_restart_looks_the_same() {
    let Some((mut both, _drivers)) = Both::of_the_model("restart") else { return };
    let mut admin = both.user("admin", "secret");
    for request in ["LOGIN ups", "FSD ups", "GET VAR ups ups.status", "GET NUMLOGINS ups"] {
        admin.same(request);
    }
    both.restart();
    let mut admin = both.user("admin", "secret");
    admin.until("GET VAR ups ups.status", "VAR ups ups.status \"OL CHRG\"");
    admin.until("GET VAR bare ups.status", "VAR bare ups.status \"OB LB\"");
    for ups in ["ups", "old", "gone", "bare"] {
        about(&mut admin, ups);
    }
    std::thread::sleep(Duration::from_millis(10));
}
