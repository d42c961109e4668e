//! Signatures and secrets of requests. How long a comparison takes tells nothing about the secret.

use hmac::{Hmac, Mac};
use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest, Sha256};

/// How far the clock of a sender may be off, in seconds. An older request may be one that somebody recorded.
pub const WINDOW: u64 = 5 * 60;

/// Whether two secrets are the same, whatever their lengths.
#[must_use]
pub fn same_secret(a: &[u8], b: &[u8]) -> bool {
    let (a, b) = (Sha256::digest(a), Sha256::digest(b));
    a.iter().zip(b.iter()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// Whether `signature` is `prefix` followed by the hex HMAC-SHA256, under `secret`, of all `parts` joined. An empty secret
/// signs nothing.
#[must_use]
pub fn is_hmac(secret: &[u8], parts: &[&[u8]], prefix: &str, signature: &str) -> bool {
    let Some(claimed) = signature.trim().strip_prefix(prefix).and_then(bytes_of_hex) else { return false };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
    for part in parts {
        mac.update(part);
    }
    !secret.is_empty() && mac.verify_slice(&claimed).is_ok()
}

/// Whether `signature` is the hex Ed25519 signature of all `parts` joined, under `key` in hex.
#[must_use]
pub fn is_ed25519(key: &str, parts: &[&[u8]], signature: &str) -> bool {
    let (Some(key), Some(claimed)) = (bytes_of_hex(key.trim()), bytes_of_hex(signature.trim())) else { return false };
    UnparsedPublicKey::new(&ED25519, key).verify(&parts.concat(), &claimed).is_ok()
}

/// Whether `timestamp`, in Unix seconds, is within [`WINDOW`] of `now`.
#[must_use]
pub fn is_recent(timestamp: &str, now: i64) -> bool {
    timestamp.trim().parse::<i64>().is_ok_and(|then| then.abs_diff(now) <= WINDOW)
}

fn bytes_of_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        hex.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)] // a test that fails stops

    use proptest::prelude::*;

    use super::*;

    const SECRET: &[u8] = b"it's a secret";

    pub(crate) fn sign(secret: &[u8], message: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(message);
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn known_answers() {
        // RFC 4231, test case 2.
        let signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert!(is_hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"], "", signature));
        assert!(is_hmac(b"Jefe", &[b"what do ya want for nothing?"], "sha256=", &format!("sha256={signature}")));
        assert!(is_hmac(b"Jefe", &[b"what do ya want for nothing?"], "", &signature.to_uppercase()));
        // GitHub's documented example.
        assert!(is_hmac(
            b"It's a Secret to Everybody",
            &[b"Hello, World!"],
            "sha256=",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        ));
    }

    #[test]
    fn anything_else_is_refused() {
        let signature = sign(SECRET, b"body");
        assert!(is_hmac(SECRET, &[b"body"], "", &signature));
        assert!(!is_hmac(b"another", &[b"body"], "", &signature), "wrong key");
        assert!(!is_hmac(SECRET, &[b"bodz"], "", &signature), "one byte off");
        assert!(!is_hmac(SECRET, &[b"body"], "", &signature[..62]), "too short");
        assert!(!is_hmac(SECRET, &[b"body"], "", ""), "none");
        assert!(!is_hmac(SECRET, &[b"body"], "sha256=", &signature), "no prefix");
        assert!(!is_hmac(SECRET, &[b"body"], "", "zz"), "no hex");
        assert!(!is_hmac(b"", &[b"body"], "", &sign(b"", b"body")), "an empty secret signs nothing");
    }

    #[test]
    fn every_bit_of_a_signature_counts() {
        let signature = sign(SECRET, b"body");
        for at in 0..signature.len() {
            let flipped = if &signature[at..=at] == "0" { "1" } else { "0" };
            let other = format!("{}{flipped}{}", &signature[..at], &signature[at + 1..]);
            assert!(!is_hmac(SECRET, &[b"body"], "", &other), "{at}");
        }
    }

    #[test]
    fn secrets_are_compared_whole() {
        assert!(same_secret(b"token", b"token"));
        for other in [&b"tokem"[..], b"Token", b"toke", b"token ", b""] {
            assert!(!same_secret(b"token", other));
        }
    }

    #[test]
    fn a_timestamp_is_recent_for_five_minutes_either_way() {
        for (timestamp, expected) in
            [("1000", true), ("700", true), ("1300", true), ("699", false), ("1301", false), ("x", false), ("", false)]
        {
            assert_eq!(is_recent(timestamp, 1000), expected, "{timestamp}");
        }
        assert!(!is_recent("-9223372036854775808", i64::MAX));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*", secret in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(!is_hmac(&secret, &[b"body"], "", &text));
            let _ = is_recent(&text, 0);
        }

        #[test]
        fn what_was_signed_is_signed(
            body in proptest::collection::vec(any::<u8>(), 0..200),
            secret in proptest::collection::vec(any::<u8>(), 1..100),
        ) {
            let signature = format!("v0={}", sign(&secret, &body));
            prop_assert!(is_hmac(&secret, &[&body], "v0=", &signature));
        }
    }
}
