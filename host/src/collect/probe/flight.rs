//! The server's first flight, read as its bytes arrive: records, the handshake messages in them, and what they say.
//!
//! Nothing here touches the network, and no bytes can make it panic or keep more than its limit.

use super::certificate;
use tancheck_plugin_api::records::probe::Trouble;

/// So many bytes of handshake messages are kept.
pub(super) const MOST_BYTES: usize = 64 * 1024;
/// So many certificates are looked at.
const MOST_CERTIFICATES: usize = 10;
/// The longest record that TLS 1.2 allows.
const LONGEST_RECORD: usize = (1 << 14) + 2048;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

const HELLO_REQUEST: u8 = 0;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;
const CERTIFICATE_STATUS: u8 = 22;

/// What the server's flight says, as far as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flight {
    /// The suite that the server chose; with it, the server greeted.
    pub(super) suite: Option<u16>,
    /// Certificates in DER, the server's own first.
    pub(super) certificates: Vec<Vec<u8>>,
    /// The number of the curve.
    pub(super) curve: Option<u16>,
    /// Whether a client certificate is asked for.
    pub(super) client_certificate: bool,
    /// Names of the issuers whose client certificates are accepted.
    pub(super) client_issuers: Vec<String>,
}

/// What stopped the flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) trouble: Trouble,
    pub(super) alert: Option<u8>,
    pub(super) says: String,
}

impl Stop {
    pub(super) fn new(trouble: Trouble, says: impl Into<String>) -> Self {
        Self { trouble, alert: None, says: says.into() }
    }

    fn malformed(what: &str) -> Self {
        Self::new(Trouble::Malformed, format!("the server's answer breaks the rules of TLS: {what}"))
    }
}

/// Reads a flight.
#[derive(Debug, Default)]
pub(super) struct Reader {
    flight: Flight,
    /// Bytes of a record that is not complete yet.
    pending: Vec<u8>,
    /// Bytes of handshake messages that are not complete yet.
    messages: Vec<u8>,
    /// Bytes of all handshake messages.
    received: usize,
    done: bool,
}

impl Reader {
    /// Takes the next bytes; true when the flight is complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<bool, Stop> {
        if self.done {
            return Ok(true);
        }
        self.pending.extend_from_slice(bytes);
        while let Some(length) = self.record_length()? {
            let record: Vec<u8> = self.pending.drain(..5 + length).collect();
            self.record(record[0], &record[5..])?;
            if self.done {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn flight(&self) -> &Flight {
        &self.flight
    }

    /// Whether anything came at all.
    pub(super) fn is_untouched(&self) -> bool {
        self.pending.is_empty() && self.received == 0
    }

    /// The length of the first record, once it is all there.
    fn record_length(&self) -> Result<Option<usize>, Stop> {
        let looks_wrong =
            |at: usize, good: fn(u8) -> bool| self.pending.get(at).is_some_and(|&byte| !good(byte));
        if looks_wrong(0, |kind| (20..=23).contains(&kind)) || looks_wrong(1, |major| major == 3) {
            return Err(Stop::new(
                Trouble::NotTls,
                format!("what answers is no TLS: {}", beginning(&self.pending)),
            ));
        }
        let Some(header) = self.pending.first_chunk::<5>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        if length > LONGEST_RECORD {
            return Err(Stop::malformed("a record is longer than it may be"));
        }
        Ok((self.pending.len() >= 5 + length).then_some(length))
    }

    fn record(&mut self, kind: u8, body: &[u8]) -> Result<(), Stop> {
        match kind {
            HANDSHAKE => {
                self.received += body.len();
                if self.received > MOST_BYTES {
                    return Err(too_much());
                }
                self.messages.extend_from_slice(body);
                self.take_messages()
            }
            ALERT => alert(body, self.flight.suite.is_some()),
            _ => Err(Stop::malformed("it does not begin with a handshake")),
        }
    }

    fn take_messages(&mut self) -> Result<(), Stop> {
        while let Some(header) = self.messages.first_chunk::<4>() {
            let kind = header[0];
            let length = usize::try_from(u32::from_be_bytes([0, header[1], header[2], header[3]]))
                .unwrap_or(usize::MAX);
            if length > MOST_BYTES {
                return Err(too_much());
            }
            if self.messages.len() < 4 + length {
                return Ok(());
            }
            let message: Vec<u8> = self.messages.drain(..4 + length).collect();
            self.message(kind, &message[4..])?;
            if self.done {
                return Ok(());
            }
        }
        Ok(())
    }

    fn message(&mut self, kind: u8, body: &[u8]) -> Result<(), Stop> {
        let greeted = self.flight.suite.is_some();
        match kind {
            HELLO_REQUEST => Ok(()),
            SERVER_HELLO if !greeted => self.server_hello(body),
            CERTIFICATE if greeted => self.certificate(body),
            SERVER_KEY_EXCHANGE if greeted => {
                // A named curve; other kinds of key exchange tell nothing that is asked here.
                if let [3, high, low, ..] = *body {
                    self.flight.curve = Some(u16::from_be_bytes([high, low]));
                }
                Ok(())
            }
            CERTIFICATE_STATUS if greeted => Ok(()),
            CERTIFICATE_REQUEST if greeted => self.certificate_request(body),
            SERVER_HELLO_DONE if greeted => {
                self.done = true;
                Ok(())
            }
            _ => Err(Stop::malformed("its messages are not in order")),
        }
    }

    fn server_hello(&mut self, body: &[u8]) -> Result<(), Stop> {
        let mut cursor = Cursor(body);
        let read = |cursor: &mut Cursor<'_>| {
            let version = cursor.u16()?;
            cursor.take(32)?;
            let session = usize::from(cursor.u8()?);
            cursor.take(session)?;
            Some((version, cursor.u16()?))
        };
        let Some((version, suite)) = read(&mut cursor) else {
            return Err(Stop::malformed("its greeting is cut short"));
        };
        if version != 0x0303 {
            let says = format!("the server chose {}, not TLS 1.2", version_name(version));
            return Err(Stop::new(Trouble::WrongVersion, says));
        }
        self.flight.suite = Some(suite);
        Ok(())
    }

    fn certificate(&mut self, body: &[u8]) -> Result<(), Stop> {
        let mut outer = Cursor(body);
        let Some(list) = outer.u24().and_then(|length| outer.take(length)) else {
            return Err(Stop::malformed("its list of certificates is cut short"));
        };
        let mut list = Cursor(list);
        while !list.0.is_empty() {
            let Some(certificate) = list.u24().and_then(|length| list.take(length)) else {
                return Err(Stop::malformed("a certificate is cut short"));
            };
            if self.flight.certificates.len() == MOST_CERTIFICATES {
                return Err(Stop::new(
                    Trouble::TooMuch,
                    format!("the server sends more than {MOST_CERTIFICATES} certificates"),
                ));
            }
            self.flight.certificates.push(certificate.to_vec());
        }
        Ok(())
    }

    fn certificate_request(&mut self, body: &[u8]) -> Result<(), Stop> {
        let mut cursor = Cursor(body);
        let read = |cursor: &mut Cursor<'_>| {
            let types = usize::from(cursor.u8()?);
            cursor.take(types)?;
            let algorithms = usize::from(cursor.u16()?);
            cursor.take(algorithms)?;
            let names = usize::from(cursor.u16()?);
            Some(cursor.take(names)?.to_vec())
        };
        let Some(names) = read(&mut cursor) else {
            return Err(Stop::malformed("its request for a client certificate is cut short"));
        };
        self.flight.client_certificate = true;
        let mut names = Cursor(&names);
        while let Some(name) = names.u16().and_then(|length| names.take(usize::from(length))) {
            if self.flight.client_issuers.len() == MOST_CERTIFICATES {
                break;
            }
            self.flight.client_issuers.push(certificate::name_of(name));
        }
        Ok(())
    }
}

