//! Reading a million rows takes the memory of ten thousand, and no allocation for a row. Counted, not timed.

#[path = "../benches/rows/mod.rs"]
mod rows;

use rows::Document;
use tancheck::collect::tally::{self, ResultSet};
use tancheck::collect::transport::Sink as _;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const CHUNK: usize = 64 << 10;

struct Used {
    set: ResultSet,
    /// The most bytes that were in use at the same time, beyond what was in use before.
    peak: usize,
    allocations: u64,
}

fn read(rows: u64) -> Used {
    let profiler = dhat::Profiler::builder().testing().build();
    let mut document = Document::new(rows);
    let mut buffer = Vec::with_capacity(CHUNK);
    let mut sink = tally::sink();
    while document.fill(&mut buffer, CHUNK) {
        sink.feed(&buffer).expect("rows");
    }
    let set = tally::finish(sink).expect("a result set");
    let stats = dhat::HeapStats::get();
    drop(profiler);
    Used { set, peak: stats.max_bytes, allocations: stats.total_blocks }
}

#[test]
fn a_million_rows_take_the_memory_of_ten_thousand() {
    let few = read(10_000);
    let many = read(1_000_000);
    for (used, rows) in [(&few, 10_000), (&many, 1_000_000)] {
        assert_eq!(used.set.rows, rows);
        assert_eq!(used.set.tally.valued(), rows, "every machine is counted");
        assert_eq!((used.set.tally.rows.len(), used.set.tally.other), (27, 0));
        assert!(used.set.tally.rows.iter().all(|row| row.sample.len() == tally::SAMPLE_NAMES));
    }
    println!(
        "peak {} and {} bytes, allocations {} and {}",
        few.peak, many.peak, few.allocations, many.allocations
    );
    assert!(
        many.peak * 100 <= few.peak * 105,
        "{} bytes for 1,000,000 rows, {} for 10,000",
        many.peak,
        few.peak
    );
    // Names with an escape are read by `serde_json`, which allocates; 3 in 1000 are.
    let further = many.allocations - few.allocations;
    assert!(further <= 19_800, "{further} allocations for 990,000 further rows");
}
