//! The server's side of a TLS 1.2 handshake as far as it is in the clear, written by hand.
//!
//! Certificates have real shapes and real public keys; nothing in them, and nothing in the key exchange, is signed by
//! a key: nobody who only looks at the first flight can tell.

use crate::areas::direct_connect_listeners::{Certificate, Key, Listener};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rcgen::{
    CertificateParams, DnType, Issuer, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData, SerialNumber,
    SignatureAlgorithm, SigningKey, date_time_ymd,
};

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;

/// `handshake_failure`.
pub(crate) const NO_COMMON_SUITE: u8 = 40;
/// `protocol_version`.
pub(crate) const NO_COMMON_VERSION: u8 = 70;

/// One record.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3], &u16_of(body.len())[..], body].concat()
}

/// A fatal alert.
pub(crate) fn alert(number: u8) -> Vec<u8> {
    record(ALERT, &[2, number])
}

/// A greeting in TLS 1.0.
pub(crate) fn old_hello(suite: u16) -> Vec<u8> {
    record(HANDSHAKE, &server_hello(0x0301, suite))
}

/// The whole flight, in records of at most 4 KiB.
pub(crate) fn flight(listener: &Listener, suite: u16, certificate: &[u8]) -> Vec<u8> {
    let mut messages = server_hello(0x0303, suite);
    let entry = [&u24_of(certificate.len())[..], certificate].concat();
    messages.extend(message(11, &[&u24_of(entry.len())[..], &entry].concat()));
    messages.extend(key_exchange(listener.certificate.key));
    if listener.mutual {
        messages.extend(certificate_request());
    }
    messages.extend(message(14, &[]));
    messages.chunks(4096).flat_map(|chunk| record(HANDSHAKE, chunk)).collect()
}

/// Megabytes of empty requests to begin anew.
pub(crate) fn flood() -> Vec<u8> {
    let padding = record(HANDSHAKE, &message(0, &[0; 16_000]));
    std::iter::repeat_n(padding, 200).flatten().collect()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &u24_of(body.len())[..], body].concat()
}

fn server_hello(version: u16, suite: u16) -> Vec<u8> {
    let renegotiation = [0xFF, 0x01, 0, 1, 0];
    let mut body = version.to_be_bytes().to_vec();
    body.extend([0x5A; 32]);
    body.push(0);
    body.extend(suite.to_be_bytes());
    body.push(0);
    body.extend(u16_of(renegotiation.len()));
    body.extend(renegotiation);
    message(2, &body)
}

/// x25519, and a signature of the right length.
fn key_exchange(key: Key) -> Vec<u8> {
    let (algorithm, signature): (u16, Vec<u8>) = match key {
        Key::Rsa2048 => (0x0804, vec![0x77; 256]),
        Key::Rsa1024 => (0x0804, vec![0x77; 128]),
        Key::Ec => (0x0403, two_numbers()),
    };
    let mut body = vec![3, 0, 29, 32];
    body.extend([0x42; 32]);
    body.extend(algorithm.to_be_bytes());
    body.extend(u16_of(signature.len()));
    body.extend(signature);
    message(12, &body)
}

/// RSA, DSS and ECDSA; the usual signatures; one issuer.
fn certificate_request() -> Vec<u8> {
    let algorithms: [u16; 3] = [0x0401, 0x0403, 0x0804];
    let algorithms: Vec<u8> = algorithms.iter().flat_map(|one| one.to_be_bytes()).collect();
    let name = issuer_name("Tanium Direct Connect");
    let names = [&u16_of(name.len())[..], &name].concat();
    let mut body = vec![3, 1, 2, 64];
    for list in [algorithms, names] {
        body.extend(u16_of(list.len()));
        body.extend(list);
    }
    message(13, &body)
}

/// A distinguished name with a common name only, in DER.
fn issuer_name(name: &str) -> Vec<u8> {
    let short = |bytes: &[u8]| u8::try_from(bytes.len()).expect("names of the lab are short");
    let wrapped = |tag: u8, body: &[u8]| [&[tag, short(body)][..], body].concat();
    let text = wrapped(0x0C, name.as_bytes());
    let pair = wrapped(0x30, &[&[0x06, 3, 0x55, 4, 3][..], &text].concat());
    wrapped(0x30, &wrapped(0x31, &pair))
}

fn u16_of(length: usize) -> [u8; 2] {
    u16::try_from(length).expect("what a flight holds is short").to_be_bytes()
}

fn u24_of(length: usize) -> [u8; 3] {
    let [_, high, middle, low] = u32::try_from(length).expect("a flight is short").to_be_bytes();
    [high, middle, low]
}

/// The shape of an ECDSA signature: two numbers.
fn two_numbers() -> Vec<u8> {
    let number = [&[0x02, 32][..], &[0x33; 32]].concat();
    [&[0x30, 68][..], &number, &number].concat()
}

