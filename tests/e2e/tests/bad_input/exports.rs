//! Files that people export: wrong encodings, missing columns, files that are something else.

use crate::site::{Report, Site};

const FILE: &str = "tpan-findings.csv";
const CHECK: &str = "health-check.tpan-critical";

/// A site with everything exported but the one file.
fn site() -> Site {
    let site = Site::new(&["tancheck-health-check"]);
    let folder = site.machine.path("state/tancheck/exports");
    site.lab.write_exports(&folder).unwrap();
    std::fs::remove_file(folder.join(FILE)).unwrap();
    site
}

fn write(site: &Site, bytes: &[u8]) {
    std::fs::write(site.machine.path("state/tancheck/exports").join(FILE), bytes).unwrap();
}

fn outcome(report: &Report) -> String {
    report.check(CHECK)["outcome"].as_str().unwrap().to_owned()
}

/// A CSV of one harmless finding of the newest report.
fn good(site: &Site) -> String {
    let made = site.lab.now() - jiff::SignedDuration::from_hours(48);
    format!("report_time,severity,finding,detail,note\r\n{made},Low,Größe,klein,x\r\n")
}

#[test]
fn encodings_and_delimiters_of_the_world_are_read() {
    let site = site();
    let text = good(&site);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin: Vec<u8> = text.chars().map(|sign| u8::try_from(u32::from(sign)).unwrap()).collect();
    let forms: [(&str, Vec<u8>); 6] = [
        ("UTF-8", text.clone().into_bytes()),
        ("UTF-8 with a mark", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("UTF-16", utf16.clone()),
        ("UTF-16 with a mark", [&b"\xff\xfe"[..], &utf16].concat()),
        ("Windows-1252", latin),
        ("semicolons", text.replace(',', ";").into_bytes()),
    ];
    for (name, bytes) in forms {
        write(&site, &bytes);
        let report = site.report(&["--check", CHECK], None);
        assert_eq!(outcome(&report), "pass", "{name}: {:#}", report.check(CHECK));
    }
}

#[test]
fn what_is_no_list_of_reports_is_told_with_its_line() {
    let site = site();
    let path = site.machine.path("state/tancheck/exports").join(FILE).display().to_string();
    let table: [(&str, &[u8], &[&str]); 7] = [
        (
            "missing column",
            b"report_time,finding,detail,note\n,x,,\n",
            &["line 1: the column \"severity\" is not there"],
        ),
        ("column twice", b"report_time,severity,Severity,finding,detail,note\n", &["is there twice"]),
        (
            "short row",
            b"report_time,severity,finding,detail,note\n,Low,x,,\n,Low\n",
            &["line 3: 2 fields, the header has 5"],
        ),
        ("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0", &["is not there"]),
        ("a page", b"<!DOCTYPE html><html><body>Sign in</body></html>", &["is not there"]),
        ("half a JSON", b"[{\"report_time\": \"2026", &["no valid JSON"]),
        ("JSON of another shape", b"{\"rows\": 5}", &["a JSON list was expected"]),
    ];
    for (name, bytes, words) in table {
        write(&site, bytes);
        let report = site.report(&["--check", CHECK], Some(3));
        assert_eq!(outcome(&report), "not-evaluated", "{name}: {:#}", report.check(CHECK));
        let reason = report.check(CHECK)["reason"].as_str().unwrap();
        for word in words {
            assert!(reason.contains(word), "{name}: {word:?} is not in {reason}");
        }
        assert!(reason.contains(&path), "{name}: {reason}");
        assert!(reason.contains("export it again from Administration"), "{name}: {reason}");
    }
    // Words that the column does not know are not taken for harmless ones.
    write(&site, good(&site).replace("Low", "Catastrophic").as_bytes());
    let report = site.report(&["--check", CHECK], Some(3));
    let reason = report.check(CHECK)["reason"].as_str().unwrap();
    assert!(reason.contains("\"Catastrophic\" is no severity"), "{reason}");
}
