//! What a certificate says: names, dates, key. Nothing is verified: who signed it is not judged here.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::net::IpAddr;
use tancheck_plugin_api::records::probe::Certificate;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::{Oid, OidRegistry};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

/// So many names of a certificate are kept.
const MOST_NAMES: usize = 50;
/// So much of a text out of a certificate is kept: it comes from a stranger.
const LONGEST: usize = 256;

/// The facts of a certificate in DER, as far as it can be read.
pub(crate) fn facts(der: &[u8]) -> Certificate {
    let sha256 = hexadecimal(&Sha256::digest(der));
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Certificate { sha256, ..read(&certificate) },
        Ok(_) => Certificate {
            sha256,
            unreadable: "there are bytes behind the certificate".to_owned(),
            ..Certificate::default()
        },
        Err(error) => Certificate { sha256, unreadable: short(&error.to_string()), ..Certificate::default() },
    }
}

/// A distinguished name in DER, for people.
pub(super) fn name_of(der: &[u8]) -> String {
    match X509Name::from_der(der) {
        Ok((_, name)) => short(&name.to_string()),
        Err(_) => "a name that cannot be read".to_owned(),
    }
}

fn read(certificate: &X509Certificate<'_>) -> Certificate {
    let (key, key_bits) = key(certificate.public_key());
    let common_name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    Certificate {
        subject: short(&certificate.subject().to_string()),
        common_name: common_name.map(short).unwrap_or_default(),
        issuer: short(&certificate.issuer().to_string()),
        serial: short(&hexadecimal(certificate.raw_serial())),
        not_before: time(certificate.validity().not_before),
        not_after: time(certificate.validity().not_after),
        key,
        key_bits,
        signature: oid_name(&certificate.signature_algorithm.algorithm),
        names: names(certificate),
        ..Certificate::default()
    }
}

fn time(time: ASN1Time) -> Option<Timestamp> {
    Timestamp::from_second(time.timestamp()).ok()
}

fn key(info: &SubjectPublicKeyInfo<'_>) -> (String, Option<u32>) {
    let bits = |size: usize| u32::try_from(size).ok().filter(|&size| size > 0);
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => ("RSA".to_owned(), bits(key.key_size())),
        Ok(PublicKey::EC(key)) => ("EC".to_owned(), bits(key.key_size())),
        _ => (oid_name(&info.algorithm.algorithm), None),
    }
}

fn oid_name(oid: &Oid<'_>) -> String {
    let registry = OidRegistry::default().with_crypto();
    registry.get(oid).map_or_else(|| oid.to_id_string(), |entry| entry.sn().to_owned())
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(short(name)),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).take(MOST_NAMES).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// One short line without control characters.
fn short(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_parse_keeps_its_fingerprint_and_says_so() {
        let facts = facts(b"no certificate");
        assert_eq!(facts.sha256.len(), 64);
        assert!(!facts.unreadable.is_empty() && facts.subject.is_empty() && facts.not_after.is_none());
        assert_eq!(name_of(&[0x30, 5]), "a name that cannot be read");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let facts = facts(&bytes);
            prop_assert_eq!(facts.sha256.len(), 64);
            let _ = name_of(&bytes);
        }
    }
}
