//! The `tancheck` binary. The same binary, started as a worker, is the guest process of one plugin.

use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all: a guest has one thread, and no use for anything that the host sets up.
    if tancheck::worker::is_guest() {
        tancheck::worker::guest_main();
    }
    tancheck::cli::main()
}
