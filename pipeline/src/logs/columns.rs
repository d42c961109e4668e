//! Columns that stand before a line's timestamp: a file name, a record number, a node, a second timestamp. Collectors and
//! supercomputers write them; what they are called nobody tells, so they are known by their look and by what follows.

use super::parse::Peeled;
use super::record::Header;
use super::timestamp;

/// Columns looked at before the timestamp.
const MAX_COLUMNS: usize = 5;
/// A longer column is text.
const MAX_WIDTH: usize = 80;

/// Takes the columns off, so that the line begins with its (last) timestamp.
#[must_use]
pub fn peel(line: &str) -> Option<Peeled<'_>> {
    let mut at = 0;
    let mut start = None;
    let first = timestamp::leading(line).map_or(0, |time| time.len);
    for column in 0..MAX_COLUMNS {
        let rest = &line[at..];
        let len = if column == 0 && first > 0 { first } else { rest.find(' ')? };
        let end = at + len;
        let leading_time = column == 0 && first > 0;
        if !leading_time && !is_column(&rest[..len]) {
            break;
        }
        let gap = line[end..].len() - line[end..].trim_start_matches(' ').len();
        if gap == 0 {
            break;
        }
        at = end + gap;
        // In brackets it is an access log's, which has columns of its own meaning before it.
        let bare = !line[at..].starts_with('[');
        if bare && timestamp::leading(&line[at..]).is_some_and(|time| has_clock(&line[at..at + time.len])) {
            start = Some(at);
        }
    }
    Some(Peeled::around(Header::default(), &line[start?..]))
}

/// `E0512`: the severity and date of klog, which reads its own header.
fn is_klog(token: &str) -> bool {
    token.len() == 5 && token.starts_with(['I', 'W', 'E', 'F']) && token[1..].bytes().all(|b| b.is_ascii_digit())
}

/// A date alone may be a column; what the line's own time is has hours in it, or counts seconds.
fn has_clock(time: &str) -> bool {
    time.contains(':') || time.matches('.').count() >= 3 || time.bytes().all(|b| b.is_ascii_digit())
}

/// `node-246`, `1117838570`, `unix.hw`, `nova-api.log.1`, `NULL`, `-`: no word of a sentence.
fn is_column(token: &str) -> bool {
    let plain =
        token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':' | b'/' | b'#' | b'@'));
    let capital = token.len() > 1 && token.bytes().all(|b| b.is_ascii_uppercase());
    let odd = token == "-"
        || capital
        || token.bytes().any(|b| b.is_ascii_digit() || b == b'_')
        || token.trim_matches('.').contains('.');
    plain && odd && !is_klog(token) && token.len() <= MAX_WIDTH && !token.ends_with([':', '.'])
}
