//! Messages of Amazon SNS to an HTTPS endpoint: its subscriptions, and notifications, above all of `CloudWatch` alarms.

use serde_json::Value;

use super::common::{alert, find, fingerprint_of_title, json, keys, text};
use super::{Alert, AlertFormat, Delivery, ParseError, Request, cloudwatch, limits, sns_signature};

/// Messages of Amazon SNS.
pub struct Sns;

impl AlertFormat for Sns {
    fn name(&self) -> &'static str {
        "sns"
    }

    fn parse(&self, request: &Request) -> Result<Delivery, ParseError> {
        let message = message(request)?;
        let topic = text(&message, &["TopicArn"]).unwrap_or_default();
        if !is_wanted(request, &topic) {
            return Err(ParseError(format!(
                "the topic `{}` is not one of `sns.topics`: add it there, or take the subscription away",
                limits::one_line(&topic, 200)
            )));
        }
        let kind = text(&message, &["Type"]).unwrap_or_default();
        let mut delivery = Delivery { key: text(&message, &["MessageId"]), ..Delivery::default() };
        match kind.as_str() {
            "SubscriptionConfirmation" => {
                let url = text(&message, &["SubscribeURL"]).filter(|url| sns_signature::is_of_sns(url));
                let Some(url) = url else {
                    return Err(ParseError(
                        "`SubscribeURL` must be an https address of SNS itself (sns.<region>.amazonaws.com): it was \
                         not, so the subscription is not confirmed"
                            .to_owned(),
                    ));
                };
                delivery.confirm = Some(url);
            }
            "Notification" => delivery.alerts.push(notification(&message, &topic)),
            // The end of a subscription is no alert, and its address would only start it again.
            "UnsubscribeConfirmation" => {}
            _ => {
                return Err(ParseError(
                    "`Type` must be SubscriptionConfirmation, Notification or UnsubscribeConfirmation: let an HTTPS \
                     subscription of an SNS topic post here"
                        .to_owned(),
                ));
            }
        }
        Ok(limits::bounded(delivery))
    }

    fn is_signed(&self, request: &Request, secret: &[u8], now: i64) -> Option<bool> {
        Some(message(request).is_ok_and(|message| sns_signature::is_signed(&message, secret, now)))
    }

    fn certificate(&self, request: &Request) -> Result<Option<String>, ParseError> {
        let url = text(&message(request)?, &["SigningCertURL", "SigningCertUrl"]).unwrap_or_default();
        if sns_signature::is_certificate_of_sns(&url) {
            return Ok(Some(url));
        }
        Err(ParseError(
            "`SigningCertURL` must be an https address of SNS itself (sns.<region>.amazonaws.com) that ends in .pem: \
             the message is not of Amazon SNS"
                .to_owned(),
        ))
    }
}

fn message(request: &Request) -> Result<Value, ParseError> {
    let message = json(request, "sns")?;
    if find(&message, "Type").is_some_and(Value::is_string) && find(&message, "MessageId").is_some_and(Value::is_string)
    {
        return Ok(message);
    }
    Err(ParseError(format!(
        "`Type` and `MessageId` must be texts, as in messages of Amazon SNS ({}): leave raw message delivery of the \
         subscription off",
        keys(&message)
    )))
}

/// Whether the setting `topics` lets this topic in. Without it, every topic is.
fn is_wanted(request: &Request, topic: &str) -> bool {
    let topics = (request.setting)("topics").unwrap_or_default();
    let mut topics = topics.split(',').map(str::trim).filter(|wanted| !wanted.is_empty()).peekable();
    topics.peek().is_none() || topics.any(|wanted| wanted == topic)
}

fn notification(message: &Value, topic: &str) -> Alert {
    let said = find(message, "Message").and_then(Value::as_str).unwrap_or_default();
    let told = serde_json::from_str::<Value>(said).ok().and_then(|told| cloudwatch::alarm(&told));
    told.unwrap_or_else(|| plain_message(message, said, topic))
}

/// Whatever else was published to the topic: the subject, or the first line, and the text.
fn plain_message(message: &Value, said: &str, topic: &str) -> Alert {
    let first = said.lines().map(str::trim).find(|line| !line.is_empty());
    let title = text(message, &["Subject"]).or_else(|| first.map(str::to_owned));
    let title = title.unwrap_or_else(|| "SNS message without text".to_owned());
    Alert {
        fingerprint: fingerprint_of_title("sns", &title, Some(topic)),
        text: if said.trim() == title { String::new() } else { said.to_owned() },
        labels: [("topic".to_owned(), topic.to_owned())].into(),
        ..alert("sns", title)
    }
}
