//! `tancheck run`: connects configuration, plugins, session, collector, workers, history and reports.

use super::engine::{Ground, Which};
use super::output::{Printer, to_stderr};
use super::stop::Stop;
use super::{Global, text as layout};
use crate::collect::Want;
use crate::collect::collector::{Collector, Offline};
use crate::collect::progress::{Event as Sent, Progress};
use crate::collect::session::{Account, Session};
use crate::collect::transport::{Problem, Transport};
use crate::config::Limits;
use crate::plugins::Installed;
use crate::report::output::{FORMATS, Streams, Target, WriteError, write_all};
use crate::report::text::Look;
use crate::run::document::Run;
use crate::run::engine::{self, Collects, Gathered, Setup};
use crate::run::event::{Event, Events};
use crate::run::exit::{self, Policy, Style};
use crate::run::interrupt::{self, Interrupt, Interrupter, Interruptible};
use crate::run::judge::{Failed, Guest, Guests};
use crate::run::select::SelectError;
use crate::worker::{Failure, Worker};
use clap::Args;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tancheck_plugin_api::wire::{Inspection, Judgement};
use tancheck_plugin_api::{Outcome, Severity};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs the enabled checks and reports
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck run
  tancheck run --module connect -o json=report.json -o text
  tancheck run --cadence weekly --fail-on medium
  tancheck run --only-failed
  tancheck run --fail-on new:high
  tancheck run --due                  only what the calendar wants done now

Probes: listeners that the configuration names are greeted in TLS 1.2, up to nine times each (once with --quick); each
greeting leaves an aborted handshake in the listener's log. What fails where no real connection comes from decides nothing:
run on such a machine with --vantage and -o json=FILE, and merge its report with --merge-evidence FILE.

Formats: text, json, ndjson. Exit codes: 0 healthy and complete, 1 findings, 2 usage or configuration, 3 incomplete,
4 overdue task, 5 deployment unreachable or login refused, 70 internal fault, 130 or 143 after a signal.")]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// The least severity of a finding that makes the exit code 1: info, low, medium, high, critical or never; with new:
    /// before it, only findings that were not there, or not that severe, when they were last looked for
    #[arg(long, value_name = "SEVERITY", default_value = "high", value_parser = threshold)]
    fail_on: Threshold,
    /// Exits with 4 when a task for a person is due
    #[arg(long)]
    fail_on_overdue: bool,
    /// How the exit code is written; nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
    #[arg(long, value_enum, default_value = "plain")]
    exit_style: Style,
    /// Only the first screen of the text, without details and remedies
    #[arg(long)]
    brief: bool,
}

/// The least severity that fails, none for `never`; and whether only what is new does.
#[derive(Clone, Copy, Debug)]
struct Threshold {
    least: Option<Severity>,
    new_only: bool,
}

fn threshold(text: &str) -> Result<Threshold, String> {
    if text == "never" {
        return Ok(Threshold { least: None, new_only: false });
    }
    let (name, new_only) = text.strip_prefix("new:").map_or((text, false), |name| (name, true));
    let found = Severity::ALL.into_iter().find(|severity| severity.name() == name);
    found.map(|severity| Threshold { least: Some(severity), new_only }).ok_or_else(|| {
        let names = Severity::ALL.map(Severity::name).join(", ");
        format!("expected one of {names}, or new: and one of them, or never")
    })
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let runtime = super::runtime()?;
    let style = arguments.exit_style;
    let code = runtime.block_on(async {
        let (interrupter, interrupt) = interrupt::channel();
        tokio::select! {
            biased;
            code = second_signal(interrupter) => Ok(code),
            code = inspect(arguments, global, interrupt) => code,
        }
    });
    // Nothing that still runs is waited for; workers end with the handles that are dropped.
    runtime.shutdown_background();
    // A monitoring system knows four states, and takes any other code for a fault of the plugin.
    match (style, code) {
        (Style::Nagios, Err(stop)) => {
            super::output::complain(&stop);
            Ok(NAGIOS_UNKNOWN)
        }
        (Style::Nagios, Ok(code)) => Ok(code.min(NAGIOS_UNKNOWN)),
        (Style::Plain, code) => code,
    }
}

const NAGIOS_UNKNOWN: u8 = 3;

