//! Reads of usage: a complete answer within a bound, or none.

use std::time::Duration;

use meterhouse_query::Error;

use crate::Slots;

/// Longest time for an answer, whatever a single query may take: a customer with many subscriptions needs several.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Seconds after which a client may try again when there is none.
pub(crate) const RETRY_SECONDS: u64 = 5;

/// All of an answer, or nothing of it and a line in the log. `what` names it there. It is begun once there is a slot.
pub(crate) async fn in_time<T>(
    slots: &Slots,
    what: &str,
    answer: impl Future<Output = Result<T, Error>>,
) -> Option<T> {
    let Some(_slot) = slots.take().await else {
        tracing::warn!("a {what} was not begun: too many requests are worked on");
        return None;
    };
    match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
        Ok(Ok(answer)) => return Some(answer),
        Ok(Err(error)) => tracing::warn!(%error, "cannot answer with a {what}"),
        Err(_) => tracing::warn!("a {what} took longer than {ANSWER_TIMEOUT:?}"),
    }
    None
}
