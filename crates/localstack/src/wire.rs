//! The few requests of Kafka's protocol that a stack needs: is the broker there, create a topic.
//!
//! Spoken by hand because a Java tool takes two seconds for each, and a client library would be a large
//! dependency for three messages. Source: Kafka protocol guide, request header v1, Metadata v1 and
//! CreateTopics v2 (the oldest that Kafka 4 knows).

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

const METADATA: (i16, i16) = (3, 1);
const CREATE_TOPICS: (i16, i16) = (19, 2);
const TIMEOUT: Duration = Duration::from_secs(10);
/// Far above any answer of a local broker.
const RESPONSE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The number of brokers that accept work, as the broker at `port` knows it.
pub(crate) fn live_brokers(port: u16) -> io::Result<usize> {
    let no_topics = 0i32.to_be_bytes();
    let response = call(port, METADATA, &no_topics)?;
    Reader(&response).count()
}

/// The number of partitions of `topic` that have a leader.
pub(crate) fn led_partitions(port: u16, topic: &str) -> io::Result<usize> {
    let mut body = 1i32.to_be_bytes().to_vec();
    put_text(&mut body, topic)?;
    let response = call(port, METADATA, &body)?;
    let mut reader = Reader(&response);
    for _ in 0..reader.count()? {
        reader.skip(4)?; // node id
        reader.text()?; // host
        reader.skip(4)?; // port
        reader.text()?; // rack
    }
    reader.skip(4)?; // controller id
    let mut led = 0;
    for _ in 0..reader.count()? {
        reader.skip(2)?; // error code: partitions without a leader show it too
        reader.text()?; // name
        reader.skip(1)?; // internal
        for _ in 0..reader.count()? {
            reader.skip(2 + 4)?; // error code, partition
            led += usize::from(reader.i32()? >= 0);
            for _ in 0..2 {
                let ids = reader.count()?; // replicas, then those in sync
                reader.skip(4 * ids)?;
            }
        }
    }
    Ok(led)
}

/// Creates a topic with one replica.
pub(crate) fn create_topic(
    port: u16,
    topic: &str,
    partitions: i32,
    configs: &[(&str, &str)],
) -> io::Result<()> {
    let mut body = 1i32.to_be_bytes().to_vec();
    put_text(&mut body, topic)?;
    body.extend(partitions.to_be_bytes());
    body.extend(1i16.to_be_bytes()); // replicas
    body.extend(0i32.to_be_bytes()); // no assignment of our own
    let count = i32::try_from(configs.len()).map_err(io::Error::other)?;
    body.extend(count.to_be_bytes());
    for (name, value) in configs {
        put_text(&mut body, name)?;
        put_text(&mut body, value)?;
    }
    body.extend(10_000i32.to_be_bytes()); // time limit in ms
    body.push(0); // for real, not only to validate
    let response = call(port, CREATE_TOPICS, &body)?;
    let mut reader = Reader(&response);
    reader.skip(4 + 4)?; // throttle time, one topic
    let name = reader.text()?;
    match reader.i16()? {
        0 => Ok(()),
        code => Err(io::Error::other(format!("topic {name}: error {code}: {}", reader.text()?))),
    }
}

fn call(port: u16, (api, version): (i16, i16), body: &[u8]) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    message.extend(api.to_be_bytes());
    message.extend(version.to_be_bytes());
    message.extend(1i32.to_be_bytes()); // correlation id: one request a connection
    put_text(&mut message, "localstack")?;
    message.extend(body);
    let size = i32::try_from(message.len()).map_err(io::Error::other)?;

    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(&[&size.to_be_bytes(), message.as_slice()].concat())?;
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let size = usize::try_from(i32::from_be_bytes(size)).map_err(io::Error::other)?;
    if size > RESPONSE_BYTES_MAX {
        return Err(io::Error::other(format!("an answer of {size} bytes")));
    }
    let mut response = vec![0; size];
    stream.read_exact(&mut response)?;
    Ok(response.split_off(4.min(size))) // behind the correlation id
}

fn put_text(out: &mut Vec<u8>, text: &str) -> io::Result<()> {
    let length = i16::try_from(text.len()).map_err(io::Error::other)?;
    out.extend(length.to_be_bytes());
    out.extend(text.as_bytes());
    Ok(())
}

/// Reads big-endian values off the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
        self.0 = rest;
        Ok(*head)
    }

    fn i16(&mut self) -> io::Result<i16> {
        self.take().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> io::Result<i32> {
        self.take().map(i32::from_be_bytes)
    }

    /// An array's length; null (-1) counts as empty.
    fn count(&mut self) -> io::Result<usize> {
        Ok(usize::try_from(self.i32()?).unwrap_or(0))
    }

    fn skip(&mut self, bytes: usize) -> io::Result<()> {
        self.0 = self.0.get(bytes..).ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(())
    }

    /// A text with its length before it; null (-1) counts as empty.
    fn text(&mut self) -> io::Result<String> {
        let length = usize::try_from(self.i16()?).unwrap_or(0);
        let bytes = self.0.get(..length).ok_or(io::ErrorKind::UnexpectedEof)?;
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.skip(length)?;
        Ok(text)
    }
}
