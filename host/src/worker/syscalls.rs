//! The system calls of a guest: what a computation needs, and nothing that reaches out of the process.
//!
//! Three filters follow one another: one answers `ENOSYS` (a caller then falls back to an older call whose arguments can
//! be seen), one `EPERM` (libraries ask such things by habit and can live without), and one traps everything that is not
//! named: it ends the guest, and the handler tells which call it was.

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};
use std::collections::BTreeMap;

/// How far the guest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The library is about to be loaded: files may be opened for reading (landlock lets only the sealed one through)
    /// and mapped as code.
    Loading,
    /// The library is loaded.
    Loaded,
}

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// Puts the filters of a stage in force, for this thread and those it starts.
pub(super) fn filter(stage: Stage) -> Result<(), String> {
    install(stage).map_err(|error| error.to_string())
}

fn install(stage: Stage) -> Result<(), seccompiler::Error> {
    apply_filter(&joined(filters(stage)?))
}

/// Filters as one program: the first one that names a call answers, also if none of its rules hold. The kernel
/// translates each program when a worker starts, and every call pays for each.
fn joined(filters: Vec<BpfProgram>) -> BpfProgram {
    filters
        .into_iter()
        .reduce(|mut joined, next| {
            // The last instruction answers for what is not named; without it, the next filter's first one follows.
            joined.pop();
            joined.extend(next);
            joined
        })
        .unwrap_or_default()
}

/// The filters of a stage, in their order. Those of the second stage only take away from what the first one left.
fn filters(stage: Stage) -> Result<Vec<BpfProgram>, seccompiler::Error> {
    let errno = |number: i32| SeccompAction::Errno(number.unsigned_abs());
    Ok(match stage {
        Stage::Loading => {
            // `clone3` hides its flags behind a pointer, which a filter cannot follow; `clone` shows them.
            let hidden = Rules::from([(libc::SYS_clone3, Vec::new())]);
            vec![
                program(hidden, SeccompAction::Allow, errno(libc::ENOSYS))?,
                program(soft()?, SeccompAction::Allow, errno(libc::EPERM))?,
                program(allowed()?, SeccompAction::Trap, SeccompAction::Allow)?,
            ]
        }
        Stage::Loaded => {
            let files = LOADING.iter().map(|&call| (call, Vec::new())).collect();
            let code = when(2, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), libc::PROT_EXEC as u64)?;
            let over = Rules::from([
                (libc::SYS_mmap, vec![SeccompRule::new(vec![code])?]),
                (libc::SYS_seccomp, Vec::new()),
            ]);
            vec![
                program(files, SeccompAction::Allow, errno(libc::EPERM))?,
                program(over, SeccompAction::Allow, SeccompAction::Trap)?,
            ]
        }
    })
}

fn program(
    rules: Rules,
    otherwise: SeccompAction,
    listed: SeccompAction,
) -> Result<BpfProgram, seccompiler::Error> {
    let filter = SeccompFilter::new(rules, otherwise, listed, std::env::consts::ARCH.try_into()?)?;
    Ok(filter.try_into()?)
}

/// Calls that pass; with rules: if one of them holds.
fn allowed() -> Result<Rules, seccompiler::Error> {
    let mut rules: Rules = PLAIN.iter().chain(&LOADING).map(|&call| (call, Vec::new())).collect();
    rules.insert(libc::SYS_seccomp, Vec::new());
    let not_code = when(2, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), 0)?;
    // Code of a file may be mapped, never of memory that was written here.
    let code = when(2, SeccompCmpOp::Eq, (libc::PROT_READ | libc::PROT_EXEC) as u64)?;
    let of_file = when(3, SeccompCmpOp::MaskedEq(libc::MAP_ANONYMOUS as u64), 0)?;
    let map = vec![SeccompRule::new(vec![not_code.clone()])?, SeccompRule::new(vec![code, of_file])?];
    let read_only = (libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC) as u64;
    rules.insert(
        libc::SYS_openat,
        vec![SeccompRule::new(vec![when(2, SeccompCmpOp::MaskedEq(read_only), 0)?])?],
    );
    rules.insert(libc::SYS_mmap, map);
    rules.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![not_code])?]);
    // A thread, not a process.
    let thread = (libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND) as u64;
    rules.insert(
        libc::SYS_clone,
        vec![SeccompRule::new(vec![when(0, SeccompCmpOp::MaskedEq(thread), thread)?])?],
    );
    // A signal to itself: `abort` and the report of a forbidden call.
    let own = u64::from(std::process::id());
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![when(0, SeccompCmpOp::Eq, own)?])?]);
    Ok(rules)
}

/// Calls that fail with `EPERM`; with rules: if one of them holds.
fn soft() -> Result<Rules, seccompiler::Error> {
    let mut rules: Rules = HABITS.iter().map(|&call| (call, Vec::new())).collect();
    // A thread may name itself; the other is what installing a filter begins with, and can only be set.
    let names = vec![
        when(0, SeccompCmpOp::Ne, libc::PR_SET_NAME as u64)?,
        when(0, SeccompCmpOp::Ne, libc::PR_SET_NO_NEW_PRIVS as u64)?,
    ];
    rules.insert(libc::SYS_prctl, vec![SeccompRule::new(names)?]);
    // Limits may be read, not set.
    let sets = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)?;
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![sets])?]);
    Ok(rules)
}

