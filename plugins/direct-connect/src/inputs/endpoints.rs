//! What endpoints answer.

use std::collections::BTreeMap;
use tancheck_plugin_api::facts::Tally;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::ASK;

/// Versions of the client.
pub(crate) const CLIENT_VERSIONS: Input =
    Input::new("direct-connect.client-versions", "client versions as endpoints answer").sources(&[
        Source::question("Get Tanium Client Version from all machines")
            .sampled_by("Get Computer Name from all machines with Tanium Client Version equals {value}")
            .needs(ASK),
    ]);

/// Operating systems.
pub(crate) const OPERATING_SYSTEMS: Input =
    Input::new("direct-connect.operating-systems", "operating systems as endpoints answer").sources(&[
        Source::question("Get Operating System from all machines")
            .sampled_by("Get Computer Name from all machines with Operating System equals {value}")
            .needs(ASK),
    ]);

/// Whether the tools are there.
pub(crate) const TOOLS: Input =
    Input::new("direct-connect.tools", "tools of Direct Connect as endpoints answer")
        .sources(&[Source::question("Get Direct Connect - Tools Version from all machines").needs(ASK)]);

/// Action lock.
pub(crate) const LOCKS: Input = Input::new("direct-connect.action-locks", "action lock as endpoints answer")
    .sources(&[Source::question("Get Action Lock Status from all machines").needs(ASK)]);

/// A family of operating systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    Windows,
    MacOs,
    Linux,
    /// One that Direct Connect does not support.
    Other,
}

impl Family {
    /// The family of an operating system's name; nothing where the name tells none.
    pub(crate) fn of(name: &str) -> Option<Self> {
        const LINUX: &[&str] = &[
            "linux", "centos", "red hat", "rhel", "ubuntu", "debian", "suse", "oracle", "fedora", "rocky",
            "alma",
        ];
        let name = name.to_lowercase();
        let holds = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if holds(&["solaris", "sunos", "aix", "hp-ux", "freebsd"]) {
            Some(Self::Other)
        } else if holds(&["windows"]) {
            Some(Self::Windows)
        } else if holds(&["macos", "mac os", "os x", "darwin"]) {
            Some(Self::MacOs)
        } else {
            holds(LINUX).then_some(Self::Linux)
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Windows => "Windows",
            Self::MacOs => "macOS",
            Self::Linux => "Linux",
            Self::Other => "another operating system",
        }
    }
}

/// Endpoints by family.
#[derive(Debug, Default)]
pub(crate) struct Families {
    pub(crate) counts: BTreeMap<Family, u64>,
    /// Names of which the family is not known.
    pub(crate) unknown: BTreeMap<String, u64>,
}

impl Families {
    /// From the answers to [`OPERATING_SYSTEMS`].
    pub(crate) fn of(tally: &Tally) -> Self {
        let mut families = Self::default();
        for row in &tally.rows {
            let name = row.cells.first().map_or("", String::as_str);
            match Family::of(name) {
                Some(family) => *families.counts.entry(family).or_default() += row.count,
                None => *families.unknown.entry(name.to_owned()).or_default() += row.count,
            }
        }
        families
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_families() {
        for (name, family) in [
            ("Windows Server 2016 Standard", Some(Family::Windows)),
            ("macOS 13", Some(Family::MacOs)),
            ("CentOS Linux release 7.3.1611 (Core)", Some(Family::Linux)),
            ("Oracle Solaris 11.4", Some(Family::Other)),
            ("AIX 7.2", Some(Family::Other)),
            ("Haiku", None),
        ] {
            assert_eq!(Family::of(name), family, "{name}");
        }
    }
}
