//! Finds the timestamp at the start of a line, in the formats that log writers use.
//!
//! Times are only compared with each other inside one input, so a missing year or zone does no harm:
//! they are read as the year 2000 and as UTC.

use chrono::{NaiveDate, NaiveTime};

/// A timestamp at the start of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leading {
    /// Bytes it takes, with the brackets around it.
    pub len: usize,
    /// Milliseconds since 1970-01-01 UTC; for a time without a date, since midnight.
    pub millis: i64,
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The timestamp that `text` starts with (after an optional `[`), if there is one.
#[must_use]
pub fn leading(text: &str) -> Option<Leading> {
    let bytes = text.as_bytes();
    let open = usize::from(bytes.first() == Some(&b'['));
    let first = *bytes.get(open)?;
    if !first.is_ascii_alphanumeric() {
        return None;
    }
    let mut cursor = Cursor { bytes, at: open };
    let millis = read(&mut cursor)?;
    // `2024-01-01T00:00:00Zfoo` or `12:30:45abc` is an identifier, not a time.
    if cursor.peek().is_some_and(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    if open == 1 && !cursor.eat(b']') {
        // `[10:32:01 INFO]` and `[2024-01-01 10:00:00,123: ERROR/Main]`: the bracket holds more than the time.
        if !matches!(cursor.peek(), Some(b' ' | b':' | b',' | b'|')) {
            return None;
        }
    }
    Some(Leading { len: cursor.at, millis })
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn eat_any(&mut self, set: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|b| set.contains(b))?;
        self.at += 1;
        Some(byte)
    }

    /// A number of `min` to `max` digits that no further digit follows.
    fn number(&mut self, min: usize, max: usize) -> Option<i64> {
        let start = self.at;
        let mut value = 0_i64;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            if self.at - start == max {
                self.at = start;
                return None;
            }
            value = value * 10 + i64::from(digit - b'0');
            self.at += 1;
        }
        if self.at - start < min {
            self.at = start;
            return None;
        }
        Some(value)
    }

    fn word(&mut self, words: &[&str]) -> Option<i64> {
        let head = self.bytes.get(self.at..self.at + 3)?;
        let index = words.iter().position(|w| head.eq_ignore_ascii_case(w.as_bytes()))?;
        if self.bytes.get(self.at + 3).is_some_and(u8::is_ascii_alphabetic) {
            return None;
        }
        self.at += 3;
        i64::try_from(index).ok()
    }

    fn spaces(&mut self) -> bool {
        let start = self.at;
        while self.eat(b' ') {}
        self.at > start
    }
}

fn attempt(cursor: &mut Cursor, reader: fn(&mut Cursor) -> Option<i64>) -> Option<i64> {
    let start = cursor.at;
    let value = reader(cursor);
    if value.is_none() {
        cursor.at = start;
    }
    value
}

fn read(cursor: &mut Cursor) -> Option<i64> {
    let readers: &[fn(&mut Cursor) -> Option<i64>] = if cursor.peek()?.is_ascii_digit() {
        &[year_first, day_month_year, packed, month_day, epoch, time_only]
    } else {
        &[month_name]
    };
    readers.iter().find_map(|reader| attempt(cursor, *reader))
}

fn at(year: i64, month: i64, day: i64, time: i64) -> Option<i64> {
    let date =
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?;
    Some(date.and_time(NaiveTime::MIN).and_utc().timestamp_millis() + time)
}

/// `HH:MM:SS`, then a fraction and a zone if they are there: milliseconds since midnight, in UTC when the zone is known.
fn time(cursor: &mut Cursor) -> Option<i64> {
    clock(cursor, b":")
}

/// The same with one of `separators` between its parts.
fn clock(cursor: &mut Cursor, separators: &[u8]) -> Option<i64> {
    let hour = cursor.number(1, 2)?;
    let separator = cursor.eat_any(separators)?;
    let minute = cursor.number(2, 2)?;
    if !cursor.eat(separator) {
        return None;
    }
    let second = cursor.number(2, 2)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut millis = 0;
    let start = cursor.at;
    if cursor.eat_any(b".,:").is_some() {
        let digits = cursor.at;
        match cursor.number(1, 9) {
            Some(_) => {
                for place in 0..3 {
                    let digit = cursor.bytes.get(digits + place).filter(|_| digits + place < cursor.at);
                    millis = millis * 10 + digit.map_or(0, |d| i64::from(d - b'0'));
                }
            }
            None => cursor.at = start,
        }
    }
    Some(((hour * 60 + minute) * 60 + second) * 1000 + millis - zone(cursor))
}

