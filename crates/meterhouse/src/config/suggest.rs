//! Keys that do not exist, and which ones were meant.

use std::collections::BTreeMap;

use super::layers::{Setting, Source, Value, variable_name};
use super::problem::Problem;
use super::reader::is_section;

/// A key is taken for a misspelt one if at most one letter in so many is wrong.
const LETTERS_PER_MISTAKE: usize = 4;

/// A problem for every setting that no section took.
pub(super) fn unknown_keys<'a>(
    left_over: &'a BTreeMap<String, Setting>,
    known: &'a [String],
) -> impl Iterator<Item = Problem> + 'a {
    left_over.iter().filter_map(|(path, Setting { value, source })| {
        if is_section(path, known) {
            let is_empty_table = *value == Value::Other("a table");
            let what = || Problem::at(source, format!("`{path}` must be a table of keys"));
            return (!is_empty_table).then(what);
        }
        let meant = match (closest(path, known), source) {
            (None, _) => String::new(),
            (Some(key), Source::File(..)) => format!("; did you mean `{key}`?"),
            (Some(key), Source::Variable(_)) => format!("; did you mean {}?", variable_name(key)),
        };
        Some(Problem::at(source, format!("there is no key `{}`{meant}", path.escape_debug())))
    })
}

/// A problem for every variable that would be a key if its underscore were two.
pub(super) fn misspelt_variables<'a>(
    flat_variables: &'a [String],
    known: &'a [String],
) -> impl Iterator<Item = Problem> + 'a {
    flat_variables.iter().filter_map(|name| {
        let meant =
            known.iter().map(|key| variable_name(key)).find(|full| full.replace("__", "_") == *name)?;
        let what = format!("two underscores stand between section and key; did you mean {meant}?");
        Some(Problem::at(&Source::Variable(name.clone()), what))
    })
}

fn closest<'k>(path: &str, known: &'k [String]) -> Option<&'k str> {
    let last = |key: &str| key.rsplit('.').next().map(str::to_owned);
    let by_distance = known.iter().map(|key| (strsim::damerau_levenshtein(path, key), key.as_str())).min();
    let misspelt = by_distance.filter(|(distance, _)| distance * LETTERS_PER_MISTAKE <= path.len());
    let shortened = || known.iter().find(|key| key.starts_with(path)).map(String::as_str);
    let elsewhere = || {
        let mut same = known.iter().filter(|key| last(key) == last(path));
        same.next().filter(|_| same.next().is_none()).map(String::as_str)
    };
    misspelt.map(|(_, key)| key).or_else(shortened).or_else(elsewhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meant_key_is_found() {
        let known = ["kafka.brokers", "kafka.topic", "clickhouse.password", "http.listen", "metrics.listen"]
            .map(String::from);
        let cases = [
            ("kafka.borkers", Some("kafka.brokers")),
            ("kafak.topic", Some("kafka.topic")),
            ("clickhouse.pass", Some("clickhouse.password")),
            ("topic", Some("kafka.topic")),
            ("server.listen", None),
            ("rollup.margin_ms", None),
        ];
        for (path, meant) in cases {
            assert_eq!(closest(path, &known), meant, "{path}");
        }
    }

    #[test]
    fn a_variable_with_one_underscore_is_noticed() {
        let known = ["kafka.brokers".to_owned(), "ingest.batch_rows".to_owned()];
        let flat = ["METERHOUSE_KAFKA_BROKERS", "METERHOUSE_PORT", "METERHOUSE_CONFIG"].map(String::from);
        let problems: Vec<String> =
            misspelt_variables(&flat, &known).map(|problem| problem.to_string()).collect();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].ends_with("did you mean METERHOUSE_KAFKA__BROKERS?"), "{problems:?}");
    }
}
