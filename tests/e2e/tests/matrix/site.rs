//! A deployment with its site: the lab, a machine with tancheck, settings, exported files, and a month of history.

use crate::tables::{self, Change};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;
use tancheck_e2e::{Machine, copy_files, copy_folder};
use tancheck_lab::Lab;

/// The lab answers at once, and there are hundreds of runs. History is kept by name: each lab has another port.
const LIMITS: &str = r#"
id = "lab"
[limits]
questions_in_flight = 32
calls_in_flight = 32
retries = 0
question_timeout = "10s"
probe_timeout = "700ms"
probe_pause = "0s"
"#;

/// Reads every listener that must not face the outside.
const EXPOSURE: &str = "direct-connect.port-exposure";

/// The configuration with which people attest and answer.
const PEOPLE: &str = "people.toml";

/// A machine with the plugins, trusted and configured, that every site begins with.
static BARE: LazyLock<Machine> = LazyLock::new(|| {
    let packages: Vec<String> = tables::enabled().iter().map(|plugin| tables::package(plugin)).collect();
    let machine = Machine::with(&packages.iter().map(String::as_str).collect::<Vec<_>>());
    let anywhere = "http://127.0.0.1:9";
    machine.configure_deployment(anywhere, "none", &format!("{LIMITS}{}", tables::settings()));
    machine
});

/// The manifests of all plugins.
pub(crate) fn manifests() -> &'static [Value] {
    static MANIFESTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
        let show = |id: &String| BARE.run(&["plugins", "show", id, "-o", "json"]).exits(0).json();
        let shown = tables::enabled().iter().map(show);
        shown.map(|shown| shown.get("manifest").cloned().unwrap_or(shown)).collect()
    });
    &MANIFESTS
}

/// A machine five weeks later: five weekly runs, then answers, attestations and exported files.
static SETTLED: LazyLock<Machine> = LazyLock::new(|| {
    let begin = Lab::builder().start().unwrap().now() - jiff::SignedDuration::from_hours(5 * 7 * 24);
    let site = Site::on(&BARE, Some(begin));
    for _ in 0..5 {
        site.export();
        let _ = site.run(&["--quiet"]);
        site.lab.advance(Duration::from_secs(7 * 24 * 3600));
    }
    site.settle();
    site.machine
});

/// The files and answers that people of the site provide: those that are the first way to an input which the lab has.
struct Provided {
    files: BTreeSet<String>,
    /// The plugin of each input that is answered.
    answers: BTreeMap<String, String>,
}

impl Provided {
    fn new(written: &Path) -> Self {
        let mut provided = Self { files: BTreeSet::new(), answers: BTreeMap::new() };
        let inputs = |manifest: &'static Value| list(manifest, "inputs").map(move |input| (manifest, input));
        for (manifest, input) in manifests().iter().flat_map(inputs) {
            let has = |source: &&Value| match source["kind"].as_str() {
                Some("export") => written.join(source["file"].as_str().unwrap()).exists(),
                _ => true,
            };
            let plugin = tables::plugin_of(input["id"].as_str().unwrap());
            let first = list(input, "sources").find(|source| is_set(plugin, source));
            if let Some(file) = first.filter(has).and_then(|source| source["file"].as_str()) {
                provided.files.insert(file.to_owned());
            }
            let there = list(input, "sources").filter(|source| is_set(plugin, source)).find(has);
            if there.is_some_and(|source| source["kind"] == "answer") {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                provided.answers.insert(text(&input["id"]), text(&manifest["id"]));
            }
        }
        provided
    }
}

/// Whether a question can be asked: the site sets what its text needs.
fn is_set(plugin: &str, source: &Value) -> bool {
    let text = source["text"].as_str().unwrap_or_default();
    let key = text.split_once("{setting:").and_then(|(_, rest)| rest.split('}').next());
    key.is_none_or(|key| tables::tables().get(plugin).is_some_and(|table| table.settings.contains_key(key)))
}

/// The elements of a list in a document.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// The lab with its machine.
pub(crate) struct Site {
    pub(crate) lab: Lab,
    pub(crate) machine: Machine,
    /// Reports from other places that are always merged.
    evidence: Vec<String>,
}

/// A run's report.
pub(crate) struct Report(pub(crate) Value);

/// One check in it.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a>(&'a Value);

