//! Loads a library into the guest's process. Nothing else in the program does.
#![expect(
    unsafe_code,
    reason = "loading a library runs its constructors, and its exported static is a raw address"
)]

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use tancheck_plugin_api::abi::{self, Exported, GuestBox, Refused};

/// A plugin may need the system's library for mathematics, and none can be opened once files are shut. A program that
/// calculates nothing would not have it.
#[used]
static MATHEMATICS: fn(f64, f64) -> f64 = f64::powf;

/// Loads the library behind a descriptor, compares layouts, and makes the plugin's guest.
pub(super) fn load(file: &OwnedFd) -> Result<GuestBox, Refused> {
    let descriptors = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
    let path = PathBuf::from(format!("{descriptors}/{}", file.as_raw_fd()));
    // SAFETY: constructors of the library run here. That is foreign code, and this process exists to contain it: it
    // has given up files, network, processes and privileges, and holds nothing of value.
    let library = unsafe { Library::open(Some(&path), RTLD_NOW | RTLD_LOCAL) }.map_err(|error| {
        // The text begins with the path, which is one of ours and tells nothing.
        let text = error.to_string();
        let reason = text.rsplit_once(&format!("{}: ", path.display())).map_or(&*text, |(_, reason)| reason);
        refused(&format!("the system's loader does not accept it ({reason})"), &error)
    })?;
    // SAFETY: the symbol names a static; its address is taken as it is and not read here.
    let exported: *const Exported = unsafe { library.get::<*const Exported>(abi::SYMBOL) }
        .map(|symbol| *symbol)
        .map_err(|error| refused(&format!("it exports no {}", abi::SYMBOL), &error))?;
    // The library stays loaded until the process ends: the guest points into it.
    std::mem::forget(library);
    // SAFETY: the address is that of the static in a library that is never unloaded.
    unsafe { abi::open(exported) }
}

fn refused(sentence: &str, error: &libloading::Error) -> Refused {
    Refused { sentence: sentence.to_owned(), details: error.to_string() }
}
