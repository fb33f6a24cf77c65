//! Bridges: what each sends and takes, byte for byte as NUT does (`nutdrv_qx.c`), and nothing made up
//! from any reports.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use proptest::prelude::*;
use qx::line::nuls::without_nuls;
use qx::protocols;
use qx::usb::bridge::{Bridge, Carriage, Framing, Inlet};
use qx::usb::bridges;
use qx::usb::transfers::{
    Transfer, TransferOutcome, TransferStep, Transfers, command_in, descriptor_of, text_of,
};

const REPLY: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000";

/// A command of which a transfer fails may have arrived, and may not; its silence is none.
#[test]
fn a_transfer_that_fails_is_told_from_silence() {
    for bridge in every() {
        // two pieces, where the bridge cuts
        let command = if bridge.name == "omron" { "S.5R0003S.5R0003" } else { "S.5R0003" };
        if !bridge.carries(command.as_bytes()) {
            continue;
        }
        let fails_at = |at: usize| {
            let mut transfers = Transfers::new(bridge, command.as_bytes(), 1, false);
            for made in 0..400 {
                match transfers.next() {
                    TransferStep::Done(reply) => return (made, transfers.has_failed(), reply),
                    TransferStep::Do(..) if made == at => transfers.handle(TransferOutcome::Failed),
                    TransferStep::Do(
                        Transfer::ControlOut { .. } | Transfer::InterruptOut { .. } | Transfer::Pause(_),
                        _,
                    ) => transfers.handle(TransferOutcome::Data(vec![])),
                    TransferStep::Do(..) => transfers.handle(TransferOutcome::Nothing),
                }
            }
            panic!("{}: no end", bridge.name);
        };
        let (all, failed, reply) = fails_at(usize::MAX);
        assert!(!failed && reply.is_none(), "{}: this is silence", bridge.name);
        let told = (0..all).filter(|at| fails_at(*at).1).count();
        let pieces = sends_of(bridge, command);
        // each piece that goes out counts, and the transfer that should bring the reply
        let awaits = usize::from(!bridge.is_answerless(command.as_bytes()));
        assert!(told == pieces + awaits && told > 0, "{}: {told} of {all}, {pieces} pieces", bridge.name);
        assert!(bridge.name != "omron" || pieces == 2, "{pieces}");
    }
}

/// How many transfers carry a command out.
fn sends_of(bridge: &'static Bridge, command: &str) -> usize {
    let (made, _) = run_transfers(bridge, command, vec![]);
    let is_out = |transfer: &&Transfer| {
        matches!(transfer, Transfer::ControlOut { .. } | Transfer::InterruptOut { .. })
    };
    made.iter().filter(is_out).count()
}

/// What went out, and what came of it when these transfers came in, in this order.
fn run_transfers(
    bridge: &'static Bridge,
    command: &str,
    mut incoming: Vec<Vec<u8>>,
) -> (Vec<Transfer>, Option<Vec<u8>>) {
    let mut transfers = Transfers::new(bridge, command.as_bytes(), 1, false);
    let mut made = vec![];
    incoming.reverse();
    for _ in 0..400 {
        match transfers.next() {
            TransferStep::Done(reply) => return (made, reply),
            TransferStep::Do(transfer, _) => {
                let outcome = match &transfer {
                    Transfer::ControlOut { .. } | Transfer::InterruptOut { .. } | Transfer::Pause(_) => {
                        TransferOutcome::Data(vec![])
                    }
                    _ => incoming.pop().map_or(TransferOutcome::Nothing, |data| {
                        if data.is_empty() { TransferOutcome::Nothing } else { TransferOutcome::Data(data) }
                    }),
                };
                made.push(transfer);
                transfers.handle(outcome);
            }
        }
    }
    panic!("{}: no end", bridge.name);
}

