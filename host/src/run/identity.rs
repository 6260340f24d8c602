//! Who is who across runs: fingerprints of findings, and the nearest known name for a mistyped one.

use sha2::{Digest, Sha256};
use std::fmt::Write;
use tancheck_plugin_api::Subject;
use tancheck_plugin_api::manifest::Check;

/// The version of the algorithm, and the beginning of every fingerprint.
const ALGORITHM: &str = "tc1:";

/// The digits of a fingerprint: 80 bits, so that a million findings do not meet.
const DIGITS: usize = 20;

/// The identity of a finding: the same trouble has the same one in every run, in any order.
#[must_use]
pub fn fingerprint(deployment: &str, check: &str, subject: &Subject) -> String {
    let mut hash = Sha256::new();
    for part in [deployment, check, &subject.kind, &subject.key] {
        // The length goes first, so that no two lists of parts give the same bytes.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut text = hex(&hash.finalize());
    text.truncate(DIGITS);
    format!("{ALGORITHM}{text}")
}

/// The fingerprints that a finding had under the check's earlier ids.
#[must_use]
pub fn earlier(deployment: &str, check: &Check, subject: &Subject) -> Vec<String> {
    check.aliases.iter().map(|alias| fingerprint(deployment, alias, subject)).collect()
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The known name that a mistyped one is nearest to.
#[must_use]
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_ascii_lowercase();
    let similarity = |name: &str| {
        // An unqualified name is compared with what follows the plugin as well: `failed` is near `connect.failed`.
        let rest = name.split_once('.').map_or(name, |(_, rest)| rest);
        strsim::jaro_winkler(&wanted, name).max(strsim::jaro_winkler(&wanted, rest))
    };
    known
        .into_iter()
        .map(|name| (similarity(name), name))
        .filter(|(similarity, _)| *similarity >= 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0).then(right.1.cmp(left.1)))
        .map(|(_, name)| name)
}

/// `, did you mean connect?` or nothing.
#[must_use]
pub fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wanted, known).map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_stable() {
        let subject = Subject::new("connection", 7, "Splunk");
        let print = fingerprint("lab", "connect.failed", &subject);
        // Written down on purpose: a change of the algorithm breaks every history and every confirmation.
        assert_eq!(print, "tc1:e125ebaee9e6b51df366");
        assert_eq!(print, fingerprint("lab", "connect.failed", &Subject::new("connection", "7", "renamed")));
    }

    #[test]
    fn every_part_counts_and_none_can_flow_into_the_next() {
        let print = |deployment: &str, check: &str, kind: &str, key: &str| {
            fingerprint(deployment, check, &Subject::new(kind, key, ""))
        };
        let all = [
            print("a", "b", "c", "d"),
            print("x", "b", "c", "d"),
            print("a", "x", "c", "d"),
            print("a", "b", "x", "d"),
            print("a", "b", "c", "x"),
            print("a", "b", "cd", ""),
            print("ab", "", "c", "d"),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn a_mistyped_name_finds_its_neighbour() {
        let known = ["connect", "patch", "direct-connect"];
        assert_eq!(nearest("conect", known), Some("connect"));
        assert_eq!(nearest("zzz", known), None);
        assert_eq!(
            nearest("failed-conections", ["connect.failed-connections"]),
            Some("connect.failed-connections")
        );
        assert_eq!(did_you_mean("pach", known), "; did you mean patch?");
    }
}
