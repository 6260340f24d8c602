//! Who may go next: a few questions and a few calls at a time, those with the longest way before them first.
//!
//! A run ends when its longest chain of requests ends; so what begins a long chain must not wait behind what is short.
//! Polls go before everything else: a question that is finished, but not seen to be, holds its slot for nothing.

use super::transport::Call;
use crate::config::Limits;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// A run begins with all its questions at once: so long they gather before the first of them go, or the order in which they
/// came would count more than their rank. Nothing to what a question takes.
const GATHERING: Duration = Duration::from_millis(5);

/// The windows of one deployment.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Questions that run on the server.
    pub questions: Window,
    /// Requests that are under way.
    pub calls: Window,
}

impl Schedule {
    /// Windows of the sizes that the site allows.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            questions: Window::new(limits.questions_in_flight, GATHERING),
            calls: Window::new(limits.calls_in_flight, Duration::ZERO),
        }
    }
}

/// How soon a waiting job may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(Duration);

impl Rank {
    /// A job whose chain of requests is expected to take so long from here on.
    #[must_use]
    pub const fn chain(expected: Duration) -> Self {
        Self(expected)
    }

    /// Before everything else.
    #[must_use]
    pub const fn now() -> Self {
        Self(Duration::MAX)
    }

    /// The rank of a call in a chain of this expected duration: polls go at once.
    #[must_use]
    pub fn of(call: &Call, chain: Duration) -> Self {
        if call.path.starts_with("/api/v2/result_info/") { Self::now() } else { Self::chain(chain) }
    }
}

/// Lets a number of jobs in at the same time, by rank, then in the order in which they came.
#[derive(Clone, Debug)]
pub struct Window {
    state: Arc<Mutex<State>>,
    gathering: Duration,
}

#[derive(Debug, Default)]
struct State {
    free: usize,
    waiting: BTreeMap<Ticket, oneshot::Sender<Permit>>,
    tickets: u64,
}

/// The highest rank first, then the lowest number.
type Ticket = (Reverse<Rank>, u64);

/// The right to be in a window, until it is dropped.
#[derive(Debug)]
#[must_use = "the place is free again as soon as this is dropped"]
pub struct Permit {
    window: Option<Window>,
}

impl Window {
    /// A window for so many jobs, at least one; who finds it open waits for others with a higher rank.
    #[must_use]
    pub fn new(size: usize, gathering: Duration) -> Self {
        let state = State { free: size.max(1), ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), gathering }
    }

    /// Waits for a place. Whoever stops waiting (by dropping the future) gives up their turn, and no place is lost.
    pub async fn enter(&self, rank: Rank) -> Permit {
        let (receiver, ticket) = {
            let mut state = self.lock();
            let (sender, receiver) = oneshot::channel();
            let ticket = (Reverse(rank), state.tickets);
            state.tickets += 1;
            state.waiting.insert(ticket, sender);
            (receiver, ticket)
        };
        let _turn = Turn { window: self, ticket };
        if !self.gathering.is_zero() {
            // A timer of no time at all would still take a tick. Whoever is granted a place meanwhile has it below.
            tokio::time::sleep(self.gathering).await;
        }
        self.grant();
        receiver.await.expect("the sender stays in `waiting`, which lives as long as `self`, until it sends")
    }

    /// Gives free places to the first of those who still wait.
    fn grant(&self) {
        loop {
            let sender = {
                let mut state = self.lock();
                if state.free == 0 {
                    return;
                }
                let Some((_, sender)) = state.waiting.pop_first() else { return };
                state.free -= 1;
                sender
            };
            if let Err(mut refused) = sender.send(Permit { window: Some(self.clone()) }) {
                refused.window = None;
                self.lock().free += 1;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(window) = self.window.take() {
            window.lock().free += 1;
            window.grant();
        }
    }
}

/// A turn that is forgotten when its owner stops waiting.
struct Turn<'a> {
    window: &'a Window,
    ticket: Ticket,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.window.lock().waiting.remove(&self.ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{sleep, timeout};

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// The order in which jobs of these expected seconds go through a window.
    async fn order(size: usize, jobs: &[u64]) -> Vec<usize> {
        let window = Window::new(size, Duration::ZERO);
        let done = Arc::new(Mutex::new(Vec::new()));
        let running = jobs.iter().enumerate().map(|(index, &length)| {
            let (window, done) = (window.clone(), done.clone());
            async move {
                let _permit = window.enter(Rank::chain(seconds(length))).await;
                done.lock().unwrap().push(index);
                sleep(seconds(1)).await;
            }
        });
        futures_util::future::join_all(running).await;
        Arc::try_unwrap(done).unwrap().into_inner().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_goes_first_and_equals_in_their_order() {
        assert_eq!(order(1, &[1, 5, 9, 5, 2]).await, [0, 2, 1, 3, 4]);
        assert_eq!(order(2, &[1, 1, 9, 3, 5, 9]).await, [0, 1, 2, 5, 4, 3]);
        assert_eq!(order(0, &[3, 4]).await, [0, 1], "a window of none lets one in");
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_at_the_same_time_goes_by_rank_where_others_are_waited_for() {
        let first = async |gathering| {
            let window = Window::new(1, gathering);
            let jobs = [2, 9, 5].map(|length| {
                let window = &window;
                Box::pin(async move {
                    let _permit = window.enter(Rank::chain(seconds(length))).await;
                    length
                })
            });
            futures_util::future::select_all(jobs).await.0
        };
        assert_eq!((first(Duration::ZERO).await, first(GATHERING).await), (2, 9));
    }

    #[tokio::test(start_paused = true)]
    async fn polls_do_not_wait_behind_long_chains() {
        let poll = Call::get("/api/v2/result_info/question/7");
        let read = Call::get("/api/v2/result_data/question/7");
        let window = Window::new(1, Duration::ZERO);
        let first = window.enter(Rank::now()).await;
        let waiting = async {
            let _permit = window.enter(Rank::of(&read, seconds(9999))).await;
            tokio::time::Instant::now()
        };
        let polling = async {
            let _permit = window.enter(Rank::of(&poll, seconds(1))).await;
            sleep(seconds(1)).await;
            tokio::time::Instant::now()
        };
        let release = async {
            sleep(seconds(1)).await;
            drop(first);
        };
        let (waited, polled, ()) = tokio::join!(waiting, polling, release);
        assert!(polled <= waited);
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waiting_takes_no_place() {
        let window = Window::new(1, Duration::ZERO);
        let first = window.enter(Rank::now()).await;
        for _ in 0..3 {
            timeout(seconds(1), window.enter(Rank::now())).await.expect_err("the window is full");
        }
        // One is granted the place, and is dropped before it could take it.
        let mut granted = Box::pin(window.enter(Rank::now()));
        timeout(Duration::ZERO, granted.as_mut()).await.expect_err("the window is full");
        drop(first);
        drop(granted);
        assert!(window.lock().waiting.is_empty());
        let _permit =
            timeout(seconds(1), window.enter(Rank::chain(seconds(0)))).await.expect("the place is free");
        assert_eq!(window.lock().free, 0);
    }
}