/// The certificate in DER: the same for the same description.
pub(crate) fn certificate(about: &Certificate) -> Result<Vec<u8>, rcgen::Error> {
    let key = Named(about.key);
    let mut params = CertificateParams::new(vec![about.name.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, about.name);
    params.serial_number = Some(SerialNumber::from(vec![about.serial]));
    let (year, month, day) = date_of(about.from);
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date_of(about.until);
    params.not_after = date_time_ymd(year, month, day);
    if about.issuer.is_empty() {
        return Ok(params.self_signed(&key)?.der().to_vec());
    }
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name.push(DnType::CommonName, about.issuer);
    Ok(params.signed_by(&key, &Issuer::new(issuer, Named(Key::Rsa2048)))?.der().to_vec())
}

/// Year, month and day of a time.
fn date_of(time: Timestamp) -> (i32, u8, u8) {
    let day = time.to_zoned(TimeZone::UTC).date();
    (i32::from(day.year()), day.month().unsigned_abs(), day.day().unsigned_abs())
}

/// A public key whose private half nobody has.
struct Named(Key);

impl PublicKeyData for Named {
    fn der_bytes(&self) -> &[u8] {
        match self.0 {
            Key::Rsa2048 => RSA_2048,
            Key::Rsa1024 => RSA_1024,
            Key::Ec => P_256,
        }
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.0 {
            Key::Ec => &PKCS_ECDSA_P256_SHA256,
            _ => &PKCS_RSA_SHA256,
        }
    }
}

impl SigningKey for Named {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(match self.0 {
            Key::Rsa2048 => vec![0x5C; 256],
            Key::Rsa1024 => vec![0x5C; 128],
            Key::Ec => two_numbers(),
        })
    }
}

/// An RSA key of 2048 bits, as PKCS #1 has it.
const RSA_2048: &[u8] = b"\
    \x30\x82\x01\x0a\x02\x82\x01\x01\x00\xa6\x12\xe7\x07\x4d\x93\xea\xb6\x9b\xd9\xf3\xaf\xc7\x55\xc0\x75\x5b\x7d\
    \xee\x9c\x1a\x61\x57\xe9\xca\x8c\x21\x67\x97\x47\x1c\x6b\xfc\x50\x0a\xa3\x0f\x64\xf1\xad\x04\x73\xac\x9d\xb4\
    \xba\x6a\x86\x6e\xe4\x4d\x57\xfe\xb9\xf0\xa2\x4b\xc3\x1c\x3d\xaf\x15\x9e\x88\x0f\xdf\x1e\x37\x6e\x19\x11\xee\
    \xda\x5b\x84\xe0\x4a\xdb\xcb\xdf\x5d\x12\xf2\x6f\xcd\xea\xc0\xce\xbd\x41\x2e\x8b\xa8\xb4\xea\x68\x6e\x31\xa6\
    \xde\xf7\x6a\x70\x96\x22\x86\xd2\xe6\x7b\xf2\x1e\xaa\xd0\x0b\xa0\xb0\xe4\xd2\xb7\x57\x0e\x72\xf1\x3e\x2d\x4b\
    \x7c\xdb\xc1\xe0\xe0\xf5\x61\x34\xda\x31\x86\x7a\x82\x4a\x98\x5c\xbd\xff\x3e\x6d\x20\x52\x03\xe0\x0c\x20\x22\
    \xf4\xc9\x86\x20\x88\x8e\x60\x9c\xe0\x08\x24\x90\x05\x14\x6d\x84\x21\xdf\x30\xec\xb2\x09\x5c\x79\xc9\x0a\x1f\
    \x8c\x14\xf0\xc1\x31\xe8\x5f\x17\xb0\xff\x37\xc7\x0b\xc1\xe3\xce\x04\xe8\x84\x92\x79\x0a\x10\x77\xc5\xbd\xfb\
    \x5a\x0e\x7c\xd9\xc6\x59\xd5\xd4\xbe\x71\x6d\xf1\x3d\xc5\x92\xc0\x08\xcd\xe3\x2e\x2f\x73\xff\xcd\x1f\xb5\x31\
    \xfd\x99\x64\x6a\xa1\xb8\xc3\x0b\x1b\x5b\xd5\xec\xe3\x4b\x1c\x48\x3b\xf3\x83\xf6\xe3\x27\x02\x03\x01\x00\x01";

/// An RSA key of 1024 bits.
const RSA_1024: &[u8] = b"\
    \x30\x81\x89\x02\x81\x81\x00\xae\x83\x11\x9c\x68\xf7\x03\x29\x3c\x23\x22\x75\xdb\x95\xba\xcb\x32\x30\x01\xb9\
    \x16\x46\xd9\x00\x28\x7a\x9c\x2d\x14\x94\xc0\xd3\xd8\x9e\x46\xb5\xa1\x56\x4e\x89\x4c\x6e\xae\x64\x18\x13\xd6\
    \x9c\xc7\x01\x2e\xe2\x54\xfe\x68\xcb\xab\xcd\xc5\x3b\x21\xad\x0d\xf9\x3d\xd8\xe9\x0e\x90\x00\xde\x4d\x16\xe3\
    \x8a\x10\x13\x43\xf8\xe4\xd3\xad\x30\x0d\x47\x6c\x50\xaf\xf3\x0c\xed\xe0\xd4\xa9\x99\x2b\x57\x6a\x67\x25\x10\
    \x46\xa5\x34\x9b\xca\x5e\xeb\x9a\x23\x0c\x27\xcc\xc7\x54\x7d\x6d\x7e\x57\xa9\x39\xb1\xc8\x67\xfc\x1b\x58\x85\
    \x02\x03\x01\x00\x01";

/// A point on P-256.
const P_256: &[u8] = b"\
    \x04\x6e\x16\xbf\x7e\xa8\x81\xfe\x1f\xbc\xa3\x26\xf8\x86\x66\xd5\x55\xae\x33\x5f\x0a\xf0\xcf\xc2\x4a\x02\x37\
    \xa6\x7d\x34\x2b\x7e\x09\xbc\x95\xb6\x9e\x39\x3d\xd4\xab\xc9\x04\xa4\xc2\x94\x25\x1d\xb9\xfe\x9e\xa7\x86\xa1\
    \x23\xa3\x51\x82\xa8\x86\x4e\x7d\x46\x91\xca";
