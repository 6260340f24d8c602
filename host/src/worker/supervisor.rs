//! The host's side: starts a worker, asks it, takes nothing on trust, and knows how it ended.

use super::death::{Cause, Death};
use super::noise::Noise;
use super::protocol::{
    Fatal, Frame, FrameError, Kind, REQUEST_LIMIT, Start, hand_over, receive_async, send_async,
};
use super::seal::Sealing;
use super::{Failure, Sandbox, guest, vet};
use crate::config::Limits;
use crate::plugins::Library;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::manifest::Manifest;
use tancheck_plugin_api::wire::{Inspection, Judgement};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a worker may take until its plugin is loaded, and for a manifest. Generous: a few milliseconds are usual.
const START_TIME: Duration = Duration::from_secs(20);

/// How long the host waits for the status of a worker whose connection ended, before it kills it. It comes at once,
/// but on a busy machine; only a plugin that closes its descriptors and goes on makes the host wait.
const LAST_BREATH: Duration = Duration::from_secs(1);

/// How many times the time of one check a worker may compute in its whole life. The host's own clock decides each
/// check; this one ends a worker whose host is gone.
const CHECKS_OF_A_LIFE: u64 = 64;

/// The name of the small program, and of every worker in a list of processes.
const NAME: &str = "tancheck-worker";

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Names the program that is started as a worker, where it is not the running one: tests, and programs that use this
/// crate as a library. It has to call [`super::guest_main`] when [`super::is_guest`]. The first call counts.
pub fn use_program(path: PathBuf) {
    let _ = PROGRAM.set(path);
}

/// The program that is started as a worker: the small one beside the running program, else the running one itself,
/// even if its file was replaced meanwhile. Both do the same; the small one starts in half the time.
fn program() -> io::Result<PathBuf> {
    if let Some(program) = PROGRAM.get() {
        return Ok(program.clone());
    }
    // In a target folder, what lies beside the program may be older than it.
    let small =
        if cfg!(debug_assertions) { None } else { std::env::current_exe().ok().and_then(|own| beside(&own)) };
    match small {
        Some(small) => Ok(small),
        None if cfg!(target_os = "linux") => Ok(PathBuf::from("/proc/self/exe")),
        None => std::env::current_exe(),
    }
}

fn beside(own: &Path) -> Option<PathBuf> {
    let small = own.with_file_name(format!("{NAME}{}", std::env::consts::EXE_SUFFIX));
    small.is_file().then_some(small)
}

/// What a plugin tells about itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Described {
    /// What it declares, checked.
    pub manifest: Manifest,
    /// The same, as the plugin wrote it.
    pub text: String,
    /// What held it back.
    pub sandbox: Sandbox,
}

/// Loads a library in a worker of its own and asks for its manifest.
///
/// # Errors
/// When the plugin cannot be loaded, does not answer, or has no good manifest.
pub async fn describe(library: &Library, limits: &Limits) -> Result<Described, Failure> {
    let mut worker = Worker::start(library, limits).await?;
    let text = match worker.exchange(Kind::Describe, &[], Kind::Manifest, START_TIME).await {
        Ok(text) => text,
        Err(Cause::Deadline(limit)) => return Err(worker.bury(Cause::Startup(limit)).await),
        Err(cause) => return Err(worker.bury(cause).await),
    };
    let manifest = vet::manifest(&text);
    let (sandbox, noise) = (worker.sandbox, worker.noise());
    worker.stop().await;
    match manifest {
        Ok(manifest) => {
            let text = String::from_utf8(text).expect("what was read as JSON is UTF-8");
            Ok(Described { manifest, text, sandbox })
        }
        Err(sentence) => Err(Failure { noise, ..Failure::crashed(sentence) }),
    }
}

/// The process of one plugin.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    socket: UnixStream,
    noise: Noise,
    sandbox: Sandbox,
    memory: u64,
    last_id: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It waits for a request.
    Idle,
    /// A request is under way; if its future was dropped, the next one finds this state and gives up the worker.
    Asked,
    /// It ended or was killed.
    Gone,
}

