//! A browser of one test.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use meterhouse_tests::{owned, scratch_dir};
use nix::unistd::geteuid;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use ureq::http::Method;
use url::Url;

/// What the driver prints before its port.
const STARTED: &str = "started successfully on port ";
/// Time for the browser to close by itself.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A browser with a profile of its own.
///
/// It ends with its owner, however that ends: the kernel kills the driver when the thread that started it is gone, and
/// the browser when the driver is.
#[derive(Debug)]
pub(crate) struct Browser {
    runtime: Runtime,
    client: Client,
    driver: Driver,
    _profile: TempDir,
}

impl Browser {
    pub(crate) fn start() -> Result<Self> {
        let profile = scratch_dir("chromium")?;
        let driver = Driver::start()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(profile.path())?);
        let address = format!("http://127.0.0.1:{}", driver.port);
        let client = runtime.block_on(builder.connect(&address)).context("start chromium")?;
        Ok(Self { runtime, client, driver, _profile: profile })
    }

    pub(crate) fn open(&self, url: &str) -> Result<()> {
        Ok(self.runtime.block_on(self.client.goto(url))?)
    }

    pub(crate) fn reload(&self) -> Result<()> {
        Ok(self.runtime.block_on(self.client.refresh())?)
    }

    /// The value of a JavaScript function's body, which may await; `args` are its arguments.
    pub(crate) fn run(&self, body: &str, args: &[Value]) -> Result<Value> {
        let script = format!(
            "const done = [...arguments].pop();
             (async (...args) => {{ {body} }})(...arguments)
               .then((value) => done({{ value }}), (error) => done({{ error: String(error) }}));"
        );
        let outcome = self.runtime.block_on(self.client.execute_async(&script, args.to_vec()))?;
        match outcome.get("error") {
            Some(error) => bail!("{error} in {body}"),
            None => Ok(outcome["value"].clone()),
        }
    }

    /// The text that a person sees in an element.
    pub(crate) fn text(&self, selector: &str) -> Result<String> {
        Ok(self.runtime.block_on(async { self.client.find(Locator::Css(selector)).await?.text().await })?)
    }

    pub(crate) fn click(&self, selector: &str) -> Result<()> {
        let clicked = async { self.client.find(Locator::Css(selector)).await?.click().await };
        self.runtime.block_on(clicked).with_context(|| format!("click {selector}"))
    }

    /// Replaces the text of a field.
    pub(crate) fn fill(&self, selector: &str, text: &str) -> Result<()> {
        let filled = async {
            let field = self.client.find(Locator::Css(selector)).await?;
            field.clear().await?;
            field.send_keys(text).await
        };
        self.runtime.block_on(filled).with_context(|| format!("fill {selector}"))
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) -> Result<()> {
        Ok(self.runtime.block_on(async { self.client.active_element().await?.send_keys(keys).await })?)
    }

    /// A command of the browser's own protocol for developers.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Result<Value> {
        let body = json!({"cmd": command, "params": parameters});
        self.extension("goog/cdp/execute", body).with_context(|| command.to_owned())
    }

    /// What has been logged since the last question: `browser` is its console, `performance` tells every request.
    pub(crate) fn log(&self, kind: &str) -> Result<Vec<Value>> {
        let log = self.extension("se/log", json!({"type": kind}))?;
        log.as_array().cloned().with_context(|| format!("no log: {log}"))
    }

    fn extension(&self, path: &'static str, body: Value) -> Result<Value> {
        Ok(self.runtime.block_on(self.client.issue_cmd(Extension { path, body }))?)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let client = self.client.clone();
        // What does not close is killed.
        let _ = self.runtime.block_on(async { tokio::time::timeout(CLOSE_TIMEOUT, client.close()).await });
        self.driver.kill();
    }
}

/// A command that only this driver has.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// `chromedriver` on a port that it chooses.
#[derive(Debug)]
struct Driver {
    child: Child,
    port: u16,
}

impl Driver {
    fn start() -> Result<Self> {
        let mut command = owned("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let child = command.spawn().context("start setsid, of Debian's package util-linux")?;
        let mut driver = Self { child, port: 0 };
        let output = driver.child.stdout.take().context("no output")?;
        for line in BufReader::new(output).lines() {
            if let Some((_, port)) = line?.split_once(STARTED) {
                driver.port = port.trim_end_matches('.').parse()?;
                return Ok(driver);
            }
        }
        bail!("chromedriver, of Debian's package chromium-driver, does not start")
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.kill();
    }
}

fn capabilities(profile: &Path) -> Result<Capabilities> {
    let mut arguments = vec![
        "--headless=new".to_owned(),
        format!("--user-data-dir={}", profile.join("data").display()),
        "--window-size=1280,1000".to_owned(),
        "--lang=en".to_owned(),
        // Containers have little shared memory, and no graphics card.
        "--disable-dev-shm-usage".to_owned(),
        "--disable-gpu".to_owned(),
    ];
    if geteuid().is_root() {
        // Chromium refuses to isolate its processes for root, as whom tests run in a container.
        arguments.push("--no-sandbox".to_owned());
    }
    let options = json!({"binary": launcher(profile)?, "args": arguments});
    let capabilities = json!({
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    });
    capabilities.as_object().cloned().context("no object")
}

/// A program that becomes the browser, and has the kernel kill it when the driver is gone.
fn launcher(profile: &Path) -> Result<String> {
    let path = profile.join("chromium");
    fs::write(&path, "#!/bin/sh\nexec setpriv --pdeathsig KILL -- chromium \"$@\"\n")?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path.to_string_lossy().into_owned())
}