/// `Z`, `+02:00`, ` +0000`, ` UTC`: the offset in milliseconds.
fn zone(cursor: &mut Cursor) -> i64 {
    let start = cursor.at;
    if cursor.eat(b'Z') {
        return 0;
    }
    cursor.eat(b' ');
    for name in [&b"UTC"[..], b"GMT", b"CEST", b"CET", b"EST", b"EDT", b"PST", b"PDT", b"BST", b"MSK", b"IST", b"JST"] {
        let end = cursor.at + name.len();
        if cursor.bytes.get(cursor.at..end) == Some(name)
            && !cursor.bytes.get(end).is_some_and(u8::is_ascii_alphanumeric)
        {
            cursor.at = end;
            return 0;
        }
    }
    if let Some(sign) = cursor.eat_any(b"+-") {
        let digits = cursor.at;
        if let Some(hours) = cursor.number(2, 2) {
            let minutes = if cursor.eat(b':') { cursor.number(2, 2) } else { Some(0) };
            if let Some(minutes) = minutes {
                return signed(sign, hours * 60 + minutes);
            }
        }
        cursor.at = digits;
        if let Some(packed) = cursor.number(4, 4) {
            return signed(sign, packed / 100 * 60 + packed % 100);
        }
    }
    cursor.at = start;
    0
}

fn signed(sign: u8, minutes: i64) -> i64 {
    if sign == b'-' { -minutes * 60_000 } else { minutes * 60_000 }
}

/// `2024-05-01T10:00:00`, `2024/05/01 10:00:00`, `2005-06-03-15.42.50.363779`, `2024-05-01`.
fn year_first(cursor: &mut Cursor) -> Option<i64> {
    let year = cursor.number(4, 4)?;
    let separator = cursor.eat_any(b"-/.")?;
    let month = cursor.number(1, 2)?;
    if !cursor.eat(separator) {
        return None;
    }
    let day = cursor.number(1, 2)?;
    let date = at(year, month, day, 0)?;
    let start = cursor.at;
    if cursor.eat_any(b"T -_").is_some() {
        cursor.spaces();
        if let Some(time) = attempt(cursor, |c| clock(c, b":.")) {
            return Some(date + time);
        }
    }
    cursor.at = start;
    Some(date)
}

/// `12/Jun/2021:10:00:00 +0000`, `12 Jun 2021 10:00:00.123`, `12.06.2021 10:00:00`, `17/06/09 20:10:40`.
fn day_month_year(cursor: &mut Cursor) -> Option<i64> {
    let first = cursor.number(1, 2)?;
    let separator = cursor.eat_any(b"/ .-")?;
    let (month, named) = match cursor.word(&MONTHS) {
        Some(month) => (month + 1, true),
        None => (cursor.number(1, 2)?, false),
    };
    if !cursor.eat(separator) {
        return None;
    }
    let (year, month, day) = match attempt(cursor, |c| c.number(4, 4)) {
        // 05/13/2024: month first when the other way round is no date.
        Some(year) if month > 12 => (year, first, month),
        Some(year) => (year, month, first),
        None if named => return None,
        None => (2000 + first, month, cursor.number(2, 2)?),
    };
    cursor.eat_any(b": ,")?;
    cursor.spaces();
    let time = time(cursor)?;
    let half = half_day(cursor, time);
    at(year, month, day, time + half)
}

/// What ` AM` or ` PM` adds to `time`, in milliseconds: 12 AM is midnight, 12 PM is noon.
fn half_day(cursor: &mut Cursor, time: i64) -> i64 {
    const HALF: i64 = 12 * 3_600_000;
    let twelve = time.rem_euclid(2 * HALF) >= HALF;
    let added = match cursor.bytes.get(cursor.at..cursor.at + 3) {
        Some(b" PM") if !twelve => HALF,
        Some(b" AM") if twelve => -HALF,
        Some(b" PM" | b" AM") => 0,
        _ => return 0,
    };
    cursor.at += 3;
    added
}

/// `081109 203615` (six digits each) and `20171223-22:15:29:606`.
fn packed(cursor: &mut Cursor) -> Option<i64> {
    if let Some(date) = attempt(cursor, |c| c.number(8, 8)) {
        cursor.eat_any(b"-T ")?;
        let time = loose_time(cursor)?;
        return at(date / 10_000, date / 100 % 100, date % 100, time);
    }
    let date = cursor.number(6, 6)?;
    cursor.eat_any(b" ")?;
    cursor.spaces();
    if let Some(time) = attempt(cursor, time) {
        return at(2000 + date / 10_000, date / 100 % 100, date % 100, time);
    }
    let clock = cursor.number(6, 6)?;
    let (hour, minute, second) = (clock / 10_000, clock / 100 % 100, clock % 100);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    at(2000 + date / 10_000, date / 100 % 100, date % 100, ((hour * 60 + minute) * 60 + second) * 1000)
}

