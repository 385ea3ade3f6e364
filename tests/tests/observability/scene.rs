//! Real servers and the service, watched by a real Prometheus while everything happens that is measured.

use anyhow::{Context, Result, ensure};
use meterhouse_tests::usages::{Usages, usage};
use meterhouse_tests::{Message, Prometheus, Service, Site, Token, Usage, shared, wait};
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

const MIRROR: &str = "observability_rejects";
const PERMITS: [&str; 4] =
    ["Billing:Api:ServiceUsageHistory:Show", "#billing:read", "usages:read", "usages:write"];

/// What runs. Prometheus ends first.
pub(crate) struct Scene {
    prometheus: Prometheus,
    pub(crate) service: Service,
    pub(crate) site: Site,
}

impl Scene {
    /// Starts everything. Nothing has happened before the first scrape: a rate needs a zero to start from.
    pub(crate) fn begin() -> Result<Self> {
        let mut site = Site::new("observability")?;
        shared().kafka().create_topic(MIRROR, 1)?;
        site.set("ingest.mirror_topic", MIRROR)?;
        site.set("verify.interval_seconds", 1)?;
        site.write_catalog("code,service\ncpu,compute\n")?;
        site.write_subscriptions("subscription,customer,start,expires\nowned,c,,\n")?;
        site.use_token(Token { permits: PERMITS.map(str::to_owned).to_vec(), ..Token::new("mh_observed") })?;
        let service = site.serve()?;
        let clickhouse = shared().clickhouse().http_port();
        let prometheus = Prometheus::start(site.dir(), service.metrics_port(), clickhouse)?;
        let scene = Self { prometheus, service, site };
        let scraped = || scene.ask("count(up == 1) == 2");
        wait::until_is("both targets to be scraped", scraped, |found| !found.is_empty())?;
        Ok(scene)
    }

    /// Has everything happen: usage of every kind comes in, is asked for, written, changed and deleted.
    pub(crate) fn act(&self) -> Result<()> {
        let event = Usage::default().with("EventId", "e");
        let changed = |action, revision: &str| {
            event.clone().with("Action", action).with_json("Revision", revision).with("Units", "2")
        };
        let usages = [
            Usage::default(),
            Usage::default().without("Customer").with("SubscriptionReference", "owned"),
            Usage::default().without("Customer").with("SubscriptionReference", "nobody's"),
            event.clone(),
            event.clone(),
            event.clone().with("Units", "3"),
            changed("amend", "1"),
            changed("delete", "2"),
            Usage::default().with("Units", "-1"),
        ];
        let mut messages: Vec<Message> = usages.iter().map(Usage::message).collect();
        messages.push(Message::new("S", "no JSON"));
        self.site.publisher()?.publish(&messages)?;
        self.site.wait_consumed()?;
        self.ask_and_write()?;
        self.site.write_catalog("code,service\ncpu,processors\n")?;
        self.site.wait_rolled_up()?;
        Ok(())
    }

    /// Asks for a history.
    pub(crate) fn ask_history(&self) -> Result<Value> {
        self.service.client().history(self.site.token(), "c")
    }

    /// Requests with every kind of answer.
    fn ask_and_write(&self) -> Result<()> {
        let (client, token) = (self.service.client(), self.site.token());
        ensure!(client.ask_history("mh_nobody's", "c", "")?.status == 401);
        ensure!(client.get("/nowhere")?.status == 404);
        let usages = Usages::new(client, token);
        let saved = usages.saved("owned", &json!([usage("cpu", "17:00:00", 1)]))?;
        let reference = &saved.first().context("nothing saved")?["UsageReference"];
        ensure!(usages.update("owned", reference, &json!({"Units": 2}))?.status == 200);
        ensure!(usages.list("owned", "?Page=1&Limit=10")?.status == 200);
        ensure!(usages.delete("owned", &format!("?UsageReference={reference}"))?.status == 200);
        Ok(())
    }

    /// What Prometheus answers to a query.
    pub(crate) fn ask(&self, query: &str) -> Result<Vec<Value>> {
        let query: String = byte_serialize(query.as_bytes()).collect();
        let data = self.get(&format!("query?query={query}"))?;
        Ok(data["result"].as_array().cloned().unwrap_or_default())
    }

    /// The values of a label, of some series or all.
    pub(crate) fn values(&self, label: &str, series: Option<&str>) -> Result<Vec<String>> {
        let chosen = series.map(|series| {
            let series: String = byte_serialize(series.as_bytes()).collect();
            format!("?match[]={series}")
        });
        let values = self.get(&format!("label/{label}/values{}", chosen.unwrap_or_default()))?;
        Ok(serde_json::from_value(values)?)
    }

    /// The data of an answer of its API.
    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        let reply = self.prometheus.client().get(&format!("/api/v1/{path}"))?;
        let mut answer = reply.json()?;
        ensure!(answer["status"] == "success", "{path}: {answer}");
        Ok(answer["data"].take())
    }
}
