use std::time::Duration;

use super::listener::{Listener, WITHOUT_CONTENT};
use super::*;
use crate::until;

fn register(discord: &FakeDiscord) -> Outcome {
    let commands = json!([
        {
            "name": "triage", "description": "Triage a log",
            "options": [
                {"type": 3, "name": "text", "description": "The log", "max_length": 100},
                {"type": 11, "name": "file", "description": "A file"},
            ],
        },
        {"name": "Triage this message", "type": 3},
    ]);
    let path = format!("applications/{APP_ID}/guilds/{GUILD}/commands");
    assert_eq!(call(discord, "PUT", &path, &commands)?.0, 200);
    Ok(())
}

/// What the bot was told of the interaction with this number.
fn told(bot: &Listener, number: usize) -> Result<Value, Failure> {
    until("an interaction", || Ok(bot.heard("INTERACTION_CREATE").get(number).map(|heard| heard["d"].clone())))
}

fn answer(discord: &FakeDiscord, interaction: &Value, body: &Value) -> Result<(u16, Value), Failure> {
    let (id, token) = (interaction["id"].as_str().unwrap_or(""), interaction["token"].as_str().unwrap_or(""));
    // The token is enough.
    call_as(discord, "", "POST", &format!("interactions/{id}/{token}/callback"), body)
}

