//! A process dies, or stands still, between two steps; whoever goes on ends with the same rows.
//!
//! Each place of `crates/store/src/crash.rs` has two tests of its own here: the process is killed, and it is held up while
//! another one does the same work. The ignored tests, which `make crashes` runs, are most of those that hold it up, and
//! kill it at later passes.

mod case;
mod kill;
mod places;
mod refused;
mod stale;
mod stop;

#[test]
fn every_place_is_tried() {
    let tried: Vec<&str> = places::PLACES.iter().map(|(place, _)| *place).collect();
    assert_eq!(meterhouse_tests::crash::places(), tried, "places of the code, and those that have a test");
}
