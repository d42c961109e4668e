//! Whether a message is of Amazon SNS: its signature, the certificate, and the addresses it names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::Value;
use x509_parser::pem::parse_x509_pem;
use x509_parser::time::ASN1Time;

/// Whether `message` is signed with the key of the certificate `pem`, and that is valid at `now`.
pub(super) fn is_signed(message: &Value, pem: &[u8], now: i64) -> bool {
    let field = |name: &str| message.get(name).and_then(Value::as_str);
    let algorithm: &dyn VerificationAlgorithm = match field("SignatureVersion") {
        Some("1") => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Some("2") => &RSA_PKCS1_2048_8192_SHA256,
        _ => return false,
    };
    let signed = field("Signature").and_then(|text| STANDARD.decode(text.trim()).ok());
    let (Some(signature), Some(text)) = (signed, text_to_sign(message)) else { return false };
    let Some(key) = public_key(pem, now) else { return false };
    UnparsedPublicKey::new(algorithm, key).verify(text.as_bytes(), &signature).is_ok()
}

/// Name and value of the fields that are signed, a line each. Only `Subject` may be missing.
fn text_to_sign(message: &Value) -> Option<String> {
    let fields: &[&str] = match message.get("Type")?.as_str()? {
        "Notification" => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
        "SubscriptionConfirmation" | "UnsubscribeConfirmation" => {
            &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        }
        _ => return None,
    };
    let mut text = String::new();
    for name in fields {
        match message.get(*name).and_then(Value::as_str) {
            Some(value) => text.extend([name, "\n", value, "\n"]),
            None if *name == "Subject" => {}
            None => return None,
        }
    }
    Some(text)
}

/// The RSA key of a certificate that is valid at `now`.
fn public_key(pem: &[u8], now: i64) -> Option<Vec<u8>> {
    let (_, pem) = parse_x509_pem(pem).ok()?;
    let certificate = pem.parse_x509().ok()?;
    let now = ASN1Time::from_timestamp(now).ok()?;
    certificate.validity().is_valid_at(now).then(|| certificate.public_key().subject_public_key.data.to_vec())
}

/// Whether an address is one of SNS itself.
pub(super) fn is_of_sns(url: &str) -> bool {
    split(url).is_some_and(|(host, _)| is_host_of_sns(host))
}

/// Whether an address is one of the certificates of SNS: nothing but host and file.
pub(super) fn is_certificate_of_sns(url: &str) -> bool {
    let is_plain = |path: &str| {
        path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.'))
            && !path.contains("..")
    };
    split(url).is_some_and(|(host, path)| {
        is_host_of_sns(host) && is_plain(path) && path.strip_suffix(".pem").is_some_and(|path| path.len() > 1)
    })
}

/// Host and the rest of an https address. What one reader of addresses may take for the host and another not (names
/// before an @, ports, backslashes, blanks) is no address here.
fn split(url: &str) -> Option<(&str, &str)> {
    let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>' | b'@' | b'#');
    let rest = url.strip_prefix("https://").filter(|rest| rest.bytes().all(is_plain))?;
    Some(rest.split_at(rest.find('/')?))
}

/// `sns.<region>.amazonaws.com`, in China with `.cn`.
fn is_host_of_sns(host: &str) -> bool {
    let region = host
        .strip_prefix("sns.")
        .and_then(|rest| rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn")));
    region.is_some_and(|region| {
        region.len() >= 3 && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "https://sns.us-west-2.amazonaws.com";

    #[test]
    fn certificates_are_fetched_from_sns_alone() {
        for url in [
            "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem",
            "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem",
            "https://sns.us-gov-west-1.amazonaws.com/a/b.pem",
        ] {
            assert!(is_certificate_of_sns(url), "{url}");
        }
        for url in [
            "http://sns.us-west-2.amazonaws.com/a.pem".to_owned(),
            "HTTPS://sns.us-west-2.amazonaws.com/a.pem".to_owned(),
            "https://sns.us-west-2.amazonaws.com.evil.example/a.pem".to_owned(),
            "https://sns.us-west-2.amazonaws.com@evil.example/a.pem".to_owned(),
            "https://evil.example/sns.us-west-2.amazonaws.com/a.pem".to_owned(),
            "https://evil.example?.sns.us-west-2.amazonaws.com/a.pem".to_owned(),
            "https://evil.example#.sns.us-west-2.amazonaws.com/a.pem".to_owned(),
            "https://evil.example\\@sns.us-west-2.amazonaws.com/a.pem".to_owned(),
            "https://evil.example\\.sns.us-west-2.amazonaws.com/a.pem".to_owned(),
            "https://user:pw@sns.us-west-2.amazonaws.com/a.pem".to_owned(),
            "https://sns.us-west-2.amazonaws.com:8443/a.pem".to_owned(),
            "https://sns.evil.us-west-2.amazonaws.com/a.pem".to_owned(),
            "https://sns..amazonaws.com/a.pem".to_owned(),
            "https://sns.amazonaws.com/a.pem".to_owned(),
            "https://xsns.us-west-2.amazonaws.com/a.pem".to_owned(),
            "https://sns.us-west-2.amazonaws.com.cn.evil/a.pem".to_owned(),
            "https://s3.us-west-2.amazonaws.com/a.pem".to_owned(),
            "https://sns.us-west-2.amazonaws.com./a.pem".to_owned(),
            "https://sns.us\u{2010}west-2.amazonaws.com/a.pem".to_owned(),
            "https://sns.us-west-2%2eevil.amazonaws.com/a.pem".to_owned(),
            format!("{HOST}/a.pem?x=.pem"),
            format!("{HOST}/a.pem#x.pem"),
            format!("{HOST}/?Action=Publish&x=.pem"),
            format!("{HOST}/../a.pem"),
            format!("{HOST}/a%2fb.pem"),
            format!("{HOST}/a.pem "),
            format!("{HOST}/a\r\nb.pem"),
            format!("{HOST}/a.der"),
            format!("{HOST}/.pem"),
            HOST.to_owned(),
            format!("{HOST}.pem"),
            String::new(),
        ] {
            assert!(!is_certificate_of_sns(&url), "{url}");
        }
    }

    #[test]
    fn subscriptions_are_confirmed_with_sns_alone() {
        assert!(is_of_sns(&format!("{HOST}/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-west-2:1:T&Token=2")));
        assert!(!is_of_sns("https://evil.example/?Action=ConfirmSubscription"));
        assert!(!is_of_sns("https://evil.example/?x=https://sns.us-west-2.amazonaws.com/"));
        assert!(!is_of_sns("http://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription"));
    }
}