fn when(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, seccompiler::Error> {
    Ok(SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?)
}

/// Memory, threads, time, randomness, and the descriptors that the guest already has.
const PLAIN: &[c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
    libc::SYS_uname,
    libc::SYS_write,
    libc::SYS_writev,
];

/// What receiving and loading a library needs besides; refused afterwards.
const LOADING: [c_long; 4] = [libc::SYS_openat, libc::SYS_newfstatat, libc::SYS_pread64, libc::SYS_recvmsg];

/// What libraries ask by habit: files, names, limits. Refused without ending the guest.
const HABITS: &[c_long] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fcntl,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getuid,
    libc::SYS_ioctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    libc::SYS_readlinkat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_sysinfo,
];

/// The name of a system call that a plugin may have tried, for the sentence that reports it.
pub(super) fn name(number: i64) -> Option<&'static str> {
    macro_rules! names {
        ($($call:ident $name:literal),* $(,)?) => {
            [$((libc::$call, $name)),*]
        };
    }
    let names = names![
        SYS_accept "accept", SYS_accept4 "accept4", SYS_bind "bind", SYS_bpf "bpf", SYS_chdir "chdir",
        SYS_clone "clone", SYS_connect "connect", SYS_dup "dup", SYS_dup3 "dup3", SYS_execve "execve",
        SYS_execveat "execveat", SYS_fchmodat "fchmodat", SYS_ftruncate "ftruncate",
        SYS_io_uring_setup "io_uring_setup", SYS_kill "kill", SYS_listen "listen", SYS_memfd_create "memfd_create",
        SYS_mkdirat "mkdirat", SYS_mmap "mmap of code", SYS_mount "mount", SYS_mprotect "mprotect to code",
        SYS_openat "openat for writing", SYS_pidfd_open "pidfd_open", SYS_pipe2 "pipe2",
        SYS_process_vm_readv "process_vm_readv", SYS_ptrace "ptrace", SYS_recvmsg "recvmsg", SYS_seccomp "seccomp",
        SYS_sendmsg "sendmsg", SYS_setuid "setuid", SYS_shutdown "shutdown", SYS_socket "socket",
        SYS_socketpair "socketpair", SYS_tgkill "tgkill", SYS_tkill "tkill", SYS_truncate "truncate",
        SYS_unlinkat "unlinkat", SYS_unshare "unshare", SYS_wait4 "wait4",
    ];
    let known = names.iter().find(|(call, _)| *call == number).map(|(_, name)| *name);
    #[cfg(target_arch = "x86_64")]
    let known = known.or(match number {
        libc::SYS_fork => Some("fork"),
        libc::SYS_vfork => Some("vfork"),
        libc::SYS_creat => Some("creat"),
        libc::SYS_unlink => Some("unlink"),
        libc::SYS_pipe => Some("pipe"),
        _ => None,
    });
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use seccompiler::TargetArch;

    /// What the kernel would answer to a call, by the instructions that filters are made of, and whether the program's
    /// last one said so: that for calls it does not name.
    fn answer(program: &BpfProgram, number: u32, arguments: [u64; 6]) -> (u32, bool) {
        let mut data = number.to_ne_bytes().to_vec();
        let arch: TargetArch = std::env::consts::ARCH.try_into().unwrap();
        let arch: u32 = match arch {
            TargetArch::x86_64 => 0xC000_003E,
            TargetArch::aarch64 => 0xC000_00B7,
            TargetArch::riscv64 => 0xC000_00F3,
        };
        data.extend(arch.to_ne_bytes());
        data.extend([0; 8]);
        data.extend(arguments.iter().flat_map(|argument| argument.to_ne_bytes()));
        let (mut at, mut value) = (0, 0);
        loop {
            let line = &program[at];
            let jump = |taken: bool| usize::from(if taken { line.jt } else { line.jf });
            at += 1;
            match line.code {
                0x20 => {
                    let bytes = &data[line.k as usize..][..4];
                    value = u32::from_ne_bytes(bytes.try_into().unwrap());
                }
                0x54 => value &= line.k,
                0x05 => at += line.k as usize,
                0x15 => at += jump(value == line.k),
                0x25 => at += jump(value > line.k),
                0x35 => at += jump(value >= line.k),
                0x06 => return (line.k, at == program.len()),
                other => panic!("instruction {other:#x}"),
            }
        }
    }

    /// The answer of the first filter that names the call; that of the last one for all others.
    fn in_turn(filters: &[BpfProgram], number: u32, arguments: [u64; 6]) -> u32 {
        let mut answers = filters.iter().map(|filter| answer(filter, number, arguments));
        let last = answers.clone().next_back();
        answers.find(|(_, unnamed)| !unnamed).or(last).unwrap().0
    }

    #[test]
    fn filters_in_one_program_answer_in_turn() {
        let arguments =
            [0, 1, 2, 4, 15, 22, 0x10000, 0x0005_0000, 0x003d_0f00, u64::from(std::process::id())];
        for stage in [Stage::Loading, Stage::Loaded] {
            let filters = filters(stage).unwrap();
            let joined = joined(filters.clone());
            let mut answers = std::collections::BTreeSet::new();
            for number in 0..600 {
                for first in arguments {
                    for other in arguments {
                        let arguments = [first, first, other, other, 0, 0];
                        let expected = in_turn(&filters, number, arguments);
                        assert_eq!(answer(&joined, number, arguments).0, expected, "{number} {arguments:x?}");
                        answers.insert(expected);
                    }
                }
            }
            assert!(answers.len() >= 3, "{answers:x?}");
        }
        assert!(!allowed().unwrap().contains_key(&libc::SYS_socket));
    }

    #[test]
    fn no_call_is_both_allowed_and_refused() {
        assert!(PLAIN.iter().all(|call| !HABITS.contains(call)));
    }

    #[test]
    fn calls_have_names() {
        assert_eq!(name(libc::SYS_socket), Some("socket"));
        assert_eq!(name(100_000), None);
    }
}
