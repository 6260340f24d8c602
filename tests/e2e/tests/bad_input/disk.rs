//! The machine itself: full and read-only disks, a closed stdout, two runs at once, a history that is damaged.

use crate::site::{Report, Site, history, lab};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use tancheck_e2e::Ran;

const PLUGINS: &[&str] = &["tancheck-actions"];

#[test]
fn a_report_that_cannot_be_written_costs_that_report_only() {
    let mut site = Site::new(PLUGINS);
    let before = site.settle();
    let nowhere = site.machine.path("nowhere/report.json");
    for format in ["json", "text", "ndjson"] {
        let ran = site.run(&["-o", &format!("{format}=/dev/full")]).exits(70);
        let told = format!("failed to write the {format} report to /dev/full");
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
        assert!(ran.stderr.contains("No space left on device"), "{}", ran.stderr);
        assert_eq!(Report(ran.json()).costs(&before, &[]), [""; 0], "the other report came out");
        assert_eq!(site.history().last(), Some(&0), "the run is kept");
    }
    // What can be known before anything is asked is told then.
    for format in ["json", "text", "ndjson"] {
        site.lab.clear_requests();
        let ran = site.run(&["-o", &format!("{format}={}", nowhere.display())]).exits(2);
        assert!(ran.stderr.contains(&nowhere.display().to_string()), "{}", ran.stderr);
        assert!(ran.stderr.contains("make the folder"), "{}", ran.stderr);
        assert_eq!(site.lab.requests().len(), 0);
    }
    let ran = site.run(&["-o", &format!("text={}", site.machine.path("plugins").display())]).exits(2);
    assert!(ran.stderr.contains("is a folder"), "{}", ran.stderr);

    let full = File::options().write(true).open("/dev/full").unwrap();
    let file = site.machine.path("kept.json");
    let arguments = ["run", "-o", &format!("json={}", file.display()), "-o", "text"];
    let output = site.machine.command(&arguments).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(70));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("to the standard output: No space left"), "{stderr}");
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert!(kept["total"].as_u64().unwrap() > 0, "the file came out");
}

#[test]
fn a_reader_that_has_read_enough_is_no_trouble() {
    let mut site = Site::new(PLUGINS);
    let _ = site.settle();
    for format in ["text", "ndjson", "json"] {
        let mut command = site.machine.command(&site.arguments_as(format));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{format}");
    }
    // After the first line, as `head -1` does.
    let mut command = site.machine.command(&site.arguments_as("ndjson"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("run-started"), "{line}");
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
    assert_eq!(site.history()[1..], [0; 5], "every run is kept, read or not");
}

#[test]
fn runs_at_the_same_time_do_not_harm_each_other() {
    let mut site = Site::new(PLUGINS);
    // Nothing is there yet but the pins: no history, no cache.
    let at_once = |site: &Site| -> Vec<Report> {
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..3).map(|_| scope.spawn(|| site.report(&[], None))).collect();
            running.into_iter().map(|one| one.join().unwrap()).collect()
        })
    };
    let reports = at_once(&site);
    for report in &reports {
        assert!(!report.told().contains("history"), "{}", report.told());
        assert_eq!(report.costs(&reports[0], &[]), [""; 0]);
    }
    assert_eq!(site.history().len(), 3);
    let before = site.settle();
    for report in at_once(&site) {
        assert_eq!(report.costs(&before, &[]), [""; 0]);
    }
    assert_eq!(site.history()[3..], [reports[0].0["exit"]["code"].as_i64().unwrap(), 0, 0, 0, 0]);
}

/// A run beside a history that cannot be used: everything is decided and reported, and the code says that something
/// is missing. The file stays as it is.
fn without_history(site: &Site, before: &Report, bytes: &[u8], words: &[&str]) {
    let path = site.machine.path("state/tancheck/history.db");
    for beside in ["state/tancheck/history.db-wal", "state/tancheck/history.db-shm"] {
        let _ = std::fs::remove_file(site.machine.path(beside));
    }
    std::fs::write(&path, bytes).unwrap();
    let report = site.report(&[], Some(3));
    let path_text = path.display().to_string();
    for word in [&[path_text.as_str()], words].concat() {
        assert!(report.told().contains(word), "{word:?}: {}", report.told());
    }
    for check in report.checks() {
        let outcome = check["outcome"].as_str().unwrap();
        let same = before.check(check["id"].as_str().unwrap())["outcome"] == outcome;
        assert!(same || outcome == "not-evaluated", "{check:#}");
    }
    assert!(!report.ids("pass").is_empty(), "{:#}", report.0);
    assert!(std::fs::read(&path).unwrap() == bytes, "what is not understood is not touched");
}

