#![allow(clippy::unwrap_used)] // a test that fails stops

use proptest::prelude::*;

use super::super::{Checks, PullState, Review};
use super::*;

fn pull(title: &str, branch: &str, body: &str, commits: &[&str]) -> Pull {
    Pull {
        repo: "acme/shop".to_owned(),
        number: 123,
        url: String::new(),
        title: title.to_owned(),
        body: body.to_owned(),
        branch: branch.to_owned(),
        into_default: true,
        author: String::new(),
        state: PullState::Open,
        merged_by: None,
        head: String::new(),
        commits: commits.iter().map(|&commit| commit.to_owned()).collect(),
        checks: Checks::None,
        review: Review::None,
        over_at: None,
        updated_at: String::new(),
    }
}

/// The names, a `!` after those that are fixed.
fn told(pull: &Pull) -> String {
    let mentions = mentions(pull);
    let names = mentions.iter().map(|mention| {
        let name = match &mention.name {
            Name::Key(key) => key.clone(),
            Name::Issue { repo, number } if *repo == pull.repo => format!("#{number}"),
            Name::Issue { repo, number } => format!("{repo}#{number}"),
        };
        if mention.fixes { name + "!" } else { name }
    });
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn titles() {
    for (title, expected) in [
        ("OPS-12: carts may be empty", "OPS-12!"),
        ("[OPS-12] carts may be empty", "OPS-12!"),
        ("ops-12 carts may be empty", "OPS-12!"),
        ("fix(ops-12): carts may be empty", "OPS-12!"),
        ("fix(cart): may be empty (OPS-12, OPS-13)", "OPS-12! OPS-13!"),
        ("OPS-12/OPS-13: carts may be empty", "OPS-12! OPS-13!"),
        ("Don't crash after login (OPS-12)", "OPS-12!"),
        ("Blocked users can't log in (OPS-12)", "OPS-12!"),
        ("Show broken carts INC-7", "INC-7!"),
        ("Fix #45: carts may be empty", "#45!"),
        ("Carts may be empty (#122)", ""),
        ("Part of OPS-12: read carts", "OPS-12"),
        ("Follow-up to OPS-12", "OPS-12"),
        ("Use UTF-8 and SHA-256, see RFC-2119 and CVE-2024-1234", ""),
        ("Show the top-10 carts", ""),
        ("XOPS-12A, OPS-012, OPS-1.2, OPS-12.md, a@OPS-12", ""),
        ("AB0E8400-1234-41D4-A716-446655440000", ""),
    ] {
        assert_eq!(told(&pull(title, "", "", &[])), expected, "{title}");
    }
}

#[test]
fn branches() {
    for (branch, expected) in [
        ("feature/ops-12-null-cart", "OPS-12!"),
        ("OPS-12", "OPS-12!"),
        ("jo/OPS-12_null_cart", "OPS-12!"),
        ("fix-ops-12", "OPS-12!"),
        ("ops-12-ops-13-carts", "OPS-12! OPS-13!"),
        ("45-null-cart", "#45"),
        ("fix/45-null-cart", "#45"),
        ("issue-45", "ISSUE-45! #45"),
        ("gh-45/carts", "#45"),
        ("main", ""),
        ("release/1.2", ""),
        ("2024-05-01-backup", ""),
        ("ops-12.1", ""),
        ("dependabot/npm_and_yarn/lodash-4-and-5", ""),
        ("utf-8-carts", ""),
    ] {
        assert_eq!(told(&pull("", branch, "", &[])), expected, "{branch}");
    }
}

#[test]
fn keys_in_the_text() {
    for (body, expected) in [
        ("Fixes OPS-12", "OPS-12!"),
        ("fixes ops-12", "OPS-12!"),
        ("Fixes: OPS-12.", "OPS-12!"),
        ("**Resolves** [OPS-12](https://acme.atlassian.net/browse/OPS-12)", "OPS-12!"),
        ("Fixes `OPS-12`", "OPS-12!"),
        ("https://acme.atlassian.net/browse/OPS-12", "OPS-12!"),
        ("https://acme.atlassian.net/jira/software/c/projects/OPS/boards/1?selectedIssue=OPS-12", "OPS-12!"),
        ("https://clew.acme.example/incidents/INC-7", "INC-7!"),
        ("See https://acme.atlassian.net/browse/OPS-12", "OPS-12"),
        ("![screen](https://cdn.example/OPS-12.png) https://ci.example/job/OPS-12/3", ""),
        ("Ticket: OPS-12", "OPS-12!"),
        ("Jira | OPS-12 |", "OPS-12!"),
        ("Carts were null, OPS-12", "OPS-12!"),
        ("Refs OPS-12", "OPS-12"),
        ("Refs: OPS-12, OPS-13 and OPS-14", "OPS-12 OPS-13 OPS-14"),
        ("(see also OPS-12)", "OPS-12"),
        ("This is part of the OPS-12 epic.", "OPS-12"),
        ("Related to OPS-12, fixes OPS-13", "OPS-12 OPS-13!"),
        ("Relates to ticket OPS-12. OPS-13 is done.", "OPS-12 OPS-13!"),
        ("Re: OPS-12", "OPS-12"),
        ("Mentions OPS-12", "OPS-12"),
        ("Works like OPS-12", "OPS-12"),
        ("Follow up to OPS-12", "OPS-12"),
        ("a follow-up of OPS-12", "OPS-12"),
        ("Reverts OPS-12", "OPS-12"),
        ("This does not fix OPS-12", "OPS-12"),
        ("It doesn\u{2019}t yet fully fix OPS-12", "OPS-12"),
        ("Will never resolve OPS-12", "OPS-12"),
        ("Partially fixes OPS-12", "OPS-12"),
        ("This can not crash any more: OPS-12", "OPS-12!"),
        ("Caused by OPS-12", "OPS-12"),
        ("It broke in OPS-12", "OPS-12"),
        ("a regression from OPS-12", "OPS-12"),
        ("Blocked by OPS-12", "OPS-12"),
        ("Depends on OPS-12", "OPS-12"),
        ("Merge after OPS-12", "OPS-12"),
        ("Like the fix in OPS-12", "OPS-12"),
        ("It was fixed in OPS-12", "OPS-12"),
        ("Fixes the regression caused by OPS-12", "OPS-12"),
        ("Fixes OPS-12, caused by OPS-13", "OPS-12! OPS-13"),
        ("See OPS-12. Fixes OPS-12", "OPS-12!"),
        ("Refs:\n- OPS-12\n- OPS-13\n\nOPS-14", "OPS-12 OPS-13 OPS-14!"),
        ("## Related tickets\n\nOPS-12\n\n## Ticket\n\nOPS-13", "OPS-12 OPS-13!"),
        ("Fixes OPS-12,\nOPS-13", "OPS-12! OPS-13!"),
        ("- [x] OPS-12\n- [ ] OPS-13", "OPS-12! OPS-13"),
        ("<!-- Fixes OPS-1 -->Fixes OPS-12<!--\nOPS-2\n--> OPS-13", "OPS-12! OPS-13!"),
        ("```\nFixes OPS-1\n```\nFixes OPS-12\n~~~~ sh\nOPS-2\n~~~\nOPS-3\n~~~~\nOPS-13", "OPS-12! OPS-13!"),
        ("```fixes OPS-1``` OPS-12", "OPS-12!"),
        ("> Fixes OPS-1\n  > OPS-2\nFixes OPS-12", "OPS-12!"),
        ("say `fixes OPS-1` to close it", ""),
        ("the step-1 of phase-2 in top-10", ""),
    ] {
        assert_eq!(told(&pull("", "", body, &[])), expected, "{body}");
        assert_eq!(told(&pull("", "", &body.replace('\n', "\r\n"), &[])), expected, "{body}");
    }
}

#[test]
fn issues_need_a_closing_keyword() {
    for word in ["close", "Closes", "closed", "fix", "FIXES", "fixed", "resolve", "Resolves", "resolved"] {
        assert_eq!(told(&pull("", "", &format!("{word} #45"), &[])), "#45!", "{word}");
        assert_eq!(told(&pull("", "", &format!("{word}: #45"), &[])), "#45!", "{word}");
    }
    for (body, expected) in [
        ("#45", ""),
        ("See #45", ""),
        ("Fixes acme/web#45", "acme/web#45!"),
        ("Fixes https://github.com/acme/shop/issues/45", "#45!"),
        ("Fixes https://github.acme.example/acme/web/issues/45#issuecomment-1.", "acme/web#45!"),
        ("Fixes <https://github.com/acme/shop/issues/45>", "#45!"),
        ("Fixes https://github.com/acme/shop/pull/45", ""),
        ("https://github.com/acme/shop/issues/45", ""),
        ("Fixes GH-45", "#45!"),
        ("GH-45", ""),
        ("fixes OPS-1, OPS-2 and #3", "OPS-1! OPS-2! #3!"),
        ("Resolves #10, resolves #123, resolves octo-org/octo-repo#100", "#10! #123! octo-org/octo-repo#100!"),
        ("Fixes #1, #2", "#1! #2!"),
        ("Fixes the issue #45", ""),
        ("Prefixes #45", ""),
        ("This does not fix #45", ""),
        ("Fixes #45abc", ""),
        ("Fixes [#45](https://github.com/other/repo/issues/45)", "other/repo#45!"),
        ("<li>fixes <a href=\"https://github.com/other/repo/issues/45\">#45</a></li>", ""),
        ("* **Fixes** #45", "#45!"),
        ("Fixes:\n* #45\n* #46", "#45! #46!"),
        ("Fixes # (issue)", ""),
        ("`Fixes #45`", ""),
        ("Fixes &#45;", ""),
    ] {
        assert_eq!(told(&pull("", "", body, &[])), expected, "{body}");
    }
}

#[test]
fn commits_and_the_first_place_of_a_name() {
    let commits = [
        "OPS-12: carts may be empty\n\nCloses: #45\nRefs: OPS-13",
        "Merge branch 'ops-20' of OPS-21\n\nOPS-22",
        "Revert \"OPS-14: x\"\n\nThis reverts commit abc, OPS-15.",
        "bump utf-8",
    ];
    assert_eq!(told(&pull("", "", "", &commits)), "OPS-12! #45! OPS-13 OPS-22! OPS-15");
    assert_eq!(told(&pull("Carts", "ops-13-carts", "Refs OPS-12, OPS-13", &["OPS-12"])), "OPS-13! OPS-12!");
}

#[test]
fn a_revert_fixes_nothing_and_says_what_it_takes_back() {
    let title = "Revert \"OPS-12: carts may be empty\"";
    let revert = pull(title, "revert-122-ops-12-carts", "Reverts acme/shop#122\n\nBreaks INC-7, fixes #46", &[title]);
    assert_eq!(told(&revert), "INC-7 #46");
    assert_eq!(reverts(&revert), Some(("acme/shop".to_owned(), 122)));
    for (title, body, expected) in [
        ("Revert \"x\"", "Reverts #122", Some(("acme/shop", 122))),
        ("Revert \"x\"", "Reverts acme/web#122.", Some(("acme/web", 122))),
        ("revert: x", "reverts https://github.com/acme/web/pull/122", Some(("acme/web", 122))),
        ("Revert \"x\"", "> Reverts #1\n<!-- Reverts #2 -->\nReverts #122", Some(("acme/shop", 122))),
        ("Revert \"x\"", "", None),
        ("Reverting is a button now", "no number", None),
        ("Reverted-looking carts", "#12", None),
        ("Carts", "Reverts #122", None),
    ] {
        let expected = expected.map(|(repo, number)| (repo.to_owned(), number));
        assert_eq!(reverts(&pull(title, "", body, &[])), expected, "{title}: {body}");
    }
    // What is brought back is done again.
    assert_eq!(told(&pull("Reapply \"OPS-12: carts may be empty\"", "", "", &[])), "OPS-12!");
}

#[test]
fn a_long_text_is_read_in_a_moment() {
    let began = std::time::Instant::now();
    for piece in ["OPS-1 ", "a-", "`", "<!--", "fixes #1, ", "a/", "#", "_", "https://a/", "[", "```\n", "é"] {
        let text = piece.repeat(65_536 / piece.len());
        let _ = mentions(&pull(&text, &text, &text, &[&text]));
    }
    let many: String = (1..9_000).map(|number| format!("A{number}-1 ")).collect();
    assert_eq!(mentions(&pull("", "", &many, &[])).len(), 8_999);
    // Much longer than it takes: the machine that runs the tests may be busy.
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(title in "\\PC{0,60}", branch in "\\PC{0,40}", body in "(?s).{0,200}") {
        let pull = pull(&title, &branch, &body, &[&body]);
        let _ = (mentions(&pull), reverts(&pull));
    }

    #[test]
    fn no_text_made_of_pieces_of_sentences_makes_it_panic(
        text in "(Revert |reverts |fixes|not |see |part |of |OPS-12|ops-1|acme/shop|#45|GH-1|https://|/issues/|\n|- |\\[ \\]|`|```|<!--|-->|>|\\(|\\)|\\[|\\]|,|\\.|:|é|\"|/|_| ){0,30}"
    ) {
        let pull = pull(&text, &text, &text, &[&text]);
        let names = mentions(&pull);
        let distinct: std::collections::HashSet<_> = names.iter().map(|mention| &mention.name).collect();
        prop_assert_eq!(distinct.len(), names.len());
        prop_assert!(!is_revert(&pull) || names.iter().all(|mention| !mention.fixes));
        let _ = reverts(&pull);
    }
}
