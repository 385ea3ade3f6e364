//! Servers do not outlive their owner, and leave no data behind that nobody asked to keep.

use std::{
    env, fs,
    io::{self, BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use meterhouse_localstack::{ClickHouse, ClickHouseOptions, Stack, StackOptions};

const OWNER: &str = "METERHOUSE_TEST_OWNER";

/// Not a test of its own: what the killed process runs.
#[test]
fn owner() {
    let Ok(mode) = env::var(OWNER) else { return };
    let stack = Stack::start(StackOptions::default()).unwrap();
    if mode == "held" {
        stack.kafka().pause().unwrap();
        stack.clickhouse().pause().unwrap();
    }
    let (kafka, clickhouse) = (stack.kafka(), stack.clickhouse());
    for (pid, log) in [(kafka.pid(), kafka.log()), (clickhouse.pid(), clickhouse.log())] {
        println!("\nserver {} {}", pid.unwrap(), log.parent().unwrap().display());
    }
    if mode == "leaves" {
        std::process::exit(0); // without a drop
    }
    thread::sleep(Duration::from_secs(300));
}

fn start_owner(mode: &str) -> io::Result<(Child, Vec<(String, String)>)> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["owner", "--exact", "--nocapture"]).env(OWNER, mode).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let servers = BufReader::new(output).lines().map_while(Result::ok).filter_map(|line| {
        let (pid, dir) = line.strip_prefix("server ")?.split_once(' ')?;
        Some((format!("/proc/{pid}"), dir.to_owned()))
    });
    let servers = servers.take(2).collect();
    Ok((child, servers))
}

fn gone(path: &str) -> bool {
    let begun = Instant::now();
    while Path::new(path).exists() && begun.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(10));
    }
    !Path::new(path).exists()
}

#[test]
fn a_killed_owner_takes_its_servers_along() {
    for mode in ["runs", "held", "leaves"] {
        let (mut owner, servers) = start_owner(mode).unwrap();
        assert_eq!(servers.len(), 2, "{mode}");
        if mode != "leaves" {
            for (process, dir) in &servers {
                assert!(Path::new(process).exists() && Path::new(dir).exists(), "{mode}: {process} {dir}");
            }
            owner.kill().unwrap(); // SIGKILL
        }
        owner.wait().unwrap();
        for (process, dir) in &servers {
            assert!(gone(process), "{mode}: {process} is still there");
            assert!(gone(dir), "{mode}: {dir} is still there");
        }
    }
}

#[test]
fn a_given_folder_stays_and_is_taken_up_again() {
    let dir = meterhouse_localstack::local_dir().join(format!("run/kept-{}", std::process::id()));
    let options = ClickHouseOptions { data_dir: Some(dir.clone()), ..ClickHouseOptions::default() };
    let first = ClickHouse::launch(options.clone()).unwrap();
    first.query("CREATE DATABASE kept").unwrap();
    let pid = first.pid().unwrap();
    drop(first);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    let second = ClickHouse::launch(options).unwrap();
    assert_eq!(second.query("SELECT count() FROM system.databases WHERE name = 'kept'").unwrap(), "1\n");
    drop(second);
    fs::remove_dir_all(dir).unwrap();
}
