//! Measurements that need a process of their own: this program again, with other arguments.

use super::{Document, Failure, answer, client, say};
use serde_json::Value;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::Command;
use tancheck::collect::tally;
use tancheck::collect::transport::Sink as _;

/// The first argument of such a process.
pub(crate) const ARGUMENT: &str = "__alone";

const CHUNK: usize = 64 << 10;
const ROWS: u64 = 10_000;

/// Instructions for each byte of a result set.
pub(crate) struct Instructions {
    /// To the answer, while it is read.
    pub(crate) read: f64,
    /// To the answer, by way of a `serde_json::Value`.
    pub(crate) document: f64,
}

/// What the process does.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["memory", url] => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let set = runtime.block_on(answer(&client()?, url))?;
            black_box(set);
            let status = std::fs::read_to_string("/proc/self/status")?;
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
            say(peak.trim().trim_end_matches(" kB"));
        }
        [way] => {
            let body = body();
            match *way {
                "nothing" => drop(black_box(body)),
                "read" => {
                    let mut sink = tally::sink();
                    body.chunks(CHUNK).try_for_each(|chunk| sink.feed(chunk))?;
                    assert_eq!(black_box(tally::finish(sink)?).tally.valued(), ROWS);
                }
                _ => assert_eq!(black_box(counted(&body)?).values().sum::<u64>(), ROWS),
            }
        }
        _ => return Err("unknown arguments".into()),
    }
    Ok(())
}

fn body() -> Vec<u8> {
    let (mut body, mut buffer) = (Vec::new(), Vec::new());
    let mut document = Document::new(ROWS);
    while document.fill(&mut buffer, CHUNK) {
        body.extend_from_slice(&buffer);
    }
    body
}

/// The way most scripts go: the whole document first, then a loop.
fn counted(body: &[u8]) -> Result<BTreeMap<Vec<String>, u64>, Failure> {
    let document: Value = serde_json::from_slice(body)?;
    let mut counts: BTreeMap<Vec<String>, u64> = BTreeMap::new();
    for row in document["data"]["result_sets"][0]["rows"].as_array().into_iter().flatten() {
        let text = |column: usize| row["data"][column][0]["text"].as_str().unwrap_or_default().to_owned();
        *counts.entry((2..5).map(text).collect()).or_default() += 1;
    }
    Ok(counts)
}

/// Counts instructions; `None` where there is no valgrind.
pub(crate) fn instructions() -> Result<Option<Instructions>, Failure> {
    let bytes = body().len();
    let (Some(nothing), Some(read), Some(document)) = (count("nothing")?, count("read")?, count("document")?)
    else {
        return Ok(None);
    };
    #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 52 bits")]
    let each = |count: u64| count.saturating_sub(nothing) as f64 / bytes as f64;
    Ok(Some(Instructions { read: each(read), document: each(document) }))
}

fn count(way: &str) -> Result<Option<u64>, Failure> {
    let program = std::env::current_exe()?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program).args([ARGUMENT, way]);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("valgrind failed: {said}").into());
    }
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    let collected = collected.and_then(|(_, count)| count.trim().parse().ok());
    collected.map(Some).ok_or_else(|| format!("valgrind counted nothing: {said}").into())
}

/// The largest resident set, in KiB, of a process that reads a result set.
pub(crate) fn memory(url: &str) -> Result<f64, Failure> {
    let output = Command::new(std::env::current_exe()?).args([ARGUMENT, "memory", url]).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim()
        .parse()
        .map_err(|_| format!("no memory in {said:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
}
