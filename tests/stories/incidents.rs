use std::collections::BTreeSet;

use clew_tests::deliveries::Sent;
use clew_tests::{Answer, Bot, Failure, until};
use serde_json::{Value, json};

use crate::{CLEW, FULL_DISK};

/// A failure of which no runbook knows.
const LOST_LEASE: &str = "\
2024-05-01 10:02:12.001 ERROR [quartz-1] frobnicator lost its lease on shard 7, giving up
2024-05-01 10:02:12.950 ERROR [quartz-1] frobnicator cannot write checkpoint: lease is held by another node
2024-05-01 10:02:13.100 WARN  [quartz-1] trigger misfired, 14 runs were skipped
";

fn lines(text: &str) -> Value {
    json!({ "logs": text.lines().collect::<Vec<_>>() })
}

/// Opens an incident with `logs` and more fields. Status and incident.
fn open(bot: &Bot, logs: &str, more: &Value) -> Result<(u16, Value), Failure> {
    let mut body = lines(logs);
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let answer = bot.post_json("/incidents", &body)?;
    Ok((answer.status, answer.json()))
}

fn act(bot: &Bot, id: &str, action: &str, fields: &Value) -> Result<Answer, Failure> {
    bot.post_json(&format!("/incidents/{id}/{action}"), fields)
}

/// Ids of the incidents at `path`, the whole of it page by page.
fn ids(bot: &Bot, query: &str, limit: usize) -> Result<Vec<String>, Failure> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = bot.get(&format!("/incidents?limit={limit}{query}{cursor}"))?;
        assert_eq!(page.status, 200, "{}", page.text);
        let page = page.json();
        let items = page["incidents"].as_array().unwrap();
        assert!(items.len() <= limit);
        found.extend(items.iter().map(|incident| incident["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(found),
        }
    }
}

/// What a backup holds of the table `name`.
fn kept(bot: &Bot, name: &str) -> Result<Vec<String>, Failure> {
    let backup = bot.get("/backup")?.bytes;
    let (mut rest, mut found) = (&backup[8..], Vec::new());
    loop {
        let (head, after) = rest.split_at(13);
        let name_len = u32::from_be_bytes(head[1..5].try_into()?) as usize;
        let value_len = usize::try_from(u64::from_be_bytes(head[5..].try_into()?))?;
        if head[0] == 0 {
            return Ok(found);
        }
        let (key, value) = (&after[..name_len], &after[name_len..name_len + value_len]);
        if key.strip_prefix(name.as_bytes()).is_some_and(|key| key.first() == Some(&0)) {
            found.push(String::from_utf8_lossy(value).into_owned());
        }
        rest = &after[name_len + value_len..];
    }
}

