//! The guest's side: give everything up, load the plugin, answer until told to quit.
//!
//! The order matters. Constructors of a library run when it is loaded, so all limits are in place before it even comes.
//! The process has one thread until then: landlock and seccomp hold the calling thread and what it starts later.

use super::protocol::{self, Fatal, FrameError, Kind, Start};
use super::{load, sandbox};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use tancheck_plugin_api::abi::GuestBox;

/// The hidden first argument of a worker.
pub(super) const ARGUMENT: &str = "__worker";

/// The guest ended as it was told to.
const DONE: i32 = 0;
/// The guest told the host why it could not start.
const TOLD: i32 = 71;
/// The host is gone, or the connection to it is.
const LOST: i32 = 74;

/// Whether this process was started as a worker.
#[must_use]
pub fn is_guest() -> bool {
    std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT)
}

/// Runs this process as the worker of one plugin. Never returns, and runs no exit handlers: the plugin may have
/// registered some.
pub fn guest_main() -> ! {
    sandbox::leave(serve())
}

fn serve() -> i32 {
    let Ok(mut socket) = sandbox::take_socket() else {
        let _ = writeln!(
            io::stderr(),
            "a worker is started by tancheck itself, with a socket as its standard input"
        );
        return LOST;
    };
    let guest = match prepare(&mut socket) {
        Ok(guest) => guest,
        Err(Stop::Lost) => return LOST,
        Err(Stop::Refused { sentence, details }) => {
            let fatal = Fatal { sentence, details: details.chars().take(4000).collect() };
            let body = serde_json::to_vec(&fatal).unwrap_or_default();
            let _ = protocol::send(&mut socket, Kind::Fatal, 0, &body);
            return TOLD;
        }
    };
    match answer(&mut socket, &guest) {
        Ok(()) => DONE,
        Err(_) => LOST,
    }
}

/// Why the guest does not start.
enum Stop {
    /// Nobody is there to tell it to.
    Lost,
    /// A reason for the host.
    Refused { sentence: String, details: String },
}

impl From<FrameError> for Stop {
    fn from(_: FrameError) -> Self {
        Self::Lost
    }
}

impl From<sandbox::Refused> for Stop {
    fn from(refused: sandbox::Refused) -> Self {
        Self::Refused { sentence: refused.sentence, details: refused.details }
    }
}

impl From<tancheck_plugin_api::abi::Refused> for Stop {
    fn from(refused: tancheck_plugin_api::abi::Refused) -> Self {
        Self::Refused { sentence: refused.sentence, details: refused.details }
    }
}

fn prepare(socket: &mut UnixStream) -> Result<GuestBox, Stop> {
    sandbox::give_up_privileges()?;
    let start = protocol::receive(socket)?;
    let start: Start = serde_json::from_slice(&start.body).map_err(|_| Stop::Lost)?;
    is_of_one_version(&start)?;
    let status = sandbox::enter(&start)?;
    let body = serde_json::to_vec(&status).map_err(|_| Stop::Lost)?;
    protocol::send(socket, Kind::Sandboxed, 0, &body)?;
    let library = protocol::take_over(socket)?;
    let guest = load::load(&library)?;
    drop(library);
    sandbox::tighten(status)?;
    protocol::send(socket, Kind::Ready, 0, &[])?;
    Ok(guest)
}

/// Host and worker are two files; only together are they one program.
fn is_of_one_version(start: &Start) -> Result<(), Stop> {
    let own = env!("CARGO_PKG_VERSION");
    if start.version == own {
        return Ok(());
    }
    let sentence = format!(
        "tancheck is version {} and the tancheck-worker beside it {own}; install both from one package",
        start.version
    );
    Err(Stop::Refused { sentence, details: String::new() })
}

fn answer(socket: &mut (impl Read + Write), guest: &GuestBox) -> Result<(), FrameError> {
    loop {
        let request = protocol::receive(socket)?;
        match request.kind {
            Kind::Describe => {
                let manifest = guest.manifest();
                protocol::send(socket, Kind::Manifest, request.id, manifest.as_bytes())?;
            }
            Kind::Inspect => {
                let Ok(inspection) = std::str::from_utf8(&request.body) else { return Ok(()) };
                let reply = guest.inspect(inspection.into());
                send_reply(socket, request.id, reply.as_bytes())?;
            }
            _ => return Ok(()),
        }
    }
}

/// A reply that is too large is not sent; the plugin's other checks can still be judged.
fn send_reply(socket: &mut impl Write, id: u32, reply: &[u8]) -> Result<(), FrameError> {
    match protocol::send(socket, Kind::Judged, id, reply) {
        Err(FrameError::TooLarge { bytes, limit, .. }) => {
            let sentence = format!("its answer has {bytes} bytes, more than the {limit} that are allowed");
            let failed = serde_json::json!({ "failed": sentence }).to_string();
            protocol::send(socket, Kind::Judged, id, failed.as_bytes())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(version: &str) -> Start {
        Start { version: version.to_owned(), memory: 0, cpu_seconds: 0, allow_weak_sandbox: false }
    }

    #[test]
    fn a_worker_of_another_version_does_not_begin() {
        assert!(is_of_one_version(&told(env!("CARGO_PKG_VERSION"))).is_ok());
        let Err(Stop::Refused { sentence, .. }) = is_of_one_version(&told("99.0.0")) else {
            panic!("it began")
        };
        assert!(sentence.contains("99.0.0") && sentence.contains("install both"), "{sentence}");
    }
}
