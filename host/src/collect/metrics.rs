//! `GET /metrics`: Prometheus text, of which a few families are kept.

use super::document::not_evaluated;
use super::transport::Problem;
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::facts::Sample;

/// The route; it has no prefix of the platform's API.
pub(super) const PATH: &str = "/metrics";

/// The samples of these families, and gaps for families that the server does not have.
pub(super) fn select(text: &str, families: &[String]) -> Result<(Vec<Sample>, Vec<String>), Problem> {
    let mut samples = Vec::new();
    let mut gaps = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            let mut words = comment.split_whitespace();
            if matches!(words.next(), Some("HELP" | "TYPE")) {
                seen.extend(
                    words
                        .next()
                        .and_then(|name| families.iter().find(|family| *family == name))
                        .map(String::as_str),
                );
            }
            continue;
        }
        let name = line.split(|sign: char| sign == '{' || sign.is_whitespace()).next().unwrap_or_default();
        let Some(family) = families.iter().find(|family| belongs(name, family)) else { continue };
        seen.insert(family);
        let sample = read(line, name).ok_or_else(|| {
            not_evaluated("GET /metrics", format!("line {} is not understood: {line:?}", number + 1))
        })?;
        // A judge cannot weigh what is no number, and must not take its absence for health.
        if sample.value.is_finite() {
            samples.push(sample);
        } else {
            gaps.push(format!("GET /metrics: {name} has no number ({})", sample.value));
        }
    }
    let missing: Vec<&str> =
        families.iter().map(String::as_str).filter(|family| !seen.contains(family)).collect();
    if missing.len() == families.len() {
        return Err(not_evaluated("GET /metrics", format!("the server has none of {}", missing.join(", "))));
    }
    gaps.extend(missing.iter().map(|family| format!("GET /metrics: the server does not have {family}")));
    Ok((samples, gaps))
}

/// Histograms and summaries write their family's name with an ending.
fn belongs(name: &str, family: &str) -> bool {
    match name.strip_prefix(family) {
        Some(ending) => matches!(ending, "" | "_bucket" | "_sum" | "_count" | "_total"),
        None => false,
    }
}

/// `name{label="value",…} 1.5 [time]`.
fn read(line: &str, name: &str) -> Option<Sample> {
    let rest = line.get(name.len()..)?.trim_start();
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => read_labels(inside)?,
        None => (BTreeMap::new(), rest),
    };
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { name: name.to_owned(), labels, value })
}

fn read_labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(behind) = rest.strip_prefix('}') {
            return Some((labels, behind));
        }
        let (label, behind) = rest.split_once('=')?;
        let quoted = behind.trim_start().strip_prefix('"')?;
        let (value, behind) = read_text(quoted)?;
        labels.insert(label.trim().to_owned(), value);
        rest = behind;
    }
}

/// A quoted text whose opening quote was read, with `\\`, `\"` and `\n`.
fn read_text(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP tanium_licensed_days_left Days.\n# TYPE tanium_licensed_days_left gauge\n\
        tanium_licensed_days_left 211\n\
        tanium_client_connection_count{type=\"a\\\"b\",zone=\"x, y}\"} 5 1700000000\n\
        tanium_wait_seconds_bucket{le=\"+Inf\"} 3\ntanium_wait_seconds_sum 1.5e1\n\
        tanium_odd NaN\nother_metric{ broken\n";

    fn families(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn families_are_selected() {
        let wanted =
            families(&["tanium_licensed_days_left", "tanium_client_connection_count", "tanium_wait_seconds"]);
        let (samples, gaps) = select(TEXT, &wanted).unwrap();
        assert_eq!(gaps, [""; 0]);
        let found: Vec<(&str, f64)> =
            samples.iter().map(|sample| (sample.name.as_str(), sample.value)).collect();
        assert_eq!(
            found,
            [
                ("tanium_licensed_days_left", 211.0),
                ("tanium_client_connection_count", 5.0),
                ("tanium_wait_seconds_bucket", 3.0),
                ("tanium_wait_seconds_sum", 15.0),
            ]
        );
        assert_eq!(samples[1].labels["type"], "a\"b");
        assert_eq!(samples[1].labels["zone"], "x, y}");
    }

    #[test]
    fn what_is_absent_or_no_number_is_said() {
        let (samples, gaps) = select(TEXT, &families(&["tanium_odd", "tanium_new"])).unwrap();
        assert_eq!(samples, []);
        assert_eq!(
            gaps,
            [
                "GET /metrics: tanium_odd has no number (NaN)",
                "GET /metrics: the server does not have tanium_new",
            ]
        );
        let problem = select(TEXT, &families(&["tanium_new"])).unwrap_err();
        assert_eq!(problem.reason, "GET /metrics: the server has none of tanium_new");
    }

    #[test]
    fn a_broken_line_counts_only_where_it_is_needed() {
        assert!(select(TEXT, &families(&["tanium_licensed_days_left"])).is_ok());
        let problem = select(TEXT, &families(&["other_metric"])).unwrap_err();
        assert_eq!(problem.reason, "GET /metrics: line 8 is not understood: \"other_metric{ broken\"");
    }
}