fn kinds(bot: &Bot, id: &str) -> Result<Vec<String>, Failure> {
    Ok(bot.timeline(id)?.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn an_incident_is_taken_on_mitigated_resolved_and_reopened_and_its_timeline_says_by_whom() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let (status, incident) = open(&bot, FULL_DISK, &json!({ "title": "Orders are stuck", "service": "orders" }))?;
    assert_eq!((status, incident["id"].as_str(), incident["state"].as_str()), (201, Some("INC-1"), Some("open")));
    assert_eq!(
        (incident["title"].as_str(), incident["root_cause_id"].as_str()),
        (Some("Orders are stuck"), Some("disk_full"))
    );
    let words = json!({ "by": "kim", "cause": "WAL filled the disk", "fix": "Deleted an unused replication slot" });
    for (action, fields, field, expected) in [
        ("acknowledge", json!({ "by": "jane" }), "state", json!("acknowledged")),
        ("assign", json!({ "by": "jane", "owner": "kim" }), "owner", json!("kim")),
        ("severity", json!({ "by": "kim", "severity": "critical" }), "severity", json!("critical")),
        ("mitigate", json!({ "by": "kim" }), "state", json!("mitigated")),
        (
            "resolve",
            words.clone(),
            "resolution",
            json!({ "cause": "WAL filled the disk", "fix": "Deleted an unused replication slot" }),
        ),
        ("reopen", json!({ "by": "jane" }), "state", json!("open")),
        ("wrong", json!({ "by": "jane", "root_cause": "memory_exhaustion" }), "corrected", json!("memory_exhaustion")),
        ("resolve", json!({}), "state", json!("resolved")),
    ] {
        let done = act(&bot, "INC-1", action, &fields)?;
        let incident = done.json();
        assert_eq!((done.status, &incident[field]), (200, &expected), "{action}: {}", done.text);
        assert!(incident["already"].is_null(), "{action}: {incident}");
        assert_eq!(bot.get("/incidents/INC-1")?.json()[field], expected, "{action}");
        let events = bot.timeline("INC-1")?;
        let by = fields["by"].as_str().unwrap_or("api");
        let said = events.iter().rev().find(|event| event["by"] == by).unwrap();
        assert!(
            said["sentence"].as_str().unwrap().ends_with(&format!("— {by}{}", if by == "api" { "" } else { " (api)" })),
            "{said}"
        );
    }
    bot.at_rest()?;
    let events = bot.timeline("INC-1")?;
    let by_people: Vec<(String, String)> = events
        .iter()
        .filter(|event| event["by"] != "clew")
        .map(|event| (event["kind"].as_str().unwrap().to_owned(), event["by"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        ("opened", "api"),
        ("acknowledged", "jane"),
        ("assigned", "jane"),
        ("severity", "kim"),
        ("mitigated", "kim"),
        ("resolved", "kim"),
        ("reopened", "jane"),
        ("corrected", "jane"),
        ("resolved", "api"),
    ];
    assert_eq!(by_people, expected.map(|(kind, by)| (kind.to_owned(), by.to_owned())));
    let times: Vec<&str> = events.iter().map(|event| event["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted() && times.iter().all(|time| time.len() > 18), "{times:?}");
    Ok(())
}

#[test]
fn what_is_so_already_is_said_and_done_once() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    open(&bot, FULL_DISK, &json!({}))?;
    let words = json!({ "by": "kim", "cause": "c", "fix": "f" });
    for (action, fields) in [
        ("acknowledge", json!({ "by": "jane" })),
        ("assign", json!({ "by": "jane", "owner": "kim" })),
        ("severity", json!({ "by": "jane", "severity": "high" })),
        ("wrong", json!({ "by": "jane", "root_cause": "memory_exhaustion" })),
        ("mitigate", json!({ "by": "jane" })),
        ("resolve", words),
        ("reopen", json!({ "by": "jane" })),
    ] {
        assert!(act(&bot, "1", action, &fields)?.json()["already"].is_null(), "{action}");
        bot.at_rest()?;
        let before = bot.timeline("INC-1")?;
        let again = act(&bot, "inc-1", action, &fields)?;
        let already = again.json()["already"].as_str().unwrap_or_default().to_owned();
        assert!(again.status == 200 && already.contains("INC-1"), "{action}: {}", again.text);
        bot.at_rest()?;
        assert_eq!(bot.timeline("INC-1")?, before, "{action}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_done_is_refused_with_what_can() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    open(&bot, FULL_DISK, &json!({}))?;
    for (path, body, status, field, said) in [
        ("/incidents/1/explode", json!({}), 404, None, "acknowledge, assign"),
        ("/incidents/99/acknowledge", json!({}), 404, None, "INC-99"),
        ("/incidents/twelve/acknowledge", json!({}), 404, None, "INC-12"),
        ("/incidents/1/severity", json!({ "severity": "awful" }), 422, Some("severity"), "critical, high"),
        ("/incidents/1/severity", json!({}), 422, Some("severity"), "missing"),
        ("/incidents/1/assign", json!({}), 422, Some("owner"), "missing"),
        ("/incidents/1/assign", json!({ "owner": 5 }), 422, Some("owner"), "string"),
        ("/incidents/1/wrong", json!({ "root_cause": "gremlins" }), 422, Some("root_cause"), "disk_full"),
        ("/incidents/1/logs", json!({}), 422, Some("logs"), "missing"),
        ("/incidents/1/acknowledge", json!([]), 400, None, "JSON object"),
        ("/incidents", json!({}), 422, Some("logs"), "missing"),
        ("/incidents", json!({ "logs": ["x"], "severity": "awful" }), 422, Some("severity"), "critical, high"),
    ] {
        let answer = bot.post_json(path, &body)?;
        let problem = answer.json();
        assert_eq!((answer.status, problem["field"].as_str()), (status, field), "{path} {body}: {problem}");
        assert_eq!(answer.content_type, "application/problem+json");
        assert!(problem["detail"].as_str().unwrap().contains(said), "{path} {body}: {problem}");
    }
    for (path, field) in [
        ("/incidents?state=gone", "state"),
        ("/incidents?severity=awful", "severity"),
        ("/incidents?since=yesterday", "since"),
        ("/incidents?until=1", "until"),
        ("/incidents?limit=0", "limit"),
        ("/incidents?limit=501", "limit"),
        ("/incidents?cursor=x", "cursor"),
        ("/incidents?colour=red", "colour"),
        ("/incidents/1/events?limit=x", "limit"),
        ("/incidents/1/events?cursor=x", "cursor"),
    ] {
        let answer = bot.get(path)?;
        assert_eq!((answer.status, answer.json()["field"].as_str()), (422, Some(field)), "{path}: {}", answer.text);
    }
    for path in ["/incidents/99", "/incidents/99/events", "/incidents/99/alerts", "/incidents/x"] {
        assert_eq!(bot.get(path)?.status, 404, "{path}");
    }
    assert_eq!(bot.timeline("INC-1")?.len(), 1, "nothing happened to it");
    Ok(())
}

#[test]
fn a_list_is_filtered_and_paged_and_shows_every_incident_once() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let failures = [
        ("Queue is too long", "orders", "critical"),
        ("Certificate expired", "web", "high"),
        ("Backup did not run", "orders", "low"),
        ("Latency above target", "web", "medium"),
        ("Replica lags behind", "db", "critical"),
        ("Quota almost used up", "db", "low"),
        ("Login page is blank", "web", "high"),
    ];
    for (number, (title, service, severity)) in failures.iter().enumerate() {
        let alert = json!({ "title": title, "service": service, "severity": severity });
        bot.deliver(&Sent::json("generic", alert))?;
        assert_eq!(bot.incidents()?.len(), number + 1);
    }
    act(&bot, "2", "acknowledge", &json!({ "by": "jane" }))?;
    act(&bot, "3", "resolve", &json!({ "cause": "cron was off", "fix": "Turned cron on" }))?;
    act(&bot, "5", "mitigate", &json!({}))?;
    let opened = |id: u64| {
        Ok::<_, Failure>(bot.get(&format!("/incidents/{id}"))?.json()["opened_at"].as_str().unwrap().to_owned())
    };
    let (third, sixth) = (opened(3)?, opened(6)?);
    for (query, expected) in [
        (String::new(), vec![7, 6, 5, 4, 3, 2, 1]),
        ("&state=open".into(), vec![7, 6, 4, 1]),
        ("&state=acknowledged,mitigated".into(), vec![5, 2]),
        ("&state=resolved".into(), vec![3]),
        ("&severity=critical".into(), vec![5, 1]),
        ("&severity=P2,low".into(), vec![7, 6, 3, 2]),
        ("&service=web".into(), vec![7, 4, 2]),
        ("&service=web&state=open&severity=high".into(), vec![7]),
        ("&text=RepliCA".into(), vec![5]),
        ("&text=turned+cron".into(), vec![3]),
        ("&text=jane".into(), vec![2]),
        ("&text=zebra".into(), vec![]),
        (format!("&since={third}"), vec![7, 6, 5, 4, 3]),
        (format!("&until={third}"), vec![2, 1]),
        (format!("&since={third}&until={sixth}"), vec![5, 4, 3]),
    ] {
        let expected: Vec<String> = expected.iter().map(|number| format!("INC-{number}")).collect();
        for limit in [1, 2, 3, 500] {
            assert_eq!(ids(&bot, &query, limit)?, expected, "{query} by {limit}");
        }
    }
    Ok(())
}

#[test]
fn timeline_and_alerts_are_read_page_by_page() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let mut sent = Sent::fixture("alertmanager/firing_one")?;
    let alert = sent.body["alerts"][0].clone();
    let alerts = (0..7).map(|number| {
        let mut alert = alert.clone();
        alert["labels"]["instance"] = json!(format!("checkout-{number}:8080"));
        alert["fingerprint"] = json!(format!("{number:016x}"));
        alert
    });
    sent.body["alerts"] = alerts.collect::<Vec<Value>>().into();
    bot.deliver(&sent)?;
    bot.only_incident()?;
    for (what, name, count) in [("events", "number", 8), ("alerts", "fingerprint", 7)] {
        let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = bot.get(&format!("/incidents/1/{what}?limit=3{cursor}"))?.json();
            seen.extend(page[what].as_array().unwrap().iter().map(|item| item[name].to_string()));
            pages += 1;
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let once: BTreeSet<&String> = seen.iter().collect();
        assert_eq!((seen.len(), once.len(), pages), (count, count, 3), "{what}: {seen:?}");
    }
    Ok(())
}

#[test]
fn the_same_failure_is_one_incident_however_it_is_heard_of() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let (status, incident) = open(&bot, FULL_DISK, &json!({}))?;
    assert_eq!((status, incident["id"].as_str()), (201, Some("INC-1")));
    let (status, again) = open(&bot, FULL_DISK, &json!({}))?;
    assert_eq!((status, again["id"].as_str(), again["alerts"]["pastes"].as_u64()), (200, Some("INC-1"), Some(2)));
    bot.deliver(&Sent::lines(FULL_DISK))?;
    let incident = bot.only_incident()?;
    assert_eq!((incident["sources"].clone(), incident["alerts"]["alerts"].as_u64()), (json!(["api", "text"]), Some(1)));
    // And the other way round.
    let bot = Bot::start(CLEW, &[])?;
    bot.deliver(&Sent::lines(FULL_DISK))?;
    bot.only_incident()?;
    let (status, incident) = open(&bot, FULL_DISK, &json!({}))?;
    assert_eq!((status, incident["id"].as_str()), (200, Some("INC-1")));
    bot.only_incident()?;
    Ok(())
}

#[test]
fn the_same_words_elsewhere_are_another_incident() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    for (number, place) in [
        json!({ "service": "orders", "labels": { "cluster": "eu" } }),
        json!({ "service": "orders", "labels": { "cluster": "us" } }),
        json!({ "service": "billing", "labels": { "cluster": "us" } }),
    ]
    .iter()
    .enumerate()
    {
        let (status, incident) = open(&bot, FULL_DISK, place)?;
        assert_eq!((status, incident["id"].as_str()), (201, Some(format!("INC-{}", number + 1).as_str())), "{place}");
        let (status, again) = open(&bot, FULL_DISK, place)?;
        assert_eq!((status, &again["id"]), (200, &incident["id"]), "{place}");
    }
    let alert = |cluster: &str| {
        let labels = json!({ "alertname": "DiskFull", "cluster": cluster, "service": "billing" });
        let annotations = json!({ "summary": "disk is full" });
        Sent::json(
            "alertmanager",
            json!({ "alerts": [{ "status": "firing", "labels": labels, "annotations": annotations }] }),
        )
    };
    for cluster in ["eu", "us"] {
        bot.deliver(&alert(cluster))?;
    }
    assert_eq!(bot.incidents()?.len(), 5);
    Ok(())
}

#[test]
fn what_comes_back_within_the_window_is_the_same_incident_again() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    open(&bot, FULL_DISK, &json!({}))?;
    act(&bot, "1", "resolve", &json!({ "fix": "Deleted an unused replication slot" }))?;
    let (status, incident) = open(&bot, FULL_DISK, &json!({}))?;
    assert_eq!((status, incident["id"].as_str()), (200, Some("INC-1")));
    assert_eq!((incident["state"].as_str(), incident["reopened"].as_u64()), (Some("open"), Some(1)));
    assert!(incident["resolved_at"].is_null(), "{incident}");
    // By alert, too.
    act(&bot, "1", "resolve", &json!({}))?;
    bot.deliver(&Sent::lines(FULL_DISK))?;
    let incident = bot.only_incident()?;
    assert_eq!((incident["state"].as_str(), incident["reopened"].as_u64()), (Some("open"), Some(2)));
    Ok(())
}

#[test]
fn what_comes_back_later_is_a_new_incident_that_knows_what_fixed_it() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[("CLEW_INCIDENTS_REOPEN_HOURS", "0")])?;
    open(&bot, FULL_DISK, &json!({}))?;
    act(&bot, "1", "resolve", &json!({ "fix": "Deleted an unused replication slot" }))?;
    let (status, incident) = open(&bot, FULL_DISK, &json!({}))?;
    assert_eq!((status, incident["id"].as_str()), (201, Some("INC-2")));
    let earlier = &incident["earlier"];
    assert_eq!((earlier["count"].as_u64(), earlier["last"].as_str()), (Some(1), Some("INC-1")), "{incident:#}");
    assert_eq!(earlier["fixed_by"], "Deleted an unused replication slot");
    act(&bot, "2", "resolve", &json!({}))?;
    bot.deliver(&Sent::lines(FULL_DISK))?;
    let third = bot.incidents()?.remove(0);
    let earlier = &third["earlier"];
    assert_eq!(
        (third["id"].as_str(), earlier["count"].as_u64(), earlier["last"].as_str()),
        (Some("INC-3"), Some(2), Some("INC-2"))
    );
    assert_eq!(earlier["fixed_by"], "Deleted an unused replication slot", "of INC-2 nobody said what fixed it");
    let cards = kept(&bot, "messages")?.join("\n");
    assert!(cards.contains("Seen 2 times") && cards.contains("Seen 3 times"), "{cards}");
    Ok(())
}

