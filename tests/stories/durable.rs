use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clew_tests::deliveries::Sent;
use clew_tests::{Bot, Failure, clew_with, until};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{CLEW, FULL_DISK};

/// A disk of its own, unmounted when dropped.
struct Disk {
    folder: TempDir,
}

impl Disk {
    /// One of `mib` MiB. Nothing where it cannot be mounted: that takes an administrator.
    fn of(mib: u32) -> Result<Option<Self>, Failure> {
        let folder = TempDir::new()?;
        let size = format!("size={mib}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Ok(Some(Self { folder }));
        }
        eprintln!("skipped: a disk can only be mounted by an administrator");
        Ok(None)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    fn remount(&self, how: &str) -> Result<(), Failure> {
        let done = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(self.path()).status()?;
        if done.success() { Ok(()) } else { Err(format!("remount,{how}: {done}").into()) }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // When it is not unmounted, removing the folder says so.
        drop(Command::new("umount").arg("-l").arg(self.path()).status());
    }
}

/// An alert of its own incident: number `number`, with words of its own.
fn alert(number: usize) -> Sent {
    let words = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath"];
    let name = format!("{} {} {}", words[number % 8], words[number / 8 % 8], words[number / 64 % 8]);
    let labels = json!({ "alertname": name, "service": format!("service {name}") });
    let alert = json!({ "status": "firing", "labels": labels, "startsAt": "2026-11-23T10:42:44Z" });
    Sent::json("alertmanager", json!({ "receiver": "bot", "status": "firing", "alerts": [alert], "groupKey": name }))
}

fn titles(bot: &Bot) -> Result<Vec<String>, Failure> {
    let mut titles: Vec<String> =
        bot.incidents()?.iter().map(|incident| incident["labels"]["alertname"].as_str().unwrap().to_owned()).collect();
    titles.sort();
    Ok(titles)
}

fn titles_of(sent: &[Sent]) -> Vec<String> {
    let name = |sent: &Sent| sent.body["groupKey"].as_str().unwrap().to_owned();
    let mut titles: Vec<String> = sent.iter().map(name).collect();
    titles.sort();
    titles
}

/// What the API tells about all incidents, without what the clock changes.
fn told(bot: &Bot) -> Result<Vec<Value>, Failure> {
    let mut told = Vec::new();
    for mut incident in bot.incidents()? {
        incident["duration_seconds"] = Value::Null;
        let id = incident["id"].as_str().unwrap().to_owned();
        told.push(bot.get(&format!("/incidents/{id}"))?.json()["verdict"].clone());
        told.push(bot.timeline(&id)?.into());
        told.push(bot.get(&format!("/incidents/{id}/alerts"))?.json());
        told.push(incident);
    }
    Ok(told)
}

/// Runs `clew` with the data folder `data`.
fn clew_in(data: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Result<(Output, String), Failure> {
    let data = [("CLEW_DATA_DIR", data.to_str().unwrap())];
    let environment: Vec<(&str, &str)> = data.into_iter().chain(environment.iter().copied()).collect();
    let output = clew_with(CLEW, arguments, b"", &environment)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok((output, said))
}

#[test]
fn what_was_accepted_survives_a_kill_right_after_the_answer() -> Result<(), Failure> {
    let mut bot = Bot::start(CLEW, &[])?;
    for round in 0..5 {
        assert!(bot.deliver(&alert(round))?);
        bot = bot.kill_and_restart(CLEW, &[])?;
        assert!(!bot.deliver(&alert(round))?, "its sender did not hear the answer and sends it again");
        assert_eq!(titles(&bot)?.len(), round + 1, "once, and none lost");
    }
    assert_eq!(titles(&bot)?, titles_of(&(0..5).map(alert).collect::<Vec<_>>()));
    for incident in bot.incidents()? {
        assert_eq!(incident["alerts"]["notifications"], 1, "{incident:#}");
    }
    Ok(())
}

#[test]
fn a_kill_in_a_burst_loses_nothing_that_was_accepted_and_doubles_nothing() -> Result<(), Failure> {
    let mut bot = Bot::start(CLEW, &[])?;
    let all: Vec<Sent> = (0..120).map(alert).collect();
    let mut accepted = Vec::new();
    for burst in all.chunks(40) {
        let heard = std::thread::scope(|scope| {
            let senders: Vec<_> = burst
                .chunks(10)
                .map(|part| scope.spawn(|| part.iter().filter(|sent| bot.deliver(sent).unwrap()).count()))
                .collect();
            senders.into_iter().map(|sender| sender.join().unwrap()).sum::<usize>()
        });
        assert_eq!(heard, burst.len());
        accepted.extend(burst.iter().cloned());
        // Its jobs are still under way.
        bot = bot.kill_and_restart(CLEW, &[])?;
    }
    assert_eq!(titles(&bot)?, titles_of(&accepted));
    for incident in bot.incidents()? {
        assert_eq!(incident["alerts"]["notifications"], 1, "{incident:#}");
        let message = &incident["cards"]["console"]["message"];
        assert!(message.is_string(), "{incident:#}");
    }
    assert_eq!(bot.get("/jobs?state=dead")?.json()["count"], 0);
    Ok(())
}

#[test]
fn a_sender_that_hears_no_answer_and_comes_again_is_counted_once() -> Result<(), Failure> {
    let mut bot = Bot::start(CLEW, &[])?;
    let all: Vec<Sent> = (0..60).map(alert).collect();
    // Killed while deliveries are on their way: some are answered, some are not.
    std::thread::scope(|scope| -> Result<(), Failure> {
        let (heard, hears) = std::sync::mpsc::channel();
        let address = bot.host_and_port().to_owned();
        for part in all.chunks(15) {
            let (heard, address) = (heard.clone(), address.clone());
            scope.spawn(move || {
                for sent in part {
                    if !post(&address, sent) {
                        break;
                    }
                    let _ = heard.send(()); // nobody counts any more
                }
            });
        }
        hears.iter().take(20).for_each(drop);
        bot.kill()
    })?;
    let bot = bot.kill_and_restart(CLEW, &[])?;
    for sent in &all {
        bot.deliver(sent)?;
    }
    assert_eq!(titles(&bot)?, titles_of(&all));
    for incident in bot.incidents()? {
        assert_eq!(incident["alerts"]["notifications"], 1, "{incident:#}");
    }
    Ok(())
}

/// Posts a delivery. Whether it was accepted; no answer is no acceptance.
fn post(address: &str, sent: &Sent) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = std::net::TcpStream::connect(address) else { return false };
    let body = sent.bytes();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        sent.path(),
        body.len()
    );
    let mut answer = String::new();
    stream.write_all(head.as_bytes()).is_ok()
        && stream.write_all(&body).is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 202")
}

