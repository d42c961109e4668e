//! Ids of Discord: numbers that grow with the time at which they are given out.

/// Whether a text is an id.
pub fn is_one(id: &str) -> bool {
    number(id).is_some()
}

/// An id as a number, in the order in which they are given out. Ids of newer things are larger.
pub fn number(id: &str) -> Option<u64> {
    id.parse().ok().filter(|number| *number > 0 && id.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_numbers() {
        assert!(number("175928847299117063") < number("1175928847299117063"));
        for none in ["", "0", "-1", "+1", "C0INCIDENTS", "99999999999999999999999", "1 "] {
            assert!(!is_one(none), "{none}");
        }
    }
}
