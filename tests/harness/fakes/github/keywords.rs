//! Words with which a pull request closes issues.

use super::REPO;

const KEYWORDS: [&str; 9] = ["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"];

/// The numbers of the issues of the repository that a text closes once it is merged: `Fixes #12`, `closes acme/shop#12`,
/// `Resolves: https://github.com/acme/shop/issues/12`.
pub fn closed_by(text: &str) -> Vec<u64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let pairs = words.windows(2).filter(|pair| is_keyword(pair[0]));
    pairs.filter_map(|pair| number(pair[1])).collect()
}

fn is_keyword(word: &str) -> bool {
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    let word = word.strip_suffix(':').unwrap_or(word).to_lowercase();
    KEYWORDS.contains(&word.as_str())
}

fn number(word: &str) -> Option<u64> {
    let word = word.trim_end_matches(|c: char| !c.is_ascii_digit());
    let page = format!("https://github.com/{REPO}/issues/");
    let reference = match word.split_once('#') {
        Some(("", number)) => number,
        Some((repo, number)) if repo.eq_ignore_ascii_case(REPO) => number,
        Some(_) => return None,
        None => word.strip_prefix(&page)?,
    };
    reference.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keywords_with_issues_of_the_repository_close() {
        for (text, numbers) in [
            ("Fixes #12", vec![12]),
            ("fix: #1. And (resolves acme/shop#2), closed https://github.com/acme/shop/issues/3!", vec![1, 2, 3]),
            ("Fixes #1, #2", vec![1]),
            ("Prefixes #1, see #2, fixes other/repo#3, fixes OPS-12, fixes\n#4", vec![4]),
        ] {
            assert_eq!(closed_by(text), numbers, "{text}");
        }
    }
}