impl Site {
    /// The healthy lab, with nothing but the configuration.
    pub(crate) fn bare() -> Self {
        Self::on(&BARE, None)
    }

    /// The healthy lab after five weekly runs, with answers, attestations and exported files.
    pub(crate) fn with_history() -> Self {
        Self::on(&SETTLED, None)
    }

    fn on(machine: &Machine, now: Option<jiff::Timestamp>) -> Self {
        let lab = Lab::builder().endpoints(500).client_containers(5).special_cells_every(0);
        let lab = now.into_iter().fold(lab, |lab, now| lab.now(now)).start().unwrap();
        let machine = machine.duplicate();
        let mut site = Self { lab, machine, evidence: Vec::new() };
        site.configure();
        if tables::enabled().iter().any(|plugin| plugin == "direct-connect") {
            let (vantage, port) = ("endpoint-internal", "direct-connect.port-module-17475");
            let internal = site.look(vantage, &[port, EXPOSURE], &["17486", "17487", "17488"]);
            let all = ["17475", "17486", "17487", "17488"];
            let external = site.look("endpoint-external", &[EXPOSURE], &all);
            site.evidence = vec![internal, external];
            site.configure();
        }
        let token = site.machine.path("token").display().to_string();
        let people = format!("[deployment]\nurl = {:?}\ntoken_file = {token:?}\n{LIMITS}", site.lab.url());
        site.machine.write(PEOPLE, &people);
        site
    }

    /// The addresses of the lab's listeners, with further names for some of them.
    fn listeners(&self, names: &BTreeMap<String, String>) -> Vec<String> {
        let all = self.lab.listeners();
        let renamed = all.iter().flat_map(|(listener, address)| {
            let (host, port) = listener.rsplit_once(':').unwrap();
            let names = names.iter().filter(move |(_, real)| real.as_str() == host);
            names.map(move |(name, _)| format!("{name}:{port}={address}"))
        });
        let own = all.iter().map(|(listener, address)| format!("{listener}={address}"));
        own.chain(renamed).collect()
    }

    /// The configuration: tancheck runs on the Module Server, and the listeners are those of the lab.
    fn configure(&self) {
        let (listeners, evidence) = (self.listeners(&BTreeMap::new()), &self.evidence);
        let probe = format!(
            "[probe]\nvantage = \"module-server\"\nconnect_to = {listeners:?}\nmerge_evidence = {evidence:?}\n"
        );
        let rest = format!("{LIMITS}{}\n{probe}", tables::settings());
        self.machine.configure_deployment(&self.lab.url(), self.lab.token(), &rest);
    }

    /// The arguments that make a change of the site.
    pub(crate) fn change(&self, plugin: &str, change: &Change) -> Vec<String> {
        let set = |key: String, value: &str| ["--set".to_owned(), format!("{key}={value}")];
        let settings =
            change.settings.iter().flat_map(|(key, value)| set(format!("modules.{plugin}.{key}"), value));
        let listeners = self.listeners(&change.names).join(",");
        let mut arguments: Vec<String> =
            settings.chain(set("probe.connect_to".to_owned(), &listeners)).collect();
        let seen = change.looks.iter().map(|look| self.look(&look.vantage, &look.checks, &look.closed));
        let files: Vec<String> = self.evidence.iter().cloned().chain(seen).collect();
        arguments.extend(files.into_iter().flat_map(|file| ["--merge-evidence".to_owned(), file]));
        arguments
    }

    /// What tancheck sees at another place, from which these ports are closed: its report.
    fn look<T: AsRef<str>>(&self, vantage: &str, checks: &[T], closed: &[T]) -> String {
        let closed: Vec<&str> = closed.iter().map(AsRef::as_ref).collect();
        for port in &closed {
            self.lab.inject(&format!("direct-connect-port-{port}-refused")).unwrap();
        }
        // The same place sees something else later: the comma is there on purpose.
        let name = format!("{vantage}, {}", closed.join("-"));
        let file = self.machine.path(&format!("{name}.json")).display().to_string();
        let state = format!("places.state={}", self.machine.path(&name).display());
        let (now, output) = (self.lab.now().to_string(), format!("json={file}"));
        let mut arguments =
            vec!["run", "--now", &now, "--vantage", vantage, "--quick", "--set", &state, "-o", &output];
        arguments.extend(checks.iter().flat_map(|check| ["--check", check.as_ref()]));
        let ran = self.machine.run(&arguments);
        assert!(matches!(ran.code, Some(0 | 1 | 3)), "{ran:#?}");
        self.lab.clear_faults();
        file
    }

