//! Writes what fuzzing begins with, from the tables, the simulator and `captures/`: one folder for each
//! target, below the one that is named.
//!
//!     cargo run -p testbed --example fuzz_seeds -- fuzz/corpus

use battery::{Bank, Chemistry, Estimator, UpsIdentity};
use driver::upgrade::UPGRADES;
use nut::driver_socket::SocketRequest;
use qx::protocols;
use qx::usb::bridge::Carriage;
use qx::usb::bridges;
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use simulator::profile::Profile;
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use station::driver_kind;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A good UPS is asked so often in a session.
const GOOD: &str = ".\r";

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err(std::io::Error::other("name the folder for the seeds"));
    };
    let mut seeds = Seeds { folder, count: BTreeMap::new() };
    for (number, protocol) in (0..).zip(protocols::ALL) {
        conversations(&mut seeds, number, protocol)?;
    }
    captures(&mut seeds, Path::new("captures"))?;
    configurations(&mut seeds)?;
    requests(&mut seeds)?;
    network(&mut seeds)?;
    files_of_upsd(&mut seeds)?;
    rows_of_history(&mut seeds)?;
    packets_of_brokers(&mut seeds)?;
    reports(&mut seeds)?;
    batteries(&mut seeds)?;
    snmp(&mut seeds)?;
    agentx(&mut seeds)?;
    for (target, count) in seeds.count {
        println!("{target}: {count} seeds");
    }
    Ok(())
}

struct Seeds {
    folder: PathBuf,
    count: BTreeMap<&'static str, u32>,
}

impl Seeds {
    fn write(&mut self, target: &'static str, bytes: &[u8]) -> std::io::Result<()> {
        let folder = self.folder.join(target);
        std::fs::create_dir_all(&folder)?;
        let number = self.count.entry(target).or_default();
        *number += 1;
        std::fs::write(folder.join(format!("seed-{number}")), bytes)
    }
}

/// What a good UPS says to each question, sessions with it, and every order that it takes.
fn conversations(seeds: &mut Seeds, number: u8, protocol: &'static Protocol) -> std::io::Result<()> {
    let mut ups = SimulatedUps::new(protocol, Profile::default(), Trouble::new(1), Script::default());
    let mut session = vec![number];
    for query in protocol.queries {
        ups.receive(&[query.wire(0), b"\r".to_vec()].concat(), Moment::ZERO);
        let mut reply = vec![];
        while let Some(due) = ups.poll_timeout() {
            reply.extend(ups.poll_output(due).unwrap_or_default());
        }
        seeds.write("replies", reply.strip_suffix(b"\r").unwrap_or(&reply))?;
        session.extend(reply);
    }
    seeds.write("session", &session)?;
    seeds.write("session", &[vec![number], GOOD.repeat(60).into_bytes()].concat())?;

    let mut orders: Vec<String> = ["kill", "gone\r!back", "leap"].map(String::from).into();
    for command in protocol.all_commands() {
        orders.push(match command.parameter {
            Some(parameter) => format!("{} {}", command.name, parameter.least),
            None => command.name.into(),
        });
    }
    let settings = protocol.all_settings().map(|row| row.var.name);
    orders.extend(
        settings.chain(protocol.delays.iter().map(|row| row.var.name)).map(|name| format!("set {name}=60")),
    );
    // several in a session: obeyed in silence, then refused
    for (how, orders) in (0..8).cycle().zip(orders.chunks(6)) {
        let lines = orders.iter().map(|order| format!("!{order}\r\r.\r!{order}\r(NAK\r{}", GOOD.repeat(3)));
        let text = GOOD.repeat(protocol.queries.len() + 3) + &lines.collect::<String>();
        seeds.write("orders", &[&[number, how], text.as_bytes()].concat())?;
    }
    Ok(())
}

/// The recorded conversations, also as a log of the driver.
fn captures(seeds: &mut Seeds, folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "log") {
            let text = std::fs::read_to_string(path)?;
            let lines = text.lines().filter(|line| line.starts_with(['>', '<', '-']));
            let log: String = lines.map(|line| format!("     0.006 {line}\n")).collect();
            seeds.write("captures", text.as_bytes())?;
            seeds.write("captures", log.as_bytes())?;
        }
    }
    Ok(())
}

