//! Every key of the configuration: what it does, and what it accepts.

pub(super) use super::typed::{Takes, Typed, Wrong, anchor_text, detour, flag, words};

use tancheck_plugin_api::Cadence;
use tancheck_plugin_api::records::probe::Vantage;

/// One key that is known without any plugin.
#[derive(Debug)]
pub(super) struct Key {
    /// Section and name, with dots.
    pub(super) path: &'static str,
    /// What it accepts.
    pub(super) takes: Takes,
    /// What it does.
    pub(super) about: &'static str,
}

/// The words of `--vantage`.
const VANTAGES: &[&str] = &{
    let mut names = [""; Vantage::ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = Vantage::ALL[index].name();
        index += 1;
    }
    names
};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

/// Every key that is known without any plugin, in the order of a configuration file.
pub(super) const KEYS: &[Key] = &[
    key("deployment.url", Takes::Url, "The address of the Tanium server, without a path."),
    key(
        "deployment.id",
        Takes::Text,
        "The name under which history and fingerprints are kept. Set it before the address changes: the default is the address's host.",
    ),
    key("deployment.token_file", Takes::File, "A file whose first line is the API token."),
    key("deployment.token_env", Takes::Variable, "The environment variable that holds the API token."),
    key("deployment.token_command", Takes::Command, "A program, with arguments, that prints the API token."),
    key("deployment.token_fd", Takes::Descriptor, "An open file descriptor to read the API token from."),
    key("deployment.token_credential", Takes::Text, "The systemd credential that holds the API token."),
    key("deployment.login.user", Takes::Text, "The user to log in as, where there is no API token."),
    key("deployment.login.domain", Takes::Text, "The user's domain."),
    key("deployment.login.password_file", Takes::File, "A file whose first line is the password."),
    key(
        "deployment.login.password_env",
        Takes::Variable,
        "The environment variable that holds the password.",
    ),
    key(
        "deployment.login.password_command",
        Takes::Command,
        "A program, with arguments, that prints the password.",
    ),
    key(
        "deployment.login.password_fd",
        Takes::Descriptor,
        "An open file descriptor to read the password from.",
    ),
    key(
        "deployment.login.password_credential",
        Takes::Text,
        "The systemd credential that holds the password.",
    ),
    key(
        "deployment.ca_file",
        Takes::File,
        "A PEM file with the authority that signed the server's certificate, where the system does not know it.",
    ),
    key("deployment.questions", Takes::Flag, "Whether questions may be asked of endpoints."),
    key(
        "modules.enable",
        Takes::Modules,
        "The plugins that are enabled, by id; \"licensed\" enables those whose module the deployment has.",
    ),
    key(
        "limits.questions_in_flight",
        Takes::Count { min: 1, max: 64 },
        "Questions that run at the same time.",
    ),
    key("limits.calls_in_flight", Takes::Count { min: 1, max: 256 }, "Other requests at the same time."),
    key(
        "limits.total_calls",
        Takes::Count { min: 1, max: 10_000_000 },
        "Requests of one run; what does not fit is not evaluated.",
    ),
    key("limits.response_bytes", Takes::Size { min: 64 * KIB, max: TIB }, "The size of one answer."),
    key("limits.total_bytes", Takes::Size { min: MIB, max: TIB }, "The size of all answers of one run."),
    key(
        "limits.request_timeout",
        Takes::Time { min: 1_000, max: 3_600_000 },
        "How long one request may take.",
    ),
    key(
        "limits.question_timeout",
        Takes::Time { min: 10_000, max: 86_400_000 },
        "How long one question may take until enough endpoints have answered.",
    ),
    key(
        "limits.retries",
        Takes::Count { min: 0, max: 20 },
        "How often a request is repeated when the server is busy or the connection breaks.",
    ),
    key(
        "limits.complete_share",
        Takes::Share,
        "The share of endpoints that have to answer before a question can prove health.",
    ),
    key(
        "limits.probe_timeout",
        Takes::Time { min: 100, max: 60_000 },
        "How long a probe waits for a name, for a connection, and for the server's first flight.",
    ),
    key(
        "limits.probe_pause",
        Takes::Time { min: 0, max: 60_000 },
        "How long a probe leaves a listener alone between two connections.",
    ),
    key(
        "limits.stdin_timeout",
        Takes::Time { min: 100, max: 3_600_000 },
        "How long text that is piped into tancheck paste may take to arrive.",
    ),
    key(
        "limits.worker_memory",
        Takes::Size { min: 64 * MIB, max: 64 * GIB },
        "The memory that one plugin may use.",
    ),
    key("limits.check_time", Takes::Time { min: 100, max: 3_600_000 }, "How long one check may judge."),
    key(
        "limits.allow_weak_sandbox",
        Takes::Flag,
        "Runs plugins in a weaker sandbox where the kernel has no better one.",
    ),
    key(
        "history.keep_runs_days",
        Takes::Count { min: 0, max: 36_500 },
        "Days that runs are kept, with their outcomes and findings; 0 keeps all. The last two stay.",
    ),
    key(
        "history.keep_series_days",
        Takes::Count { min: 0, max: 36_500 },
        "Days that series are kept; 0 keeps all. Checks look back 800 days at most.",
    ),
    key(
        "calendar.time_zone",
        Takes::Zone,
        "Where the site is: the calendar's dates are those of this time zone.",
    ),
    key(
        "calendar.soon_days",
        Takes::Count { min: 0, max: 366 },
        "How many days ahead a task is shown before it is due.",
    ),
    key("calendar.weekly.anchor", Takes::Anchor(Cadence::Weekly), ANCHOR),
    key("calendar.weekly.grace_days", GRACE_DAYS, GRACE),
    key("calendar.monthly.anchor", Takes::Anchor(Cadence::Monthly), ANCHOR),
    key("calendar.monthly.grace_days", GRACE_DAYS, GRACE),
    key("calendar.quarterly.anchor", Takes::Anchor(Cadence::Quarterly), ANCHOR),
    key("calendar.quarterly.grace_days", GRACE_DAYS, GRACE),
    key("calendar.semi-annual.anchor", Takes::Anchor(Cadence::SemiAnnual), ANCHOR),
    key("calendar.semi-annual.grace_days", GRACE_DAYS, GRACE),
    key("calendar.annual.anchor", Takes::Anchor(Cadence::Annual), ANCHOR),
    key("calendar.annual.grace_days", GRACE_DAYS, GRACE),
    key(
        "probe.vantage",
        Takes::Choice(VANTAGES),
        "Where this machine stands, which decides what a failed probe means.",
    ),
    key(
        "probe.quick",
        Takes::Flag,
        "Probes each listener by one handshake; suites are not asked one at a time.",
    ),
    key(
        "probe.merge_evidence",
        Takes::Files,
        "JSON reports of runs at other places, whose probes count beside those of this run.",
    ),
    key(
        "probe.connect_to",
        Takes::Detours,
        "Addresses that probes connect to in place of what a name resolves to here: a tunnel, or the other side of split DNS.",
    ),
    key("places.plugins", Takes::Folders, "The folders that plugins are looked for in, in this order."),
    key("places.exports", Takes::Folder, "The folder that files exported from the Console are put into."),
    key("places.state", Takes::Folder, "The folder of history, answers, attestations and trusted plugins."),
    key("places.cache", Takes::Folder, "The folder of what can be made again."),
    key(
        "places.waivers",
        Takes::File,
        "The file of waivers; without one, waivers.toml beside the configuration.",
    ),
    key("waivers.until_required", Takes::Flag, "Whether each waiver needs a day on which it ends."),
    key(
        "waivers.soon_days",
        Takes::Count { min: 0, max: 366 },
        "How many days ahead the end of a waiver is told in reports.",
    ),
];

