//! The reference of all keys, as Markdown.

use std::fmt::Write;

use super::definition::Definition;
use super::layers::{join, variable_name};

/// What stands above the tables.
const HEAD: &str = "\
# Configuration

All keys. They stand in one TOML file: `meterhouse.toml` in the working directory, or the one that `--config` or the variable
`METERHOUSE_CONFIG` names. An environment variable counts more than the file. Its name is `METERHOUSE_`, the section, two
underscores, and the key, in capitals. An empty variable takes a value away that has no default.

`meterhouse check-config` prints what counts and where each value comes from, secrets masked; or everything that is wrong, each
with its line or its variable. A key that does not exist is a mistake, in the file and in a variable.

```toml
[kafka]
brokers = \"kafka-1:9092,kafka-2:9092\"

[kafka.properties]
\"security.protocol\" = \"ssl\"

[billing]
time_zone = \"Europe/Berlin\"
```

This page is what `meterhouse check-config --reference` prints, and a test compares it. After a change of a key:
`cargo run -p meterhouse -- check-config --reference > docs/configuration.md`.
";

/// A table for each section.
pub(super) fn to_markdown(definitions: &[Definition]) -> String {
    let mut text = HEAD.to_owned();
    for section in definitions.chunk_by(|one, next| one.section == next.section) {
        let name = section[0].section;
        let _ = writeln!(text, "\n## `[{name}]`\n");
        text +=
            "| key | environment variable | value | default | meaning |\n| --- | --- | --- | --- | --- |\n";
        for Definition { section, key, form, default, help } in section {
            let path = join(section, key);
            let variable = variable_name(&path);
            let default = default.as_ref().map_or("none".to_owned(), |default| format!("`{default}`"));
            let _ = writeln!(text, "| `{path}` | `{variable}` | {form} | {default} | {help} |");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::reference;

    #[test]
    fn the_page_is_what_the_definitions_say() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
        let page = fs::read_to_string(path).unwrap();
        assert!(
            page == reference(),
            "docs/configuration.md is another one than the keys: \
             cargo run -p meterhouse -- check-config --reference > docs/configuration.md"
        );
    }
}
