//! Single moments: each bound just below, at and above, and each fault that an earlier attempt had.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "moments/bounds.rs"]
mod bounds;
#[path = "moments/ends.rs"]
mod ends;
#[path = "moments/faults.rs"]
mod faults;
#[path = "moments/records.rs"]
mod records;
#[path = "moments/rig.rs"]
mod rig;
#[path = "moments/watches.rs"]
mod watches;
