//! How cheap reading a result set is, as ratios within one run: against collecting its body, against building a document of
//! it, and a million rows against ten thousand. An absolute time would say more of the machine than of the code.

#[path = "../rows/mod.rs"]
mod rows;

mod alone;
mod pairs;
mod server;

use pairs::Pairs;
use rows::Document;
use server::Server;
use std::io::Write as _;
use std::process::ExitCode;
use tancheck::collect::tally::{self, ResultSet};
use tancheck::collect::transport::Sink as _;

/// What became of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    Fail,
    /// The machine was too noisy, or a tool is missing: neither proven nor disproven.
    Inconclusive,
}

/// One measured ratio and its gate.
struct Gate {
    what: &'static str,
    measured: String,
    limit: &'static str,
    verdict: Verdict,
}

/// Rows of a large answer: more than [`FRESH`] bytes.
const LARGE: u64 = 250_000;
/// So much memory in one piece the allocator of glibc always takes from the system, and gives back at once. Below, it is
/// left to chance whether a body is collected in memory that an earlier one warmed, which takes a third of the time;
/// who reads one large answer has no earlier one.
const FRESH: usize = 32 << 20;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some(alone::ARGUMENT) => alone::run(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        _ => bench(),
    };
    done.unwrap_or_else(|error| {
        say(&format!("the benchmark could not run: {error}"));
        ExitCode::from(2)
    })
}

fn bench() -> Result<ExitCode, Failure> {
    let server = Server::start()?;
    let gates = [reading_and_collecting(&server)?, instructions()?, memory(&server)?];
    for gate in &gates {
        let verdict = match gate.verdict {
            Verdict::Pass => "ok",
            Verdict::Fail => "FAILED",
            Verdict::Inconclusive => "inconclusive",
        };
        say(&format!("{:<58} {:>9}   limit {:<8} {verdict}", gate.what, gate.measured, gate.limit));
    }
    Ok(ExitCode::from(u8::from(gates.iter().any(|gate| gate.verdict == Verdict::Fail))))
}

/// The answer of a body over loopback takes no more processor time than collecting that body.
fn reading_and_collecting(server: &Server) -> Result<Gate, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = client()?;
    let url = server.url(LARGE);
    let collect = || {
        let body = runtime.block_on(async { client.get(&url).send().await?.bytes().await });
        body.map(|body| assert!(body.len() > FRESH)).expect("the loopback server answers");
    };
    let read = || {
        let set = runtime.block_on(answer(&client, &url)).expect("the loopback server answers");
        assert_eq!(set.tally.valued(), LARGE);
    };
    let pairs = Pairs::measure(&collect, &read);
    let verdict = match pairs {
        Pairs { control, .. } if (control - 1.0).abs() > 0.05 => Verdict::Inconclusive,
        Pairs { ratio, .. } if ratio <= 1.0 => Verdict::Pass,
        _ => Verdict::Fail,
    };
    say(&format!("A/A control of the next ratio: {:.3}", pairs.control));
    Ok(Gate {
        what: "processor time: reading to the answer / collecting the body",
        measured: format!("{:.2}", pairs.ratio),
        limit: "<= 1.0",
        verdict,
    })
}

/// A document takes twenty times the instructions, counted by callgrind.
fn instructions() -> Result<Gate, Failure> {
    let what = "instructions: serde_json::Value / reading to the answer";
    let limit = ">= 20";
    let Some(counts) = alone::instructions()? else {
        let measured = "no valgrind".to_owned();
        return Ok(Gate { what, measured, limit, verdict: Verdict::Inconclusive });
    };
    let ratio = counts.document / counts.read;
    say(&format!(
        "instructions for each byte: {:.2} read, {:.1} as a document",
        counts.read, counts.document
    ));
    let verdict = if ratio >= 20.0 { Verdict::Pass } else { Verdict::Fail };
    Ok(Gate { what, measured: format!("{ratio:.1}"), limit, verdict })
}

/// A million rows take the memory of ten thousand, transport included.
fn memory(server: &Server) -> Result<Gate, Failure> {
    let (few, many) = (alone::memory(&server.url(10_000))?, alone::memory(&server.url(1_000_000))?);
    let ratio = many / few;
    say(&format!(
        "resident set: {:.1} MiB for 10,000 rows, {:.1} MiB for 1,000,000",
        few / 1024.0,
        many / 1024.0
    ));
    let verdict = if ratio <= 1.05 { Verdict::Pass } else { Verdict::Fail };
    let what = "resident set: 1,000,000 rows / 10,000 rows";
    Ok(Gate { what, measured: format!("{ratio:.2}"), limit: "<= 1.05", verdict })
}

fn client() -> Result<reqwest::Client, Failure> {
    // Fails only if one was installed before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

/// Reads a result set while it arrives.
async fn answer(client: &reqwest::Client, url: &str) -> Result<ResultSet, Failure> {
    let mut response = client.get(url).send().await?;
    let mut sink = tally::sink();
    while let Some(chunk) = response.chunk().await? {
        sink.feed(&chunk)?;
    }
    Ok(tally::finish(sink)?)
}

fn say(line: &str) {
    // A closed output is no reason to stop measuring.
    let _ = writeln!(std::io::stdout(), "{line}");
}
