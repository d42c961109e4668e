//! Without any tracker.

use super::{Office, Outcome, TRACE, text_of};

#[test]
fn a_ticket_is_opened_worked_on_and_closed_in_the_console() -> Outcome {
    let office = Office::with(&[])?;
    let id = office.paste(TRACE, "shop")?;
    assert!(office.card(&id, "Open ticket")?.contains("The cause is in the code"));
    let form = |path: &str, fields: &str| office.bot.post(path, "application/x-www-form-urlencoded", fields.as_bytes());
    form(&format!("/i/{id}"), &format!("command=ticket+{id}+local"))?;
    office.card(&id, "T-1 open")?;
    let page = office.bot.browse("/tickets/T-1")?.text;
    let shown = text_of(&page);
    assert!(shown.contains("NoneType") && shown.contains("What is wrong") && shown.contains(&id), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");

    form("/tickets/T-1", "assignee=Ada")?;
    form("/tickets/T-1", "comment=%2Fclew+%3Cb%3Eon+it%3C%2Fb%3E")?;
    form("/tickets/T-1", "status=in+progress")?;
    office.thread(&id, "is in progress, was open")?;
    let said = office.thread(&id, "on it")?;
    assert!(said.contains("is assigned to Ada"), "{said}");
    assert!(!office.bot.browse("/tickets/T-1")?.text.contains("<b>on it"));
    let list = text_of(&office.bot.browse("/tickets")?.text);
    assert!(list.contains("T-1") && list.contains("in progress") && list.contains("Ada"), "{list}");

    form("/tickets/T-1", "status=done")?;
    office.is(&id, "resolved")?;
    assert_eq!(office.bot.browse("/tickets/T-77")?.status, 404);
    let office = office.crash()?;
    assert!(text_of(&office.bot.browse("/tickets")?.text).contains("T-1"));
    Ok(())
}
