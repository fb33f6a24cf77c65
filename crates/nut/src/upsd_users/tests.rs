use super::*;
use proptest::prelude::*;

fn plain(text: &str) -> Option<Password> {
    Some(Password::Plain(text.into()))
}

fn no_hash(_: &str, _: &str) -> bool {
    panic!("a plain password is no hash")
}

/// Debian's own file, and what the manual page shows.
#[test]
fn a_file_is_read() {
    let text = b"[admin]\n\tpassword = mypass\n\tactions = SET\n\tactions = FSD\n\tinstcmds = ALL\n\
        [pfy]\n password = duh\n instcmds = test.panel.start test.panel.stop\n\
        [upswired]\npassword=\"blah blah\"\nupsmon primary\n[observer]\npassword = abcd\nupsmon = slave\n";
    let file = parse(text);
    assert_eq!((&file.wrong[..], &file.remarks[..]), (&[][..], &[][..]));
    let [admin, pfy, upswired, observer] = &file.users[..] else { panic!("{file:?}") };
    assert_eq!(admin.password, plain("mypass"));
    assert_eq!(admin.actions, [AllowedAction::Set, AllowedAction::ForceShutdown]);
    assert!(admin.may_run("load.off", "any") && !admin.may_do(AllowedAction::Login));
    assert!(pfy.may_run("Test.Panel.STOP", "any") && !pfy.may_run("load.off", "any"));
    assert_eq!(upswired.password, plain("blah blah"));
    assert_eq!(
        upswired.actions,
        [AllowedAction::Login, AllowedAction::Primary, AllowedAction::ForceShutdown]
    );
    assert_eq!((observer.line, &observer.actions[..]), (12, &[AllowedAction::Login][..]));
    assert!(file.user("Admin").is_none(), "capitals matter");
}

#[test]
fn what_is_ours_is_read() {
    let text = b"[a]\npassword = \"$argon2id$v=19$m=4096,t=3,p=1$c2FsdA$aGFzaA\"\n\
        instcmds = test.battery.start@myups ALL@other\nallowfrom = 192.0.2.0/24 fd00::/8 localhost\n\
        actions = read\n";
    let file = parse(text);
    assert_eq!(file.wrong, []);
    let user = file.user("a").unwrap();
    let mut seen = vec![];
    let password = user.password.as_ref().unwrap();
    let mut check = |hash: &str, given: &str| {
        seen.push((hash.to_string(), given.to_string()));
        given == "right"
    };
    assert!(password.is("right", &mut check) && !password.is("wrong", &mut check));
    assert_eq!(seen[0].0, "$argon2id$v=19$m=4096,t=3,p=1$c2FsdA$aGFzaA");
    for (command, ups, may) in [
        ("test.battery.start", "MyUPS", true),
        ("test.battery.start", "third", false),
        ("load.off", "myups", false),
        ("load.off", "other", true),
    ] {
        assert_eq!(user.may_run(command, ups), may, "{command} {ups}");
    }
    for (address, may) in [
        ("192.0.2.0", true),
        ("192.0.2.255", true),
        ("192.0.3.0", false),
        ("::ffff:192.0.2.7", true),
        ("fd00::1", true),
        ("fdff::1", true),
        ("fe00::1", false),
        ("127.1.2.3", true),
        ("::1", true),
        ("::2", false),
    ] {
        assert_eq!(user.may_come_from(address.parse().unwrap()), may, "{address}");
    }
    assert!(user.may_do(AllowedAction::Read) && !format!("{file:?}").contains("argon2id"));
}

#[test]
fn a_password_is_compared_whole() {
    let password = Password::Plain("secret".into());
    for (given, is) in
        [("secret", true), ("Secret", false), ("secre", false), ("secrets", false), ("", false)]
    {
        assert_eq!(password.is(given, &mut no_hash), is, "{given}");
    }
    assert!(Password::Plain(String::new()).is("", &mut no_hash));
}

#[test]
fn networks_are_read_or_refused() {
    for (text, fits, does_not) in [
        ("0.0.0.0/0", Some("8.8.8.8"), Some("::1")),
        ("::/0", Some("::1"), Some("8.8.8.8")),
        ("192.0.2.5", Some("192.0.2.5"), Some("192.0.2.4")),
        ("192.0.2.5/31", Some("192.0.2.4"), Some("192.0.2.6")),
        ("2001:db8::1", Some("2001:db8::1"), Some("2001:db8::2")),
    ] {
        let network = Network::parse(text).unwrap();
        assert!(fits.is_none_or(|address| network.contains(address.parse().unwrap())), "{text}");
        assert!(!does_not.is_some_and(|address| network.contains(address.parse().unwrap())), "{text}");
    }
    for text in ["", "a", "192.0.2", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/+8", "::/129", "1.2.3.4/-1"] {
        assert_eq!(Network::parse(text), None, "{text}");
    }
}