/// A section for every driver, with each of its options.
fn configurations(seeds: &mut Seeds) -> std::io::Result<()> {
    let mut texts =
        vec!["maxretry = 3\nuser = root\n[u]\ndriver = nutdrv_qx\nport = auto\ndesc = \"a # b\"\n".into()];
    for kind in driver_kind::ALL {
        let name = kind.name;
        texts.extend(kind.all_options().map(|option| {
            format!(
                "pollinterval = 1\n[u]\n\tdriver = {name}\n\tport = /dev/ttyS0\n\t{} = 12\n\t{}\n",
                option.name, option.name
            )
        }));
    }
    for upgrade in UPGRADES {
        let options: String = upgrade.options.iter().map(|(name, _)| format!("{name} = 1:2\n")).collect();
        texts.extend(
            upgrade.drivers.iter().map(|name| format!("[u]\ndriver = {name}\nport = /dev/ttyS0\n{options}")),
        );
    }
    for text in texts {
        seeds.write("configuration", text.as_bytes())?;
        seeds.write("ups_conf", text.as_bytes())?;
    }
    Ok(())
}

/// Each request that a client of the driver socket can make.
fn requests(seeds: &mut Seeds) -> std::io::Result<()> {
    let (name, text) = (|| "load.off".to_string(), || Some("a \"b\" \\c".to_string()));
    for request in [
        SocketRequest::Ping,
        SocketRequest::DumpAll,
        SocketRequest::DumpValue { variable: "ups.status".into() },
        SocketRequest::DumpStatus,
        SocketRequest::GetPid,
        SocketRequest::Broadcast(true),
        SocketRequest::Broadcast(false),
        SocketRequest::Logout,
        SocketRequest::InstCmd { name: name(), parameter: text(), tracking: text() },
        SocketRequest::Set { variable: name(), value: "60".into(), tracking: text() },
    ] {
        seeds.write("driver_socket", request.line().as_bytes())?;
    }
    Ok(())
}

/// GET, GETNEXT, SET and GETBULK of upsOutputSource by the community `public`, in v1 and v2c (RFC 3416); and texts of a UPS.
fn snmp(seeds: &mut Seeds) -> std::io::Result<()> {
    let binding = b"\x30\x10\x30\x0e\x06\x0a\x2b\x06\x01\x02\x01\x21\x01\x04\x01\x00\x05\x00";
    for (version, kind) in [(0, 0xa0), (1, 0xa0), (1, 0xa1), (1, 0xa3), (1, 0xa5)] {
        let head = [0x30, 0x2b, 2, 1, version, 4, 6, b'p', b'u', b'b', b'l', b'i', b'c', kind, 0x1e];
        let numbers = [2, 4, 0x12, 0x34, 0x56, 0x78, 2, 1, 0, 2, 1, 9];
        seeds.write("snmp_requests", &[&head[..], &numbers, binding].concat())?;
    }
    seeds.write(
        "snmp_requests",
        b"OB LB RB CAL\nFan failure. Bus voltage below minimum value.\nin progress\n-12.6",
    )
}

/// Get, GetNext and GetBulk of the UPS-MIB (RFC 2741, section 6.2) by a master, in the default context and in one with a name, and
/// TestSet; the first two bytes say whether the session is open and how the rest is cut.
fn agentx(seeds: &mut Seeds) -> std::io::Result<()> {
    let word = |number: u32| number.to_be_bytes();
    let name = |parts: &[u32]| {
        let count = u8::try_from(parts.len()).unwrap_or_default();
        [count, 2, 0, 0].into_iter().chain(parts.iter().flat_map(|part| word(*part))).collect::<Vec<_>>()
    };
    let range = [name(&[1, 33, 1, 2, 4, 0]), name(&[1, 34])].concat();
    for (kind, flags, in_front) in [
        (5, 0x10, &[][..]),
        (6, 0x10, &[]),
        (6, 0x18, b"\0\0\0\x04rack"),
        (7, 0x10, &[0, 0, 0, 9]),
        (8, 0x10, &[]),
    ] {
        let payload = [in_front, &range].concat();
        let length = u32::try_from(payload.len()).unwrap_or_default();
        let head = [7, 5, 6, length].into_iter().flat_map(word);
        let packet: Vec<u8> =
            [0, 200, 1, kind, flags, 0].into_iter().chain(head).chain(payload.iter().copied()).collect();
        seeds.write("agentx_packets", &packet)?;
    }
    Ok(())
}

