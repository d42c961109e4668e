//! From a path in a stack trace to a path in the repository.

/// Shorter ends of a path that are asked for when there is no list of files.
const GUESSES: usize = 4;
/// Parts of a path that are looked at.
const PARTS: usize = 40;

/// Folders of what others wrote, wherever they are.
const FOREIGN_FOLDERS: [&str; 7] =
    ["site-packages", "dist-packages", "node_modules", "vendor", "bower_components", ".cargo", ".m2"];
/// What paths of others begin with, slashes at their beginning aside.
const FOREIGN_ROOTS: [&str; 22] = [
    "usr/lib/",
    "usr/local/lib/",
    "usr/local/go/",
    "usr/share/",
    "lib/python",
    "rustc/",
    "java/",
    "javax/",
    "jakarta/",
    "jdk/",
    "sun/",
    "com/sun/",
    "java.base/",
    "kotlin/",
    "kotlinx/",
    "scala/",
    "org/springframework/",
    "org/apache/",
    "node:",
    "internal/modules/",
    "internal/process/",
    "<",
];
/// Folders of what others wrote, several levels of them.
const FOREIGN_PLACES: [&str; 3] = ["cargo/registry/", "go/pkg/mod/", "gems/"];

/// Where a path of a stack trace may be in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A rule says where.
    Known(String),
    /// One of these ends of it, longest first.
    Searched {
        /// The ends.
        ends: Vec<String>,
        /// Whether the first one begins at the root of a machine, where no repository begins.
        is_whole: bool,
    },
    /// Not there: it is what others wrote, or no path.
    Elsewhere,
}

/// Where a path may be; `rules` are those of the settings.
#[must_use]
pub fn place(path: &str, rules: &[(String, String)]) -> Place {
    let path = path.trim().replace('\\', "/");
    let mapped =
        rules.iter().find_map(|(prefix, instead)| Some(format!("{instead}{}", path.strip_prefix(prefix.as_str())?)));
    let is_known = mapped.is_some();
    let path = mapped.unwrap_or(path);
    if is_foreign(&path) {
        return Place::Elsewhere;
    }
    let local = path.split_once("://").map_or(path.as_str(), |(_, rest)| rest);
    let parts: Vec<&str> = local.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if is_known {
        let stays = !parts.is_empty() && !parts.contains(&"..");
        return if stays { Place::Known(parts.join("/")) } else { Place::Elsewhere };
    }
    // What is before a step up is not known.
    let inside = parts.rsplit(|part| *part == "..").next().unwrap_or_default();
    let inside = &inside[inside.len().saturating_sub(PARTS)..];
    let ends: Vec<String> = (0..inside.len()).map(|from| inside[from..].join("/")).collect();
    let is_whole = local.starts_with('/') && inside.len() == parts.len();
    if ends.is_empty() { Place::Elsewhere } else { Place::Searched { ends, is_whole } }
}

fn is_foreign(path: &str) -> bool {
    let bare = path.trim_start_matches('/');
    FOREIGN_ROOTS.iter().any(|root| bare.starts_with(root))
        || FOREIGN_PLACES.iter().any(|place| path.contains(place))
        || path.split('/').any(|part| FOREIGN_FOLDERS.contains(&part))
}

/// The files of a repository.
#[derive(Debug, Default)]
pub struct Tree {
    files: Vec<String>,
}

impl Tree {
    /// Of these files.
    #[must_use]
    pub fn new(files: Vec<String>) -> Self {
        Self { files }
    }

    /// The file that the longest of these ends names, if it names only one: of two, each could be meant.
    #[must_use]
    pub fn find(&self, ends: &[String]) -> Option<&str> {
        let last = ends.last()?;
        let near: Vec<&str> = self.files.iter().map(String::as_str).filter(|file| names(last, file)).collect();
        for end in ends {
            let mut named = near.iter().filter(|file| names(end, file));
            match (named.next(), named.next()) {
                (Some(only), None) => return Some(only),
                (Some(_), Some(_)) => return None,
                (None, _) => {}
            }
        }
        None
    }
}

