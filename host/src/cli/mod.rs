//! The command line: one file for each command; parses, calls the library, prints.
//!
//! stdout is the result, stderr is everything else. A command returns its exit code, or a [`Stop`] that says why there
//! is no result.

mod answer;
mod ask;
mod attest;
mod by_hand;
mod checks;
mod config;
mod diagnose;
mod diff;
mod doctor;
mod due;
mod engine;
mod explain;
mod global;
mod guide;
mod guided;
mod history;
mod init;
mod inquiry;
mod learn;
mod output;
mod paste;
mod permissions;
mod plan;
mod plugins;
mod run;
mod said;
mod schema;
mod site;
mod sources;
mod stop;
mod text;
mod trend;
mod waive;

pub use global::Global;
pub use output::{Output, Printer};
pub use stop::Stop;

use crate::collect::session::Session;
use crate::config::Layers;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Inspects the health of a Tanium deployment, module by module, and says what to do about it. It only reads.
#[derive(Debug, Parser)]
#[command(name = "tancheck", version, about, max_term_width = 110, after_help = EXAMPLES, after_long_help = LONG_HELP)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  tancheck init https://tanium.example.com --token-file /etc/tancheck/token
  tancheck run                        all enabled checks
  tancheck run --module connect -o json=report.json -o text
  tancheck explain connect.failed-connections

Exit codes: 0 healthy and complete, 1 findings, 2 usage or configuration, 3 incomplete, 4 overdue task,
5 deployment unreachable or login refused, 70 internal fault.";

const LONG_HELP: &str = "\
Examples:
  tancheck init https://tanium.example.com --token-file /etc/tancheck/token
  tancheck run                        all enabled checks
  tancheck run --module connect -o json=report.json -o text
  tancheck explain connect.failed-connections

Configuration: --config, TANCHECK_CONFIG, $XDG_CONFIG_HOME/tancheck/tancheck.toml, /etc/tancheck/tancheck.toml; the first
that exists. Every key can also be set by a variable: TANCHECK_, then the key in capitals, with __ for a dot and _ for a
hyphen (deployment.url: TANCHECK_DEPLOYMENT__URL). Flags beat variables, variables beat the file. `tancheck config explain`
lists all keys.

Exit codes: 0 healthy and complete, 1 findings, 2 usage or configuration, 3 incomplete, 4 overdue task,
5 deployment unreachable or login refused, 70 internal fault.";

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Arguments),
    Run(run::Arguments),
    Plan(plan::Arguments),
    Due(due::Arguments),
    Learn(learn::Arguments),
    Waive(waive::Arguments),
    Waivers(waive::Listing),
    Attest(attest::Arguments),
    Answer(answer::Arguments),
    Answers(by_hand::Answers),
    Exports(by_hand::Exports),
    Checks(checks::Arguments),
    Explain(explain::Arguments),
    Diagnose(diagnose::Arguments),
    Guide(guide::Arguments),
    History(history::Arguments),
    Diff(diff::Arguments),
    Trend(trend::Arguments),
    Plugins(plugins::Arguments),
    Paste(paste::Arguments),
    Permissions(permissions::Arguments),
    Doctor(doctor::Arguments),
    Config(config::Arguments),
    Schema(schema::Arguments),
}

impl Command {
    fn run(self, global: &Global) -> Result<u8, Stop> {
        match self {
            Self::Init(arguments) => init::run(arguments, global),
            Self::Run(arguments) => run::run(arguments, global),
            Self::Plan(arguments) => plan::run(arguments, global),
            Self::Due(arguments) => due::run(arguments, global),
            Self::Learn(arguments) => learn::run(arguments, global),
            Self::Waive(arguments) => waive::run(arguments, global),
            Self::Waivers(arguments) => waive::list(arguments, global),
            Self::Attest(arguments) => attest::run(arguments, global),
            Self::Answer(arguments) => answer::run(arguments, global),
            Self::Answers(arguments) => by_hand::answers(arguments, global),
            Self::Exports(arguments) => by_hand::exports(arguments, global),
            Self::Checks(arguments) => checks::run(arguments, global),
            Self::Explain(arguments) => explain::run(arguments, global),
            Self::Diagnose(arguments) => diagnose::run(arguments, global),
            Self::Guide(arguments) => guide::run(arguments, global),
            Self::History(arguments) => history::run(arguments, global),
            Self::Diff(arguments) => diff::run(arguments, global),
            Self::Trend(arguments) => trend::run(arguments, global),
            Self::Plugins(arguments) => plugins::run(arguments, global),
            Self::Paste(arguments) => paste::run(arguments, global),
            Self::Permissions(arguments) => permissions::run(arguments, global),
            Self::Doctor(arguments) => doctor::run(arguments, global),
            Self::Config(arguments) => config::run(arguments, global),
            Self::Schema(arguments) => schema::run(arguments, global),
        }
    }
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::from(main_with(std::env::args_os().collect()))
}

fn main_with(arguments: Vec<OsString>) -> u8 {
    let color = global::color_of(&arguments);
    color.apply();
    let parsed = Cli::command().color(color.for_help()).try_get_matches_from(arguments);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout with code 0, usage errors to stderr with code 2. Nobody may be listening.
            error.print().ok();
            return u8::try_from(error.exit_code()).unwrap_or(stop::USAGE);
        }
    };
    cli.global.start_log();
    // A panic that gets this far is our fault, and has its own exit code; the panic's message is on stderr by then.
    let outcome = catch_unwind(AssertUnwindSafe(|| cli.command.run(&cli.global)));
    let result = outcome.unwrap_or_else(|_| {
        Err(Stop::Internal("this is a fault of tancheck itself; please report the lines above".to_owned()))
    });
    match result {
        Ok(code) => code,
        Err(stop) => {
            output::complain(&stop);
            stop.code()
        }
    }
}

/// Logs in to the configured deployment.
async fn login(layers: &Layers) -> Result<Session, Stop> {
    let deployment = layers.deployment()?;
    Session::open(&deployment, &layers.limits()).await.map_err(|problem| Stop::Unreachable(problem.reason))
}

/// The runtime of commands that wait.
fn runtime() -> Result<tokio::runtime::Runtime, Stop> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Stop::Internal(format!("failed to start the runtime: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_help() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }
}