/// `22:5:9:60`: hours, minutes, seconds and milliseconds without leading zeros.
fn loose_time(cursor: &mut Cursor) -> Option<i64> {
    let mut parts = [0; 3];
    for (place, part) in parts.iter_mut().enumerate() {
        if place > 0 && !cursor.eat(b':') {
            return None;
        }
        *part = cursor.number(1, 2)?;
    }
    let [hour, minute, second] = parts;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let start = cursor.at;
    let millis = cursor.eat_any(b".,:").and_then(|_| cursor.number(1, 3));
    if millis.is_none() {
        cursor.at = start;
    }
    Some(((hour * 60 + minute) * 60 + second) * 1000 + millis.unwrap_or(0))
}

/// `03-17 16:13:38.811` and `10.30 16:49:06`.
fn month_day(cursor: &mut Cursor) -> Option<i64> {
    let month = cursor.number(2, 2)?;
    cursor.eat_any(b"-.")?;
    let day = cursor.number(2, 2)?;
    cursor.eat_any(b" ")?;
    let time = time(cursor)?;
    at(2000, month, day, time)
}

/// Seconds or milliseconds since 1970, with a fraction if there is one, of this century.
fn epoch(cursor: &mut Cursor) -> Option<i64> {
    let value = cursor.number(10, 13)?;
    let millis = match value {
        1_000_000_000..=4_000_000_000 => value * 1000,
        1_000_000_000_000..=4_000_000_000_000 => value,
        _ => return None,
    };
    if cursor.eat(b'.') {
        cursor.number(1, 9)?;
    }
    matches!(cursor.peek(), None | Some(b' ' | b']' | b'\t')).then_some(millis)
}

fn time_only(cursor: &mut Cursor) -> Option<i64> {
    time(cursor)
}

/// `Jun 12 10:00:00`, `Jun 12 2021 10:00:00`, `Sun Dec 04 04:47:44.123 2005`, `Jun 12, 2021 10:00:00 PM`.
fn month_name(cursor: &mut Cursor) -> Option<i64> {
    if cursor.word(&WEEKDAYS).is_some() {
        cursor.eat(b',');
        if !cursor.spaces() {
            return None;
        }
        if cursor.peek()?.is_ascii_digit() {
            return day_month_year(cursor);
        }
    }
    let month = cursor.word(&MONTHS)? + 1;
    if !cursor.spaces() {
        return None;
    }
    let day = cursor.number(1, 2)?;
    cursor.eat(b',');
    cursor.spaces();
    let mut year = attempt(cursor, |c| c.number(4, 4));
    if year.is_some() && !cursor.spaces() {
        return None;
    }
    let time = time(cursor)?;
    let half = half_day(cursor, time);
    if year.is_none() {
        year = attempt(cursor, |c| if c.spaces() { c.number(4, 4) } else { None });
    }
    at(year.unwrap_or(2000), month, day, time + half)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(text: &str) -> Option<&str> {
        leading(text).map(|found| &text[found.len..])
    }

    #[test]
    fn common_formats_are_recognised_and_end_where_the_message_starts() {
        for line in [
            "2024-05-01T10:00:00Z msg",
            "2024-05-01T10:00:00.123456789+02:00 msg",
            "2024-05-01 10:00:00,123 msg",
            "2024-05-01 10:00:00.123 UTC msg",
            "2024/05/01 10:00:00 msg",
            "2005-06-03-15.42.50.363779 msg",
            "[2024-05-01 10:00:00] msg",
            "May 29 15:45:11 msg",
            "Sun Dec 04 04:47:44 2005 msg",
            "[Sun Dec 04 04:47:44.123 2005] msg",
            "12/Jun/2021:10:00:00 +0000 msg",
            "12 Jun 2021 10:00:00.123 msg",
            "081109 203615 msg",
            "17/06/09 20:10:40 msg",
            "20171223-22:15:29:606 msg",
            "03-17 16:13:38.811 msg",
            "[10.30 16:49:06] msg",
            "[16:16:08.953] msg",
            "1717000000 msg",
            "1717000000.123 msg",
            "Wed, 12 Jun 2021 10:00:00 GMT msg",
        ] {
            assert_eq!(rest(line), Some(" msg"), "{line}");
        }
    }

    #[test]
    fn the_difference_of_two_times_is_in_milliseconds() {
        let early = leading("2024-05-01 10:00:00,250 a").map(|t| t.millis);
        let late = leading("2024-05-01T12:00:01.000+02:00 a").map(|t| t.millis);
        assert_eq!(late.zip(early).map(|(l, e)| l - e), Some(750));
    }

    #[test]
    fn things_that_only_look_like_times_are_left_alone() {
        for line in
            ["12 monkeys", "1.2.3.4 - -", "10 Jumping", "2024", "May I?", "12:30 lunch", "123456 abc", "[abc]", ""]
        {
            assert_eq!(leading(line), None, "{line}");
        }
    }
}
