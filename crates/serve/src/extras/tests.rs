use super::*;

fn wrong(text: &str) -> Vec<(usize, String)> {
    let findings = parse(text.as_bytes()).unwrap_err();
    findings.into_iter().map(|finding| (finding.line.unwrap(), finding.text)).collect()
}

#[test]
fn all_is_off_until_it_is_asked_for() {
    for text in
        ["", "# nothing\n", "[history]\n[web]\n", "[history]\nsize_mib = 32\n", "[web]\nlisten = []\n"]
    {
        assert_eq!(parse(text.as_bytes()), Ok(Extras::default()), "{text}");
    }
    let extras = parse(b"[history]\nenabled = true\n").unwrap();
    let expected = HistoryOptions { file: "history.sqlite".into(), size_mib: 64 };
    assert_eq!((extras.history, extras.web.listen.len()), (Some(expected), 0));
    let text = "[history]\nenabled = true\nfile = '/srv/ups \"x\".db'\nsize_mib = 1_024\n\n\
                [web]\nlisten = [\"127.0.0.1:3494\", \"[::1]:3494\"]\n";
    let extras = parse(text.as_bytes()).unwrap();
    let expected = HistoryOptions { file: "/srv/ups \"x\".db".into(), size_mib: 1024 };
    assert_eq!(extras.history, Some(expected));
    assert_eq!(extras.web.listen, ["127.0.0.1:3494".parse().unwrap(), "[::1]:3494".parse().unwrap()]);
}

#[test]
fn what_is_wrong_is_said_with_line_and_remedy() {
    for (text, line, part) in [
        ("\n[histroy]\n", 2, "did you mean history?"),
        ("[klingon]\n", 1, "there are history, mqtt, snmp, web"),
        ("enabled = true\n", 1, "below [history] or [mqtt] or [snmp] or [web]"),
        ("history = true\n", 1, "write [history]"),
        ("[history]\n\nenabeld = true\n", 3, "did you mean enabled?"),
        ("[web]\nport = 80\n", 2, "there are listen, hosts, base, tls, read_only"),
        ("[web]\nhosts = ['a b']\n", 2, "ups.example.org"),
        ("[web]\nhosts = ['ups:80']\n", 2, "without ports"),
        ("[web]\nbase = 'ups'\n", 2, "slash in front"),
        ("[web]\nbase = '/a//b'\n", 2, "slash in front"),
        ("[web]\nread_only = 'yes'\n", 2, "read_only = true, or false"),
        ("[web]\ntls = 'yes'\n", 2, "tls = true, or false"),
        ("[history]\nenabled = 'yes'\n", 2, "enabled = true, or false"),
        ("[history]\nsize_mib = 15\n", 2, "16 to 65536"),
        ("[history]\nsize_mib = -1\n", 2, "16 to 65536"),
        ("[history]\nsize_mib = 99999999999999999999999\n", 2, "16 to 65536"),
        ("[history]\nsize_mib = '64'\n", 2, "without quotes"),
        ("[history]\nsize_mib = 6.5\n", 2, "whole number"),
        ("[history]\nfile = ''\n", 2, "history.sqlite"),
        ("[history]\nfile = 4\n", 2, "history.sqlite"),
        ("[web]\nlisten = '127.0.0.1:1'\n", 2, "no list"),
        ("[web]\nlisten = [\n  '127.0.0.1:3494',\n  'localhost',\n]\n", 4, "127.0.0.1:3494"),
        ("[web]\nlisten = [80]\n", 2, "127.0.0.1:3494"),
        ("[history]\nenabled = true\nenabled = false\n", 3, ""),
        ("[history\nenabled = true\n", 1, ""),
        ("[history]\nenabled = yes\n", 2, ""),
        ("[history]\n\"a\\nb\" = 1\n", 2, "no key a\\nb"),
    ] {
        let found = wrong(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].0, line, "{text}: {found:?}");
        assert!(found[0].1.contains(part) && !found[0].1.contains('\n'), "{text}: {found:?}");
    }
    let many = wrong("[web]\nlisten = 1\n[history]\nfile = 1\nsize = 8\n");
    assert_eq!(many.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4, 5]);
    let findings = parse(b"[history]\n# \xff\n").unwrap_err();
    assert_eq!(findings[0].line, Some(2));
}

