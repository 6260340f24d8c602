//! What these checks read: the three lists of subnets, and what people know about the network.

use ipnet::IpNet;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::network::plain_range;
use tancheck_plugin_api::serde_json::Value;

/// Where all three lists are.
pub(crate) const PAGE: &str = "Administration > Configuration > Subnets";
/// The sections of the guide.
pub(crate) const ISOLATED_SECTION: &str = "Review and update isolated subnets";
/// See above.
pub(crate) const SEPARATED_SECTION: &str = "Review and update separated subnets";
/// See above.
pub(crate) const INTENTIONAL_SECTION: &str = "Review and update intentional subnets";
/// Who may change them.
pub(crate) const WHO: &str = "a Console user with the Administrator reserved role, or a custom role that may write these subnets, after the networking team agreed";

const FILE: Source = Source::export(
    "subnets.csv",
    PAGE,
    "write the three lists into one file with these columns; Kind is Isolated, Separated or Intentional, and an \
     intentional subnet has one line for each range",
    &["Kind", "CIDR", "Name", "Neighborhood", "Comment"],
);

/// Isolated subnets: their clients peer with nobody.
pub(crate) const ISOLATED: Input = Input::new("subnets.isolated", "isolated subnets")
    .sources(&[Source::rest("/api/v2/isolated_subnets").needs(&["read isolated subnets"]), FILE]);

/// Separated subnets: their clients peer only among themselves.
pub(crate) const SEPARATED: Input = Input::new("subnets.separated", "separated subnets")
    .sources(&[Source::rest("/api/v2/separated_subnets").needs(&["read separated subnets"]), FILE]);

/// Intentional subnets: their clients peer although they are behind different NAT addresses. Servers since 7.5.3.
pub(crate) const INTENTIONAL: Input = Input::new("subnets.intentional", "intentional subnets")
    .sources(&[Source::rest("/api/v2/intentional_subnets").needs(&["read intentional subnets"]), FILE]);

/// Whether there are VPN clients at all.
pub(crate) const VPN_USED: Input = Input::new("subnets.vpn-used", "whether VPN clients exist")
    .sources(&[Source::answer("Do Tanium Clients connect through a VPN?", Accepts::YesNo, 365)]);

/// Blocks of addresses that VPN clients get.
pub(crate) const VPN_BLOCKS: Setting = Setting::list("vpn_blocks", &[])
    .about("address blocks that VPN clients get, in CIDR notation, as the networking team names them");

/// How often each list is reviewed.
pub(crate) const REVIEW_DUE_EVERY_DAYS: Setting = Setting::integer("review_due_every_days", 30, 1, 366)
    .unit("days")
    .about("how often the configured subnets are reviewed with the networking team")
    .from_guide();

/// A kind of configured subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its clients peer with nobody.
    Isolated,
    /// Its clients peer only among themselves.
    Separated,
    /// Its clients peer across NAT addresses.
    Intentional,
}

impl Kind {
    /// The list of this kind.
    pub(crate) fn input(self) -> &'static Input {
        match self {
            Self::Isolated => &ISOLATED,
            Self::Separated => &SEPARATED,
            Self::Intentional => &INTENTIONAL,
        }
    }

    /// The word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Isolated => "isolated",
            Self::Separated => "separated",
            Self::Intentional => "intentional",
        }
    }
}

/// One range of a configured subnet.
#[derive(Clone, Debug)]
pub(crate) struct Subnet {
    /// Its kind.
    pub(crate) kind: Kind,
    /// The name or neighbourhood; the range where it has none.
    pub(crate) label: String,
    /// The range.
    pub(crate) net: IpNet,
    /// When it was made, where the server tells.
    pub(crate) created: Option<Timestamp>,
}

impl Subnet {
    /// The subject of a finding about it.
    pub(crate) fn subject(&self) -> Subject {
        let net = self.net.to_string();
        let name = if self.label == net { net.clone() } else { format!("{net} ({})", self.label) };
        Subject::new(&format!("{} subnet", self.kind.word()), net, name)
    }
}

/// A row of any of the three lists, or of the exported file that holds all of them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Row {
    #[serde(alias = "Kind", deserialize_with = "lenient::text")]
    kind: String,
    /// Isolated and separated subnets, and lines of the file.
    #[serde(alias = "CIDR", deserialize_with = "lenient::text")]
    cidr_string: String,
    #[serde(alias = "Name", deserialize_with = "lenient::text")]
    name: String,
    #[serde(alias = "Neighborhood", deserialize_with = "lenient::text")]
    neighborhood: String,
    /// The ranges of an intentional subnet: a list, or one alone.
    subnets: Value,
    #[serde(deserialize_with = "lenient::time")]
    created_time: Option<Timestamp>,
    /// `0`/`1`, or a boolean.
    #[serde(deserialize_with = "lenient::flag")]
    deleted_flag: Option<bool>,
}