/// Everything at once, each with its line and what to do.
#[test]
fn what_is_wrong_is_said_with_its_line() {
    let text = b"password = a\n[a]\npassword b\npassword\npassword =\nupsmon admin\n[my user]\n\
        password = c\n[]\npassword = d\n[a]\npassword = e\n[b]\npassword = \"f#g\"\nallowfrom = host\n\
        [c]\npassword = $argon2id$v=19$m=4096,t=3,p=1$c2FsdA$aGFzaA\n";
    let file = parse(text);
    let said: Vec<String> = file.wrong.iter().map(ToString::to_string).collect();
    let expected = [
        "line 1: 'password' is for no user: put it below the user's [name]",
        "line 3: a line that begins with 'password' has no '=': write password = value",
        "line 4: 'password' has no value: write password = value",
        "line 5: 'password' has no value: write password = value",
        "line 6: upsmon cannot be 'admin': write upsmon primary or upsmon secondary",
        "line 7: '[my user]' is no section: write [name], without blanks; what follows is for no user",
        "line 8: 'password' is for no user: put it below the user's [name]",
        "line 9: the brackets name no user: write [name]",
        "line 10: 'password' is for no user: put it below the user's [name]",
        "line 11: there is a section [a] above: move its settings there, or name another user",
        "line 12: 'password' is for no user: put it below the user's [name]",
        "line 14: a # inside of quotes: close the quotes before it, or write \\#",
        "line 15: allowfrom cannot be 'host': write addresses such as 192.0.2.5, 192.0.2.0/24 or fd00::/8",
        "line 17: the hash of the password is not whole: write it in quotes, as 'qxups passwd' prints it",
    ];
    assert_eq!(said, expected);
    assert_eq!(file.wrong[1].user.as_deref(), Some("a"));
    assert!(file.users.iter().all(|user| user.password.is_none()));
    assert!(!file.users[1].may_come_from("127.0.0.1".parse().unwrap()), "not from everywhere");
}

#[test]
fn what_upsd_accepts_is_accepted() {
    let text = b"[a]\npassword = b c\npassword = d\nactions = SET frob\ncolour = red\nuser x y\n[e] f\n\
        \"password=g\"\nupsmon primary x\n";
    let file = parse(text);
    assert_eq!(file.wrong, []);
    assert_eq!(file.users[0].password, plain("b"));
    assert_eq!(file.users[0].actions, [AllowedAction::Set]);
    assert_eq!(file.users[1].password, plain("g"));
    let said: Vec<_> = file.remarks.iter().map(|remark| (remark.line, remark.matter.clone())).collect();
    let expected = [
        (2, UpsdUsersMatter::PasswordTwice),
        (3, UpsdUsersMatter::PasswordTwice),
        (4, UpsdUsersMatter::NoAction("frob".into())),
        (5, UpsdUsersMatter::Unknown("colour".into())),
        (6, UpsdUsersMatter::Former),
    ];
    assert_eq!(said, expected);
    assert_eq!(file.users.iter().map(|user| user.password_line).collect::<Vec<_>>(), [2, 8]);
    assert_eq!(parse(b"[a]\n").remarks[0].matter, UpsdUsersMatter::NoPassword);
}

/// Found by a review: the password was `geh`, without a word.
#[test]
fn a_comment_in_a_password_is_remarked_upon() {
    let matters = |text: &str| {
        let file = parse(format!("[a]\n{text}\nactions = SET#x\n").as_bytes());
        let said = file.remarks.iter().map(|remark| (remark.line, remark.matter.clone())).collect::<Vec<_>>();
        (file.users[0].password.clone(), said)
    };
    assert_eq!(matters("password = geh#eim"), (plain("geh"), vec![(2, UpsdUsersMatter::PasswordCut)]));
    for (text, password) in [("Password = geh # eim", "geh"), ("password = \"geh\\#eim\"", "geh#eim")] {
        assert_eq!(matters(text), (plain(password), vec![]), "{text}");
    }
}

#[test]
fn profiles_of_nas_boxes_let_in_only_from_named_addresses() {
    let text = b"[monuser]\nprofile = Synology\nallowfrom = 192.0.2.7\n[admin]\nprofile = qnap\n\
        [other]\nprofile = qnap\nprofile = dlink\n";
    let file = parse(text);
    let [synology, qnap, other] = &file.users[..] else { panic!("{file:?}") };
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    assert_eq!((&synology.password, &synology.actions[..]), (&plain("secret"), &[AllowedAction::Login][..]));
    assert!(synology.may_come_from(address("192.0.2.7")) && !synology.may_come_from(address("192.0.2.8")));
    assert_eq!((&qnap.password, qnap.may_come_from(address("127.0.0.1"))), (&plain("123456"), false));
    assert_eq!((&other.password, &other.actions[..]), (&None, &[][..]));
    let said: Vec<String> = file.wrong.iter().map(ToString::to_string).collect();
    let expected = [
        "line 5: every NAS with the profile qnap has the same password: write allowfrom with the addresses of yours",
        "line 7: a NAS with the profile qnap logs in as 'admin': put the profile below [admin]",
        "line 8: profile cannot be 'dlink': write profile = synology or profile = qnap",
    ];
    assert_eq!(said, expected);
}

/// upsd accepts it, so it is no fault.
#[test]
fn a_password_that_every_box_has_is_remarked_upon() {
    let known = |text: &[u8]| parse(text).remarks.iter().map(ToString::to_string).collect::<Vec<_>>();
    let expected = "line 1: every NAS of the kind synology has this name and password: write allowfrom with the \
                    addresses of yours";
    let monuser = |rest: &str| format!("[monuser]\npassword = {rest}\nupsmon secondary\n");
    assert_eq!(known(monuser("secret").as_bytes()), [expected]);
    assert_eq!(known(monuser("other").as_bytes()), [""; 0]);
    assert_eq!(known(monuser("secret\nallowfrom = ::1").as_bytes()), [""; 0]);
}

proptest! {
    #[test]
    fn any_file_is_read(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn anything_like_a_file_is_read(text in "((password|actions|instcmds|allowfrom|upsmon|profile|\\[a\\]|\\[b)?[= \"#a-c/.1:]{0,9}\n){0,9}") {
        let file = parse(text.as_bytes());
        for user in file.users {
            let _ = user.may_come_from(IpAddr::from([127, 0, 0, 1]));
        }
    }
}
