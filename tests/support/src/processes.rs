//! What the processes need that another one started.

use std::fs;
use std::path::Path;

/// The proportional set sizes of a process' children, in KiB; those that ended meanwhile are left out.
#[must_use]
pub fn proportional(parent: u32) -> Vec<u64> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let listed = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let ids = listed.flat_map(|ids| ids.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    ids.filter_map(|id| size(&id)).collect()
}

fn size(id: &str) -> Option<u64> {
    let rollup = fs::read_to_string(Path::new("/proc").join(id).join("smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
