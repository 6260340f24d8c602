//! What the processes need that another one started.

use std::fs;
use std::path::Path;

/// The proportional set sizes of a process' children, in KiB. Left out are those that ended meanwhile, and those that have
/// only just begun: until a child runs its own program, its memory is its parent's.
#[must_use]
pub fn proportional(parent: u32) -> Vec<u64> {
    let command = |id: &str| fs::read(Path::new("/proc").join(id).join("cmdline")).ok();
    let own = command(&parent.to_string());
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let listed = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let ids = listed.flat_map(|ids| ids.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    ids.filter(|id| command(id) != own).filter_map(|id| size(&id)).collect()
}

fn size(id: &str) -> Option<u64> {
    let rollup = fs::read_to_string(Path::new("/proc").join(id).join("smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
