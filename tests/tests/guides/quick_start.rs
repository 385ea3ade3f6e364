//! The lines of docs/quick-start.md, but for what only a person needs: compiling, ports, names.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::{Port, workspace_dir};
use meterhouse_tests::{guides, meterhouse, owned, scratch_dir, shared};

/// Name of topic, group and database.
const NAME: &str = "quick_start";
/// What the test has done by itself.
const PASSED_OVER: [&str; 5] = ["make ", "export PATH", "cd ..", "python3 -m venv", "venv/bin/pip"];

/// Blocks of a language, one after the other.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let found = page.split(&fence).skip(1).filter_map(|block| block.split_once("```"));
    found.map(|(block, _)| block.to_owned()).collect()
}

fn script(page: &str, port: u16) -> String {
    let wanted = |line: &&str| !PASSED_OVER.iter().any(|start| line.starts_with(start));
    let lines = blocks(page, "sh").concat().lines().filter(wanted).collect::<Vec<_>>().join("\n");
    lines
        .replace("127.0.0.1:9092", &shared().kafka().bootstrap())
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"))
        .replace("usage-events", NAME)
        .replace("../docs/", &format!("{}/", workspace_dir().join("docs").display()))
        .replace("venv/bin/python", "python3 -B")
}

#[test]
fn its_lines_lead_to_the_answer_that_it_shows() -> Result<()> {
    let dir = scratch_dir("quick-start")?;
    // What is started in the background ends with the shell, however that ends.
    let program = dir.path().join("meterhouse");
    let text = format!("#!/bin/sh\nexec setpriv --pdeathsig KILL -- '{}' \"$@\"\n", meterhouse()?.display());
    fs::write(&program, text)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH")?);

    let page = fs::read_to_string(workspace_dir().join("docs/quick-start.md"))?;
    let (http, metrics) = (Port::free()?, Port::free()?);
    let mut shell = owned("bash");
    shell.args(["-euc", &script(&page, http.number())]);
    shell.current_dir(dir.path()).env("PATH", path);
    shell.env("PYTHONPATH", guides::python_packages()?);
    for (key, value) in [
        ("KAFKA__BROKERS", shared().kafka().bootstrap()),
        ("KAFKA__TOPIC", NAME.to_owned()),
        ("KAFKA__GROUP_ID", NAME.to_owned()),
        ("CLICKHOUSE__URL", shared().clickhouse().http_url()),
        ("CLICKHOUSE__DATABASE", NAME.to_owned()),
        ("HTTP__LISTEN", format!("127.0.0.1:{}", http.number())),
        ("METRICS__LISTEN", format!("127.0.0.1:{}", metrics.number())),
    ] {
        shell.env(format!("METERHOUSE_{key}"), value);
    }
    let output = shell.output().context("run bash")?;
    let (told, failed) = (String::from_utf8(output.stdout)?, String::from_utf8_lossy(&output.stderr));
    let log = fs::read_to_string(dir.path().join("my-meter/serve.log")).unwrap_or_default();
    ensure!(output.status.success(), "{}\n{told}\n{failed}\n{log}", output.status);
    let answers = blocks(&page, "text");
    assert_eq!(answers.len(), 1);
    for answer in answers.iter().map(|answer| answer.trim()).chain(["missing_member", "invalid_json"]) {
        assert!(told.contains(answer), "{answer}\n{told}");
    }
    Ok(())
}
