//! In which order questions go, so that the last of them ends early.
//!
//! The longest first is good, and with few questions up to a sixth longer than need be: the last ones begin when the server has
//! nothing else to do. Durations of earlier runs tell better orders. One is looked for by trying: the run is simulated,
//! two turns are exchanged, and what is no worse stays; at first also what is a little worse, or the search would end at
//! the first order that is better than all around it.

use std::cmp::Reverse;
use std::mem;
use std::time::Duration;

/// Seconds between the end of a question and the look that sees it and frees its place.
const SEEN: f64 = 0.1;
/// Seconds from then until those that follow it can be posted.
const READ: f64 = 0.05;
/// How many exchanges are tried.
const TRIES: u32 = 2000;
/// What an exchange may make worse at first, as a part of the best that could be; ever less until the last one.
const STEP_BACK: f64 = 0.02;
/// With more questions, the longest first is within a few hundredths of the best, and trying takes long.
const MOST: usize = 50;
/// Seconds by which weights differ that would be alike.
const ALIKE: f64 = 1e-6;
/// So near to what no order can be faster than is near enough.
const NEAR: f64 = 1.003;

/// A question that will be asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Job {
    /// How long the server takes.
    pub(super) seconds: f64,
    /// Questions that follow its answer, all at the same time: how long each takes.
    pub(super) follows: Vec<f64>,
    /// How long the longest chain of other requests takes that waits for all of them.
    pub(super) behind: f64,
}

impl Job {
    /// How long the longest chain takes that follows its answer.
    fn after(&self) -> f64 {
        self.follows.iter().copied().fold(0.0, f64::max) + self.behind
    }
}

/// How much a question matters, in seconds of expected chain: the larger goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Weight {
    /// The question itself.
    pub(super) own: f64,
    /// Those that follow its answer.
    pub(super) follows: f64,
}

impl Weight {
    /// The expected chain of the question.
    pub(super) fn chain(self) -> Duration {
        Duration::try_from_secs_f64(self.own).unwrap_or_default()
    }

    /// The expected chain of those that follow its answer.
    pub(super) fn chain_of_follows(self) -> Duration {
        Duration::try_from_secs_f64(self.follows).unwrap_or_default()
    }
}

/// The weights of questions on a server that runs so many at a time.
pub(super) fn weights(jobs: &[Job], slots: usize) -> Vec<Weight> {
    #[expect(clippy::cast_precision_loss, reason = "few questions")]
    let chain = |(index, job): (usize, &Job)| {
        // No two weigh the same: to exchange equals would change nothing.
        let follows = job.after() - ALIKE * index as f64;
        Weight { own: job.seconds + follows, follows }
    };
    let mut order: Vec<Weight> = jobs.iter().enumerate().map(chain).collect();
    if jobs.len() > MOST || jobs.is_empty() {
        return order;
    }
    let follows = jobs.iter().enumerate().filter(|(_, job)| !job.follows.is_empty());
    let turns = (0..jobs.len()).map(|job| (job, true)).chain(follows.map(|(job, _)| (job, false)));
    let turns: Vec<(usize, bool)> = turns.collect();
    let bound = bound(jobs, slots);
    let mut end = makespan(jobs, &order, slots);
    let (mut best, mut least) = (order.clone(), end);
    // The same facts give the same order.
    let mut random = fastrand::Rng::with_seed(1);
    for left in (0..TRIES).rev() {
        if least <= NEAR * bound {
            break;
        }
        let mut tried = order.clone();
        let [one, other] = [(); 2].map(|()| turns[random.usize(..turns.len())]);
        let was = *turn(&mut tried, one);
        *turn(&mut tried, one) = mem::replace(turn(&mut tried, other), was);
        let makespan = makespan(jobs, &tried, slots);
        if makespan <= end + STEP_BACK * bound * f64::from(left) / f64::from(TRIES) {
            (order, end) = (tried, makespan);
        }
        if end < least {
            (best, least) = (order.clone(), end);
        }
    }
    best
}

/// The turn of a job: its own, or that of its follow-ups.
fn turn(weights: &mut [Weight], (job, is_own): (usize, bool)) -> &mut f64 {
    if is_own { &mut weights[job].own } else { &mut weights[job].follows }
}

/// What no order can be faster than.
fn bound(jobs: &[Job], slots: usize) -> f64 {
    let all = jobs.iter().flat_map(|job| [job.seconds].into_iter().chain(job.follows.iter().copied()));
    let work: f64 = all.map(|seconds| seconds + SEEN).sum();
    #[expect(clippy::cast_precision_loss, reason = "few questions")]
    let work = work / slots.max(1) as f64;
    jobs.iter().map(|job| job.seconds + job.after()).fold(work, f64::max)
}

/// A question that may be posted from a moment on.
#[derive(Clone, Copy)]
struct Ready {
    from: f64,
    weight: f64,
    seconds: f64,
    /// The job whose own question it is; none for a follow-up.
    job: Option<usize>,
    behind: f64,
}

