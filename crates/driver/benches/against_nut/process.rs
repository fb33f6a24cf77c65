//! What a process costs, as Linux tells it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Time that it spent on a processor, in nanoseconds.
pub fn cpu_ns(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

/// How often it went to sleep, and so was woken.
pub fn sleeps(pid: i32) -> u64 {
    number(&format!("/proc/{pid}/status"), "voluntary_ctxt_switches:")
}

/// One line of its memory, such as `Rss:`, in kB.
pub fn memory_kb(pid: i32, name: &str) -> u64 {
    number(&format!("/proc/{pid}/smaps_rollup"), name)
}

fn number(path: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(path).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

/// How many system calls it makes in that time; none without strace.
pub fn system_calls(pid: i32, time: Duration) -> Option<usize> {
    let output = Command::new("timeout")
        .args(["-s", "INT", &time.as_secs_f64().to_string(), "strace", "-f", "-qq", "-p", &pid.to_string()])
        .stdout(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let calls = text.lines().filter(|line| line.contains('(') && !line.contains("strace:")).count();
    (calls > 0).then_some(calls)
}

/// Size of a program and of the libraries that it loads, in kB.
pub fn size_kb(program: &Path) -> (f64, f64) {
    let output = Command::new("ldd").arg(program).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let libraries: BTreeSet<&str> =
        text.split_whitespace().filter(|word| word.starts_with('/') && word.contains("lib")).collect();
    let kb = |path: &Path| std::fs::metadata(path).map_or(0.0, |meta| meta.len() as f64 / 1024.0);
    let own = kb(program);
    (own, own + libraries.iter().map(|path| kb(Path::new(path))).sum::<f64>())
}