#[test]
fn behind_a_late_reply_the_answer_is_listened_for() {
    let mut transfers = Transfers::listening(&bridges::CYPRESS, b"S.5");
    let TransferStep::Do(Transfer::InterruptIn { .. }, _) = transfers.next() else {
        panic!("nothing is sent")
    };
    transfers.handle(TransferOutcome::Data(b"(NAK\r\0\0\0".to_vec()));
    assert_eq!(transfers.next(), TransferStep::Done(Some(b"(NAK".to_vec())));
    // a string is asked for, it does not come by itself
    assert_eq!(Transfers::listening(&bridges::KRAULER, b"C").next(), TransferStep::Done(None));
}

fn out(transfers: &[Transfer]) -> Vec<(u16, Vec<u8>)> {
    let data = |transfer: &Transfer| match transfer {
        Transfer::ControlOut { value, data, .. } => Some((*value, data.clone())),
        Transfer::InterruptOut { endpoint, data } => Some((u16::from(*endpoint), data.clone())),
        _ => None,
    };
    transfers.iter().filter_map(data).collect()
}

fn pieces(reply: &[u8], size: usize) -> Vec<Vec<u8>> {
    let line = [reply, b"\r"].concat();
    let padded = |piece: &[u8]| {
        let mut piece = piece.to_vec();
        piece.resize(size, 0);
        piece
    };
    line.chunks(size).map(padded).collect()
}

#[test]
fn cypress_cuts_into_eights() {
    let (made, reply) = run_transfers(&bridges::CYPRESS, "S.5R0003", pieces(REPLY, 8));
    assert_eq!(out(&made), [(0x0200, b"S.5R0003".to_vec()), (0x0200, b"\r\0\0\0\0\0\0\0".to_vec())]);
    assert_eq!(reply.as_deref(), Some(REPLY));
    assert_eq!(made.len(), 2 + 6, "six reports of 48 bytes, and no wait for more");
    let Transfer::ControlOut { request_type, request, index, .. } = made[0] else { panic!() };
    assert_eq!((request_type, request, index), (0x21, 0x09, 0));
}

#[test]
fn phoenix_reads_old_replies_away() {
    let mut incoming = pieces(b"(old", 8);
    incoming.push(vec![]); // nothing more of it
    incoming.extend(pieces(REPLY, 8));
    let (made, reply) = run_transfers(&bridges::PHOENIX, "Q1", incoming);
    assert_eq!(reply.as_deref(), Some(REPLY));
    assert!(matches!(made[0], Transfer::InterruptIn { endpoint: 0x81, length: 8 }));
    assert_eq!(out(&made), [(0x0200, b"Q1\r\0\0\0\0\0".to_vec())]);
}

#[test]
fn one_transfer_brings_it_all() {
    for (bridge, size, piece) in
        [(&bridges::IPPON, 64, 8), (&bridges::OMRON, 64, 16), (&bridges::GTEC, 128, 8)]
    {
        let (made, reply) = run_transfers(bridge, "Q1", pieces(REPLY, size));
        let mut sent = b"Q1\r".to_vec();
        sent.resize(piece, 0);
        assert_eq!(out(&made), [(0x0002, sent)], "{}", bridge.name);
        assert_eq!(reply.as_deref(), Some(REPLY), "{}", bridge.name);
        // a reply without its end is one as well where a transfer is a reply
        if bridge.name != "gtec" {
            let (_, reply) = run_transfers(bridge, "Q1", vec![REPLY.to_vec()]);
            assert_eq!(reply.as_deref(), Some(REPLY), "{}", bridge.name);
        }
    }
}

/// A checksum or a binary reply may have a zero where a report ends.
#[test]
fn a_zero_at_the_end_of_a_report_is_no_padding() {
    let line = b"(929317011\x001510\0\0";
    for bridge in [&bridges::CYPRESS, &bridges::FUJI] {
        assert_eq!(
            run_transfers(bridge, "Q1", pieces(line, 8)).1.as_deref(),
            Some(&line[..]),
            "{}",
            bridge.name
        );
    }
    // without an end nobody can tell
    let (_, reply) = run_transfers(&bridges::IPPON, "Q1", vec![line.to_vec()]);
    assert_eq!(reply.as_deref(), line.strip_suffix(b"\0\0"));
}

