//! Memory of encoded rows, which the next batch uses again.
//!
//! A batch of a busy second has tens of MiB. Memory that comes anew from the system is filled with zeros first, page by page:
//! that would be a twentieth of all that ingest costs.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Room for one buffer that nobody uses. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spare(Arc<Mutex<Vec<u8>>>);

/// Bytes that leave their memory behind.
struct Borrowed {
    bytes: Vec<u8>,
    home: Spare,
}

impl Spare {
    /// An empty buffer with room for so many bytes.
    pub(crate) fn take(&self, capacity: usize) -> Vec<u8> {
        let mut buffer = mem::take(&mut *self.buffer());
        // To let it grow would copy what is in it.
        if buffer.capacity() < capacity {
            return Vec::with_capacity(capacity);
        }
        buffer.clear();
        buffer
    }

    /// Bytes whose memory comes back when nobody needs them any more.
    pub(crate) fn lend(&self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Borrowed { bytes, home: self.clone() })
    }

    fn buffer(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Borrowed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        *self.home.buffer() = mem::take(&mut self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_with_the_last_of_its_users() {
        let spare = Spare::default();
        let mut buffer = spare.take(1000);
        let memory = buffer.as_ptr();
        buffer.extend_from_slice(b"rows");
        let bytes = spare.lend(buffer);
        let part = bytes.slice(1..);
        drop(bytes);
        let meanwhile = spare.take(1000);
        assert_ne!(meanwhile.as_ptr(), memory, "somebody still reads it");
        assert_eq!(&part[..], b"ows");
        drop(part);
        let again = spare.take(1000);
        assert_eq!((again.as_ptr(), again.len()), (memory, 0));
    }
}
