//! What a site may name: a role, a privilege, a user group, a persona or a computer group, written as `kind: name`.

use crate::holdings::{Held, HeldRole};
use tancheck_plugin_api::prelude::*;

/// How a list of needs is written, for the texts of settings.
pub(crate) const FORMAT: &str =
    "each written as `role: …`, `privilege: …`, `user group: …`, `persona: …` or `computer group: …`";

/// One thing that a user has to hold, or may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need<'a> {
    Role(&'a str),
    Privilege(&'a str),
    UserGroup(&'a str),
    Persona(&'a str),
    ComputerGroup(&'a str),
}

impl<'a> Need<'a> {
    /// Reads one.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Undecided> {
        let (kind, name) = text.split_once(':').unwrap_or(("", text));
        let name = name.trim();
        Ok(match kind.trim().to_lowercase().as_str() {
            "role" => Self::Role(name),
            "privilege" | "permission" => Self::Privilege(name),
            "user group" => Self::UserGroup(name),
            "persona" => Self::Persona(name),
            "computer group" => Self::ComputerGroup(name),
            _ => return Err(Undecided::not_evaluated(format!("{text:?} is not understood: {FORMAT}"))),
        })
    }

    /// Reads a list.
    pub(crate) fn parse_all(texts: &[&'a str]) -> Result<Vec<Self>, Undecided> {
        texts.iter().map(|text| Self::parse(text)).collect()
    }

    /// Whether it is held; or what the source does not tell.
    pub(crate) fn is_met(self, held: &Held) -> Result<bool, String> {
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        Ok(match self {
            Self::Role(name) => {
                held.is_administrator() || held.roles.iter().any(|role| same(&role.name, name))
            }
            Self::Privilege(name) => {
                held.is_administrator() || held.privileges.contains(&name.to_lowercase())
            }
            Self::Persona(name) => held.personas.iter().any(|persona| same(&persona.name, name)),
            Self::UserGroup(name) => match &held.user_groups {
                Some(groups) => groups.iter().any(|group| same(group, name)),
                None => return Err(format!("whether the user group {name} is held is not told")),
            },
            Self::ComputerGroup(name) => match &held.group {
                Some(group) => same(group, name) || same(group, "All Computers"),
                None => return Err(format!("whether the computer group is {name} is not told")),
            },
        })
    }
}

impl std::fmt::Display for Need<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Role(name) => write!(f, "role {name}"),
            Self::Privilege(name) => write!(f, "privilege {name}"),
            Self::UserGroup(name) => write!(f, "user group {name}"),
            Self::Persona(name) => write!(f, "persona {name}"),
            Self::ComputerGroup(name) => write!(f, "computer group {name}"),
        }
    }
}

/// The needs that are not met, in words.
pub(crate) fn unmet(needs: &[Need<'_>], held: &Held) -> Result<Vec<String>, String> {
    let mut lacks = Vec::new();
    for need in needs {
        if !need.is_met(held)? {
            lacks.push(need.to_string());
        }
    }
    Ok(lacks)
}

/// What is held beyond a profile, in words.
pub(crate) fn beyond(profile: &[Need<'_>], held: &Held) -> Result<Vec<String>, String> {
    let named = |name: &str, pick: fn(Need<'_>) -> Option<&str>| {
        profile.iter().filter_map(|need| pick(*need)).any(|known| known.eq_ignore_ascii_case(name))
    };
    let is_covered = |role: &HeldRole| {
        let granted = role.privileges.as_ref().filter(|granted| !granted.is_empty());
        named(&role.name, as_role)
            || granted.is_some_and(|granted| granted.iter().all(|name| named(name, as_privilege)))
    };
    let mut extra: Vec<String> = held
        .roles
        .iter()
        .filter(|role| !is_covered(role))
        .map(|role| format!("role {}", role.name))
        .collect();
    for persona in &held.personas {
        if !named(&persona.name, as_persona) && !persona.roles.iter().all(is_covered) {
            extra.push(format!("persona {}", persona.name));
        }
    }
    let groups: Vec<&str> = profile.iter().filter_map(|need| as_computer_group(*need)).collect();
    if !groups.is_empty() {
        match &held.group {
            None => return Err("its computer group is not told".to_owned()),
            Some(group) if !groups.iter().any(|known| known.eq_ignore_ascii_case(group)) => {
                extra.push(format!("computer group {group}"));
            }
            Some(_) => {}
        }
    }
    Ok(extra)
}

fn as_role(need: Need<'_>) -> Option<&str> {
    if let Need::Role(name) = need { Some(name) } else { None }
}

fn as_privilege(need: Need<'_>) -> Option<&str> {
    if let Need::Privilege(name) = need { Some(name) } else { None }
}

fn as_persona(need: Need<'_>) -> Option<&str> {
    if let Need::Persona(name) = need { Some(name) } else { None }
}

fn as_computer_group(need: Need<'_>) -> Option<&str> {
    if let Need::ComputerGroup(name) = need { Some(name) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holdings::HeldPersona;

    fn held() -> Held {
        let grants = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Held {
            roles: vec![HeldRole { name: "Reader".to_owned(), privileges: Some(grants(&["read user"])) }],
            privileges: grants(&["read user"]),
            user_groups: Some(grants(&["Readers"])),
            personas: vec![HeldPersona {
                name: "Writing".to_owned(),
                roles: vec![HeldRole {
                    name: "Writer".to_owned(),
                    privileges: Some(grants(&["write action"])),
                }],
                privileges: grants(&["write action"]),
            }],
            group: Some("All Windows".to_owned()),
        }
    }

    fn lacks(texts: &[&str]) -> Vec<String> {
        unmet(&Need::parse_all(texts).unwrap(), &held()).unwrap()
    }

    fn extra(texts: &[&str]) -> Vec<String> {
        beyond(&Need::parse_all(texts).unwrap(), &held()).unwrap()
    }

    #[test]
    fn needs_are_met_or_not() {
        let all = [
            "role: reader",
            "Privilege: Read User",
            "user group: Readers",
            "persona: Writing",
            "computer group: All Windows",
        ];
        assert_eq!(lacks(&all), [""; 0]);
        let none = [
            "role: Writer",
            "privilege: write action",
            "user group: X",
            "persona: X",
            "computer group: All Mac",
        ];
        assert_eq!(lacks(&none).len(), 5);
        assert_eq!(Need::parse("Reader").unwrap_err().outcome, Outcome::NotEvaluated);
    }

    #[test]
    fn what_is_held_beyond_a_profile() {
        assert_eq!(extra(&["role: Reader", "persona: Writing"]), [""; 0]);
        assert_eq!(extra(&["privilege: read user", "privilege: write action"]), [""; 0]);
        assert_eq!(
            extra(&["computer group: All Mac"]),
            ["role Reader", "persona Writing", "computer group All Windows"]
        );
    }

    #[test]
    fn what_is_not_told_is_not_decided() {
        let blind = Held { user_groups: None, group: None, ..held() };
        assert!(unmet(&[Need::UserGroup("Readers")], &blind).is_err());
        assert!(beyond(&[Need::ComputerGroup("All Mac")], &blind).is_err());
    }
}
