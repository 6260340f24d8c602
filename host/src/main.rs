//! The `tancheck` binary. Started as a worker, it is the guest process of one plugin, where `tancheck-worker` is missing.

use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all: a guest has one thread, and no use for anything that the host sets up.
    if tancheck::worker::is_guest() {
        tancheck::worker::guest_main();
    }
    tancheck::cli::main()
}
