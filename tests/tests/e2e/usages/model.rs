//! Random writes of several threads, while processes are killed, and a map beside them that knows what must come of it.

mod writer;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::thread;

use anyhow::Result;
use meterhouse_tests::check::history_lines;

use super::apart::{Apart, joined, replace};
use writer::{Model, STEPS, SUBSCRIPTIONS, Writer, listed};

const SEED: u64 = 20;
const WRITERS: usize = 4;

#[test]
fn random_writes_come_to_what_a_map_comes_to() -> Result<()> {
    let mut apart = Apart::new("model", &SUBSCRIPTIONS)?;
    let usages = apart.usages();
    let steps = AtomicUsize::new(0);
    let Apart { ingest, apis: [one, other], .. } = &mut apart;
    let models: Vec<Model> = thread::scope(|scope| {
        let writing: Vec<_> = (0..WRITERS)
            .map(|number| {
                let writer = Writer::new(number, SEED, usages.clone(), &steps);
                scope.spawn(|| writer.run())
            })
            .collect();
        let replaced = replace(&mut [one, ingest, other], 3, &steps, WRITERS * STEPS);
        let models = writing.into_iter().map(joined).collect();
        replaced.and(models)
    })?;
    let model: Model = models.into_iter().flatten().collect();
    for usages in &usages {
        assert_eq!(listed(usages)?, model);
    }
    for api in &apart.apis {
        assert_eq!(history_lines(&apart.site, &api.client(), "c")?, history(&model));
    }
    apart.ends_well()
}

/// The lines of the history that a model makes.
fn history(model: &Model) -> Vec<String> {
    let mut sums = BTreeMap::<&str, u64>::new();
    for known in model.values() {
        *sums.entry(&known.option_code).or_default() += known.units;
    }
    sums.into_iter().map(|(option_code, units)| format!("10.2026 {option_code} {units}.0")).collect()
}
