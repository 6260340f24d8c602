//! A kernel without landlock: refused, unless the administrator allows a weaker sandbox, and then said so.
#![cfg(target_os = "linux")]

use crate::{built, library, sandboxed};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
use std::collections::BTreeMap;
use tancheck::config::Limits;
use tancheck::worker::describe;

/// Makes landlock absent for this thread and the workers it starts.
fn without_landlock() {
    let rules = BTreeMap::from([(libc::SYS_landlock_create_ruleset, Vec::new())]);
    let absent = SeccompAction::Errno(u32::try_from(libc::ENOSYS).unwrap());
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, absent, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    apply_filter(&program).unwrap();
}

#[test]
fn without_landlock_nothing_is_loaded_unless_allowed() {
    let on_this_thread = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if !on_this_thread().block_on(sandboxed("without_landlock_nothing_is_loaded_unless_allowed")) {
        return;
    }
    let library = library(built("tancheck-hostile"));
    let thread = std::thread::spawn(move || {
        without_landlock();
        on_this_thread().block_on(async {
            let failure = describe(&library, &Limits::default()).await.unwrap_err();
            assert!(failure.sentence.contains("lacks landlock"), "{failure}");
            assert!(failure.sentence.contains("limits.allow_weak_sandbox"), "{failure}");
            let weak = Limits { allow_weak_sandbox: true, ..Limits::default() };
            let described = describe(&library, &weak).await.unwrap();
            assert!(!described.sandbox.is_full());
            assert_eq!(described.sandbox.to_string(), "weak: seccomp, without landlock");
        });
    });
    thread.join().unwrap();
}