/// What clients of upsd ask, and what it answers.
fn network(seeds: &mut Seeds) -> std::io::Result<()> {
    let user = "USERNAME a\nPASSWORD b\n";
    for asked in [
        "STARTTLS\nVER\nNETVER\nPROTVER\nHELP\nLIST UPS\nLIST VAR u\nLOGOUT\n",
        "LIST RW u\nGET DESC u n\nGET TYPE u n\nGET VAR u n\nLIST RANGE u n\nLIST ENUM u t\n",
        "LIST CMD u\nGET CMDDESC u c\nGET UPSDESC u\nLIST CLIENT u\nLIST CLIENTS u\nGET NUMLOGINS u\n",
        "LOGIN u\nPRIMARY u\nMASTER u\nFSD u\nFSD u CLEAR\nGET VAR u ups.status\n",
        "SET TRACKING ON\nGET TRACKING\nGET TRACKING x\nSET VAR u t \"a \\\"\"\nSET VAR u n -5\nINSTCMD u c 60\n",
        "GET VAR u \"a # b\"\n\\V\\E\\R # x\nGET=\r\n\n",
    ] {
        seeds.write("network_server", format!("{user}{asked}").as_bytes())?;
    }
    for asked in [
        "/ups/fresh\nups=a&target=b\nlocalhost:1\ntext/plain",
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n\r\n",
        "GET http://[::1]:1/api/v1/ups/a%2Fb?x=%41+ HTTP/1.1\r\nHost: [::1]:1\r\nIf-None-Match: \"1\"\r\n\r\n",
        "GET /api/v1/events?ups=fresh HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "OL <b>\"'&\\\r\u{0}\u{2028}",
    ] {
        seeds.write("http_requests", asked.as_bytes())?;
    }
    let token = "07".repeat(32);
    for asked in [
        "name=J%C3%BCrgen+X&password=a%26b&empty=&flag&name=twice".to_string(),
        "http://localhost\nsame-site\nhttps, http\nx\nqxups-session=1; qxups-form=2".into(),
        format!("login\nqxups-form={token}\ntoken={token}&name=admin&password=secret"),
        format!("account\nqxups-form={token}\ntoken={token}&code=x&name=me&password=long+enough"),
        format!("ups/rack/order\nqxups-session={token}\ntoken={token}&mark={token}"),
        "api/v1/ups/rack/commands/load.off\n\nvalue=1".into(),
        "api/v1/ups/rack/settings/ups.id\n\nvalue=%00".into(),
    ] {
        seeds.write("page_forms", asked.as_bytes())?;
    }
    let answered = [
        "Network UPS Tools upsd 2.8.0 - x\n",
        "BEGIN LIST UPS\nUPS u \"a \\\"b\\\"\"\nEND LIST UPS\n",
        "BEGIN LIST VAR u\nVAR u v \"1\"\nEND LIST VAR u\n",
        "BEGIN LIST RW u\nRW u v \"1\"\nEND LIST RW u\n",
        "BEGIN LIST CMD u\nCMD u c\nEND LIST CMD u\n",
        "BEGIN LIST CLIENT u\nCLIENT u ::1\nEND LIST CLIENT u\n",
        "BEGIN LIST ENUM u v\nENUM u v \"a\"\nEND LIST ENUM u v\n",
        "BEGIN LIST RANGE u v\nRANGE u v \"1\" \"2\"\nEND LIST RANGE u v\n",
        "VAR u v \"a\"\n",
        "TYPE u v RW ENUM STRING:10\n",
        "NUMLOGINS u 1\n",
        "ERR FAILED\n",
        "ON\n",
        "ERR USERNAME-REQUIRED\n",
        "OK STARTTLS\n",
        "OK Goodbye\n",
    ];
    for (first, _) in (0u8..).zip(answered) {
        let lines: String = answered.iter().cycle().skip(first.into()).take(16).copied().collect();
        seeds.write("network_client", &[&[first], lines.as_bytes()].concat())?;
    }
    Ok(())
}

