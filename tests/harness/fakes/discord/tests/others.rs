use super::listener::{Listener, WITH_CONTENT};
use super::*;
use crate::until;

#[test]
fn other_bots_and_webhooks_write_and_change_what_they_wrote() -> Outcome {
    let discord = FakeDiscord::start()?;
    let bot = Listener::ready(&discord, WITH_CONTENT)?;
    let alert = json!({"embeds": [{"title": "[FIRING] disk full", "fields": [{"name": "host", "value": "db-1"}]}]});
    let by_bot = discord.post_by_bot(CHANNEL, "1000000000000000051", alert.clone());
    discord.post_by_webhook(CHANNEL, "Grafana", alert);
    let heard = until("both alerts", || {
        let heard = bot.heard("MESSAGE_CREATE");
        Ok((heard.len() == 2).then_some(heard))
    })?;
    let (of_bot, of_webhook) = (&heard[0]["d"], &heard[1]["d"]);
    assert_eq!((&of_bot["author"]["bot"], of_bot.get("webhook_id")), (&json!(true), None));
    assert_eq!(of_webhook["author"]["username"], "Grafana");
    assert_eq!(of_webhook["webhook_id"], of_webhook["author"]["id"]);
    assert_eq!((of_webhook.get("member"), of_webhook["embeds"][0]["type"].as_str()), (None, Some("rich")));
    discord.edit_post(CHANNEL, &by_bot, json!({"embeds": [{"title": "[RESOLVED] disk full"}]}));
    assert_eq!(bot.wait_for("MESSAGE_UPDATE")?["embeds"][0]["title"], "[RESOLVED] disk full");
    Ok(())
}

#[test]
fn threads_are_told_of() -> Outcome {
    let discord = FakeDiscord::start()?;
    let bot = Listener::ready(&discord, WITH_CONTENT)?;
    let message = id(&post(&discord, &json!({"content": "card"}))?)?;
    discord.start_thread(CHANNEL, &message, "by a person");
    let thread = bot.wait_for("THREAD_CREATE")?;
    assert_eq!(
        (&thread["id"], &thread["parent_id"], &thread["newly_created"]),
        (&json!(message), &json!(CHANNEL), &json!(true))
    );
    let changed = bot.wait_for("MESSAGE_UPDATE")?;
    assert_eq!((&changed["id"], &changed["thread"]["id"]), (&json!(message), &json!(message)));
    discord.say(&message, ADA, "inside");
    let inside = until("what is said inside", || {
        Ok(bot.heard("MESSAGE_CREATE").into_iter().find(|heard| heard["d"]["content"] == "inside"))
    })?;
    assert_eq!((&inside["d"]["channel_id"], &inside["d"]["guild_id"]), (&json!(message), &json!(GUILD)));
    discord.archive(&message, false);
    assert_eq!(bot.wait_for("THREAD_UPDATE")?["thread_metadata"]["archived"], true);
    discord.remove_channel(&message);
    assert_eq!(bot.wait_for("THREAD_DELETE")?["id"], json!(message));
    assert_eq!(discord.thread_of(&message), None);
    Ok(())
}
