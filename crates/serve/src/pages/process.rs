//! What the system says of this process (proc(5)).

use nix::unistd::{SysconfVar, sysconf};
use web::view::ProcessView;

/// The process now; none where `/proc` is not there.
pub(super) fn view() -> Option<ProcessView> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // the name in brackets may have blanks
    let (_, behind) = stat.rsplit_once(')')?;
    let field = |number: usize| behind.split_whitespace().nth(number - 3)?.parse::<u64>().ok();
    let per_second = positive(SysconfVar::CLK_TCK)?;
    let ticks = field(14)?.saturating_add(field(15)?);
    Some(ProcessView {
        resident_bytes: field(24)?.saturating_mul(positive(SysconfVar::PAGE_SIZE)?),
        // exact for a hundred million years of ticks
        #[allow(clippy::cast_precision_loss)]
        cpu_s: ticks as f64 / per_second as f64,
        open_files: std::fs::read_dir("/proc/self/fd").ok()?.count().try_into().ok()?,
    })
}

fn positive(name: SysconfVar) -> Option<u64> {
    sysconf(name).ok()??.try_into().ok().filter(|value| *value > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_takes_some_of_everything() {
        let busy: u64 = (0..5_000_000u64).fold(0, |sum, next| sum ^ next.wrapping_mul(31));
        let view = view().unwrap();
        assert!(busy != 1 && view.resident_bytes > 500_000 && view.resident_bytes < 1 << 34, "{view:?}");
        assert!(view.cpu_s >= 0.0 && view.cpu_s < 1e6 && (3..10_000).contains(&view.open_files), "{view:?}");
    }
}
