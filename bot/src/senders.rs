//! Calls to senders of alerts: certificates that their signatures are checked with, and confirmations.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use clew_adapters::Error;
use clew_adapters::http::Http;

/// Certificates that are remembered; a sender has one, and a new one now and then.
const REMEMBERED: usize = 16;

/// Calls to senders.
pub struct Senders {
    http: Http,
    certificates: Mutex<HashMap<String, String>>,
}

impl Senders {
    /// Makes ready.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { http: Http::new()?, certificates: Mutex::default() })
    }

    /// The certificate at `url`, fetched once. `instead` stands in for the sender's host.
    ///
    /// # Errors
    /// When it cannot be fetched.
    pub async fn certificate(&self, url: &str, instead: Option<&str>) -> Result<String, Error> {
        let known = self.certificates.lock().unwrap_or_else(PoisonError::into_inner).get(url).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let certificate = self.http.get(url, instead).await?;
        let mut certificates = self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        if certificates.len() >= REMEMBERED {
            certificates.clear();
        }
        certificates.insert(url.to_owned(), certificate.clone());
        Ok(certificate)
    }

    /// Asks an address of a sender once, so that it goes on sending.
    ///
    /// # Errors
    /// When no good answer comes.
    pub async fn confirm(&self, url: &str, instead: Option<&str>) -> Result<(), Error> {
        self.http.get(url, instead).await.map(drop)
    }
}
