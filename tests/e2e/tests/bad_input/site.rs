//! A machine with its lab, and what is demanded of every run, whatever went wrong.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tancheck_e2e::{Machine, Ran};
use tancheck_lab::{Behaviour, Lab};

/// Not a second is wasted on repetitions, unless a test is about them.
const IMPATIENT: &[&str] = &["--set", "limits.retries=0"];

/// A machine with its lab.
pub(crate) struct Site {
    pub(crate) lab: Lab,
    pub(crate) machine: Machine,
    /// The lab's time, and `--check` for each check that passes while everything is well.
    selection: Vec<String>,
}

/// A run's report.
pub(crate) struct Report(pub(crate) Value);

/// A small healthy lab.
pub(crate) fn lab() -> Lab {
    Lab::builder().endpoints(20).special_cells_every(0).start().unwrap()
}

impl Site {
    /// A machine with these plugins, configured for the lab.
    pub(crate) fn new(packages: &[&str]) -> Self {
        Self::of(lab(), packages, "")
    }

    /// The same for any lab and more configuration.
    pub(crate) fn of(lab: Lab, packages: &[&str], more: &str) -> Self {
        let machine = Machine::with(packages);
        machine.configure_deployment(&lab.url(), lab.token(), more);
        let selection = vec!["--now".to_owned(), lab.now().to_string()];
        Self { lab, machine, selection }
    }

    /// Narrows all later runs to the checks that pass now, so that a run without trouble exits with 0. Returns the
    /// report of such a run.
    pub(crate) fn settle(&mut self) -> Report {
        let all = self.report(&[], None);
        self.narrow(&all)
    }

    fn narrow(&mut self, all: &Report) -> Report {
        let passing = all.ids("pass");
        assert!(passing.len() > 4, "too little passes: {:#}", all.0);
        self.selection.extend(passing.into_iter().flat_map(|id| ["--check".to_owned(), id]));
        self.report(&[], Some(0))
    }

    /// The same for the checks of one plugin.
    pub(crate) fn settle_on(&mut self, plugin: &str) -> Report {
        let all = self.report(&["--module", plugin], None);
        self.narrow(&all)
    }

    /// Runs the checks with a JSON report on stdout.
    pub(crate) fn run(&self, more: &[&str]) -> Ran {
        self.decent(self.machine.run(&self.arguments(more)))
    }

    /// The arguments of [`Self::run`].
    pub(crate) fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [self.arguments_as("json"), more.to_vec()].concat()
    }

    /// The arguments of a run with another format on stdout.
    pub(crate) fn arguments_as<'a>(&'a self, format: &'a str) -> Vec<&'a str> {
        let selection = self.selection.iter().map(String::as_str);
        ["run", "-o", format].into_iter().chain(IMPATIENT.iter().copied()).chain(selection).collect()
    }

    /// Runs, and does something at the moment at which this route is asked: its answer waits for that.
    pub(crate) fn report_while(&self, route: &str, code: i32, then: impl FnOnce()) -> Report {
        self.lab.clear_requests();
        self.lab.behaviour(route, Behaviour::Held);
        let report = std::thread::scope(|scope| {
            let running = scope.spawn(|| self.report(&[], Some(code)));
            while !self.lab.requests().iter().any(|request| request.path == route) {
                assert!(!running.is_finished(), "the run ended without asking {route}");
                std::thread::sleep(Duration::from_millis(2));
            }
            then();
            self.lab.behaviour(route, Behaviour::Slow(Duration::ZERO));
            running.join().unwrap()
        });
        self.lab.clear_behaviours();
        report
    }

    /// A command, ready to start.
    pub(crate) fn command(&self, more: &[&str]) -> Command {
        self.machine.command(&self.arguments(more))
    }

    /// Runs the checks, and returns the report.
    pub(crate) fn report(&self, more: &[&str], code: Option<i32>) -> Report {
        let ran = self.run(more);
        assert!(code.is_none_or(|code| ran.code == Some(code)), "expected {code:?}: {ran:#?}");
        assert!(matches!(ran.code, Some(0 | 1 | 3 | 5 | 130 | 143)), "{ran:#?}");
        let report = Report(ran.json());
        assert_eq!(report.0["exit"]["code"], ran.code.unwrap());
        report
    }

    /// What is demanded of whatever was printed and written: no panic, no secret.
    pub(crate) fn decent(&self, ran: Ran) -> Ran {
        decent(&self.machine, &[self.lab.token(), self.lab.password()], ran)
    }

    /// Exit codes of the runs in the history, the oldest first; the file is whole.
    pub(crate) fn history(&self) -> Vec<i64> {
        history(&self.machine)
    }
}