/// The first signal ends the collection; the second one ends everything, with its own code.
async fn second_signal(interrupter: Interrupter) -> u8 {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        tracing::warn!("signals cannot be watched: Ctrl-C will end the run without a report");
        return std::future::pending().await;
    };
    let (name, _) = next_signal(&mut interrupt, &mut terminate).await;
    interrupter.interrupt(name);
    to_stderr(&format!("{name}: nothing more is asked; the report follows. Once more ends at once."));
    next_signal(&mut interrupt, &mut terminate).await.1
}

async fn next_signal(interrupt: &mut Signal, terminate: &mut Signal) -> (&'static str, u8) {
    tokio::select! {
        _ = interrupt.recv() => ("SIGINT", exit::INTERRUPTED),
        _ = terminate.recv() => ("SIGTERM", exit::TERMINATED),
    }
}

async fn inspect(arguments: Arguments, global: &Global, interrupt: Interrupt) -> Result<u8, Stop> {
    let printer = Printer::new(global, &FORMATS)?;
    let targets: Vec<Target> =
        printer.outputs().iter().map(|one| Target::new(&one.format, one.path.clone())).collect();
    targets.iter().try_for_each(Target::check).map_err(Stop::Usage)?;
    let policy = Policy {
        fail_on: arguments.fail_on.least,
        new_only: arguments.fail_on.new_only,
        fail_on_overdue: arguments.fail_on_overdue,
        style: arguments.exit_style,
    };
    let ground = Ground::load(&arguments.which, global).await?;
    // What cannot be selected is told before anything is asked of anybody.
    let silent = ground.setup(policy, interrupt.clone(), Events::silent());
    let nothing = match engine::selection(&silent) {
        Err(SelectError::NothingDue) => Some(engine::nothing_due(&silent)),
        selected => selected.map(|_| None).map_err(usage)?,
    };
    let streams = Streams::open(&targets).map_err(|error| Stop::Internal(error.to_string()))?;
    let events = listeners(&streams, global);
    let setup = ground.setup(policy, interrupt, events);
    let run = match nothing {
        Some(nothing) => nothing,
        None => ask_and_judge(&ground, &setup).await?,
    };
    let look = Look {
        color: anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never,
        width: layout::width(),
        details: !arguments.brief,
    };
    let mut failed = streams.close();
    failed.extend(write_all(&run, &targets, &look));
    told(&failed)?;
    Ok(run.exit.code)
}

fn usage(error: SelectError) -> Stop {
    Stop::Usage(error.to_string())
}

/// Logs in, and runs. A deployment that is not reached still leaves what is known on this machine.
pub(super) async fn ask_and_judge(ground: &Ground, setup: &Setup<'_>) -> Result<Run, Stop> {
    let config = &ground.config;
    let opened = tokio::select! {
        biased;
        name = setup.interrupt.arrived() => {
            Err(Problem::new(Outcome::NotEvaluated, format!("interrupted by {name} before the login was answered")))
        }
        opened = Session::open(&config.deployment, &config.limits) => opened,
    };
    match opened {
        Ok(session) => {
            let user = Some(session.user().to_owned()).filter(|user| !user.is_empty());
            let account = session.account().clone();
            let run = with_transport(ground, setup, Ok(user), account, session.transport()).await;
            session.close().await;
            run
        }
        Err(problem) => {
            let transport = Offline::because(problem.clone());
            with_transport(ground, setup, Err(problem), Account::default(), transport).await
        }
    }
}

async fn with_transport<T: Transport + 'static>(
    ground: &Ground,
    setup: &Setup<'_>,
    login: Result<Option<String>, Problem>,
    account: Account,
    transport: T,
) -> Result<Run, Stop> {
    let transport = Interruptible::new(transport, setup.interrupt.clone());
    let collector = Collector::new(&ground.config, transport, ground.local(), ground.now)
        .with_account(account)
        .with_evidence(ground.evidence.clone());
    let requests = Requests::new(collector, setup.events.clone());
    let workers = Workers { limits: &ground.config.limits };
    engine::run(setup, login, &requests, &workers).await.map_err(usage)
}

/// The collector as the engine sees it.
pub(super) struct Requests<T> {
    collector: Collector<T>,
    progress: Progress,
    looks: Arc<AtomicU64>,
    questions: AtomicU64,
}

/// How a look at the progress of a question begins. How often one looks depends on the clock, so that these requests
/// are not counted: the same facts give the same document.
const LOOK: &str = "GET /api/v2/result_info/";

