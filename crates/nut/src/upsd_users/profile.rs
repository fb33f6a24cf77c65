//! NAS boxes whose name and password are always the same.

/// A NAS box whose client cannot be given another name or password (docs of their makers, and requests
/// seen on the wire).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NasProfile {
    /// What stands behind `profile`.
    pub name: &'static str,
    /// The user as whom it logs in.
    pub user: &'static str,
    /// The password that it gives.
    pub password: &'static str,
    /// The UPS that it asks for.
    pub ups: &'static str,
}

/// Every profile there is: each may log in, as a secondary.
pub const PROFILES: [NasProfile; 2] = [
    NasProfile { name: "synology", user: "monuser", password: "secret", ups: "ups" },
    NasProfile { name: "qnap", user: "admin", password: "123456", ups: "qnapups" },
];
