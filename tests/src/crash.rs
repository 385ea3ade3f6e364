//! The service's crash points, by the text of its source.

use std::fs;

use anyhow::{Context, Result};

use crate::Service;

const SOURCE: &str = include_str!("../../crates/store/src/crash.rs");

/// The variable that has a process die, or stand still, at one of them.
pub const VARIABLE: &str = "METERHOUSE_CRASH_POINT";

/// What happens at one of them: the process kills itself, or stands still.
pub const ACTIONS: [&str; 2] = ["kill", "stop"];

/// Their names, in the order of a record's life.
pub fn places() -> Vec<&'static str> {
    let list = SOURCE.split_once("POINTS").and_then(|(_, rest)| rest.split_once("];")).map(|(list, _)| list);
    list.unwrap_or_default().split('"').skip(1).step_by(2).collect()
}

impl Service {
    /// Whether it stands still, after a SIGSTOP.
    ///
    /// # Errors
    /// It is not running.
    pub fn is_stopped(&self) -> Result<bool> {
        let pid = self.pid().context("it is not running")?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        Ok(stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T')))
    }
}
