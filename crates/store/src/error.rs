//! What can go wrong with ClickHouse, and whether trying again can help.

use std::time::Duration;

use crate::tls;

/// What a caller does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The same bytes may be accepted later: keep trying.
    Retryable,
    /// The data itself is refused, and always will be.
    Poisonous,
    /// Neither time nor other data helps: an operator has to act.
    Fatal,
}

impl ErrorClass {
    /// Stable name, used as a metric label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retryable => "retryable",
            Self::Poisonous => "poisonous",
            Self::Fatal => "fatal",
        }
    }
}

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client or the server reports an error.
    #[error("{}", describe(.0))]
    ClickHouse(#[from] clickhouse::error::Error),
    /// No answer within the time limit.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// Going on could make wrong bills, so it is refused.
    #[error("{0}")]
    Refused(String),
    /// The server answered, but not what it was asked for.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
}

impl Error {
    /// Decides what to do about the error. What is not known is worth another try.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::ClickHouse(error) => class_of(error),
            Self::TimedOut(_) => ErrorClass::Retryable,
            Self::Refused(_) | Self::Unexpected(_) => ErrorClass::Fatal,
        }
    }

    /// ClickHouse's own error code, where the server answered with one.
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::ClickHouse(error) => code_of(error),
            _ => None,
        }
    }
}

fn class_of(error: &clickhouse::error::Error) -> ErrorClass {
    use clickhouse::error::Error as E;
    match (code_of(error), error) {
        (Some(code), _) => class_of_code(code),
        // What the client cannot say in SQL or read as the asked types stays so; anything else may be a broken wire.
        (None, E::InvalidParams(_) | E::SchemaMismatch(_) | E::Unsupported(_) | E::RowNotFound) => {
            ErrorClass::Fatal
        }
        (None, _) => ErrorClass::Retryable,
    }
}

/// Codes: `src/Common/ErrorCodes.cpp` of ClickHouse.
fn class_of_code(code: u32) -> ErrorClass {
    match code {
        // A value does not fit: cannot parse, argument out of bound, incorrect data, value out of range, null into a
        // column without, decimal overflow, violated constraint. An early end of the data (3, 27, 32, 33) is not among
        // them: our bytes are whole, so they were cut on their way.
        6 | 69 | 117 | 321 | 349 | 407 | 469 => ErrorClass::Poisonous,
        // The schema or the user is another one than ours: no such column, unknown identifier, type mismatch, unknown
        // table, syntax, cannot convert, unknown database, setting; readonly; unknown user, password, address, access;
        // users that are kept in a file, or nowhere.
        16 | 47 | 53 | 60 | 62 | 70 | 81 | 115 | 164 | 192 | 193 | 194 | 195 | 452 | 495 | 497 | 514
        | 516 => ErrorClass::Fatal,
        _ => ErrorClass::Retryable,
    }
}

/// The number in `Code: 159. DB::Exception: ...`; it stands alone where the client cannot read the rest.
fn code_of(error: &clickhouse::error::Error) -> Option<u32> {
    let clickhouse::error::Error::BadResponse(text) = error else { return None };
    let digits = text.split_once("Code: ")?.1;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The error with all its causes: the client's own text often ends at "client error (Connect)".
fn describe(error: &clickhouse::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    if let Some(advice) = tls::advice(error) {
        text.push_str(": ");
        text.push_str(advice);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(text: &str) -> Error {
        Error::ClickHouse(clickhouse::error::Error::BadResponse(text.into()))
    }

    #[test]
    fn codes_decide_the_class() {
        for (code, class) in [
            (159, ErrorClass::Retryable),
            (252, ErrorClass::Retryable),
            (999, ErrorClass::Retryable),
            (469, ErrorClass::Poisonous),
            (516, ErrorClass::Fatal),
        ] {
            let error = answered(&format!("Code: {code}. DB::Exception: text"));
            assert_eq!((error.code(), error.class()), (Some(code), class));
        }
        assert_eq!(
            answered("Code: 516").code(),
            Some(516),
            "all that the client keeps of a body that is no text"
        );
        assert_eq!(answered("502 Bad Gateway").class(), ErrorClass::Retryable);
        assert_eq!(Error::TimedOut(Duration::from_secs(1)).class(), ErrorClass::Retryable);
    }
}
