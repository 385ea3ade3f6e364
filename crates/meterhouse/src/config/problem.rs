//! What is wrong with a configuration.

use std::fmt;

use super::layers::Source;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    source: Option<Source>,
    text: String,
}

/// Everything that is wrong with a configuration, in the order of the file, then by variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) struct Problems(Vec<Problem>);

impl Problem {
    /// A problem of a value that was given.
    pub(crate) fn at(source: &Source, text: String) -> Self {
        Self { source: Some(source.clone()), text }
    }

    /// A problem whose text says where.
    pub(crate) fn anywhere(text: String) -> Self {
        Self { source: None, text }
    }
}

impl Problems {
    /// Nothing, if there is no problem.
    pub(crate) fn unless_empty(mut problems: Vec<Problem>) -> Result<(), Self> {
        problems.sort();
        problems.dedup();
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }
}

impl From<Vec<Problem>> for Problems {
    fn from(problems: Vec<Problem>) -> Self {
        Self(problems)
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{source}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is wrong:")?;
        for problem in &self.0 {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}
