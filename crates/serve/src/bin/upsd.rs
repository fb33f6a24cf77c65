//! The server, under the name by which Debian's unit and people's scripts start it; for tests of both also a driver,
//! under a driver's name.

use driver::program;
use station::driver_kind::DriverKind;
use std::process::ExitCode;

fn main() -> ExitCode {
    match DriverKind::of_program(std::env::args_os().next().as_deref()) {
        Some(kind) => program::main(kind.name),
        None => serve::program::main(),
    }
}