#[test]
fn a_second_clew_on_the_same_folder_is_told_to_go_elsewhere() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let (output, said) = clew_in(&bot.data_dir(), &["serve"], &[])?;
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("another process has it open") && said.contains("CLEW_DATA_DIR"), "{said}");
    bot.deliver(&alert(0))?;
    assert_eq!(bot.incidents()?.len(), 1, "the first one works on");
    Ok(())
}

#[test]
fn a_folder_that_cannot_be_written_is_said_to_be_so() -> Result<(), Failure> {
    let Some(disk) = Disk::of(16)? else { return Ok(()) };
    disk.remount("ro")?;
    let (output, said) = clew_in(disk.path(), &["serve"], &[])?;
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("CLEW_DATA_DIR") && !said.contains("panicked"), "{said}");
    // Also when there is a store in it already.
    disk.remount("rw,size=200m")?;
    let mut bot = Bot::start_in(CLEW, disk.path(), &[])?;
    bot.deliver(&alert(0))?;
    bot.only_incident()?;
    bot.stop()?;
    disk.remount("ro")?;
    let (output, said) = clew_in(disk.path(), &["serve"], &[])?;
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("CLEW_DATA_DIR") && !said.contains("panicked"), "{said}");
    disk.remount("rw")?;
    let bot = Bot::start_in(CLEW, disk.path(), &[])?;
    assert_eq!(bot.incidents()?.len(), 1);
    Ok(())
}

