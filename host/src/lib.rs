//! tancheck.
