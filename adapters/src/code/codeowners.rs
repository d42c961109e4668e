//! Who GitHub says owns a file: the CODEOWNERS file, with GitHub's rules and not those of gitignore where they differ.

use std::collections::VecDeque;

/// GitHub does not load a larger file.
pub const MAX_BYTES: usize = 3 * 1024 * 1024;

/// A CODEOWNERS file. It is matched as GitHub matches it: the last rule that fits wins, case matters, and a line that
/// GitHub would refuse is as if it were not there.
#[derive(Debug, Clone, Default)]
pub struct CodeOwners {
    rules: Vec<Line>,
}

/// A rule, and who it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule<'a> {
    /// Its pattern as it is written, to be shown as the reason.
    pub pattern: &'a str,
    /// `@login`, `@organisation/team` or an e-mail address. Empty: the file is nobody's, whatever earlier rules say.
    pub owners: &'a [String],
}

#[derive(Debug, Clone)]
struct Line {
    pattern: String,
    path: Vec<Step>,
    owners: Vec<String>,
}

/// One step of a pattern down the folders.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// One name.
    Name(Vec<Piece>),
    /// Any number of folders, none too.
    Any,
}

/// A piece of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// This character.
    Char(char),
    /// `?`: any character.
    One,
    /// `*`: any characters.
    Many,
}

impl CodeOwners {
    /// Reads `text`. Never fails: GitHub skips lines that it does not understand, and so does this. A file larger than
    /// [`MAX_BYTES`] names nobody.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.len() > MAX_BYTES {
            return Self::default();
        }
        Self { rules: text.trim_start_matches('\u{feff}').lines().filter_map(line).collect() }
    }

    /// The rule that decides about the file at `path`, from the root of the repository; `None` if none does.
    #[must_use]
    pub fn owners(&self, path: &str) -> Option<Rule<'_>> {
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
        let line = self.rules.iter().rev().find(|line| matches_path(&line.path, &names))?;
        Some(Rule { pattern: &line.pattern, owners: &line.owners })
    }
}

/// One line; `None` for an empty one, a comment, and one that GitHub refuses.
fn line(text: &str) -> Option<Line> {
    let mut words = words(text);
    let pattern = words.pop_front()?;
    let path = steps(&pattern)?;
    let owners: Vec<String> = words.into();
    owners.iter().all(|owner| is_owner(owner)).then_some(Line { pattern, path, owners })
}

/// The words of a line up to its comment. Only in the first, the pattern, a space may be escaped.
fn words(text: &str) -> VecDeque<String> {
    let mut words = VecDeque::new();
    let mut word = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if words.is_empty() => word.extend(std::iter::once(c).chain(chars.next())),
            // A pattern may have the sign within a name (`/src/F#/`), owners may not.
            '#' if word.is_empty() || !words.is_empty() => break,
            c if c.is_whitespace() && word.is_empty() => {}
            c if c.is_whitespace() => words.push_back(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push_back(word);
    }
    words
}

/// Whether `word` is an owner as GitHub writes them: `@login`, `@organisation/team`, an e-mail address.
fn is_owner(word: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    match word.strip_prefix('@') {
        Some(name) => name.split('/').count() <= 2 && name.split('/').all(is_name),
        None => word.split_once('@').is_some_and(|(user, host)| !user.is_empty() && is_name(host)),
    }
}

