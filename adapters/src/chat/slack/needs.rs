//! What the Slack app must be allowed. `manifest.yml` asks for exactly this, and `docs/slack.md` says why; tests keep the
//! three equal.

/// Methods of the Web API that are called, and the scope of the bot token that each needs ("": none). A method that reads
/// conversations has one row for each kind of them: public channels, private channels, direct messages.
///
/// `apps.connections.open` is called with the app-level token, whose scope `connections:write` no manifest can ask for.
pub const METHODS: &[(&str, &str)] = &[
    ("apps.connections.open", ""),
    ("auth.test", ""),
    ("chat.postEphemeral", "chat:write"),
    ("chat.postMessage", "chat:write"),
    ("chat.update", "chat:write"),
    ("conversations.history", "channels:history"),
    ("conversations.history", "groups:history"),
    ("conversations.history", "im:history"),
    ("conversations.info", "channels:read"),
    ("conversations.info", "groups:read"),
    ("conversations.info", "im:read"),
    ("conversations.replies", "channels:history"),
    ("conversations.replies", "groups:history"),
    ("conversations.replies", "im:history"),
    ("usergroups.list", "usergroups:read"),
    ("usergroups.users.list", "usergroups:read"),
    ("users.info", "users:read"),
    ("views.open", ""),
    ("views.publish", ""),
];

/// Scopes that no method tells, and what needs them. The `message.*` events need the `*:history` scopes, which methods need
/// as well.
pub const OTHER_SCOPES: &[(&str, &str)] = &[
    ("app_mentions:read", "the event app_mention"),
    ("commands", "the slash command and the message shortcut"),
    ("files:read", "the content of files that are dropped, which is no method but an address"),
];

/// Events that are heard.
pub const EVENTS: &[&str] = &["app_home_opened", "app_mention", "message.channels", "message.groups", "message.im"];

/// The slash command.
pub const COMMAND: &str = "/triage";

/// Callback id of the message shortcut "Triage this message".
pub const SHORTCUT: &str = "triage_message";

/// Whether a method stands in [`METHODS`].
#[must_use]
pub fn is_called(method: &str) -> bool {
    METHODS.iter().any(|(name, _)| *name == method)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test that fails stops

    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;

    const MANIFEST: &str = include_str!("../../../../manifest.yml");
    const DOCUMENTATION: &str = include_str!("../../../../docs/slack.md");

    fn manifest() -> Value {
        serde_saphyr::from_str(MANIFEST).unwrap()
    }

    fn scopes() -> BTreeSet<&'static str> {
        let of_methods = METHODS.iter().map(|(_, scope)| *scope).filter(|scope| !scope.is_empty());
        of_methods.chain(OTHER_SCOPES.iter().map(|(scope, _)| *scope)).collect()
    }

    /// How long a text is that Slack counts.
    fn length(value: &Value) -> usize {
        value.as_str().unwrap().chars().count()
    }

    #[test]
    fn the_manifest_asks_for_what_is_used_and_nothing_more() {
        let manifest = manifest();
        // The whole of both parts, so that no other scope, event, redirect or address slips in.
        assert_eq!(manifest["oauth_config"], json!({"scopes": {"bot": scopes()}}));
        assert_eq!(
            manifest["settings"],
            json!({
                "event_subscriptions": {"bot_events": EVENTS},
                "interactivity": {"is_enabled": true},
                "org_deploy_enabled": false,
                "socket_mode_enabled": true,
                "token_rotation_enabled": false,
            })
        );
        let parts: Vec<&String> = manifest.as_object().unwrap().keys().collect();
        assert_eq!(parts, ["_metadata", "display_information", "features", "oauth_config", "settings"]);
    }

    #[test]
    fn the_manifest_has_the_command_the_shortcut_and_the_home_tab() {
        let features = &manifest()["features"];
        let parts: Vec<&String> = features.as_object().unwrap().keys().collect();
        assert_eq!(parts, ["app_home", "bot_user", "shortcuts", "slash_commands"]);
        let home = json!({
            "home_tab_enabled": true, "messages_tab_enabled": true, "messages_tab_read_only_enabled": false,
        });
        assert_eq!(features["app_home"], home);
        assert_eq!(features["bot_user"], json!({"display_name": "clew", "always_online": false}));

        let shortcut = &features["shortcuts"][0];
        assert_eq!(
            features["shortcuts"],
            json!([{
                "name": "Triage this message",
                "type": "message",
                "callback_id": SHORTCUT,
                "description": shortcut["description"],
            }])
        );
        let command = &features["slash_commands"][0];
        assert_eq!(
            features["slash_commands"],
            json!([{
                "command": COMMAND,
                "description": command["description"],
                "usage_hint": command["usage_hint"],
                "should_escape": false,
            }])
        );
    }

    /// The limits of Slack's own schema, github.com/slackapi/manifest-schema.
    #[test]
    fn the_texts_of_the_manifest_are_not_too_long() {
        let manifest = manifest();
        let shown = &manifest["display_information"];
        assert!((1..=35).contains(&length(&shown["name"])));
        assert!((1..=140).contains(&length(&shown["description"])));
        assert!((175..=4_000).contains(&length(&shown["long_description"])));
        let shortcut = &manifest["features"]["shortcuts"][0];
        assert!((1..=24).contains(&length(&shortcut["name"])));
        assert!((1..=150).contains(&length(&shortcut["description"])));
        let command = &manifest["features"]["slash_commands"][0];
        assert!((2..=32).contains(&length(&command["command"])));
        assert!((1..=2_000).contains(&length(&command["description"])));
        assert!((1..=1_000).contains(&length(&command["usage_hint"])));
    }

    #[test]
    fn the_documentation_says_why_each_scope_and_event_is_needed() {
        let rows = DOCUMENTATION.lines().filter(|line| line.starts_with("| `"));
        let named: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
        for scope in scopes() {
            assert_eq!(named.iter().filter(|name| **name == scope).count(), 1, "{scope} has a row of its own");
        }
        let more = named.iter().filter(|name| name.contains(':') && **name != "connections:write");
        let more: Vec<&&str> = more.filter(|name| !scopes().contains(**name)).collect();
        assert!(more.is_empty(), "{more:?} are documented and not asked for");
        for event in EVENTS {
            assert!(DOCUMENTATION.contains(&format!("`{event}`")), "{event}");
        }
    }

    #[test]
    fn nothing_is_listed_twice() {
        assert_eq!(METHODS.iter().collect::<BTreeSet<_>>().len(), METHODS.len());
        assert!(is_called("chat.update") && !is_called("chat.delete"));
    }
}
