//! A TCP proxy in front of a server, which fails in the ways of a network.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use meterhouse_localstack::Port;
use nix::sys::socket::{setsockopt, sockopt};

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What becomes of bytes on their way. All but [`Mode::Pass`] are in force until another is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They pass.
    Pass,
    /// Connections are reset, new ones too.
    Cut,
    /// They are held; connections stay open.
    Stall,
    /// Requests pass, answers are swallowed; with the first swallowed one the connection is reset: the request is
    /// served, and nobody learns of it.
    DropAnswers,
    /// So many bytes of requests pass on each connection, then it is reset.
    HalfWrite(usize),
    /// They pass after a while, each way.
    Delay(Duration),
}

/// A proxy on a free port of 127.0.0.1, which ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: Port,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    /// Counts changes of the mode: what a connection may still do under [`Mode::HalfWrite`] begins anew with each.
    changes: u64,
    is_over: bool,
    connections: Vec<Connection>,
    accepted: u64,
    broken: u64,
}

/// Both ends of a connection, to reset them.
#[derive(Debug, Clone)]
struct Connection(Arc<(TcpStream, TcpStream)>);

impl Proxy {
    /// Passes connections on to a port of 127.0.0.1, where nothing has to listen yet.
    ///
    /// # Errors
    /// There is no free port.
    pub fn to(target: u16) -> Result<Self> {
        let port = Port::free()?;
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).context("listen as a proxy")?;
        let state = State {
            mode: Mode::Pass,
            changes: 0,
            is_over: false,
            connections: Vec::new(),
            accepted: 0,
            broken: 0,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener, target)
        });
        Ok(Self { port, shared })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Its address, `127.0.0.1:20123`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    /// Goes on in another way.
    pub fn set(&self, mode: Mode) {
        let mut state = self.shared.lock();
        state.mode = mode;
        state.changes += 1;
        if mode == Mode::Cut {
            state.break_all();
        }
        self.shared.changed.notify_all();
    }

    /// How many connections were reset, or were cut in the middle of a request or an answer.
    pub fn broken(&self) -> u64 {
        self.shared.lock().broken
    }

    /// How many connections there were.
    pub fn accepted(&self) -> u64 {
        self.shared.lock().accepted
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_over = true;
        state.break_all();
        drop(state);
        self.shared.changed.notify_all();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port.number()));
    }
}

impl State {
    fn knows(&self, connection: &Connection) -> bool {
        self.connections.iter().any(|other| Arc::ptr_eq(&other.0, &connection.0))
    }

    fn break_all(&mut self) {
        for connection in std::mem::take(&mut self.connections) {
            self.broken += 1;
            connection.reset();
        }
    }

    fn break_one(&mut self, connection: &Connection) {
        let before = self.connections.len();
        self.connections.retain(|other| !Arc::ptr_eq(&other.0, &connection.0));
        self.broken += (before - self.connections.len()) as u64;
        connection.reset();
    }
}

