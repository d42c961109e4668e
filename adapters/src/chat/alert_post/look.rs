//! How bad a post looks: its colour, the signs at its beginning.

/// What a colour or a sign says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Something is wrong.
    Red,
    /// Something may go wrong.
    Yellow,
    /// All is well.
    Green,
}

impl Look {
    /// Of the name of a colour: `danger`, `#d63232`, `2eb886`.
    pub fn of_color(color: &str) -> Option<Self> {
        match color {
            "danger" => return Some(Self::Red),
            "warning" => return Some(Self::Yellow),
            "good" => return Some(Self::Green),
            _ => {}
        }
        let hex = color.trim_start_matches('#');
        u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6).and_then(Self::of_rgb)
    }

    /// Of a colour as a number, `0xRRGGBB`.
    pub fn of_rgb(number: u32) -> Option<Self> {
        let [_, red, green, blue] = number.to_be_bytes().map(u32::from);
        if red > 140 && green < 110 && blue < 130 {
            Some(Self::Red)
        } else if red > 170 && green >= 110 && blue < 120 {
            Some(Self::Yellow)
        } else if green > red + 30 && green > blue + 20 {
            Some(Self::Green)
        } else {
            None
        }
    }

    /// Of a sign by its name (`fire`) or itself (`🔥`). Signs that say nothing give `None`.
    fn of_sign(sign: &str) -> Option<Self> {
        Some(match sign {
            "🔥" | "🚨" | "🔴" | "❌" | "💥" | "⛔" | "🛑" | "fire" | "rotating_light" | "red_circle"
            | "large_red_circle" | "x" | "boom" | "no_entry" | "octagonal_sign" | "red_alert" => Self::Red,
            "⚠"
            | "🟠"
            | "🟡"
            | "🔶"
            | "warning"
            | "large_orange_circle"
            | "large_yellow_circle"
            | "large_orange_diamond" => Self::Yellow,
            "✅" | "🟢" | "💚" | "✔" | "white_check_mark" | "heavy_check_mark" | "large_green_circle"
            | "green_circle" | "green_heart" => Self::Green,
            _ => return None,
        })
    }
}

/// Takes the sign off the front of a text: what it says, and the rest. `None` when there is none.
pub(super) fn peel(text: &str) -> Option<(Option<Look>, &str)> {
    if let Some((name, rest)) = text.strip_prefix(':').and_then(|text| text.split_once(':')) {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '+');
        return (!name.is_empty() && name.len() <= 60 && name.chars().all(is_name))
            .then(|| (Look::of_sign(name), rest));
    }
    let first = text.chars().next().filter(|c| is_sign(*c))?;
    let rest = &text[first.len_utf8()..];
    let rest = rest.trim_start_matches(['\u{fe0f}', '\u{200d}', '\u{fe0e}']);
    Some((Look::of_sign(first.encode_utf8(&mut [0; 4])), rest))
}

/// `text` without signs at its end.
pub(super) fn without_trailing(text: &str) -> &str {
    let mut rest = text.trim_end();
    loop {
        let shorter = rest.trim_end_matches(|c| is_sign(c) || matches!(c, '\u{fe0f}' | '\u{200d}')).trim_end();
        let shorter =
            shorter.strip_suffix(':').and_then(|text| text.rsplit_once(':')).map_or(shorter, |(before, name)| {
                let is_name =
                    !name.is_empty() && peel(&shorter[before.len()..]).is_some_and(|(_, rest)| rest.is_empty());
                if is_name { before.trim_end() } else { shorter }
            });
        if shorter.len() == rest.len() {
            return rest;
        }
        rest = shorter;
    }
}

/// What the sign at the end of a text says.
pub(super) fn trailing(text: &str) -> Option<Look> {
    let text = text.trim_end().trim_end_matches(['\u{fe0f}', '\u{200d}']);
    let named = text.strip_suffix(':').and_then(|text| text.rsplit_once(':')).and_then(|(_, name)| Look::of_sign(name));
    named.or_else(|| Look::of_sign(text.chars().next_back()?.encode_utf8(&mut [0; 4])))
}

fn is_sign(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}'
        | '\u{2300}'..='\u{23ff}' | '\u{25a0}'..='\u{25ff}' | '\u{2190}'..='\u{21ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_signs() {
        for (color, look) in [
            ("danger", Some(Look::Red)),
            ("#D63232", Some(Look::Red)),
            ("a30200", Some(Look::Red)),
            ("#E01E5A", Some(Look::Red)),
            ("#daa038", Some(Look::Yellow)),
            ("#E97659", Some(Look::Yellow)),
            ("2eb886", Some(Look::Green)),
            ("#36a64f", Some(Look::Green)),
            ("#439FE0", None),
            ("#dddddd", None),
            ("", None),
            ("+fffff", None),
        ] {
            assert_eq!(Look::of_color(color), look, "{color}");
        }
        assert_eq!(peel("🔥 a"), Some((Some(Look::Red), " a")));
        assert_eq!(peel("⚠️ a"), Some((Some(Look::Yellow), " a")));
        assert_eq!(peel(":tada: a"), Some((None, " a")));
        for none in ["a", ":", "::", ": a:", "", "12:30:45"] {
            assert_eq!(peel(none), None, "{none}");
        }
        assert_eq!(without_trailing("a 🔥 :fire:"), "a");
        assert_eq!(without_trailing("at 12:30: b:c:"), "at 12:30: b");
        assert_eq!(without_trailing("a: B :"), "a: B :");
        assert_eq!(
            [trailing("a 🔴"), trailing("a :fire:"), trailing("a ✅\u{fe0f} ")].map(|look| look.is_some()),
            [true; 3]
        );
        assert_eq!([trailing("a"), trailing("a 🎉"), trailing("x: y:")], [None; 3]);
    }
}
