//! What must hold behind the answers: an audit that finds nothing, a complete mirror.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Site;

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

/// Checks that every reject is on the mirror topic, once or more often.
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
