use super::*;

fn message_breaks(message: &Value, part: &str) {
    let broken = check_message(message);
    assert!(broken.iter().any(|one| one.contains(part)), "{part}: {broken:?}");
}

fn form_breaks(components: Value, part: &str) {
    let broken = check_modal(&json!({"custom_id": "x", "title": "x", "components": components}));
    assert!(broken.iter().any(|one| one.contains(part)), "{part}: {broken:?}");
}

fn long(length: usize) -> String {
    "x".repeat(length)
}

fn button(id: &str) -> Value {
    json!({"type": 2, "style": 1, "label": "x", "custom_id": id})
}

fn select(options: &[Value]) -> Value {
    json!({"type": 3, "custom_id": "menu", "options": options})
}

#[test]
fn the_largest_message_is_a_message() {
    let fields: Vec<Value> = (0..25).map(|_| json!({"name": "n", "value": "v"})).collect();
    let buttons: Vec<Value> = (0..5).map(|n| button(&format!("{n}"))).collect();
    let options: Vec<Value> = (0..25).map(|n| json!({"label": long(100), "value": format!("{n}")})).collect();
    let message = json!({
        "content": long(2_000), "nonce": long(25),
        "embeds": [{
            "title": long(256), "description": long(4_096), "fields": fields, "footer": {"text": long(1_342)},
            "author": {"name": long(256)}, "url": "https://good.example/",
        }],
        "components": [
            {"type": 1, "components": buttons}, {"type": 1, "components": [select(&options)]},
        ],
    });
    assert_eq!(check_message(&message), Vec::<String>::new());
}

#[test]
fn texts_of_messages_have_a_longest() {
    message_breaks(&json!({"content": long(2_001)}), "content: BASE_TYPE_MAX_LENGTH");
    // Two units each, as Discord may count.
    message_breaks(&json!({"content": "🚒".repeat(1_001)}), "content");
    message_breaks(&json!({"content": "x", "nonce": long(26)}), "nonce");
    message_breaks(&json!({"embeds": [{"title": long(257)}]}), "embeds.0.title");
    message_breaks(&json!({"embeds": [{"description": long(4_097)}]}), "embeds.0.description");
    message_breaks(&json!({"embeds": [{"title": "x", "footer": {"text": long(2_049)}}]}), "embeds.0.footer.text");
    message_breaks(&json!({"embeds": [{"title": "x", "author": {"name": long(257)}}]}), "embeds.0.author.name");
    message_breaks(&json!({"embeds": [{"fields": [{"name": long(257), "value": "v"}]}]}), "fields.0.name");
    message_breaks(&json!({"embeds": [{"fields": [{"name": "n", "value": long(1_025)}]}]}), "fields.0.value");
    message_breaks(&json!({"embeds": [{"fields": [{"name": " ", "value": "v"}]}]}), "fields.0.name");
    message_breaks(&json!({"embeds": [{"fields": [{"name": "n"}]}]}), "fields.0.value");
    let half = json!({"description": long(3_001)});
    message_breaks(&json!({"embeds": [half, half]}), "MAX_EMBED_SIZE_EXCEEDED");
    message_breaks(&json!({"embeds": [{"title": "x", "url": "javascript:x"}]}), "URL_TYPE_INVALID_SCHEME");
    message_breaks(&json!({"embeds": [{}]}), "embeds.0: BASE_TYPE_REQUIRED");
}

#[test]
fn there_are_only_so_many_things_in_a_message() {
    let embed = json!({"title": "x"});
    message_breaks(&json!({"embeds": vec![embed; 11]}), "embeds: BASE_TYPE_BAD_LENGTH");
    let field = json!({"name": "n", "value": "v"});
    message_breaks(&json!({"embeds": [{"fields": vec![field; 26]}]}), "embeds.0.fields");
    let rows: Vec<Value> = (0..6).map(|n| json!({"type": 1, "components": [button(&format!("{n}"))]})).collect();
    message_breaks(&json!({"components": rows}), "components: BASE_TYPE_BAD_LENGTH");
    let buttons: Vec<Value> = (0..6).map(|n| button(&format!("{n}"))).collect();
    message_breaks(&json!({"components": row(&json!(buttons))}), "components.0.components");
    let mixed = json!([button("a"), select(&[json!({"label": "x", "value": "x"})])]);
    message_breaks(&json!({"components": row(&mixed)}), "components.0.components");
}