const ANCHOR: &str = "The day on which tasks of this cadence are done; without one, each comes due one period after it was done.";
const GRACE: &str = "How many days a task of this cadence may be late before it is overdue.";
const GRACE_DAYS: Takes = Takes::Count { min: 0, max: 366 };

/// The cadences that have a section of their own.
pub(super) const PERIODIC: [Cadence; 5] =
    [Cadence::Weekly, Cadence::Monthly, Cadence::Quarterly, Cadence::SemiAnnual, Cadence::Annual];

const fn key(path: &'static str, takes: Takes, about: &'static str) -> Key {
    Key { path, takes, about }
}

/// The keys of `[inputs."<id>"]`.
pub(super) const INPUT_KEYS: [(&str, &str); 3] = [
    ("service", "The service of the module, as in /plugin/products/<service>; none for a platform route."),
    ("path", "The path below the service, or the platform route."),
    ("rows", "The JSON pointer to the rows of the answer, such as /data/items."),
];

impl Key {
    /// The key with this path.
    pub(super) fn find(path: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.path == path)
    }

    /// Whether the value leads to a secret, so that no message repeats it: people paste tokens into such lines.
    pub(super) fn is_private(&self) -> bool {
        let name = self.path.rsplit('.').next().unwrap_or_default();
        name.starts_with("token_") || name.starts_with("password_")
    }
}