/// No panic and no secret in what was printed, nor in what was written.
pub(crate) fn decent(machine: &Machine, secrets: &[&str], ran: Ran) -> Ran {
    for text in [&ran.stdout, &ran.stderr] {
        // What a plugin that panics on purpose prints is shown as its own words.
        let host = text.replace("panicked at tests/hostile/", "");
        for panic in ["panicked at", "a fault of tancheck itself"] {
            assert!(!host.contains(panic), "{panic}: {ran:#?}");
        }
        for secret in secrets {
            assert!(!text.contains(secret), "a secret was printed: {ran:#?}");
        }
    }
    for file in written(machine) {
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            // Another run may have put a draft in its place, or closed the history, since the folder was listed.
            Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => panic!("{}: {error}", file.display()),
        };
        for secret in secrets {
            let place = memchr::memmem::find(&bytes, secret.as_bytes());
            assert_eq!(place, None, "a secret was written to {}", file.display());
        }
    }
    ran
}

/// Every file that tancheck could have written. Libraries are left out: they were there before, and are large.
fn written(machine: &Machine) -> Vec<PathBuf> {
    let secrets = [machine.path("token"), machine.path("password")];
    let mut files = Vec::new();
    walk(&machine.path(""), &mut files);
    files.retain(|file| !secrets.contains(file) && !file.starts_with(machine.path("plugins")));
    files
}

/// Every file below a folder. Others may be writing there.
pub(crate) fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.is_file() {
            files.push(path);
        }
    }
}

/// Exit codes of the runs in the history, the oldest first. The file is whole, or this fails.
pub(crate) fn history(machine: &Machine) -> Vec<i64> {
    let path = machine.path("state/tancheck/history.db");
    let connection = rusqlite::Connection::open(path).unwrap();
    let whole: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    let mut statement = connection.prepare("SELECT exit_code FROM run ORDER BY id").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

impl Report {
    /// One check.
    pub(crate) fn check(&self, id: &str) -> &Value {
        self.checks().find(|check| check["id"] == id).unwrap_or_else(|| panic!("{id}: {:#}", self.0))
    }

    pub(crate) fn checks(&self) -> impl Iterator<Item = &Value> {
        self.0["checks"].as_array().unwrap().iter()
    }

    /// The checks with this outcome.
    pub(crate) fn ids(&self, outcome: &str) -> Vec<String> {
        let with = self.checks().filter(|check| check["outcome"] == outcome);
        with.map(|check| check["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The reasons of the exit code, and problems that no check shows.
    pub(crate) fn told(&self) -> String {
        let reasons = self.0["exit"]["reasons"].as_array().unwrap().iter().map(|reason| &reason["says"]);
        let problems = self.0["problems"].as_array().unwrap().iter();
        reasons.chain(problems).map(|text| text.as_str().unwrap()).collect::<Vec<_>>().join("\n")
    }

    /// What a trouble cost: the checks whose outcome is another one than before. Each of them is undecided, and says
    /// why with all of these words; there is no check that was lost.
    pub(crate) fn costs(&self, before: &Self, words: &[&str]) -> Vec<&str> {
        let ids =
            |report: &Self| -> Vec<String> { report.checks().map(|check| check["id"].to_string()).collect() };
        assert_eq!(ids(self), ids(before), "every check has its outcome");
        let mut cost = Vec::new();
        for check in self.checks() {
            let id = check["id"].as_str().unwrap();
            if before.check(id)["outcome"] == check["outcome"] {
                continue;
            }
            let outcome = check["outcome"].as_str().unwrap();
            assert!(
                !matches!(outcome, "pass" | "finding" | "not-applicable"),
                "{id} is {outcome}: {check:#}"
            );
            let reason = check["reason"].as_str().unwrap_or_default();
            for word in words {
                assert!(reason.contains(word), "{id} does not tell {word:?}: {reason}");
            }
            cost.push(id);
        }
        cost
    }
}