#[test]
fn sgs_counts() {
    let counted = |bytes: &[u8]| -> Vec<Vec<u8>> {
        let report = |piece: &[u8]| {
            let mut report = [&[piece.len() as u8], piece].concat();
            report.resize(8, 0x55); // what is not counted may be anything
            report
        };
        bytes.chunks(7).map(report).collect()
    };
    let (made, reply) = run_transfers(&bridges::SGS, "Q1", counted(REPLY));
    assert_eq!(out(&made), [(0x0200, b"\x03Q1\r\0\0\0\0".to_vec())]);
    assert_eq!(reply.as_deref(), Some(REPLY), "without its end, after a silence");
    let (made, reply) = run_transfers(&bridges::SGS, "Q1", counted(&[REPLY, b"\r"].concat()));
    assert_eq!(reply.as_deref(), Some(REPLY));
    assert_eq!(made.len(), 1 + 7, "with its end nothing is waited for");
}

#[test]
fn armac_tags_its_reports_and_is_not_asked_everything() {
    let report = |piece: &[u8]| {
        let mut report = [&[0x50 | piece.len() as u8], piece].concat();
        report.resize(6, 0);
        report
    };
    let line = [REPLY, b"\r"].concat();
    let (made, reply) = run_transfers(&bridges::ARMAC, "Q1", line.chunks(5).map(report).collect());
    assert_eq!(out(&made), [(0x0200, b"\xa3Q1\r".to_vec())]);
    assert_eq!(reply.as_deref(), Some(REPLY));
    let (made, reply) = run_transfers(&bridges::ARMAC, "QGS", vec![]);
    assert_eq!((made.len(), reply.as_deref()), (0, Some(&b"QGS"[..])), "refused at once");
    let (made, _) = run_transfers(&bridges::ARMAC, "S.5R0003", vec![]);
    assert_eq!(
        out(&made).iter().map(|(_, data)| data.clone()).collect::<Vec<_>>(),
        [b"\xa3S.5".to_vec(), b"\xa3R00".to_vec(), b"\xa303\r".to_vec()]
    );
}

#[test]
fn armac_has_long_reports_as_well() {
    let line = [REPLY, b"\r"].concat();
    let mut report = [&[0x80 | line.len() as u8], &line[..]].concat();
    report.resize(64, 0);
    let (made, reply) = run_transfers(&bridges::ARMAC_LONG, "Q1", vec![report]);
    assert_eq!(out(&made), [(0x02, b"\xa3Q1\r".to_vec())]);
    assert_eq!(reply.as_deref(), Some(REPLY));
}

