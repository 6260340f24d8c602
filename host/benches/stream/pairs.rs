//! Ratios of processor time that a noisy machine cannot bend: pairs in turn, and a control beside them.

use rustix::time::{ClockId, clock_gettime};

/// Pairs that are measured; the median of an odd number is one of them.
const PAIRS: usize = 15;

/// What was measured.
pub(crate) struct Pairs {
    /// The second's time, divided by the first's.
    pub(crate) ratio: f64,
    /// The first's time, divided by the first's: 1, on a machine that is quiet enough.
    pub(crate) control: f64,
}

impl Pairs {
    /// Runs both in turn, the order flipped with each pair.
    pub(crate) fn measure(first: &dyn Fn(), second: &dyn Fn()) -> Self {
        first();
        second();
        let (mut ratios, mut controls) = (Vec::new(), Vec::new());
        for pair in 0..PAIRS {
            let (one, other, again) = if pair % 2 == 0 {
                let one = time(first);
                (one, time(second), time(first))
            } else {
                let again = time(first);
                let other = time(second);
                (time(first), other, again)
            };
            // What stands before and after the second is compared to the second, and to itself.
            ratios.push(2.0 * other / (one + again));
            controls.push(again / one);
        }
        Self { ratio: median(ratios), control: median(controls) }
    }
}

/// Processor time of this thread, in seconds.
fn time(run: &dyn Fn()) -> f64 {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 52 bits")]
        let seconds = time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9;
        seconds
    };
    let begin = now();
    run();
    now() - begin
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