/// Each directive of upsd.conf, and the kinds of users.
fn files_of_upsd(seeds: &mut Seeds) -> std::io::Result<()> {
    for directive in nut::upsd_conf::Directive::all() {
        for value in ["15", "yes", "* 3493", "::1 nut", "REQUIRE", "\"a b\" \"c\"", ""] {
            seeds.write("upsd_conf", format!("# x\n{directive} {value}\n").as_bytes())?;
        }
    }
    for directive in nut::upsmon_conf::UpsmonDirective::all() {
        let text = format!(
            "MONITOR a@[::1]:1 2 u p primary\n{directive} {}\nNOTIFYFLAG ONBATT EXEC\n",
            directive.form()
        );
        seeds.write("upsmon_conf", text.as_bytes())?;
    }
    for event in nut::upsmon_conf::UpsmonEvent::all() {
        let text = format!(
            "CMDSCRIPT /x\nPIPEFN /p\nLOCKFN /l\nAT {event} * START-TIMER t 30\nAT {event} a EXECUTE b\n\
             AT ONLINE * CANCEL-TIMER t w\nNOTIFYCMD /y\nNOTIFYFLAG {event} EXEC\nNOTIFYMSG {event} \"%s\"\n"
        );
        seeds.write("upsmon_conf", text.as_bytes())?;
    }
    for text in [
        "[admin]\n password = secret\n actions = SET FSD\n instcmds = ALL\n",
        "[mon]\npassword=\"a b\"\nupsmon primary\n[second]\nupsmon = slave\n",
        "[a]\npassword = \"$argon2id$v=19$m=4096,t=3,p=1$c2FsdA$aGFzaA\"\ninstcmds = c@u ALL@v\n",
        "[nas]\npassword = 123456\nallowfrom = 192.0.2.0/24 fd00::/8 localhost\n",
    ] {
        seeds.write("upsd_users", text.as_bytes())?;
    }
    for text in [
        "[history]\nenabled = true\nfile = \"history.sqlite\"\nsize_mib = 0x40\n",
        "[web]\nlisten = [ \"127.0.0.1:3494\",\n  '[::1]:3494' ]\n",
        "history.enabled = true\nhistory = { size_mib = 1_024 }\n",
        "[[notify]]\nwhen = \"charge below 30\"\nups = [\"r*\"]\nto = [\"a\"]\n[outputs.a]\nkind = \"exec\"\ncommand = [\"/x\"]\n",
        "[outputs.w]\nkind = \"webhook\"\nurl = \"https://h/{{id}}\"\nheaders = { T = \"{{title}}\" }\n",
        "[outputs.m]\nkind = \"smtp\"\nserver = \"h:25\"\ntls = \"none\"\nfrom = \"a@b\"\nto = [\"c@d\"]\n",
        "[mqtt]\nserver = \"[::1]:8883\"\nca = \"a\"\nuser = \"u\"\npassword_file = \"p\"\nversion = \"5\"\nsite = \"s\"\n\
         prefix = \"a/b\"\ndiscovery = \"homeassistant\"\ncommands = [\"beeper.mute\", \"u:load.on\"]\nkeep_alive = 30\nevery = 10\nrepeat = 600\n",
    ] {
        seeds.write("qxups_toml", text.as_bytes())?;
    }
    // bodies of lines, to which the target adds the sums; and what a server of mail says
    for text in [
        "S\trule\tups\ton battery\t1\t5\t6\t7\t8\nO\trule\tups\nA\tboot\t12\n",
        "P\t1\ta\t0\t1\t5\t4\t0\tid\trule\tups\tbegan\tONBATT\ttitle\ttext\\nmore\tOB\theld\nB\t1\nD\t1\nG\t1\n",
        "220 hello\r\n250-me\r\n250 STARTTLS\r\n250 fine\r\n354 go on\r\n250 taken\r\n",
    ] {
        seeds.write("notify_outbox", text.as_bytes())?;
    }
    Ok(())
}

/// What brokers say, behind a byte for the version: a welcome, a subscription that is there, orders, the word of Home
/// Assistant, an end. Bytes of MQTT 3.1.1 and 5, by hand.
fn packets_of_brokers(seeds: &mut Seeds) -> std::io::Result<()> {
    let message = |head: u8, topic: &str, more: &[u8]| {
        let mut body = vec![0, topic.len() as u8];
        body.extend(topic.bytes());
        body.extend(more);
        [&[head, body.len() as u8][..], &body].concat()
    };
    let command = "q/s/rack/command";
    let old: [&[u8]; 6] = [
        &[0, 0x20, 2, 0, 0, 0x90, 3, 0, 1, 0, 0xd0, 0, 0xb0, 2, 0, 2, 0x90, 4, 0, 3, 0, 0],
        &message(0x30, command, b"beeper.toggle"),
        &message(0x31, "q/s/gone/ups/status", b"OL"),
        &message(0x3a, command, b"\0\x07beeper.toggle"),
        &message(0x30, "homeassistant/status", b"online"),
        &[0x40, 2, 0, 4],
    ];
    seeds.write("mqtt_packets", &old.concat())?;
    let new: [&[u8]; 5] = [
        &[1, 0x20, 11, 0, 0, 8, 0x21, 0, 1, 0x27, 0, 0, 0, 60, 0x90, 4, 0, 1, 0, 0, 0xd0, 0],
        &message(0x30, command, b"\0load.off 30"),
        &message(0x32, command, b"\0\x07\x05\x02\0\0\0\x1ebeeper.toggle"),
        &[0x40, 4, 0, 4, 0x87, 0],
        &[0xe0, 2, 0x8e, 0],
    ];
    seeds.write("mqtt_packets", &new.concat())
}

