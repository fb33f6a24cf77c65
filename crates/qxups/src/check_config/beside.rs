//! `qxups.toml`, as the server reads it.

use serve::extras;
use station::config::LineFinding;
use std::path::Path;

/// What was found in it.
pub struct CheckedExtras {
    /// Where it is.
    pub file: String,
    /// What is wrong, by line.
    pub findings: Vec<LineFinding>,
}

impl CheckedExtras {
    /// Checks what stands in the file.
    pub fn of(file: &Path, text: &[u8]) -> CheckedExtras {
        CheckedExtras {
            file: file.display().to_string(),
            findings: extras::parse(text).err().unwrap_or_default(),
        }
    }

    /// Whether the server takes it.
    pub fn works(&self) -> bool {
        self.findings.is_empty()
    }
}
