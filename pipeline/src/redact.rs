//! Takes secrets and personal data out of a text before anything else sees it.
//!
//! A match is replaced by `[redacted:kind]`. Redacting twice changes nothing. The key of a setting stays, so that
//! `password=[redacted:password] rejected` still reads as what it is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use regex::{Captures, Regex};

/// How often each kind of secret was found.
pub type Redactions = BTreeMap<&'static str, usize>;

struct Rule {
    kind: &'static str,
    /// Lower-case pieces, one of which stands in every line that the rule can match: most lines skip the regex.
    hints: &'static [&'static str],
    /// The named group `secret` is what is replaced; without it, all.
    pattern: &'static str,
    accept: fn(&str) -> bool,
}

fn always(_: &str) -> bool {
    true
}

/// Values that stand where a secret would and are none: `MySQL` prints `(using password: YES)`.
fn is_secret_value(value: &str) -> bool {
    const PLAIN: [&str; 17] = [
        "yes",
        "no",
        "true",
        "false",
        "null",
        "none",
        "nil",
        "undefined",
        "empty",
        "missing",
        "required",
        "invalid",
        "expired",
        "failed",
        "incorrect",
        "wrong",
        "authentication",
    ];
    let bare = value.trim_matches(['*', 'x', 'X', '<', '>', '\'', '"', '.', ',', ')', '(']);
    !bare.is_empty() && !PLAIN.contains(&bare.to_ascii_lowercase().as_str())
}

/// A value with a digit: what a machine made, not a word.
fn is_random(value: &str) -> bool {
    value.bytes().any(|b| b.is_ascii_digit()) && is_secret_value(value)
}

/// A bare `token: …` is often a parser's word (`unexpected token: }`): only long values with a digit are secrets.
fn is_token_value(value: &str) -> bool {
    value.len() >= 16 && value.bytes().any(|b| b.is_ascii_digit()) && is_secret_value(value)
}

/// ISO/IEC 7812 check digit.
fn is_card_number(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    (13..=19).contains(&digits.len()) && sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != digits[0])
}

