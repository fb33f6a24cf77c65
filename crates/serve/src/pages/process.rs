//! What the system says of this process (proc(5)).

use web::view::ProcessView;

/// Ticks of a second in `/proc`: USER_HZ, 100 in every build of Linux but for Alpha and IA-64.
const TICKS: f64 = 100.0;

/// The process now; none where `/proc` is not there.
pub(super) fn view() -> Option<ProcessView> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // the name in brackets may have blanks
    let (_, behind) = stat.rsplit_once(')')?;
    let field = |number: usize| behind.split_whitespace().nth(number - 3)?.parse::<u32>().ok();
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let resident_kb: u64 = resident.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(ProcessView {
        resident_bytes: resident_kb.saturating_mul(1024),
        cpu_s: (f64::from(field(14)?) + f64::from(field(15)?)) / TICKS,
        open_files: std::fs::read_dir("/proc/self/fd").ok()?.count().try_into().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_takes_some_of_everything() {
        let view = view().unwrap();
        assert!(view.resident_bytes > 500_000 && view.resident_bytes < 1 << 34, "{view:?}");
        assert!(view.cpu_s >= 0.0 && view.cpu_s < 1e6 && (3..10_000).contains(&view.open_files), "{view:?}");
    }
}
