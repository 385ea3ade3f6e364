//! Who runs a command.

use nix::unistd::{User, geteuid, gethostname};

/// `user@host`, for the record.
pub(crate) fn name() -> String {
    let id = geteuid();
    let user = User::from_uid(id).ok().flatten().map_or_else(|| format!("uid {id}"), |user| user.name);
    let host = gethostname().ok().and_then(|host| host.into_string().ok()).unwrap_or_else(|| "?".to_owned());
    format!("{user}@{host}")
}