const RULES: &[Rule] = &[
    Rule {
        kind: "private_key",
        hints: &["private key"],
        pattern: r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|$)",
        accept: always,
    },
    Rule { kind: "aws_key", hints: &["akia", "asia"], pattern: r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", accept: always },
    Rule {
        kind: "github_token",
        hints: &["gh", "github_pat_"],
        pattern: r"\b(?:gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{40,255})\b",
        accept: always,
    },
    Rule { kind: "gitlab_token", hints: &["glpat-"], pattern: r"\bglpat-[A-Za-z0-9_\-]{20,}", accept: always },
    Rule {
        kind: "slack_token",
        hints: &["xox", "xapp-"],
        pattern: r"\b(?:xox[abeoprs]|xapp)-[A-Za-z0-9\-]{10,}",
        accept: always,
    },
    Rule {
        kind: "slack_webhook",
        hints: &["hooks.slack.com"],
        pattern: r"hooks\.slack\.com/(?:services|workflows)/(?P<secret>[A-Za-z0-9/_\-]{10,})",
        accept: always,
    },
    Rule { kind: "google_key", hints: &["aiza"], pattern: r"\bAIza[0-9A-Za-z_\-]{35}", accept: always },
    Rule {
        kind: "api_key",
        hints: &["sk-", "sk_", "rk_", "pk_", "npm_", "sg.", "hf_", "dop_v1_"],
        pattern: r"\b(?:sk-[A-Za-z0-9_\-]{20,}|[spr]k_(?:live|test)_[A-Za-z0-9]{10,}|npm_[A-Za-z0-9]{30,}|SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}|hf_[A-Za-z0-9]{30,}|dop_v1_[a-f0-9]{40,})",
        accept: always,
    },
    Rule {
        kind: "jwt",
        hints: &["eyj"],
        pattern: r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?",
        accept: always,
    },
    Rule {
        kind: "authorization",
        hints: &["bearer ", "basic ", "authorization"],
        pattern: r#"(?i)\b(?:bearer|basic|authorization["']?\s*[:=]\s*["']?(?:token|apikey|digest))\s+(?P<secret>[A-Za-z0-9+/_\-.=~:]{12,})"#,
        accept: is_token_or_base64,
    },
    Rule {
        kind: "cookie",
        hints: &["cookie"],
        pattern: r#"(?i)\b(?:set-)?cookie["']?\s*[:=]\s*["']?(?P<secret>[A-Za-z0-9_.\-]+=[^"'\r\n]{4,})"#,
        accept: always,
    },
    Rule {
        kind: "url_password",
        hints: &["://"],
        pattern: r#"\b[a-zA-Z][a-zA-Z0-9+.\-]{1,20}://[^\s:/@"'<>]*:(?P<secret>[^\s/"'<>]+)@"#,
        accept: is_secret_value,
    },
    Rule {
        kind: "password",
        hints: &["--pass", "--token", "--secret", "--api-key", "--pwd"],
        pattern: r"(?i)(?:^|\s)--?(?:password|passwd|pwd|token|secret|api-key)(?:\s+|=)(?P<secret>[^\s-]\S*)",
        accept: is_secret_value,
    },
    Rule {
        kind: "password",
        hints: &["curl"],
        pattern: r"\bcurl\b.*?\s(?:-u|--user)[\s=]*[^\s:]+:(?P<secret>\S+)",
        accept: is_secret_value,
    },
    Rule {
        kind: "password",
        hints: &["mysql"],
        pattern: r"\bmysql(?:dump|admin|import)?\b.*?\s-p(?P<secret>\S+)",
        accept: is_secret_value,
    },
    Rule {
        kind: "password",
        hints: &["pdo"],
        pattern: r"PDO(?:->|::)__construct\('[^']*',\s*'[^']*',\s*'(?P<secret>[^']+)'",
        accept: always,
    },
    Rule {
        kind: "password",
        hints: &["jdbc:oracle"],
        pattern: r"jdbc:oracle:\w+:[^/\s@]+/(?P<secret>[^@\s]+)@",
        accept: is_secret_value,
    },
    Rule {
        kind: "password",
        hints: &["password is", "passwort ist"],
        pattern: r"(?i)\bpassword is (?P<secret>\S*\d\S*)",
        accept: is_secret_value,
    },
    Rule {
        kind: "signature",
        hints: &["sig=", "signature=", "code=", "token="],
        pattern: r#"(?i)[?&](?:sig|signature|x-amz-signature|x-amz-security-token|x-amz-credential|code)=(?P<secret>[^&\s"']{6,})"#,
        accept: is_random,
    },
    Rule {
        kind: "api_key",
        hints: &["x-api-key"],
        pattern: r#"(?i)\bx-api-key["']?[\s:=]+["']?(?P<secret>[A-Za-z0-9_\-]{8,})"#,
        accept: is_random,
    },
    Rule {
        kind: "ssn",
        hints: &["ssn", "social security"],
        pattern: r"(?i)\b(?:ssn|social security(?: number)?)\D{0,4}(?P<secret>\d{3}-\d{2}-\d{4})\b",
        accept: always,
    },
    Rule {
        kind: "password",
        hints: &["pass", "pwd", "secret", "api", "key", "token", "credential"],
        pattern: r#"(?ix) [\w.\-]* (?: passw(?:or)?d | passwd | passphrase | pwd | secret (?: [_\-]? (?:access)? [_\-]? key )? | api[_\-]?key | access[_\-]?key | account[_\-]?key
            | auth[_\-]?token | access[_\-]?token | refresh[_\-]?token | session[_\-]?token | bot[_\-]?token | client[_\-]?secret | private[_\-]?key | credentials? )
            ["'\\]* \s* (?: => | [=:] ) \s* (?: [\\]+ "(?P<secret>[^"\\]+) | "(?P<secret2>(?:[^"\\]|\\.)+) | '(?P<secret3>[^'\\]+) | (?P<secret4>[^\s"'\\,;&)\]}\[{(<]+ ) )"#,
        accept: is_secret_value,
    },
    Rule {
        kind: "token",
        hints: &["token"],
        pattern: r#"(?i)\btoken["']?\s*[=:]\s*["']?(?P<secret>[A-Za-z0-9_\-./+=]{16,})"#,
        accept: is_token_value,
    },
    Rule {
        kind: "email",
        hints: &["@"],
        pattern: r"(?i)\b[a-z0-9][a-z0-9._%+\-]*@[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?(?:\.[a-z0-9\-]+)*\.[a-z]{2,24}\b",
        accept: is_mail_address,
    },
    Rule {
        kind: "card_number",
        hints: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        pattern: r"(?:^|[^\w.\-/#])(?P<secret>[3-6]\d{3}[ \-]?\d{4}[ \-]?\d{4}[ \-]?\d{1,7}|3[47]\d{2}[ \-]?\d{6}[ \-]?\d{5})\b",
        accept: is_card_number,
    },
];

fn is_token_or_base64(value: &str) -> bool {
    value.len() >= 20 || value.bytes().any(|b| b.is_ascii_digit() || b == b'=')
}

/// `unit@1.service` and `git@github.com` are names of things, not of people.
fn is_mail_address(value: &str) -> bool {
    const UNITS: [&str; 9] =
        [".service", ".socket", ".timer", ".target", ".mount", ".slice", ".scope", ".device", ".path"];
    !UNITS.iter().any(|unit| value.ends_with(unit)) && !value.starts_with("git@")
}

/// Lines of the longest private key in use (RSA of 16,384 bits), with room.
const MAX_KEY_LINES: usize = 250;
const KEY_PLACEHOLDER: &str = "[redacted:private_key]";

/// Whether the last key that begins on `line` does not end there.
fn is_open(line: &str) -> bool {
    let begin = line.rfind("-----BEGIN ");
    let end = line.rfind("-----END ");
    begin.is_some() && begin > end
}

/// A line of a key file: Base64 or one of its headers, behind any prefix of a transport.
fn is_key_material(line: &str) -> bool {
    let text = line.trim();
    let last = text.rsplit(' ').next().unwrap_or("");
    let base64 = |word: &str| word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
    text.is_empty()
        || (base64(last) && (!text.contains(' ') || last.len() >= 40))
        || ["Proc-Type:", "DEK-Info:", "Version:", "Comment:"].iter().any(|head| text.contains(head))
}

const PLACEHOLDER: &str = "[redacted:";

/// Redacts lines one after the other. It remembers whether a private key is open.
pub struct Redactor {
    hints: AhoCorasick,
    hint_rules: Vec<usize>,
    patterns: Vec<Regex>,
    key_lines_left: usize,
    found: Redactions,
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}

impl Redactor {
    /// Compiles the rules.
    #[must_use]
    // The rules are constants of this file, and a test builds them.
    #[allow(clippy::expect_used)]
    pub fn new() -> Self {
        let mut hints = Vec::new();
        let mut hint_rules = Vec::new();
        for (index, rule) in RULES.iter().enumerate() {
            for hint in rule.hints {
                hints.push(*hint);
                hint_rules.push(index);
            }
        }
        Self {
            hints: AhoCorasickBuilder::new()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .build(hints)
                .expect("constant patterns"),
            hint_rules,
            patterns: RULES.iter().map(|rule| Regex::new(rule.pattern).expect("constant pattern")).collect(),
            key_lines_left: 0,
            found: Redactions::new(),
        }
    }

    /// A redactor with the same rules and nothing found yet; cheap.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self {
            hints: self.hints.clone(),
            hint_rules: self.hint_rules.clone(),
            patterns: self.patterns.clone(),
            key_lines_left: 0,
            found: Redactions::new(),
        }
    }

    /// What was found so far.
    #[must_use]
    pub fn found(&self) -> &Redactions {
        &self.found
    }

    /// `line` without its secrets.
    pub fn line<'a>(&mut self, line: &'a str) -> Cow<'a, str> {
        if self.key_lines_left > 0 {
            self.key_lines_left -= 1;
            if line.contains("-----END ") {
                self.key_lines_left = 0;
                return Cow::Borrowed(KEY_PLACEHOLDER);
            }
            // A key that was cut short must not swallow the log that follows it.
            if is_key_material(line) {
                return Cow::Borrowed(KEY_PLACEHOLDER);
            }
            self.key_lines_left = 0;
        }
        let mut wanted = [false; RULES.len()];
        for hit in self.hints.find_overlapping_iter(line) {
            wanted[self.hint_rules[hit.pattern().as_usize()]] = true;
        }
        let mut text = Cow::Borrowed(line);
        for (index, rule) in RULES.iter().enumerate() {
            if !wanted[index] {
                continue;
            }
            let count = apply(&mut text, rule, &self.patterns[index]);
            if count > 0 {
                *self.found.entry(rule.kind).or_default() += count;
                if rule.kind == "private_key" && is_open(line) {
                    self.key_lines_left = MAX_KEY_LINES;
                }
            }
        }
        text
    }

    /// `text`, which may have many lines, without its secrets.
    pub fn text(&mut self, text: &str) -> String {
        text.split('\n').map(|line| self.line(line)).collect::<Vec<_>>().join("\n")
    }
}

/// Whether what follows a key is a sentence about it (`password: must be at least …`) or the name of a thing that is
/// missing (`secret: "db-creds" not found`), and not its value.
fn is_prose(whole: &str, value: &str, after: &str) -> bool {
    const MISSING: [&str; 4] = [" not found", " does not exist", " is missing", " missing"];
    let after = after.trim_start_matches(['"', '\'']);
    let unquoted = whole.strip_suffix(value).is_some_and(|head| head.ends_with(": "));
    let sentence = value.bytes().all(|b| b.is_ascii_lowercase())
        && after.strip_prefix(' ').is_some_and(|next| next.starts_with(|c: char| c.is_ascii_lowercase()));
    (unquoted && sentence) || MISSING.iter().any(|ending| after.starts_with(ending))
}

fn apply(text: &mut Cow<'_, str>, rule: &Rule, pattern: &Regex) -> usize {
    let mut count = 0;
    let haystack = text.clone();
    let replaced = pattern.replace_all(&haystack, |captures: &Captures| {
        let whole = &captures[0];
        let secret = ["secret", "secret2", "secret3", "secret4"].iter().find_map(|name| captures.name(name));
        let value = secret.map_or(whole, |m| m.as_str());
        let after = secret.map_or("", |m| &haystack[m.end()..]);
        if value.contains(PLACEHOLDER) || !(rule.accept)(value) || is_prose(whole, value, after) {
            return whole.to_owned();
        }
        count += 1;
        let placeholder = format!("{PLACEHOLDER}{}]", rule.kind);
        let Some(secret) = secret else { return placeholder };
        let start = captures.get(0).map_or(0, |m| m.start());
        format!("{}{placeholder}{}", &whole[..secret.start() - start], &whole[secret.end() - start..])
    });
    if count > 0 {
        *text = Cow::Owned(replaced.into_owned());
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn redact(text: &str) -> String {
        Redactor::new().text(text)
    }

    #[test]
    fn secrets_go_and_their_names_stay() {
        for (line, expected) in [
            ("login password=hunter2 failed", "login password=[redacted:password] failed"),
            (r#"{"client_secret": "abc def", "a": 1}"#, r#"{"client_secret": "[redacted:password]", "a": 1}"#),
            ("postgres://app:s3cr@t@db:5432/x", "postgres://app:[redacted:url_password]@db:5432/x"),
            ("Authorization: Bearer abcdef0123456789abcdef", "Authorization: Bearer [redacted:authorization]"),
            ("key AKIAIOSFODNN7EXAMPLE used", "key [redacted:aws_key] used"),
            ("mail to jane.doe@example.com bounced", "mail to [redacted:email] bounced"),
            ("card 4111 1111 1111 1111 declined", "card [redacted:card_number] declined"),
            (
                "Server=db;User Id=sa;Password=P@ss;Timeout=3",
                "Server=db;User Id=sa;Password=[redacted:password];Timeout=3",
            ),
            ("curl -u admin:hunter2 https://x", "curl -u admin:[redacted:password] https://x"),
            ("mysql -uroot -pSuperSecret1 app", "mysql -uroot -p[redacted:password] app"),
            ("run --password hunter2 --token=abc123", "run --password [redacted:password] --token=[redacted:password]"),
            (r#"{"password":"a\"bcdef"}"#, r#"{"password":"[redacted:password]"}"#),
            (
                "GET /cb?code=4/0AX4XfWh&sig=AbC123def HTTP/1.1",
                "GET /cb?code=[redacted:signature]&sig=[redacted:signature] HTTP/1.1",
            ),
            ("jdbc:oracle:thin:scott/tiger@//db:1521/x", "jdbc:oracle:thin:scott/[redacted:password]@//db:1521/x"),
            ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=[redacted:password]"),
        ] {
            assert_eq!(redact(line), expected);
        }
    }

    #[test]
    fn what_an_engineer_needs_stays() {
        for line in [
            "Access denied for user 'app'@'10.0.0.1' (using password: YES)",
            "SyntaxError: Unexpected token: }",
            "FATAL: password authentication failed for user \"app\"",
            "Started getty@tty1.service",
            "password: must be at least 8 characters",
            "credentials: could not load default credentials",
            "secret: \"db-creds\" not found in namespace prod",
            "connect to 10.0.0.1:5432 refused",
            "trace 4bf92f3577b34da6a3ce929d0e0e4736",
            "order 1234567890123456",
            "served block blk_-4111111111111111",
        ] {
            assert_eq!(redact(line), line);
        }
    }

    #[test]
    fn a_private_key_is_gone_to_its_last_line() {
        let text = "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabcd\n-----END RSA PRIVATE KEY-----\nb";
        let out = redact(text);
        assert!(!out.contains("MIIE") && out.starts_with('a') && out.ends_with('b'), "{out}");
        assert_eq!(out.lines().count(), text.lines().count(), "line numbers stay true");
    }

    #[test]
    fn a_key_right_behind_a_certificate_is_gone_and_one_cut_short_does_not_hide_the_log() {
        let out =
            redact("-----END CERTIFICATE----------BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nafter");
        assert!(!out.contains("MIIE") && out.ends_with("after"), "{out}");
        let out = redact(
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\nlQdGBF\n2024-05-01 10:00:00 ERROR disk is full",
        );
        assert!(!out.contains("lQdGBF") && out.ends_with("ERROR disk is full"), "{out}");
    }

    proptest! {
        #[test]
        fn redacting_twice_changes_nothing(text in r#"(password|token|secret|api_key|[a-z]{1,8}@ex\.com|https?://u:p@h|[=: "';,]|[a-zA-Z0-9/+]{1,20}|4111 1111 1111 1111){0,12}"#) {
            let once = redact(&text);
            prop_assert_eq!(redact(&once), once);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            let _ = redact(&text);
        }
    }
}
