//! How a worker ended, as one sentence.

use super::Failure;
use super::protocol::FrameError;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;
use tancheck_plugin_api::Outcome;

/// Why the host stopped listening to a worker.
#[derive(Debug)]
pub(super) enum Cause {
    /// The judge gave no answer in time.
    Deadline(Duration),
    /// The library was not loaded, or told no manifest, in time.
    Startup(Duration),
    /// The connection ended, or what came is no answer.
    Frame(FrameError),
    /// An answer that breaks the contract: what is wrong with it.
    Contract(String),
    /// The guest told why it does not start.
    Fatal(String),
}

/// Everything known about a worker's end.
#[derive(Debug)]
pub(super) struct Death<'a> {
    pub(super) cause: Cause,
    /// Its status, unless the host had to kill it.
    pub(super) status: Option<ExitStatus>,
    /// The limit of its address space.
    pub(super) memory: u64,
    /// The end of what it printed.
    pub(super) tail: &'a str,
}

impl Death<'_> {
    pub(super) fn failure(&self, noise: String) -> Failure {
        let (outcome, sentence) = self.tell();
        Failure {
            outcome,
            sentence,
            signal: self.status.and_then(|status| status.signal()),
            exit_code: self.status.and_then(|status| status.code()),
            noise,
        }
    }

    fn tell(&self) -> (Outcome, String) {
        let crashed = |sentence: String| (Outcome::Crashed, sentence);
        match &self.cause {
            Cause::Deadline(limit) => {
                let seconds = limit.as_secs_f64();
                let sentence =
                    format!("it gave no answer within {seconds} s and was stopped (limits.check_time)");
                (Outcome::TimedOut, sentence)
            }
            Cause::Startup(limit) => {
                let sentence = format!("it was not loaded within {} s and was stopped", limit.as_secs());
                (Outcome::TimedOut, sentence)
            }
            Cause::Fatal(sentence) => crashed(sentence.clone()),
            Cause::Contract(problem) => crashed(format!("it broke its contract: {problem}")),
            Cause::Frame(FrameError::Ended) => self.tell_status(),
            Cause::Frame(error) => crashed(format!("it broke the protocol ({error}) and was stopped")),
        }
    }

    fn tell_status(&self) -> (Outcome, String) {
        let Some(status) = self.status else {
            return (Outcome::Crashed, "it closed its connection to the host and was stopped".to_owned());
        };
        match (status.signal(), status.code()) {
            (Some(signal), _) => self.tell_signal(signal),
            (None, Some(74)) => {
                (Outcome::Crashed, "it closed its connection to the host (exit code 74)".to_owned())
            }
            (None, Some(127)) => {
                let sentence = "the system's loader gave up on it, or a thread got no memory (exit code 127)";
                (Outcome::Crashed, sentence.to_owned())
            }
            (None, code) => {
                let code = code.unwrap_or_default();
                (Outcome::Crashed, format!("it ended its process before it had answered (exit code {code})"))
            }
        }
    }

    fn tell_signal(&self, signal: i32) -> (Outcome, String) {
        if signal == libc::SIGXCPU {
            let sentence =
                "it used up the processor time of its process and was stopped by signal 24 (SIGXCPU)";
            return (Outcome::TimedOut, sentence.to_owned());
        }
        let sentence = match signal {
            libc::SIGSYS => match refused_call(self.tail) {
                Some(call) => {
                    format!("it tried a forbidden system call, {call}, and was stopped by signal 31 (SIGSYS)")
                }
                None => "it tried a forbidden system call and was stopped by signal 31 (SIGSYS)".to_owned(),
            },
            libc::SIGABRT if self.tail.contains("memory allocation of") => {
                let mebibytes = self.memory >> 20;
                format!(
                    "it asked for more memory than the {mebibytes} MiB of limits.worker_memory (signal 6, SIGABRT)"
                )
            }
            libc::SIGABRT if self.tail.contains("has overflowed its stack") => {
                "it overflowed its stack (signal 6, SIGABRT)".to_owned()
            }
            libc::SIGSEGV => {
                "it read or wrote memory that is not its own, or overflowed a stack (signal 11, SIGSEGV)"
                    .to_owned()
            }
            libc::SIGABRT => "it aborted (signal 6, SIGABRT)".to_owned(),
            libc::SIGBUS => "its library is cut short or its memory is gone (signal 7, SIGBUS)".to_owned(),
            libc::SIGILL => "it ran into an illegal instruction (signal 4, SIGILL)".to_owned(),
            libc::SIGFPE => "it divided by zero (signal 8, SIGFPE)".to_owned(),
            libc::SIGXFSZ => "it wrote to a file (signal 25, SIGXFSZ)".to_owned(),
            libc::SIGKILL => {
                "it was killed by signal 9 (SIGKILL): by the system, for lack of memory, or by a person"
                    .to_owned()
            }
            other => format!("it was killed by signal {other}"),
        };
        (Outcome::Crashed, sentence)
    }
}

/// The last call that the guest's own handler reported.
fn refused_call(tail: &str) -> Option<String> {
    let number = tail.rsplit_once("seccomp: syscall ")?.1.get(..4)?.parse::<i64>().ok()?;
    #[cfg(target_os = "linux")]
    if let Some(name) = super::syscalls::name(number) {
        return Some(format!("{name} ({number})"));
    }
    Some(format!("number {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(cause: Cause, status: Option<i32>, tail: &str) -> (Outcome, String) {
        let status = status.map(ExitStatus::from_raw);
        let failure = Death { cause, status, memory: 256 << 20, tail }.failure(String::new());
        (failure.outcome, failure.sentence)
    }

    #[test]
    fn every_end_has_its_sentence() {
        let table: &[(i32, &str, Outcome, &str)] = &[
            (6, "", Outcome::Crashed, "aborted (signal 6"),
            (6, "memory allocation of 1048576 bytes failed", Outcome::Crashed, "256 MiB"),
            (6, "thread 'main' has overflowed its stack", Outcome::Crashed, "overflowed its stack"),
            (11, "", Outcome::Crashed, "signal 11"),
            (7, "", Outcome::Crashed, "cut short"),
            (24, "", Outcome::TimedOut, "processor time"),
            (31, "x\nseccomp: syscall 0041", Outcome::Crashed, "number 41"),
            (31, "", Outcome::Crashed, "forbidden system call and"),
            (0, "", Outcome::Crashed, "exit code 0"),
            (3 << 8, "", Outcome::Crashed, "exit code 3"),
            (127 << 8, "", Outcome::Crashed, "exit code 127"),
        ];
        for &(status, tail, outcome, words) in table {
            let (told, sentence) = tell(Cause::Frame(FrameError::Ended), Some(status), tail);
            let words = if cfg!(target_arch = "x86_64") {
                words.replace("number 41", "socket (41)")
            } else {
                words.into()
            };
            assert!(told == outcome && sentence.contains(&words), "{status} {tail:?}: {told} {sentence}");
        }
    }

    #[test]
    fn what_the_host_stopped_is_told_as_such() {
        let (outcome, sentence) = tell(Cause::Deadline(Duration::from_secs(10)), None, "");
        assert_eq!(outcome, Outcome::TimedOut);
        assert!(sentence.contains("within 10 s"), "{sentence}");
        assert!(tell(Cause::Startup(Duration::from_secs(20)), None, "").1.contains("not loaded within 20 s"));
        assert!(tell(Cause::Frame(FrameError::Ended), None, "").1.contains("closed its connection"));
        assert!(tell(Cause::Frame(FrameError::Unknown(7)), None, "").1.contains("unknown kind 7"));
    }
}
