//! The log: one line an event, to standard error.

use std::io::IsTerminal;

use anyhow::anyhow;
use meterhouse_api::AUDIT_TARGET;
use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Starts the log of this process. The audit log is a part of it that no level silences: its directive is the most particular
/// one, and the last. What libraries write with the `log` crate, librdkafka's words among them, ends up in
/// it, too.
///
/// # Errors
/// The process has a log already.
pub(crate) fn start(config: &LogConfig) -> anyhow::Result<()> {
    let audit = format!("{AUDIT_TARGET}=info").parse()?;
    let filter = EnvFilter::builder().parse(&config.level)?.add_directive(audit);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Text => builder.with_ansi(wants_colours()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow!("cannot start the log: {error}"))
}

/// Colours are for a person, who can refuse them: <https://no-color.org>.
fn wants_colours() -> bool {
    let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !is_refused
}
