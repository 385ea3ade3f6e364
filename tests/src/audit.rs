//! What must hold behind the answers: sums by day that are clean, an audit that finds nothing, a complete mirror.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{Site, wait};

/// Dates with a mark whose sums are not all there, or of an older scan. The margin is in `{}`.
const UNCLEAN: &str = "SELECT count() FROM (
    SELECT
        maxIf(at, kind = 'mark') AS newest_mark,
        maxIf(at, kind = 'header') AS scanned,
        maxIf(mark, kind = 'header') AS known,
        maxIf(records, kind = 'header') AS wanted,
        maxIf(at, kind = 'header') AS scan,
        arrayCount(x -> x = scan, groupArrayIf(at, kind = 'data')) AS found
    FROM usage_daily FINAL
    GROUP BY customer, subscription, date
    HAVING NOT (known = newest_mark AND found = wanted
        AND toUnixTimestamp64Nano(scanned) > toUnixTimestamp64Nano(newest_mark) + {} * 1000000)
)";

/// Waits until every date is answered from its sums; there is at least one.
///
/// # Errors
/// It takes too long, or there is no answer.
pub fn wait_clean(site: &Site, margin_ms: u64) -> Result<()> {
    let unclean = UNCLEAN.replace("{}", &margin_ms.to_string());
    wait::until_is("all dates to be summed up", || site.count(&unclean), |count| *count == 0)?;
    let dates =
        site.count("SELECT uniq(customer, subscription, date) FROM usage_daily FINAL WHERE kind = 'header'")?;
    ensure!(dates > 0, "no date is summed up");
    Ok(())
}

/// Has `meterhouse verify` look at everything, with the topic itself: it has to find nothing.
///
/// # Errors
/// It finds something, or cannot look.
pub fn verify(site: &Site) -> Result<()> {
    let output = site.run(&["verify", "--from-kafka"])?;
    let [told, failed] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    ensure!(output.status.success(), "verify: {}\n{told}{failed}", output.status);
    Ok(())
}

/// Checks that every rejected record is on the mirror topic, once or more often.
///
/// # Errors
/// One is missing.
pub fn is_mirrored(site: &Site, mirror_topic: &str) -> Result<()> {
    let rejected = site.query("SELECT DISTINCT partition, offset FROM rejects FINAL FORMAT TSV")?;
    let mut missing: BTreeSet<String> = rejected.lines().map(str::to_owned).collect();
    for record in site.log_of(mirror_topic)? {
        let header = |wanted: &str| {
            let name = format!("__connect.errors.{wanted}");
            let (_, value) =
                record.headers.iter().find(|(header, _)| *header == name).context("no header")?;
            Ok::<_, anyhow::Error>(String::from_utf8(STANDARD.decode(value)?)?)
        };
        missing.remove(&format!("{}\t{}", header("partition")?, header("offset")?));
    }
    ensure!(missing.is_empty(), "not on the mirror topic: {missing:?}");
    Ok(())
}
