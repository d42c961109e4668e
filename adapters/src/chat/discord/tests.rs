use clew_tests::Failure;
use clew_tests::fakes::discord::{CHANNEL, FakeDiscord, TOKEN};
use clew_tests::fakes::faults::Fault;

use super::*;
use crate::chat::{Span, Tone, conformance};

type Outcome = Result<(), Failure>;

const POST: &str = "POST channels/{}/messages";
const ADA: &str = "1000000000000000011";

fn channel() -> Place {
    Place { channel: CHANNEL.into(), thread: None }
}

fn hello() -> Rich {
    vec![Span::Text("hello".into())]
}

fn card() -> Card {
    Card {
        tone: Tone::Bad,
        title: "INC-12 the disk is full".into(),
        lead: vec![hello()],
        facts: vec![],
        sections: vec![],
        controls: vec![crate::chat::Control {
            label: "Resolve".into(),
            command: "resolve INC-12".into(),
            style: crate::chat::Style::Plain,
            choices: vec![],
            fields: vec![],
        }],
        footer: String::new(),
    }
}

fn settings(fake: &FakeDiscord) -> Settings {
    let url = fake.url();
    Settings::read(&|key| match key {
        "api_url" => Some(url.clone()),
        "token" => Some(TOKEN.to_owned()),
        _ => None,
    })
}

fn discord(fake: &FakeDiscord) -> Result<Discord, Error> {
    Discord::new(settings(fake))
}

/// The channel that a message really stands in.
fn stands_in(at: &MessageRef) -> &str {
    at.place.thread.as_ref().unwrap_or(&at.place.channel)
}

#[tokio::test]
async fn it_does_what_every_platform_must() -> Outcome {
    let fake = FakeDiscord::start()?;
    let shown =
        |at: &MessageRef| fake.message(stands_in(at), &at.id).map(|message| message.shown()).unwrap_or_default();
    conformance::conformance(&discord(&fake)?, &channel(), shown).await;
    Ok(())
}

