//! The small sections: months, addresses, the API's limits, files and the log.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use meterhouse_model::BillingZone;
use tracing_subscriber::EnvFilter;

use super::definition::{Number, Optional, Text};
use super::reader::{Reader, parse_address};

const TIME_ZONE: Text = Text {
    key: "time_zone",
    form: "IANA name of a time zone",
    default: "UTC",
    help: "Zone of days and months. A database keeps its first one for ever; another one is refused.",
};
const METRICS_LISTEN: Text = Text {
    key: "listen",
    form: "IP address and port",
    default: "127.0.0.1:9464",
    help: "Where metrics, `/healthz` and `/readyz` are asked for. Port 0 is a free one.",
};
const RATE_PER_SECOND: Number = Number {
    key: "rate_per_second",
    unit: "requests each second",
    default: 0,
    range: 0..=RATE_MAX,
    help: "Requests that one credential may make. 0: no limit.",
};
const RATE_BURST: Number = Number {
    key: "rate_burst",
    unit: "requests",
    default: 0,
    range: 0..=RATE_MAX,
    help: "Requests that may come at once. 0: as many as `rate_per_second`.",
};
const CHECKOUT_CLOCK_SKEW_SECONDS: Number = Number {
    key: "checkout_clock_skew_seconds",
    unit: "seconds",
    default: 300,
    range: 0..=3600,
    help: "How far the date of a merchant's signature may be from this server's clock, before or after it.",
};
const VISIBLE_WAIT_MS: Number = Number {
    key: "visible_wait_ms",
    unit: "milliseconds",
    default: 5000,
    range: 0..=60_000,
    help: "How long a write waits until it can be read back.",
};
const CATALOG_PATH: Optional = Optional {
    key: "path",
    form: FILE,
    help: "Option codes with their services and prices, TOML or CSV. Read again when it changes. Without it an option \
           code is its own service.",
};
const SUBSCRIPTIONS_PATH: Optional = Optional {
    key: "path",
    form: FILE,
    help: "Subscriptions with their customers, TOML or CSV. Read again when it changes.",
};
const CREDENTIALS_PATH: Optional = Optional {
    key: "path",
    form: FILE,
    help: "Who may ask for what, TOML. Read again when it changes. Without it every request is refused.",
};
const LOG_FORMAT: Text = Text {
    key: "format",
    form: "`text` or `json`",
    default: "text",
    help: "Lines for a person, or JSON for a machine.",
};
const LOG_LEVEL: Text = Text {
    key: "level",
    form: "a level or a list of them",
    default: "info",
    help: "What is logged: `error`, `warn`, `info`, `debug`, `trace`, or a list such as `info,meterhouse_ingest=debug`.",
};
const FILE: &str = "path of a file, from the working directory";
const RATE_MAX: u64 = 1_000_000;

/// The values of `[billing]`.
#[derive(Debug, Clone)]
pub(crate) struct BillingConfig {
    pub(crate) zone: Arc<BillingZone>,
}

/// The value of `[metrics]`.
#[derive(Debug, Clone)]
pub(crate) struct MetricsConfig {
    pub(crate) listen: SocketAddr,
}

/// The values of `[api]`.
#[derive(Debug, Clone)]
pub(crate) struct ApiConfig {
    pub(crate) rate_per_second: u32,
    pub(crate) rate_burst: u32,
    pub(crate) checkout_clock_skew: Duration,
    pub(crate) visible_wait: Duration,
}

/// The value of `[catalog]`, `[subscriptions]` or `[credentials]`.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileConfig {
    pub(crate) path: Option<PathBuf>,
}

/// The values of `[log]`.
#[derive(Debug, Clone)]
pub(crate) struct LogConfig {
    pub(crate) format: LogFormat,
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
        Some(Self { zone: reader.section("billing").parsed(&TIME_ZONE, parse)? })
    }
}

impl MetricsConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        Some(Self { listen: reader.section("metrics").parsed(&METRICS_LISTEN, parse_address)? })
    }
}

impl ApiConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("api");
        let rate_per_second = section.number(&RATE_PER_SECOND);
        let rate_burst = section.number(&RATE_BURST);
        let checkout_clock_skew_seconds = section.number(&CHECKOUT_CLOCK_SKEW_SECONDS);
        let visible_wait_ms = section.number(&VISIBLE_WAIT_MS);
        Some(Self {
            rate_per_second: rate_per_second?,
            rate_burst: rate_burst?,
            checkout_clock_skew: Duration::from_secs(checkout_clock_skew_seconds?),
            visible_wait: Duration::from_millis(visible_wait_ms?),
        })
    }
}

impl FileConfig {
    /// The catalog, the registry of subscriptions and the credentials.
    pub(super) fn read(reader: &mut Reader) -> [Option<Self>; 3] {
        let sections = [
            ("catalog", &CATALOG_PATH),
            ("subscriptions", &SUBSCRIPTIONS_PATH),
            ("credentials", &CREDENTIALS_PATH),
        ];
        sections.map(|(section, path)| Some(Self { path: reader.section(section).path(path)? }))
    }
}

impl LogConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("log");
        let format = section.parsed(&LOG_FORMAT, |text| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err(format!("must be \"text\" or \"json\", is {text:?}")),
        });
        let level = section.parsed(&LOG_LEVEL, |text| match EnvFilter::builder().parse(text) {
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
        Self { format: LogFormat::Text, level: LOG_LEVEL.default.to_owned() }
    }
}
