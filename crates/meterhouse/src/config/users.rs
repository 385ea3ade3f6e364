//! `[clickhouse.users]`: the users that `migrate --users` makes. Nothing else reads it.

use meterhouse_store::{DatabaseUser, Role};

use super::definition::{Optional, Text};
use super::reader::{Reader, Section, parse_name};
use super::secret::Secret;

const SECTION: &str = "clickhouse.users";
const FORM: &str = "a name";
const SECRET: &str = "a secret";
const FILE: &str = "path of a file";

/// The keys of a user.
struct Keys {
    name: Text,
    password: Optional,
    password_file: Optional,
}

const MIGRATOR: Keys = Keys {
    name: Text {
        key: "migrator",
        form: FORM,
        default: "meterhouse_migrator",
        help: "The user of `migrate`. Each of the three is only made where it has a password.",
    },
    password: Optional { key: "migrator_password", form: SECRET, help: "Its password." },
    password_file: Optional { key: "migrator_password_file", form: FILE, help: "File that holds it." },
};
const WRITER: Keys = Keys {
    name: Text {
        key: "writer",
        form: FORM,
        default: "meterhouse_writer",
        help: "The user of `serve`, `ingest` and `rollup`, and of commands that write.",
    },
    password: Optional { key: "writer_password", form: SECRET, help: "Its password." },
    password_file: Optional { key: "writer_password_file", form: FILE, help: "File that holds it." },
};
const READER: Keys = Keys {
    name: Text {
        key: "reader",
        form: FORM,
        default: "meterhouse_reader",
        help: "The user of `api` and of commands that only read.",
    },
    password: Optional { key: "reader_password", form: SECRET, help: "Its password." },
    password_file: Optional { key: "reader_password_file", form: FILE, help: "File that holds it." },
};

/// A user for each role.
#[derive(Debug, Clone)]
pub(crate) struct UsersConfig {
    migrator: UserConfig,
    writer: UserConfig,
    reader: UserConfig,
}

/// A user; it is only made where it has a password.
#[derive(Debug, Clone)]
struct UserConfig {
    name: String,
    password: Option<Secret>,
}

impl UsersConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section(SECTION);
        let migrator = read_user(&mut section, &MIGRATOR);
        let writer = read_user(&mut section, &WRITER);
        let reader = read_user(&mut section, &READER);
        Some(Self { migrator: migrator?, writer: writer?, reader: reader? })
    }

    /// The users that have a password.
    pub(crate) fn with_passwords(&self) -> Vec<DatabaseUser> {
        let all =
            [(Role::Migrator, &self.migrator), (Role::Writer, &self.writer), (Role::Reader, &self.reader)];
        let with_password = all.into_iter().filter_map(|(role, user)| {
            let password = user.password.as_ref()?;
            Some(DatabaseUser::new(role, &user.name, password.expose()))
        });
        with_password.collect()
    }
}

fn read_user(section: &mut Section<'_>, keys: &Keys) -> Option<UserConfig> {
    let name = section.parsed(&keys.name, parse_name);
    let password = section.secret(&keys.password, &keys.password_file);
    Some(UserConfig { name: name?, password: password? })
}
