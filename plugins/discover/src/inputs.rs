//! What the checks read of labels and interfaces, and the types of the rows.

use tancheck_plugin_api::prelude::*;

const READ: &[&str] = &["gateway use api", "discover asset read"];

/// All labels.
pub(crate) const LABELS: Input = Input::new("discover.labels", "labels and how many interfaces have them")
    .sources(&[
        Source::gateway("discoverLabels", LABELS_QUERY).needs(READ),
        Source::export(
            "discover-disconnected-label.csv",
            "Modules > Discover > Labels",
            "write down the list of labels with these columns",
            &["Name", "Type", "Conditions"],
        ),
    ]);

const LABELS_QUERY: &str = "\
query TancheckLabels($after: Cursor) {
  discoverLabels(first: 100, after: $after) {
    edges { node { name type modifiedTime interfaceCounts { managed total unmanageable unmanaged } } }
    pageInfo { hasNextPage endCursor }
  }
}";

/// A label.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Label {
    #[serde(alias = "Name", deserialize_with = "lenient::text")]
    pub(crate) name: String,
    /// `AUTOMATIC` or `STANDARD`.
    #[serde(rename = "type", alias = "Type", deserialize_with = "lenient::text")]
    pub(crate) kind: String,
    #[serde(rename = "modifiedTime", deserialize_with = "lenient::time")]
    pub(crate) modified: Option<Timestamp>,
    #[serde(rename = "interfaceCounts")]
    pub(crate) counts: Option<Counts>,
    /// Only in an exported list.
    #[serde(rename = "Conditions", deserialize_with = "lenient::text")]
    pub(crate) conditions: String,
}

/// How many interfaces have a label.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Counts {
    pub(crate) unmanaged: Option<u64>,
}

/// All interfaces.
pub(crate) const INTERFACES: Input = Input::new("discover.interfaces", "interfaces on the network")
    .sources(&[Source::gateway("discoverInterfaces", INTERFACES_QUERY).needs(READ)]);

const INTERFACES_QUERY: &str = "\
query TancheckInterfaces($after: Cursor) {
  discoverInterfaces(first: 100, after: $after) {
    edges { node {
      id hostnames ipAddresses isManaged isIgnored isUnmanageable
      lastSeenTime lastManagedTime lastDiscoveredTime
      labels { name } profiles { name }
    } }
    pageInfo { hasNextPage endCursor }
  }
}";

/// An interface.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Interface {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(deserialize_with = "lenient::list")]
    hostnames: Vec<String>,
    #[serde(rename = "ipAddresses", deserialize_with = "lenient::list")]
    addresses: Vec<String>,
    #[serde(rename = "isManaged", deserialize_with = "lenient::flag")]
    managed: Option<bool>,
    #[serde(rename = "isIgnored", deserialize_with = "lenient::flag")]
    ignored: Option<bool>,
    #[serde(rename = "isUnmanageable", deserialize_with = "lenient::flag")]
    unmanageable: Option<bool>,
    #[serde(rename = "lastSeenTime", deserialize_with = "lenient::time")]
    pub(crate) last_seen: Option<Timestamp>,
    /// Nothing where it was never managed. The time it was first managed is empty while it is unmanaged.
    #[serde(rename = "lastManagedTime", deserialize_with = "lenient::time")]
    pub(crate) last_managed: Option<Timestamp>,
    #[serde(rename = "lastDiscoveredTime", deserialize_with = "lenient::time")]
    pub(crate) last_discovered: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::list")]
    pub(crate) labels: Vec<Named>,
    #[serde(deserialize_with = "lenient::list")]
    pub(crate) profiles: Vec<Named>,
}

/// A name alone.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Named {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) name: String,
}

impl Interface {
    /// It had the client, has it no more, and nobody said that this is as it should be.
    pub(crate) fn is_lost(&self) -> bool {
        self.managed == Some(false)
            && self.last_managed.is_some()
            && self.ignored != Some(true)
            && self.unmanageable != Some(true)
    }

    /// What people call it.
    pub(crate) fn label(&self) -> &str {
        self.hostnames.first().or(self.addresses.first()).unwrap_or(&self.id)
    }
}