#[test]
fn a_history_that_is_damaged_or_newer() {
    let mut site = Site::new(PLUGINS);
    let before = site.settle();
    let path = site.machine.path("state/tancheck/history.db");
    let good = std::fs::read(&path).unwrap();

    without_history(
        &site,
        &before,
        b"this is no database, whatever its name says",
        &["is damaged", "move it away"],
    );
    let mut torn = good.clone();
    torn[..100].fill(0xff);
    without_history(&site, &before, &torn, &["is damaged or is no history", "restore it from a backup"]);

    std::fs::write(&path, &good).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA user_version = 999;").unwrap();
    drop(connection);
    let newer = std::fs::read(&path).unwrap();
    without_history(&site, &before, &newer, &["has format 999", "use the newer tancheck"]);

    std::fs::write(&path, &good).unwrap();
    assert_eq!(site.report(&[], Some(0)).costs(&before, &[]), [""; 0], "with the backup all is well");
}

#[test]
fn a_history_with_damaged_pages_is_told() {
    let mut site = Site::new(PLUGINS);
    let before = site.settle();
    let path = site.machine.path("state/tancheck/history.db");
    let mut bytes = std::fs::read(&path).unwrap();
    // The first page, which lists the tables, stays.
    bytes[4096..].fill(0xa5);
    std::fs::write(&path, &bytes).unwrap();
    let report = site.report(&[], Some(3));
    assert!(report.told().contains("is damaged"), "{}", report.told());
    assert!(!report.ids("pass").is_empty() && report.checks().count() == before.checks().count());
}

/// Runs a script in a namespace where file systems can be mounted; `None` where that is not possible.
fn in_namespace(site: &Site, script: &str, arguments: &[&str]) -> Option<Ran> {
    let unshare = ["--user", "--map-root-user", "--mount", "sh", "-euc"];
    let probe = Command::new("unshare").args(unshare).arg("mount -t tmpfs none /mnt").output();
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no file system can be mounted here");
        return None;
    }
    let own = site.machine.command(arguments);
    let mut command = Command::new("unshare");
    command.args(unshare).arg(script).arg("sh").arg(own.get_program()).args(own.get_args());
    command.env_clear().stdin(Stdio::null());
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(site.machine.path(""));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ran = Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
    Some(site.decent(ran))
}

#[test]
fn a_full_disk_harms_no_earlier_run() {
    let mut site = Site::of(lab(), PLUGINS, "");
    let before = site.settle();
    let runs = site.history();
    let arguments = site.arguments(&[]);
    // The state folder on a disk of its own, which is filled to the last byte; then there is space again.
    let script = "
        cp -a state was; mount -t tmpfs -o size=1m none state; cp -a was/. state
        dd if=/dev/zero of=state/filler bs=4096 2>/dev/null || true
        \"$@\" >full.json || echo $? >full.code
        rm state/filler; mkdir after; cp -a state/. after
        \"$@\"; cp -a state/. after
    ";
    let Some(ran) = in_namespace(&site, script, &arguments) else { return };
    let after = Report(ran.exits(0).json());
    assert_eq!(after.costs(&before, &[]), [""; 0], "with space again all is well");
    let full =
        Report(serde_json::from_slice(&std::fs::read(site.machine.path("full.json")).unwrap()).unwrap());
    assert_eq!(std::fs::read_to_string(site.machine.path("full.code")).unwrap(), "3\n");
    assert!(full.told().contains("history was not kept"), "{}", full.told());
    assert!(full.told().contains("there is no space left on its file system"), "{}", full.told());
    assert_eq!(full.costs(&before, &[]), [""; 0], "the checks were decided all the same");
    std::fs::rename(site.machine.path("state"), site.machine.path("old")).unwrap();
    std::fs::create_dir(site.machine.path("state")).unwrap();
    std::fs::rename(site.machine.path("after/tancheck"), site.machine.path("state/tancheck")).unwrap();
    assert_eq!(history(&site.machine), [runs, vec![0]].concat());
}

#[test]
fn a_state_folder_that_cannot_be_written() {
    let mut site = Site::of(lab(), PLUGINS, "");
    let before = site.settle();
    let arguments = site.arguments(&[]);
    let script = "
        rm -rf was; cp -a state was; mount -t tmpfs -o size=8m none state; cp -a was/. state; mount -o remount,ro state
        exec \"$@\"
    ";
    let Some(ran) = in_namespace(&site, script, &arguments) else { return };
    // What is there can be read all the same.
    for command in [&["history", "list"][..], &["due", "--all"], &["trend"], &["history", "verify"]] {
        let read = in_namespace(&site, script, command).unwrap().exits(0);
        assert!(!read.stdout.is_empty(), "{command:?}");
    }
    let doctor = in_namespace(&site, script, &["doctor", "--offline"]).unwrap().exits(2).stdout;
    assert!(doctor.contains("cannot be written, so no run is kept"), "{doctor}");
    let refused = in_namespace(&site, script, &["history", "prune"]).unwrap().exits(70).stderr;
    assert!(refused.contains("cannot be written: give this account write access"), "{refused}");
    let report = Report(ran.exits(3).json());
    assert!(report.told().contains("history was not kept"), "{}", report.told());
    assert!(report.told().contains("give this account write access"), "{}", report.told());
    assert_eq!(report.costs(&before, &[]), [""; 0], "the checks were decided all the same");
}