fn too_much() -> Stop {
    Stop::new(Trouble::TooMuch, format!("the server sends more than {} KiB of handshake", MOST_BYTES / 1024))
}

/// Warnings other than the last one are passed over.
fn alert(body: &[u8], greeted: bool) -> Result<(), Stop> {
    let [level, number, ..] = *body else { return Err(Stop::malformed("an alert is cut short")) };
    if level == 1 && number != 0 {
        return Ok(());
    }
    let when = if greeted { "after its greeting" } else { "instead of a greeting" };
    let says = format!("the server sent the alert {number} ({}) {when}", alert_name(number));
    Err(Stop { trouble: Trouble::Alert, alert: Some(number), says })
}

const fn alert_name(number: u8) -> &'static str {
    match number {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        112 => "unrecognized_name",
        116 => "certificate_required",
        _ => "unknown",
    }
}

fn version_name(version: u16) -> String {
    match version {
        0x0300 => "SSL 3.0".to_owned(),
        0x0301 => "TLS 1.0".to_owned(),
        0x0302 => "TLS 1.1".to_owned(),
        0x0304 => "TLS 1.3".to_owned(),
        other => format!("the version {other:#06x}"),
    }
}

/// The name of a curve by its number.
pub(super) fn curve_name(curve: u16) -> String {
    match curve {
        23 => "P-256".to_owned(),
        24 => "P-384".to_owned(),
        25 => "P-521".to_owned(),
        29 => "x25519".to_owned(),
        30 => "x448".to_owned(),
        other => format!("curve {other}"),
    }
}

/// How something begins that is no TLS: enough to recognise it, and no more.
fn beginning(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(16)];
    if shown.starts_with(b"HTTP/") || shown.starts_with(b"<") {
        return "it speaks plain HTTP".to_owned();
    }
    format!("it begins with \"{}\"", shown.escape_ascii())
}

/// Bytes that are read from their beginning; what is not there is `None`.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn u24(&mut self) -> Option<usize> {
        self.take(3)
            .map(|bytes| usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2]))
    }
}

#[cfg(test)]
#[path = "flight_tests.rs"]
mod tests;
