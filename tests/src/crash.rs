//! The service's crash points, by the text of its source.

const SOURCE: &str = include_str!("../../crates/store/src/crash.rs");

/// The variable that has a process die, or stand still, at one of them.
pub const VARIABLE: &str = "METERHOUSE_CRASH_POINT";

/// Their names, in the order of a record's life.
pub fn places() -> Vec<&'static str> {
    let list = SOURCE.split_once("POINTS").and_then(|(_, rest)| rest.split_once("];")).map(|(list, _)| list);
    list.unwrap_or_default().split('"').skip(1).step_by(2).collect()
}
