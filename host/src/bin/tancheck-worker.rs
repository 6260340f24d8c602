//! The `tancheck-worker` binary: the guest process of one plugin, and nothing else. `tancheck` can be a worker as well,
//! but it is fourteen times larger, and each worker would pay for that when it starts.

fn main() {
    tancheck::worker::guest_main()
}