/// The steps of `pattern`; `None` if GitHub refuses it: it negates, has a range, escapes `#`, or has three stars.
fn steps(pattern: &str) -> Option<Vec<Step>> {
    if pattern.starts_with('!') || pattern.starts_with("\\#") || pattern.contains("***") {
        return None;
    }
    let anchored = pattern.trim_end_matches('/').contains('/');
    let is_folder = pattern.ends_with('/');
    let inner = pattern.strip_prefix('/').unwrap_or(pattern);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    if inner.is_empty() {
        // `/` is the root itself, and no file is that.
        return Some(vec![Step::Name(Vec::new())]);
    }
    let names: Vec<&str> = inner.split('/').collect();
    let mut steps = if anchored { Vec::new() } else { vec![Step::Any] };
    for name in &names {
        steps.push(if *name == "**" { Step::Any } else { Step::Name(pieces(name)?) });
    }
    match names.last() {
        // Whatever is inside, but not the folder itself.
        Some(&"**") => steps.extend([Step::Name(vec![Piece::Many]), Step::Any]),
        _ if is_folder => steps.extend([Step::Name(vec![Piece::Many]), Step::Any]),
        // `docs/*` is what stands in `docs`, and nothing below it.
        Some(&"*") => {}
        _ => steps.push(Step::Any),
    }
    Some(steps)
}

fn pieces(name: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        pieces.push(match c {
            '\\' => Piece::Char(chars.next()?),
            '[' | ']' => return None,
            '?' => Piece::One,
            '*' => Piece::Many,
            c => Piece::Char(c),
        });
    }
    Some(pieces)
}

fn matches_path(steps: &[Step], names: &[&str]) -> bool {
    fits(
        steps,
        names,
        |step| *step == Step::Any,
        |step, name| match step {
            Step::Any => true,
            Step::Name(pieces) => {
                let chars: Vec<char> = name.chars().collect();
                fits(
                    pieces,
                    &chars,
                    |piece| *piece == Piece::Many,
                    |piece, c| match piece {
                        Piece::Char(wanted) => wanted == c,
                        Piece::One | Piece::Many => true,
                    },
                )
            }
        },
    )
}