/// Rows of samples: values that stay, that move, and that are missing.
fn rows_of_history(seeds: &mut Seeds) -> std::io::Result<()> {
    for step in 1..5_u32 {
        let mut block = history::SampleBlock::default();
        for (place, quantity) in (0..360).flat_map(|place| history::Quantity::ALL.map(|one| (place, one))) {
            let value = i32::try_from(place / step % 9 * (step - 1)).unwrap_or(0);
            block.add(history::SeriesKey::said(quantity), place * step, history::Bucket::of(2300 + value));
        }
        seeds.write("history_rows", &block.encode())?;
    }
    Ok(())
}

/// A status over each bridge, as a converter would send it.
fn reports(seeds: &mut Seeds) -> std::io::Result<()> {
    let status: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000\r";
    let siblings = bridges::ALL.iter().filter_map(|bridge| Some(bridge.sibling.as_ref()?.bridge));
    for (number, bridge) in (0..).zip(bridges::ALL.iter().copied().chain(siblings)) {
        let pieces = match bridge.carriage {
            Carriage::Reports(reports) => reports.packing.pack(status).unwrap_or_default(),
            Carriage::Strings(_) => vec![status.to_vec()],
        };
        let mut seed = vec![number, 0, 2];
        for piece in pieces {
            seed.push(piece.len() as u8);
            seed.extend(piece);
        }
        seeds.write("reports", &seed)?;
    }
    Ok(())
}

/// What is kept of a battery, without its sum, and samples of an outage.
fn batteries(seeds: &mut Seeds) -> std::io::Result<()> {
    let rest = "strength 60.000 0.2000\nbest 70.000\ntilt 1.0000 0.1000\n";
    for (cells, chemistry, word, cell) in [
        (6, Chemistry::LeadAcid, "lead-acid", [2.12, 2.03, 1.70]),
        (12, Chemistry::LeadAcid, "lead-acid", [2.05, 1.98, 1.80]),
        (8, Chemistry::Lfp, "lfp", [3.40, 3.25, 2.90]),
    ] {
        let [open_v, begin_v, end_v] = cell;
        let volts = format!(
            "open {open_v:.4} 0.0200\ndrop 0.0500 0.0200\nfall 0.1000 0.0500\nend {end_v:.4} 0.0500\n"
        );
        let unit = "unit device.model PM 636\ncontradicted no\n";
        let body =
            format!("qxups battery 2\nbank {word} {cells}\n{unit}{rest}{volts}discharges 2\nmissing 0.10\n");
        let whole = format!("{body}sum {:08x}\n", sum(&body));
        let bank = Bank::new(cells, chemistry);
        Estimator::remembering(bank, &UpsIdentity::default(), &whole).map_err(std::io::Error::other)?;
        let sample = |step: u16| {
            let share = f64::from(step.saturating_sub(5)) / 55.0;
            let cell_v = if step < 5 { open_v } else { begin_v + (end_v - begin_v) * share };
            let [high, low] = ((100.0 * f64::from(cells) * cell_v) as u16).to_be_bytes();
            // ten seconds, volts, a load of 40 percent, mains or battery
            [0, 100, high, low, 0x0f, 0xa0, u8::from(step >= 5)]
        };
        let samples: Vec<u8> = (0..60).flat_map(sample).collect();
        let first = [cells as u8, u8::from(chemistry == Chemistry::Lfp)];
        seeds.write("battery_memory", &[&first, body.as_bytes(), &[0], &samples].concat())?;
    }
    Ok(())
}

/// FNV-1a, as a memory has it.
fn sum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
