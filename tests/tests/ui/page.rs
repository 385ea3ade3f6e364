//! The page as a person uses it.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meterhouse_localstack::workspace_dir;
use meterhouse_tests::{Service, Site, Token, Usage, wait};
use serde_json::{Value, json};
use url::Url;

use crate::browser::Browser;

/// Where the pointer has to be for a month of the picture, given by its place.
const POINT: &str = "const chart = Chart.getChart('chart');
    const bar = chart.getDatasetMeta(0).data[args[0]];
    const { left, top } = chart.canvas.getBoundingClientRect();
    return [left + bar.x, top + chart.chartArea.top + 5];";

/// A browser in front of a service.
pub(crate) struct Page {
    pub(crate) browser: Browser,
    url: String,
}

impl Page {
    pub(crate) fn open(service: &Service) -> Result<Self> {
        let page = Self { browser: Browser::start()?, url: service.client().url("/ui/") };
        page.browser.open(&page.url)?;
        Ok(page)
    }

    /// Fills in the form and waits for the outcome.
    pub(crate) fn ask(&self, token: &str, customer: &str) -> Result<()> {
        self.browser.fill("#token", token)?;
        self.browser.fill("#customer", customer)?;
        self.send()
    }

    /// Presses the button and waits for the outcome.
    pub(crate) fn send(&self) -> Result<()> {
        self.browser.click("#question .primary")?;
        self.wait_answered()
    }

    pub(crate) fn wait_answered(&self) -> Result<()> {
        let outcome = || {
            let told = self.browser.text("#status").ok()? + &self.browser.text("#problem").ok()?;
            (!told.is_empty() && !told.starts_with("Asking")).then_some(())
        };
        wait::until("an answer on the page", outcome)
    }

    /// Chooses the months by the text of the choice.
    pub(crate) fn choose(&self, months: &str) -> Result<()> {
        // Typing selects the entry that begins like it, as for a person.
        self.browser.run("document.getElementById('range').focus()", &[])?;
        self.browser.press(months)
    }

    /// The rows of the table, head and foot included, each with its cells' texts.
    pub(crate) fn table(&self) -> Result<Vec<Vec<String>>> {
        let rows = self.browser.run(
            "return [...document.getElementById('table').rows].map((row) => [...row.cells].map((cell) => cell.textContent));",
            &[],
        )?;
        Ok(serde_json::from_value(rows)?)
    }

    /// The figures that are shown for a month while the pointer is over it, as name and figure.
    pub(crate) fn point(&self, month: usize) -> Result<Vec<[String; 2]>> {
        self.browser.run("document.getElementById('chart').scrollIntoView({ block: 'center' })", &[])?;
        let place = self.browser.run(POINT, &[json!(month)])?;
        let moved = json!({"type": "mouseMoved", "x": place[0], "y": place[1]});
        self.browser.devtools("Input.dispatchMouseEvent", &moved)?;
        let lines = wait::until_is(
            "the figures of a month",
            || {
                self.browser.run(
                    "return [...document.querySelectorAll('#tip:not([hidden]) li')].map((line) => [...line.children].map((part) => part.textContent));",
                    &[],
                )
            },
            |lines| lines.as_array().is_some_and(|lines| !lines.is_empty()),
        )?;
        Ok(serde_json::from_value(lines)?)
    }

