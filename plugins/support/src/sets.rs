//! Sets of support bundles: what was made in one go.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{SERVER_INFO, ServerInfo};
use tancheck_plugin_api::templates::SUPPORT_BUNDLES;

/// Bundles without a name for their set belong together when they are no further apart than this.
const SAME_SET: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Workbenches that are parts of the Console and no solutions of their own.
const NO_SOLUTIONS: [&str; 1] = ["CommonUIComponents"];

/// Solutions that make no bundle.
pub(crate) const EXEMPT_SOLUTIONS: Setting = Setting::list("exempt_solutions", &[])
    .about("names of solutions that offer no support bundle, or need none");

#[derive(Default, Deserialize)]
#[serde(default)]
struct Bundle {
    #[serde(deserialize_with = "lenient::text")]
    module: String,
    #[serde(deserialize_with = "lenient::time")]
    created: Option<Timestamp>,
    /// A column of its own, or none.
    #[serde(deserialize_with = "lenient::text")]
    set: String,
}

/// A set of bundles.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    /// Its name, or the day of its first bundle.
    pub(crate) name: String,
    /// When its last bundle was made.
    pub(crate) made: Timestamp,
    /// The modules that it covers.
    pub(crate) modules: Vec<String>,
}

impl Set {
    /// The solutions that it lacks.
    pub(crate) fn lacks<'a>(&self, solutions: &'a [String]) -> Vec<&'a str> {
        let has = |name: &&String| self.modules.iter().any(|module| module.trim().eq_ignore_ascii_case(name));
        solutions.iter().filter(|name| !has(name)).map(String::as_str).collect()
    }
}

/// The sets of the inventory, the newest first.
pub(crate) fn sets(facts: &Facts<'_>) -> Result<Vec<Set>, Undecided> {
    let mut bundles: Vec<Bundle> = facts.rows(&SUPPORT_BUNDLES)?;
    bundles.sort_by_key(|bundle| bundle.created);
    let mut sets: Vec<Set> = Vec::new();
    for bundle in bundles {
        let Some(created) = bundle.created else {
            return Err(Undecided::not_evaluated(format!(
                "support-bundles.csv does not tell when the bundle of {} was made",
                bundle.module
            )));
        };
        let name = bundle.set.trim();
        let its = sets.iter_mut().rev().find(|set| match name {
            "" => created.duration_since(set.made) <= SAME_SET,
            name => set.name.eq_ignore_ascii_case(name),
        });
        match its {
            Some(set) => {
                set.made = set.made.max(created);
                set.modules.push(bundle.module);
            }
            None => sets.push(Set {
                name: if name.is_empty() {
                    created.strftime("%Y-%m-%d").to_string()
                } else {
                    name.to_owned()
                },
                made: created,
                modules: vec![bundle.module],
            }),
        }
    }
    sets.sort_by_key(|set| std::cmp::Reverse(set.made));
    Ok(sets)
}

/// The solutions that a complete set covers: everything with a workbench, but for what makes no bundle.
pub(crate) fn solutions(facts: &Facts<'_>) -> Result<Vec<String>, Undecided> {
    let info: ServerInfo = facts.object(&SERVER_INFO)?;
    let exempt = facts.list(&EXEMPT_SOLUTIONS);
    let name = |(key, workbench): (&str, &tancheck_plugin_api::serde_json::Value)| {
        let name = workbench["name"].as_str().map_or_else(|| key.replace('_', " "), str::to_owned);
        (!NO_SOLUTIONS.contains(&key)).then_some(name)
    };
    let mut names: Vec<String> = info.section("Installed_Workbenches").filter_map(name).collect();
    if names.is_empty() {
        return Err(Undecided::not_evaluated(
            "the server's diagnostics name no workbench (section Installed_Workbenches), so the solutions are not known",
        ));
    }
    names.retain(|name| !exempt.iter().any(|one| one.eq_ignore_ascii_case(name)));
    names.sort_unstable();
    Ok(names)
}
