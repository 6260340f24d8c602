//! A result set with one row for each of any number of machines, made while it is read: never all of it is in memory.

use std::io::Write as _;

/// The bytes of a result set, piece by piece.
pub(crate) struct Document {
    rows: u64,
    next: u64,
    /// Written, but not yet handed out.
    ready: Vec<u8>,
    ended: bool,
}

const STATES: [&str; 4] = ["Optimal", "Optimal", "Needs Attention", "Unsupported"];
const REASONS: [&str; 3] =
    ["Client is healthy", "Neustart nötig: größere Änderung", "Disk space is below the limit"];
const VERSIONS: [&str; 3] = ["7.4.9.1062", "7.4.10.1034", "7.6.2.1218"];
/// Longer than any row.
const ROW: usize = 512;

impl Document {
    /// A result set of so many rows.
    pub(crate) fn new(rows: u64) -> Self {
        let column = |(name, hash): (&str, u64)| format!(r#"{{"hash":{hash},"name":"{name}","type":1}}"#);
        let columns = [
            ("Computer Name", 3_409_330_187),
            ("Computer ID", 3_556_221_173),
            ("Coverage Status", 11),
            ("Coverage Reason", 12),
            ("Tanium Client Version", 435_957_060),
        ];
        let head = format!(
            r#"{{"data":{{"max_available_age":"","now":"2026/01/19 16:42:30 GMT-0000","result_sets":[{{"age":0,"columns":[{}],"estimated_total":{rows},"mr_tested":{rows},"question_id":17,"row_count":{rows},"rows":["#,
            columns.map(column).join(",")
        );
        Self { rows, next: 0, ready: head.into_bytes(), ended: false }
    }

    /// Replaces the buffer's content by the next bytes, at most `size`; `false` after the last.
    pub(crate) fn fill(&mut self, buffer: &mut Vec<u8>, size: usize) -> bool {
        self.ready.reserve((size + ROW).saturating_sub(self.ready.len()));
        while self.ready.len() < size && !self.ended {
            if self.next < self.rows {
                self.row();
                self.next += 1;
            } else {
                self.ready.extend_from_slice(br#"],"saved_question_id":0,"seconds_since_issued":3}]}}"#);
                self.ended = true;
            }
        }
        let end = size.min(self.ready.len());
        buffer.clear();
        buffer.extend_from_slice(&self.ready[..end]);
        self.ready.drain(..end);
        end > 0
    }

    fn row(&mut self) {
        let number = self.next;
        let separator = if number == 0 { "" } else { "," };
        // Neighbours differ in everything, and the same number always gives the same row.
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let pick =
            |texts: &[&'static str], by: u64| texts[usize::try_from(mixed / by).unwrap_or(0) % texts.len()];
        let escaped = if number % 331 == 7 { "\\\"" } else { "" };
        let (state, reason, version) = (pick(&STATES, 7), pick(&REASONS, 31), pick(&VERSIONS, 131));
        write!(
            self.ready,
            r#"{separator}{{"cid":{mixed},"data":[[{{"text":"host-{number:07}{escaped}.example.com"}}],[{{"text":"{mixed}"}}],[{{"text":"{state}"}}],[{{"text":"{reason}"}}],[{{"text":"{version}"}}]]}}"#
        )
        .expect("writing to a vector cannot fail");
    }
}
