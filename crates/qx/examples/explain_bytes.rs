//! Explains bytes of which only the question is known: which letter of the picture is what, and which one is wrong.
//!
//!     cargo run -p qxups-proto --example explain_bytes [QUESTION REPLY]

use qx::text::explain;
use std::io::Write;

fn main() -> std::io::Result<()> {
    // not println!, which panics where the reader has left
    let mut out = std::io::stdout().lock();
    let given: Vec<String> = std::env::args().skip(1).collect();
    let (question, replies) = match &given[..] {
        [question, reply] => (question.as_str(), vec![reply.as_str()]),
        // a good one, and one with a garbled digit
        _ => (
            "Q1",
            vec![
                "(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000",
                "(226.0 195.0 226.0 014 4?.0 27.5 30.0 00001000",
            ],
        ),
    };
    for reply in replies {
        match explain::best(&explain::queries(Some(question)), reply.as_bytes()) {
            Some(query) => writeln!(out, "{}", explain::explain(query, reply.as_bytes()))?,
            None => writeln!(out, "no dialect asks {question}")?,
        }
    }
    Ok(())
}
