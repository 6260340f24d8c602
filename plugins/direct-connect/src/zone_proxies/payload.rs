//! The provision payload of a zone proxy. It is a secret: it is only ever pasted into `tancheck paste`, which hands on
//! facts about its two blocks and nothing else.

use super::PROXY_ADMINISTRATOR;
use crate::chapters::ZONE_PROXIES as PROXIES_CHAPTER;
use tancheck_plugin_api::facts::Body;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::pasted::PastedBlock;

/// What the sample in the guide is called. Its bodies are known by their SHA-256 only.
const SAMPLE_NAME: &str = "the sample in the guide";

/// The payload: what an earlier `tancheck paste` found, or the blocks that are pasted now.
const PAYLOAD: Input = Input::new("direct-connect.zone-proxy-payload", "the provision payload of a zone proxy")
    .sources(&[
        Source::answer(
            "what did `tancheck paste direct-connect.zone-proxy-payload < PROVISION.txt` find of the payload that was \
             entered for each zone proxy",
            Accepts::Choice(&["good", "malformed", "sample"]),
            365,
        ),
        Source::pasted(
            "the provision payload, both blocks as they stand in PROVISION.txt",
            &[
                (SAMPLE_NAME, "1dbb6dcc347d94d72dcba8d1265d2b54be1ea6104e1e19876ed6463dd1d2c614"),
                (SAMPLE_NAME, "5832d41b149f33bc5326a3563956a22036d594b9d6b387081b0bb58ee83d27ed"),
            ],
        ),
    ]);

const SECRET: &str = "PROVISION SECRET";
const CERTIFICATE: &str = "CERTIFICATE";

/// The length of the secret in the guide's own sample, which may be shortened.
const USUAL_SECRET: u64 = 64;
/// The smallest key.
const RSA_BITS: u32 = 2048;

/// The payload is whole.
pub(crate) const FORMAT: Check = Check::automated("direct-connect.zone-proxy-payload-format")
    .title("The provision payload of the zone proxy is whole")
    .cadence(&[Cadence::Setup, Cadence::AsNeeded])
    .severity(Severity::High)
    .reads(&[&PAYLOAD])
    .guide(PROXIES_CHAPTER)
    .applies("zone proxies")
    .what("Of a payload that is pasted into `tancheck paste`: there is one PROVISION SECRET, then one CERTIFICATE, both whole, in base64, with nothing around them; the certificate can be read, is in date, and has an RSA key of at least 2048 bits. In a run: what was last answered about it.")
    .why("With half a payload, or one that an editor changed, the zone proxy cannot be saved, or never gets connected.")
    .limits("Whether it is the payload of the present installation is seen when the zone proxy is Connected.")
    .related(&["direct-connect.zone-proxy-status", "direct-connect.zone-proxy-payload-sample"])
    .caused_by(&[Cause::check("direct-connect.zone-proxy-payload-sample")])
    .remedy(&FORMAT_REMEDY)
    .judge(format);

const FORMAT_REMEDY: Remedy = Remedy::new(&[
    Step::consult("an administrator of the Zone Server", "copy both blocks of settings/PROVISION.txt again, from the first dash to the last, with all line ends"),
    Step::decision("a console wrapped the lines, or an editor changed the dashes", "copy from the file instead, with a plain text editor"),
    Step::decision("the certificate has expired, or its key is too small", "run the installer of the zone proxy again: it makes a new payload"),
    Step::command("tancheck paste direct-connect.zone-proxy-payload < PROVISION.txt", "looks at it once more, and keeps nothing of it"),
    Step::command("tancheck answer direct-connect.zone-proxy-payload good", "once it is"),
])
.cautions(&["The payload is a secret: paste it nowhere else.", "An entry cannot be changed: delete it and add it again with the right payload."])
.who(PROXY_ADMINISTRATOR)
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Install and configure the Direct Connect Zone Proxy"]);

