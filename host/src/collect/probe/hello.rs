//! The greeting: a TLS 1.2 `ClientHello`, made by hand so that every suite can be offered and nothing else is.
//!
//! It offers no later version, no session and no protocol, so that the server's whole first flight comes in the clear.

use std::net::IpAddr;

/// Tells servers that no renegotiation is meant.
const RENEGOTIATION_INFO: u16 = 0x00FF;

/// x25519, P-256, P-384, P-521.
const GROUPS: [u16; 4] = [29, 23, 24, 25];

/// RSA with PKCS #1, ECDSA, RSA with PSS (each with SHA-256, 384 and 512); SHA-1 for old servers.
const SIGNATURES: [u16; 11] =
    [0x0401, 0x0501, 0x0601, 0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0201, 0x0203];

const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const POINT_FORMATS: u16 = 11;
const SIGNATURE_ALGORITHMS: u16 = 13;

/// The greeting in one record. The host is named only where it has a name: an address never is one.
pub(super) fn client_hello(suites: &[u16], host: Option<&str>, random: [u8; 32]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend(random);
    body.push(0);
    let suites = suites.iter().copied().chain([RENEGOTIATION_INFO]);
    body.extend(with_length(&suites.flat_map(u16::to_be_bytes).collect::<Vec<_>>()));
    body.extend([1, 0]);
    body.extend(with_length(&extensions(host)));
    let length = u32::try_from(body.len()).expect("a greeting has a few hundred bytes").to_be_bytes();
    let mut message = vec![1, length[1], length[2], length[3]];
    message.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend(with_length(&message));
    record
}

fn extensions(host: Option<&str>) -> Vec<u8> {
    let mut all = Vec::new();
    if let Some(name) = host.filter(|host| host.parse::<IpAddr>().is_err()) {
        let mut entry = vec![0];
        entry.extend(with_length(name.as_bytes()));
        all.extend(extension(SERVER_NAME, &with_length(&entry)));
    }
    let words = |words: &[u16]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
    all.extend(extension(SUPPORTED_GROUPS, &with_length(&words(&GROUPS))));
    all.extend(extension(POINT_FORMATS, &[1, 0]));
    all.extend(extension(SIGNATURE_ALGORITHMS, &with_length(&words(&SIGNATURES))));
    all
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    kind.to_be_bytes().into_iter().chain(with_length(body)).collect()
}

/// Bytes behind their length in two bytes.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("names and lists of a greeting are short");
    length.to_be_bytes().into_iter().chain(bytes.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_has_the_bytes_that_the_standard_asks_for() {
        let hello = client_hello(&[0xC030], Some("dc"), [7; 32]);
        let (record, message) = hello.split_at(5);
        assert_eq!(record[..3], [22, 3, 1]);
        assert_eq!(usize::from(u16::from_be_bytes([record[3], record[4]])), message.len());
        assert_eq!(message[0], 1);
        assert_eq!(usize::from(u16::from_be_bytes([message[2], message[3]])), message.len() - 4);
        assert_eq!(message[4..6], [3, 3]);
        assert_eq!(message[6..38], [7; 32]);
        assert_eq!(message[38..47], [0, 0, 4, 0xC0, 0x30, 0x00, 0xFF, 1, 0]);
        let name = [0, 0, 0, 7, 0, 5, 0, 0, 2, b'd', b'c'];
        assert_eq!(message[49..60], name);
    }

    #[test]
    fn an_address_is_not_named() {
        let named = client_hello(&[0xC030], Some("dc.example.com"), [0; 32]).len();
        for host in [None, Some("192.0.2.7"), Some("2001:db8::1")] {
            assert_eq!(client_hello(&[0xC030], host, [0; 32]).len(), named - 23, "{host:?}");
        }
    }
}
