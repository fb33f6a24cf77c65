//! What `upsd.conf` says, with the defaults of upsd.

use nut::upsd_conf::{Listen, StartTls, UpsdConf};
use std::time::Duration;

/// MAXAGE of upsd.
const MAX_AGE: u32 = 15;
/// TRACKINGDELAY of upsd.
const TRACKING_DELAY: u32 = 3600;
/// A client without a request is dropped after so many seconds (NUT 2.8.0 server/upsd.c).
const INACTIVITY: u32 = 60;
/// So many clients at a time, where MAXCONN does not say: what most systems let a process open.
pub(crate) const CONNECTIONS: usize = 1024;

/// What can change by a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// After so long without a word of its driver, data is stale.
    pub max_age: Duration,
    /// For so long outcomes are kept.
    pub tracking_delay: Duration,
    /// After so long without a request a client is dropped.
    pub inactivity: Duration,
    /// So many clients at a time.
    pub connections: usize,
    /// So many files the system lets this process open.
    pub files: usize,
    /// MAXCONN, in which UPSes and addresses of LISTEN count as well (upsd.conf(5)).
    pub max_connections: Option<usize>,
    /// Whether reading needs a user.
    pub login_to_read: bool,
    /// Whether there may be no UPS at all.
    pub allow_no_device: bool,
    /// Where to listen.
    pub listen: Vec<Listen>,
    /// On which listeners TLS is offered.
    pub start_tls: StartTls,
}

impl Settings {
    /// What a file says.
    pub fn of(conf: &UpsdConf) -> Settings {
        let seconds = |value: Option<u32>, default: u32| Duration::from_secs(value.unwrap_or(default).into());
        Settings {
            max_age: seconds(conf.max_age_s, MAX_AGE),
            tracking_delay: seconds(conf.tracking_delay_s, TRACKING_DELAY),
            inactivity: seconds(conf.client_inactivity_delay_s, INACTIVITY),
            connections: CONNECTIONS,
            files: usize::MAX,
            max_connections: conf.max_connections.map(|most| usize::try_from(most).unwrap_or(usize::MAX)),
            login_to_read: conf.login_to_read.unwrap_or(false),
            allow_no_device: conf.allow_no_device.unwrap_or(false),
            listen: conf.listen.clone(),
            start_tls: conf.start_tls.unwrap_or(StartTls::Auto),
        }
    }
}

impl Settings {
    /// What another file says otherwise, but for LISTEN: `NAME is VALUE now`, by the names of upsd.conf.
    pub(crate) fn changes(&self, new: &Settings) -> Vec<String> {
        let seconds = |time: Duration| time.as_secs().to_string();
        let yes = |on: bool| if on { "yes" } else { "no" }.to_string();
        let connections = |settings: &Settings| settings.connections.to_string();
        let tls = |settings: &Settings| format!("{:?}", settings.start_tls).to_ascii_lowercase();
        let rows = |settings: &Settings| {
            [
                ("MAXAGE", seconds(settings.max_age)),
                ("TRACKINGDELAY", seconds(settings.tracking_delay)),
                ("CLIENT_INACTIVITY_DELAY", seconds(settings.inactivity)),
                ("room for clients", connections(settings)),
                ("LOGIN_TO_READ", yes(settings.login_to_read)),
                ("ALLOW_NO_DEVICE", yes(settings.allow_no_device)),
                ("STARTTLS", tls(settings)),
            ]
        };
        let changed = rows(self).into_iter().zip(rows(new)).filter(|(old, new)| old != new);
        changed.map(|(_, (name, value))| format!("{name} is {value} now")).collect()
    }
}

/// Besides connections a process has files open: configuration, state, logs, sockets of drivers.
const BESIDES: usize = 64;
/// And for each UPS: its port, its socket for clients of the driver, a connection to that, a simulated one's other end.
const FILES_OF_A_UPS: usize = 4;

impl Settings {
    /// Takes into account how many files the system lets this process open. Where MAXCONN is not written, fewer clients are
    /// let in.
    ///
    /// # Errors
    /// A sentence, when MAXCONN is more.
    pub(crate) fn fit(&mut self, files: usize) -> Result<(), String> {
        let room = files.saturating_sub(BESIDES);
        match self.max_connections {
            Some(most) if most > files => Err(format!(
                "upsd.conf: MAXCONN is {most}, but the system lets this process open {files} files; write at most {room}, or raise the limit (LimitNOFILE= of the unit)"
            )),
            // upsd starts with as many as there are files, and needs some for itself
            Some(most) => {
                self.max_connections = Some(most.min(room));
                Ok(())
            }
            None => {
                self.files = files;
                Ok(())
            }
        }
    }

    /// How many clients MAXCONN, or the system, leaves room for beside so many UPSes.
    ///
    /// # Errors
    /// A sentence, when there is none.
    pub(crate) fn leave_room(&mut self, upses: usize) -> Result<(), String> {
        let Some(most) = self.max_connections else {
            let beside = upses.saturating_mul(FILES_OF_A_UPS).saturating_add(BESIDES);
            let left = self.files.saturating_sub(beside).min(CONNECTIONS);
            self.connections = Some(left).filter(|left| *left > 0).ok_or_else(|| {
                format!(
                    "the system lets this process open {} files, and {beside} are needed for its UPSes ({upses}); raise the limit (LimitNOFILE= of the unit)",
                    self.files
                )
            })?;
            return Ok(());
        };
        // without LISTEN both addresses of loopback
        let addresses = if self.listen.is_empty() { 2 } else { self.listen.len() };
        let beside = upses.saturating_add(addresses);
        self.connections = most.checked_sub(beside).filter(|left| *left > 0).ok_or_else(|| {
            format!(
                "upsd.conf: MAXCONN {most} leaves no room for a client: {upses} UPSes and {addresses} addresses of LISTEN count as well; write at least {}",
                beside.saturating_add(1)
            )
        })?;
        Ok(())
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings::of(&UpsdConf::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NUT 2.8.0 docs/man/upsd.conf.txt: each UPS, each LISTEN address and each client count as one.
    #[test]
    fn upses_and_addresses_count_as_connections() {
        let conf = nut::upsd_conf::parse(b"LISTEN 127.0.0.1\nLISTEN ::1\nMAXCONN 10\n");
        let room = |upses| {
            let mut settings = Settings::of(&conf);
            settings.leave_room(upses).map(|()| settings.connections)
        };
        assert_eq!((room(0), room(3), room(7)), (Ok(8), Ok(5), Ok(1)));
        assert!(room(8).unwrap_err().contains("at least 11"));
        let limited = |files, upses| {
            let mut settings = Settings::default();
            settings.fit(files).and_then(|()| settings.leave_room(upses)).map(|()| settings.connections)
        };
        assert_eq!(
            (limited(1024, 1), limited(256, 10), limited(4096, 10)),
            (Ok(956), Ok(152), Ok(CONNECTIONS))
        );
        assert!(limited(256, 100).unwrap_err().contains("open 256 files"));
        let mut settings = Settings::of(&conf);
        assert!(settings.fit(9).unwrap_err().contains("MAXCONN is 10"));
        assert_eq!(settings.fit(70).map(|()| settings.max_connections), Ok(Some(6)));
        let mut settings = Settings::default();
        assert_eq!(settings.leave_room(2000).map(|()| settings.connections), Ok(CONNECTIONS));
    }
}
