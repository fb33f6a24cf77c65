//! What was needed to start is given back to the system.
//!
//! A driver waits nearly always, and most of what it touched at its start (finding the dialect, reading
//! `ups.conf`) it does not need again: pages of its program and libraries that are mapped, and memory that was
//! freed and kept by the allocator. Neither is lost: a page of a file is mapped again when it is needed.

use std::time::Duration;

/// So long after the first data the start is over.
pub const AFTER: Duration = Duration::from_secs(6);

/// Gives back what is not needed. What the system does not allow stays as it is.
pub fn give_back() {
    system::unmap_clean_pages();
    system::trim_heap();
}

/// Gives back pages of the program that are mapped: those that are needed are mapped again as they are used.
pub fn give_back_files() {
    system::unmap_clean_pages();
}

/// Gives back what was freed and is kept by the allocator.
pub fn give_back_heap() {
    system::trim_heap();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod system {
    use nix::libc::c_void;
    use nix::sys::mman::{MmapAdvise, madvise};
    use std::ptr::NonNull;

    pub fn trim_heap() {
        // SAFETY: it takes the allocator's own locks, and touches nothing that is in use
        #[allow(unsafe_code)]
        unsafe {
            nix::libc::malloc_trim(0);
        }
    }

    /// Pages that differ from their file are never touched: a mapping that has any is left alone.
    pub fn unmap_clean_pages() {
        let Ok(smaps) = std::fs::read_to_string("/proc/self/smaps") else { return };
        for (start, length) in super::clean_files(&smaps) {
            let Some(start) = NonNull::new(std::ptr::without_provenance_mut::<c_void>(start)) else {
                continue;
            };
            // SAFETY: of a private mapping of a file that cannot be written to, all of whose pages are those of the
            // file, the same bytes are there again at the next access
            #[allow(unsafe_code)]
            let _ = unsafe { madvise(start, length, MmapAdvise::MADV_DONTNEED) };
        }
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod system {
    pub fn trim_heap() {}
    pub fn unmap_clean_pages() {}
}

/// Of `/proc/self/smaps` the beginning and the length of each private mapping of a file that cannot be written
/// to and has no page of its own, neither in memory nor in swap.
#[cfg_attr(not(all(target_os = "linux", target_env = "gnu")), allow(dead_code))]
fn clean_files(smaps: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = vec![];
    let (mut candidate, mut clean) = (None, false);
    for line in smaps.lines() {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [range, flags, _, _, inode, ref path @ ..] if range.contains('-') && !range.ends_with(':') => {
                clean = false;
                candidate = parse_range(range).filter(|_| {
                    let is_file = inode != "0" && path.first().is_some_and(|path| path.starts_with('/'));
                    let is_gone = path.last() == Some(&"(deleted)");
                    matches!(flags, "r--p" | "r-xp") && is_file && !is_gone
                });
            }
            ["Anonymous:", size, "kB"] => clean = size == "0",
            // pages of its own that are in swap count there only
            ["Swap:", "0", "kB"] if clean => found.extend(candidate.take()),
            ["Swap:", ..] => candidate = None,
            _ => {}
        }
    }
    found
}

fn parse_range(range: &str) -> Option<(usize, usize)> {
    let (start, end) = range.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?;
    let end = usize::from_str_radix(end, 16).ok()?;
    Some((start, end.checked_sub(start).filter(|length| *length > 0)?))
}

#[cfg(test)]
mod tests {
    use super::{clean_files, give_back};

    #[test]
    fn only_clean_pages_of_files_are_given_back() {
        let swapped = |head: &str, anonymous: &str, swap: &str| {
            format!(
                "{head}\nSize: 8 kB\nRss: 8 kB\nAnonymous:  {anonymous} kB\nSwap: {swap} kB\nVmFlags: rd mr\n"
            )
        };
        let mapping = |head: &str, anonymous: &str| swapped(head, anonymous, "0");
        let smaps = [
            mapping("1000-3000 r-xp 00000000 fe:00 12 /lib/nut/nutdrv_qx", "0"),
            // pages of its own: relocations, a breakpoint
            mapping("3000-5000 r--p 00002000 fe:00 12 /lib/nut/nutdrv_qx", "8"),
            mapping("5000-6000 rw-p 00004000 fe:00 12 /lib/nut/nutdrv_qx", "0"),
            mapping("6000-7000 r--s 00000000 fe:00 13 /usr/share/locale", "0"),
            mapping("7000-8000 r--p 00000000 00:00 0 [vvar]", "0"),
            mapping("8000-9000 rwxp 00000000 fe:00 14 /lib/jit", "0"),
            mapping("9000-a000 r--p 00000000 00:00 0", "0"),
            mapping("a000-c000 r--p 00000000 fe:00 15 /lib/libc.so.6", "0"),
            mapping("c000-d000 r-xp 00000000 fe:00 16 /lib/nut/nutdrv_qx (deleted)", "0"),
            "e000-f000 r-xp 00000000 fe:00 17 /lib/cut\nSize: 4 kB\nAnonymous: 0 kB\n".into(),
            // its relocations are in swap
            swapped("f000-11000 r--p 00000000 fe:00 18 /lib/libgcc_s.so.1", "0", "8"),
        ];
        assert_eq!(clean_files(&smaps.concat()), [(0x1000, 0x2000), (0xa000, 0x2000)]);
        for nonsense in [
            "",
            "-",
            "x-y r-xp 0 0 1 /a\nAnonymous: 0 kB\nSwap: 0 kB",
            "9-8 r-xp 0 0 1 /a\nAnonymous: 0 kB\nSwap: 0 kB",
        ] {
            assert!(clean_files(nonsense).is_empty(), "{nonsense}");
        }
    }

    #[test]
    fn a_program_goes_on_after_it() {
        let before: Vec<String> = (0..1000).map(|n| format!("{n}")).collect();
        give_back();
        assert_eq!(before.iter().map(String::len).sum::<usize>(), 2890);
    }
}
