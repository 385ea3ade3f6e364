//! `localstack up` and `down`, as a person runs them.

use std::{
    fs, io,
    net::{TcpListener, TcpStream},
    os::unix::fs::symlink,
    path::PathBuf,
    process::{self, Command, Output},
    thread,
    time::{Duration, Instant},
};

/// A folder of its own with the downloads of the real one, and three free ports.
struct Person {
    dir: PathBuf,
    ports: [u16; 3],
}

impl Person {
    fn new(name: &str) -> Result<Self, Box<dyn std::error::Error>> {
        meterhouse_localstack::setup()?;
        let local = meterhouse_localstack::local_dir();
        let dir = local.join(format!("run/up-{name}-{}", process::id()));
        fs::create_dir_all(&dir)?;
        for download in ["kafka", "clickhouse"] {
            symlink(local.join(download), dir.join(download))?;
        }
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0"));
        let mut ports = [0; 3];
        for (port, listener) in ports.iter_mut().zip(listeners) {
            *port = listener?.local_addr()?.port();
        }
        Ok(Self { dir, ports })
    }

    fn run(&self, command: &str) -> io::Result<Output> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_localstack"));
        process.arg(command).env("METERHOUSE_LOCAL_DIR", &self.dir);
        if command == "up" {
            for (name, port) in ["--kafka-port", "--http-port", "--tcp-port"].iter().zip(self.ports) {
                process.arg(name).arg(port.to_string());
            }
        }
        process.output()
    }

    fn answering(&self) -> usize {
        self.ports.iter().filter(|&&port| TcpStream::connect(("127.0.0.1", port)).is_ok()).count()
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.run("down");
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn up_returns_when_both_answer_and_down_ends_them() {
    let person = Person::new("down").unwrap();
    for _ in 0..2 {
        let up = person.run("up").unwrap();
        assert!(up.status.success(), "{}", text(&up));
        assert!(text(&up).contains(&format!("127.0.0.1:{}", person.ports[0])), "{}", text(&up));
        assert_eq!(person.answering(), 3);
        let second = person.run("up").unwrap();
        assert!(second.status.success() && text(&second).starts_with("already up"), "{}", text(&second));
        let down = person.run("down").unwrap();
        assert!(down.status.success(), "{}", text(&down));
        assert_eq!(person.answering(), 0);
    }
    assert_eq!(text(&person.run("down").unwrap()), "not running\n");
}

#[test]
fn a_taken_port_is_named() {
    let person = Person::new("taken").unwrap();
    let _taken = TcpListener::bind(("127.0.0.1", person.ports[1])).unwrap();
    let up = person.run("up").unwrap();
    assert_eq!(up.status.code(), Some(1));
    let expected = format!("port {} on 127.0.0.1 is in use by another program", person.ports[1]);
    assert!(text(&up).contains(&expected), "{}", text(&up));
    drop(up);
    assert_eq!(text(&person.run("down").unwrap()), "not running\n");
}

#[test]
fn a_killed_holder_takes_both_along_and_keeps_the_data() {
    let person = Person::new("killed").unwrap();
    assert!(person.run("up").unwrap().status.success());
    let holder = fs::read_to_string(person.dir.join("up/pid")).unwrap();
    assert!(Command::new("kill").args(["-9", holder.trim()]).status().unwrap().success());
    let begun = Instant::now();
    while person.answering() > 0 && begun.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(person.answering(), 0);
    assert!(person.dir.join("up/kafka/data/meta.properties").exists());
    let up = person.run("up").unwrap();
    assert!(up.status.success(), "{}", text(&up));
    assert_eq!(person.answering(), 3);
}
