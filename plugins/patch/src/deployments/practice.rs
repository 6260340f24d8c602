//! Rules of practice for deployments, as a site writes them: `restart = true`, `days <= 14`.

use crate::inputs::Detail;
use std::cmp::Ordering;

/// What rules may speak about.
pub(super) const SUBJECTS: &str = "restart, overrideMaintenanceWindows, overrideBlacklists, downloadImmediately (true or \
     false), distributeOverTimeMinutes, pinnedPatchLists, days (numbers)";

/// A value that a rule compares.
#[derive(Debug, PartialEq)]
enum Value {
    Flag(bool),
    Number(u64),
}

/// Whether an order of the found value to the wanted one keeps a rule.
type Accepts = fn(Ordering) -> bool;

/// A rule: what it speaks about, how it compares, with what.
#[derive(Debug)]
pub(super) struct Rule<'a> {
    text: &'a str,
    subject: &'a str,
    accepts: Accepts,
    wanted: Value,
}

impl<'a> Rule<'a> {
    /// Reads a rule; the error says what is wrong with it.
    pub(super) fn read(text: &'a str) -> Result<Self, String> {
        let wrong = |what: &str| {
            format!("{text:?} in `practice_rules` {what}; rules look like restart=true or days<=14")
        };
        let (subject, accepts, value) = split(text).ok_or_else(|| wrong("holds none of =, !=, >=, <="))?;
        let wanted = match (kind(subject), value) {
            (None, _) => {
                return Err(wrong(&format!("speaks about {subject:?}, not about one of {SUBJECTS}")));
            }
            (Some(Kind::Flag), "true") => Value::Flag(true),
            (Some(Kind::Flag), "false") => Value::Flag(false),
            (Some(Kind::Flag), _) => return Err(wrong("compares with neither true nor false")),
            (Some(Kind::Number), value) => {
                Value::Number(value.parse().map_err(|_| wrong("compares with no whole number"))?)
            }
        };
        Ok(Self { text, subject, accepts, wanted })
    }

    /// How a deployment breaks the rule; nothing where it keeps it.
    ///
    /// # Errors
    /// When the deployment does not tell what the rule speaks about.
    pub(super) fn broken_by(&self, detail: &Detail) -> Result<Option<String>, String> {
        let found = value(self.subject, detail)
            .ok_or_else(|| format!("the deployment {} does not tell {}", detail.name, self.subject))?;
        let (order, shown) = match (&found, &self.wanted) {
            (Value::Flag(found), Value::Flag(wanted)) => (found.cmp(wanted), found.to_string()),
            (Value::Number(found), Value::Number(wanted)) => (found.cmp(wanted), found.to_string()),
            _ => return Err(format!("{} and {:?} cannot be compared", self.subject, self.text)),
        };
        Ok((!(self.accepts)(order)).then(|| format!("{} is {shown}, not {}", self.subject, self.text)))
    }
}

enum Kind {
    Flag,
    Number,
}

fn kind(subject: &str) -> Option<Kind> {
    match subject {
        "restart" | "overrideMaintenanceWindows" | "overrideBlacklists" | "downloadImmediately" => {
            Some(Kind::Flag)
        }
        "distributeOverTimeMinutes" | "pinnedPatchLists" | "days" => Some(Kind::Number),
        _ => None,
    }
}

/// Subject, comparison and value of a rule.
fn split(text: &str) -> Option<(&str, Accepts, &str)> {
    let operators: [(&str, Accepts); 4] =
        [(">=", Ordering::is_ge), ("<=", Ordering::is_le), ("!=", Ordering::is_ne), ("=", Ordering::is_eq)];
    operators.into_iter().find_map(|(operator, accepts)| {
        text.split_once(operator).map(|(subject, value)| (subject.trim(), accepts, value.trim()))
    })
}

fn value(subject: &str, detail: &Detail) -> Option<Value> {
    match subject {
        "restart" => detail.restart.map(Value::Flag),
        "overrideMaintenanceWindows" => detail.override_maintenance_windows.map(Value::Flag),
        "overrideBlacklists" => detail.override_blacklists.map(Value::Flag),
        "downloadImmediately" => detail.download_immediately.map(Value::Flag),
        "distributeOverTimeMinutes" => detail.distribute_over_time_minutes.map(Value::Number),
        "pinnedPatchLists" => {
            detail.patch_lists_with_pinned_version.as_ref().map(|lists| Value::Number(lists.len() as u64))
        }
        // A deployment without an end lasts longer than any number of days.
        "days" => match (detail.start_time?, detail.end_time) {
            (_, None) => Some(Value::Number(u64::MAX)),
            (start, Some(end)) => Some(Value::Number(
                u64::try_from(end.duration_since(start).as_hours().div_euclid(24)).unwrap_or(0),
            )),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(rule: &str, detail: &Detail) -> Result<Option<String>, String> {
        Rule::read(rule)?.broken_by(detail)
    }

    fn detail() -> Detail {
        Detail {
            name: "Monthly".to_owned(),
            restart: Some(true),
            distribute_over_time_minutes: Some(60),
            start_time: "2026-06-01T00:00:00Z".parse().ok(),
            end_time: "2026-06-08T00:00:00Z".parse().ok(),
            patch_lists_with_pinned_version: Some(Vec::new()),
            ..Detail::default()
        }
    }

    #[test]
    fn rules_compare_what_the_deployment_tells() {
        assert_eq!(broken("restart = true", &detail()), Ok(None));
        assert_eq!(
            broken("restart=false", &detail()),
            Ok(Some("restart is true, not restart=false".to_owned()))
        );
        assert_eq!(broken("distributeOverTimeMinutes>=60", &detail()), Ok(None));
        assert!(broken("distributeOverTimeMinutes>=61", &detail()).unwrap().is_some());
        assert_eq!(broken("days<=7", &detail()), Ok(None));
        assert!(broken("days <= 6", &detail()).unwrap().is_some());
        assert!(broken("days<=999", &Detail { end_time: None, ..detail() }).unwrap().is_some());
        assert_eq!(broken("pinnedPatchLists=0", &detail()), Ok(None));
        assert_eq!(broken("restart!=false", &detail()), Ok(None));
    }

    #[test]
    fn what_is_not_told_or_not_understood_is_said() {
        assert!(broken("overrideBlacklists=false", &detail()).unwrap_err().contains("does not tell"));
        assert!(broken("colour=red", &detail()).unwrap_err().contains("speaks about"));
        assert!(broken("restart=perhaps", &detail()).unwrap_err().contains("neither true nor false"));
        assert!(broken("days<=soon", &detail()).unwrap_err().contains("no whole number"));
        assert!(broken("restart", &detail()).unwrap_err().contains("holds none"));
    }
}
