//! The `tancheck` binary. The same binary, started as a worker, is the guest process of one plugin.

use std::process::ExitCode;

fn main() -> ExitCode {
    tancheck::cli::main()
}
