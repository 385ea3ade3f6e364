//! Usage events that a test writes by hand.

use crate::Message;

/// One event, as the JSON texts of its members. The default is one unit of `cpu`, used by customer `c` with subscription
/// `S` in an hour of October 2026; it has no `EventId`, so each is another one.
#[derive(Debug, Clone)]
pub struct Usage {
    members: Vec<(String, String)>,
}

impl Default for Usage {
    fn default() -> Self {
        let members = [
            ("SubscriptionReference", "\"S\""),
            ("OptionCode", "\"cpu\""),
            ("Customer", "\"c\""),
            ("UsageStart", "\"2026-10-03T10:00:00Z\""),
            ("UsageEnd", "\"2026-10-03T11:00:00Z\""),
            ("Units", "\"1\""),
        ];
        Self { members: members.map(|(name, json)| (name.to_owned(), json.to_owned())).to_vec() }
    }
}

impl Usage {
    /// The same with a member of this text.
    #[must_use]
    pub fn with(self, member: &str, text: &str) -> Self {
        self.with_json(member, &format!("\"{text}\""))
    }

    /// The same with a member of this JSON text.
    #[must_use]
    pub fn with_json(self, member: &str, json: &str) -> Self {
        let mut other = self.without(member);
        other.members.push((member.to_owned(), json.to_owned()));
        other
    }

    /// The same without a member.
    #[must_use]
    pub fn without(mut self, member: &str) -> Self {
        self.members.retain(|(name, _)| name != member);
        self
    }

    /// The same from one time to another.
    #[must_use]
    pub fn between(self, start: &str, end: &str) -> Self {
        self.with("UsageStart", start).with("UsageEnd", end)
    }

    /// The same in an hour of a day.
    #[must_use]
    pub fn on(self, day: &str) -> Self {
        self.between(&format!("{day}T10:00:00Z"), &format!("{day}T11:00:00Z"))
    }

    /// Its JSON text.
    pub fn json(&self) -> String {
        let members: Vec<String> =
            self.members.iter().map(|(name, json)| format!("\"{name}\":{json}")).collect();
        format!("{{{}}}", members.join(","))
    }

    /// A record of this event alone. All of a test's have one key, so they are in one partition and in order.
    pub fn message(&self) -> Message {
        Message::new("S", self.json())
    }
}
