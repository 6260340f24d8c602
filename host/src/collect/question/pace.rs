//! When to look again whether a question is answered, and when to stop looking.
//!
//! Every poll is a request, and every moment between the end and its discovery is a stolen slot. So polls are set where the
//! end is expected: by how long the question took in earlier runs, and by how far it has come.

use std::time::Duration;

/// A question is complete when so many of the endpoints answered: the platform's own default.
const COMPLETE: f64 = 0.99;
/// When to look for the first time at a question that was never asked before.
const FIRST: f64 = 0.5;
/// The share of the known duration after which to look for the first time.
const FIRST_OF_KNOWN: f64 = 0.9;
/// The longest step, as a part of the time so far: while few answered, and when nearly all did.
const FAR: f64 = 2.0;
const NEAR: f64 = 0.1;
const SHORTEST: f64 = 0.25;
/// So much later than estimated: it costs less than another poll.
const MARGIN: f64 = 0.05;
/// What is remembered of a question that was complete at the first look, as a part of the time until then: the next run
/// looks earlier.
const EARLIER: f64 = 0.9;
/// Polls without a change after which a question that has answers enough is taken as it is.
const STILL: u32 = 3;
/// How long a question with too few answers may stand still.
const PATIENCE: f64 = 30.0;
/// How long a question may stand still that nobody answered yet: the first answers take longest.
const PATIENCE_FOR_THE_FIRST: f64 = 60.0;
/// How long the server may not know of any endpoint that is to answer. It does not know at first; after a while it is
/// sure that there is none.
const PATIENCE_FOR_NOBODY: f64 = 10.0;
/// The shape of the progress: 1 is steady; the larger, the faster answers come at first. Corrected by what is known
/// and what is seen.
const SHAPE: f64 = 2.0;
const SHAPES: (f64, f64) = (1.0, 6.0);

/// How far a question has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Endpoints that answered.
    pub(super) answered: u64,
    /// Endpoints that are expected to answer; 0 while the server does not know.
    pub(super) expected: u64,
}

impl Progress {
    /// The share of endpoints that answered; `None` while it is unknown. More may answer than were expected.
    pub(super) fn share(self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
        (self.expected > 0).then(|| (self.answered as f64 / self.expected as f64).min(1.0))
    }
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Next {
    /// All that will answer did.
    Complete,
    /// Nothing has changed for a while.
    Still,
    /// Look again after this time.
    Wait(Duration),
}

/// The pace of one question.
#[derive(Debug)]
pub(super) struct Pace {
    known: Option<f64>,
    enough: f64,
    last: Option<Look>,
    /// When the end was expected after the last look.
    end: Option<f64>,
    shape: f64,
    still: u32,
    still_since: f64,
}

#[derive(Clone, Copy, Debug)]
struct Look {
    at: f64,
    progress: Progress,
}

impl Pace {
    /// A question that took `known` in earlier runs, and needs answers of at least the share `enough`.
    pub(super) fn new(known: Option<f64>, enough: f64) -> Self {
        let known = known.filter(|known| known.is_finite() && *known > 0.0);
        Self { known, enough, last: None, end: None, shape: SHAPE, still: 0, still_since: 0.0 }
    }

    /// When to look for the first time after asking.
    pub(super) fn first(&self) -> Duration {
        seconds(self.known.map_or(FIRST, |known| (FIRST_OF_KNOWN * known).max(SHORTEST)))
    }

    /// What a look after so many seconds means.
    pub(super) fn looked(&mut self, at: Duration, progress: Progress) -> Next {
        let look = Look { at: at.as_secs_f64(), progress };
        let share = progress.share();
        if share.is_some_and(|share| share >= COMPLETE.max(self.enough)) {
            return Next::Complete;
        }
        let before = self.last.replace(look);
        if before.is_some_and(|before| before.progress == progress) {
            return self.unchanged(look, share);
        }
        self.still = 0;
        self.still_since = look.at;
        Next::Wait(seconds(self.step(look, share, before)))
    }

    /// Nothing changed: looks rarer, and gives up after a while.
    fn unchanged(&mut self, look: Look, share: Option<f64>) -> Next {
        self.still += 1;
        let patience = match share {
            Some(share) if share >= self.enough => 0.0,
            Some(share) if share > 0.0 => PATIENCE,
            Some(_) => PATIENCE_FOR_THE_FIRST,
            None => PATIENCE_FOR_NOBODY,
        };
        if self.still >= STILL && look.at - self.still_since >= patience {
            return Next::Still;
        }
        Next::Wait(seconds(f64::from(1 << self.still.min(3)).min(0.25 * look.at).max(2.0 * SHORTEST)))
    }

    /// Until the expected end, but never for long without a look.
    fn step(&mut self, look: Look, share: Option<f64>, before: Option<Look>) -> f64 {
        let Some(share) = share.filter(|share| *share > 0.0) else { return (0.25 * look.at).clamp(0.5, 5.0) };
        let longest = (look.at * (FAR - (FAR - NEAR) * share * share)).clamp(2.0 * SHORTEST, 10.0);
        let seen = before.filter(|before| before.progress.expected == look.progress.expected);
        self.shape = self.fitting(look.at, share, seen);
        // Solved for the moment when the answers are complete: share = 1 - (1 - at/end)^shape.
        let end = look.at * reached(COMPLETE, self.shape) / reached(share, self.shape);
        self.end = Some(end);
        (end - look.at + MARGIN).clamp(SHORTEST, longest)
    }

