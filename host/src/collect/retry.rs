//! When a request is repeated: after what the server asks for, or after growing pauses that no two requests share.

use std::time::{Duration, SystemTime};

/// The server may ask for a pause of this length; what asks for more has given up on this run.
pub(super) const LONGEST_ASKED: Duration = Duration::from_secs(120);
/// Pauses of our own grow up to this length.
const LONGEST_OWN: Duration = Duration::from_secs(30);

/// How long to wait before the repetition with this number (the first is 0).
pub(super) fn pause(first: Duration, repetition: u32, asked: Option<Duration>) -> Duration {
    let share = 0.5 + fastrand::f64() / 2.0;
    let own = first.saturating_mul(2_u32.saturating_pow(repetition.min(16))).min(LONGEST_OWN).mul_f64(share);
    match asked {
        // Never earlier than asked; a little later, so that not all come back at the same moment.
        Some(asked) => asked + first.mul_f64(share),
        None => own,
    }
}

/// The value of `Retry-After`: seconds or an HTTP date.
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let first = Duration::from_millis(500);
        for repetition in 0..40 {
            let whole = first.saturating_mul(2_u32.saturating_pow(repetition.min(16))).min(LONGEST_OWN);
            let pause = pause(first, repetition, None);
            assert!(pause >= whole.mul_f64(0.5) && pause <= whole, "{repetition}: {pause:?}");
        }
    }

    #[test]
    fn the_server_is_never_asked_too_early() {
        let asked = Duration::from_secs(7);
        let pause = pause(Duration::from_millis(500), 3, Some(asked));
        assert!(pause >= asked && pause <= asked + Duration::from_millis(500));
    }

    #[test]
    fn seconds_and_dates_are_read() {
        let now = httpdate::parse_http_date("Tue, 30 Jun 2026 12:00:00 GMT").unwrap();
        assert_eq!(retry_after(" 5 ", now), Some(Duration::from_secs(5)));
        assert_eq!(retry_after("Tue, 30 Jun 2026 12:01:30 GMT", now), Some(Duration::from_secs(90)));
        assert_eq!(retry_after("Tue, 30 Jun 2026 11:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!((retry_after("soon", now), retry_after("-1", now)), (None, None));
    }
}
