//! A million endpoints, and what they cost.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use tancheck_lab::Lab;

/// Memory of this process that is in use right now, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Reads a chunked body and hands over its parts without keeping them.
fn stream(lab: &Lab, path: &str, mut each: impl FnMut(&[u8])) {
    let mut socket = TcpStream::connect(lab.url().trim_start_matches("http://")).unwrap();
    write!(
        socket,
        "GET {path} HTTP/1.1\r\nhost: lab\r\nsession: {}\r\nconnection: close\r\n\r\n",
        lab.token()
    )
    .unwrap();
    let mut reader = BufReader::with_capacity(1 << 16, socket);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0);
    }
    let mut buffer = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let length = usize::from_str_radix(line.trim(), 16).unwrap();
        if length == 0 {
            return;
        }
        buffer.resize(length, 0);
        reader.read_exact(&mut buffer).unwrap();
        each(&buffer);
        reader.read_line(&mut line).unwrap();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_million_rows_of_client_status_take_no_memory() {
    let lab = Lab::builder().endpoints(1_000_000).start().unwrap();
    let before = resident();
    let (mut bytes, mut highest, mut end) = (0usize, before, Vec::new());
    stream(&lab, "/api/v2/system_status", |part| {
        if bytes / (32 << 20) != (bytes + part.len()) / (32 << 20) {
            highest = highest.max(resident());
        }
        bytes += part.len();
        end = part[part.len().saturating_sub(1000)..].to_vec();
    });
    let end = String::from_utf8(end).unwrap();
    assert!(end.contains("\"page_row_count\":1000000") && end.ends_with("}]}"), "{end}");
    assert!(bytes > 250_000_000, "{bytes}");
    assert!(
        highest - before < 32 << 20,
        "grew by {} MiB while {} MiB were sent",
        (highest - before) >> 20,
        bytes >> 20
    );
}
