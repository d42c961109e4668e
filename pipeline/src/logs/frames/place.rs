//! The places in one line of a log.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{Frame, foreign};

/// Endings of source files. Others (`.io`, `.com`, `.conf`) would make places of hosts and settings.
pub const SOURCES: &str = "java|kts?|scala|groovy|cljc?|pyx?|jsx?|mjs|cjs|tsx?|mts|cts|vue|svelte|go|rs|rb|rake|erb|haml|\
     php|phtml|cs|vb|fs|cshtml|razor|cpp|cc|cxx|c|hpp|hxx|hh|h|mm|m|swift|dart|exs?|erl|lua|pl|pm|sh";
/// Endings of source files whose frames leave the folder out.
pub const SOURCES_OF_JVM: &str = "java|kts?|scala|groovy|cljc?";
/// Endings that are also those of countries' hosts.
const HOSTS: [&str; 6] = ["rs", "cc", "py", "pl", "pm", "sh"];
/// A longer path is no path.
const MAX_PATH: usize = 400;
/// Bytes before a place that tell whether it is a frame; a line of many places must not be read for each of them.
const MAX_BEFORE: usize = 400;

/// A place that a line names.
#[derive(Debug)]
pub struct Place {
    /// Where it is.
    pub frame: Frame,
    /// Whether it stands there as a frame of a trace, and not just beside a message.
    pub in_trace: bool,
    /// Which way the trace is printed.
    pub order: Order,
    /// Whether it belongs to a library.
    pub foreign: bool,
}

/// Which way a trace is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Most languages.
    InnermostFirst,
    /// Python, and Ruby where it prints numbers.
    InnermostLast,
    /// What the frames before it say.
    AsBefore,
}

/// A constant pattern.
#[allow(clippy::expect_used)] // every pattern is a constant, and a test uses it
pub fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("constant pattern")
}

/// `File "/app/shop/cart.py", line 42, in total`; a dump of all threads has no second comma.
static PYTHON: LazyLock<Regex> = LazyLock::new(|| pattern(r#"File "([^"<>]+)", line ([0-9]+)( in )?"#));
/// `at java.base/java.util.ArrayList.get(ArrayList.java:427)`.
static JVM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"((?-u:\b)at )?(?:[^\s()/]*/){{0,2}}([^\s()/]+)\.[^\s()/.]+\(([^\s()/:]+\.(?:{SOURCES_OF_JVM}))(?::([0-9]+))?\)"
    ))
});
/// `node:internal/modules/cjs/loader:1105:14`.
static NODE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(node:[a-z_/]+):([0-9]+):[0-9]"));
/// Paths with spaces, where the end of the path is beyond doubt: .NET, PHP and JavaScript.
static SPACED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"(?: in )((?:[A-Za-z]:)?[/\\][^:"]* [^:"]*\.(?:{SOURCES}))(?::line | on line )([0-9]+)|\(((?:[A-Za-z]:)?[/\\][^:()"]* [^:()"]*\.(?:{SOURCES})):([0-9]+):[0-9]+\)"#
    ))
});
/// `/app/src/cart.ts:42`, `C:\src\Cart.cs:line 42`, `cart.php(42)`, `cart.php on line 42`, `cart.pl line 42`. A folder
/// may be in brackets, as routes are.
static ANY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"((?:(?-u:\b)[A-Za-z]:[/\\])?(?:[/\\]\[[^\s\[\]]+\]|[/\\]\([^\s()]+\)|[^\s:()"'`,;|<>=\[\]{{}}*])+\.({SOURCES}))(?:\?[0-9A-Za-z_=&%-]*)?(:(?: ?line )?|\(| on line | line |"\}}, ?\{{line, ?)([0-9]+)"#
    ))
});

/// The places that `line` names, in order.
pub fn places(line: &str) -> Vec<Place> {
    if line.contains("File \"")
        && let Some(found) = PYTHON.captures(line)
    {
        return python(&found).into_iter().collect();
    }
    let in_brackets = line.contains('(');
    if in_brackets && let Some(found) = JVM.captures(line) {
        return jvm(&found).into_iter().collect();
    }
    if line.contains("node:")
        && let Some(found) = NODE.captures(line)
    {
        let order = Order::InnermostFirst;
        return vec![Place { frame: frame(&found[1], &found[2]), in_trace: true, order, foreign: true }];
    }
    if (in_brackets || line.contains(" in "))
        && let Some(found) = SPACED.captures(line)
    {
        return spaced(line, &found).into_iter().collect();
    }
    ANY.captures_iter(line).filter_map(|found| any(line, &found)).collect()
}

fn frame(path: &str, line: &str) -> Frame {
    Frame { path: path.to_owned(), line: line.parse().ok().filter(|line| *line > 0) }
}

fn python(found: &Captures) -> Option<Place> {
    let path = tidy("", &found[1])?;
    let order = if found.get(3).is_some() { Order::InnermostFirst } else { Order::InnermostLast };
    Some(Place { foreign: foreign::is_foreign(&path), frame: frame(&path, &found[2]), in_trace: true, order })
}

fn jvm(found: &Captures) -> Option<Place> {
    let class = &found[2];
    let path = match class.rsplit_once('.') {
        Some((package, _)) => format!("{}/{}", package.replace('.', "/"), &found[3]),
        None => found[3].to_owned(),
    };
    (path.len() <= MAX_PATH).then(|| Place {
        frame: frame(&path, found.get(4).map_or("", |line| line.as_str())),
        in_trace: found.get(1).is_some(),
        order: Order::InnermostFirst,
        foreign: foreign::is_foreign_class(class),
    })
}