/// A Vultech V2000 sends zero bytes for some status bits (NUT 2.8.5 nutdrv_qx.c, armac_command).
#[test]
fn armac_takes_zero_bytes_for_status_bits_only() {
    let with_zeros = |at: std::ops::Range<usize>| {
        let mut line = [REPLY, b"\r"].concat();
        line[at].fill(0);
        let report = |piece: &[u8]| {
            let mut report = [&[piece.len() as u8], piece].concat();
            report.resize(6, 0);
            report
        };
        run_transfers(&bridges::ARMAC, "Q1", line.chunks(5).map(report).collect()).1.unwrap()
    };
    let torn = [&[40][..], &REPLY[..38], &[0, 0]].concat();
    let (_, reply) = run_transfers(&bridges::ARMAC_LONG, "Q1", vec![torn]);
    assert_eq!(
        reply.as_deref(),
        Some(&b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00"[..]),
        "without its end too"
    );
    assert_eq!(with_zeros(43..46), b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000");
    assert_eq!(with_zeros(1..3), b"(\0\x006.0 195.0 226.0 014 49.0 27.5 30.0 00001000");
}

#[test]
fn phoenixtec_waits_for_no_reply_to_a_command() {
    let (made, reply) =
        run_transfers(&bridges::PHOENIXTEC, "WH", vec![b"(00 10.06".to_vec(), b" 03.09\r".to_vec()]);
    assert_eq!(reply.as_deref(), Some(&b"(00 10.06 03.09"[..]));
    assert_eq!(
        made[0],
        Transfer::ControlOut {
            request_type: 0x42,
            request: 0x0d,
            value: 0,
            index: 0,
            data: b"WH\r".to_vec()
        }
    );
    for command in ["T", "T05", "S.5R0003", "CT", "SS---1,00", "TUD,00"] {
        assert_eq!(run_transfers(&bridges::PHOENIXTEC, command, vec![]).0.len(), 1, "{command}");
    }
    for question in ["Q3", "MSO", "GS,00"] {
        assert!(run_transfers(&bridges::PHOENIXTEC, question, vec![]).0.len() > 1, "{question}");
    }
}

#[test]
fn fuji_frames_three_letters() {
    let (made, reply) = run_transfers(&bridges::FUJI, "Q1", pieces(REPLY, 8));
    assert_eq!(out(&made), [(0x02, b"\x80\x06\x03\x03Q1\0\x2f".to_vec())]);
    assert_eq!(reply.as_deref(), Some(REPLY));
    assert_eq!(
        out(&run_transfers(&bridges::FUJI, "S02", vec![]).0),
        [(0x02, b"\x80\x06\x04\x03S02\0".to_vec())]
    );
    // there is no room for a time of return; to stay off is something else, and refused
    assert_eq!(
        out(&run_transfers(&bridges::FUJI, "S.5R0003", vec![]).0),
        [(0x02, b"\x80\x06\x04\x03S.5\0".to_vec())]
    );
    for refused in ["S.5R0000", "T10R2", "S123R0003", "SR0003x"] {
        let (made, reply) = run_transfers(&bridges::FUJI, refused, vec![]);
        assert_eq!((made.len(), reply.as_deref()), (0, Some(refused.as_bytes())));
    }
}

#[test]
fn ablerex_sends_one_report_and_waits() {
    let mut reply = [REPLY, b"\r"].concat();
    reply.resize(47, 0);
    let (made, said) = run_transfers(&bridges::ABLEREX, "Q1", vec![reply]);
    assert_eq!(said.as_deref(), Some(REPLY));
    let (value, data) = &out(&made)[0];
    assert_eq!((*value, data.len(), &data[..6]), (0x0305, 47, &b"\x05\x00\x03Q1\r"[..]));
    assert_eq!(made[1], Transfer::Pause(500));
    let asked =
        Transfer::ControlIn { request_type: 0xa1, request: 0x01, value: 0x0305, index: 0, length: 47 };
    assert_eq!(made[2], asked);
}

fn string_read(made: &[Transfer]) -> Option<u8> {
    made.iter()
        .rev()
        .find_map(|transfer| if let Transfer::String { index, .. } = transfer { Some(*index) } else { None })
}

#[test]
fn strings_are_replies() {
    let said = |text: &[u8]| vec![descriptor_of(text)];
    let (made, reply) = run_transfers(&bridges::KRAULER, "Q1", said(&[b"@", &REPLY[1..], b"\r"].concat()));
    assert_eq!((string_read(&made), reply.as_deref()), (Some(3), Some(REPLY)), "its first byte is put right");
    let (_, reply) = run_transfers(&bridges::KRAULER, "Q1", said(&[b"\r", &REPLY[1..], b"\r"].concat()));
    assert_eq!(reply.as_deref(), Some(REPLY), "whatever it is");
    let (_, reply) = run_transfers(&bridges::KRAULER, "T", said(b"X"));
    assert_eq!(reply, None, "a command that was taken says nothing");
    let no = || descriptor_of(b"UPS No Ack");
    let (made, reply) =
        run_transfers(&bridges::KRAULER, "F", vec![no(), no(), descriptor_of(b"@230.0 003 024.0 50.0\r")]);
    assert_eq!((made.len(), reply.as_deref()), (3, Some(&b"#230.0 003 024.0 50.0"[..])));
    let (made, reply) = run_transfers(&bridges::FABULA, "Q1", said(REPLY));
    assert_eq!((string_read(&made), reply.as_deref()), (Some(3), Some(REPLY)));
    assert_eq!(run_transfers(&bridges::FABULA, "Q", vec![no()]).1, None);
    assert_eq!(
        run_transfers(&bridges::FABULA, "QGS", vec![]).1.as_deref(),
        Some(&b"QGS"[..]),
        "answered at once"
    );
}

/// What a converter sends that has nothing to say: NULs and a carriage return (ippon: "empty response will look
/// like 0x00 0x0D", NUT 2.8.0 nutdrv_qx.c, ippon_command), one alone, or NULs alone.
#[test]
fn a_converter_may_say_nothing_in_bytes() {
    for bridge in every() {
        for (nothing, size) in
            [(&b"\0\r"[..], 64), (b"\r", 64), (b"\0\0\0\0\0\r", 64), (b"\0\0", 2), (b"", 0)]
        {
            let incoming = match bridge.carriage {
                Carriage::Strings(_) => vec![descriptor_of(nothing); 10],
                Carriage::Reports(reports) => {
                    let size = size.min(match reports.inlet {
                        Inlet::Interrupt { size, .. } | Inlet::Report { size, .. } => size,
                    });
                    let mut report = match reports.unpacking {
                        Framing::Counted { .. } => [&[nothing.len() as u8], nothing].concat(),
                        _ => nothing.to_vec(),
                    };
                    report.resize(size.max(report.len()), 0);
                    // nothing is left of an old reply
                    let before = (reports.flush > 0).then(Vec::new);
                    before.into_iter().chain([report]).collect()
                }
            };
            for command in ["Q1", "Q", "C", "T", "S.5R0003", "QMOD"] {
                let (made, reply) = run_transfers(bridge, command, incoming.clone());
                let unsent = reply.as_deref() == Some(command.as_bytes()) && made.is_empty();
                assert!(reply.is_none() || unsent, "{} {command}: {reply:?}", bridge.name);
            }
        }
    }
}

/// "Nothing" that comes late is no late reply: it says nothing of the silence before it.
#[test]
fn nothing_that_comes_late_is_no_stray() {
    for (old, is_stray) in [(&b"\0\r"[..], false), (b"\r", false), (b"", false), (b"(NAK\r", true)] {
        let mut report = old.to_vec();
        report.resize(64, 0);
        let mut transfers = Transfers::new(&bridges::IPPON, b"Q1", 1, true);
        transfers.handle(TransferOutcome::Data(report));
        assert_eq!(transfers.met_strays(), is_stray, "{}", old.escape_ascii());
    }
}

/// Before it is woken up an snr gives zeros (NUT 2.8.0 nutdrv_qx.c, snr_command): asked again, and never shown
/// with a `(` in front.
#[test]
fn strings_of_zeros_are_read_again() {
    for bridge in [&bridges::KRAULER, &bridges::SNR] {
        let zeros = || descriptor_of(&[0; 48]);
        let dummy = (bridge.name == "snr").then(Vec::new);
        let said = [zeros(), zeros(), descriptor_of(&[b"@", &REPLY[1..], b"\r"].concat())];
        let (_, reply) = run_transfers(bridge, "Q1", dummy.clone().into_iter().chain(said).collect());
        assert_eq!(reply.as_deref(), Some(REPLY), "{}", bridge.name);
        let (_, reply) = run_transfers(bridge, "Q1", dummy.into_iter().chain(vec![zeros(); 10]).collect());
        assert_eq!(reply, None, "{}", bridge.name);
    }
}

#[test]
fn a_shutdown_of_fabula_is_a_number() {
    for (command, index) in [
        ("S.5R0003", Some(0x18)),
        ("S.5R0000", Some(0x10)),
        ("S.6R0000", Some(0x20)),
        ("S.9R0001", Some(0x58)),
        ("S01R0000", Some(0x60)),
        ("S02R0005", Some(0x78)),
        ("S10R0000", Some(0xf0)),
        ("S03", Some(0x88)),
        // the least is half a minute
        ("S00R0000", Some(0x10)),
        // NUT cuts what is longer than ten minutes
        ("S11R0000", None),
        ("S99R0003", None),
        ("C", Some(0x0a)),
        ("T", None),
    ] {
        for bridge in [&bridges::FABULA, &bridges::HUNNOX] {
            let Carriage::Strings(strings) = bridge.carriage else { panic!() };
            assert_eq!((strings.index)(command), index, "{command}");
            if let Some(index) = index {
                let read = (strings.command)(index).unwrap();
                assert_eq!((strings.index)(&read), Some(index), "{command} is read as {read}");
            }
        }
    }
}

#[test]
fn hunnox_keeps_in_step() {
    let reads = |command: &str, step: usize| -> Vec<u8> {
        let mut transfers = Transfers::new(&bridges::HUNNOX, command.as_bytes(), step, false);
        let mut read = vec![];
        while let TransferStep::Do(transfer, _) = transfers.next() {
            if let Transfer::String { index, .. } = transfer {
                read.push(index);
            }
            transfers.handle(TransferOutcome::Data(descriptor_of(b"(x")));
        }
        read
    };
    assert_eq!(reads("Q1", 0), [0, 0, 1, 0x0d, 3]);
    assert_eq!(reads("Q1", 1), [3], "what is read anyway is not read twice");
    assert_eq!(reads("Q1", 2), [0x0c, 3]);
    assert_eq!(reads("F", 3), [0x0d]);
    assert_eq!(reads("BL", 4), [3, 0xf3]);
}

#[test]
fn devices_are_told_apart() {
    for (vendor, product, maker, name, bridge) in [
        (0x0665, 0x5161, "", "", Some("cypress")),
        (0x06da, 0x0002, "", "", Some("cypress")),
        (0x06da, 0x0002, "Phoenixtec Power", "USB Cable (V2.00)", Some("phoenixtec")),
        (0x06da, 0x0003, "", "", Some("ippon")),
        (0x0001, 0x0000, "", "", Some("krauler")),
        (0x0001, 0x0000, "MEC", "MEC0003", Some("fabula")),
        (0x0001, 0x0000, "mec", "mec0003", Some("fabula")),
        (0x0001, 0x0000, "HNX", "MEC0003", Some("hunnox")),
        (0x0001, 0x0000, "ATCL FOR UPS", "ATCL FOR UPS", Some("fuji")),
        (0x0925, 0x1234, "", "", Some("armac")),
        (0xffff, 0x0000, "", "", Some("ablerex")),
        (0x0483, 0x0035, "", "", Some("sgs")),
        (0x0590, 0x00b7, "", "", Some("omron")),
        // a serial adapter is no UPS (the newest NUT takes it for one)
        (0x1a86, 0x7523, "", "", None),
        (0x0665, 0x5162, "", "", None),
    ] {
        let found = bridges::of_device(vendor, product, maker, name).map(|bridge| bridge.name);
        assert_eq!(found, bridge, "{vendor:04x}:{product:04x} '{maker}' '{name}'");
    }
}

/// Every bridge, and those that a device with other endpoints has.
fn every() -> Vec<&'static Bridge> {
    let siblings = bridges::ALL.iter().filter_map(|bridge| Some(bridge.sibling.as_ref()?.bridge));
    bridges::ALL.iter().copied().chain(siblings).collect()
}

/// Checksums among them, which are no text.
#[test]
fn every_question_arrives_byte_for_byte() {
    let questions = protocols::ALL.iter().flat_map(|protocol| protocol.queries).map(|query| query.wire(0));
    for question in questions {
        for bridge in every().into_iter().filter(|bridge| bridge.carries(&question)) {
            let Carriage::Reports(reports) = bridge.carriage else { continue };
            let (mut transfers, mut heard, mut arrived) =
                (Transfers::new(bridge, &question, 1, false), vec![], vec![]);
            while let TransferStep::Do(transfer, _) = transfers.next() {
                let sent = out(&[transfer]);
                arrived.extend(
                    sent.iter().filter_map(|(_, report)| command_in(&reports.packing, &mut heard, report)),
                );
                transfers.handle(if sent.is_empty() {
                    TransferOutcome::Nothing
                } else {
                    TransferOutcome::Data(vec![])
                });
            }
            assert_eq!(arrived.concat(), question, "{} {}", bridge.name, question.escape_ascii());
        }
    }
}

/// Two rows that say the same of a device would make chance choose.
#[test]
fn no_two_rows_claim_the_same_device() {
    let rows: Vec<_> = bridges::ALL.iter().flat_map(|bridge| bridge.ids).collect();
    for (at, id) in rows.iter().enumerate() {
        assert!(!rows[..at].contains(id), "{id:?}");
    }
    assert!(bridges::ALL.windows(2).all(|pair| pair[0].name < pair[1].name));
}

fn framings() -> Vec<(&'static str, Framing, Framing)> {
    let of = |bridge: &&'static Bridge| match bridge.carriage {
        Carriage::Reports(reports) => Some((bridge.name, reports.packing, reports.unpacking)),
        Carriage::Strings(_) => None,
    };
    bridges::ALL.iter().filter_map(of).collect()
}

