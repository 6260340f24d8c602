//! Certificates that destinations pin: real ones, made of fixed keys so that the same time gives the same bytes.

use jiff::Timestamp;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

/// The beginning of an Ed25519 key in PKCS #8; the 32 bytes of the key follow.
const PKCS8_ED25519: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A self-signed certificate for a host, valid between two days, as PEM.
pub(crate) fn pem(host: &str, from: Timestamp, until: Timestamp) -> Result<String, rcgen::Error> {
    let mut key = PKCS8_ED25519.to_vec();
    key.extend([7u8; 32]);
    let key = KeyPair::try_from(key.as_slice())?;
    let mut params = CertificateParams::new(vec![host.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, host);
    let ymd = |time: Timestamp| {
        let date = jiff::tz::TimeZone::UTC.to_datetime(time).date();
        (date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    let ((year, month, day), until) = (ymd(from), ymd(until));
    params.not_before = date_time_ymd(year, month, day);
    params.not_after = date_time_ymd(until.0, until.1, until.2);
    Ok(params.self_signed(&key)?.pem())
}
