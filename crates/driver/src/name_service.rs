//! Which services the C library asks for users, groups and hosts where it is linked statically.

/// From now on files and DNS alone, in a static program; in any other nothing changes. Has to come before the first lookup.
///
/// glibc 2.34 and newer has both inside. For any other service of `/etc/nsswitch.conf` (Debian names `systemd` for groups) a
/// static program loads a module with the system's own C library, and two versions of that in one process end with SIGFPE:
/// seen with `initgroups` of glibc 2.41 on Debian 12, whose glibc is 2.36.
pub fn use_files_and_dns_if_static() {
    #[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
    inside::configure();
}

#[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
#[allow(unsafe_code)]
mod inside {
    use std::ffi::{CStr, c_char, c_int};

    /// What a line of nsswitch.conf says, by database.
    const SERVICES: [(&CStr, &CStr); 4] =
        [(c"passwd", c"files"), (c"group", c"files"), (c"initgroups", c"files"), (c"hosts", c"files dns")];

    unsafe extern "C" {
        // nss.h of glibc: 0, or -1 where there is no such database
        fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
    }

    pub fn configure() {
        for (database, services) in SERVICES {
            // SAFETY: both end with a zero and live as long as the program
            let _ = unsafe { __nss_configure_lookup(database.as_ptr(), services.as_ptr()) };
        }
    }
}
