//! `meterhouse ready`: asks the process of the same configuration whether it is ready, where nothing else can ask.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, anyhow};
use serde::Deserialize;

use crate::config::Config;
use crate::failure::{ExitKind, Failure};

/// Time for the whole answer, which the process has at hand.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The part of the body of `/readyz` that is shown.
#[derive(Debug, Deserialize)]
struct Readiness {
    ready: bool,
    checks: serde_json::Map<String, serde_json::Value>,
}

/// Asks at the metrics listener, which every long-running command has.
///
/// # Errors
/// The process is not ready, and why, or it cannot be reached.
pub(crate) fn run(config: &Config) -> Result<(), Failure> {
    let address = reachable(config.metrics.listen)?;
    let readiness = ask(address).map_err(|error| Failure::new(ExitKind::Unreachable, error))?;
    if readiness.ready {
        println!("ready");
        return Ok(());
    }
    let faults = readiness.checks.iter().filter(|(_, state)| state.as_str() != Some("ok"));
    let faults: Vec<String> =
        faults.map(|(check, state)| format!("{check}: {}", state.as_str().unwrap_or("unknown"))).collect();
    Err(anyhow!("not ready: {}", faults.join("; ")).into())
}

/// Where a listener is reached from its own machine: one on all addresses is on the loopback one, too.
fn reachable(listen: SocketAddr) -> Result<SocketAddr, Failure> {
    if listen.port() == 0 {
        let text = "metrics.listen has port 0: nobody but the process knows which it has got";
        return Err(Failure::new(ExitKind::Usage, anyhow!(text)));
    }
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    Ok(SocketAddr::new(ip, listen.port()))
}

fn ask(address: SocketAddr) -> anyhow::Result<Readiness> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into();
    let url = format!("http://{address}/readyz");
    let mut response = agent.get(&url).call().with_context(|| format!("no answer from {url}"))?;
    response.body_mut().read_json().with_context(|| format!("{url} is not a listener of meterhouse"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_asked_on_the_loopback_one() {
        for (listen, asked) in [
            ("0.0.0.0:9464", "127.0.0.1:9464"),
            ("[::]:9464", "[::1]:9464"),
            ("10.0.0.7:9464", "10.0.0.7:9464"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).unwrap().to_string(), asked);
        }
        assert_eq!(reachable("127.0.0.1:0".parse().unwrap()).unwrap_err().code(), 2);
    }
}