impl<T: Transport + 'static> Requests<T> {
    pub(super) fn new(collector: Collector<T>, events: Events) -> Self {
        let looks = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&looks);
        let progress = Progress::to(move |sent| match sent {
            Sent::Finished { request, .. } if request.starts_with(LOOK) => {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            Sent::Finished { request, problem, .. } => {
                events.tell(&Event::Request { request: request.clone(), problem: problem.clone() });
            }
            Sent::Question { question, answered, expected } => events.tell(&Event::QuestionProgress {
                question: question.clone(),
                answered: *answered,
                expected: *expected,
            }),
            _ => {}
        });
        Self { collector, progress, looks, questions: AtomicU64::new(0) }
    }
}

impl<T: Transport + 'static> Collects for Requests<T> {
    async fn collect(&self, wants: &[Want]) -> Gathered {
        let planned = self.collector.plan(wants);
        let asked = planned.iter().filter(|request| request.kind == "question").count() as u64;
        let questions = self.questions.fetch_add(asked, Ordering::Relaxed) + asked;
        let collected = self.collector.collect(wants, &self.progress).await;
        Gathered {
            inputs: collected.inputs,
            sent: collected.requests_sent.saturating_sub(self.looks.load(Ordering::Relaxed)),
            saved: collected.requests_saved,
            questions,
            timings: collected.timings,
            probes: collected.probes,
        }
    }
}

/// Workers as the engine sees them.
pub(super) struct Workers<'a> {
    pub(super) limits: &'a Limits,
}

/// One worker, and how long a check may take.
pub(super) struct Running {
    worker: Worker,
    check_time: Duration,
}

impl Guests for Workers<'_> {
    type Guest = Running;

    async fn start(&self, plugin: &Installed) -> Result<Running, Failed> {
        let worker = Worker::start(&plugin.library, self.limits).await.map_err(failed)?;
        Ok(Running { worker, check_time: self.limits.check_time })
    }
}

impl Guest for Running {
    async fn inspect(&mut self, inspection: &Inspection) -> Result<Judgement, Failed> {
        self.worker.inspect(inspection, self.check_time).await.map_err(failed)
    }

    fn sandbox(&self) -> String {
        self.worker.sandbox().to_string()
    }

    async fn stop(self) -> String {
        let noise = self.worker.noise();
        self.worker.stop().await;
        noise
    }
}

fn failed(failure: Failure) -> Failed {
    Failed { outcome: failure.outcome, sentence: failure.sentence, noise: failure.noise }
}

/// The streams, and a line on the terminal while the run goes on.
fn listeners(streams: &Streams, global: &Global) -> Events {
    let streams = streams.clone();
    let progress = progress(global);
    Events::to(move |event| {
        streams.tell(event);
        progress.tell(event);
    })
}

/// A line on the terminal while a run goes on.
pub(super) fn progress(global: &Global) -> Events {
    if global.quiet || !std::io::stderr().is_terminal() {
        return Events::silent();
    }
    let line = Line::default();
    Events::to(move |event| line.show(event))
}

/// One line that is written over again and again.
#[derive(Debug, Default)]
struct Line {
    requests: AtomicU64,
    checks: AtomicU64,
    all: AtomicU64,
}

impl Line {
    fn show(&self, event: &Event) {
        let question = match event {
            Event::RunStarted { checks, .. } => {
                self.all.store(*checks, Ordering::Relaxed);
                String::new()
            }
            Event::Request { .. } => {
                self.requests.fetch_add(1, Ordering::Relaxed);
                String::new()
            }
            Event::QuestionProgress { answered, expected, .. } => {
                format!(", a question was answered by {answered} of {expected}")
            }
            Event::Check { .. } => {
                self.checks.fetch_add(1, Ordering::Relaxed);
                String::new()
            }
            Event::RunFinished { .. } => return erase(),
        };
        let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let (requests, checks, all) = (count(&self.requests), count(&self.checks), count(&self.all));
        overwrite(&format!("{requests} requests, {checks} of {all} checks{question}"));
    }
}

fn overwrite(text: &str) {
    use std::io::Write;
    // Nothing is lost with a line of progress that cannot be shown.
    let _ = write!(std::io::stderr(), "\r\u{1b}[2K{text}");
}

fn erase() {
    overwrite("");
}

/// Tells what could not be written. Whoever closed the standard output has read enough.
fn told(failed: &[WriteError]) -> Result<(), Stop> {
    let lines: Vec<String> =
        failed.iter().filter(|error| !error.is_closed_pipe()).map(ToString::to_string).collect();
    if lines.is_empty() { Ok(()) } else { Err(Stop::Internal(lines.join("\n"))) }
}
