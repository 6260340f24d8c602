//! Durations and sizes as people write them: `90s`, `10m`, `256MiB`.

use jiff::SignedDuration;
use std::time::Duration;

/// The units of sizes, the largest first.
const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Reads a duration with a unit; a bare number is no duration, because nobody knows its unit.
pub(super) fn duration(text: &str) -> Option<Duration> {
    if text.ends_with(|last: char| last.is_ascii_digit()) || text.starts_with('P') {
        return None;
    }
    Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()
}

/// Writes a duration so that [`duration`] reads it again.
pub(super) fn show_duration(duration: Duration) -> String {
    SignedDuration::try_from(duration)
        .map_or_else(|_| format!("{duration:?}"), |signed| format!("{signed:#}"))
}

/// Reads a size: a whole number of bytes, or with a unit.
pub(super) fn size(text: &str) -> Option<u64> {
    let (number, factor) = SIZES
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))
        .unwrap_or((text, 1));
    number.trim_end().parse::<u64>().ok()?.checked_mul(factor)
}

/// Writes a size in the largest binary unit that divides it.
pub(super) fn show_size(bytes: u64) -> String {
    SIZES[..4]
        .iter()
        .find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor))
        .map_or_else(|| format!("{bytes}B"), |(unit, factor)| format!("{}{unit}", bytes / factor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("60s"), Some(Duration::from_secs(60)));
        assert_eq!(duration("10m"), Some(Duration::from_secs(600)));
        assert_eq!(duration("1h 30m"), Some(Duration::from_secs(5400)));
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        for wrong in ["", "60", "-5s", "ten seconds", "PT10S", "5 parsecs"] {
            assert_eq!(duration(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn sizes_with_and_without_unit() {
        assert_eq!(size("256MiB"), Some(256 << 20));
        assert_eq!(size("1 GB"), Some(1_000_000_000));
        assert_eq!(size("512"), Some(512));
        for wrong in ["", "MiB", "-1", "1.5GiB", "99999999TiB", "12 apples"] {
            assert_eq!(size(wrong), None, "{wrong:?}");
        }
        assert_eq!(show_size(1 << 30), "1GiB");
        assert_eq!(show_size(1000), "1000B");
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read_again(bytes: u64, millis in 0_u64..10_000_000_000) {
            prop_assert_eq!(size(&show_size(bytes)), Some(bytes));
            let time = Duration::from_millis(millis);
            prop_assert_eq!(duration(&show_duration(time)), Some(time));
        }
    }
}