impl Worker {
    /// Starts a process, sandboxes it, and loads the library there.
    ///
    /// # Errors
    /// When the process cannot be started or sandboxed, or the library cannot be loaded.
    pub async fn start(library: &Library, limits: &Limits) -> Result<Self, Failure> {
        let library = Sealing::begin(library);
        let mut worker = Self::spawn(limits)
            .map_err(|error| Failure::crashed(format!("its process cannot be started: {error}")))?;
        match timeout(START_TIME, worker.load(library, limits)).await {
            Ok(Ok(())) => Ok(worker),
            Ok(Err(cause)) => Err(worker.bury(cause).await),
            Err(_) => Err(worker.bury(Cause::Startup(START_TIME)).await),
        }
    }

    fn spawn(limits: &Limits) -> io::Result<Self> {
        let (ours, theirs) = StdUnixStream::pair()?;
        let (output, input) = io::pipe()?;
        ours.set_nonblocking(true)?;
        let socket = UnixStream::from_std(ours)?;
        let noise = Noise::drain(OwnedFd::from(output))?;
        let child = Command::new(program()?)
            .arg0(NAME)
            .arg(guest::ARGUMENT)
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(input.try_clone()?))
            .stderr(Stdio::from(input))
            // A signal from the terminal is for the host, which then ends its workers in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let sandbox = Sandbox { landlock: 0, seccomp: false };
        Ok(Self {
            child,
            socket,
            noise,
            sandbox,
            memory: limits.worker_memory,
            last_id: 0,
            state: State::Idle,
        })
    }

    async fn load(&mut self, library: Sealing, limits: &Limits) -> Result<(), Cause> {
        let start = Start {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            memory: limits.worker_memory,
            cpu_seconds: limits.check_time.as_secs().max(1).saturating_mul(CHECKS_OF_A_LIFE),
            allow_weak_sandbox: limits.allow_weak_sandbox,
        };
        let start = serde_json::to_vec(&start).expect("numbers and texts are always JSON");
        send_async(&mut self.socket, Kind::Start, 0, &start).await.map_err(Cause::Frame)?;
        let status = self.expect(Kind::Sandboxed, 0).await?;
        self.sandbox = serde_json::from_slice(&status)
            .map_err(|error| Cause::Contract(format!("its sandbox status is not understood ({error})")))?;
        let library = library.end().await.map_err(Cause::Fatal)?;
        hand_over(&self.socket, library.as_fd()).await.map_err(Cause::Frame)?;
        // The library is loaded between these two frames: whatever it does at that time, the status is known.
        self.expect(Kind::Ready, 0).await?;
        Ok(())
    }

    /// Asks for one judgement. `inspection.inputs` holds every input that the check declares: an answer that refers
    /// to another one is refused.
    ///
    /// # Errors
    /// When the judge fails, the worker dies, or the answer breaks the contract. The worker can still be asked if
    /// [`Worker::is_alive`] says so.
    pub async fn inspect(
        &mut self,
        inspection: &Inspection,
        deadline: Duration,
    ) -> Result<Judgement, Failure> {
        if self.state != State::Idle {
            return Err(Failure::crashed("its process has ended; a new one has to be started"));
        }
        let request = serde_json::to_vec(inspection)
            .map_err(|error| Failure::crashed(format!("its inputs cannot be handed over: {error}")))?;
        // Read into values, a document takes several times its own size.
        let limit = (self.memory / 4).min(REQUEST_LIMIT as u64);
        if request.len() as u64 > limit {
            return Err(Failure {
                outcome: Outcome::NotEvaluated,
                ..Failure::crashed(format!(
                    "its inputs have {} MiB, more than a worker of {} MiB can judge; raise limits.worker_memory",
                    request.len() >> 20,
                    self.memory >> 20
                ))
            });
        }
        let answer = self.exchange(Kind::Inspect, &request, Kind::Judged, deadline).await;
        let refused = match answer {
            Ok(answer) => match vet::judgement(&answer, inspection) {
                Ok(judgement) => return Ok(judgement),
                Err(refused) => refused,
            },
            Err(cause) => return Err(self.bury(cause).await),
        };
        match refused {
            vet::Refused::Failed(sentence) => {
                Err(Failure { noise: self.noise(), ..Failure::crashed(sentence) })
            }
            vet::Refused::Contract(problem) => Err(self.bury(Cause::Contract(problem)).await),
        }
    }

    /// Whether the worker can be asked again.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.state == State::Idle
    }

    /// What holds the plugin back.
    #[must_use]
    pub fn sandbox(&self) -> Sandbox {
        self.sandbox
    }

    /// What the plugin printed so far: the first 4 KB, without escape sequences.
    #[must_use]
    pub fn noise(&self) -> String {
        self.noise.head()
    }

    /// Ends the worker.
    pub async fn stop(mut self) {
        if self.state == State::Idle {
            let quit = send_async(&mut self.socket, Kind::Quit, 0, &[]).await;
            if quit.is_ok() && timeout(LAST_BREATH, self.child.wait()).await.is_ok() {
                return;
            }
        }
        self.kill().await;
    }

    /// Kills the worker. Waits for it, but not for ever: a process that the kernel itself cannot stop is left to it.
    async fn kill(&mut self) {
        if self.child.start_kill().is_ok() {
            let _ = timeout(LAST_BREATH * 2, self.child.wait()).await;
        }
    }

    /// Sends a request and waits for its answer.
    async fn exchange(
        &mut self,
        ask: Kind,
        body: &[u8],
        answer: Kind,
        limit: Duration,
    ) -> Result<Vec<u8>, Cause> {
        self.state = State::Asked;
        self.last_id += 1;
        let id = self.last_id;
        let exchange = async {
            send_async(&mut self.socket, ask, id, body).await.map_err(Cause::Frame)?;
            self.expect(answer, id).await
        };
        let body = timeout(limit, exchange).await.unwrap_or(Err(Cause::Deadline(limit)))?;
        self.state = State::Idle;
        Ok(body)
    }

    /// The body of the next frame, which has to be this one.
    async fn expect(&mut self, kind: Kind, id: u32) -> Result<Vec<u8>, Cause> {
        let frame = receive_async(&mut self.socket).await.map_err(Cause::Frame)?;
        match frame {
            Frame { kind: found, id: found_id, body } if found == kind && found_id == id => Ok(body),
            Frame { kind: Kind::Fatal, body, .. } => Err(fatal(&body)),
            Frame { kind: found, id: found_id, .. } => {
                Err(Cause::Contract(format!("it sent {found:?} {found_id} when {kind:?} {id} was due")))
            }
        }
    }

    /// Finds out how a worker ended, after ending it if need be.
    async fn bury(&mut self, cause: Cause) -> Failure {
        self.state = State::Gone;
        let status = match cause {
            Cause::Frame(FrameError::Ended) => self.last_words().await,
            _ => None,
        };
        if status.is_none() {
            self.kill().await;
        }
        self.noise.finish().await;
        let tail = self.noise.tail();
        Death { cause, status, memory: self.memory, tail: &tail }.failure(self.noise.head())
    }

    /// The status of a worker whose connection ended; killing it at once would overwrite it.
    async fn last_words(&mut self) -> Option<ExitStatus> {
        timeout(LAST_BREATH, self.child.wait()).await.ok()?.ok()
    }
}

fn fatal(body: &[u8]) -> Cause {
    match serde_json::from_slice::<Fatal>(body) {
        Ok(Fatal { sentence, details }) => {
            tracing::debug!(%sentence, %details, "a worker did not start");
            Cause::Fatal(vet::cut(&sentence))
        }
        Err(error) => Cause::Contract(format!("its farewell is not understood ({error})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_program_is_taken_where_it_lies_beside() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("tancheck");
        assert_eq!(beside(&own), None);
        std::fs::write(folder.path().join("tancheck-worker"), "").unwrap();
        assert_eq!(beside(&own), Some(folder.path().join("tancheck-worker")));
    }
}
