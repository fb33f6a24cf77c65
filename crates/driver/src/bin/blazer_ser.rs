//! The drop-in for NUT's `blazer_ser`.

use std::process::ExitCode;

fn main() -> ExitCode {
    driver::program::main("blazer_ser")
}
