//! A stretch of the calendar that is looked back on: a week, a month, a quarter, half a year, a year.

use jiff::Span;
use jiff::civil::{Date, ISOWeekDate, Weekday};
use std::fmt;

/// A stretch of days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// How it is called.
    pub name: String,
    /// Its first day.
    pub from: Date,
    /// Its last day.
    pub to: Date,
}

impl Period {
    /// The quarter that a day lies in.
    #[must_use]
    pub fn quarter_of(date: Date) -> Self {
        let quarter = (date.month() - 1) / 3;
        Self::months(format!("{}-Q{}", date.year(), quarter + 1), date.year(), quarter * 3 + 1, 3)
            .expect("the quarter of a date is there")
    }

    /// Reads `2026`, `2026-H1`, `2026-Q3`, `2026-07` or `2026-W27`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let name = text.trim().to_ascii_uppercase();
        let Some((year, part)) = name.split_once('-') else {
            return Self::months(name.clone(), year(&name)?, 1, 12);
        };
        let year = self::year(year)?;
        let number = |rest: &str| rest.parse::<i8>().ok();
        match part.split_at_checked(1)? {
            ("Q", rest) => {
                let quarter = number(rest).filter(|quarter| (1..=4).contains(quarter))?;
                Self::months(name.clone(), year, quarter * 3 - 2, 3)
            }
            ("H", rest) => {
                let half = number(rest).filter(|half| (1..=2).contains(half))?;
                Self::months(name.clone(), year, half * 6 - 5, 6)
            }
            ("W", rest) => {
                let monday = ISOWeekDate::new(year, number(rest)?, Weekday::Monday).ok()?.date();
                let to = monday.checked_add(Span::new().days(6)).ok()?;
                Some(Self { name: name.clone(), from: monday, to })
            }
            _ => Self::months(name.clone(), year, number(part)?, 1),
        }
    }

    fn months(name: String, year: i16, month: i8, count: i32) -> Option<Self> {
        let from = Date::new(year, month, 1).ok()?;
        let to = from.checked_add(Span::new().months(count)).ok()?.yesterday().ok()?;
        Some(Self { name, from, to })
    }

    /// What can be read.
    pub const FORMS: &str =
        "a year, half, quarter, month or week, such as 2026, 2026-H1, 2026-Q3, 2026-07 or 2026-W27";
}

fn year(text: &str) -> Option<i16> {
    text.parse().ok().filter(|year| (1970..=9000).contains(year))
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(text: &str) -> Option<String> {
        Period::read(text).map(|period| format!("{}..{}", period.from, period.to))
    }

    #[test]
    fn periods_are_those_of_the_calendar() {
        let cases = [
            ("2026", "2026-01-01..2026-12-31"),
            ("2026-h2", "2026-07-01..2026-12-31"),
            ("2026-Q3", "2026-07-01..2026-09-30"),
            ("2028-02", "2028-02-01..2028-02-29"),
            ("2026-W01", "2025-12-29..2026-01-04"),
            ("2026-W53", "2026-12-28..2027-01-03"),
        ];
        for (text, expected) in cases {
            assert_eq!(ends(text).as_deref(), Some(expected), "{text}");
        }
        for wrong in ["", "Q3", "2026-Q5", "2026-H0", "2026-13", "2025-W53", "2026-", "26-W", "2026-é"] {
            assert_eq!(ends(wrong), None, "{wrong}");
        }
        assert_eq!(Period::quarter_of("2026-12-31".parse().unwrap()), Period::read("2026-Q4").unwrap());
    }
}
