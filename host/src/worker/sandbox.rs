//! What a guest gives up before it loads its plugin: descriptors, capabilities, files, system calls, memory.
//!
//! Two layers, because neither is enough alone: landlock lets sockets, `fork` and signals pass, and a filter of system
//! calls has to let files be opened for reading while a library is loaded. Landlock has no rules at all: the library
//! comes from the host as an open file in memory, so that not even its own file can be read.
#![expect(unsafe_code, reason = "descriptors by number, a signal handler, and leaving without exit handlers")]

#[cfg(target_os = "linux")]
use super::syscalls;
use super::{Sandbox, protocol::Start};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// The descriptor of the socket, out of the way of the standard streams.
const SOCKET: i32 = 3;

/// Why the guest does not go on.
pub(super) struct Refused {
    /// One sentence.
    pub(super) sentence: String,
    /// More, for a debug log.
    pub(super) details: String,
}

fn refused(sentence: impl Into<String>, details: impl ToString) -> Refused {
    Refused { sentence: sentence.into(), details: details.to_string() }
}

/// Moves the socket from standard input to its place, and closes every other descriptor: landlock does not hold back
/// what is already open.
pub(super) fn take_socket() -> io::Result<UnixStream> {
    let empty = File::open("/dev/null")?;
    // SAFETY: `dup2` reads and writes numbers only. Nothing in this process owns descriptor 3 yet: the guest has just
    // begun, and `empty` is closed by number below if it got that number (its owner is forgotten first).
    let socket = unsafe {
        let null = empty.as_raw_fd();
        std::mem::forget(empty);
        let null = if null == SOCKET { libc::dup(null) } else { null };
        if null < 0 || libc::dup2(0, SOCKET) < 0 || libc::dup2(null, 0) < 0 {
            return Err(io::Error::last_os_error());
        }
        close_from(SOCKET + 1);
        OwnedFd::from_raw_fd(SOCKET)
    };
    let socket = UnixStream::from(socket);
    socket.local_addr()?;
    Ok(socket)
}

/// Closes all descriptors from this one on.
fn close_from(first: i32) {
    #[cfg(target_os = "linux")]
    // SAFETY: the system call takes numbers; nothing in this process owns a descriptor above the socket.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) } == 0;
    #[cfg(not(target_os = "linux"))]
    let closed = false;
    if !closed {
        for descriptor in first..4096 {
            // SAFETY: as above; closing a number that is not open only returns an error.
            unsafe { libc::close(descriptor) };
        }
    }
}

/// Capabilities to none; no dumps and no tracing by others.
pub(super) fn give_up_privileges() -> Result<(), Refused> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
        let none = CapabilitySet::empty();
        set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
            .and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable))
            .map_err(|error| refused("its privileges cannot be dropped", error))?;
        name_refused_calls();
    }
    Ok(())
}

/// Limits, then files, then system calls. What is missing on this kernel is refused, unless the start allows it.
pub(super) fn enter(start: &Start) -> Result<Sandbox, Refused> {
    limit(start).map_err(|error| refused("its limits cannot be set", error))?;
    let landlock = shut_files();
    let seccomp = filter_calls();
    let status = Sandbox { landlock: *landlock.as_ref().unwrap_or(&0), seccomp: seccomp.is_ok() };
    let missing = match (landlock, seccomp) {
        (Err(error), _) => {
            ("landlock, which keeps plugins from files (Linux 5.13, `landlock` in lsm=)", error)
        }
        (_, Err(error)) => ("seccomp, which keeps plugins from system calls", error),
        (Ok(_), Ok(())) => return Ok(status),
    };
    if start.allow_weak_sandbox {
        return Ok(status);
    }
    let (layer, error) = missing;
    Err(refused(
        format!(
            "it was not loaded, because this system lacks {layer}; limits.allow_weak_sandbox runs it anyway"
        ),
        error,
    ))
}

fn limit(start: &Start) -> io::Result<()> {
    let both = |value: u64| Rlimit { current: Some(value), maximum: Some(value) };
    // One second more until the signal that cannot be held back.
    let cpu = Rlimit { current: Some(start.cpu_seconds), maximum: Some(start.cpu_seconds + 1) };
    setrlimit(Resource::Cpu, cpu)?;
    setrlimit(Resource::Core, both(0))?;
    #[cfg(target_os = "linux")]
    {
        setrlimit(Resource::As, both(start.memory))?;
        setrlimit(Resource::Nofile, both(16))?;
        setrlimit(Resource::Fsize, both(0))?;
        setrlimit(Resource::Memlock, both(0))?;
        // Threads count as well; for root the kernel does not look at it.
        setrlimit(Resource::Nproc, both(4096))?;
    }
    Ok(())
}

