//! The lab as a program: prints its URL and serves until Ctrl-C.

use clap::Parser;
use jiff::Timestamp;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tancheck_lab::{Behaviour, Builder, Lab, faults};

/// A simulated Tanium deployment that speaks the real API.
#[derive(Debug, Parser)]
#[command(name = "tancheck-lab", version, about)]
struct Arguments {
    /// How many endpoints there are (10 to 1000000)
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..=1_000_000))]
    endpoints: u64,
    /// The same seed, time and faults give the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The lab's time, which then stands still; without it the lab runs with the machine's clock
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// How long every answer takes
    #[arg(long, default_value_t = 0, value_name = "MS")]
    latency_ms: u64,
    /// How long questions take
    #[arg(long, default_value = "2000..8000", value_parser = range, value_name = "FROM..TO")]
    question_ms: RangeInclusive<u64>,
    /// One in so many endpoints answers with a special cell (0 for none)
    #[arg(long, default_value_t = 1000, value_name = "ENDPOINTS")]
    special_cells_every: u64,
    /// How many endpoints are Client Containers
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    client_containers: u64,
    /// Puts faults into the deployment
    #[arg(long, num_args = 1.., value_name = "NAME")]
    fault: Vec<String>,
    /// Lists all faults and the checks that should find them
    #[arg(long)]
    list_faults: bool,
    /// Makes a route misbehave, for example '/api/v2/users=status:503'
    #[arg(long, value_parser = behaviour, value_name = "PATTERN=BEHAVIOUR")]
    behaviour: Vec<(String, Behaviour)>,
    /// Serves HTTPS and writes the authority's certificate to this file
    #[arg(long, value_name = "PATH")]
    tls_ca_file: Option<PathBuf>,
    /// Writes the API token to this file
    #[arg(long, value_name = "PATH")]
    token_file: Option<PathBuf>,
    /// Writes the URL to this file, last of all: once it is there, the lab is ready
    #[arg(long, value_name = "PATH")]
    url_file: Option<PathBuf>,
    /// Writes the listeners of Direct Connect to this file: name:port=address:port, one a line
    #[arg(long, value_name = "PATH")]
    listeners_file: Option<PathBuf>,
    /// Writes the export files of the deployment into this folder
    #[arg(long, value_name = "DIR")]
    exports: Option<PathBuf>,
}

fn range(text: &str) -> Result<RangeInclusive<u64>, String> {
    let number = |part: &str| {
        part.trim()
            .parse::<u64>()
            .map_err(|_| format!("expected two numbers like 2000..8000, found '{text}'"))
    };
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let (from, to) = (number(from)?, number(to)?);
    if from <= to { Ok(from..=to) } else { Err(format!("expected the smaller number first, found '{text}'")) }
}

fn behaviour(text: &str) -> Result<(String, Behaviour), String> {
    let (pattern, behaviour) =
        text.rsplit_once('=').ok_or_else(|| format!("expected PATTERN=BEHAVIOUR, found '{text}'"))?;
    Ok((
        pattern.to_owned(),
        behaviour.parse().map_err(|error: tancheck_lab::BehaviourError| error.to_string())?,
    ))
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _unwritable = writeln!(io::stderr(), "tancheck-lab: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    if arguments.list_faults {
        return Ok(list_faults()?);
    }
    let lab = describe(&arguments).start()?;
    if let Some(path) = &arguments.tls_ca_file {
        lab.write_authority(path)?;
    }
    if let Some(folder) = &arguments.exports {
        lab.write_exports(folder)?;
    }
    if let Some(path) = &arguments.token_file {
        write(path, lab.token(), 0o600)?;
    }
    if let Some(path) = &arguments.listeners_file {
        let lines = lab.listeners().into_iter().map(|(name, address)| format!("{name}={address}"));
        write(path, &lines.collect::<Vec<_>>().join("\n"), 0o644)?;
    }
    if let Some(path) = &arguments.url_file {
        write(path, &lab.url(), 0o644)?;
    }
    writeln!(io::stdout(), "{}", lab.url())?;
    io::stdout().flush()?;
    wait_for_signal()?;
    drop(lab);
    Ok(())
}

fn describe(arguments: &Arguments) -> Builder {
    let mut builder = Lab::builder()
        .endpoints(arguments.endpoints)
        .seed(arguments.seed)
        .listen(arguments.listen)
        .latency(Duration::from_millis(arguments.latency_ms))
        .question_ms(arguments.question_ms.clone())
        .special_cells_every(arguments.special_cells_every)
        .client_containers(arguments.client_containers);
    builder = match arguments.now {
        Some(now) => builder.now(now),
        None => builder.now(Timestamp::now()).ticking(),
    };
    if arguments.tls_ca_file.is_some() {
        builder = builder.tls();
    }
    for fault in &arguments.fault {
        builder = builder.fault(fault);
    }
    for (pattern, behaviour) in &arguments.behaviour {
        builder = builder.behaviour(pattern, behaviour.clone());
    }
    builder
}

fn list_faults() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for fault in faults::ALL.iter() {
        writeln!(out, "{}: {}", fault.name, fault.about)?;
        for check in fault.breaks {
            writeln!(out, "    {check}")?;
        }
    }
    Ok(())
}

/// Written beside and renamed, so that a reader never sees half a file.
fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _only_on_unix = mode;
    writeln!(options.open(&beside)?, "{text}")?;
    fs::rename(&beside, path)
}

fn wait_for_signal() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c())
}