#[test]
fn what_comes_and_goes_is_said_to_do_so_once() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let fires = Sent::fixture("alertmanager/firing_one")?;
    for flip in 0..8 {
        let fires = fires.clone().begun(&format!("2026-11-23T10:{}:00Z", 10 + flip));
        bot.deliver(&fires)?;
        assert_eq!(bot.only_incident()?["state"], "open");
        bot.deliver(&fires.over())?;
        assert_eq!(bot.only_incident()?["state"], "resolved");
    }
    let incident = bot.only_incident()?;
    assert_eq!((incident["flapping"].as_bool(), incident["reopened"].as_u64()), (Some(true), Some(7)), "{incident:#}");
    let kinds = kinds(&bot, "INC-1")?;
    let times = |kind: &str| kinds.iter().filter(|known| *known == kind).count();
    assert_eq!((times("flapping"), times("reopened"), times("resolved")), (1, 7, 8));
    let said = kept(&bot, "messages")?;
    let about =
        |word: &str| said.iter().filter(|message| message.contains(word) && !message.contains("\"card\"")).count();
    assert_eq!(about("Flapping"), 1, "{said:#?}");
    assert!(about("Resolved") <= 3 && about("Reopened") <= 3, "the thread is quiet from then on: {said:#?}");
    Ok(())
}

