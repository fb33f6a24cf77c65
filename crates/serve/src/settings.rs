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
            connections: conf
                .max_connections
                .map_or(CONNECTIONS, |most| usize::try_from(most).unwrap_or(CONNECTIONS)),
            login_to_read: conf.login_to_read.unwrap_or(false),
            allow_no_device: conf.allow_no_device.unwrap_or(false),
            listen: conf.listen.clone(),
            start_tls: conf.start_tls.unwrap_or(StartTls::Auto),
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings::of(&UpsdConf::default())
    }
}