#[tokio::test]
async fn what_was_posted_is_found_after_a_restart_behind_many_other_messages() -> Outcome {
    let fake = FakeDiscord::start()?;
    fake.add_member(ADA, "Ada", &[]);
    let at = discord(&fake)?.post(&channel(), &card(), "card-12").await?;
    for n in 0..250 {
        fake.say(CHANNEL, ADA, &format!("message {n}"));
    }
    let again = discord(&fake)?;
    assert_eq!(again.find(&channel(), "card-12").await?, Some(at.clone()));
    assert_eq!(again.find(&channel(), "card-13").await?, None);
    // A card that was found keeps its name when it is drawn anew.
    again.update(&at, &card()).await?;
    assert_eq!(discord(&fake)?.find(&channel(), "card-12").await?, Some(at));
    Ok(())
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_made_once() -> Outcome {
    let fake = FakeDiscord::start()?;
    let discord = discord(&fake)?;
    fake.fail_next(POST, Fault::DroppedAfter);
    let lost = discord.say(&channel(), &hello(), "said-12").await;
    assert!(matches!(lost, Err(Error::Transient { .. })), "{lost:?}");
    let said = discord.say(&channel(), &hello(), "said-12").await?;
    let messages = fake.messages(CHANNEL);
    assert_eq!(messages.iter().map(|message| &message.id).collect::<Vec<_>>(), [&said.id]);
    Ok(())
}

#[tokio::test]
async fn what_may_work_later_is_transient_and_says_when() -> Outcome {
    let fake = FakeDiscord::start()?;
    let discord = discord(&fake)?;
    for (fault, wait) in [
        (Fault::RateLimited(7), Some(Duration::from_secs(7))),
        (Fault::ServerError(503), None),
        (Fault::DroppedBefore, None),
    ] {
        fake.fail_next(POST, fault.clone());
        match discord.say(&channel(), &hello(), &format!("{fault:?}")).await {
            Err(Error::Transient { retry_after, .. }) => assert_eq!(retry_after, wait, "{fault:?}"),
            other => return Err(format!("{fault:?}: {other:?}").into()),
        }
        // What was asked to wait is not waited for here.
        if let Some(wait) = wait {
            fake.let_time_pass(wait);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_thread_is_made_once_and_where_none_can_be_the_message_is_answered() -> Outcome {
    let fake = FakeDiscord::start()?;
    fake.add_member(ADA, "Ada", &[]);
    let discord = discord(&fake)?;
    let root = fake.say(CHANNEL, ADA, "logs");
    let thread = Place { thread: Some(root.clone()), ..channel() };
    assert_eq!(discord.find(&thread, "card-12").await?, None);
    assert_eq!(fake.thread_of(&root), None, "looking makes no thread");
    let at = discord.post(&thread, &card(), "card-12").await?;
    assert_eq!(fake.thread_of(&root), Some(root.clone()));
    assert_eq!(at.place, thread);
    discord.say(&thread, &hello(), "said-12").await?;
    // Another process finds the thread that is there.
    super::tests::discord(&fake)?.say(&thread, &hello(), "said-13").await?;
    assert_eq!(fake.messages(&root).len(), 3);

    let other = fake.say(CHANNEL, ADA, "more logs");
    fake.forbid(CHANNEL, "create public threads");
    let at = discord.post(&Place { thread: Some(other.clone()), ..channel() }, &card(), "card-13").await?;
    assert_eq!(at.place, channel());
    let answer = fake.message(CHANNEL, &at.id).ok_or("no answer")?;
    assert_eq!(answer.raw["message_reference"]["message_id"], other.as_str());
    Ok(())
}

#[tokio::test]
async fn refusals_say_what_to_do() -> Outcome {
    let fake = FakeDiscord::start()?;
    let discord = discord(&fake)?;
    for nowhere in ["1000000000000000999", "C0INCIDENTS"] {
        let place = Place { channel: nowhere.into(), thread: None };
        assert!(matches!(discord.reaches(&place).await, Err(Error::Closed(_))), "{nowhere}");
    }
    discord.reaches(&channel()).await?;
    fake.forbid(CHANNEL, "send");
    let error = discord.say(&channel(), &hello(), "k").await.err();
    assert!(matches!(&error, Some(Error::Closed(why)) if why.contains("Send Messages")), "{error:?}");
    Ok(())
}

#[test]
fn settings_that_cannot_be_right_are_refused_by_name() -> Outcome {
    let set = |key: &'static str, value: &'static str| {
        let read = move |asked: &str| match asked {
            asked if asked == key => Some(value.to_owned()),
            "token" => Some(TOKEN.to_owned()),
            _ => None,
        };
        Discord::new(Settings::read(&read)).map(drop).map_err(|error| error.to_string())
    };
    for (key, value, part) in [
        ("token", " ", "DISCORD_TOKEN"),
        ("public_key", "abc", "DISCORD_PUBLIC_KEY"),
        ("guilds", "my server", "discord.guilds"),
        ("gateway", "yes", "discord.gateway"),
        ("api_url", "http://discord.example", "DISCORD_API_URL"),
    ] {
        let refused = set(key, value);
        assert!(refused.as_ref().is_err_and(|why| why.contains(part)), "{key}: {refused:?}");
    }
    set("token", "Bot abc.def.ghi")?;
    Ok(())
}

#[tokio::test]
async fn a_card_in_a_thread_that_is_hidden_is_drawn_anew_and_one_in_a_locked_thread_says_so() -> Outcome {
    let fake = FakeDiscord::start()?;
    fake.add_member(ADA, "Ada", &[]);
    let discord = discord(&fake)?;
    let root = fake.say(CHANNEL, ADA, "logs");
    let at = discord.post(&Place { thread: Some(root.clone()), ..channel() }, &card(), "card-12").await?;
    let changed = Card { title: "INC-12 is over".into(), ..card() };
    fake.archive(&root, false);
    discord.update(&at, &changed).await?;
    let shown = fake.message(&root, &at.id).map(|message| message.shown()).unwrap_or_default();
    assert!(shown.contains("INC-12 is over"), "{shown}");

    fake.forbid(CHANNEL, "manage threads");
    fake.archive(&root, true);
    let refused = discord.update(&at, &card()).await;
    assert!(matches!(&refused, Err(Error::Closed(_))), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn an_answer_for_which_it_is_too_late_is_a_direct_message() -> Outcome {
    let fake = FakeDiscord::start()?;
    fake.add_member(ADA, "Ada", &[]);
    let discord = discord(&fake)?;
    let token = reply::Token {
        application: clew_tests::fakes::discord::APP_ID.into(),
        secret: "over".into(),
        first: reply::First::Thinking,
        id: "1000000000000000555".into(),
    };
    let sealed = discord.inner.sealer.seal(&token).ok_or("not sealed")?;
    let ada = Person { id: ADA.into(), name: "Ada".into() };
    discord.whisper(&channel(), &ada, Some(&sealed), &hello(), "told-12").await?;
    let between = fake.messages(&fake.direct_channel(ADA));
    assert_eq!(between.iter().map(|message| message.content.as_str()).collect::<Vec<_>>(), ["hello"]);
    // That there is nothing to say is said nowhere.
    discord.whisper(&channel(), &ada, Some(&sealed), &vec![], "told-13").await?;
    assert_eq!(fake.messages(&fake.direct_channel(ADA)).len(), 1);
    Ok(())
}