/// When everything has ended, if whoever weighs most of those that are ready gets the next free place.
fn makespan(jobs: &[Job], weights: &[Weight], slots: usize) -> f64 {
    let own = |(index, job): (usize, &Job)| Ready {
        from: 0.0,
        weight: weights[index].own,
        seconds: job.seconds,
        job: Some(index),
        behind: if job.follows.is_empty() { job.behind } else { 0.0 },
    };
    let mut waiting: Vec<Ready> = jobs.iter().enumerate().map(own).collect();
    let mut free = vec![0.0_f64; slots.max(1)];
    let mut end = 0.0_f64;
    while !waiting.is_empty() {
        let place =
            (0..free.len()).min_by(|&one, &other| free[one].total_cmp(&free[other])).unwrap_or_default();
        let soonest = waiting.iter().map(|ready| ready.from).fold(f64::INFINITY, f64::min);
        let now = free[place].max(soonest);
        let heaviest = (0..waiting.len())
            .filter(|&index| waiting[index].from <= now)
            .max_by(|&one, &other| {
                waiting[one].weight.total_cmp(&waiting[other].weight).then(Reverse(one).cmp(&Reverse(other)))
            })
            .unwrap_or_default();
        let next = waiting.remove(heaviest);
        free[place] = now + next.seconds + SEEN;
        end = end.max(free[place] + next.behind);
        let Some(job) = next.job else { continue };
        waiting.extend(jobs[job].follows.iter().map(|&seconds| Ready {
            from: free[place] + READ,
            weight: weights[job].follows,
            seconds,
            job: None,
            behind: jobs[job].behind,
        }));
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(seconds: &[f64]) -> Vec<Job> {
        seconds.iter().map(|&seconds| Job { seconds, ..Job::default() }).collect()
    }

    fn ratio(jobs: &[Job], slots: usize) -> f64 {
        makespan(jobs, &weights(jobs, slots), slots) / bound(jobs, slots)
    }

    #[test]
    fn few_questions_end_together() {
        // The longest first takes 1.167 of the bound: the thirteenth begins alone.
        let seconds = [7.46, 6.87, 6.85, 6.7, 5.03, 5.01, 4.89, 4.28, 3.94, 3.9, 3.87, 3.74, 3.73];
        assert!(ratio(&alone(&seconds), 4) < 1.05, "{}", ratio(&alone(&seconds), 4));
        assert!(ratio(&alone(&[3.0, 3.0, 2.0, 2.0, 2.0]), 2) < 1.01);
    }

    #[test]
    fn what_much_waits_for_goes_first() {
        let mut jobs = alone(&[4.0, 4.0, 2.0]);
        jobs[2].follows = vec![5.0; 3];
        let best = weights(&jobs, 2);
        assert!(best[2].own > best[0].own.min(best[1].own), "{best:?}");
        assert!(ratio(&jobs, 2) < 1.13, "{}", ratio(&jobs, 2));
        let mut jobs = alone(&[4.0, 2.0]);
        jobs[1].behind = 30.0;
        let best = weights(&jobs, 1);
        assert!(best[1].own > best[0].own, "{best:?}");
    }

    #[test]
    fn follow_ups_come_after_their_question() {
        let mut jobs = alone(&[2.0]);
        jobs[0].follows = vec![3.0; 2];
        assert!((makespan(&jobs, &weights(&jobs, 1), 1) - (8.0 + 3.0 * SEEN + READ)).abs() < 1e-9);
        assert!((makespan(&jobs, &weights(&jobs, 2), 2) - (5.0 + 2.0 * SEEN + READ)).abs() < 1e-9);
    }

    /// Taken for as long as the longest of its own, the second follow-up would be planned with two seconds that nobody
    /// needs, and everything would end at 1.09 of the bound.
    #[test]
    fn each_follow_up_takes_its_own_time() {
        let mut jobs = alone(&[6.22, 5.57, 5.40, 4.32, 4.99, 4.19, 5.57, 4.53, 4.19, 4.07]);
        jobs[0].follows = vec![6.98, 4.6];
        jobs[1].follows = vec![7.98];
        assert!(ratio(&jobs, 4) < 1.03, "{}", ratio(&jobs, 4));
        let exactly = jobs.clone();
        jobs[0].follows = vec![6.98; 2];
        let planned = weights(&jobs, 4);
        assert!(makespan(&exactly, &planned, 4) > makespan(&exactly, &weights(&exactly, 4), 4));
    }

    #[test]
    fn nothing_and_very_much_are_fine() {
        assert!(weights(&[], 4).is_empty());
        let many = alone(&vec![3.0; MOST + 1]);
        assert_eq!(weights(&many, 0)[0], Weight { own: 3.0, follows: 0.0 });
        assert!(weights(&many, 0)[MOST].own > 2.99);
    }

    #[test]
    fn the_same_facts_give_the_same_order() {
        let jobs = alone(&[7.46, 6.87, 6.85, 6.7, 5.03, 5.01, 4.89, 4.28]);
        assert_eq!(weights(&jobs, 3), weights(&jobs, 3));
    }
}