impl Row {
    fn ranges(&self) -> Vec<&str> {
        let objects: Vec<&Value> = match &self.subnets {
            Value::Array(items) => items.iter().collect(),
            Value::Object(_) => vec![&self.subnets],
            _ => return vec![&self.cidr_string],
        };
        objects.iter().filter_map(|object| object.get("range")?.as_str()).collect()
    }
}

/// The configured subnets of a kind that are not deleted.
pub(crate) fn subnets(facts: &Facts<'_>, kind: Kind) -> Result<Vec<Subnet>, Undecided> {
    let rows: Vec<Row> = facts.rows(kind.input())?;
    let is_of_kind = |row: &&Row| row.kind.is_empty() || row.kind.eq_ignore_ascii_case(kind.word());
    let present = rows.iter().filter(is_of_kind).filter(|row| row.deleted_flag != Some(true));
    let mut subnets = Vec::new();
    for row in present {
        for range in row.ranges() {
            let net = parse(range).ok_or_else(|| {
                Undecided::not_evaluated(format!(
                    "an {} subnet has the range {range:?}, which is no CIDR",
                    kind.word()
                ))
            })?;
            let named = [&row.name, &row.neighborhood].into_iter().find(|text| !text.is_empty());
            let label = named.cloned().unwrap_or_else(|| net.to_string());
            subnets.push(Subnet { kind, label, net, created: row.created_time });
        }
    }
    Ok(subnets)
}

/// Only the ranges.
pub(crate) fn nets(subnets: &[Subnet]) -> Vec<IpNet> {
    subnets.iter().map(|subnet| subnet.net).collect()
}

/// The ranges of a setting.
pub(crate) fn ranges(facts: &Facts<'_>, setting: &'static Setting) -> Result<Vec<IpNet>, Undecided> {
    let range = |text: &str| {
        parse(text).ok_or_else(|| {
            Undecided::not_evaluated(format!(
                "`{}` holds {text:?}; write a range such as 10.8.0.0/16 or 2001:db8::/32",
                setting.key()
            ))
        })
    };
    facts.list(setting).into_iter().map(range).collect()
}

/// The VPN blocks of the site, where there are any VPN clients.
pub(crate) fn vpn_blocks(facts: &Facts<'_>) -> Result<Vec<IpNet>, Undecided> {
    let blocks = ranges(facts, &VPN_BLOCKS)?;
    if !blocks.is_empty() {
        return Ok(blocks);
    }
    match vpn_used(facts) {
        Some(false) => Err(Undecided::not_applicable("there are no VPN clients, as a person answered")),
        _ => Err(Undecided::not_evaluated(
            "the server cannot tell VPN clients from others: set `vpn_blocks` under [modules.subnets], or answer \
             subnets.vpn-used with no",
        )),
    }
}

/// What a person said about VPN clients.
pub(crate) fn vpn_used(facts: &Facts<'_>) -> Option<bool> {
    facts.answer(&VPN_USED).ok().and_then(|answer| answer.value.as_bool())
}

/// Whether a range lies within these ranges together.
pub(crate) fn is_covered(net: &IpNet, by: &[IpNet]) -> bool {
    IpNet::aggregate(&by.to_vec()).iter().any(|whole| whole.contains(net))
}

/// A range, without bits behind its length.
fn parse(text: &str) -> Option<IpNet> {
    plain_range(text).parse::<IpNet>().ok().map(|net| net.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_platform_writes_them() {
        let net = |text: &str| parse(text).map(|net| net.to_string());
        assert_eq!(net("[2001:db8::]/32").as_deref(), Some("2001:db8::/32"));
        assert_eq!(net("192.160.10.0/16").as_deref(), Some("192.160.0.0/16"));
        assert_eq!(net("10.0.0.1").as_deref(), Some("10.0.0.1/32"));
        assert_eq!((net(""), net("10.0.0.0/33"), net("vpn")), (None, None, None));
    }

    #[test]
    fn two_halves_cover_the_whole() {
        let nets = |texts: &[&str]| texts.iter().filter_map(|text| parse(text)).collect::<Vec<_>>();
        let whole = parse("10.8.0.0/16").unwrap();
        assert!(is_covered(&whole, &nets(&["10.8.0.0/17", "10.8.128.0/17"])));
        assert!(is_covered(&whole, &nets(&["10.0.0.0/8"])));
        assert!(!is_covered(&whole, &nets(&["10.8.0.0/17"])));
        assert!(!is_covered(&whole, &[]));
    }
}
