//! What lets the bot answer somebody alone: the token of an interaction, which lives for a quarter of an hour.
//!
//! An answer that is still owed must survive a crash, but no secret goes into the store. So what is kept is sealed with a key
//! that is made from the bot's token, which the store never sees.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hkdf, hmac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// What the key is for, so that no other key is the same.
const PURPOSE: &[u8] = b"clew: tokens of interactions";

/// How an interaction was answered at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum First {
    /// "… is thinking": the first answer takes its place.
    Thinking,
    /// Nothing that people see: an answer is a message of its own.
    Silence,
}

/// An interaction that may be answered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Id of the application.
    pub application: String,
    /// What Discord takes an answer for.
    pub secret: String,
    /// How it was answered at once.
    pub first: First,
    /// Id of the interaction.
    pub id: String,
}

/// Seals tokens and opens them.
pub struct Sealer {
    key: LessSafeKey,
    random: SystemRandom,
}

impl Sealer {
    /// With a key from the bot's token. Nothing when there is no such key, which cannot be.
    pub fn new(token: &SecretString) -> Option<Self> {
        let salt =
            hkdf::Salt::new(hkdf::HKDF_SHA256, hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, PURPOSE), b"").as_ref());
        let secret = salt.extract(token.expose_secret().as_bytes());
        let key = secret.expand(&[PURPOSE], &CHACHA20_POLY1305).ok().map(UnboundKey::from)?;
        Some(Self { key: LessSafeKey::new(key), random: SystemRandom::new() })
    }

    /// Sealed, as text.
    pub fn seal(&self, token: &Token) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).ok()?;
        let mut bytes = serde_json::to_vec(token).ok()?;
        self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes).ok()?;
        Some(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &bytes].concat()))
    }

    /// What was sealed; nothing when it was sealed with another bot's token, or not by us.
    pub fn open(&self, sealed: &str) -> Option<Token> {
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.key.open_in_place(nonce, Aad::empty(), sealed).ok()?;
        serde_json::from_slice(opened).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token { application: "12".into(), secret: "aW50ZXJhY3Rpb24".into(), first: First::Thinking, id: "34".into() }
    }

    #[test]
    fn what_is_kept_shows_no_token_and_only_this_bot_can_read_it() -> Result<(), &'static str> {
        let sealer = Sealer::new(&SecretString::from("a bot's token")).ok_or("no key")?;
        let sealed = sealer.seal(&token()).ok_or("not sealed")?;
        assert!(!sealed.contains("aW50"), "{sealed}");
        assert_ne!(Some(&sealed), sealer.seal(&token()).as_ref(), "the same is never sealed the same way");
        assert!(sealer.open(&sealed) == Some(token()));
        let other = Sealer::new(&SecretString::from("another token")).ok_or("no key")?;
        assert!(other.open(&sealed).is_none());
        for broken in ["", "x", &sealed[1..], &sealed.replace('A', "B")[..10]] {
            assert!(sealer.open(broken).is_none(), "{broken}");
        }
        Ok(())
    }
}
