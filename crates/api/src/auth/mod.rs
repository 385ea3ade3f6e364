//! Who asks, and what they may see.
//!
//! ```text
//! credentials.toml -> Credentials -> Authority --token, key or signature--> Principal --name--> CustomerId
//! ```
//!
//! The last step is in one place, [`Principal::customer`]: nothing else makes a `CustomerId`.

mod authority;
mod credentials;
mod file;
mod merchants;
mod rate_limit;
mod toml_reader;

pub use authority::Authority;
pub(crate) use authority::{Denied, Principal};
pub use credentials::Credentials;
pub use file::{CredentialsError, SecretPlace};
pub(crate) use merchants::{Algorithm, Signed};
pub use rate_limit::RateLimit;
pub(crate) use rate_limit::TooMany;
