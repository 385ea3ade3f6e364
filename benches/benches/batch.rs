//! What it costs to collect events in columns, and to sort and encode a batch of them with its evidence.
//!
//! `cargo bench -p meterhouse-benches --bench batch`

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on stops")]

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use meterhouse_benches::sample;
use meterhouse_model::{BillingZone, Event, Record, Rules, parse};
use meterhouse_store::{EventBatch, RecentCopies};

/// As many as come in half a busy second.
const EVENTS: u32 = 200_000;
const SAMPLES: u32 = 20;

fn main() {
    divan::main();
}

/// Records that are parsed already.
struct Parsed<'v>(Vec<(Record<'v>, Event<'v>)>);

impl<'v> Parsed<'v> {
    fn new(values: &'v [String]) -> Self {
        let rules = Rules::new(Arc::new(BillingZone::new("UTC").expect("an IANA zone")));
        let parsed = |value: &'v String| {
            let record = sample::record(value);
            let event = parse(&record, &rules).expect("an event").into_iter().next();
            (record, event.expect("an event"))
        };
        Self(values.iter().map(parsed).collect())
    }

    fn push_all(&self, batch: &mut EventBatch) {
        for (record, event) in &self.0 {
            batch.push(event, record);
        }
    }

    /// A batch that was full before, and sealed.
    fn emptied(&self) -> EventBatch {
        let mut batch = EventBatch::default();
        self.push_all(&mut batch);
        batch.seal();
        batch
    }

    /// A full one with the memory of another.
    fn filled(&self) -> EventBatch {
        let mut batch = self.emptied();
        self.push_all(&mut batch);
        batch
    }
}

fn values() -> Vec<String> {
    (0..EVENTS).map(sample::value).collect()
}

/// One value for each column, into the memory of a batch before.
#[divan::bench(sample_count = SAMPLES)]
fn push(bencher: Bencher<'_, '_>) {
    let values = values();
    let parsed = Parsed::new(&values);
    let bencher = bencher.counter(ItemsCount::new(EVENTS)).with_inputs(|| parsed.emptied());
    bencher.bench_local_refs(|batch| parsed.push_all(batch));
}

/// Sorts the rows by the table's key and encodes them, their marks and their evidence.
#[divan::bench(sample_count = SAMPLES)]
fn sort_and_encode(bencher: Bencher<'_, '_>) {
    let values = values();
    let parsed = Parsed::new(&values);
    let bencher = bencher.counter(ItemsCount::new(EVENTS)).with_inputs(|| parsed.filled());
    bencher.bench_local_refs(|batch| batch.seal());
}

/// The same, and compares each event with those that came last.
#[divan::bench(sample_count = SAMPLES)]
fn sort_encode_and_compare(bencher: Bencher<'_, '_>) {
    let values = values();
    let parsed = Parsed::new(&values);
    // Others than those that were seen before.
    let inputs = || (parsed.filled(), RecentCopies::default());
    let bencher = bencher.counter(ItemsCount::new(EVENTS)).with_inputs(inputs);
    bencher.bench_local_refs(|(batch, recent)| batch.seal_among(recent));
}