fn format(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if let Body::Answer(answer) = facts.body(&PAYLOAD)? {
        if answer.value == "malformed" {
            report.finding(found(facts, "payload", "the provision payload").says("was found malformed"));
        }
        return Ok(());
    }
    let all: Vec<PastedBlock> = facts.rows(&PAYLOAD)?;
    let mut problem = |key: &str, name: &str, says: String| {
        report.finding(found(facts, key, name).says(says));
    };
    for (label, key) in [(SECRET, "secret"), (CERTIFICATE, "certificate")] {
        let own: Vec<&PastedBlock> = all.iter().filter(|block| block.label == label).collect();
        match own.as_slice() {
            [] => problem(key, label, "is missing".to_owned()),
            [block] => {
                if let Some(says) = broken(block, facts.now()) {
                    problem(key, label, says);
                }
            }
            more => problem(key, label, format!("is there {} times", more.len())),
        }
    }
    let place = |label: &str| all.iter().position(|block| block.label == label);
    if let (Some(secret), Some(certificate)) = (place(SECRET), place(CERTIFICATE))
        && secret > certificate
    {
        problem("order", "the order of the blocks", "is wrong: the secret comes first".to_owned());
    }
    let strange = all.iter().filter(|block| ![SECRET, CERTIFICATE].contains(&block.label.as_str()));
    let lines: Vec<String> = strange.map(|block| block.line.to_string()).take(5).collect();
    if !lines.is_empty() {
        let says = format!(
            "is there, in line {}: are all five dashes at both ends of each marker?",
            lines.join(", ")
        );
        problem("around", "something besides the two blocks", says);
    }
    let length = all.iter().find(|block| block.label == SECRET).and_then(|block| block.bytes);
    if length.is_some_and(|bytes| bytes != USUAL_SECRET) {
        report.note("the secret has another length than the one in the guide, which may be shortened there");
    }
    Ok(())
}

fn found(facts: &Facts<'_>, key: &str, name: &str) -> Finding {
    Finding::on(Subject::new("provision payload", key, name))
        .expected("a PROVISION SECRET and a CERTIFICATE, whole, in this order, and nothing else")
        .evidence(facts.seen(&PAYLOAD, key))
}

/// What is wrong with a block by itself.
fn broken(block: &PastedBlock, now: Timestamp) -> Option<String> {
    if !block.ended {
        return Some("has no last line of its own".to_owned());
    }
    if block.bytes.is_none() {
        return Some("is no base64: something was lost or changed in it".to_owned());
    }
    let certificate = block.certificate.as_ref()?;
    if !certificate.unreadable.is_empty() {
        return Some("is no certificate that can be read".to_owned());
    }
    if certificate.not_after.is_some_and(|end| end < now) {
        return Some("has expired".to_owned());
    }
    if certificate.not_before.is_some_and(|begin| begin > now) {
        return Some("is not valid yet: compare the clocks".to_owned());
    }
    let key = &certificate.key;
    match certificate.key_bits {
        Some(bits) if key == "RSA" && bits < RSA_BITS => Some(format!("has an RSA key of {bits} bits only")),
        _ if key != "RSA" => Some(format!("has a key of the kind {key}, not RSA")),
        _ => None,
    }
}

/// The payload is an own one.
pub(crate) const SAMPLE: Check = Check::automated("direct-connect.zone-proxy-payload-sample")
    .title("The provision payload is not the sample of the guide")
    .cadence(&[Cadence::Setup, Cadence::AsNeeded])
    .severity(Severity::Critical)
    .reads(&[&PAYLOAD])
    .guide(PROXIES_CHAPTER)
    .applies("zone proxies")
    .what("Compares both blocks of a payload that is pasted into `tancheck paste` with the sample in the guide, by their SHA-256. In a run: what was last answered about it.")
    .why("The sample is shortened and everybody's: a zone proxy that is set up with it fails.")
    .related(&["direct-connect.zone-proxy-payload-format"])
    .remedy(&SAMPLE_REMEDY)
    .judge(sample);

const SAMPLE_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "an administrator of the Zone Server",
        "take both blocks from settings/PROVISION.txt of the own installation",
    ),
    Step::console(
        "Direct Connect > Zone Proxies",
        "delete the entry that was made with the sample, and add it again",
    ),
    Step::command("tancheck answer direct-connect.zone-proxy-payload good", "once it is"),
])
.cautions(&["The payload is a secret: paste it nowhere else."])
.who(PROXY_ADMINISTRATOR)
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Install and configure the Direct Connect Zone Proxy"]);

