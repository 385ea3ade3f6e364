//! The text that Prometheus scrapes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

/// The series of one scrape.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Each with its name, the text between its braces, and its value.
    series: Vec<(String, String, f64)>,
}

impl Metrics {
    /// Reads the text form.
    ///
    /// # Errors
    /// A line has no value.
    pub fn parse(text: &str) -> Result<Self> {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let series = lines.map(|line| {
            let (series, value) = line.rsplit_once(' ').with_context(|| format!("no value: {line}"))?;
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let value = value.parse().with_context(|| format!("no number: {line}"))?;
            Ok((name.to_owned(), labels.trim_end_matches('}').to_owned(), value))
        });
        Ok(Self { series: series.collect::<Result<_>>()? })
    }

    /// The sum of all series of a name that have these labels. None: there is no such series.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |text: &str| {
            labels.iter().all(|(label, value)| {
                // A label's name may end with another one's: it begins the text, or stands behind a comma.
                let wanted = format!("{label}=\"{value}\"");
                text.starts_with(&wanted) || text.contains(&format!(",{wanted}"))
            })
        };
        let found = self.series.iter().filter(|(series, text, _)| series == name && has(text));
        found.map(|(_, _, value)| *value).reduce(|sum, value| sum + value)
    }
}

/// What a scrape says of one metric.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Family {
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// What it tells.
    pub help: String,
    /// Its labels, each with the values that there are. The bounds of a histogram's buckets are no label.
    pub labels: BTreeMap<String, BTreeSet<String>>,
}

/// All metrics of a scrape, by name.
///
/// # Errors
/// It is not in the text form.
pub fn families(text: &str) -> Result<BTreeMap<String, Family>> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            families.entry(name.to_owned()).or_default().help = help.to_owned();
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            name.clone_into(&mut current);
            families.entry(name.to_owned()).or_default().kind = kind.to_owned();
        } else if let Some((_, labels)) = line.split_once('{') {
            let family = families.get_mut(&current).with_context(|| format!("no type: {line}"))?;
            let (labels, _) = labels.rsplit_once("\"}").with_context(|| format!("no end: {line}"))?;
            for label in labels.split("\",") {
                let (name, value) = label.split_once("=\"").with_context(|| format!("no label: {line}"))?;
                if name != "le" {
                    family.labels.entry(name.to_owned()).or_default().insert(value.to_owned());
                }
            }
        }
    }
    Ok(families)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_their_labels_without_bounds() -> Result<()> {
        let text = "# HELP a what\n# TYPE a histogram\na_bucket{r=\"/{x},y\",s=\"1\",le=\"5\"} 3\na_sum{r=\"/{x},y\",s=\"2\"} 4\n";
        let values = |values: &[&str]| values.iter().map(ToString::to_string).collect();
        let labels = [("r".to_owned(), values(&["/{x},y"])), ("s".to_owned(), values(&["1", "2"]))].into();
        let expected = Family { kind: "histogram".to_owned(), help: "what".to_owned(), labels };
        assert_eq!(families(text)?, [("a".to_owned(), expected)].into());
        Ok(())
    }

    #[test]
    fn series_are_summed_by_name_and_labels() {
        let text = "# HELP a b\na{x=\"1\",y=\"2\"} 3\na{x=\"1\",y=\"3\"} 4\nb 1.5e3\n";
        let metrics = Metrics::parse(text).unwrap();
        assert_eq!(metrics.sum("a", &[("x", "1")]), Some(7.0));
        assert_eq!(metrics.sum("a", &[("y", "3"), ("x", "1")]), Some(4.0));
        assert_eq!(metrics.sum("b", &[]), Some(1500.0));
        assert_eq!(metrics.sum("a", &[("y", "1")]), None);
    }
}
