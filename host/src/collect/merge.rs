//! One request for one need: identical requests of a run are sent once, and their answer is shared.

use super::fetched::Fetched;
use super::transport::Problem;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

type Cell = Arc<OnceCell<Result<Arc<Fetched>, Problem>>>;

/// The answers of a run that somebody may still need.
#[derive(Debug, Default)]
pub(super) struct Merge(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    /// How many inputs may still use a request, by its key, or by its kind: its key before variables are filled in.
    users: HashMap<String, usize>,
    /// Answers by key, with the key or kind whose last user they are kept for.
    cells: HashMap<String, (String, Cell)>,
}

impl Merge {
    /// An input may send this request, or requests of this kind.
    pub(super) fn expect(&self, request: &str) {
        *self.held().users.entry(request.to_owned()).or_default() += 1;
    }

    /// An input is settled: answers that nobody else can need are dropped.
    pub(super) fn release(&self, request: &str) {
        let mut held = self.held();
        let left = held.users.get_mut(request).map_or(0, |users| {
            *users = users.saturating_sub(1);
            *users
        });
        if left == 0 {
            held.users.remove(request);
            held.cells.retain(|_, (owner, _)| owner != request);
        }
    }

    /// The answer to a request: `fetch` runs unless it ran already; the flag tells whether it did so here.
    pub(super) async fn once(
        &self,
        kind: &str,
        key: &str,
        fetch: impl Future<Output = Result<Fetched, Problem>>,
    ) -> (Result<Arc<Fetched>, Problem>, bool) {
        let Some(cell) = self.cell(kind, key) else { return (fetch.await.map(Arc::new), true) };
        let mut here = false;
        let answer = cell
            .get_or_init(|| async {
                here = true;
                fetch.await.map(Arc::new)
            })
            .await;
        (answer.clone(), here)
    }

    /// The shared place of an answer; none where only one input can ask for it, which then owns it.
    fn cell(&self, kind: &str, key: &str) -> Option<Cell> {
        let mut held = self.held();
        if let Some((_, cell)) = held.cells.get(key) {
            return Some(Arc::clone(cell));
        }
        let owner =
            [key, kind].into_iter().find(|name| held.users.get(*name).is_some_and(|&users| users > 1))?;
        let cell = Cell::default();
        held.cells.insert(key.to_owned(), (owner.to_owned(), Arc::clone(&cell)));
        Some(cell)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fetched::Data;
    use super::*;
    use serde_json::json;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn answer() -> Fetched {
        Fetched::whole(Data::Document(json!(1)))
    }

    #[tokio::test]
    async fn a_shared_request_runs_once_and_is_forgotten_after_its_last_user() {
        let merge = Merge::default();
        let runs = AtomicU32::new(0);
        let fetch = || async {
            runs.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(answer())
        };
        merge.expect("k");
        merge.expect("k");
        let (first, second) = tokio::join!(merge.once("k", "k", fetch()), merge.once("k", "k", fetch()));
        assert_eq!((first.1, second.1), (true, false));
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        merge.release("k");
        assert!(!merge.once("k", "k", fetch()).await.1, "another user is left");
        merge.release("k");
        assert!(merge.held().cells.is_empty());
    }

    #[tokio::test]
    async fn the_only_user_owns_the_answer() {
        let merge = Merge::default();
        merge.expect("k");
        let (answer, here) = merge.once("k", "k", async { Ok(answer()) }).await;
        assert!(here && Arc::try_unwrap(answer.unwrap()).is_ok());
    }

    #[tokio::test]
    async fn a_user_who_goes_away_leaves_the_work_to_the_next() {
        let merge = Merge::default();
        merge.expect("k");
        merge.expect("k");
        let never = merge.once("k", "k", std::future::pending());
        assert!(tokio::time::timeout(std::time::Duration::from_millis(5), never).await.is_err());
        assert!(merge.once("k", "k", async { Ok(answer()) }).await.1);
    }
}
