//! What came out, for a person.

use meterhouse_localstack::workspace_dir;
use meterhouse_tests::Prometheus;

use crate::screen::{Look, Screen, thousands};
use crate::steps::{CUSTOMER, Demo, Histories, Ingested, TOPIC};
use crate::table::Table;

/// Prints counts, a table for each customer, and how to get the same.
pub(crate) fn show(demo: &Demo, ingested: &Ingested, histories: &Histories, once: bool, screen: &Screen) {
    counts(ingested, screen);
    for (customer, history) in histories {
        heading(&format!("Customer {customer} ({})", demo.source(customer)), screen);
        for line in Table::of(history).lines(screen) {
            screen.line(&format!("  {line}"));
        }
    }
    if once {
        heading("The same by HTTP, while the demo runs (without --once it stays until Ctrl-C)", screen);
    } else {
        heading("The same by HTTP", screen);
    }
    for line in curl(demo) {
        screen.line(&format!("  {line}"));
    }
    if !once {
        heading("Open until Ctrl-C", screen);
        addresses(demo, screen);
    }
}

fn heading(text: &str, screen: &Screen) {
    screen.line(&format!("\n{}", screen.paint(Look::Bold, text)));
}

fn counts(ingested: &Ingested, screen: &Screen) {
    heading("Events", screen);
    let reasons: Vec<String> =
        ingested.rejects.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let rejected = ingested.rejects.values().sum();
    let lines = [
        ("read", ingested.records, Look::Bold, String::new()),
        ("stored", ingested.stored, Look::Good, String::new()),
        ("rejected", rejected, Look::Bad, reasons.join(", ")),
    ];
    for (name, count, look, remark) in lines {
        let count = screen.paint(look, &format!("{:>9}", thousands(count)));
        screen.line(&format!("  {name:8} {count}   {}", screen.paint(Look::Dim, &remark)));
    }
}

/// A command for a shell. It is pasted as it stands.
fn curl(demo: &Demo) -> [String; 3] {
    let url = format!("http://127.0.0.1:{}/v1/billing/service_usage/history", demo.service().http_port());
    [
        format!("curl -sS {url} \\"),
        format!("  -H 'X-User-Agent: curl' -H 'X-Product-Name: demo' -H 'X-Customer: {CUSTOMER}' \\"),
        format!("  -H 'X-Client-Authorization: {}'", demo.site().token()),
    ]
}

/// Where Prometheus is.
fn prometheus(demo: &Demo) -> String {
    let not_installed = || "not installed: Debian's package prometheus".to_owned();
    demo.prometheus().map_or_else(not_installed, |server| format!("{}/alerts", server.url()))
}

/// How the dashboards get into a Grafana.
fn dashboards(demo: &Demo) -> String {
    let source = demo.prometheus().map_or_else(|| "a Prometheus".to_owned(), Prometheus::url);
    format!("import deploy/grafana/dashboards/*.json, data source {source}")
}

fn addresses(demo: &Demo, screen: &Screen) {
    let service = demo.service();
    let log = demo.site().dir().join("serve.log");
    let log = log.strip_prefix(workspace_dir()).unwrap_or(&log).display().to_string();
    let lines = [
        ("history", format!("http://127.0.0.1:{}/v1/billing/service_usage/history", service.http_port())),
        ("picture", format!("http://127.0.0.1:{}/ui/, customer {CUSTOMER}", service.http_port())),
        ("readiness", format!("http://127.0.0.1:{}/readyz", service.http_port())),
        ("metrics", format!("http://127.0.0.1:{}/metrics", service.metrics_port())),
        ("Prometheus", prometheus(demo)),
        ("Grafana", dashboards(demo)),
        ("ClickHouse", format!("{}/play, database {TOPIC}", demo.stack().clickhouse().http_url())),
        ("Kafka", format!("{}, topic {TOPIC}", demo.stack().kafka().bootstrap())),
        ("log", log),
    ];
    for (name, address) in lines {
        screen.line(&format!("  {:11}{}", name, screen.paint(Look::Name, &address)));
    }
}
