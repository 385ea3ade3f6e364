//! The audit log of writes: one line for each that somebody asks for, with what became of it.
//!
//! A request that is refused before anything is written is told by its handler. From there on the write tells its own end, also
//! where its client has left or was told that it takes too long. So whatever happens in between, there is one line, unless the
//! process is killed.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::response::{IntoResponse, Response};

use super::refusal::Refusal;
use crate::AUDIT_TARGET;
use crate::auth::Principal;
use crate::observe::{called_by, request_id};
use crate::writes::WriteError;

/// References of usages in a line; of more there is the number alone.
const REFERENCES_MAX: usize = 100;
/// Longest part of a subscription's name in a line, in characters: no usage has a longer one.
const SUBSCRIPTION_MAX: usize = 128;

/// A write that somebody asks for, until its line is written.
#[derive(Debug)]
pub(super) struct Audit {
    /// Who asks, once that is known.
    pub(super) caller: Option<Principal>,
    action: &'static str,
    request_id: Arc<str>,
    subscription: String,
    references: Vec<u64>,
    is_begun: bool,
    is_told: bool,
}

impl Audit {
    /// A request for an action. Nothing of its text is in a line unless its sender is known.
    pub(super) async fn of(action: &'static str, request: Request) -> (Self, Request) {
        let request_id = request_id(&request);
        let (mut parts, body) = request.into_parts();
        let (mut subscription, mut references) = (String::new(), Vec::new());
        if let Ok(names) = RawPathParams::from_request_parts(&mut parts, &()).await {
            for (name, value) in &names {
                match name {
                    "subscription" => subscription = value.chars().take(SUBSCRIPTION_MAX).collect(),
                    _ => references.extend(value.parse::<u64>()),
                }
            }
        }
        let audit = Self {
            caller: None,
            action,
            request_id,
            subscription,
            references,
            is_begun: false,
            is_told: false,
        };
        (audit, Request::from_parts(parts, body))
    }

    /// Hands the line over to a write that is about to begin.
    pub(super) fn begin(&mut self) -> Self {
        self.is_told = true;
        Self {
            caller: self.caller.clone(),
            action: self.action,
            request_id: Arc::clone(&self.request_id),
            subscription: std::mem::take(&mut self.subscription),
            references: std::mem::take(&mut self.references),
            is_begun: true,
            is_told: false,
        }
    }

    /// Waits for the end of a write, and tells it: of what was written `told` has the outcome and the references of the usages.
    pub(super) async fn follow<T>(
        mut self,
        write: impl Future<Output = Result<T, WriteError>>,
        told: impl FnOnce(&T) -> (&'static str, Vec<u64>),
    ) -> Result<T, WriteError> {
        let outcome = write.await;
        match &outcome {
            Ok(written) => {
                let (outcome, references) = told(written);
                self.references = references;
                self.tell(outcome, "");
            }
            Err(error) => self.tell_refusal(&Refusal::from(error.clone())),
        }
        outcome
    }

    /// The answer to the request. One that has come to no write is told here.
    pub(super) fn answer(mut self, outcome: Result<Response, Refusal>) -> Response {
        if let Err(refusal) = &outcome
            && !self.is_told
        {
            self.tell_refusal(refusal);
        }
        called_by(self.caller.as_ref(), outcome.unwrap_or_else(Refusal::into_response))
    }

    fn tell_refusal(&mut self, refusal: &Refusal) {
        let outcome = match refusal {
            Refusal::Unknown => "unknown",
            Refusal::Unavailable => "failed",
            _ => "refused",
        };
        self.tell(outcome, refusal.code());
    }

    fn tell(&mut self, outcome: &'static str, reason: &'static str) {
        self.is_told = true;
        let count = self.references.len();
        let references: Vec<String> =
            self.references.iter().take(REFERENCES_MAX).map(ToString::to_string).collect();
        let (kind, name) = self.caller.as_ref().map(|caller| (caller.kind(), caller.name())).unzip();
        tracing::info!(
            target: AUDIT_TARGET,
            action = self.action,
            outcome,
            reason,
            principal_kind = kind.unwrap_or_default(),
            principal = name.as_deref().unwrap_or_default(),
            subscription = if kind.is_some() { self.subscription.as_str() } else { "" },
            usages = count,
            references = references.join(","),
            request_id = &*self.request_id,
            "audit"
        );
    }
}

impl Drop for Audit {
    /// Its request or its write was dropped: by a client that has left, or in a panic.
    fn drop(&mut self) {
        if !self.is_told {
            self.tell(if self.is_begun { "unknown" } else { "abandoned" }, "");
        }
    }
}