fn with_token(
    discord: &FakeDiscord,
    interaction: &Value,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<(u16, Value), Failure> {
    let token = interaction["token"].as_str().unwrap_or("");
    call_as(discord, "", method, &format!("webhooks/{APP_ID}/{token}{path}"), body)
}

#[test]
fn a_command_reaches_the_bot_with_what_was_typed() -> Outcome {
    let discord = FakeDiscord::start()?;
    assert!(discord.command(CHANNEL, ADA, Some("x"), None).is_err(), "nobody registered it");
    register(&discord)?;
    let bot = Listener::ready(&discord, WITHOUT_CONTENT)?;
    discord.command(CHANNEL, ADA, Some("ERROR\ndisk full"), Some(("app.log", b"ERROR".to_vec())))?;
    let interaction = told(&bot, 0)?;
    assert_eq!((&interaction["type"], &interaction["member"]["user"]["id"]), (&json!(2), &json!(ADA)));
    assert_eq!((&interaction["guild_id"], &interaction["channel"]["id"]), (&json!(GUILD), &json!(CHANNEL)));
    let data = &interaction["data"];
    assert_eq!((&data["name"], &data["options"][0]["value"]), (&json!("triage"), &json!("ERROR disk full")));
    let file = data["options"][1]["value"].as_str().ok_or("no file")?;
    let url = data["resolved"]["attachments"][file]["url"].as_str().ok_or("no url")?;
    assert_eq!(crate::answer(ureq::get(url).call()?)?.text, "ERROR");

    let direct = discord.direct_channel(ADA);
    assert!(discord.command(&direct, ADA, None, None).is_err(), "a command of the server is not there outside of it");
    let for_all = json!({"name": "triage", "description": "Triage a log"});
    assert_eq!(call(&discord, "POST", &format!("applications/{APP_ID}/commands"), &for_all)?.0, 201);
    discord.command(&direct, ADA, None, None)?;
    let interaction = told(&bot, 1)?;
    assert_eq!((&interaction["user"]["id"], &interaction["guild_id"]), (&json!(ADA), &Value::Null));
    let too_long = discord.command(CHANNEL, ADA, Some(&"x".repeat(101)), None);
    assert!(too_long.is_err(), "the option takes no more");
    Ok(())
}

#[test]
fn a_person_alone_sees_an_ephemeral_answer_while_it_is_there() -> Outcome {
    let discord = FakeDiscord::start()?;
    register(&discord)?;
    let bot = Listener::ready(&discord, WITHOUT_CONTENT)?;
    discord.command(CHANNEL, ADA, None, None)?;
    let interaction = told(&bot, 0)?;
    assert_eq!(with_token(&discord, &interaction, "POST", "", &json!({"content": "early"}))?.1["code"], 10_015);
    assert_eq!(answer(&discord, &interaction, &json!({"type": 5, "data": {"flags": 64}}))?, (204, Value::Null));
    assert_eq!((discord.awaits(ADA), discord.awaits(BOB), discord.ephemerals(ADA).len()), (1, 0, 0));
    let again = answer(&discord, &interaction, &json!({"type": 4, "data": {"content": "x"}}))?;
    assert_eq!((again.0, &again.1["code"]), (400, &json!(40_060)));

    let edit = json!({"content": "a whisper"});
    let (status, told) = with_token(&discord, &interaction, "PATCH", "/messages/@original", &edit)?;
    assert_eq!((status, &told["flags"]), (200, &json!(64)));
    assert_eq!((discord.awaits(ADA), discord.ephemerals(ADA)[0].content.as_str()), (0, "a whisper"));
    assert!(discord.messages(CHANNEL).is_empty() && discord.ephemerals(BOB).is_empty());
    let of_bot = call(&discord, "GET", &format!("{}/{}", messages_path(), id(&told)?), &Value::Null)?;
    assert_eq!(of_bot.1["code"], 10_008, "it is in no history");

    let (_, more) = with_token(&discord, &interaction, "POST", "", &json!({"content": "more", "flags": 64}))?;
    assert_eq!(discord.ephemerals(ADA).len(), 2);
    let path = format!("/messages/{}", id(&more)?);
    assert_eq!(with_token(&discord, &interaction, "PATCH", &path, &json!({"content": "less"}))?.0, 200);
    assert_eq!(discord.ephemerals(ADA)[1].content, "less");
    assert_eq!(with_token(&discord, &interaction, "DELETE", &path, &Value::Null)?.0, 204);
    assert_eq!(discord.ephemerals(ADA).len(), 1);
    let done = &discord.interactions()[0];
    assert_eq!((done.kind, done.user.as_str(), done.answer, done.failed), (2, ADA, Some(5), false));

    discord.let_time_pass(Duration::from_mins(16));
    let (status, late) = with_token(&discord, &interaction, "PATCH", "/messages/@original", &edit)?;
    assert_eq!((status, &late["code"]), (401, &json!(50_027)));
    Ok(())
}

#[test]
fn the_first_message_after_thinking_takes_its_place() -> Outcome {
    let discord = FakeDiscord::start()?;
    register(&discord)?;
    let bot = Listener::ready(&discord, WITHOUT_CONTENT)?;
    discord.command(CHANNEL, ADA, None, None)?;
    let interaction = told(&bot, 0)?;
    answer(&discord, &interaction, &json!({"type": 5}))?;
    assert!(discord.messages(CHANNEL).is_empty());
    with_token(&discord, &interaction, "POST", "", &json!({"content": "done", "flags": 64}))?;
    let messages = discord.messages(CHANNEL);
    assert_eq!((messages.len(), messages[0].content.as_str(), discord.awaits(ADA)), (1, "done", 0));
    assert_eq!(messages[0].raw["type"], 20);
    Ok(())
}

#[test]
fn who_does_not_answer_in_time_did_not_respond() -> Outcome {
    let discord = FakeDiscord::start()?;
    register(&discord)?;
    let bot = Listener::ready(&discord, WITHOUT_CONTENT)?;
    discord.command(CHANNEL, ADA, None, None)?;
    let interaction = told(&bot, 0)?;
    assert!(!discord.interactions()[0].failed);
    discord.let_time_pass(Duration::from_secs(4));
    assert!(discord.interactions()[0].failed);
    let (status, late) = answer(&discord, &interaction, &json!({"type": 5}))?;
    assert_eq!((status, &late["code"]), (404, &json!(10_062)));
    assert_eq!(answer(&discord, &json!({"id": NOTHING, "token": "x"}), &json!({"type": 5}))?.1["code"], 10_062);
    Ok(())
}

#[test]
fn a_button_changes_the_message_it_stands_on() -> Outcome {
    let discord = FakeDiscord::start()?;
    let bot = Listener::ready(&discord, WITHOUT_CONTENT)?;
    let buttons = json!([
        {"type": 2, "style": 1, "label": "Resolve", "custom_id": "clew resolve 12"},
        {"type": 2, "style": 2, "label": "Off", "custom_id": "clew off", "disabled": true},
        {"type": 2, "style": 5, "label": "Docs", "url": "https://good.example/"},
    ]);
    let message = id(&post(&discord, &json!({"content": "card", "components": row(&buttons)}))?)?;
    for label in ["Off", "Docs", "Nothing"] {
        assert!(discord.press(CHANNEL, &message, ADA, label).is_err(), "{label}");
    }
    discord.press(CHANNEL, &message, ADA, "Resolve")?;
    let interaction = told(&bot, 0)?;
    assert_eq!((&interaction["type"], &interaction["message"]["id"]), (&json!(3), &json!(message)));
    assert_eq!(
        (&interaction["data"]["custom_id"], &interaction["data"]["component_type"]),
        (&json!("clew resolve 12"), &json!(2))
    );
    let token = (interaction["id"].as_str().unwrap_or(""), interaction["token"].as_str().unwrap_or(""));
    let path = format!("interactions/{}/{}/callback?with_response=true", token.0, token.1);
    let update = json!({"type": 7, "data": {"content": "resolved", "components": []}});
    let (status, response) = call(&discord, "POST", &path, &update)?;
    assert_eq!((status, &response["resource"]["message"]["content"]), (200, &json!("resolved")));
    assert_eq!(discord.message(CHANNEL, &message).map(|message| message.shown()).as_deref(), Some("resolved"));
    with_token(&discord, &interaction, "PATCH", "/messages/@original", &json!({"content": "again"}))?;
    assert_eq!(discord.messages(CHANNEL)[0].content, "again");
    Ok(())
}

#[test]
fn a_menu_tells_what_was_chosen_and_a_message_what_is_meant() -> Outcome {
    let discord = FakeDiscord::start()?;
    register(&discord)?;
    let bot = Listener::ready(&discord, WITHOUT_CONTENT)?;
    let menu = json!([{"type": 3, "custom_id": "wrong", "options": [
        {"label": "Disk full", "value": "wrong 12 disk_full"}, {"label": "Memory", "value": "wrong 12 memory"},
    ]}]);
    let message = id(&post(&discord, &json!({"content": "card", "components": row(&menu)}))?)?;
    assert_eq!(
        discord.messages(CHANNEL)[0].shown(),
        "card\n{control Disk full|wrong 12 disk_full}\n{control Memory|wrong 12 memory}"
    );
    discord.choose(CHANNEL, &message, ADA, "Memory")?;
    assert_eq!(told(&bot, 0)?["data"]["values"], json!(["wrong 12 memory"]));
    assert!(discord.choose(CHANNEL, &message, ADA, "Network").is_err());

    let said = discord.say(CHANNEL, BOB, "it is broken");
    discord.message_command(CHANNEL, &said, ADA, "Triage this message")?;
    let data = told(&bot, 1)?["data"].clone();
    assert_eq!((&data["target_id"], &data["type"]), (&json!(said), &json!(3)));
    assert_eq!(data["resolved"]["messages"][&said]["content"], "it is broken", "who is pointed at is read");
    assert!(discord.message_command(CHANNEL, &said, ADA, "Other").is_err());
    Ok(())
}

/// A form as the bot would open it.
fn form() -> Value {
    json!({"type": 9, "data": {"custom_id": "close 12", "title": "Close", "components": [
        {"type": 18, "label": "Why", "component": {
            "type": 4, "custom_id": "why", "style": 1, "max_length": 10, "required": true,
        }},
        {"type": 18, "label": "Cause", "component": {"type": 3, "custom_id": "cause", "options": [
            {"label": "Disk full", "value": "disk"}, {"label": "Other", "value": "other", "default": true},
        ]}},
        {"type": 1, "components": [
            {"type": 4, "custom_id": "note", "label": "Note", "style": 2, "value": "as before", "required": false},
        ]},
    ]}})
}

#[test]
fn a_form_is_filled_in_as_the_client_lets_it() -> Outcome {
    let discord = FakeDiscord::start()?;
    let bot = Listener::ready(&discord, WITHOUT_CONTENT)?;
    let button = json!([{"type": 2, "style": 1, "label": "Close", "custom_id": "clew close 12"}]);
    let message = id(&post(&discord, &json!({"content": "card", "components": row(&button)}))?)?;
    discord.press(CHANNEL, &message, ADA, "Close")?;
    assert_eq!(answer(&discord, &told(&bot, 0)?, &form())?.0, 204);
    let open = discord.modal(ADA).ok_or("no form")?;
    assert!(shown_form(&open).starts_with("Close\n{input Why|why}\n{input Cause|cause}\n{control Disk full|disk}"));
    for (answers, wrong) in [
        (vec![], "must be filled in"),
        (vec![("why", "much too long")], "10"),
        (vec![("why", "two\nlines")], "one line"),
        (vec![("why", "x"), ("cause", "Network")], "no option"),
        (vec![("other", "x")], "no input"),
    ] {
        let error = discord.submit(ADA, &answers).err().ok_or("it was sent")?.to_string();
        assert!(error.contains(wrong), "{answers:?}: {error}");
    }
    discord.submit(ADA, &[("why", "fixed")])?;
    assert_eq!(discord.modal(ADA), None, "it is on its way");
    let sent = told(&bot, 1)?;
    assert_eq!((&sent["type"], &sent["data"]["custom_id"]), (&json!(5), &json!("close 12")));
    assert_eq!(sent["message"]["id"], json!(message));
    let components = &sent["data"]["components"];
    assert_eq!((&components[0]["type"], &components[0]["component"]["value"]), (&json!(18), &json!("fixed")));
    assert_eq!(components[1]["component"]["values"], json!(["other"]), "what was chosen before is sent");
    assert_eq!(components[2]["components"][0]["value"], "as before");
    assert_eq!(answer(&discord, &sent, &form())?.1["code"], 50_035, "no form after a form");
    discord.let_time_pass(Duration::from_secs(4));
    assert!(discord.modal(ADA).is_some(), "nobody answered, and the form is still there");
    discord.submit(ADA, &[("why", "fixed"), ("cause", "Disk full")])?;
    let sent = told(&bot, 2)?;
    assert_eq!(sent["data"]["components"][1]["component"]["values"], json!(["disk"]));
    assert_eq!(answer(&discord, &sent, &json!({"type": 7, "data": {"content": "closed"}}))?.0, 204);
    assert_eq!((discord.modal(ADA), discord.messages(CHANNEL)[0].content.as_str()), (None, "closed"));
    Ok(())
}

#[test]
fn answers_are_checked_as_messages_are() -> Outcome {
    let discord = FakeDiscord::start()?;
    register(&discord)?;
    let bot = Listener::ready(&discord, WITHOUT_CONTENT)?;
    discord.command(CHANNEL, ADA, None, None)?;
    let interaction = told(&bot, 0)?;
    for (body, code) in [
        (json!({"type": 4, "data": {"content": "x".repeat(2_001)}}), 50_035),
        (json!({"type": 4, "data": {"content": ""}}), 50_006),
        (json!({"type": 7, "data": {"content": "x"}}), 50_035),
        (json!({"type": 9, "data": {"custom_id": "x", "title": "x".repeat(46), "components": []}}), 50_035),
        (json!({"type": 99}), 50_035),
        (json!({}), 50_035),
    ] {
        assert_eq!(answer(&discord, &interaction, &body)?.1["code"], code, "{body}");
    }
    let (status, _) = answer(&discord, &interaction, &json!({"type": 4, "data": {"content": "at last"}}))?;
    assert_eq!((status, discord.messages(CHANNEL)[0].content.as_str()), (204, "at last"));
    Ok(())
}

#[test]
fn commands_are_registered_by_their_rules() -> Outcome {
    let discord = FakeDiscord::start()?;
    let path = format!("applications/{APP_ID}/commands");
    let option =
        |name: &str, required: bool| json!({"type": 3, "name": name, "description": "x", "required": required});
    for wrong in [
        json!([{"name": "Triage", "description": "x"}]),
        json!([{"name": "triage"}]),
        json!([{"name": "triage", "description": "x".repeat(101)}]),
        json!([{"name": "triage", "description": "x", "options": [option("a", false), option("b", true)]}]),
        json!([{"name": "triage", "description": "x"}, {"name": "triage", "description": "y"}]),
        json!([{"name": "Triage this message", "type": 3, "description": "x"}]),
    ] {
        let (status, refused) = call(&discord, "PUT", &path, &wrong)?;
        assert_eq!((status, &refused["code"]), (400, &json!(50_035)), "{wrong}");
    }
    let good = json!({"name": "triage", "description": "x", "options": [option("a", true), option("b", false)]});
    let (status, first) = call(&discord, "POST", &path, &good)?;
    assert_eq!(status, 201);
    let (status, second) = call(&discord, "POST", &path, &good)?;
    assert_eq!((status, &second["id"]), (200, &first["id"]));
    let (_, all) = call(&discord, "PUT", &path, &json!([{"name": "other", "description": "x"}]))?;
    assert_eq!((all.as_array().map(Vec::len), &discord.commands()[0]["name"]), (Some(1), &json!("other")));
    let one = format!("{path}/{}", id(&all[0])?);
    assert_eq!(call(&discord, "DELETE", &one, &Value::Null)?.0, 204);
    assert_eq!(call(&discord, "DELETE", &one, &Value::Null)?.1["code"], 10_063);
    assert!(discord.commands().is_empty());
    Ok(())
}
