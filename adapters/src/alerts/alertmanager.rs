//! The webhook of Prometheus' Alertmanager, version "4". It is not signed.

use super::{AlertFormat, Delivery, ParseError, Request, grouped};

/// The webhook of Alertmanager.
pub struct Alertmanager;

impl AlertFormat for Alertmanager {
    fn name(&self) -> &'static str {
        "alertmanager"
    }

    fn parse(&self, request: &Request) -> Result<Delivery, ParseError> {
        grouped::parse(self.name(), request, |_, _| {})
    }
}
