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
