//! The drop-in for NUT's `nutdrv_qx`.

use std::process::ExitCode;

fn main() -> ExitCode {
    driver::program::main("nutdrv_qx")
}
