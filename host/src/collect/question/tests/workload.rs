//! How near a run comes to the least time that it can take.

use super::*;
use futures_util::future::join_all;

const SLOTS: usize = 4;
const SECONDS: [f64; 10] = [2.0, 2.3, 2.9, 3.4, 4.1, 4.7, 5.5, 6.2, 7.1, 8.0];

/// A check's chain of calls: `None` is a plain call, a number the seconds of a question.
type Chain = Vec<Option<f64>>;

fn chains(random: &mut fastrand::Rng) -> Vec<Chain> {
    let call = |random: &mut fastrand::Rng| random.bool().then(|| SECONDS[random.usize(..SECONDS.len())]);
    (0..40 * 4).map(|_| (0..random.usize(1..=3)).map(|_| call(random)).collect()).collect()
}

/// No run can be shorter: the server runs so many questions at a time, and a chain's questions one after the other.
fn bound(chains: &[Chain]) -> f64 {
    let work = |chain: &Chain| chain.iter().flatten().sum::<f64>();
    let all: f64 = chains.iter().map(work).sum();
    chains.iter().map(work).fold(all / SLOTS as f64, f64::max)
}

struct Measured {
    ratio: f64,
    polls: f64,
}

async fn run(seed: u64, history: bool) -> Measured {
    let mut random = fastrand::Rng::with_seed(seed);
    let chains = chains(&mut random);
    let mut server = Server::default();
    let mut jobs = Vec::new();
    for (number, chain) in chains.iter().enumerate() {
        let mut calls = Vec::new();
        for (place, call) in chain.iter().enumerate() {
            let text = format!("Get Sensor {number} {place} from all machines");
            if let Some(seconds) = *call {
                let shape = 1.2 + 2.0 * random.f64();
                server = server.knows(&text, Script { shape, ..Script::taking(seconds) });
            }
            // Durations of the last run are right within 15 %.
            let expected = call.map(|seconds| seconds * (0.85 + 0.3 * random.f64()));
            calls.push((text, expected));
        }
        jobs.push(calls);
    }
    let limits = Limits { questions_in_flight: SLOTS, ..Limits::default() };
    let schedule = Schedule::new(&limits);
    let begin = Instant::now();
    let polls = join_all(jobs.iter().map(|calls| job(&server, &schedule, calls, history))).await;
    let questions = chains.iter().flatten().flatten().count();
    assert!(*server.most_running.lock().unwrap() <= SLOTS);
    Measured {
        ratio: begin.elapsed().as_secs_f64() / bound(&chains),
        polls: f64::from(polls.iter().sum::<u32>()) / questions as f64,
    }
}

async fn job(server: &Server, schedule: &Schedule, calls: &[(String, Option<f64>)], history: bool) -> u32 {
    let mut polls = 0;
    for (place, (text, expected)) in calls.iter().enumerate() {
        let Some(expected) = expected else {
            let _permit = schedule.calls.enter(Rank::chain(Duration::ZERO)).await;
            sleep(REST).await;
            continue;
        };
        let rest = calls[place..].iter().filter_map(|(_, seconds)| *seconds);
        let chain: f64 = if history { rest.sum() } else { rest.map(|_| 5.0).sum() };
        let turn = Turn {
            schedule,
            expected: history.then(|| Duration::from_secs_f64(*expected)),
            chain: Duration::from_secs_f64(chain),
        };
        polls += ask(server, &question(text), &terms(), &turn).await.unwrap().polls;
    }
    polls
}

async fn worst(history: bool) -> Measured {
    let mut worst = Measured { ratio: 0.0, polls: 0.0 };
    for seed in 1..=15 {
        let measured = run(seed, history).await;
        worst.ratio = worst.ratio.max(measured.ratio);
        worst.polls = worst.polls.max(measured.polls);
    }
    println!("history {history}: {:.3} of the bound, {:.2} polls a question", worst.ratio, worst.polls);
    worst
}

#[tokio::test(start_paused = true)]
async fn a_run_with_history_comes_within_a_tenth_of_the_bound() {
    let worst = worst(true).await;
    assert!(worst.ratio <= 1.10 && worst.polls <= 5.0, "{:.3}, {:.2} polls", worst.ratio, worst.polls);
}

#[tokio::test(start_paused = true)]
async fn a_first_run_comes_within_a_tenth_of_the_bound() {
    let worst = worst(false).await;
    assert!(worst.ratio <= 1.10 && worst.polls <= 5.0, "{:.3}, {:.2} polls", worst.ratio, worst.polls);
}
