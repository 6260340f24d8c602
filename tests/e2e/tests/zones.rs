//! Days are those of the site: what reports and lists tell of a moment near midnight, in zones far from UTC.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use tancheck_e2e::Machine;
use tancheck_lab::Lab;

const TASK: &str = "connect.failed-report-routed";
const CHECK: &str = "connect.destination-settings";

/// A zone, a moment near its midnight, the day before or after which it is in UTC, and how its clock shows it.
struct Place {
    zone: &'static str,
    now: &'static str,
    clock: &'static str,
}

/// Both show 2026-07-01, and in UTC it is the day before in one and the day after in the other.
const PLACES: [Place; 2] = [
    Place { zone: "Pacific/Kiritimati", now: "2026-06-30T10:30:00Z", clock: "2026-07-01 00:30 +14" },
    Place { zone: "Pacific/Honolulu", now: "2026-07-02T09:30:00Z", clock: "2026-07-01 23:30 HST" },
];
const TODAY: &str = "2026-07-01";

impl Place {
    fn site(&self, plugin: &str) -> (Machine, Lab) {
        let lab =
            Lab::builder().endpoints(20).now(self.now.parse().unwrap()).question_ms(1..=1).start().unwrap();
        let machine = Machine::with(&[plugin]);
        let zone = format!("id = \"lab\"\n[calendar]\ntime_zone = \"{}\"\n", self.zone);
        machine.configure_deployment(&lab.url(), lab.token(), &zone);
        (machine, lab)
    }

    /// The day that UTC has, which nobody at the site would call today.
    fn foreign(&self) -> &str {
        self.now.split_once('T').unwrap().0
    }

    /// A text that tells days of the site only.
    fn tells(&self, text: &str, words: &str) {
        assert!(text.contains(words), "{}: {words:?}: {text}", self.zone);
        // Evidence tells the exact moment, in UTC.
        let elsewhere = text.replace(self.now, "");
        assert!(!elsewhere.contains(self.foreign()), "{}: {text}", self.zone);
    }
}

#[test]
fn reports_and_lists_tell_the_day_of_the_site() {
    for place in &PLACES {
        let (machine, _lab) = place.site("tancheck-connect");
        let now = ["--now", place.now];
        let run = |more: &[&str]| {
            machine.run(&[&["run", "--check", CHECK, "--fail-on", "never"], &now[..], more].concat())
        };
        let first = run(&["-o", "json"]).exits(0).json();
        assert_eq!((first["at"].as_str(), first["time_zone"].as_str()), (Some(place.now), Some(place.zone)));
        let report = run(&[]).exits(0).stdout;
        place.tells(&report, place.clock);
        place.tells(&report, &format!("since run 1 of {TODAY}"));
        place.tells(&report, &format!("Since: {TODAY}, in 2 runs"));

        let list = machine.run(&["history"]).exits(0).stdout;
        place.tells(&list, &format!("when ({})", place.zone));
        place.tells(&list, &place.clock[..16]);
        place.tells(&machine.run(&["history", "show", TODAY]).exits(0).stdout, place.clock);
        let by_then = machine.run(&["history", "show", "2026-06-29"]).exits(2).stderr;
        place.tells(&by_then, &format!("runs 1 ({TODAY}) to 2 ({TODAY})"));
        place.tells(&machine.run(&["diff"]).exits(0).stdout, place.clock);
        place.tells(&machine.run(&["trend"]).exits(0).stdout, TODAY);
        let trend = ["trend", "run.checks", "--every", "day"];
        place.tells(&machine.run(&trend).exits(0).stdout, TODAY);
        place.tells(&machine.run(&[&trend[..], &["-o", "csv"]].concat()).exits(0).stdout, TODAY);
        assert!(machine.run(&["trend", "run.checks", "--since", TODAY]).exits(0).stdout.contains(TODAY));
        let shown = machine.run(&["history", "-o", "json"]).exits(0).json();
        assert_eq!(shown["runs"][0]["at"], place.now, "documents tell moments");

        // A day on the command line is one of the site as well.
        let due = machine.run(&["due", "--now", TODAY, "-o", "json"]).exits(0).json();
        assert_eq!(due["today"], TODAY);
    }
}

#[test]
fn what_people_say_counts_by_the_day_of_the_site() {
    for place in &PLACES {
        let (machine, _lab) = place.site("tancheck-connect");
        let now = ["--now", place.now];
        let say = |arguments: &[&str]| machine.run(&[arguments, &now[..]].concat());
        let attest = ["attest", TASK, "--result", "done", "--by", "ann"];
        let _ = say(&[&attest[..], &["--at", TODAY]].concat()).exits(0);
        let ahead = say(&[&attest[..], &["--at", "2026-07-02"]].concat()).exits(2).stderr;
        assert!(ahead.contains("lies ahead of now") && ahead.contains(place.clock), "{ahead}");
        let due = say(&["due", "--all", "-o", "json"]).exits(0).json();
        let task = due["tasks"].as_array().unwrap().iter().find(|one| one["task"] == TASK).unwrap().clone();
        assert_eq!((task["done"].as_str(), task["due"].as_str()), (Some(TODAY), Some("2026-09-29")));
        let ics = say(&["due", "--ics", "--all"]).exits(0).stdout.replace("\r\n ", "");
        assert!(
            ics.contains("DTSTART;VALUE=DATE:20260929\r\n")
                && ics.contains(&format!("Last done on {TODAY} by ann"))
        );

        let run = say(&["run", "--check", CHECK, "--fail-on", "never", "-o", "json"]).exits(0).json();
        let id = run["checks"][0]["findings"][0]["fingerprint"].as_str().unwrap().to_owned();
        let waive = ["waive", &id, "--owner", "ann", "--reason", "r", "--until", TODAY];
        let _ = say(&waive).exits(0);
        let file = std::fs::read_to_string(machine.path("config/tancheck/waivers.toml")).unwrap();
        assert!(file.contains(&format!("since = {TODAY}\n")), "{file}");
        let state = |now: &str| {
            let listed = machine.run(&["waivers", "--now", now, "-o", "json"]).exits(0).json();
            listed["waivers"][0]["state"].as_str().unwrap().to_owned()
        };
        assert_eq!((state(place.now).as_str(), state("2026-07-02").as_str()), ("ending", "expired"));
    }
}

#[test]
fn answers_end_on_a_day_of_the_site() {
    for place in &PLACES {
        let (machine, _lab) = place.site("tancheck-health-check");
        let input = "health-check.last-report-copy";
        let answer = ["answer", input, "2026-06-15", "--by", "ann", "--now", place.now];
        let told = machine.run(&[&answer[..], &["--valid-until", "2026-07-03"]].concat()).exits(0).stderr;
        place.tells(&told, "until 2026-07-03");
        let wanted = |now: &str| -> Value {
            let rows = machine.run(&["answers", "--all", "--now", now, "-o", "json"]).exits(0).json();
            rows["wanted"].as_array().unwrap().iter().find(|row| row["input"] == input).cloned().unwrap()
        };
        assert_eq!(wanted("2026-07-02")["have"]["what"], "\"2026-06-15\" by ann");
        let problem = wanted("2026-07-03")["problem"].as_str().unwrap().to_owned();
        place.tells(&problem, &format!("gave on {TODAY} was good until 2026-07-03"));
        let text = machine.run(&["answers", "--all", "--now", "2026-07-02"]).exits(0).stdout;
        assert!(text.contains(&format!("\"2026-06-15\" by ann, {TODAY}")), "{text}");
    }
}
