//! A wall clock that can be set, for this process alone.
//!
//! ClickHouse asks the kernel's vDSO for the time, without libc in between, so nothing can be put before it. The vDSO's
//! own functions are overwritten instead: they jump to those below, which add what a file says to the kernel's time.
#![expect(unsafe_code, reason = "machine code is overwritten")]

use std::{
    ffi::CStr,
    fs::OpenOptions,
    num::NonZeroUsize,
    path::Path,
    ptr::{self, NonNull},
    sync::atomic::{AtomicI64, AtomicPtr, Ordering},
};

use anyhow::{Context, Result};
use libloading::os::unix::Library;
use nix::{
    libc::{self, CLOCK_REALTIME, SYS_clock_gettime, c_int, c_void, clockid_t, time_t, timespec, timeval},
    sys::mman::{MapFlags, ProtFlags, mmap, mprotect},
};

const VDSO: &str = "linux-vdso.so.1";
const PAGE_BYTES: usize = 4096;
/// Seconds to add: eight bytes of a file, mapped.
const OFFSET_BYTES: NonZeroUsize = NonZeroUsize::new(8).unwrap();
static OFFSET: AtomicPtr<AtomicI64> = AtomicPtr::new(ptr::null_mut());

/// From now on the wall clock of this process is off by the seconds in the file's first eight bytes, little-endian, at
/// any moment. The monotonic clocks stay right.
pub(crate) fn shift_clock(file: &Path) -> Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(file).context("open the clock's offset")?;
    let protection = ProtFlags::PROT_READ;
    // SAFETY: a mapping of its own, of a file that has those bytes. It stays for good.
    let offset = unsafe { mmap(None, OFFSET_BYTES, protection, MapFlags::MAP_SHARED, &file, 0) };
    OFFSET.store(offset.context("map the clock's offset")?.cast().as_ptr(), Ordering::SeqCst);

    // SAFETY: the vDSO is in every process, nothing is loaded or run.
    let vdso = unsafe { Library::open(Some(VDSO), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
    let vdso = vdso.context("find the vDSO")?;
    let functions: [(&CStr, *const c_void); 3] = [
        (c"__vdso_clock_gettime", clock_gettime as *const c_void),
        (c"__vdso_gettimeofday", gettimeofday as *const c_void),
        (c"__vdso_time", time as *const c_void),
    ];
    for (name, ours) in functions {
        // SAFETY: only the address is used.
        let theirs = unsafe { vdso.get::<*mut u8>(name.to_bytes_with_nul()) };
        let theirs = theirs.with_context(|| format!("find {}", name.to_string_lossy()))?;
        overwrite(theirs.into_raw().cast(), ours)?;
    }
    Ok(())
}

/// Makes a function jump to another one of the same signature.
fn overwrite(function: *mut c_void, other: *const c_void) -> Result<()> {
    // movabs rax, other; jmp rax
    let mut jump = [0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0];
    jump[2..10].copy_from_slice(&(other as u64).to_le_bytes());
    let page = function.map_addr(|address| address & !(PAGE_BYTES - 1));
    let page = NonNull::new(page).context("no such function")?;
    let writable = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE | ProtFlags::PROT_EXEC;
    // SAFETY: the pages are this process's copy of the vDSO. The launcher has no other threads yet, so nobody runs what is
    // overwritten, and each of the three functions is longer than the jump.
    unsafe {
        mprotect(page, 2 * PAGE_BYTES, writable).context("make the vDSO writable")?;
        ptr::copy_nonoverlapping(jump.as_ptr(), function.cast(), jump.len());
    }
    Ok(())
}

fn offset_seconds() -> i64 {
    // SAFETY: set before any caller can get here, to a mapping that stays; whoever writes it writes it whole.
    unsafe { (*OFFSET.load(Ordering::Relaxed)).load(Ordering::Relaxed) }
}

extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    // SAFETY: the caller's pointer, as for the function that is replaced; the kernel checks it.
    let status = unsafe { libc::syscall(SYS_clock_gettime, clock, time) };
    if status == 0 && clock == CLOCK_REALTIME {
        // SAFETY: the kernel has just written to it.
        unsafe { (*time).tv_sec += offset_seconds() };
    }
    if status == 0 { 0 } else { -libc::EINVAL }
}

extern "C" fn gettimeofday(time: *mut timeval, _zone: *mut c_void) -> c_int {
    let now = now();
    if !time.is_null() {
        // SAFETY: the caller's pointer, as for the function that is replaced.
        unsafe { *time = timeval { tv_sec: now.tv_sec, tv_usec: now.tv_nsec / 1000 } };
    }
    0
}

extern "C" fn time(seconds: *mut time_t) -> time_t {
    let now = now();
    if !seconds.is_null() {
        // SAFETY: the caller's pointer, as for the function that is replaced.
        unsafe { *seconds = now.tv_sec };
    }
    now.tv_sec
}

fn now() -> timespec {
    let mut now = timespec { tv_sec: 0, tv_nsec: 0 };
    clock_gettime(CLOCK_REALTIME, &raw mut now);
    now
}
