//! Programs that end with their owner.

use std::ffi::OsStr;
use std::process::Command;

/// A command for a program that the kernel kills when the thread that started it is gone: `setpriv` sees to that, and it is
/// what remains if the owner is killed itself. So start it in the thread that uses it. Both are of Debian's package util-linux.
///
/// It has a session of its own: Ctrl-C at a terminal is for the owner, which then ends it. And Linux shares the processors among
/// sessions first: a program that is nice to its own threads need not give way to all that else is tested.
pub fn owned(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setsid");
    command.args(["setpriv", "--pdeathsig", "KILL", "--"]).arg(program);
    command
}