fn spaced(line: &str, found: &Captures) -> Option<Place> {
    let (path, number) = (found.get(1).or(found.get(3))?, found.get(2).or(found.get(4))?);
    // "broken in /a in C:\b c\Cart.cs": the path begins after the last "in".
    let path = path.as_str().rsplit_once(" in ").map_or(path.as_str(), |(_, path)| path);
    let path = tidy("", path)?;
    let foreign = foreign::is_foreign(&path) || foreign::is_foreign_caller(line);
    Some(Place { frame: frame(&path, number.as_str()), in_trace: true, order: Order::InnermostFirst, foreign })
}

fn any(line: &str, found: &Captures) -> Option<Place> {
    let (whole, path) = (found.get(0)?, found.get(1)?);
    let (before, after) = (last_bytes(&line[..whole.start()], MAX_BEFORE), &line[whole.end()..]);
    let (before, scheme) = scheme(before);
    if !ends_well(&found[3], after) || (&found[3] == ":" && HOSTS.contains(&&found[2]) && is_host(path.as_str(), after))
    {
        return None;
    }
    let path = tidy(scheme, path.as_str())?;
    let in_trace = stands_in_trace(before, after, scheme);
    let numbered = before.trim_end().strip_suffix("from").is_some_and(|before| before.trim_end().ends_with(':'));
    let order = match after.starts_with(":in ") {
        true if numbered => Order::InnermostLast,
        true => Order::AsBefore,
        false => Order::InnermostFirst,
    };
    let foreign = foreign::is_foreign(&path)
        || foreign::is_foreign_caller(before)
        || (after.starts_with(" +0x") && foreign::is_of_go(&path));
    Some(Place { frame: frame(&path, &found[4]), in_trace, order, foreign })
}

/// The last `bytes` of `text` or fewer, cut between characters.
fn last_bytes(text: &str, bytes: usize) -> &str {
    let start = (text.len().saturating_sub(bytes)..=text.len()).find(|start| text.is_char_boundary(*start));
    &text[start.unwrap_or(text.len())..]
}

/// The scheme of an address at the end of `before`, and what stands before it.
fn scheme(before: &str) -> (&str, &str) {
    let Some(rest) = before.strip_suffix(':') else { return (before, "") };
    let start = rest
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .map_or(0, |at| at + rest[at..].chars().next().map_or(1, char::len_utf8));
    match &rest[start..] {
        scheme @ ("file" | "webpack" | "webpack-internal" | "http" | "https" | "package" | "ng" | "vite") => {
            (&rest[..start], scheme)
        }
        _ => (before, ""),
    }
}

/// Whether the number before `after` is a line and no version, port or length.
fn ends_well(separator: &str, after: &str) -> bool {
    let mut next = after.chars();
    match next.next() {
        Some(')' | ',') => true,
        _ if separator == "(" => false,
        Some('.') => !next.next().is_some_and(|c| c.is_ascii_digit()),
        Some(c) => !(c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '(')),
        None => true,
    }
}

/// Whether `shop.rs:443` is more likely a host with its port.
fn is_host(path: &str, after: &str) -> bool {
    let column = after.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    !path.contains(['/', '\\']) && !column && !after.starts_with([']', ')']) && !after.starts_with(":in ")
}

/// Whether what stands around a place makes it a frame.
fn stands_in_trace(before: &str, after: &str, scheme: &str) -> bool {
    let last = before.trim_end().rsplit(char::is_whitespace).next().unwrap_or_default();
    let spaced = before.ends_with(char::is_whitespace);
    let numbered = before.split('#').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    (spaced && matches!(last, "at" | "from" | "in" | "At"))
        || (before.ends_with('(') && before.contains("at "))
        || before.ends_with(['\t', '@'])
        || before.ends_with("   ")
        || (before.ends_with(") ") && before.contains('('))
        || numbered
        || !scheme.is_empty()
        || before.contains("panicked at")
        || after.starts_with(" +0x")
        || after.starts_with(":in ")
}

/// `path` with slashes, without its address, and as short as it can be; `None` if it is none.
fn tidy(scheme: &str, path: &str) -> Option<String> {
    // Firefox: `total@/app/cart.js:42:7`.
    let path = match path.split_once('@') {
        Some((name, rest)) if rest.starts_with('/') && !name.contains('/') => rest,
        _ => path,
    };
    let slashed = path.replace('\\', "/");
    let mut rest = match scheme {
        // Two slashes without an address begin a comment.
        "" if path.starts_with("//") => return None,
        "" | "package" => slashed.as_str(),
        "file" => slashed.trim_start_matches("//"),
        "http" | "https" => slashed.strip_prefix("//").and_then(|rest| rest.find('/').map(|host| &rest[host..]))?,
        _ => within_bundle(&slashed),
    };
    while let Some(shorter) = ["./", "../", ".../"].iter().find_map(|dots| rest.strip_prefix(dots)) {
        rest = shorter;
    }
    (!rest.is_empty() && rest.len() <= MAX_PATH).then(|| rest.to_owned())
}

/// What a bundler's name for a file means: `//shop/./src/cart.ts`, `///src/cart.ts`, `///(rsc)/./src/cart.ts`.
fn within_bundle(path: &str) -> &str {
    if let Some((_, rest)) = path.rsplit_once("/./") {
        return rest;
    }
    match path.strip_prefix("///") {
        Some(rest) => rest,
        None => path.trim_start_matches('/').split_once('/').map_or(path, |(_, rest)| rest),
    }
}