    /// The number of pixels of each service's colour in the picture.
    pub(crate) fn painted(&self) -> Result<Vec<u64>> {
        let counts = self.browser.run(
            "const chart = Chart.getChart('chart');
             const { width, height } = chart.canvas;
             // Read from a copy: reading a canvas again and again makes the browser complain.
             const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
             copy.drawImage(chart.canvas, 0, 0);
             const { data } = copy.getImageData(0, 0, width, height);
             const pixels = new Map();
             for (let at = 0; at < data.length; at += 4) {
               const hex = '#' + [...data.slice(at, at + 3)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
               pixels.set(hex, (pixels.get(hex) ?? 0) + 1);
             }
             return chart.data.datasets.map(({ backgroundColor }) => pixels.get(backgroundColor) ?? 0);",
            &[],
        )?;
        Ok(serde_json::from_value(counts)?)
    }

    /// Pretends a setting of the person's system, such as `prefers-color-scheme`.
    pub(crate) fn prefer(&self, feature: &str, value: &str) -> Result<()> {
        let features = json!({"features": [{"name": feature, "value": value}]});
        self.browser.devtools("Emulation.setEmulatedMedia", &features).map(|_| ())
    }

    /// Makes the window so many pixels wide.
    pub(crate) fn resize(&self, width: u32, height: u32) -> Result<()> {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.browser.devtools("Emulation.setDeviceMetricsOverride", &size).map(|_| ())
    }

    /// Keeps a picture of the whole page, and prints where.
    pub(crate) fn keep_picture(&self, name: &str) -> Result<()> {
        let folder = workspace_dir().join("target/ui");
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}.png"));
        let taken =
            self.browser.devtools("Page.captureScreenshot", &json!({"captureBeyondViewport": true}))?;
        fs::write(&path, STANDARD.decode(taken["data"].as_str().context("no picture")?)?)?;
        println!("{}", path.display());
        Ok(())
    }

    /// Nothing was reported on the console, among it every breach of the page's policy, and nobody else was asked. A request
    /// that the service refuses is reported, too: only the given statuses may be there.
    pub(crate) fn is_quiet(&self, refusals: &[u16]) -> Result<()> {
        for entry in self.browser.log("browser")? {
            let message = entry["message"].as_str().unwrap_or_default();
            let is_refusal = refusals.iter().any(|status| message.contains(&format!("status of {status}")));
            ensure!(is_refusal, "on the console: {message}");
        }
        let asked = self.requests()?;
        let origin = Url::parse(&self.url)?.origin();
        ensure!(asked.len() > 5, "the log misses requests: {asked:?}");
        for url in asked {
            ensure!(url.origin() == origin, "it asked {url}");
        }
        Ok(())
    }

    /// The addresses that the page has asked since the last question.
    fn requests(&self) -> Result<BTreeSet<Url>> {
        let mut asked = BTreeSet::new();
        for entry in self.browser.log("performance")? {
            let event: Value = serde_json::from_str(entry["message"].as_str().context("no message")?)?;
            if event["message"]["method"] == "Network.requestWillBeSent" {
                let url = event["message"]["params"]["request"]["url"].as_str().context("no address")?;
                let url = Url::parse(url)?;
                // The browser's own pages and what is in the page itself are asked of nobody.
                if !matches!(url.scheme(), "chrome" | "chrome-extension" | "data" | "blob" | "about") {
                    asked.insert(url);
                }
            }
        }
        Ok(asked)
    }
}

/// The first instant of the month so many months ago.
pub(crate) fn months_ago(site: &Site, months: u32) -> Result<String> {
    let sql = format!("SELECT formatDateTime(toStartOfMonth(now('UTC')) - INTERVAL {months} MONTH, '%F %T')");
    Ok(site.query(&sql)?.trim().to_owned())
}

/// Usage of customer `c` in the month so many months ago.
pub(crate) fn usage(site: &Site, months: u32, option: &str, units: &str) -> Result<Usage> {
    let time = months_ago(site, months)?;
    Ok(Usage::default().between(&time, &time).with("OptionCode", option).with("Units", units))
}

/// A site where negative usage is allowed, and its service.
pub(crate) fn site(name: &str) -> Result<(Site, Service)> {
    let mut site = Site::new(name)?;
    site.set("ingest.allow_negative_units", true)?;
    site.use_token(Token::new("mh_it's \"secret\" $HOME"))?;
    let service = site.serve()?;
    Ok((site, service))
}

/// Publishes usage and waits until it is stored.
pub(crate) fn publish(site: &Site, usages: &[Usage]) -> Result<()> {
    let messages: Vec<_> = usages.iter().map(Usage::message).collect();
    site.publisher()?.publish(&messages)?;
    site.wait_consumed()
}
