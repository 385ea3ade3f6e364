//! The figures as a table: the median of all rounds, and how far they were apart.

use std::fmt::Write;
use std::time::Duration;

use meterhouse_benches::process::Usage;

use crate::contender::{Contender, Measured, Topic};

const MEBIBYTE: u64 = 1024 * 1024;
const NONE: &str = "-";

const HEADER: &str = "| contender | events/s | reader | ClickHouse | broker | CPU in all | merges afterwards | peak MiB | stored bytes | first stored |\n\
                      | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";

/// One run, for whoever watches.
pub(crate) fn line(run: &Measured, events: u64) -> String {
    row(std::slice::from_ref(run), events)
}

/// A line for each contender. CPU is in microseconds an event.
pub(crate) fn table(runs: &[(Contender, Vec<Measured>)], topic: &Topic<'_>) -> String {
    let mut table = HEADER.to_owned();
    for (contender, measured) in runs {
        // To write into a String cannot fail.
        let _ = writeln!(table, "| {} | {} |", contender.title(), row(measured, topic.events));
    }
    table
}

/// What `benches/RESULTS.md` says.
pub(crate) fn section(table: &str, topic: &Topic<'_>, rounds: u32) -> String {
    let Topic { events, customers, merges, .. } = topic;
    let merging = if *merges { "went on meanwhile" } else { "stood still until all was stored" };
    format!(
        "{events} events of {customers} customers, {rounds} rounds, medians with the lowest and the highest in brackets. Merges \
         {merging}. CPU in us an event.\n\n{table}"
    )
}

fn row(runs: &[Measured], events: u64) -> String {
    let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / events as f64;
    let cpu = |usage: &Usage| each(usage.cpu);
    let total = |run: &Measured| {
        let others = run.reader.iter().chain(clickhouse(run));
        others.map(cpu).sum::<f64>() + cpu(&run.broker)
    };
    let peak = |run: &Measured| {
        let reader = run.reader.as_ref().or(clickhouse(run));
        reader.map(|usage| (usage.peak_bytes / MEBIBYTE) as f64)
    };
    [
        spread(runs, 0, |run| Some(events as f64 / run.wall.as_secs_f64())),
        median(runs, 2, |run| run.reader.as_ref().map(cpu)),
        median(runs, 2, |run| clickhouse(run).map(cpu)),
        median(runs, 2, |run| Some(cpu(&run.broker))),
        spread(runs, 2, |run| Some(total(run))),
        median(runs, 2, |run| run.stored.as_ref().map(|stored| each(stored.merges))),
        median(runs, 0, peak),
        median(runs, 0, |run| run.stored.as_ref().map(|stored| stored.bytes as f64 / events as f64)),
        median(runs, 1, |run| run.first.map(|first| first.as_secs_f64())),
    ]
    .join(" | ")
}

fn clickhouse(run: &Measured) -> Option<&Usage> {
    run.stored.as_ref().map(|stored| &stored.clickhouse)
}

/// The figures of those runs that have one, sorted.
fn figures(runs: &[Measured], figure: impl Fn(&Measured) -> Option<f64>) -> Vec<f64> {
    let mut figures: Vec<f64> = runs.iter().filter_map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures
}

fn median(runs: &[Measured], places: usize, figure: impl Fn(&Measured) -> Option<f64>) -> String {
    match figures(runs, figure).as_slice() {
        [] => NONE.to_owned(),
        figures => format!("{:.places$}", middle(figures)),
    }
}

/// The median of sorted figures, of which there is one at least.
fn middle(figures: &[f64]) -> f64 {
    let (below, above) = ((figures.len() - 1) / 2, figures.len() / 2);
    f64::midpoint(figures[below], figures[above])
}

fn spread(runs: &[Measured], places: usize, figure: impl Fn(&Measured) -> Option<f64>) -> String {
    let figures = figures(runs, figure);
    match figures.as_slice() {
        [] => NONE.to_owned(),
        [only] => format!("{only:.places$}"),
        [least, .., most] => {
            format!("{:.places$} ({least:.places$} to {most:.places$})", middle(&figures))
        }
    }
}