fn sample(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let labels: Vec<String> = match facts.body(&PAYLOAD)? {
        Body::Answer(answer) if answer.value == "sample" => vec!["the provision payload".to_owned()],
        Body::Answer(_) => Vec::new(),
        _ => {
            let blocks: Vec<PastedBlock> = facts.rows(&PAYLOAD)?;
            blocks.into_iter().filter(|block| block.known == SAMPLE_NAME).map(|block| block.label).collect()
        }
    };
    for label in labels {
        report.finding(
            Finding::on(Subject::new("provision payload", label.to_lowercase().replace(' ', "-"), &label))
                .says("is the sample that is printed in the guide")
                .expected("the payload of the own installation")
                .evidence(facts.seen(&PAYLOAD, &label)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn certificate(change: (&str, Value)) -> Value {
        let mut certificate = json!({"key": "RSA", "key_bits": 2048, "not_before": "2026-01-01T00:00:00Z",
            "not_after": "2031-01-01T00:00:00Z"});
        certificate[change.0] = change.1;
        certificate
    }

    fn block(label: &str, line: u64) -> Value {
        let mut block = json!({"label": label, "line": line, "ended": true, "characters": 88, "bytes": 64});
        if label == CERTIFICATE {
            block["certificate"] = certificate(("key", json!("RSA")));
        }
        block
    }

    fn changed(mut block: Value, field: &str, value: Value) -> Value {
        block[field] = value;
        block
    }

    fn pasted(blocks: &[Value]) -> Case {
        Case::of(&FORMAT).rows(&PAYLOAD, blocks.to_vec().into())
    }

    #[test]
    fn two_whole_blocks_pass() {
        let both = [block(SECRET, 1), block(CERTIFICATE, 5)];
        pasted(&both).judge().assert_pass();
        pasted(&both).assert_needs_its_inputs();
        let short = pasted(&[changed(block(SECRET, 1), "bytes", json!(48)), block(CERTIFICATE, 5)]).judge();
        short.assert_pass();
        assert_eq!(short.notes().len(), 1);
    }

    #[test]
    fn each_slip_is_a_row() {
        let (secret, own) = (|| block(SECRET, 1), || block(CERTIFICATE, 5));
        let with = |change: (&str, Value)| changed(own(), "certificate", certificate(change));
        for (blocks, key) in [
            (vec![secret()], "certificate"),
            (vec![own()], "secret"),
            (vec![secret(), own(), own()], "certificate"),
            (vec![own(), secret()], "order"),
            (vec![secret(), own(), block("", 9)], "around"),
            (vec![secret(), own(), block("PRIVATE KEY", 9)], "around"),
            (vec![changed(secret(), "ended", json!(false)), own()], "secret"),
            (vec![changed(secret(), "bytes", Value::Null), own()], "secret"),
            (vec![secret(), with(("unreadable", json!("odd")))], "certificate"),
            (vec![secret(), with(("not_after", json!("2026-06-01T00:00:00Z")))], "certificate"),
            (vec![secret(), with(("not_before", json!("2026-07-01T00:00:00Z")))], "certificate"),
            (vec![secret(), with(("key_bits", json!(1024)))], "certificate"),
            (vec![secret(), with(("key", json!("EC")))], "certificate"),
        ] {
            pasted(&blocks).judge().assert_findings(&[key]);
        }
        pasted(&[]).judge().assert_findings(&["secret", "certificate"]);
    }

    #[test]
    fn the_sample_is_known() {
        let case = |known: &str| {
            let secret = changed(block(SECRET, 1), "known", json!(known));
            Case::of(&SAMPLE).rows(&PAYLOAD, json!([secret, block(CERTIFICATE, 5)]))
        };
        case("").judge().assert_pass();
        case("").assert_needs_its_inputs();
        case(SAMPLE_NAME).judge().assert_findings(&["provision-secret"]);
    }

    #[test]
    fn in_a_run_the_answer_counts() {
        for (answer, format, sample) in [("good", 0, 0), ("malformed", 1, 0), ("sample", 0, 1)] {
            let found =
                |check: &'static Check| Case::of(check).answer(&PAYLOAD, answer).judge().findings().len();
            assert_eq!((found(&FORMAT), found(&SAMPLE)), (format, sample), "{answer}");
        }
    }
}