#[test]
fn a_damaged_store_is_refused_with_the_remedy_and_left_as_it_is() -> Result<(), Failure> {
    let mut bot = Bot::start(CLEW, &[])?;
    for number in 0..10 {
        bot.deliver(&alert(number))?;
    }
    bot.at_rest()?;
    bot.stop()?;
    let file = bot.data_dir().join("store/db");
    let whole = std::fs::read(&file)?;
    let written = whole.iter().rposition(|byte| *byte != 0).unwrap();
    for place in [10, written / 2, written] {
        let mut damaged = whole.clone();
        damaged[place] ^= 0xff;
        std::fs::write(&file, &damaged)?;
        for _ in 0..2 {
            let (output, said) = clew_in(&bot.data_dir(), &["serve"], &[])?;
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains("damaged") && said.contains("clew restore") && !said.contains("panicked"), "{said}");
            assert!(std::fs::read(&file)? == damaged, "it was changed");
        }
    }
    std::fs::write(&file, &whole[..whole.len() / 2])?;
    let (output, said) = clew_in(&bot.data_dir(), &["serve"], &[])?;
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("damaged"), "{said}");
    std::fs::write(&file, &whole)?;
    assert_eq!(bot.start_again(CLEW, &[])?.incidents()?.len(), 10, "whole again, it is read again");
    Ok(())
}

#[test]
fn a_backup_of_the_running_clew_is_restored_elsewhere() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[("CLEW_API_KEYS", "k3y")])?;
    for number in 0..5 {
        bot.deliver_to("/k3y", &alert(number), &[])?;
    }
    let logs = json!({ "logs": FULL_DISK.lines().collect::<Vec<_>>(), "service": "shop" });
    assert_eq!(bot.post_json("/incidents", &logs)?.status, 201);
    bot.at_rest()?;
    let id = bot.incidents()?[0]["id"].as_str().unwrap().to_owned();
    let words = json!({ "by": "jane", "cause": "WAL", "fix": "Deleted an unused replication slot" });
    assert_eq!(bot.post_json(&format!("/incidents/{id}/resolve"), &words)?.status, 200);
    let changed = bot.post_json("/config", &json!({ "http": { "max_lines": 4321 } }))?;
    assert_eq!(changed.status, 200, "{}", changed.text);
    bot.at_rest()?;
    let before = told(&bot)?;

    let folder = TempDir::new()?;
    let file = folder.path().join("backup");
    let name = file.to_str().unwrap();
    let environment = [("CLEW_HTTP_ADDR", bot.host_and_port()), ("CLEW_API_KEYS", "k3y")];
    let (output, said) = clew_in(&bot.data_dir(), &["backup", name], &environment)?;
    assert_eq!(output.status.code(), Some(0), "{said}");
    let (output, said) = clew_in(&bot.data_dir(), &["backup", name], &environment)?;
    assert!(output.status.code() == Some(2) && said.contains("exists"), "no backup is overwritten: {said}");

    let elsewhere = folder.path().join("data");
    let (output, said) = clew_in(&elsewhere, &["restore", name], &[])?;
    assert_eq!(output.status.code(), Some(0), "{said}");
    let (output, said) = clew_in(&elsewhere, &["restore", name], &[])?;
    assert!(output.status.code() == Some(2) && !said.is_empty(), "no store is overwritten: {said}");
    let other = Bot::start_in(CLEW, &elsewhere, &[("CLEW_API_KEYS", "k3y")])?;
    assert_eq!(told(&other)?, before);
    assert_eq!(other.get("/config")?.json()["http"]["max_lines"], 4321);
    assert_eq!(other.deliver_to("/k3y", &alert(0), &[])?.json()["duplicate"], true, "it knows what it was sent");
    let search = json!({ "query": "No space left on device pg_wal", "kind": "incident", "top_k": 100 });
    let hits = other.post_json("/search", &search)?.text;
    assert!(hits.contains(&format!("\"{id}\"")), "what was learned is known: {hits}");

    // Half a backup is no backup.
    let bytes = std::fs::read(&file)?;
    let half = folder.path().join("half");
    std::fs::write(&half, &bytes[..bytes.len() / 2])?;
    let empty = folder.path().join("empty");
    let (output, said) = clew_in(&empty, &["restore", half.to_str().unwrap()], &[])?;
    assert!(output.status.code() == Some(2) && said.contains("not complete"), "{said}");
    assert!(!empty.join("store").exists());
    Ok(())
}