/// A line of any bytes, many of them zeros, but no report full of those: it would carry nothing.
fn line(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![1 => Just(0u8), 6 => any::<u8>().prop_filter("no end", |byte| *byte != b'\r')];
    prop::collection::vec(byte, length)
        .prop_filter("no empty report", |line| !line.windows(8).any(|w| w == [0; 8]))
}

/// What may come of a transfer.
fn outcome() -> impl Strategy<Value = TransferOutcome> {
    let descriptor = prop::collection::vec(any::<u8>(), 0..120).prop_map(|text| descriptor_of(&text));
    prop_oneof![
        12 => prop::collection::vec(any::<u8>(), 0..70).prop_map(TransferOutcome::Data),
        4 => descriptor.prop_map(TransferOutcome::Data),
        4 => Just(TransferOutcome::Data(vec![])),
        1 => Just(TransferOutcome::Nothing),
        1 => Just(TransferOutcome::Stalled),
        1 => Just(TransferOutcome::Failed),
    ]
}

/// The end of transfers with these outcomes, and nothing behind them.
fn ended(mut transfers: Transfers, outcomes: &[TransferOutcome]) -> Option<Vec<u8>> {
    let mut outcomes = outcomes.iter().cloned();
    for _ in 0..400 {
        match transfers.next() {
            TransferStep::Done(reply) => return reply,
            TransferStep::Do(..) => transfers.handle(outcomes.next().unwrap_or(TransferOutcome::Nothing)),
        }
    }
    panic!("{transfers:?}: no end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A converter understands what the driver sends.
    #[test]
    fn commands_come_out_as_they_went_in(command in line(1..20)) {
        for (name, packing, _) in framings() {
            // its shutdowns lose their time of return: fuji_frames_three_letters
            if name == "fuji" && command.starts_with(b"S") && command.contains(&b'R') {
                continue;
            }
            let Some(reports) = packing.pack(&[&command[..], b"\r"].concat()) else { continue };
            let mut heard = vec![];
            let understood: Vec<Vec<u8>> =
                reports.iter().filter_map(|report| command_in(&packing, &mut heard, report)).collect();
            prop_assert_eq!(understood, vec![command.clone()], "{}", name);
        }
    }

    /// And the driver what a converter sends.
    #[test]
    fn replies_come_out_as_they_went_in(reply in line(1..80)) {
        // nothing but zeros is silence: a_converter_may_say_nothing_in_bytes
        prop_assume!(reply.iter().any(|byte| *byte != 0));
        for bridge in every() {
            let Carriage::Reports(reports) = bridge.carriage else { continue };
            let line = [&reply[..], b"\r"].concat();
            // where a zero stands for a digit it does not come out as it went in
            if reports.zero_digits_from.is_some() && reply.contains(&0) {
                continue;
            }
            let size = if let Inlet::Interrupt { size, .. } = reports.inlet { size } else { continue };
            let packed: Vec<Vec<u8>> = match reports.unpacking {
                Framing::Whole => line.chunks(size).map(<[u8]>::to_vec).collect(),
                framing @ Framing::Counted { .. } => framing.pack(&line).unwrap(),
                framing if size == 8 => framing.pack(&line).unwrap(),
                _ if line.len() <= size => vec![line.clone()],
                _ => continue,
            };
            // nothing is left of an old reply
            let nothing = (reports.flush > 0).then(Vec::new);
            let packed = nothing.into_iter().chain(packed).collect();
            prop_assert_eq!(run_transfers(bridge, "Q1", packed).1, Some(reply.clone()), "{}", bridge.name);
        }
    }

    /// Any outcomes: no panic, no endless wait, and nothing that no report carried.
    #[test]
    fn any_outcomes_are_borne(
        outcomes in prop::collection::vec(outcome(), 0..40),
        command in prop_oneof!["[A-Z][A-Z0-9.,]{0,11}".prop_map(String::into_bytes), line(0..20)],
        step in 0usize..5,
        settle: bool,
    ) {
        let data = |outcome: &TransferOutcome| if let TransferOutcome::Data(data) = outcome { data.clone() } else { vec![] };
        let said: Vec<u8> = outcomes.iter().flat_map(data).collect();
        for bridge in every() {
            let reply = ended(Transfers::new(bridge, &command, step, settle), &outcomes);
            let echoed = reply.as_deref() == Some(&command[..]);
            prop_assert!(!reply.iter().flatten().any(|byte| *byte == b'\r'), "{} {:?}", bridge.name, reply);
            let digit = |byte: &u8| *byte == b'0' && said.contains(&0);
            let known = |byte: &u8| said.contains(byte) || matches!(byte, b'(' | b'#' | b'?') || digit(byte);
            prop_assert!(echoed || reply.iter().flatten().all(known), "{} {:?}", bridge.name, reply);
        }
    }

    /// What is left of any line is a part of it, without NULs but those that the question's reply may end in,
    /// and the same when it is looked at again.
    #[test]
    fn nuls_are_taken_off_and_nothing_else(
        text in line(0..40),
        before in 0usize..4,
        behind in 0usize..9,
        which: prop::sample::Index,
    ) {
        let questions: Vec<Vec<u8>> =
            protocols::ALL.iter().flat_map(|protocol| protocol.queries).map(|query| query.wire(0)).collect();
        let question = &questions[which.index(questions.len())];
        let reply = [&vec![0; before][..], &text, &vec![0; behind]].concat();
        match without_nuls(question, reply.clone()) {
            None => prop_assert!(reply.iter().all(|byte| *byte == 0)),
            Some(told) => {
                prop_assert!(told == *question || told.first() != Some(&0));
                let at = reply.windows(told.len()).position(|part| part == told).unwrap();
                prop_assert!(reply[..at].iter().chain(&reply[at + told.len()..]).all(|byte| *byte == 0));
                prop_assert_eq!(without_nuls(question, told.clone()), Some(told));
            }
        }
    }

    #[test]
    fn texts_are_read_from_descriptors(text in "[ -~]{0,126}", torn: prop::sample::Index) {
        let descriptor = descriptor_of(text.as_bytes());
        prop_assert_eq!(text_of(&descriptor), Some(text.as_bytes().to_vec()));
        let cut = &descriptor[..torn.index(descriptor.len())];
        prop_assert_eq!(text_of(cut), None, "torn");
    }
}

/// The other ends are made from the table, so a bridge that no test here names could be wrong and pass everywhere.
#[test]
fn every_bridge_has_its_bytes_by_hand() {
    let tests = include_str!("bridges.rs");
    for bridge in bridges::ALL {
        let constant = format!("bridges::{}", bridge.name.to_uppercase().replace('-', "_"));
        assert!(tests.contains(&constant), "{constant}: write the bytes of one exchange, from its source");
    }
}
