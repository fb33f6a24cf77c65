//! What a station keeps over restarts, and when: of the battery, the dialect, the settings that are written once,
//! and which USB device is open. Writing is done beside the session: a slow disk delays no poll.

use crate::log::Log;
use crate::memory::{Folders, MemoryFile};
use crate::station::Mode;
use link::Surely;
use qx::detect::known::KnownDialect;
use qx::device::{Device, LogLevel};
use qx::options::Options;
use qx::vocabulary::flag::Flag;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// How often the session looks whether there is news of the battery.
const LOOK: Duration = Duration::from_secs(30);

/// The files of one UPS.
#[derive(Debug)]
pub(crate) struct Keeping {
    battery: Option<MemoryFile>,
    dialect: Option<MemoryFile>,
    reset: Option<MemoryFile>,
    /// A newer program keeps what is known of `reset_to_default`.
    reset_is_newer: bool,
    usb: Option<MemoryFile>,
    /// Whether anything is written.
    writes: bool,
    /// When to look for news of the battery next.
    look: Instant,
    log: Rc<Log>,
}

impl Keeping {
    pub fn new(folders: Option<&Folders>, ups: &str, mode: Mode, log: Rc<Log>) -> Keeping {
        let is_ours = |memory: &MemoryFile| match memory.newer() {
            Some(newer) => {
                log.warning(&format!("{}: {newer}", memory.path().display()));
                false
            }
            None => true,
        };
        let lasting = |of: fn(&std::path::Path, &str) -> Option<MemoryFile>| {
            folders.and_then(|folders| of(&folders.lasting, ups))
        };
        let reset = lasting(MemoryFile::of_reset).filter(|_| mode == Mode::Watch);
        let reset_is_there = reset.is_some();
        let reset = reset.filter(is_ours);
        Keeping {
            battery: lasting(MemoryFile::of_battery).filter(is_ours),
            dialect: lasting(MemoryFile::of_dialect).filter(is_ours),
            reset_is_newer: reset_is_there && reset.is_none(),
            reset,
            usb: folders.and_then(|folders| MemoryFile::of_usb(&folders.state, ups)).filter(is_ours),
            writes: mode == Mode::Watch,
            look: Instant::now() + LOOK,
            log,
        }
    }

    /// Adds what was kept before to the options of a device.
    pub fn recall(&self, options: Options, mode: Mode) -> Options {
        // no load is switched off on a guess
        let is_certain = |text: &String| {
            mode != Mode::KillPower || KnownDialect::parse(text).is_some_and(|known| known.is_enough())
        };
        let mut options = options;
        if self.reset_is_newer && options.has(Flag::ResetToDefault) {
            // it may have been done, and the memory of a UPS wears with each writing
            options.flags = options.flags.without(Flag::ResetToDefault);
            self.log.warning("reset_to_default is not sent: whether it was done before stands in that file");
        }
        Options {
            battery_memory: self.battery.as_ref().and_then(MemoryFile::read),
            dialect_memory: self.dialect.as_ref().and_then(MemoryFile::read).filter(is_certain),
            reset_memory: self.recall_reset(&options),
            ..options
        }
    }

    /// To which UPS `reset_to_default` was written before. Who takes it out of the configuration may want it
    /// again.
    fn recall_reset(&self, options: &Options) -> Option<String> {
        let memory = self.reset.as_ref()?;
        if options.has(Flag::ResetToDefault) {
            return memory.read();
        }
        if let Err(error) = memory.forget() {
            let path = memory.path().display();
            if error.kind() == std::io::ErrorKind::PermissionDenied && memory.read().is_none() {
                self.log.warning(&format!(
                    "cannot look into the folder of {path} ({error}): run this as root or as the drivers' user, or name another folder by QXUPS_VARPATH"
                ));
                return None;
            }
            self.log.warning(&format!(
                "{path} says that reset_to_default was done, and cannot be removed ({error}): remove it by hand, or it is not done again when it stands in ups.conf again"
            ));
        }
        None
    }

    /// The USB device that the driver of this UPS had open last, for a station that must not take another.
    pub fn last_usb(&self) -> Surely {
        Surely { last: self.usb.as_ref().and_then(MemoryFile::read) }
    }

    /// Keeps which USB device is open.
    pub fn keep_usb(&self, mark: String) {
        if let Some(memory) = self.usb.clone().filter(|_| self.writes) {
            // without it, -k needs a configuration that says which device is meant
            self.write(memory, mark, "usb", LogLevel::Debug);
        }
    }

    /// Keeps what is new of the battery, when it is time to look.
    pub fn keep_battery(&mut self, device: &mut Device) {
        let now = Instant::now();
        let Some(memory) = self.battery.clone().filter(|_| self.writes && self.look <= now) else { return };
        self.look = now + LOOK;
        let Some(text) = device.battery_memory() else { return };
        self.log.debug(1, || format!("battery: saving new estimates to {}", memory.path().display()));
        self.write(memory, text, "battery", LogLevel::Warning);
    }

    /// Keeps the dialect that was found, and to which UPS settings were written.
    pub fn keep_findings(&self, device: &mut Device) {
        if let Some((memory, text)) = self.reset.clone().zip(device.reset_memory()) {
            // without it the next start writes it again
            self.write(memory, text, "reset_to_default", LogLevel::Warning);
        }
        let memory = self.dialect.clone().filter(|_| self.writes);
        if let Some((memory, text)) = memory.zip(device.dialect_memory()) {
            // without it the next start takes a second more
            self.write(memory, text, "dialect", LogLevel::Debug);
        }
    }

    /// Keeps what is new of the battery, and waits for the disk: the last time.
    pub fn keep_last(&self, device: &mut Device) {
        let memory = self.battery.as_ref().filter(|_| self.writes).zip(device.battery_memory());
        if let Some(Err(error)) = memory.map(|(memory, text)| memory.write(&text)) {
            self.log.warning(&format!("cannot save battery data: {error}"));
        }
    }

    fn write(&self, memory: MemoryFile, text: String, what: &'static str, level: LogLevel) {
        let log = self.log.clone();
        tokio::task::spawn_local(async move {
            let path = memory.path().display().to_string();
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || memory.write(&text)).await {
                log.say(level, &format!("cannot save {what} data to {path}: {error}"));
            }
        });
    }
}
