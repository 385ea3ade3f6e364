//! The text that Prometheus scrapes.

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

#[cfg(test)]
mod tests {
    use super::*;

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