/// Whether this is the end of the path of a file.
fn names(end: &str, file: &str) -> bool {
    file.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// The ends that are asked for one by one, when there is no list of files: programs run a few folders below the root.
#[must_use]
pub fn guesses(ends: &[String], is_whole: bool) -> &[String] {
    let from = usize::from(is_whole && ends.len() > 1);
    &ends[from..ends.len().min(from + GUESSES)]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test that fails stops

    use proptest::prelude::*;

    use super::*;

    fn ends(path: &str) -> Vec<String> {
        match place(path, &[]) {
            Place::Searched { ends, .. } => ends,
            other => panic!("{path}: {other:?}"),
        }
    }

    fn tree() -> Tree {
        let files =
            ["shop/cart.py", "shop/api/main.py", "admin/main.py", "src/main/java/com/acme/Cart.java", "main.go"];
        Tree::new(files.map(str::to_owned).to_vec())
    }

    #[test]
    fn the_first_rule_that_fits_says_where() {
        let rules = [("/app/", ""), ("/srv/shop/", "services/shop/"), ("/srv/", "x/")];
        let rules = rules.map(|(a, b)| (a.to_owned(), b.to_owned()));
        let known = |path: &str| match place(path, &rules) {
            Place::Known(path) => path,
            other => format!("{other:?}"),
        };
        assert_eq!(known("/app/shop/cart.py"), "shop/cart.py");
        assert_eq!(known("/srv/shop/a.py"), "services/shop/a.py");
        assert_eq!(known("/srv/b.py"), "x/b.py");
        assert_eq!(known("/app/../etc/passwd"), "Elsewhere");
        assert_eq!(known("/app/node_modules/x/y.js"), "Elsewhere");
        assert!(matches!(place("/opt/x.py", &rules), Place::Searched { .. }));
    }

    #[test]
    fn the_longest_end_that_names_one_file_is_it() {
        let found = |path: &str| tree().find(&ends(path)).map(str::to_owned);
        assert_eq!(found("/app/shop/cart.py").as_deref(), Some("shop/cart.py"));
        assert_eq!(found("/app/cart.py").as_deref(), Some("shop/cart.py"));
        assert_eq!(found("com/acme/Cart.java").as_deref(), Some("src/main/java/com/acme/Cart.java"));
        assert_eq!(found("C:\\build\\admin\\main.py").as_deref(), Some("admin/main.py"));
        assert_eq!(found("webpack:///../shop/api/./main.py").as_deref(), Some("shop/api/main.py"));
        assert_eq!(found("/app/main.py"), None, "there are two");
        assert_eq!(found("/app/art.py"), None, "an end of a name is no name");
        assert_eq!(found("/app/other.py"), None);
    }

    #[test]
    fn what_others_wrote_is_skipped() {
        for path in [
            "/usr/lib/python3.12/json/decoder.py",
            "/app/.venv/lib/python3.12/site-packages/flask/app.py",
            "/app/node_modules/express/lib/router.js",
            "/home/me/.cargo/registry/src/tokio-1/src/lib.rs",
            "/go/pkg/mod/github.com/x/y@v1/z.go",
            "vendor/x/y.go",
            "java/util/ArrayList.java",
            "node:internal/timers",
            "<frozen importlib._bootstrap>",
            "",
            "../..",
        ] {
            assert_eq!(place(path, &[]), Place::Elsewhere, "{path}");
        }
    }

    #[test]
    fn few_ends_are_asked_for() {
        let guessed = |path: &str| guesses(&ends(path), path.starts_with('/')).to_vec();
        assert_eq!(guessed("/a/b/c/d/e/f.py"), ["b/c/d/e/f.py", "c/d/e/f.py", "d/e/f.py", "e/f.py"]);
        assert_eq!(guessed("a/f.py"), ["a/f.py", "f.py"]);
        assert_eq!(guessed("/f.py"), ["f.py"]);
    }

    proptest! {
        #[test]
        fn no_path_leaves_the_repository(path in "[a./\\\\:]{0,30}", instead in "[a/]{0,3}") {
            let rules = [("a".to_owned(), instead)];
            let places = match place(&path, &rules) {
                Place::Known(path) => vec![path],
                Place::Searched { ends, .. } => ends,
                Place::Elsewhere => Vec::new(),
            };
            for place in places {
                prop_assert!(!place.starts_with('/') && !place.split('/').any(|part| part == ".." || part.is_empty()));
            }
        }
    }
}
