//! Questions to ClickHouse itself.

use std::time::Duration;

use anyhow::{Result, ensure};

/// Runs a statement and returns the text of the answer.
///
/// # Errors
/// There is no answer in time, or a refusal.
pub fn query(url: &str, database: &str, sql: &str, limit: Duration) -> Result<String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(limit))
        .http_status_as_error(false)
        // An idle connection would hold up a clean stop of the server.
        .max_idle_connections(0)
        .build()
        .into();
    let mut answer = agent.post(url).query("database", database).send(sql)?;
    let text = answer.body_mut().with_config().limit(1 << 30).read_to_string()?;
    ensure!(answer.status().is_success(), "clickhouse: {}", text.trim_end());
    Ok(text)
}
