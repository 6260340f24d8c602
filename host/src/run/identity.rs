//! Who is who across runs: fingerprints of findings.

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
}
