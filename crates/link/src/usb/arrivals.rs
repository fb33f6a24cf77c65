//! Being told when something is plugged in.

use futures_core::Stream;
use nusb::hotplug::{HotplugEvent, HotplugWatch};
use std::future::poll_fn;
use std::pin::Pin;

/// Tells when a device was plugged in. The system's device manager (udev) sends these events; where
/// none runs, none come.
pub struct Arrivals(HotplugWatch);

impl std::fmt::Debug for Arrivals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Arrivals")
    }
}

impl Arrivals {
    /// Begins to listen; `None` where the system does not tell.
    pub fn watch() -> Option<Arrivals> {
        nusb::watch_devices().ok().map(Arrivals)
    }

    /// Waits for the next device that is plugged in.
    pub async fn next(&mut self) {
        loop {
            match poll_fn(|context| Pin::new(&mut self.0).poll_next(context)).await {
                Some(HotplugEvent::Connected(_)) => return,
                Some(HotplugEvent::Disconnected(_)) => {}
                None => std::future::pending().await,
            }
        }
    }
}
