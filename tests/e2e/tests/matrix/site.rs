//! A deployment with its site: the lab, a machine with tancheck, settings, exported files, and a month of history.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tancheck_e2e::Machine;
use tancheck_lab::Lab;

/// The plugins that are walked: every one of the repository.
pub(crate) fn packages() -> Vec<String> {
    tancheck_test_support::plugins()
}

/// The site's settings: what the checks need to know before they can decide.
const SETTINGS: &str = r#"
# The lab answers at once, and there are hundreds of runs.
[limits]
questions_in_flight = 32
calls_in_flight = 32
retries = 0
question_timeout = "10s"

[modules]
enable = ["actions", "client-management", "connect", "health-check"]

[modules.actions]
intended_on_default = ["Parked on purpose"]
solution_issuer_patterns = ["Endpoint Configuration"]

[modules.client-management]
owners = ["sam.novak"]
required_permissions = ["client-management view health", "client-management operate"]
approved_servers = ["ts1.lab.example", "ts2.lab.example", "zs1.lab.example", "zs2.lab.example"]
clients_per_zone_server = 200
container_group = "Client Containers"
exempt_groups = ["All Virtual Machines"]
expected_counts = { LogVerbosityLevel = ["0=50", "1=440"] }
sensitive_groups = ["All Virtual Machines"]
baseline = { MessageBufferLimit = ["500", ""], LogVerbosityLevel = ["0", "1", "10"], ServerNameList = ["ts1.lab.example,ts2.lab.example", "zs1.lab.example,zs2.lab.example"] }

[modules.connect]
owners = ["alex.rivera"]
required_permissions = ["connect read", "connect run"]
required_permissions_by_source = { "*" = ["connect read"] }
authority = "self"
format = "JSON"
rotation_days = 90
process_exit_text = "Unexpected Process Exit"

[modules.health-check]
owners = ["jo.lindqvist"]
required_permissions = ["client-management view health"]
"#;

/// Inputs that people answer, and the check under which the lab tells the answer.
const ANSWERS: &[(&str, &str)] = &[
    ("client-management.redeployment", "client-management.auto-redeploy"),
    ("client-management.retention", "client-management.endpoint-retention"),
    ("health-check.last-report-copy", "health-check.tpan-report-archived"),
];

/// The lab with its machine.
pub(crate) struct Site {
    pub(crate) lab: Lab,
    pub(crate) machine: Machine,
}

/// A run's report.
pub(crate) struct Report(pub(crate) Value);

/// One check in it.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a>(&'a Value);

/// Whether the long walks were asked for: they take a quarter of an hour on two cores. Says so when they were not.
pub(crate) fn walks() -> bool {
    let asked = std::env::var_os("TANCHECK_MATRIX").is_some_and(|value| value == "full");
    if !asked {
        println!("skipped: a long walk; set TANCHECK_MATRIX=full to take it");
    }
    asked
}

