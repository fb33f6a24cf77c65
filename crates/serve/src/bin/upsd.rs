//! The server, under the name by which Debian's unit and people's scripts start it.

use std::process::ExitCode;

fn main() -> ExitCode {
    serve::program::main()
}