impl Connection {
    /// Ends both directions. Nothing is said to either side before the sockets are closed, which then is a reset.
    fn reset(&self) {
        for stream in [&self.0.0, &self.0.1] {
            let linger = nix::libc::linger { l_onoff: 1, l_linger: 0 };
            let _ = setsockopt(stream, sockopt::Linger, &linger);
            let _ = stream.shutdown(Shutdown::Read);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener, target: u16) {
        for client in listener.incoming().map_while(Result::ok) {
            let mut state = self.lock();
            if state.is_over {
                return;
            }
            state.accepted += 1;
            drop(state);
            let shared = Arc::clone(self);
            thread::spawn(move || shared.join(client, target));
        }
    }

    /// Joins a client to the server. A server that stands still does not even take a connection once its backlog is
    /// full: this waits for it without the lock, and not at all if nobody is to be reached.
    fn join(self: &Arc<Self>, client: TcpStream, target: u16) {
        let server = (!self.is_cut()).then(|| connect(target)).and_then(Result::ok);
        let mut state = self.lock();
        let Some(server) = server.filter(|_| state.mode != Mode::Cut && !state.is_over) else {
            // Nobody is there: the client sees its connection end.
            state.broken += 1;
            return;
        };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let connection = Connection(Arc::new((client, server)));
        state.connections.push(connection.clone());
        drop(state);
        for is_request in [true, false] {
            let (shared, connection) = (Arc::clone(self), connection.clone());
            thread::spawn(move || shared.pump(&connection, is_request));
        }
    }

    fn is_cut(&self) -> bool {
        self.lock().mode == Mode::Cut
    }

    /// Passes bytes on in one direction, until either side ends.
    fn pump(&self, connection: &Connection, is_request: bool) {
        let (client, server) = (&connection.0.0, &connection.0.1);
        let (mut from, mut to) = if is_request { (client, server) } else { (server, client) };
        let mut buffer = vec![0; 64 * 1024];
        // Requests' bytes since the last change of the mode, and which change that was.
        let mut passed = (0, 0);
        loop {
            let read = match from.read(&mut buffer) {
                Ok(read @ 1..) => read,
                // The other direction may go on: a client that has said all waits for its answer.
                Ok(_) if self.lock().knows(connection) => {
                    let _ = to.shutdown(Shutdown::Write);
                    break;
                }
                Ok(_) => break,
                Err(_) => break,
            };
            match self.pass(connection, &mut to, &buffer[..read], is_request, &mut passed) {
                Ok(true) => {}
                Ok(false) | Err(_) => {
                    self.lock().break_one(connection);
                    break;
                }
            }
        }
        // The server has no more to say: nothing is left to be broken.
        if !is_request {
            self.lock().connections.retain(|other| !Arc::ptr_eq(&other.0, &connection.0));
        }
    }

    /// Passes bytes on as the mode wants. False: the connection is to be broken.
    fn pass(
        &self,
        connection: &Connection,
        to: &mut impl Write,
        bytes: &[u8],
        is_request: bool,
        passed: &mut (u64, usize),
    ) -> io::Result<bool> {
        let (mode, changes) = self.wait_while_stalled(connection);
        match mode {
            Mode::Cut => return Ok(false),
            Mode::DropAnswers if !is_request => return Ok(false),
            Mode::Delay(time) => thread::sleep(time),
            Mode::HalfWrite(most) if is_request => {
                if passed.0 != changes {
                    *passed = (changes, 0);
                }
                let left = most.saturating_sub(passed.1).min(bytes.len());
                passed.1 += left;
                to.write_all(&bytes[..left])?;
                return Ok(left == bytes.len());
            }
            Mode::Pass | Mode::Stall | Mode::DropAnswers | Mode::HalfWrite(_) => {}
        }
        to.write_all(bytes).map(|()| true)
    }

    /// The mode, once it lets bytes go on, or the connection is broken.
    fn wait_while_stalled(&self, connection: &Connection) -> (Mode, u64) {
        let mut state = self.lock();
        while state.mode == Mode::Stall && !state.is_over {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        (if state.knows(connection) { state.mode } else { Mode::Cut }, state.changes)
    }
}

fn connect(target: u16) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, target)), CONNECT_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// A server that answers each line with the same line, and a proxy before it.
    fn echo() -> Proxy {
        use std::io::{BufRead, BufReader};
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Proxy::to(listener.local_addr().unwrap().port()).unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || {
                    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                    lines.map_while(Result::ok).try_for_each(|line| writeln!(stream, "{line}"))
                });
            }
        });
        proxy
    }

    fn client(proxy: &Proxy) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        stream
    }

    fn ask(stream: &mut TcpStream, line: &str) -> io::Result<String> {
        stream.write_all(line.as_bytes())?;
        let mut answer = vec![0; line.len()];
        stream.read_exact(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    #[test]
    fn it_passes_delays_and_holds() {
        let proxy = echo();
        let mut stream = client(&proxy);
        assert_eq!(ask(&mut stream, "one\n").unwrap(), "one\n");
        proxy.set(Mode::Delay(Duration::from_millis(50)));
        assert_eq!(ask(&mut stream, "two\n").unwrap(), "two\n");
        proxy.set(Mode::Stall);
        let error = ask(&mut stream, "three\n").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        proxy.set(Mode::Pass);
        let mut answer = [0; 6];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!((&answer, proxy.accepted(), proxy.broken()), (b"three\n", 1, 0));
    }

    #[test]
    fn what_is_cut_is_reset() {
        for mode in [Mode::Cut, Mode::DropAnswers, Mode::HalfWrite(2)] {
            let proxy = echo();
            let mut stream = client(&proxy);
            assert_eq!(ask(&mut stream, "one\n").unwrap(), "one\n");
            proxy.set(mode);
            let error = ask(&mut stream, "two\n").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{mode:?}");
            assert_eq!(proxy.broken(), 1, "{mode:?}");
            if mode == Mode::Cut {
                assert!(ask(&mut client(&proxy), "three\n").is_err());
            }
            proxy.set(Mode::Pass);
            assert_eq!(ask(&mut client(&proxy), "four\n").unwrap(), "four\n", "{mode:?}");
        }
    }

    /// A server that does not accept: its backlog fills up, and more connections than fit wait.
    #[test]
    fn it_can_be_set_while_the_server_stands_still() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        nix::sys::socket::listen(&server, nix::sys::socket::Backlog::new(1).unwrap()).unwrap();
        let proxy = Proxy::to(server.local_addr().unwrap().port()).unwrap();
        let clients: Vec<TcpStream> = (0..8).map(|_| client(&proxy)).collect();
        while proxy.accepted() < clients.len() as u64 {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(50));
        let begun = Instant::now();
        proxy.set(Mode::Cut);
        assert!(begun.elapsed() < CONNECT_TIMEOUT / 2);
    }
}
