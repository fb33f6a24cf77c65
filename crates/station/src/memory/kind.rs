//! What a memory is of, and the version of its text.
//!
//! The first line of every memory is its head and a number, in all versions, so an older program can tell that a newer one
//! wrote it, and leaves it alone. The table of all such files is in `docs/packaging.md`.

use std::fmt;

/// What a memory is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryKind {
    /// What was measured of a battery.
    Battery,
    /// The dialect that was found.
    Dialect,
    /// To which UPS `reset_to_default` was written.
    Reset,
    /// Which USB device is open.
    Usb,
    /// Whose loads are switched off at the end of a shutdown.
    PowerDown,
}

impl MemoryKind {
    /// All of them.
    pub const ALL: [MemoryKind; 5] =
        [MemoryKind::Battery, MemoryKind::Dialect, MemoryKind::Reset, MemoryKind::Usb, MemoryKind::PowerDown];

    /// The first line of its text, without the number.
    pub const fn head(self) -> &'static str {
        match self {
            MemoryKind::Battery => "qxups battery ",
            MemoryKind::Dialect => "qxups-dialect ",
            MemoryKind::Reset => "qxups-reset ",
            MemoryKind::Usb => "qxups-usb ",
            MemoryKind::PowerDown => "qxups-powerdown ",
        }
    }

    /// The version that this program writes; it reads this one and all before.
    pub const fn version(self) -> u32 {
        match self {
            MemoryKind::Battery => 2,
            MemoryKind::Dialect | MemoryKind::Reset | MemoryKind::Usb | MemoryKind::PowerDown => 1,
        }
    }

    /// Whether a loss of power may cost it: then the disk is not waited for, and the text has to show by itself that it is
    /// whole.
    pub(super) const fn is_light(self) -> bool {
        !matches!(self, MemoryKind::Battery)
    }

    /// Whether the head is put before the text here. Who makes the text of the others writes it.
    pub(super) const fn gets_its_head_here(self) -> bool {
        matches!(self, MemoryKind::Reset | MemoryKind::Usb)
    }

    /// Which version the beginning of a text says. None where it says none.
    pub(super) fn version_in(self, text: &[u8]) -> Option<u32> {
        let line = text.strip_prefix(self.head().as_bytes())?.split(|byte| *byte == b'\n').next()?;
        let number = std::str::from_utf8(line).ok().filter(|number| !number.is_empty())?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().unwrap_or(u32::MAX))
    }
}

/// A newer program wrote a memory, so this one neither reads nor writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewerMemory {
    /// What it is of.
    pub kind: MemoryKind,
    /// The version of the file.
    pub version: u32,
}

impl fmt::Display for NewerMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (version, known) = (self.version, self.kind.version());
        write!(
            f,
            "a newer qxups wrote it (version {version}, this one knows {known}), so it is neither read nor changed: install that one again, or move the file away and restart"
        )
    }
}

impl std::error::Error for NewerMemory {}