#[test]
fn a_certificate_is_wanted_where_bytes_leave_the_machine_or_it_is_said() {
    for (text, wanted) in [
        ("listen = ['127.0.0.1:1', '[::1]:1']", false),
        ("listen = ['127.0.0.1:1', '192.0.2.1:1']", true),
        ("listen = ['192.0.2.1:1']\ntls = false", false),
        ("listen = ['127.0.0.1:1']\ntls = true", true),
        ("tls = true", false),
    ] {
        let extras = parse(format!("[web]\n{text}\n").as_bytes()).unwrap();
        assert_eq!(extras.web.wants_certificate(), wanted, "{text}");
    }
    let extras = parse(b"[web]\nhosts = ['ups.example.org']\nbase = '/power/'\n").unwrap();
    assert_eq!(
        (extras.web.hosts, extras.web.base),
        (vec!["ups.example.org".to_string()], "/power/".to_string())
    );
}

const HOOK: &str = "[outputs.hook]\nkind = 'webhook'\nurl = 'https://h.example.org/x'\n";

#[test]
fn rules_and_outputs_are_read() {
    let text = format!(
        "[[notify]]\nwhen = 'on battery'\nto = ['hook']\n\
         [[notify]]\nname = 'weak'\nwhen = 'charge below 30 %'\nafter_s = 10\nups = ['rack*', 'b']\nto = ['hook', 'm']\n\
         repeat_s = 600\nend = false\n\
         [[notify]]\nwhen = 'secondary missing'\nhosts = ['192.0.2.1', '::ffff:192.0.2.2']\nto = ['run']\n\
         {HOOK}method = 'PUT'\nheaders = {{ Title = '{{{{title}}}}' }}\nper_minute = 3\n\
         [outputs.run]\nkind = 'exec'\ncommand = ['/bin/true', '{{{{ups}}}}']\n\
         [outputs.m]\nkind = 'smtp'\nserver = '[::1]:2525'\ntls = 'none'\nuser = 'u'\npassword = 'p'\n\
         from = 'a@b.org'\nto = ['c@d.org']\n"
    );
    let notify = *parse(text.as_bytes()).unwrap().notify.unwrap();
    let names: Vec<&str> = notify.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["on battery", "weak", "secondary missing"]);
    let weak = &notify.rules[1];
    assert_eq!(
        (weak.after.as_secs(), weak.repeat.map(|it| it.as_secs()), weak.tells_end),
        (10, Some(600), false)
    );
    assert!(
        weak.is_for("Rack7") && weak.is_for("b") && !weak.is_for("other") && notify.rules[0].is_for("other")
    );
    assert_eq!(notify.rules[2].after.as_secs(), 60);
    assert_eq!(notify.rules[2].condition.to_string(), "secondary missing");
    let names: Vec<&str> = notify.outputs.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(names, ["hook", "m", "run"]);
    let OutputKind::Smtp(smtp, None, ServerProof::System) = &notify.outputs[1].kind else {
        panic!("{notify:?}")
    };
    assert_eq!((smtp.host.as_str(), smtp.port), ("::1", 2525));
    assert!(!format!("{notify:?}").contains("example.org/x"), "a URL may be a secret");
    assert!(notify.has_secrets());
}

