//! What is wrong with a catalog or a registry.

use std::fmt;

/// Everything that is wrong with a file, ordered by line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct LoadError {
    /// Never empty.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Line of the file, from 1.
    pub line: u64,
    /// What is wrong there.
    pub text: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            let separator = if place == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// The value, if nothing is wrong with the file.
pub(crate) fn unless_wrong<T>(value: T, mut problems: Vec<Problem>) -> Result<T, LoadError> {
    if problems.is_empty() {
        return Ok(value);
    }
    problems.sort();
    Err(LoadError { problems })
}
