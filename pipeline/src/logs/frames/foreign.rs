//! What belongs to a language's own library or to a dependency: nobody there looks after the application.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// Pieces of the paths where languages and their packagers put what others wrote.
const PLACES: [&str; 43] = [
    "site-packages/",
    "dist-packages/",
    "/usr/lib/",
    "/usr/lib64/",
    "/usr/include/",
    "/usr/share/",
    "/usr/src/debug/",
    "/usr/local/lib/",
    "/lib/python",
    "/opt/homebrew/",
    "/usr/local/Cellar/",
    "/hostedtoolcache/",
    "/nix/store/",
    "/build/glibc",
    "compiler-rt/",
    "libsanitizer/",
    "sysdeps/",
    "node_modules/",
    "bower_components/",
    "(webpack)/",
    "webpack/bootstrap",
    "deno.land/",
    "/usr/local/go/",
    "/usr/lib/go",
    "/libexec/src/",
    "pkg/mod/",
    "/.cargo/",
    "/cargo/registry/",
    "/cargo/git/",
    "/rustc/",
    "/.rustup/",
    "library/std/src/",
    "library/core/src/",
    "library/alloc/src/",
    "gems/",
    "lib/ruby/",
    "/.rbenv/",
    "/.pyenv/",
    "/.nvm/",
    "/.asdf/",
    "vendor/",
    "/_/src/",
    "third_party/",
];

/// All of [`PLACES`] at once.
#[allow(clippy::expect_used)] // the patterns are constants, and a test uses them
static SEARCH: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(PLACES).expect("constant patterns of a few hundred bytes"));

/// Beginnings of such paths, where they are not absolute.
const BEGINNINGS: [&str; 7] =
    ["internal/modules/", "internal/process/", "internal/main/", "deps/", "csu/", "package:flutter/", "dart:"];

/// Packages of the Java world that hold no application.
const PACKAGES: [&str; 60] = [
    "akka.",
    "android.",
    "androidx.",
    "ch.qos.logback.",
    "clojure.",
    "com.amazonaws.",
    "com.android.",
    "com.fasterxml.",
    "com.google.common.",
    "com.google.gson.",
    "com.google.inject.",
    "com.google.protobuf.",
    "com.microsoft.sqlserver.",
    "com.mongodb.",
    "com.mysql.",
    "com.netflix.",
    "com.sun.",
    "com.zaxxer.",
    "dalvik.",
    "feign.",
    "groovy.",
    "io.grpc.",
    "io.ktor.",
    "io.lettuce.",
    "io.micrometer.",
    "io.micronaut.",
    "io.netty.",
    "io.opentelemetry.",
    "io.quarkus.",
    "io.reactivex.",
    "io.undertow.",
    "io.vertx.",
    "jakarta.",
    "java.",
    "javax.",
    "jdk.",
    "junit.",
    "kotlin.",
    "kotlinx.",
    "net.bytebuddy.",
    "okhttp3.",
    "oracle.",
    "org.apache.",
    "org.aspectj.",
    "org.codehaus.",
    "org.eclipse.",
    "org.gradle.",
    "org.h2.",
    "org.hibernate.",
    "org.jboss.",
    "org.junit.",
    "org.mongodb.",
    "org.postgresql.",
    "org.slf4j.",
    "org.springframework.",
    "reactor.",
    "redis.clients.",
    "scala.",
    "software.amazon.",
    "sun.",
];

/// Applications that come with Elixir or that many Elixir programs use.
const OF_ELIXIR: [&str; 24] = [
    "absinthe",
    "bandit",
    "broadway",
    "cowboy",
    "db_connection",
    "ecto",
    "elixir",
    "ex_unit",
    "finch",
    "gen_stage",
    "hackney",
    "kernel",
    "logger",
    "mint",
    "mix",
    "myxql",
    "oban",
    "phoenix",
    "plug",
    "postgrex",
    "ranch",
    "stdlib",
    "telemetry",
    "thousand_island",
];

/// Packages of Go's own library that hand on to a program's code; built with `-trimpath`, their paths look like its own.
const OF_GO: [&str; 8] =
    ["runtime/", "reflect/", "net/http/", "net/rpc/", "testing/", "encoding/json/", "database/sql/", "sync/"];

/// Whether the file at `path` is none of the application.
pub fn is_foreign(path: &str) -> bool {
    SEARCH.find_overlapping_iter(path).any(|found| begins_name(path, found.start()))
        || BEGINNINGS.iter().any(|start| path.starts_with(start))
        || is_of_module(path)
}

/// Whether a name of `path` begins at `at`: `shop-vendor/` is no `vendor/`.
fn begins_name(path: &str, at: usize) -> bool {
    at == 0 || path[at..].starts_with('/') || path[..at].ends_with('/')
}

/// Whether `path` names a module of Go with its version: `github.com/lib/pq@v1.10.9/conn.go`.
fn is_of_module(path: &str) -> bool {
    path.split_once("@v").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether a class of the Java world is none of the application.
pub fn is_foreign_class(class: &str) -> bool {
    PACKAGES.iter().any(|package| class.starts_with(package))
}

/// Whether what stands before a place says that a library is there: .NET's own names, Elixir's applications.
pub fn is_foreign_caller(before: &str) -> bool {
    let application = before.trim_end().strip_suffix(')').and_then(|rest| rest.rsplit_once('(')).map(|(_, name)| name);
    let of_elixir = application.and_then(|name| name.split_once(' ')).is_some_and(|(name, version)| {
        let name_of_family = name.split_once('_').map_or(name, |(family, _)| family);
        version.starts_with(|c: char| c.is_ascii_digit())
            && (OF_ELIXIR.contains(&name) || OF_ELIXIR.contains(&name_of_family))
    });
    of_elixir || ["at System.", "at Microsoft.", " in __"].iter().any(|name| before.contains(name))
}

/// Whether `path` is a file of Go's own library.
pub fn is_of_go(path: &str) -> bool {
    OF_GO.iter().any(|package| path.starts_with(package))
}
