//! Tasks of this repository: `cargo xtask <task>`.
#![expect(clippy::print_stdout, reason = "tasks talk to the terminal")]

mod build;
mod demo;
mod dist;
mod docs;
mod guided_docs;
mod new_plugin;
mod tidy;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Tasks of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything, start the lab with faults, and show a full run of the real binary against it.
    Demo,
    /// Run all tests, the tidy rules, and the check that generated pages are current.
    Test,
    /// Run the benchmarks: ratios within one run, with their gates.
    Bench,
    /// Make one folder that can be handed on: host, plugins, pins, documents.
    Dist,
    /// Make a new plugin that builds and has a test.
    NewPlugin {
        /// Its id, kebab-case.
        id: String,
    },
    /// Write the generated pages under docs/checks.
    Docs {
        /// Only say whether they are current.
        #[arg(long)]
        check: bool,
    },
    /// Check the rules that no compiler knows.
    Tidy,
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Demo => demo::run(),
        Task::Test => test(),
        Task::Bench => bench(),
        Task::Dist => dist::run(),
        Task::NewPlugin { id } => new_plugin::run(&id),
        Task::Docs { check } => docs::run(check),
        Task::Tidy => tidy::run(),
    }
}

fn bench() -> Result<()> {
    let built = build::build(&["--release"])?.keep()?;
    let bench = |package: &str| {
        build::succeed(
            build::cargo_command().args(["bench", "--package", package]).env("TANCHECK_BUILT", &built),
        )
    };
    bench("tancheck")?;
    bench("tancheck-e2e")
}

fn test() -> Result<()> {
    tidy::run()?;
    let built = build::workspace()?.keep()?;
    // Tests that start the real binary or load plugins take these instead of building their own.
    let mut tests = build::cargo_command();
    // All that fails is told, not what fails first.
    tests.args(["test", "--no-fail-fast", "--workspace", "--features", "tancheck-plugin-api/testing"]);
    build::succeed(tests.env("TANCHECK_BUILT", built))?;
    docs::run(true)?;
    println!("all tests passed");
    Ok(())
}
