//! A process dies, or stands still, between two steps; whoever goes on ends with the same rows.
//!
//! Each place of `crates/store/src/crash.rs` has a test of its own here. The ignored tests, which `make chaos` runs, try
//! later passes of each place, and hold the process up at every one.

mod case;
mod kill;
mod stop;

/// What the service calls its places.
const SOURCE: &str = include_str!("../../../crates/store/src/crash.rs");

#[test]
fn every_place_is_tried() {
    let list = SOURCE.split_once("POINTS").and_then(|(_, rest)| rest.split_once("];")).map(|(list, _)| list);
    let names: Vec<&str> = list.unwrap_or_default().split('"').skip(1).step_by(2).collect();
    assert_eq!(names, kill::PLACES, "places of the code, and those that have a test");
}
