//! Tests of the model through its public face: the fixtures under `schemas/`, tables of rules, and properties.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use proptest::prelude::ProptestConfig;

mod catalog;
mod fixture;
mod fixtures;
mod identity;
mod instants;
mod months;
mod nesting;
mod numbers;
mod odd_zones;
mod registry;
mod robustness;
mod rules;
mod schema;
mod versions;
mod zones;

/// So many cases of a property, unless `PROPTEST_CASES` says otherwise.
fn cases(count: u32) -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(count),
    }
}
