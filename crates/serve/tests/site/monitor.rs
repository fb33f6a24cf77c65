//! Debian's upsmon, whose SHUTDOWNCMD writes a file instead of shutting anything down.

use super::Site;
use std::path::PathBuf;
use std::process::{Child, Stdio};

/// upsmon, and the file that its SHUTDOWNCMD writes.
pub struct Monitor {
    process: Child,
    written: PathBuf,
    log: PathBuf,
}

impl Monitor {
    /// One that watches `ups` of this site; `how` is user, password and `primary` or `secondary`.
    pub fn start(site: &Site, upsmon: &str, name: &str, ups: &str, how: [&str; 3]) -> Monitor {
        let folder = site.folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let written = folder.join("shut-down");
        let root = if nix::unistd::Uid::effective().is_root() { "RUN_AS_USER root\n" } else { "" };
        let [user, password, kind] = how;
        let conf = format!(
            "{root}MONITOR {ups}@127.0.0.1:{} 1 {user} {password} {kind}\nMINSUPPLIES 1\n\
             SHUTDOWNCMD \"date +%s%N > {}\"\nPOLLFREQ 1\nPOLLFREQALERT 1\nHOSTSYNC 10\nFINALDELAY 0\nDEADTIME 15\n",
            site.port,
            written.display()
        );
        std::fs::write(folder.join("upsmon.conf"), conf).unwrap();
        let log = folder.join("log");
        let out = std::fs::File::create(&log).unwrap();
        let process = super::upsmon(upsmon)
            .env("NUT_CONFPATH", &folder)
            .env("NUT_STATEPATH", &folder)
            .env("NUT_ALTPIDPATH", &folder)
            .stdout(out.try_clone().unwrap())
            .stderr(Stdio::from(out))
            .spawn()
            .unwrap();
        Monitor { process, written, log }
    }

    /// When the machine would have been shut down, in nanoseconds.
    pub fn shut_down(&self) -> Option<u128> {
        std::fs::read_to_string(&self.written).ok()?.trim().parse().ok()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