    /// The shape that goes through both looks; after the first one, the shape with which the question ends when it
    /// ended in earlier runs, as far as there is one.
    fn fitting(&self, at: f64, share: f64, before: Option<Look>) -> f64 {
        let earlier = before.and_then(|before| Some((before.at, before.progress.share()?)));
        match (earlier.filter(|(_, earlier)| *earlier > 0.0 && *earlier < share), self.known) {
            (Some(earlier), _) => shape_through(earlier, (at, share)),
            (None, Some(known)) if known > at => shape_through((at, share), (known, COMPLETE)),
            _ => self.shape,
        }
    }

    /// How long the question took, as the looks tell: the last one saw that it had ended, not when.
    pub(super) fn took(&self, at: Duration, next: Next) -> f64 {
        let at = at.as_secs_f64();
        match (next, self.last, self.end) {
            (Next::Complete, None, _) => EARLIER * at,
            (Next::Complete, Some(last), Some(end)) => end.clamp(last.at, at),
            (Next::Complete, Some(last), None) => f64::midpoint(last.at, at),
            (Next::Still, ..) => self.still_since,
            (Next::Wait(_), ..) => at,
        }
    }
}

/// The shape of the progress that goes through two looks, each a time and the share that was there.
fn shape_through(earlier: (f64, f64), later: (f64, f64)) -> f64 {
    let end = |(at, share): (f64, f64), shape: f64| at / reached(share, shape);
    let (mut low, mut high) = SHAPES;
    for _ in 0..20 {
        let shape = f64::midpoint(low, high);
        // A larger shape moves the end that the earlier look shows further out than the one of the later look.
        if end(earlier, shape) < end(later, shape) {
            low = shape;
        } else {
            high = shape;
        }
    }
    f64::midpoint(low, high)
}

/// The part of its time after which a question has reached a share of its answers.
fn reached(share: f64, shape: f64) -> f64 {
    1.0 - (1.0 - share).powf(1.0 / shape)
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(pace: &mut Pace, at: f64, answered: u64, expected: u64) -> Next {
        pace.looked(seconds(at), Progress { answered, expected })
    }

    fn wait(next: Next) -> f64 {
        match next {
            Next::Wait(time) => time.as_secs_f64(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_question_is_complete_at_99_percent_or_beyond() {
        for (answered, expected) in [(990, 1000), (1000, 1000), (1077, 1073)] {
            assert_eq!(look(&mut Pace::new(None, 0.95), 3.0, answered, expected), Next::Complete);
        }
        wait(look(&mut Pace::new(None, 0.95), 3.0, 989, 1000));
        wait(look(&mut Pace::new(None, 1.0), 3.0, 995, 1000));
    }

    #[test]
    fn an_unknown_total_is_no_division_and_soon_nobody() {
        let mut pace = Pace::new(None, 0.95);
        for at in [0.5, 1.0, 1.5, 2.0, 10.0] {
            wait(look(&mut pace, at, 0, 0));
        }
        assert_eq!(look(&mut pace, 11.0, 0, 0), Next::Still);

        let mut pace = Pace::new(None, 0.95);
        for at in [0.5, 2.0, 5.0, 9.0] {
            wait(look(&mut pace, at, 0, 0));
        }
        // Then the server knows them, and waiting begins anew.
        for at in [10.0, 20.0, 40.0, 65.0] {
            wait(look(&mut pace, at, 0, 1000));
        }
        assert_eq!(look(&mut pace, 70.0, 0, 1000), Next::Still);
    }

    #[test]
    fn a_question_that_stands_still_is_left_sooner_when_it_has_answers_enough() {
        let mut pace = Pace::new(None, 0.95);
        let mut waits = vec![wait(look(&mut pace, 20.0, 970, 1000))];
        for at in [21.0, 23.0] {
            waits.push(wait(look(&mut pace, at, 970, 1000)));
        }
        assert_eq!(look(&mut pace, 26.0, 970, 1000), Next::Still);
        assert!(waits[1] < waits[2], "{waits:?}");

        let mut pace = Pace::new(None, 0.95);
        let mut at = 20.0;
        let mut polls = 0;
        while let Next::Wait(time) = look(&mut pace, at, 620, 1000) {
            at += time.as_secs_f64();
            polls += 1;
        }
        assert!((49.0..65.0).contains(&at) && polls < 12, "{at} s, {polls} polls");
        let mut pace = Pace::new(None, 0.95);
        look(&mut pace, 20.0, 970, 1000);
        look(&mut pace, 21.0, 970, 1000);
        look(&mut pace, 22.0, 970, 1000);
        wait(look(&mut pace, 23.0, 971, 1000));
    }

    #[test]
    fn the_step_shrinks_near_the_expected_end() {
        let mut pace = Pace::new(None, 0.95);
        let (end, shape) = (8.0_f64, 2.7);
        let mut at = pace.first().as_secs_f64();
        let mut steps = Vec::new();
        loop {
            let share = if at >= end { 1.0 } else { 0.98 * (1.0 - (1.0 - at / end).powf(shape)) };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let Next::Wait(time) = look(&mut pace, at, (share * 1e4) as u64, 10_000) else { break };
            steps.push(time.as_secs_f64());
            at += time.as_secs_f64();
        }
        assert!(at - end < 0.12 * end && steps.len() <= 6, "{at}: {steps:?}");
        assert!(steps[steps.len() - 1] < 0.5 * steps.iter().copied().fold(0.0, f64::max), "{steps:?}");
    }

    #[test]
    fn what_is_known_sets_the_first_look() {
        let first = |known| Pace::new(Some(known), 0.95).first().as_secs_f64();
        assert!((8.5..10.0).contains(&first(10.0)));
        assert!((0.3..0.8).contains(&Pace::new(None, 0.95).first().as_secs_f64()));
        assert!((0.3..0.8).contains(&first(0.0)), "nothing is known of a question that took no time");
    }
}