/// Tries each item on a site of its own kind, several at a time, and gathers what was wrong.
pub(crate) fn try_each<T: Sync>(
    items: &[T],
    attempt: impl Fn(&Site, &T) -> Vec<String> + Sync,
) -> Vec<String> {
    const SITES: usize = 4;
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SITES {
            scope.spawn(|| {
                let site = Site::with_history();
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = attempt(&site, item);
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    wrong
}

impl Site {
    /// The healthy lab, with nothing but the configuration.
    pub(crate) fn bare() -> Self {
        Self::of(Lab::builder().endpoints(500).client_containers(5).special_cells_every(0).start().unwrap())
    }

    fn of(lab: Lab) -> Self {
        let packages = packages();
        let machine = Machine::with(&packages.iter().map(String::as_str).collect::<Vec<_>>());
        machine.configure_deployment(&lab.url(), lab.token(), SETTINGS);
        Self { lab, machine }
    }

    /// The healthy lab after five weekly runs, with answers, attestations and exported files.
    pub(crate) fn with_history() -> Self {
        let end = Lab::builder().start().unwrap().now();
        let begin = end - jiff::SignedDuration::from_hours(5 * 7 * 24);
        let lab = Lab::builder()
            .endpoints(500)
            .client_containers(5)
            .special_cells_every(0)
            .now(begin)
            .start()
            .unwrap();
        let site = Self::of(lab);
        for _ in 0..5 {
            site.export();
            let _ = site.run(&["--quiet"]);
            site.lab.advance(Duration::from_secs(7 * 24 * 3600));
        }
        site.settle();
        site
    }

    /// What people do: exported files, answers, attestations, confirmations of what is as it should be.
    pub(crate) fn settle(&self) {
        self.export();
        self.answer();
        let at = self.lab.now().to_string();
        let report = self.run(&[]);
        for check in report.checks().filter(|check| check.0["kind"] != "automated") {
            let whole = check.outcome() == "attestation-due" && check.items().next().is_none();
            if whole || check.is_task() {
                self.attest(check.id(), None, &at);
            }
            for item in check.items() {
                self.attest(check.id(), Some(item["subject"]["key"].as_str().unwrap()), &at);
            }
        }
    }

    pub(crate) fn attest(&self, check: &str, subject: Option<&str>, at: &str) {
        let mut arguments = vec!["attest", check, "--result", "done", "--by", "ann", "--at", at];
        arguments.extend(subject.into_iter().flat_map(|subject| ["--subject", subject]));
        self.succeed(&arguments);
    }

    /// Writes the files that have no other source.
    pub(crate) fn export(&self) {
        let folder = self.machine.path("state/tancheck/exports");
        let all = self.machine.path("all-exports");
        self.lab.write_exports(&all).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        for file in ["tpan-findings.csv", "tpan-reports.csv"] {
            std::fs::copy(all.join(file), folder.join(file)).unwrap();
        }
        let bundles = self.told().into_iter().filter_map(|(check, made)| {
            let module = match check.strip_suffix(".support-bundle")? {
                "client-management" => "Client Management",
                "connect" => "Connect",
                _ => "Health Check",
            };
            Some(format!("{module},{made},bundle.zip\n"))
        });
        let inventory = format!("module,created,file\n{}", bundles.collect::<String>());
        std::fs::write(folder.join("support-bundles.csv"), inventory).unwrap();
        for entry in std::fs::read_dir(&folder).unwrap() {
            let file = std::fs::File::options().append(true).open(entry.unwrap().path()).unwrap();
            file.set_modified(self.lab.now().into()).unwrap();
        }
    }

    /// What people of the lab would say, by check.
    fn told(&self) -> Vec<(String, String)> {
        let mut rows = csv::Reader::from_path(self.machine.path("all-exports/answers.csv")).unwrap();
        rows.records().map(Result::unwrap).map(|row| (row[0].to_owned(), row[1].to_owned())).collect()
    }

    /// Answers as people of the lab would.
    fn answer(&self) {
        let at = self.lab.now().to_string();
        for (check, value) in self.told() {
            if let Some((input, _)) = ANSWERS.iter().find(|(_, told)| *told == check) {
                let value = value.split('T').next().unwrap();
                self.succeed(&["answer", input, value, "--by", "ann", "--at", &at]);
            }
        }
    }

    /// Runs, at the lab's time.
    pub(crate) fn run(&self, more: &[&str]) -> Report {
        let now = self.lab.now().to_string();
        let arguments = [&["run", "--now", &now, "-o", "json"], more].concat();
        let ran = self.machine.run(&arguments);
        assert!(matches!(ran.code, Some(0 | 1 | 3)), "{ran:#?}");
        Report(ran.json())
    }

    /// Runs, and forgets the run: the history stays as it was.
    pub(crate) fn try_out(&self, more: &[&str]) -> Report {
        let (kept, state) = (self.machine.path("kept"), self.machine.path("state"));
        copy(&state, &kept);
        self.answer();
        let report = self.run(more);
        std::fs::remove_dir_all(&state).unwrap();
        std::fs::rename(&kept, &state).unwrap();
        report
    }

    fn succeed(&self, arguments: &[&str]) {
        let _ = self.machine.run(arguments).exits(0);
    }

    /// What `checks list` tells.
    pub(crate) fn checks(&self) -> Vec<Value> {
        let listed = self.machine.run(&["checks", "list", "-o", "json"]).exits(0).json();
        let rows = if listed.is_array() { &listed } else { &listed["checks"] };
        rows.as_array().unwrap().clone()
    }

    /// The manifests of all plugins.
    pub(crate) fn manifests(&self) -> Vec<Value> {
        let ids: std::collections::BTreeSet<String> =
            self.checks().iter().map(|check| check["plugin"].as_str().unwrap().to_owned()).collect();
        let show = |id: &String| self.machine.run(&["plugins", "show", id, "-o", "json"]).exits(0).json();
        ids.iter().map(show).map(|shown| shown.get("manifest").cloned().unwrap_or(shown)).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            // The time of an exported file is part of what it says.
            let target = to.join(entry.file_name());
            std::fs::copy(entry.path(), &target).unwrap();
            let written = entry.metadata().unwrap().modified().unwrap();
            std::fs::File::options().append(true).open(target).unwrap().set_modified(written).unwrap();
        }
    }
}

impl Report {
    pub(crate) fn checks(&self) -> impl Iterator<Item = Row<'_>> {
        self.0["checks"].as_array().unwrap().iter().map(Row)
    }

    pub(crate) fn check(&self, id: &str) -> Row<'_> {
        self.checks().find(|check| check.id() == id).unwrap_or_else(|| panic!("{id} is not in the report"))
    }
}

impl<'a> Row<'a> {
    pub(crate) fn id(self) -> &'a str {
        self.0["id"].as_str().unwrap()
    }

    pub(crate) fn is_attested(self) -> bool {
        self.0["kind"] == "attested"
    }

    pub(crate) fn outcome(self) -> &'a str {
        self.0["outcome"].as_str().unwrap()
    }

    /// Its reason, and what its findings say.
    pub(crate) fn why(self) -> String {
        let reason = self.0["reason"].as_str().unwrap_or_default();
        let items = self.items().map(|item| format!("{} {}", item["subject"]["name"], item["says"]));
        std::iter::once(reason.to_owned()).chain(items).collect::<Vec<_>>().join("; ")
    }

    /// Its findings, and the items that await a person.
    pub(crate) fn items(self) -> impl Iterator<Item = &'a Value> {
        let list = |key: &str| self.0[key].as_array().into_iter().flatten();
        list("findings").chain(list("awaiting"))
    }

    pub(crate) fn is_task(self) -> bool {
        self.outcome() == "not-evaluated"
    }
}

/// The rows of the catalogue for the plugins that are here; nothing, with a message, where it is absent.
pub(crate) fn catalogue() -> Option<BTreeMap<String, BTreeMap<String, String>>> {
    let path = tancheck_test_support::root().join("../shared/requirements/catalogue.csv");
    if !Path::new(&path).exists() {
        println!("skipped: the catalogue of the maintenance guide is not beside this repository");
        return None;
    }
    let plugins: Vec<String> =
        packages().iter().map(|name| name.trim_start_matches("tancheck-").to_owned()).collect();
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.deserialize::<BTreeMap<String, String>>().map(Result::unwrap);
    Some(rows.filter(|row| plugins.contains(&row["plugin"])).map(|row| (row["id"].clone(), row)).collect())
}