#[test]
fn what_is_wrong_with_a_rule_or_an_output_is_said_with_its_line() {
    let rule = |text: &str| format!("{HOOK}[[notify]]\nto = ['hook']\n{text}\n");
    let output = |text: &str| format!("[outputs.x]\n{text}\n");
    let mut strange = vec![];
    for (text, line, part) in [
        ("[notify]\nwhen = 'lost'\n".into(), 1, "write [[notify]]"),
        ("outputs = 1\n".into(), 1, "write [outputs]"),
        ("[outputs]\nx = 1\n".into(), 2, "write [outputs.x]"),
        ("[outputs.'a b']\nkind = 'exec'\n".into(), 1, "letters, digits"),
        ("[[notfy]]\n".into(), 1, "did you mean notify?"),
        (rule("when = 'on batery'"), 6, "did you mean on battery?"),
        (rule("when = 'charge below'"), 6, "charge below N"),
        (rule("whenn = 'lost'\nwhen = 'lost'"), 6, "[[notify]] has no key whenn: did you mean when?"),
        (rule("after_s = 5"), 5, "write when = "),
        (rule("when = 'lost'\nafter_s = 0.5"), 7, "0 to 604800"),
        (rule("when = 'lost'\nrepeat_s = 1"), 7, "10 to 604800"),
        (rule("when = 'lost'\nhosts = ['192.0.2.1']"), 7, "leave it out"),
        (rule("when = 'lost'\nbegin = false\nend = false"), 7, "leave out end"),
        (rule("when = 'lost'\nbegin = false\nrepeat_s = 60"), 7, "leave out end"),
        (rule("when = 'secondary missing'"), 6, "which hosts"),
        (rule("when = 'secondary missing'\nhosts = ['nas']"), 7, "192.0.2.7"),
        (rule("when = 'lost'\nups = ['a b']"), 7, "rack*"),
        (rule("when = 'lost'\n[[notify]]\nwhen = 'lost'\nto = ['hook']"), 8, "another name"),
        (format!("{HOOK}[[notify]]\nwhen = 'lost'\nto = ['hok']\n"), 6, "did you mean hook?"),
        (format!("{HOOK}[[notify]]\nwhen = 'lost'\n"), 5, "goes to no output"),
        ("[[notify]]\nwhen = 'lost'\nto = ['a']\n".into(), 3, "add [outputs.a]"),
        (output("per_minute = 1"), 2, "has no kind"),
        (output("kind = 'webhok'"), 2, "did you mean webhook?"),
        (output("kind = 'exec'"), 2, "runs nothing"),
        (output("kind = 'exec'\ncommand = ['echo x']"), 3, "whole path"),
        (output("kind = 'exec'\ncommand = ['/bin/x', '{{titl}}']"), 3, "did you mean title?"),
        (output("kind = 'exec'\ncommand = ['/bin/x']\nurl = 'x'"), 4, "has no key url"),
        (output("kind = 'webhook'"), 2, "has no url"),
        (output("kind = 'webhook'\nurl = 'ntfy.sh/x'"), 3, "https://ntfy.sh"),
        (output("kind = 'webhook'\nurl = 'https://h/{{secret}}'"), 2, "write secret_file"),
        (output("kind = 'webhook'\nurl = 'https://h/'\nsecret_file = 'x'"), 4, "used nowhere"),
        (output("kind = 'webhook'\nurl = 'https://h/'\nmethod = 'GET'"), 4, "POST"),
        (output("kind = 'webhook'\nurl = 'https://h/'\nheaders = { Host = 'x' }"), 4, "cannot be set"),
        (output("kind = 'webhook'\nurl = 'https://h/'\nheaders = { X = 1 }"), 4, "Title"),
        (output("kind = 'webhook'\nurl = 'https://h/'\nfingerprint = 'x'"), 4, "no fingerprint"),
        (output("kind = 'sendmail'\nto = ['a@b']"), 2, "needs both"),
        (output("kind = 'sendmail'\nfrom = 'a'\nto = ['a@b']"), 3, "no address"),
        (output("kind = 'sendmail'\nfrom = 'a@b'\nto = ['a@b\\nBcc: x@y']"), 4, "admin@example.org"),
        (output("kind = 'smtp'\nfrom = 'a@b'\nto = ['c@d']"), 2, "has no server"),
        (output("kind = 'smtp'\nserver = 'h:x'\nfrom = 'a@b'\nto = ['c@d']"), 3, "mail.example.org:587"),
        (
            output("kind = 'smtp'\nserver = 'h'\ntls = 'ssl'\nfrom = 'a@b'\nto = ['c@d']"),
            4,
            "there are starttls",
        ),
        (output("kind = 'smtp'\nserver = 'h'\nuser = 'u'\nfrom = 'a@b'\nto = ['c@d']"), 4, "password_file"),
        (
            output(
                "kind = 'smtp'\nserver = 'h'\ntls = 'none'\nuser = 'u'\npassword = 'p'\nfrom = 'a@b'\nto = ['c@d']",
            ),
            4,
            "in the clear",
        ),
    ] {
        let found = wrong(&text);
        let is_right =
            |(at, said): &(usize, String)| *at == line && said.contains(part) && !said.contains('\n');
        if found.len() != 1 || !is_right(&found[0]) {
            strange.push(format!("{text}{line} {part}: {found:?}"));
        }
    }
    assert!(strange.is_empty(), "{}", strange.join("\n"));
}

/// Each block of docs/notifications.md that is a piece of the file, all of them together.
#[test]
fn the_examples_of_the_page_are_taken_as_they_stand() {
    let page = include_str!("../../../../docs/notifications.md");
    let (mut text, mut is_inside) = (String::new(), false);
    for line in page.lines() {
        let code = line.strip_prefix("    ");
        is_inside = match code {
            Some(code) => is_inside || code.starts_with("[outputs.") || code.starts_with("[[notify]]"),
            None => is_inside && line.is_empty(),
        };
        if is_inside {
            text += code.unwrap_or_default();
            text.push('\n');
        }
    }
    let notify = *parse(text.as_bytes()).unwrap_or_else(|wrong| panic!("{text}\n{wrong:?}")).notify.unwrap();
    let outputs: Vec<&str> = notify.outputs.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(outputs, ["gotify", "log", "mail", "matrix", "phone"]);
    assert_eq!(notify.rules.len(), 3);
}