/// The version of landlock that is in force.
fn shut_files() -> Result<u8, String> {
    #[cfg(target_os = "linux")]
    {
        use landlock::{
            ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, Ruleset, RulesetAttr,
            RulesetStatus, Scope,
        };
        // The first version is what is needed; later ones add what the filter of system calls refuses as well.
        let newest = ABI::V7;
        let status = Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(ABI::V1))
            .map(|ruleset| ruleset.set_compatibility(CompatLevel::BestEffort))
            .and_then(|ruleset| ruleset.handle_access(AccessFs::from_all(newest)))
            .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(newest)))
            .and_then(|ruleset| ruleset.scope(Scope::from_all(newest)))
            .and_then(Ruleset::create)
            .and_then(landlock::RulesetCreated::restrict_self)
            .map_err(|error| error.to_string())?;
        match (status.ruleset, status.landlock) {
            (RulesetStatus::NotEnforced, _) => Err("landlock is not enforced".to_owned()),
            (_, LandlockStatus::Available { effective_abi, .. }) => Ok(effective_abi as u8),
            (_, other) => Err(format!("landlock is {other:?}")),
        }
    }
    #[cfg(not(target_os = "linux"))]
    Err("only Linux has landlock".to_owned())
}

fn filter_calls() -> Result<(), String> {
    #[cfg(target_os = "linux")]
    return syscalls::filter(syscalls::Stage::Loading);
    #[cfg(not(target_os = "linux"))]
    Err("only Linux has seccomp".to_owned())
}

/// After the library was loaded: no further file may be opened or mapped as code.
pub(super) fn tighten(status: Sandbox) -> Result<(), Refused> {
    #[cfg(target_os = "linux")]
    if status.seccomp {
        return syscalls::filter(syscalls::Stage::Loaded)
            .map_err(|error| refused("its system calls cannot be limited further", error));
    }
    let _ = status;
    Ok(())
}

/// Ends the process at once, without exit handlers: the plugin may have registered some that never return.
pub(super) fn leave(code: i32) -> ! {
    // SAFETY: `_exit` takes a number and does not return.
    unsafe { libc::_exit(code) }
}

/// Makes a forbidden system call tell its number before it kills the process.
#[cfg(target_os = "linux")]
fn name_refused_calls() {
    // SAFETY: all-zero is a valid `sigaction` (no flags, empty mask); the handler below has the signature that
    // SA_SIGINFO asks for. Failure leaves the default, which kills without a number.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_refused_call as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_RESETHAND;
        libc::sigaction(libc::SIGSYS, &raw const action, std::ptr::null_mut());
    }
}

/// Writes `seccomp: syscall 0041` and dies of the same signal. Async-signal-safe: no allocation, no lock.
#[cfg(target_os = "linux")]
extern "C" fn on_refused_call(signal: libc::c_int, information: *mut libc::siginfo_t, _: *mut libc::c_void) {
    /// `si_syscall` in a `siginfo_t` of a 64-bit kernel: behind signo, errno, code, padding and the call's address.
    const SYSCALL: usize = 24;
    // SAFETY: the kernel hands a valid `siginfo_t` to a handler with SA_SIGINFO, and the field lies within it.
    let mut number = unsafe { information.cast::<u8>().add(SYSCALL).cast::<i32>().read_unaligned() };
    let mut line = *b"\nseccomp: syscall 0000\n";
    for place in (18..22).rev() {
        line[place] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
    // SAFETY: writes bytes of a local array; then, with the default action restored by SA_RESETHAND, the same signal
    // ends the process. All three calls are permitted by the filter.
    unsafe {
        libc::write(2, line.as_ptr().cast(), line.len());
        libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::syscall(libc::SYS_gettid), signal);
        libc::_exit(128 + signal);
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::super::seal;

    #[test]
    fn a_sealed_library_cannot_be_mapped_for_writing() {
        use rustix::mm::{MapFlags, ProtFlags, mmap};
        let (sealed, _) = seal::copy(tempfile::tempfile().unwrap()).unwrap();
        let map = |protection| {
            // SAFETY: a new mapping at an address of the kernel's choice; nobody touches what it maps.
            unsafe { mmap(std::ptr::null_mut(), 4096, protection, MapFlags::SHARED, &sealed, 0) }
        };
        assert!(map(ProtFlags::READ).is_ok());
        assert_eq!(map(ProtFlags::READ | ProtFlags::WRITE).unwrap_err(), rustix::io::Errno::PERM);
    }
}
