//! Where a usage that we write comes from: the identity that its request gives it, and the origin that it keeps.

use std::borrow::Cow;

use meterhouse_model::{Event, Identity};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::save::Key;

/// Bytes of a hash that identities are made of.
const NAME_BYTES: usize = 16;

/// What rows keep of a request.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Origin<'o> {
    request: String,
    principal: &'o str,
}

/// Gives the usages of a request their identities: the same ones whenever the same principal sends the key.
pub(super) fn identify(events: &mut [Event<'static>], key: Option<&Key>) {
    let Some(first) = events.first() else { return };
    let name = match key {
        Some(Key { namespace, text }) => {
            hex::encode(&digest([namespace.as_str(), &first.subscription, text])[..NAME_BYTES])
        }
        None => Uuid::now_v7().simple().to_string(),
    };
    for event in events {
        event.identity = Identity::EventId(Cow::Owned(format!("api:{name}:{}", event.index)));
    }
}

/// Puts down who has sent events, and a digest of what they state: of its meaning, not of its spelling.
pub(super) fn sign(events: &mut [Event<'static>], principal: &str) {
    let mut texts = Vec::new();
    for event in &*events {
        let Event { option_code, description, start, end, units, change, .. } = event;
        texts.extend([
            option_code.to_string(),
            description.to_string(),
            format!("{start} {end} {units} {change:?}"),
        ]);
    }
    let request = hex::encode(digest(texts.iter().map(String::as_str)));
    let origin = serde_json::to_string(&Origin { request, principal }).unwrap_or_default();
    for event in events {
        event.origin = Some(Cow::Owned(origin.clone()));
    }
}

/// Each text with its length in front: no two lists have the same digest.
fn digest<'t>(texts: impl IntoIterator<Item = &'t str>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(format!("{}:{text}", text.len()));
    }
    hash.finalize().into()
}