#[test]
fn what_fixed_an_incident_is_found_and_shown_the_next_time() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let (_, incident) = open(&bot, LOST_LEASE, &json!({ "title": "frobnicator lost its lease", "service": "quartz" }))?;
    assert_eq!(incident["id"], "INC-1");
    let search = json!({ "query": "frobnicator lost its lease", "kind": "incident" });
    let found = |hits: &Value| hits.as_array().unwrap().iter().find(|hit| hit["id"] == "INC-1").cloned();
    assert_eq!(found(&bot.post_json("/search", &search)?.json()), None, "nothing fixed it yet");
    act(&bot, "1", "resolve", &json!({ "cause": "two nodes held it", "fix": "Removed the stale lease in ZooKeeper" }))?;
    let hit = until("the incident is found", || Ok(found(&bot.post_json("/search", &search)?.json())))?;
    assert_eq!(hit["resolution"], "Removed the stale lease in ZooKeeper", "{hit}");
    assert_eq!(kinds(&bot, "INC-1")?.last().map(String::as_str), Some("learned"));
    let bot = bot.restart(CLEW, &[])?;
    assert!(found(&bot.post_json("/search", &search)?.json()).is_some(), "after a restart, too");
    Ok(())
}

#[test]
fn a_log_like_that_of_a_resolved_incident_shows_what_fixed_it_then() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    open(&bot, FULL_DISK, &json!({ "service": "shop" }))?;
    act(&bot, "1", "resolve", &json!({ "fix": "Dropped the abandoned slot of the warehouse" }))?;
    let next = FULL_DISK.replace("913", "4711").replace("2024-05-01", "2024-06-07");
    let hit = until("it is shown", || {
        let verdict = bot.post_json("/triage", &lines(&next))?.json();
        Ok(verdict["similar_incidents"].as_array().unwrap().iter().find(|hit| hit["id"] == "INC-1").cloned())
    })?;
    assert_eq!(hit["resolution"], "Dropped the abandoned slot of the warehouse", "{hit}");
    // A new incident elsewhere shows it on its card.
    let (_, elsewhere) = open(&bot, &next, &json!({ "service": "billing" }))?;
    assert_eq!(elsewhere["id"], "INC-2");
    bot.at_rest()?;
    let cards = kept(&bot, "messages")?;
    let card = cards.iter().find(|message| message.contains("INC-2 ·")).unwrap();
    assert!(card.contains("Dropped the abandoned slot of the warehouse"), "{card}");
    Ok(())
}

