//! Walking through hundreds of things: several at a time, on several sites, where they cannot be taken for one another.

use crate::site::Site;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many sites one walk has. They wait for one another's processor more than for the lab.
const SITES: usize = 3;
/// How many things one run tries at most: when something is wrong, they are tried again in halves.
const AT_ONCE: usize = 16;

/// Puts things into batches, so that none is together with one that it could be taken for.
pub(crate) fn batches<T: Copy>(things: &[T], confused: impl Fn(&T, &T) -> bool) -> Vec<Vec<T>> {
    let mut batches: Vec<Vec<T>> = Vec::new();
    for thing in things {
        let fits =
            |batch: &&mut Vec<T>| batch.len() < AT_ONCE && !batch.iter().any(|other| confused(thing, other));
        match batches.iter_mut().find(fits) {
            Some(batch) => batch.push(*thing),
            None => batches.push(vec![*thing]),
        }
    }
    batches
}

/// Tries each batch, and gathers what was wrong with single things.
pub(crate) fn walk<T: Copy + Sync>(
    batches: &[Vec<T>],
    attempt: impl Fn(&Site, &[T]) -> Vec<String> + Sync,
) -> Vec<String> {
    println!("{} things in {} runs", batches.iter().map(Vec::len).sum::<usize>(), batches.len());
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SITES.min(batches.len()) {
            scope.spawn(|| {
                let site = Site::with_history();
                while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = culprits(&site, batch, &attempt);
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    wrong
}

/// What is wrong with a batch; what is wrong only together is nobody's fault.
fn culprits<T: Copy>(site: &Site, batch: &[T], attempt: &impl Fn(&Site, &[T]) -> Vec<String>) -> Vec<String> {
    let found = attempt(site, batch);
    if found.is_empty() || batch.len() == 1 {
        return found;
    }
    let (one, other) = batch.split_at(batch.len() / 2);
    [one, other].into_iter().flat_map(|half| culprits(site, half, attempt)).collect()
}

#[test]
fn what_is_confused_is_apart() {
    let things: Vec<u32> = (0..40).collect();
    let batches = batches(&things, |one, other| one % 3 == other % 3);
    assert_eq!(batches.len(), 14);
    assert_eq!(batches.concat().len(), 40);
    assert!(batches.iter().all(|batch| batch.len() <= 3));
}
