//! What each family of routes answers to credentials of every kind, in every state.

use serde_json::{Value, json};

/// How credentials are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Client,
    Bearer,
    Email,
    Merchant,
}

pub(super) const KINDS: [Kind; 4] = [Kind::Client, Kind::Bearer, Kind::Email, Kind::Merchant];

/// What is wrong with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    None,
    Malformed,
    Unknown,
    Foreign,
    Expired,
    Revoked,
    NotPermitted,
    Right,
}

pub(super) const STATES: [State; 8] = [
    State::None,
    State::Malformed,
    State::Unknown,
    State::Foreign,
    State::Expired,
    State::Revoked,
    State::NotPermitted,
    State::Right,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    History,
    Bill,
    Usages,
}

impl Family {
    /// The kinds of credentials that it looks at; to show another one is to show none.
    pub(super) fn accepts(self, kind: Kind) -> bool {
        match self {
            Self::History => matches!(kind, Kind::Client | Kind::Bearer),
            Self::Bill => matches!(kind, Kind::Bearer | Kind::Email),
            Self::Usages => matches!(kind, Kind::Bearer | Kind::Merchant),
        }
    }

    /// Status and body; no body: it is 200.
    pub(super) fn answer(self, kind: Kind, state: State) -> (u16, Option<Value>) {
        let state = if self.accepts(kind) { state } else { State::None };
        match self {
            Self::History => history_answer(kind, state),
            Self::Bill => bill_answer(kind, state),
            Self::Usages => usages_answer(state),
        }
    }

    /// The body of a 405.
    pub(super) fn wrong_method(self) -> Value {
        let message = "Method is not possible for this resource";
        match self {
            Self::History => json!({"error": message}),
            Self::Bill => failure(&json!({"code": 10405, "message": "Method not allowed"})),
            Self::Usages => json!({"error_code": "METHOD_NOT_ALLOWED", "message": message}),
        }
    }
}

fn history_answer(kind: Kind, state: State) -> (u16, Option<Value>) {
    let refused = |status, message: &str| (status, Some(json!({"error": message})));
    match state {
        State::None => refused(401, "Token is missing"),
        State::Malformed if kind == Kind::Bearer => refused(401, "Token is missing"),
        State::NotPermitted => refused(403, "Token lacks the permit Billing:Api:ServiceUsageHistory:Show"),
        State::Right => (200, None),
        _ => refused(401, "Token is invalid, or not for this customer, club or product"),
    }
}

fn bill_answer(kind: Kind, state: State) -> (u16, Option<Value>) {
    let refused = |status, error: Value| (status, Some(failure(&error)));
    let malformed = |code: u32, header: &str| {
        let message = format!("Invalid format for {header} header");
        let chain = json!([{"code": code, "message": message}]);
        refused(400, json!({"code": 6003, "message": "Invalid request headers", "error_chain": chain}))
    };
    let missing = "Missing X-Auth-Key, X-Auth-Email or Authorization headers";
    match (state, kind) {
        (State::None, _) => refused(400, json!({"code": 9106, "message": missing})),
        (State::Malformed, Kind::Bearer) => malformed(6111, "Authorization"),
        (State::Malformed, _) => malformed(6102, "X-Auth-Email"),
        // Whose bill it is follows from the credentials, so it is never another's.
        (State::Foreign | State::Right, _) => (200, None),
        (State::NotPermitted, _) | (_, Kind::Bearer) => {
            refused(403, json!({"code": 10000, "message": "Authentication error"}))
        }
        _ => refused(403, json!({"code": 9103, "message": "Unknown X-Auth-Key or X-Auth-Email"})),
    }
}

fn failure(error: &Value) -> Value {
    json!({"success": false, "errors": [error], "messages": [], "result": null})
}

fn usages_answer(state: State) -> (u16, Option<Value>) {
    let refused =
        |status, code: &str, message: &str| (status, Some(json!({"error_code": code, "message": message})));
    match state {
        State::Foreign => refused(404, "SUBSCRIPTION_NOT_FOUND", "Subscription not found"),
        State::NotPermitted => {
            refused(403, "AUTHORIZATION_ERROR", "These credentials do not permit this operation")
        }
        State::Right => (200, None),
        _ => refused(401, "AUTHENTICATION_ERROR", "Authentication needed for this resource"),
    }
}