#[test]
fn somebody_wants_a_person_to_resolve_incidents() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[("CLEW_INCIDENTS_RESOLVE_WITH_ALERTS", "false")])?;
    let fires = Sent::fixture("alertmanager/firing_one")?;
    bot.deliver(&fires)?;
    bot.only_incident()?;
    bot.deliver(&fires.over())?;
    let incident = bot.only_incident()?;
    assert_eq!((incident["state"].as_str(), incident["alerts"]["firing"].as_u64()), (Some("open"), Some(0)));
    assert_eq!(act(&bot, "1", "resolve", &json!({ "by": "jane" }))?.json()["state"], "resolved");
    Ok(())
}

#[test]
fn an_alert_that_is_over_a_moment_later_ends_over() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let services = ["ada", "bob", "cid", "dot", "eva", "fay", "gus", "hal", "ida", "joy", "kit", "lee"];
    for service in services {
        let fires = Sent::lines("ERROR payment failed\n").asking("service", service);
        bot.deliver(&fires)?;
        bot.deliver(&fires.asking("status", "resolved"))?;
    }
    let incidents = bot.incidents()?;
    assert_eq!(incidents.len(), services.len());
    let open: Vec<&Value> = incidents.iter().filter(|incident| incident["state"] != "resolved").collect();
    assert!(open.is_empty(), "{open:#?}");
    Ok(())
}

