//! filmd