/// Whether all of `items` fit `pattern`, in which what `is_star` says stands for any number of items. When a guess for
/// a star fails, only that of the last star has to be made anew, so the time is at most their product.
fn fits<P, I>(pattern: &[P], items: &[I], is_star: impl Fn(&P) -> bool, fits_one: impl Fn(&P, &I) -> bool) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut star = None;
    while item < items.len() {
        match pattern.get(at) {
            Some(part) if is_star(part) => {
                star = Some((at, item));
                at += 1;
            }
            Some(part) if fits_one(part, &items[item]) => (at, item) = (at + 1, item + 1),
            _ => {
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                (at, item) = (place + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(is_star)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The owners that `file` gives `path`, joined; "-" if no rule fits.
    fn owners(file: &str, path: &str) -> String {
        CodeOwners::parse(file).owners(path).map_or("-".to_owned(), |rule| rule.owners.join(" "))
    }

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let file = CodeOwners::parse(&format!("{pattern} @a"));
        for path in matching {
            assert!(file.owners(path).is_some(), "{pattern} should match {path}");
        }
        for path in others {
            assert!(file.owners(path).is_none(), "{pattern} should not match {path}");
        }
    }

    /// GitHub's documentation, "About code owners".
    const DOCUMENTED: &str = "\
# This is a comment.
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
";

    #[test]
    fn the_documented_file_names_the_documented_owners() {
        for (path, expected) in [
            ("README.md", "@global-owner1 @global-owner2"),
            ("src/deep/README.md", "@global-owner1 @global-owner2"),
            ("a.js", "@js-owner"),
            ("src/deep/a.js", "@js-owner"),
            ("a.go", "docs@example.com"),
            ("notes/a.txt", "@octo-org/octocats"),
            ("build/logs/deep/a.md", "@octocat"),
            ("other/build/log/a.md", "@global-owner1 @global-owner2"),
            ("docs/getting-started.md", "@doctocat"),
            ("docs/build-app/troubleshooting.md", "@doctocat"),
            ("src/apps/deep/a.md", "@octocat"),
            ("scripts/a.sh", "@doctocat @octocat"),
            ("deeply/nested/logs", "@octocat"),
            ("scripts/logs/a.md", "@octocat"),
            ("apps/web/a.js", "@octocat"),
            ("apps/github/a.js", ""),
            ("apps/github", ""),
            ("/apps/github/a.js", ""),
        ] {
            assert_eq!(owners(DOCUMENTED, path), expected, "{path}");
        }
        // Without the later rules of the documentation that cover the same files.
        let earlier: String = DOCUMENTED.lines().take(7).map(|line| format!("{line}\n")).collect();
        assert_eq!(owners(&earlier, "build/logs/deep/a.md"), "@doctocat");
        assert_eq!(owners(&earlier, "docs/getting-started.md"), "docs@example.com");
        assert_eq!(owners(&earlier, "docs/build-app/troubleshooting.md"), "@global-owner1 @global-owner2");
        let another = format!("{DOCUMENTED}/apps/github @doctocat\n");
        assert_eq!(owners(&another, "apps/github/a.js"), "@doctocat");
    }

    #[test]
    fn the_last_rule_wins_and_is_shown_as_written() {
        let file = CodeOwners::parse("* @a\n/shop/ @b b@example.com # the shop\n");
        let rule = file.owners("shop/cart.py").map(|rule| (rule.pattern, rule.owners.to_vec()));
        assert_eq!(rule, Some(("/shop/", vec!["@b".to_owned(), "b@example.com".to_owned()])));
        assert_eq!(owners("/shop/ @b\n* @a", "shop/cart.py"), "@a");
        assert_eq!(owners("", "shop/cart.py"), "-");
    }

    #[test]
    fn names_match_at_any_depth_and_folders_with_all_below() {
        check("shop", &["shop", "shop/a", "x/shop", "x/shop/y/a"], &["shop.py", "workshop", "x/shops/a"]);
        check("/shop", &["shop", "shop/a", "shop/x/a"], &["x/shop", "x/shop/a", "shopping"]);
        check("shop/", &["shop/a", "shop/x/a", "x/shop/a"], &["shop", "x/shop", "shops/a"]);
        check("/shop/", &["shop/a", "shop/x/a"], &["shop", "x/shop/a"]);
        check("shop/cart", &["shop/cart", "shop/cart/a"], &["x/shop/cart", "shop/carts", "shop/x/cart"]);
        check("/shop/cart/", &["shop/cart/a", "shop/cart/x/a"], &["shop/cart", "x/shop/cart/a"]);
        check("Shop", &["Shop/a"], &["shop/a", "SHOP"]);
        check("/", &[], &["a", "x/a"]);
    }

    #[test]
    fn stars_stay_within_a_name() {
        check("*", &["a", "x/a", "x/y/a"], &[]);
        check("/*", &["a"], &["x/a", "x/y/a"]);
        check("docs/*", &["docs/a"], &["docs", "docs/x/a", "x/docs/a"]);
        check("/docs/*.md", &["docs/a.md"], &["docs/a.txt", "docs/x/a.md", "x/docs/a.md"]);
        check("*.js", &["a.js", "x/a.js", "x.js/a"], &["a.jsx", "js"]);
        check("s*p", &["shop", "sp", "x/s.p/a"], &["shops", "s/p"]);
        check("/s*", &["shop", "shop/x/a"], &["x/shop"]);
        check("/*/", &["x/a", "x/y/a"], &["a"]);
        check("x/*/a", &["x/y/a", "x/y/a/b"], &["x/a", "x/y/z/a"]);
        check("sh?p", &["shop", "x/ship"], &["shp", "shoop", "sh/p"]);
        check("a*b*c", &["abc", "a1b2bc", "aXbYc"], &["ab", "acb"]);
        check("*é?", &["éa", "xéb"], &["é"]);
    }

    #[test]
    fn two_stars_cross_folders() {
        check("**", &["a", "x/y/a"], &[]);
        check("/**", &["a", "x/y/a"], &[]);
        check("**/", &["a", "x/a", "x/y/a"], &[]);
        check("**/logs", &["logs", "logs/a", "build/logs/a", "x/y/logs"], &["log", "mylogs/a"]);
        check("**/shop/cart", &["shop/cart", "x/shop/cart", "x/shop/cart/a"], &["shop/x/cart"]);
        check("shop/**", &["shop/a", "shop/x/a"], &["shop", "x/shop/a"]);
        check("shop/**/cart", &["shop/cart", "shop/x/cart", "shop/x/y/cart/a"], &["x/shop/cart", "shop/carts"]);
        check("shop/**/c*", &["shop/cart", "shop/x/cart/a"], &["shop", "shop/x/art"]);
        check("shop/**/*.py", &["shop/a.py", "shop/x/y/a.py"], &["shop/a.js", "a.py"]);
        check("**/*", &["a", "x/y/a"], &[]);
        check("a**b", &["ab", "axxb", "x/ab"], &["a/b"]);
        check("**/a/**/b/**", &["a/b/c", "x/a/y/a/b/z"], &["a/b", "b/a/c"]);
    }

    #[test]
    fn spaces_and_signs_can_be_escaped() {
        check(r"my\ shop/", &["my shop/a"], &["my/a", "shop/a"]);
        check(r"/a\*b", &["a*b"], &["axb"]);
        check(r"/a\?b", &["a?b"], &["axb"]);
        check("/src/F#/", &["src/F#/a"], &["src/F/a"]);
        let file = CodeOwners::parse("/docs/my\\ notes.md\t@a\t@b\r\n");
        let rule = file.owners("docs/my notes.md").map(|rule| (rule.pattern, rule.owners.len()));
        assert_eq!(rule, Some((r"/docs/my\ notes.md", 2)));
    }

    #[test]
    fn lines_that_github_refuses_are_skipped() {
        for refused in [
            "!*.js @b",
            "[ab].js @b",
            r"\#a.js @b",
            "***/a.js @b",
            r"a.js\ @b",
            "*.js docs@",
            "*.js b",
            "*.js @b @x/y/z",
            "*.js @",
            "#*.js @b",
        ] {
            assert_eq!(owners(&format!("* @a\n{refused}\n"), "a.js"), "@a", "{refused}");
        }
        assert_eq!(owners("\u{feff}*.js @a", "a.js"), "@a");
        assert_eq!(owners("  *.js   @a#comment", "a.js"), "@a");
        assert_eq!(owners("*.js # nobody", "a.js"), "");
        assert_eq!(owners("*.js @mona_acme @acme/team.of-two", "a.js"), "@mona_acme @acme/team.of-two");
    }

    #[test]
    fn a_file_that_github_does_not_load_names_nobody() {
        let large = "* @a\n".repeat(MAX_BYTES / 5 + 1);
        assert_eq!(owners(&large, "a"), "-");
        assert_eq!(owners(&large[..MAX_BYTES / 5 * 5], "a"), "@a");
    }

    #[test]
    fn stars_do_not_make_it_slow() {
        let pattern = format!("/{}b", "*a".repeat(2_000));
        let deep = format!("{}b", "**/a/".repeat(2_000));
        check(&pattern, &[], &[&"a".repeat(4_000)]);
        check(&deep, &[], &[&"a/".repeat(2_000)]);
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(file in "\\PC{0,80}", path in "\\PC{0,40}") {
            let _ = CodeOwners::parse(&file).owners(&path);
        }

        #[test]
        fn no_pattern_makes_it_panic(file in "[*/?a\\\\ #@!\n\\[\\]é.]{0,30}", path in "[a/é. ]{0,20}") {
            let _ = CodeOwners::parse(&file).owners(&path);
        }

        #[test]
        fn a_path_matches_itself_and_what_is_below(path in "[a-c]{1,3}(/[a-c]{1,3}){0,3}") {
            prop_assert_eq!(owners(&format!("/{path} @a"), &path), "@a");
            let below = format!("{path}/x");
            prop_assert_eq!(owners(&format!("/{path}/ @a"), &below), "@a");
            prop_assert_eq!(owners(&format!("/{path}/ @a"), &path), "-");
        }
    }
}
