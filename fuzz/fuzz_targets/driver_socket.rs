//! Any bytes from a client of the driver socket: no panic, bounded memory, and what is understood
//! can be written and understood again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nut::driver_socket::{LONGEST_LINE, LineBuffer, SocketRequest, setinfo};

fuzz_target!(|bytes: &[u8]| {
    let mut buffer = LineBuffer::default();
    for chunk in bytes.chunks(7) {
        buffer.push(chunk);
        while let Some(line) = buffer.next_line() {
            let Ok(line) = line else { continue };
            assert!(line.len() <= LONGEST_LINE);
            if let Ok(request) = SocketRequest::parse(&line) {
                let again = request.line();
                assert!(SocketRequest::parse(again.trim_end_matches('\n').as_bytes()).is_ok(), "{again}");
            }
        }
    }
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(setinfo("x", &text).matches('\n').count(), 1);
});
