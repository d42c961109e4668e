use std::time::Duration;

use super::*;

fn download(url: &str, token: Option<&str>) -> Result<crate::Answer, Failure> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.get(url);
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    crate::answer(request.call()?)
}

fn url_of(discord: &FakeDiscord, message: &str) -> Result<String, Failure> {
    let (_, told) = call(discord, "GET", &format!("{}/{message}", messages_path()), &Value::Null)?;
    Ok(told["attachments"][0]["url"].as_str().ok_or_else(|| format!("no url: {told}"))?.to_owned())
}

#[test]
fn a_file_is_for_everybody_with_its_address_for_a_day() -> Outcome {
    let discord = FakeDiscord::start()?;
    let message = discord.say_with_files(CHANNEL, ADA, "look", &[("app 1.log", b"\xff\x00ERROR".to_vec())]);
    let told = discord.message(CHANNEL, &message).ok_or("no message")?.raw;
    let file = &told["attachments"][0];
    assert_eq!((&file["filename"], &file["size"], &file["title"]), (&json!("app_1.log"), &json!(7), &json!("app 1")));
    let url = url_of(&discord, &message)?;
    let answer = download(&url, None)?;
    assert_eq!((answer.status, answer.bytes.as_slice()), (200, b"\xff\x00ERROR".as_slice()));
    assert_eq!(discord.leaked_tokens(), 0);
    download(&url, Some(&format!("Bot {TOKEN}")))?;
    assert_eq!(discord.leaked_tokens(), 1);

    let gone = (404, "This content is no longer available.".to_owned());
    let bare = url.split('?').next().unwrap_or("");
    for wrong in [bare.to_owned(), url.replace("hm=", "hm=0"), url.replace("ex=", "ex=f")] {
        let answer = download(&wrong, None)?;
        assert_eq!((answer.status, answer.text), gone, "{wrong}");
    }
    discord.expire_files();
    assert_eq!(download(&url, None)?.status, 404);
    let fresh = url_of(&discord, &message)?;
    assert_eq!(download(&fresh, None)?.status, 200, "who asks for the message again gets a new address");
    discord.let_time_pass(Duration::from_hours(25));
    assert_eq!(download(&fresh, None)?.status, 404);
    let body = json!({"attachment_urls": [fresh]});
    let (_, refreshed) = call(&discord, "POST", "attachments/refresh-urls", &body)?;
    let url = refreshed["refreshed_urls"][0]["refreshed"].as_str().ok_or("no url")?;
    assert_eq!(download(url, None)?.status, 200);
    Ok(())
}

#[test]
fn the_bot_sends_files_in_a_form() -> Outcome {
    let discord = FakeDiscord::start()?;
    let form = "--b\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\r\n{\"content\": \"see\"}\r\n\
                --b\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"a.txt\"\r\n\
                Content-Type: text/plain\r\n\r\nhello\r\n--b--\r\n";
    let answer = ureq::post(format!("{}/api/v10/{}", discord.url(), messages_path()))
        .header("authorization", format!("Bot {TOKEN}"))
        .header("content-type", "multipart/form-data; boundary=b")
        .send(form)?;
    let told = document(answer)?;
    assert_eq!(told["attachments"][0]["filename"], "a.txt");
    assert_eq!(discord.messages(CHANNEL)[0].shown(), "see\n{file a.txt}");
    assert_eq!(download(&url_of(&discord, &id(&told)?)?, None)?.text, "hello");
    Ok(())
}