    /// What people do: exported files, answers, attestations, confirmations of what is as it should be.
    pub(crate) fn settle(&self) {
        self.export();
        self.answer(&BTreeMap::new());
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
        let mut arguments = vec!["attest", check, "--result", "done", "--by", "ann", "--at", at, "--now", at];
        arguments.extend(subject.into_iter().flat_map(|subject| ["--subject", subject]));
        self.tell(tables::plugin_of(check), &arguments);
    }

    /// Writes the files that have no other source.
    pub(crate) fn export(&self) {
        let all = self.machine.path("all-exports");
        self.lab.write_exports(&all).unwrap();
        let folder = self.machine.path("state/tancheck/exports");
        std::fs::create_dir_all(&folder).unwrap();
        for file in &Provided::new(&all).files {
            std::fs::copy(all.join(file), folder.join(file)).unwrap();
            let file = std::fs::File::options().append(true).open(folder.join(file)).unwrap();
            file.set_modified(self.lab.now().into()).unwrap();
        }
    }

    /// Answers as people of the lab would; what they said before they need not say again.
    fn answer(&self, said: &BTreeMap<String, String>) {
        let at = self.lab.now().to_string();
        let all = self.machine.path("all-exports");
        let asked = Provided::new(&all).answers;
        for (input, value) in told(&all) {
            if let Some(plugin) = asked.get(&input).filter(|_| said.get(&input) != Some(&value)) {
                self.tell(plugin, &["answer", &input, &value, "--by", "ann", "--at", &at]);
            }
        }
    }

    /// Runs, at the lab's time.
    pub(crate) fn run(&self, more: &[&str]) -> Report {
        let now = self.lab.now().to_string();
        let arguments = [&["run", "--now", &now, "-o", "json"], more].concat();
        let ran = self.machine.run(&arguments);
        // 5: what the host itself needs was withheld, and then nothing was decided.
        assert!(matches!(ran.code, Some(0 | 1 | 3 | 5)), "{ran:#?}");
        Report(ran.json())
    }

    /// Runs, and forgets the run: the history stays as it was.
    pub(crate) fn try_out(&self, more: &[&str]) -> Report {
        let (kept, state) = (self.machine.path("kept"), self.machine.path("state"));
        copy_folder(&state, &kept);
        self.answer(&told(&SETTLED.path("all-exports")));
        let report = self.run(more);
        std::fs::remove_dir_all(&state).unwrap();
        std::fs::rename(&kept, &state).unwrap();
        report
    }

    /// What a person tells about one plugin; with only this one in sight, for there are hundreds of such commands and
    /// each looks through all plugins.
    fn tell(&self, plugin: &str, arguments: &[&str]) {
        let (all, alone) = (self.machine.path("plugins"), self.machine.path("alone").join(plugin));
        if !alone.exists() {
            let library = format!("{}.so", tables::package(plugin).replace('-', "_"));
            let is_wanted = |name: &str| name.ends_with(".lock") || name == format!("lib{library}");
            copy_files(&all, &alone, is_wanted);
        }
        let people = self.machine.path(PEOPLE);
        let mut command = self.machine.command(&["--config"]);
        command.arg(people).args(arguments).env("TANCHECK_PLACES__PLUGINS", &alone);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    /// What `checks list` tells.
    pub(crate) fn checks(&self) -> Vec<Value> {
        let listed = self.machine.run(&["checks", "list", "-o", "json"]).exits(0).json();
        let rows = if listed.is_array() { &listed } else { &listed["checks"] };
        rows.as_array().unwrap().clone()
    }
}

/// What people of the lab would say, by input.
fn told(exports: &Path) -> BTreeMap<String, String> {
    let mut rows = csv::Reader::from_path(exports.join("answers.csv")).unwrap();
    rows.records().map(Result::unwrap).map(|row| (row[0].to_owned(), row[1].to_owned())).collect()
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
    let plugins = tables::enabled();
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.deserialize::<BTreeMap<String, String>>().map(Result::unwrap);
    Some(rows.filter(|row| plugins.contains(&row["plugin"])).map(|row| (row["id"].clone(), row)).collect())
}
