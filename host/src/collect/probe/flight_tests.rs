//! Flights as servers send them, whole and broken.

use super::*;
use proptest::prelude::*;

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3], &length[..], body].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &length[1..], body].concat()
}

fn server_hello(version: u16, suite: u16) -> Vec<u8> {
    let body = [&version.to_be_bytes()[..], &[9; 32], &[0], &suite.to_be_bytes(), &[0]].concat();
    message(SERVER_HELLO, &body)
}

fn u24(length: usize) -> Vec<u8> {
    u32::try_from(length).unwrap().to_be_bytes()[1..].to_vec()
}

fn certificates(all: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> = all.iter().flat_map(|one| [u24(one.len()), one.to_vec()].concat()).collect();
    message(CERTIFICATE, &[u24(list.len()), list].concat())
}

/// rsa_sign; one algorithm; one issuer, `CN=dc`.
fn certificate_request() -> Vec<u8> {
    let name = [0x30, 0x0D, 0x31, 0x0B, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0C, 0x02, b'd', b'c'];
    let body = [&[1, 1, 0, 2, 4, 1, 0, 17, 0, 15][..], &name].concat();
    message(CERTIFICATE_REQUEST, &body)
}

fn whole() -> Vec<u8> {
    let key_exchange = message(SERVER_KEY_EXCHANGE, &[3, 0, 29, 1, 7, 4, 1, 0, 0]);
    let messages = [
        server_hello(0x0303, 0xC030),
        certificates(&[b"leaf", b"issuer"]),
        key_exchange,
        certificate_request(),
        message(SERVER_HELLO_DONE, &[]),
    ]
    .concat();
    record(HANDSHAKE, &messages)
}

fn stop(bytes: &[u8]) -> Stop {
    Reader::default().feed(bytes).unwrap_err()
}

fn wanted() -> Flight {
    Flight {
        suite: Some(0xC030),
        certificates: vec![b"leaf".to_vec(), b"issuer".to_vec()],
        curve: Some(29),
        client_certificate: true,
        client_issuers: vec!["CN=dc".to_owned()],
    }
}

#[test]
fn a_whole_flight_says_what_it_holds() {
    let mut reader = Reader::default();
    assert_eq!(reader.feed(&whole()), Ok(true));
    assert_eq!(reader.flight(), &wanted());
    assert_eq!(reader.feed(b"more"), Ok(true), "what comes behind is not looked at");
}

#[test]
fn messages_may_be_cut_across_records() {
    let messages = whole()[5..].to_vec();
    let records: Vec<u8> = messages.chunks(7).flat_map(|chunk| record(HANDSHAKE, chunk)).collect();
    let mut reader = Reader::default();
    assert_eq!(reader.feed(&records), Ok(true));
    assert_eq!(reader.flight(), &wanted());
}

#[test]
fn alerts_tell_when_they_came() {
    let early = stop(&record(ALERT, &[2, 40]));
    assert_eq!((early.trouble, early.alert), (Trouble::Alert, Some(40)));
    assert_eq!(early.says, "the server sent the alert 40 (handshake_failure) instead of a greeting");
    let late = [record(HANDSHAKE, &server_hello(0x0303, 0xC030)), record(ALERT, &[2, 80])].concat();
    assert!(stop(&late).says.ends_with("after its greeting"));
    let warned = [record(ALERT, &[1, 112]), whole()].concat();
    assert_eq!(Reader::default().feed(&warned), Ok(true), "a warning is passed over");
    assert_eq!(stop(&record(ALERT, &[1, 0])).alert, Some(0), "a farewell is none");
    assert_eq!(stop(&record(ALERT, &[2])).trouble, Trouble::Malformed);
}

#[test]
fn what_is_no_tls_is_told_by_its_first_bytes() {
    assert_eq!(stop(b"H").trouble, Trouble::NotTls);
    assert_eq!(stop(b"HTTP/1.1 400 Bad Request").says, "what answers is no TLS: it speaks plain HTTP");
    assert!(stop(b"SSH-2.0-OpenSSH\r\n").says.contains("SSH-2.0-OpenSSH"));
    assert!(stop(&[22, 4]).says.contains("\\x16\\x04"));
}

#[test]
fn versions_other_than_1_2_are_named() {
    for (version, name) in [(0x0301, "TLS 1.0"), (0x0304, "TLS 1.3"), (0x7f17, "0x7f17")] {
        let stop = stop(&record(HANDSHAKE, &server_hello(version, 0xC030)));
        assert_eq!(stop.trouble, Trouble::WrongVersion);
        assert!(stop.says.contains(name), "{}", stop.says);
    }
}

#[test]
fn too_much_is_not_kept() {
    let eleven = certificates(&[b"x".as_slice(); 11]);
    let flight = [server_hello(0x0303, 0xC030), eleven].concat();
    assert_eq!(stop(&record(HANDSHAKE, &flight)).trouble, Trouble::TooMuch);
    let huge = [&[CERTIFICATE][..], &u24(MOST_BYTES + 1)].concat();
    let huge = [server_hello(0x0303, 0xC030), huge].concat();
    assert_eq!(stop(&record(HANDSHAKE, &huge)).trouble, Trouble::TooMuch);
    let mut reader = Reader::default();
    assert_eq!(reader.feed(&record(HANDSHAKE, &server_hello(0x0303, 0xC030))), Ok(false));
    let padding = record(HANDSHAKE, &message(HELLO_REQUEST, &[0; 10_000]));
    let fed = (0..10).find_map(|_| reader.feed(&padding).err());
    assert_eq!(fed.unwrap().trouble, Trouble::TooMuch);
}

#[test]
fn messages_out_of_order_are_refused() {
    for first in [certificates(&[b"x"]), message(SERVER_HELLO_DONE, &[]), message(99, &[])] {
        assert_eq!(stop(&record(HANDSHAKE, &first)).trouble, Trouble::Malformed);
    }
    let twice = [server_hello(0x0303, 0xC030), server_hello(0x0303, 0xC030)].concat();
    assert_eq!(stop(&record(HANDSHAKE, &twice)).trouble, Trouble::Malformed);
    assert_eq!(stop(&record(23, b"data")).trouble, Trouble::Malformed);
    assert_eq!(stop(&[22, 3, 3, 0xFF, 0xFF]).trouble, Trouble::Malformed);
}

proptest! {
    #[test]
    fn the_chunks_do_not_matter(cuts in proptest::collection::vec(1_usize..40, 0..30)) {
        let bytes = whole();
        let mut rest = bytes.as_slice();
        let mut reader = Reader::default();
        let mut done = false;
        for cut in cuts.into_iter().chain([usize::MAX]) {
            let (chunk, behind) = rest.split_at(cut.min(rest.len()));
            done = reader.feed(chunk).unwrap();
            rest = behind;
        }
        prop_assert!(done);
        prop_assert_eq!(reader.flight(), &wanted());
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..2000), cut in 1_usize..500) {
        let mut reader = Reader::default();
        for chunk in bytes.chunks(cut) {
            if reader.feed(chunk).is_err() {
                break;
            }
        }
    }

    #[test]
    fn a_damaged_flight_ends_and_never_panics(at in 0_usize..120, to in any::<u8>(), cut in 1_usize..50) {
        let mut bytes = whole();
        let at = at % bytes.len();
        bytes[at] = to;
        let mut reader = Reader::default();
        for chunk in bytes.chunks(cut) {
            if reader.feed(chunk).is_err() {
                break;
            }
        }
        prop_assert!(reader.flight().certificates.len() <= MOST_CERTIFICATES);
    }
}