#[test]
fn with_too_little_room_senders_are_told_to_come_again_and_nothing_is_lost() -> Result<(), Failure> {
    let Some(disk) = Disk::of(80)? else { return Ok(()) };
    let bot = Bot::start_in(CLEW, disk.path(), &[("CLEW_DATA_MIN_FREE_MIB", "30")])?;
    bot.deliver(&alert(0))?;
    bot.at_rest()?;
    std::fs::write(disk.filler(), vec![1; 50 << 20])?;
    let refused = until("deliveries are refused", || {
        let answer = bot.deliver_to("", &alert(1), &[])?;
        Ok((answer.status != 202).then_some(answer))
    })?;
    assert_eq!((refused.status, refused.retry_after.as_str()), (503, "30"), "{}", refused.text);
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("disk") && detail.contains("data.min_free_mib"), "{detail}");
    let ready = bot.get("/ready")?;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["store"], "the disk is full", "{}", ready.text);
    assert_eq!(bot.get("/health")?.status, 200, "it is alive");
    assert_eq!(bot.get("/incidents/1")?.status, 200, "what is known can be read");
    for path in ["/incidents", "/incidents/1/acknowledge"] {
        let answer = bot.post_json(path, &json!({ "logs": ["ERROR disk is full"] }))?;
        assert_eq!((answer.status, answer.retry_after.as_str()), (503, "30"), "{path}: {}", answer.text);
    }
    std::fs::remove_file(disk.filler())?;
    until("deliveries are accepted again", || Ok((bot.deliver_to("", &alert(2), &[])?.status == 202).then_some(())))?;
    assert_eq!(bot.get("/ready")?.status, 200);
    bot.deliver(&alert(1))?;
    assert_eq!(titles(&bot)?, titles_of(&(0..3).map(alert).collect::<Vec<_>>()));
    Ok(())
}

#[test]
fn a_disk_that_is_full_to_the_last_byte_loses_nothing_that_was_accepted() -> Result<(), Failure> {
    let Some(disk) = Disk::of(80)? else { return Ok(()) };
    // Lower than it ever should be set: nothing warns before the disk itself refuses.
    let environment = [("CLEW_DATA_MIN_FREE_MIB", "0")];
    let mut bot = Bot::start_in(CLEW, disk.path(), &environment)?;
    bot.deliver(&alert(0))?;
    bot.at_rest()?;
    let mut file = std::fs::File::create(disk.filler())?;
    while std::io::Write::write_all(&mut file, &[1; 4096]).is_ok() {}
    // What is open takes room, even when it is removed.
    drop(file);
    let (mut accepted, mut refused) = (vec![alert(0)], Vec::new());
    for number in 1..400 {
        let answer = bot.deliver_to("", &alert(number), &[])?;
        match answer.status {
            202 => accepted.push(alert(number)),
            503 => refused.push(alert(number)),
            other => return Err(format!("{other} {}", answer.text).into()),
        }
    }
    assert!(!refused.is_empty(), "the disk was full");
    // Room alone does not heal it, and who watches is told.
    std::fs::remove_file(disk.filler())?;
    let ready = bot.get("/ready")?;
    assert!(ready.status == 503 && ready.json()["store"].to_string().contains("started again"), "{}", ready.text);
    assert_eq!(bot.deliver_to("", &alert(399), &[])?.status, 503);
    bot.kill()?;
    let bot = Bot::start_in(CLEW, disk.path(), &[])?;
    let titles = titles(&bot)?;
    for name in titles_of(&accepted) {
        assert!(titles.contains(&name), "{name} was accepted");
    }
    for sent in &refused {
        bot.deliver(sent)?;
    }
    assert_eq!(self::titles(&bot)?.len(), 400);
    Ok(())
}
