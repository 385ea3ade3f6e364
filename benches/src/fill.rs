//! Events that ClickHouse makes up itself.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use meterhouse_tests::Site;

/// Customers with one subscription each.
pub const CUSTOMERS: u32 = 10_000;
/// 24 months.
const DAYS: u32 = 730;
/// Events in one statement.
const STATEMENT: u64 = 1_000_000;
/// Events in a batch of `meterhouse ingest`.
const BATCH: u64 = 200_000;
/// While `meterhouse ingest` writes as fast as it can, a month is in about 15 parts.
const BATCHES: u64 = 15;
/// Time until a server is measured although it still merges.
const MERGING_MAX: Duration = Duration::from_secs(3600);
const LOOK: Duration = Duration::from_secs(1);

/// The name of a customer.
pub fn customer(number: u32) -> String {
    format!("customer-{number}")
}

/// What tells made-up events from others, as SQL over `number`, `customer_number` and `round`: how often each customer had
/// its turn.
struct Events<'s> {
    /// End of the usage.
    end: &'s str,
    /// Which of the 12 option codes.
    option: &'s str,
    units: &'s str,
    /// Fills the identity up to 20 characters.
    padding: char,
}

/// Fills `usage_events`. Customers come one after the other, then days, then option codes.
///
/// # Errors
/// ClickHouse refuses it.
pub fn events(site: &Site, count: u64) -> Result<()> {
    let begun = Instant::now();
    let end = format!(
        "toStartOfDay(toDateTime64(now(), 6, 'UTC')) - toIntervalDay(round * 7 % {DAYS})
             + toIntervalMicrosecond(3600000000 + cityHash64(number) % 82000000000)"
    );
    let option = format!("(customer_number + intDiv(round, {DAYS}) % 2) % 12");
    let units = "toDecimal128(cityHash64(number, 1) % 100000, 18) / 8";
    let events = Events { end: &end, option: &option, units, padding: '0' };
    for first in (0..count).step_by(usize::try_from(STATEMENT)?) {
        insert(site, &events, first, STATEMENT.min(count - first))?;
    }
    eprintln!("{count} events made up in {} s", begun.elapsed().as_secs());
    Ok(())
}

/// Sums up all days.
///
/// # Errors
/// It fails.
pub fn roll_up(site: &Site) -> Result<()> {
    let begun = Instant::now();
    let output = site.run(&["rollup", "rebuild"])?;
    ensure!(output.status.success(), "rollup rebuild failed: {output:?}");
    let dates = site.count("SELECT count() FROM usage_daily FINAL WHERE kind = 'header'")?;
    eprintln!("{dates} days summed up in {} s", begun.elapsed().as_secs());
    Ok(())
}

/// Makes one part of what is in several, as the server does with months to which nothing was written for a day, and waits for
/// merges that are under way.
///
/// # Errors
/// ClickHouse refuses it.
pub fn merge(site: &Site) -> Result<()> {
    site.query("SYSTEM START MERGES")?;
    for table in ["usage_events", "subscription_customers"] {
        site.query_within(MERGING_MAX, &format!("OPTIMIZE TABLE {table} FINAL"))?;
    }
    // Two years of sums that were all made just now take minutes to be merged; those of a day, no time.
    let begun = Instant::now();
    while begun.elapsed() < MERGING_MAX && site.count("SELECT count() FROM system.merges")? > 0 {
        thread::sleep(LOOK);
    }
    Ok(())
}

/// Adds batches of a load to the current month, not merged yet, of usage that ends today. Tells how many parts the month has.
///
/// # Errors
/// ClickHouse refuses it.
pub fn unmerged(site: &Site) -> Result<u64> {
    site.query("SYSTEM STOP MERGES usage_events")?;
    let end = "toStartOfDay(toDateTime64(now(), 6, 'UTC')) + toIntervalMicrosecond(number + 1)";
    let events = Events { end, option: "customer_number % 12", units: "1", padding: 'x' };
    for first in (0..BATCHES * BATCH).step_by(usize::try_from(BATCH)?) {
        insert(site, &events, first, BATCH)?;
    }
    site.count(
        "SELECT count() FROM system.parts
         WHERE active AND database = currentDatabase() AND table = 'usage_events' AND partition = toString(toYYYYMM(today()))",
    )
}

fn insert(site: &Site, events: &Events<'_>, first: u64, rows: u64) -> Result<()> {
    let Events { end, option, units, padding } = events;
    let sql = format!(
        "INSERT INTO usage_events (customer, subscription, option_code, identity, usage_start, usage_end, billed_at,
             billing_day, units, usage_reference, topic, partition, offset, version)
         WITH
             number % {CUSTOMERS} AS customer_number,
             intDiv(number, {CUSTOMERS}) AS round,
             {end} AS end
         SELECT
             'customer-' || toString(customer_number),
             'S' || hex(sipHash64(customer_number)),
             'option-' || toString({option}),
             'e:20:' || leftPad(toString(number), 20, '{padding}'),
             end - 3600, end, end - toIntervalMicrosecond(1), toDate32(end - toIntervalMicrosecond(1)),
             {units}, number, 'usage-events', number % 8, number, number
         FROM numbers({first}, {rows})
         SETTINGS max_partitions_per_insert_block = 0"
    );
    site.query(&sql).map(|_| ())
}

/// The sums of a customer by month and service from all of its events, each `service=usage`.
pub fn raw_question(customer: &str) -> String {
    format!(
        "SELECT option_code || '=' || if(position(total, '.') > 0, total, total || '.0')
         FROM
         (
             SELECT toString(option_code) AS option_code, toYYYYMM(billing_day) AS month,
                 toString(sum(toDecimal256(units, 18))) AS total
             FROM usage_events FINAL
             PREWHERE customer = '{customer}'
             GROUP BY option_code, month
         )
         SETTINGS do_not_merge_across_partitions_select_final = 1"
    )
}
