//! The small sections: months, addresses, the API's limits, files and the log.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use meterhouse_model::BillingZone;
use tracing_subscriber::EnvFilter;

use super::reader::Reader;

const TIME_ZONE: &str = "UTC";
const METRICS_LISTEN: &str = "127.0.0.1:9464";
const RATE_PER_SECOND: u64 = 0;
const RATE_BURST: u64 = 0;
const RATE_MAX: u64 = 1_000_000;
const CHECKOUT_CLOCK_SKEW_SECONDS: u64 = 300;
const CHECKOUT_CLOCK_SKEW_SECONDS_MAX: u64 = 3600;
const VISIBLE_WAIT_MS: u64 = 5000;
const VISIBLE_WAIT_MAX_MS: u64 = 60_000;
const LOG_FORMAT: &str = "text";
const LOG_LEVEL: &str = "info";

/// The keys of `[billing]`.
#[derive(Debug, Clone)]
pub(crate) struct BillingConfig {
    /// `time_zone`: IANA name of the zone of days and months. Default `UTC`. A database keeps its first one for ever.
    pub(crate) zone: Arc<BillingZone>,
}

/// The key of `[metrics]`.
#[derive(Debug, Clone)]
pub(crate) struct MetricsConfig {
    /// IP address and port. Port 0 is a free one. Default `127.0.0.1:9464`.
    pub(crate) listen: SocketAddr,
}

/// The keys of `[api]`.
#[derive(Debug, Clone)]
pub(crate) struct ApiConfig {
    /// Requests that a token may make each second. Default 0: no limit.
    pub(crate) rate_per_second: u32,
    /// Requests that may come at once. Default 0: as many as `rate_per_second`.
    pub(crate) rate_burst: u32,
    /// `checkout_clock_skew_seconds`: how far the date of a merchant's signature may be from this server's clock, before or
    /// after it, in seconds. Default 300.
    pub(crate) checkout_clock_skew: Duration,
    /// `visible_wait_ms`: how long a write waits until it can be read back. Default 5000.
    pub(crate) visible_wait: Duration,
}

/// The key of `[catalog]`, `[subscriptions]` or `[credentials]`.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileConfig {
    /// The file, re-read when it changes. A relative path starts at the working directory. Default none.
    pub(crate) path: Option<PathBuf>,
}

/// The keys of `[log]`.
#[derive(Debug, Clone)]
pub(crate) struct LogConfig {
    /// Lines for a person, or JSON for a machine. Default `text`.
    pub(crate) format: LogFormat,
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or a list such as `info,meterhouse_ingest=debug`.
    /// Default `info`.
    pub(crate) level: String,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl BillingConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let parse = |name: &str| {
            let unknown = |_| format!("must be an IANA time zone as Europe/Berlin, is {name:?}");
            BillingZone::new(name).map(Arc::new).map_err(unknown)
        };
        Some(Self { zone: reader.section("billing").parsed("time_zone", TIME_ZONE, parse)? })
    }
}

impl MetricsConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        Some(Self { listen: listen(reader, "metrics", METRICS_LISTEN)? })
    }
}

/// The address of a section.
pub(super) fn listen(reader: &mut Reader, section: &'static str, default: &str) -> Option<SocketAddr> {
    let parse = |text: &str| {
        let wrong = |_| format!("must be an IP address and a port as {default}, is {text:?}");
        text.parse::<SocketAddr>().map_err(wrong)
    };
    reader.section(section).parsed("listen", default, parse)
}

impl ApiConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("api");
        let rate_per_second = section.number("rate_per_second", RATE_PER_SECOND, 0..=RATE_MAX);
        let rate_burst = section.number("rate_burst", RATE_BURST, 0..=RATE_MAX);
        let checkout_clock_skew_seconds = section.number(
            "checkout_clock_skew_seconds",
            CHECKOUT_CLOCK_SKEW_SECONDS,
            0..=CHECKOUT_CLOCK_SKEW_SECONDS_MAX,
        );
        let visible_wait_ms = section.number("visible_wait_ms", VISIBLE_WAIT_MS, 0..=VISIBLE_WAIT_MAX_MS);
        Some(Self {
            rate_per_second: rate_per_second?,
            rate_burst: rate_burst?,
            checkout_clock_skew: Duration::from_secs(checkout_clock_skew_seconds?),
            visible_wait: Duration::from_millis(visible_wait_ms?),
        })
    }
}

impl FileConfig {
    pub(super) fn read(reader: &mut Reader, section: &'static str) -> Option<Self> {
        Some(Self { path: reader.section(section).path("path")? })
    }
}

impl LogConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("log");
        let format = section.parsed("format", LOG_FORMAT, |text| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err(format!("must be \"text\" or \"json\", is {text:?}")),
        });
        let level = section.parsed("level", LOG_LEVEL, |text| match EnvFilter::builder().parse(text) {
            Ok(_) if !text.trim().is_empty() => Ok(text.to_owned()),
            _ => Err(format!(
                "must be a level as info, or a list as info,meterhouse_ingest=debug, is {text:?}"
            )),
        });
        Some(Self { format: format?, level: level? })
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: LOG_LEVEL.to_owned() }
    }
}
