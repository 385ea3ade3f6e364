//! The allocator of the process.
//!
//! Batches are large vectors that come and go, and librdkafka allocates for every message: both cost less with mimalloc, which
//! takes the place of `malloc` for all code of the process.
#![expect(unsafe_code, reason = "mimalloc's options have no safe form")]

use std::ffi::{c_int, c_long};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` in `mimalloc.h`.
const PURGE_DELAY: c_int = 15;
/// The next batch needs what the last one has freed. After the default of a second its pages may be back with the system,
/// and come from there filled with zeros: up to a fifth of all that ingest costs. All of it goes at once, so the delay is long
/// beside the time of a batch.
const PURGE_DELAY_MS: c_long = 30_000;

/// Keeps freed memory for a while. Called first of all.
pub(crate) fn keep_freed_memory() {
    // SAFETY: it sets a number, and takes no pointer.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, PURGE_DELAY_MS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another version may number its options anew.
    #[test]
    fn the_option_is_the_one_with_that_default() {
        // SAFETY: as above.
        let get = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(get(), 1000);
        keep_freed_memory();
        assert_eq!(get(), PURGE_DELAY_MS);
    }
}
