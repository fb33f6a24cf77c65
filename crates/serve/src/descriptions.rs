//! What variables and commands are, in words: the file `cmdvartab` that NUT installs (NUT 2.8.0 server/desc.c).

use nut::words::lines;
use std::collections::HashMap;
use std::path::Path;

/// No such file is longer, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// The texts of `cmdvartab`, by names without capitals. Without the file there is none, and clients hear that a
/// description is unavailable.
#[derive(Debug, Default)]
pub(crate) struct Descriptions {
    variables: HashMap<String, String>,
    commands: HashMap<String, String>,
}

impl Descriptions {
    /// Reads the file in this folder.
    ///
    /// # Errors
    /// A sentence.
    pub fn read(folder: &Path) -> Result<Descriptions, String> {
        let path = folder.join("cmdvartab");
        let text = link::read_bounded(&path, LONGEST).map_err(|error| {
            format!("{}: {error}; variables and commands have no descriptions", path.display())
        })?;
        Ok(Descriptions::parse(&text))
    }

    fn parse(text: &[u8]) -> Descriptions {
        let mut descriptions = Descriptions::default();
        for words in lines(text).into_iter().filter_map(|line| line.words.ok()) {
            let [kind, name, text, ..] = words.as_slice() else { continue };
            let table = match kind.as_str() {
                "VARDESC" => &mut descriptions.variables,
                "CMDDESC" => &mut descriptions.commands,
                _ => continue,
            };
            table.insert(name.to_ascii_lowercase(), text.clone());
        }
        descriptions
    }

    /// Of a variable.
    pub fn of_variable(&self, name: &str) -> Option<&str> {
        self.variables.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// Of a command.
    pub fn of_command(&self, name: &str) -> Option<&str> {
        self.commands.get(&name.to_ascii_lowercase()).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_nut_s_file_are_read() {
        let text = b"# comment\nVARDESC device.model \"Device model\"\nCMDDESC load.off \"Turn off\"\nX y z\nVARDESC\n";
        let descriptions = Descriptions::parse(text);
        assert_eq!(descriptions.of_variable("DEVICE.model"), Some("Device model"));
        assert_eq!(descriptions.of_command("load.off"), Some("Turn off"));
        assert_eq!(descriptions.of_command("device.model"), None);
        assert!(Descriptions::read(Path::new("/no/such")).is_err());
    }
}
