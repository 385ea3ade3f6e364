//! A process dies, or stands still, between two steps; whoever goes on ends with the same rows.
//!
//! Each place of `crates/store/src/crash.rs` has a test of its own here. The ignored tests, which `make crashes` runs, try
//! later passes of each place, and hold the process up at every one.

mod case;
mod kill;
mod refused;
mod stale;
mod stop;

#[test]
fn every_place_is_tried() {
    assert_eq!(
        meterhouse_tests::crash::places(),
        kill::PLACES,
        "places of the code, and those that have a test"
    );
}