/// Delivery number `number` of a storm: 100 instances of one failure.
fn a_hundred(number: usize) -> Sent {
    let alerts: Vec<Value> = (0..100)
        .map(|one| {
            let instance = number * 100 + one;
            let labels = json!({ "alertname": "NodeDown", "service": "fleet", "severity": "critical", "instance": format!("node-{instance}") });
            json!({
                "status": "firing",
                "labels": labels,
                "annotations": { "summary": format!("node-{instance} cannot be reached") },
                "startsAt": "2026-11-23T10:42:44Z",
                "fingerprint": format!("{instance:016x}"),
            })
        })
        .collect();
    let group = format!("{{}}:{{alertname=\"NodeDown\", rack=\"{number}\"}}");
    Sent::json("alertmanager", json!({ "receiver": "bot", "status": "firing", "alerts": alerts, "groupKey": group }))
}

#[test]
fn a_storm_of_two_thousand_alerts_is_one_incident_and_one_card() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let storm: Vec<Sent> = (0..20).map(a_hundred).collect();
    let all_at_once = |storm: &[Sent]| {
        std::thread::scope(|scope| {
            for part in storm.chunks(5) {
                scope.spawn(|| part.iter().for_each(|sent| assert!(bot.deliver(sent).unwrap())));
            }
        });
    };
    all_at_once(&storm);
    let incident = bot.only_incident()?;
    let counters =
        |incident: &Value| ["alerts", "firing", "notifications"].map(|name| incident["alerts"][name].as_u64().unwrap());
    assert_eq!(counters(&incident), [2000, 2000, 2000], "{incident:#}");
    assert_eq!(incident["labels"], json!({ "alertname": "NodeDown", "service": "fleet", "severity": "critical" }));
    assert!(incident["cards"]["console"]["message"].is_string(), "{incident:#}");
    assert_eq!(kept(&bot, "messages")?.len(), 1, "one card and nothing else");
    assert!(bot.timeline("INC-1")?.len() < 60, "a storm is counted, not listed");
    let mut seen = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = bot.get(&format!("/incidents/1/alerts?limit=300{cursor}"))?.json();
        seen.extend(page["alerts"].as_array().unwrap().iter().map(|alert| alert["labels"]["instance"].to_string()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 2000);
    all_at_once(&storm.into_iter().map(Sent::over).collect::<Vec<_>>());
    let incident = bot.only_incident()?;
    assert_eq!((counters(&incident), incident["state"].as_str()), ([2000, 0, 4000], Some("resolved")), "{incident:#}");
    Ok(())
}
