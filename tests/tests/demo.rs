//! The demo, as a person runs it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::local_dir;
use meterhouse_tests::{Client, owned, scratch_dir, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// Columns of a usual terminal, and a bit.
const WIDTH_MAX: usize = 100;

/// A folder of its own with the downloads of the real one: another demo may be running there.
fn own_folder() -> Result<TempDir> {
    meterhouse_localstack::setup()?;
    let dir = scratch_dir("demo")?;
    for download in ["kafka", "clickhouse"] {
        symlink(local_dir().join(download), dir.path().join(download))?;
    }
    Ok(dir)
}

fn demo(dir: &TempDir, arguments: &[&str]) -> Command {
    let mut command = owned(env!("CARGO_BIN_EXE_demo"));
    command.args(["--events", "3000"]).args(arguments);
    command.env("METERHOUSE_LOCAL_DIR", dir.path()).stdin(Stdio::null());
    command
}

#[test]
fn once_it_shows_everything_and_ends_with_0() -> Result<()> {
    let dir = own_folder()?;
    let output = demo(&dir, &["--once"]).output()?;
    let text = String::from_utf8(output.stdout)?;
    assert_eq!(output.status.code(), Some(0), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    for part in [
        "4,000",
        "3,987",
        "12 negative_units",
        "1 missing_member",
        "Customer demo",
        "Customer 1234567890123",
        "Amazon Elastic Compute Cloud",
        "curl -sS http://127.0.0.1:",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH_MAX), "a line is too long\n{text}");
    assert!(!text.contains('\x1b'), "colours without a terminal");
    let months = text.lines().skip_while(|line| !line.contains("Customer demo")).skip(2);
    assert_eq!(months.take_while(|line| !line.is_empty()).count(), 24, "{text}");
    Ok(())
}

#[test]
fn until_ctrl_c_the_printed_command_works_as_it_stands() -> Result<()> {
    let dir = own_folder()?;
    let mut child = demo(&dir, &[]).stdout(Stdio::piped()).spawn()?;
    let mut output = BufReader::new(child.stdout.take().context("no output")?);
    let mut text = String::new();
    while !text.contains("\n  log") {
        ensure!(output.read_line(&mut text)? > 0, "the demo ended: {text}");
    }
    let (url, headers) = arguments_of_curl(&text)?;
    let (port, path) =
        url.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split_once('/')).context("no port")?;
    let port: u16 = port.parse()?;
    let headers: Vec<(&str, &str)> = headers.iter().filter_map(|header| header.split_once(": ")).collect();
    let reply = Client::new(port).send("GET", &format!("/{path}"), &headers, "")?;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json()?["service_usage_history"].as_array().map(Vec::len), Some(24));
    prometheus_watches(&text)?;
    // Only its hash is kept.
    let token = headers.iter().find(|(name, _)| *name == "X-Client-Authorization").context("no token")?.1;
    for entry in fs::read_dir(dir.path().join("demo"))?.flatten().filter(|entry| entry.path().is_file()) {
        assert!(
            !fs::read_to_string(entry.path())?.contains(token),
            "the token is in {}",
            entry.path().display()
        );
    }

    interrupt(&child)?;
    let status = wait::until("the end of the demo", || child.try_wait().ok().flatten())?;
    assert_eq!(status.code(), Some(0));
    output.read_to_string(&mut text)?;
    wait::until("the servers to end", || everything_is_closed(&text).then_some(()))
}

#[test]
fn ctrl_c_at_any_moment_leaves_nothing_behind() -> Result<()> {
    for moment in ["Meterhouse", "are running", "published the FOCUS", "generated events"] {
        let dir = own_folder()?;
        let mut child = demo(&dir, &[]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut output = BufReader::new(child.stdout.take().context("no output")?);
        let mut text = String::new();
        while !text.contains(moment) {
            ensure!(output.read_line(&mut text)? > 0, "the demo ended: {text}");
        }
        interrupt(&child)?;
        let status = wait::until("the end of the demo", || child.try_wait().ok().flatten())?;
        assert_eq!(status.code(), Some(130), "after {moment}");
        // A server that were still there would hold its folder as its working directory.
        let folder = fs::canonicalize(dir.path())?;
        wait::until("the servers to end", || processes_in(&folder).is_empty().then_some(()))?;
    }
    Ok(())
}

/// Prometheus is where the text says, and sees the service and the database.
fn prometheus_watches(text: &str) -> Result<()> {
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix("Prometheus "));
    let port = line.and_then(|line| line.trim().strip_prefix("http://127.0.0.1:")?.strip_suffix("/alerts"));
    let client = Client::new(port.with_context(|| format!("no address: {line:?}"))?.parse()?);
    let seen = || {
        let answer = client.get("/api/v1/query?query=sum(up)")?.json()?;
        Ok(answer["data"]["result"][0]["value"][1].clone())
    };
    wait::until_is("both targets to be scraped", seen, |sum| *sum == "2").map(|_| ())
}

/// Lets a shell read the printed command as it would if somebody pasted it, and returns its address and headers.
fn arguments_of_curl(text: &str) -> Result<(String, Vec<String>)> {
    let start = text.find("curl -sS").context("no command")?;
    let pasted: Vec<&str> = text[start..].lines().take(3).collect();
    let script = format!("curl() {{ printf '%s\\n' \"$@\"; }}\n{}", pasted.join("\n"));
    let output = Command::new("sh").args(["-c", &script]).output()?;
    let words = String::from_utf8(output.stdout)?;
    let words: Vec<&str> = words.lines().collect();
    let url = words.iter().find(|word| word.starts_with("http://")).context("no address")?;
    let headers = words.windows(2).filter(|pair| pair[0] == "-H").map(|pair| pair[1].to_owned());
    Ok(((*url).to_owned(), headers.collect()))
}

fn interrupt(child: &Child) -> Result<()> {
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).context("interrupt the demo")
}

/// Whether no address of a text is listened on any more.
fn everything_is_closed(text: &str) -> bool {
    let after = text.split("127.0.0.1:").skip(1);
    let ports =
        after.filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u16>().ok());
    ports.into_iter().all(|port| TcpStream::connect(("127.0.0.1", port)).is_err())
}

/// Processes that work in a folder or below it.
fn processes_in(folder: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let inside = entries
        .filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder)));
    inside.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
