//! The client's end: requests written and answers read.
