//! Free TCP ports that stay ours while their server is down.
//!
//! They lie below the range from which the kernel gives local ports to outgoing connections (32768 and
//! up on Linux). Otherwise a client that keeps trying to reach a killed server could be given the very
//! port that it is calling, connect to itself and keep the server from binding it again. A lock on one
//! small file for each port keeps the stacks of several processes apart.

use std::{
    collections::hash_map::RandomState,
    fs::{self, File},
    hash::{BuildHasher, Hasher},
    net::{Ipv4Addr, TcpListener},
};

use crate::{Error, Result, paths};

const FIRST: u16 = 20_000;
const LAST: u16 = 31_999;

/// A port of 127.0.0.1, reserved until this is dropped: no other holder of a `Port` gets it, also while nothing
/// listens on it.
#[derive(Debug)]
pub struct Port {
    pub(crate) number: u16,
    _lock: Option<File>,
}

impl Port {
    /// Reserves any free port.
    pub fn free() -> Result<Self> {
        Self::reserve(0)
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Reserves `wanted`, or any free port if that is 0.
    pub(crate) fn reserve(wanted: u16) -> Result<Self> {
        if wanted != 0 {
            return match is_free(wanted) {
                true => Ok(Self { number: wanted, _lock: None }),
                false => Err(Error::PortInUse(wanted)),
            };
        }
        let dir = paths::local_dir().join("ports");
        fs::create_dir_all(&dir).map_err(Error::io(|| format!("create {}", dir.display())))?;
        let span = LAST - FIRST + 1;
        let start = random() % span;
        for step in 0..span {
            let number = FIRST + (start + step) % span;
            let path = dir.join(number.to_string());
            let lock = File::create(&path).map_err(Error::io(|| format!("create {}", path.display())))?;
            if lock.try_lock().is_ok() && is_free(number) {
                return Ok(Self { number, _lock: Some(lock) });
            }
        }
        Err(Error::NoFreePort(FIRST, LAST))
    }
}

/// Tells whether the port can be bound now. Old connections in TIME_WAIT do not count: the standard
/// library sets SO_REUSEADDR, as both servers do.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn random() -> u16 {
    // The low 16 bits of a hash with random keys; nothing depends on their quality.
    let bytes = RandomState::new().build_hasher().finish().to_le_bytes();
    u16::from_le_bytes([bytes[0], bytes[1]])
}
