//! Cache paging: a list is frozen on the server, read page by page, and ends in a `cache_info` element.

use crate::clock;
use crate::random;
use crate::state::State;
use crate::wire::options::field_of;
use crate::wire::{Answer, Call, Options, Refusal, Reply};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// What is behind a `cache_id`: the state as it was, so that later pages fit the first one.
#[derive(Clone)]
pub(crate) struct Frozen {
    pub(crate) state: Arc<State>,
    pub(crate) options: Options,
    owner: u64,
    path: String,
    expires: Timestamp,
    lasts: SignedDuration,
}

/// All caches of the server.
#[derive(Default)]
pub(crate) struct Caches {
    held: Mutex<(u64, HashMap<u64, Frozen>)>,
}

/// A page of a list, ready to be written.
pub(crate) struct Page {
    pub(crate) state: Arc<State>,
    /// Filters and sorting of the request that made the cache.
    pub(crate) options: Options,
    pub(crate) start: usize,
    pub(crate) count: Option<usize>,
    pub(crate) id: u64,
    pub(crate) expires: Timestamp,
}

impl Page {
    /// The trailing element.
    pub(crate) fn info(&self, shown: usize, filtered: usize, all: usize) -> Value {
        json!({
            "cache_id": self.id,
            "cache_row_count": all,
            "expiration": clock::iso(self.expires),
            "filtered_row_count": filtered,
            "page_row_count": shown,
        })
    }

    /// The rows of this page out of so many.
    pub(crate) fn range(&self, rows: usize) -> std::ops::Range<usize> {
        let start = self.start.min(rows);
        // The documents ignore row_start where row_count is missing.
        match self.count {
            None => 0..rows,
            Some(count) => start..start.saturating_add(count).min(rows),
        }
    }
}

impl Caches {
    /// Opens the cache that the request names, or makes one. A cache belongs to the user who made it; one that is
    /// gone, foreign or of another route is refused (the error's name is the lab's choice, none is documented).
    pub(crate) fn page(&self, call: &Call<'_>) -> Result<Page, Refusal> {
        let mut held = self.held.lock().expect("the lock is never held across a panic");
        let lasts = SignedDuration::from_secs(call.options.cache_expiration.unwrap_or(60).clamp(0, 600));
        let (id, frozen) = match call.options.cache_id {
            Some(id) => {
                let known = held.1.get_mut(&id).filter(|frozen| {
                    frozen.owner == call.caller.user && frozen.path == call.path && frozen.expires > call.now
                });
                let Some(frozen) = known else {
                    return Err(Refusal::new(404, format!("CacheNotFound: no cache {id} for this request")));
                };
                frozen.expires = call.now + frozen.lasts;
                (id, frozen.clone())
            }
            None => {
                held.0 += 1;
                let id = random::draw(call.state.setup.seed, "cache", held.0) >> 32;
                let frozen = Frozen {
                    state: Arc::clone(&call.state),
                    options: call.options.clone(),
                    owner: call.caller.user,
                    path: call.path.clone(),
                    expires: call.now + lasts,
                    lasts,
                };
                if call.options.cache_expiration.is_some_and(|seconds| seconds > 0) {
                    held.1.insert(id, frozen.clone());
                }
                (id, frozen)
            }
        };
        Ok(Page {
            state: frozen.state,
            options: frozen.options,
            start: call.options.row_start,
            count: call.options.row_count,
            id,
            expires: frozen.expires,
        })
    }
}

/// Answers a list that supports caching: filtered, sorted, cut to the page, closed by `cache_info`.
pub(crate) fn list(call: &Call<'_>, rows: impl FnOnce(&State) -> Vec<Value>) -> Answer {
    let page = call.core.caches.page(call)?;
    let all = rows(&page.state);
    let total = all.len();
    let mut kept: Vec<Value> = all
        .into_iter()
        .filter(|row| {
            page.options.cache_filters.iter().all(|filter| filter.passes(&|path| field_of(row, path)))
        })
        .collect();
    for sort in page.options.cache_sort_fields.iter().rev() {
        kept.sort_by(|a, b| {
            let order = compare(a.get(&sort.name), b.get(&sort.name));
            if sort.descending { order.reverse() } else { order }
        });
    }
    let filtered = kept.len();
    let range = page.range(filtered);
    let mut shown: Vec<Value> = kept.drain(range).collect();
    let count = shown.len();
    shown.push(page.info(count, filtered, total));
    Ok(Reply::data(shown))
}

fn compare(a: Option<&Value>, b: Option<&Value>) -> std::cmp::Ordering {
    match (a.and_then(Value::as_f64), b.and_then(Value::as_f64)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => {
            let text = |v: Option<&Value>| v.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
            text(a).cmp(&text(b))
        }
    }
}
