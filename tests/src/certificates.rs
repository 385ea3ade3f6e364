//! Certificates of authorities that exist for one test.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    date_time_ymd,
};

/// Somebody who issues certificates.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, both PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its private key (PKCS #8).
    pub key: String,
}

impl Authority {
    /// One with a name.
    ///
    /// # Errors
    /// The certificate cannot be made.
    pub fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// Its own certificate, PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for names or addresses, good for a long time.
    ///
    /// # Errors
    /// A name is none.
    pub fn issue(&self, names: &[&str]) -> Result<Identity> {
        self.issue_until(names, 2099)
    }

    /// The same, good from 2020 until the first day of a year.
    ///
    /// # Errors
    /// A name is none.
    pub fn issue_until(&self, names: &[&str], year: i32) -> Result<Identity> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names)?;
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

impl Identity {
    /// Writes both into a folder, as `NAME.pem` and `NAME.key`, each in one step.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write(&self, folder: &Path, name: &str) -> Result<[PathBuf; 2]> {
        let certificate = write(folder, &format!("{name}.pem"), &self.certificate)?;
        Ok([certificate, write(folder, &format!("{name}.key"), &self.key)?])
    }
}

/// Writes a file in one step, and returns its path.
///
/// # Errors
/// It cannot be written.
pub fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let (path, part) = (folder.join(name), folder.join(format!("{name}.part")));
    fs::write(&part, text).with_context(|| format!("write {name}"))?;
    fs::rename(part, &path).with_context(|| format!("write {name}"))?;
    Ok(path)
}
