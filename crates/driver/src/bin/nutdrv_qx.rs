//! The drop-in for NUT's `nutdrv_qx`.

use std::process::ExitCode;

fn main() -> ExitCode {
    driver::main::main("nutdrv_qx")
}
