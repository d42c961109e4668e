#![allow(clippy::unwrap_used)] // a test that fails stops

use proptest::prelude::*;

use super::*;

/// `path:line` of every frame.
fn told(text: &str) -> Vec<String> {
    frames(text)
        .into_iter()
        .map(|frame| match frame.line {
            Some(line) => format!("{}:{line}", frame.path),
            None => frame.path,
        })
        .collect()
}

#[test]
fn one_frame_of_every_language() {
    for (line, expected) in [
        (r#"  File "/app/shop/cart.py", line 42, in total"#, "/app/shop/cart.py:42"),
        (r#"  File "C:\app\my shop\cart.py", line 42, in total"#, "C:/app/my shop/cart.py:42"),
        ("\tat com.acme.shop.Cart.total(Cart.java:42)", "com/acme/shop/Cart.java:42"),
        ("\tat com.acme.shop.Cart$1.run(Cart.java:42) ~[shop.jar!/:1.0]", "com/acme/shop/Cart.java:42"),
        ("\tat com.acme.shop.Cart.lambda$total$0(Cart.java:42)", "com/acme/shop/Cart.java:42"),
        ("\tat com.acme.shop.Cart.<init>(Cart.java)", "com/acme/shop/Cart.java"),
        ("\tat shop@1.2/com.acme.shop.Cart.total(Cart.java:42)", "com/acme/shop/Cart.java:42"),
        ("\tat app//com.acme.shop.CartKt.main-impl(Cart.kt:42)", "com/acme/shop/Cart.kt:42"),
        ("\tat com.acme.shop.Cart$.$anonfun$total$1(Cart.scala:42)", "com/acme/shop/Cart.scala:42"),
        ("\tat Main.main(Main.java:3)", "Main.java:3"),
        ("    at total (/app/src/cart.ts:42:7)", "/app/src/cart.ts:42"),
        ("    at async Cart.total (/app/src/cart.ts:42:7) {", "/app/src/cart.ts:42"),
        ("    at /app/x.js:1:2", "/app/x.js:1"),
        ("    at total (/Users/Jo Doe/shop/cart.js:42:7)", "/Users/Jo Doe/shop/cart.js:42"),
        ("    at total (webpack://shop/./src/cart.ts:42:7)", "src/cart.ts:42"),
        ("    at total (webpack:///src/cart.ts?ab12:42:7)", "src/cart.ts:42"),
        ("    at total (webpack://shop/src/cart.ts:42:7)", "src/cart.ts:42"),
        ("    at total (webpack-internal:///(rsc)/./src/cart.ts:42:7)", "src/cart.ts:42"),
        ("    at Page (/app/(shop)/pages/[id].tsx:42:7)", "/app/(shop)/pages/[id].tsx:42"),
        ("    at file:///app/cart.mjs:42:7", "/app/cart.mjs:42"),
        ("    at file:///C:/app/cart.mjs:42:7", "C:/app/cart.mjs:42"),
        ("    at https://shop.example/static/cart.js:42:7", "/static/cart.js:42"),
        ("total@https://shop.example/static/cart.js:42:7", "/static/cart.js:42"),
        ("\t/srv/shop/cart.go:42 +0x1d", "/srv/shop/cart.go:42"),
        ("        /srv/shop/cart.go:42", "/srv/shop/cart.go:42"),
        ("             at ./src/cart.rs:42:9", "src/cart.rs:42"),
        ("thread 'main' panicked at src/cart.rs:42:9:", "src/cart.rs:42"),
        ("thread 'main' panicked at 'no cart', src/cart.rs:42:9", "src/cart.rs:42"),
        ("/app/cart.rb:42:in 'total'", "/app/cart.rb:42"),
        ("\tfrom /app/cart.rb:42:in `total'", "/app/cart.rb:42"),
        ("PHP Warning:  no cart in /var/www/cart.php on line 42", "/var/www/cart.php:42"),
        ("PHP Fatal error:  Uncaught Error: no cart in /var/www/cart.php:42", "/var/www/cart.php:42"),
        ("#0 /var/www/cart.php(42): Cart->total()", "/var/www/cart.php:42"),
        ("   at Shop.Cart.Total() in /src/Cart.cs:line 42", "/src/Cart.cs:42"),
        (r"   at Shop.Cart.Total(String in) in C:\src\my shop\Cart.cs:line 42", "C:/src/my shop/Cart.cs:42"),
        (r"C:\src\Cart.cs:line 42", "C:/src/Cart.cs:42"),
        ("#1  0x00005555 in total (cart=0x0) at /src/cart.cpp:42", "/src/cart.cpp:42"),
        ("    #1 0x4f1d in total(Cart*) /src/cart.cpp:42:7", "/src/cart.cpp:42"),
        ("shop: ../src/cart.cpp:42: int total(Cart*): Assertion `cart' failed.", "src/cart.cpp:42"),
        ("    (shop 0.1.0) lib/cart.ex:42: Shop.Cart.total/1", "lib/cart.ex:42"),
        ("Cart is empty at /app/cart.pl line 42.", "/app/cart.pl:42"),
        ("Cart is empty at cart.pl line 42.", "cart.pl:42"),
        (r#"  [{cart,total,1,[{file,"src/cart.erl"},{line,42}]}]"#, "src/cart.erl:42"),
        ("/app/run.sh: line 42: total: command not found", "/app/run.sh:42"),
        ("E0512 10:00:00.123456   12345 cart.go:42] no cart", "cart.go:42"),
        ("2024-05-01 10:00:00 ERROR [Cart.java:42] no cart", "Cart.java:42"),
        (r#"{"level":"error","caller":"shop/cart.go:42","msg":"no cart"}"#, "shop/cart.go:42"),
        ("Fatal error: Unexpectedly found nil: file /src/Cart.swift, line 42", ""),
    ] {
        assert_eq!(told(line).join(" "), expected, "{line}");
        assert_eq!(told(&format!("web-1  | {line}\nnext")).join(" "), expected, "behind a prefix: {line}");
        assert_eq!(
            told(&format!("2024-05-01T10:00:00.123456789Z stderr F {line}\r\n")).join(" "),
            expected,
            "behind a prefix: {line}"
        );
    }
}

#[test]
fn hosts_versions_and_routine_are_no_frames() {
    for line in [
        "dial tcp db.acme.rs:5432: connection refused",
        "GET https://api.acme.rs:8443/cart",
        "pulled node.js:18-alpine",
        "using cart.rb:1.2.3",
        "built shop/cart.go:1.2",
        "I0512 10:00:00.123456   12345 cart.go:42] all well",
        r#"{"level":"info","caller":"shop/cart.go:42","msg":"all well"}"#,
        "    at <anonymous>",
        "\tat com.acme.Cart.total(Unknown Source)",
        "\tat com.acme.Cart.total(Native Method)",
        r#"  File "<string>", line 1, in <module>"#,
        "called total.c(3 items)",
        "2024-05-01 10:00:00 ERROR no cart",
        "",
    ] {
        assert_eq!(told(line), [""; 0], "{line}");
    }
}

#[test]
fn the_innermost_frame_of_the_application_comes_first() {
    let python = "Traceback (most recent call last):\n  File \"/app/web.py\", line 7, in handle\n    total(cart)\n  File \"/app/shop/cart.py\", line 42, in total\n    return json.loads(cart)\n           ^^^^^^^^^^^^^^^^\n  File \"/usr/lib/python3.11/json/__init__.py\", line 346, in loads\n    return x\n  File \"/venv/lib/python3.11/site-packages/orjson/a.py\", line 3, in loads\nValueError: no cart";
    assert_eq!(
        told(python),
        [
            "/app/shop/cart.py:42",
            "/app/web.py:7",
            "/venv/lib/python3.11/site-packages/orjson/a.py:3",
            "/usr/lib/python3.11/json/__init__.py:346"
        ]
    );
    let java = "java.lang.NullPointerException: no cart\n\tat java.base/java.util.Objects.requireNonNull(Objects.java:233)\n\tat com.acme.shop.Cart.total(Cart.java:42)\n\tat com.acme.web.Handler.handle(Handler.java:7)\n\tat org.springframework.web.Dispatcher.go(Dispatcher.java:1)";
    assert_eq!(
        told(java),
        [
            "com/acme/shop/Cart.java:42",
            "com/acme/web/Handler.java:7",
            "java/util/Objects.java:233",
            "org/springframework/web/Dispatcher.java:1"
        ]
    );
    let node = "TypeError: no cart\n    at JSON.parse (<anonymous>)\n    at total (/app/node_modules/money/index.js:3:4)\n    at total (/app/src/cart.ts:42:7)\n    at node:internal/main/run_main_module:23:47";
    assert_eq!(
        told(node),
        ["/app/src/cart.ts:42", "/app/node_modules/money/index.js:3", "node:internal/main/run_main_module:23"]
    );
    let go = "panic: no cart\n\ngoroutine 1 [running]:\nruntime.gopanic(...)\n\t/usr/local/go/src/runtime/panic.go:884 +0x1\nshop.total(0x0)\n\t/srv/shop/cart.go:42 +0x1d\nmain.main()\n\t/srv/shop/main.go:7 +0x2\nnet/http.serve()\n\tnet/http/server.go:9 +0x5\ncreated by x\n\t/root/go/pkg/mod/github.com/a/b@v1.2.3/c.go:1 +0x3";
    assert_eq!(
        told(go),
        [
            "/srv/shop/cart.go:42",
            "/srv/shop/main.go:7",
            "/usr/local/go/src/runtime/panic.go:884",
            "net/http/server.go:9",
            "/root/go/pkg/mod/github.com/a/b@v1.2.3/c.go:1"
        ]
    );
    let rust = "thread 'main' panicked at src/cart.rs:42:9:\nno cart\nstack backtrace:\n   0: rust_begin_unwind\n             at /rustc/abc/library/std/src/panicking.rs:645:5\n   1: shop::cart::total\n             at ./src/cart.rs:42:9\n   2: shop::main\n             at ./src/main.rs:7:5";
    assert_eq!(told(rust), ["src/cart.rs:42", "src/main.rs:7", "/rustc/abc/library/std/src/panicking.rs:645"]);
    let elixir = "** (KeyError) no cart\n    (elixir 1.16.0) lib/map.ex:5: Map.fetch!/2\n    (phoenix_live_view 0.20.0) lib/phoenix/live.ex:6: P.go/1\n    (shop 0.1.0) lib/cart.ex:42: Shop.Cart.total/1";
    assert_eq!(told(elixir), ["lib/cart.ex:42", "lib/map.ex:5", "lib/phoenix/live.ex:6"]);
    let dotnet = "   at System.Linq.Enumerable.First() in /_/src/System.Linq/First.cs:line 5\n   at Shop.Cart.Total() in /src/Cart.cs:line 42";
    assert_eq!(told(dotnet), ["/src/Cart.cs:42", "/_/src/System.Linq/First.cs:5"]);
}

#[test]
fn ruby_prints_both_ways() {
    let old = "Traceback (most recent call last):\n\t2: from /app/web.rb:9:in `<main>'\n\t1: from /app/web.rb:6:in `handle'\n/app/cart.rb:42:in `total': no cart (RuntimeError)";
    assert_eq!(told(old), ["/app/cart.rb:42", "/app/web.rb:6", "/app/web.rb:9"]);
    let new = "/usr/lib/ruby/3.2.0/json.rb:3:in 'parse': no cart (RuntimeError)\n\tfrom /app/cart.rb:42:in 'total'\n\tfrom /app/web.rb:9:in '<main>'\n/app/vendor/bundle/gems/puma-6/server.rb:1:in 'x'";
    assert_eq!(
        told(new),
        [
            "/app/cart.rb:42",
            "/app/web.rb:9",
            "/usr/lib/ruby/3.2.0/json.rb:3",
            "/app/vendor/bundle/gems/puma-6/server.rb:1"
        ]
    );
}

#[test]
fn a_cause_comes_before_what_it_caused() {
    let java = "a.Outer: x\n\tat com.acme.Outer.go(Outer.java:1)\n\t... 3 more\n\tSuppressed: a.B: z\n\t\tat com.acme.Closer.close(Closer.java:9)\nCaused by: a.Middle: y\n of two lines\n\tat com.acme.Middle.go(Middle.java:2)\n\t... 5 more\nCaused by: a.Inner: z\n\tat com.acme.Inner.go(Inner.java:3)\n\t... 6 more\n2024-05-01 10:00:00 ERROR next\na.Other: x\n\tat com.acme.Other.go(Other.java:4)\nCaused by: a.Last: z\n\tat com.acme.Last.go(Last.java:5)";
    assert_eq!(
        told(java),
        [
            "com/acme/Inner.java:3",
            "com/acme/Middle.java:2",
            "com/acme/Outer.java:1",
            "com/acme/Closer.java:9",
            "com/acme/Last.java:5",
            "com/acme/Other.java:4"
        ]
    );
    let node = "Error: outer\n    at f (/app/a.js:1:2) {\n  [cause]: Error: inner\n      at g (/app/b.js:3:4)\n}";
    assert_eq!(told(node), ["/app/b.js:3", "/app/a.js:1"]);
    let python = "Traceback (most recent call last):\n  File \"/app/a.py\", line 1, in a\n  File \"/app/b.py\", line 2, in b\nKeyError: 'x'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"/app/c.py\", line 3, in c\n  File \"/app/d.py\", line 4, in d\nValueError: y";
    assert_eq!(told(python), ["/app/b.py:2", "/app/a.py:1", "/app/d.py:4", "/app/c.py:3"]);
}

#[test]
fn a_trace_within_a_structured_record_is_read() {
    let json = r#"{"level":"error","msg":"no cart","stack":"Error: no cart\n    at total (/app/src/cart.ts:42:7)\n    at main (/app/src/main.ts:7:1)"}"#;
    assert_eq!(told(json), ["/app/src/cart.ts:42", "/app/src/main.ts:7"]);
    let python = r#"{"exc_info":"Traceback (most recent call last):\n  File \"/app/a.py\", line 1, in a\n    b()\n  File \"/app/b.py\", line 2, in b\nKeyError: 'x'"}"#;
    assert_eq!(told(python), ["/app/b.py:2", "/app/a.py:1"]);
    let dotnet = r#"{"Exception":"System.X: no cart\r\n   at Shop.Cart.Total() in C:\\new\\Cart.cs:line 42\r\n"}"#;
    assert_eq!(told(dotnet), ["C:/new/Cart.cs:42"]);
}

#[test]
fn traces_come_before_places_beside_messages() {
    let text = "E0512 10:00:00.123456   12345 sync.go:7] no cart\nW0512 10:00:00.123456 1 other.go:8] slow\npanic: no cart\n\ngoroutine 1 [running]:\nshop.total(0x0)\n\t/srv/shop/cart.go:42 +0x1d\n";
    assert_eq!(told(text), ["/srv/shop/cart.go:42", "sync.go:7", "other.go:8"]);
}

#[test]
fn a_deep_trace_keeps_its_innermost_frames() {
    let lines: String = (1..=200).map(|line| format!("  File \"/app/a.py\", line {line}, in a\n    a()\n")).collect();
    let python = format!("Traceback (most recent call last):\n{lines}");
    let told = told(&python);
    assert_eq!(told.len(), MAX_FRAMES);
    assert_eq!((told[0].as_str(), told[19].as_str()), ("/app/a.py:200", "/app/a.py:181"));
}

#[test]
fn a_dump_of_threads_prints_the_innermost_frame_first() {
    let dump = "Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n  File \"/app/cart.py\", line 42 in total\n  File \"/app/web.py\", line 7 in handle\n";
    assert_eq!(told(dump), ["/app/cart.py:42", "/app/web.py:7"]);
}

#[test]
fn megabytes_are_read_in_a_moment() {
    let began = std::time::Instant::now();
    let plain = "2024-05-01 10:00:00 INFO handled /cart in 3 ms for 10.0.0.1:5432\n".repeat(80_000);
    assert!(frames(&plain).is_empty());
    let routine: String = (0..40_000).map(|i| format!("I0512 10:00:00.123456 1 cart{i}.go:42] well\n")).collect();
    assert!(frames(&routine).is_empty());
    let libraries = "\tat java.util.List.get(List.java:1)\nsomething else (\n".repeat(40_000);
    assert_eq!(told(&libraries), ["java/util/List.java:1"]);
    for piece in ["a", "a.js:", "(a/", "/a.c", "{\"\\n", "File \"", " in /a ", "at a.b(", "Caused by: \n", ":1.js"] {
        let _ = frames(&piece.repeat(1_000_000 / piece.len()));
        let _ = frames(&format!("{}a.js:1", piece.repeat(1_000_000 / piece.len())));
    }
    // Seconds where it takes a fraction of one: the machine that runs the tests may be busy.
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = frames(&text);
    }

    #[test]
    fn no_text_made_of_pieces_of_traces_makes_it_panic(
        text in "(File \"|\", line |/app/|cart|\\.py|\\.java|\\.js|\\.cs|:line |:|42|\\(|\\)|\n|\\\\|\\\\n|\t|at | in | on line |é|webpack://|https:|//|\\./|@|Caused by: |\\[cause\\]: |most recent call|Suppressed: |from |#0 |\\{\"|:in |\\[|\\]|\\?){0,30}"
    ) {
        let found = frames(&text);
        prop_assert!(found.len() <= MAX_FRAMES);
        prop_assert!(found.iter().all(|frame| !frame.path.is_empty() && frame.line != Some(0)));
        let distinct: HashSet<_> = found.iter().collect();
        prop_assert_eq!(distinct.len(), found.len());
    }
}
