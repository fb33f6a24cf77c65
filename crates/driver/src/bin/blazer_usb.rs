//! The drop-in for NUT's `blazer_usb`.

use std::process::ExitCode;

fn main() -> ExitCode {
    driver::program::main("blazer_usb")
}
