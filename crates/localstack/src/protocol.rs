//! The lines that this library and its supervisor (`localstack supervise`) say to each other.
//!
//! The library writes one request a line to the supervisor's standard input; the end of that input means
//! that the owner is gone. The supervisor answers each request with one line, in order, and says `ended`
//! in between whenever the server does.

/// The supervisor's first line. Change the number with anything below.
pub const GREETING: &str = "localstack supervisor 1";

/// Start the server: answered by [`STARTED`] or [`FAILED`].
pub const START: &str = "start";
/// SIGTERM, and SIGCONT for a paused server: answered by [`DONE`] or [`IDLE`], as are the next ones.
pub const TERM: &str = "term";
/// SIGKILL.
pub const KILL: &str = "kill";
/// SIGSTOP.
pub const PAUSE: &str = "pause";
/// SIGCONT.
pub const RESUME: &str = "resume";

/// The server's process was made: a space and its id follow.
pub const STARTED: &str = "started";
/// The server's process could not be made: a space and the reason follow.
pub const FAILED: &str = "failed";
/// The signal was sent.
pub const DONE: &str = "done";
/// No signal was sent, since the server is not running.
pub const IDLE: &str = "idle";
/// The server's process is gone: a space and its exit code or signal follow.
pub const ENDED: &str = "ended";
