//! Words inside of names.

/// The parts of a name: `OutOfMemoryError` → Out, Of, Memory, Error; `ER_LOCK_DEADLOCK` → ER, LOCK, DEADLOCK;
/// `KubeAPIDown` → Kube, API, Down. Parts of one letter say nothing and are left out.
pub fn parts(name: &str) -> Vec<&str> {
    let chars: Vec<(usize, char)> = name.char_indices().collect();
    let mut parts = Vec::new();
    let mut start = 0;
    for (index, (at, c)) in chars.iter().enumerate().skip(1) {
        let before = chars[index - 1].1;
        let next_is_lower = chars.get(index + 1).is_some_and(|(_, next)| next.is_lowercase());
        if *c == '_' || (c.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && next_is_lower))) {
            parts.push(&name[start..*at]);
            start = *at;
        }
    }
    parts.push(&name[start..]);
    parts.into_iter().map(|part| part.trim_matches('_')).filter(|part| part.chars().nth(1).is_some()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_their_words() {
        assert_eq!(parts("OutOfMemoryError"), ["Out", "Of", "Memory", "Error"]);
        assert_eq!(parts("ER_LOCK_DEADLOCK"), ["ER", "LOCK", "DEADLOCK"]);
        assert_eq!(parts("KubeAPIDown"), ["Kube", "API", "Down"]);
        assert_eq!(parts("plain"), ["plain"]);
        assert_eq!(parts("ÄÖü_é"), ["Öü"]);
    }
}