#[test]
fn controls_have_rules_of_their_own() {
    let in_row = |control: Value| json!({"components": row(&json!([control]))});
    message_breaks(&in_row(button("")), "custom_id");
    message_breaks(&in_row(button(&long(101))), "custom_id");
    message_breaks(&json!({"components": row(&json!([button("a"), button("a")]))}), "DUPLICATED");
    message_breaks(&in_row(json!({"type": 2, "style": 1, "label": long(81), "custom_id": "x"})), "label");
    message_breaks(&in_row(json!({"type": 2, "style": 1, "custom_id": "x"})), "LABEL_OR_EMOJI");
    message_breaks(&in_row(json!({"type": 2, "style": 9, "label": "x", "custom_id": "x"})), "style");
    message_breaks(&in_row(json!({"type": 2, "style": 5, "label": "x", "url": "x"})), "INVALID_SCHEME");
    message_breaks(&in_row(json!({"type": 4, "custom_id": "x"})), "UNION_TYPE_CHOICES");
    message_breaks(&in_row(select(&[])), "options");
    let option = |value: &str| json!({"label": "x", "value": value});
    message_breaks(&in_row(select(&(0..26).map(|n| option(&format!("{n}"))).collect::<Vec<_>>())), "options");
    message_breaks(&in_row(select(&[option("a"), option("a")])), "OPTION_VALUE_DUPLICATED");
    message_breaks(&in_row(select(&[option(&long(101))])), "options.0.value");
    message_breaks(&in_row(select(&[json!({"label": long(101), "value": "x"})])), "options.0.label");
    let described = json!({"label": "x", "value": "x", "description": long(101)});
    message_breaks(&in_row(select(&[described])), "options.0.description");
    let mut wide = select(&[option("a")]);
    wide["placeholder"] = json!(long(151));
    message_breaks(&in_row(wide), "placeholder");
}

#[test]
fn forms_have_limits() {
    let input = |id: &str| json!({"type": 4, "custom_id": id, "style": 1});
    let labelled = |label: &str, component: Value| json!({"type": 18, "label": label, "component": component});
    let good: Vec<Value> = (0..5).map(|n| labelled(&long(45), input(&format!("{n}")))).collect();
    let form = json!({"custom_id": long(100), "title": long(45), "components": good});
    assert_eq!(check_modal(&form), Vec::<String>::new());
    assert!(!check_modal(&json!({"custom_id": "x", "title": long(46), "components": good})).is_empty());
    assert!(!check_modal(&json!({"custom_id": long(101), "title": "x", "components": good})).is_empty());
    form_breaks(json!([]), "components");
    form_breaks(json!((0..6).map(|n| labelled("x", input(&format!("{n}")))).collect::<Vec<_>>()), "components");
    form_breaks(json!([labelled(&long(46), input("a"))]), "components.0.label");
    form_breaks(json!([labelled("x", input("a")), labelled("x", input("a"))]), "DUPLICATED");
    form_breaks(json!([labelled("x", button("a"))]), "component.type");
    let mut described = labelled("x", input("a"));
    described["description"] = json!(long(101));
    form_breaks(json!([described]), "description");
    let mut filled = input("a");
    filled["value"] = json!(long(4_001));
    form_breaks(json!([labelled("x", filled.clone())]), "value");
    (filled["value"], filled["max_length"]) = (json!("long"), json!(3));
    form_breaks(json!([labelled("x", filled.clone())]), "value");
    (filled["value"], filled["max_length"]) = (Value::Null, json!(4_001));
    form_breaks(json!([labelled("x", filled)]), "max_length");
    form_breaks(row(&json!([input("a")])), "label");
}

#[test]
fn what_is_checked_is_what_the_server_refuses() -> Outcome {
    let discord = FakeDiscord::start()?;
    let wide = json!({"content": "x", "components": row(&json!([button("a"), button("a")]))});
    let (status, refused) = call(&discord, "POST", &messages_path(), &wide)?;
    assert_eq!(status, 400);
    let errors = &refused["errors"]["components"]["0"]["components"]["1"]["custom_id"]["_errors"];
    assert_eq!(errors[0]["code"], "COMPONENT_CUSTOM_ID_DUPLICATED", "{refused}");
    Ok(())
}
