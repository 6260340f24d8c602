//! tancheck.
fn main() {}
