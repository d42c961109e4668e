#![allow(clippy::unwrap_used)] // a test that fails stops

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

mod zips;

const LINE: &str = "2026-03-01T10:00:00Z ERROR connection refused\n";

fn text(name: &str, bytes: &[u8]) -> String {
    unpack(name, bytes).unwrap().text
}

fn refusal(name: &str, bytes: &[u8]) -> String {
    unpack(name, bytes).unwrap_err().to_string()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Gzip of `block`, so and so many times.
fn gz_of_many(block: &[u8], times: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..times {
        encoder.write_all(block).unwrap();
    }
    encoder.finish().unwrap()
}

fn zip_with(entries: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        if name.ends_with('/') {
            writer.add_directory(*name, options).unwrap();
        } else {
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(entries, SimpleFileOptions::default())
}

fn position(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|window| window == what).unwrap()
}

/// A small generator, the same numbers every time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

#[test]
fn names_tell_what_is_worth_fetching() {
    let logs = "app.log app.txt a.json a.JSONL a.ndjson x.out x.err x.csv x.log.gz x.zip x.log.1 x.log.2026-03-01 messages \
                x.unheard-of a.tar.gz a.zst v1.png/app .bashrc syslog.";
    for name in logs.split(' ').chain([""]) {
        assert!(may_hold_logs(name), "{name}");
    }
    for name in ["a.png", "a.JPG", "screen shot.jpeg", "a.pdf", "a.mp4", "a.docx", "logs/a.xlsx", "a.b.exe"] {
        assert!(!may_hold_logs(name), "{name}");
    }
}

#[test]
fn text_is_read_in_the_ways_it_is_written() {
    assert_eq!(text("a.log", LINE.as_bytes()), LINE);
    assert_eq!(text("a.log", b"\xef\xbb\xbfERROR gr\xc3\xbcn"), "ERROR grün");
    assert_eq!(text("a.log", b"ERROR gr\xfcn"), "ERROR gr\u{fffd}n");
    let windows = "FEHLER: Zugriff verweigert \u{1f980} grün\r\n".repeat(5_000);
    for (mark, bytes) in [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)] {
        let bytes: Vec<u8> = mark.into_iter().chain(windows.encode_utf16().flat_map(bytes)).collect();
        assert_eq!(text("a.log", &bytes), windows);
        assert_eq!(text("a.log", &gz(&bytes)), windows);
        let cut = text("a.log", &bytes[..bytes.len() - 1]);
        assert!(cut.ends_with("\r\u{fffd}"), "{:?}", &cut[cut.len() - 9..]);
    }
}

#[test]
fn decoding_a_buffer_at_a_time_is_decoding_at_once() {
    let mut numbers = Numbers(7);
    for round in 0..50 {
        let mut bytes = Vec::new();
        while bytes.len() < 200_000 {
            match numbers.below(4) {
                0 => bytes.extend("ERROR \u{1f980}".as_bytes()),
                1 => bytes.extend("é€".as_bytes()),
                2 => bytes.push(0xe2),
                _ => bytes.extend(vec![b'x'; numbers.below(40)]),
            }
        }
        bytes.truncate(131_072 + round % 5);
        bytes[0] = b'x';
        assert_eq!(text("a.log", &bytes), String::from_utf8_lossy(&bytes));
        bytes[..2].copy_from_slice(&[0xff, 0xfe]);
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
        let odd = if bytes.len() % 2 == 1 { "\u{fffd}" } else { "" };
        assert_eq!(text("a.log", &bytes), String::from_utf16_lossy(&units) + odd);
    }
}

#[test]
fn content_says_what_a_file_is_and_not_its_name() {
    assert_eq!(text("a.log", &gz(LINE.as_bytes())), LINE);
    assert_eq!(text("a.log.gz", LINE.as_bytes()), LINE);
    assert_eq!(text("a.gz", &zipped(&[("b.log", LINE.as_bytes())])), LINE);
    assert_eq!(text("a.zip", LINE.as_bytes()), LINE);
}

#[test]
fn all_members_of_a_gzip_are_read_and_a_cut_one_as_far_as_it_goes() {
    let two = [gz(b"one\n"), gz(b"two\n")].concat();
    assert_eq!(unpack("a.gz", &two).unwrap(), Unpacked { text: "one\ntwo\n".into(), notes: vec![] });

    let mut numbers = Numbers(3);
    let long: String = (0..20_000).map(|_| format!("{} ERROR x\n", numbers.next())).collect();
    let whole = gz(long.as_bytes());
    let cut = unpack("a.gz", &whole[..whole.len() / 2]).unwrap();
    assert!(long.starts_with(&cut.text) && cut.text.len() > 1_000);
    assert_eq!(cut.notes, ["a.gz is cut off: what came before was read"]);

    let garbage = [gz(b"one\n"), b"what is this".to_vec()].concat();
    let damaged = unpack("a.gz", &garbage).unwrap();
    assert_eq!(damaged.text, "one\n");
    assert_eq!(damaged.notes, ["a.gz is damaged: only what stands before the damage was read"]);

    let said = refusal("a.gz", &whole[..11]);
    assert_eq!(said, "a.gz holds no text that can be read: a.gz is cut off: what came before was read");
}

#[test]
fn what_is_no_text_is_refused_in_words() {
    assert_eq!(refusal("a.log", b""), "a.log is empty: not one byte of it arrived; drop it again");
    assert_eq!(refusal("a.log", b" \r\n"), "a.log holds no text that can be read: nothing but blanks is in it");
    assert_eq!(refusal("a.gz", &gz(b"")), "a.gz holds no text that can be read: nothing but blanks is in it");
    let picture = b"\x89PNG\r\n\x1a\n and so on";
    assert_eq!(refusal("a.log", picture), "a.log is no log: it is a picture; drop the log as text, .gz or .zip");
    assert!(refusal("core", &[0; 100]).contains("a binary file"));
    assert!(refusal("core.gz", &gz(&[0; 100])).contains("compressed, and inside it is a binary file"));
    assert!(refusal("a.log", &[b"\xff\xfe".as_slice(), &[0; 100]].concat()).contains("a binary file"));
    assert!(refusal("a.zst", b"\x28\xb5\x2f\xfd\0\0").contains("compressed with zstd, which is not read here"));
    assert!(refusal("a.gz", &gz(&gz(b"x"))).contains("a.gz holds another archive: unpack it once"));
    assert!(refusal("a.gz", &gz(&zipped(&[("x", b"x")]))).contains("a.gz holds another archive"));
    assert!(refusal("a.docx", &zipped(&[("word/document.xml", b"<w/>")])).contains("a document or a program"));
    let mut tar = vec![b'x'; 600];
    tar[257..262].copy_from_slice(b"ustar");
    assert!(refusal("a.tar.gz", &gz(&tar)).contains("inside it is a tar archive"));
    assert!(refusal("a.zip", b"PK\x03\x04 and nothing more").contains("a zip that is damaged or not complete"));
    let empty = zipped(&[]);
    assert_eq!(refusal("a.zip", &empty), "a.zip holds no text that can be read: nothing but blanks is in it");
}

#[test]
fn a_web_page_is_not_the_file() {
    let said =
        "a.log: the platform answered with a web page instead of the file: does the app have the right to read files?";
    assert_eq!(refusal("a.log", b"<!DOCTYPE html><html lang=en>"), said);
    assert_eq!(refusal("a.log", b"\xef\xbb\xbf\n <HTML><body>"), said);
    assert!(refusal("a.gz", b"<html>").contains("a web page instead"));
    assert_eq!(text("page.HTML", b"<html>500</html>"), "<html>500</html>");
    assert_eq!(text("a.log", b"<htm"), "<htm");
    assert_eq!(text("a.log", b"GET / <html>"), "GET / <html>");
}

#[test]
fn a_file_that_is_too_large_is_refused_before_it_is_looked_at() {
    let bytes = vec![b'x'; usize::try_from(MAX_FILE).unwrap() + 1];
    assert_eq!(
        refusal("app.log", &bytes),
        "app.log has 21 MiB, and files of up to 20 MiB are read: cut out the part around the failure, e.g. \
         `tail -n 100000 app.log > part.log`, or compress it with gzip"
    );
    assert_eq!(text("app.log", &bytes[1..]).len(), bytes.len() - 1);
}

#[test]
fn bombs_are_refused_in_words_and_soon() {
    let began = Instant::now();
    let zeros = gz_of_many(&vec![0; 1 << 20], 1_024);
    assert!(zeros.len() < 8 << 20);
    let packed = began.elapsed();
    let began = Instant::now();
    assert!(refusal("app.log.gz", &zeros).contains("compressed, and inside it is a binary file"));
    assert!(began.elapsed() < Duration::from_secs(1), "a gibibyte of zeros is not unpacked (packing took {packed:?})");

    let lines = gz_of_many(LINE.repeat(1_000).as_bytes(), 1_500);
    let said = "app.log.gz holds more than 64 MiB of text unpacked (a decompression bomb, or simply too long): cut out the \
                part around the failure, e.g. `zcat app.log.gz | tail -n 100000`";
    assert_eq!(refusal("app.log.gz", &lines), said);
    // A gibibyte in many members, each of which is small.
    let members = gz(LINE.repeat(1_000).as_bytes()).repeat(24_000);
    assert_eq!(refusal("app.log.gz", &members), said);

    let as_zip = said.replace("app.log.gz", "logs.zip").replace("zcat", "unzip -p");
    assert_eq!(refusal("logs.zip", &zipped(&[("app.log.gz", &lines)])), as_zip);
    // No entry is too long, all together are.
    let part = LINE.repeat(30 * 22_000);
    let parts: Vec<(&str, &[u8])> = ["a", "b", "c", "d"].map(|name| (name, part.as_bytes())).into();
    assert_eq!(unpack("logs.zip", &zipped(&parts[..2])).unwrap().text.len(), 2 * part.len());
    assert_eq!(refusal("logs.zip", &zipped(&parts)), as_zip);
    // What is compressed twice, so that it is small outside and holds nothing inside: in many members, or in one.
    let nothing = [gz(b"one\n"), gz(b"").repeat(500_000), gz(b"last\n")].concat();
    let many = unpack("a.gz", &nothing).unwrap();
    assert_eq!(many.text, "one\n");
    assert_eq!(many.notes, ["a.gz is made of too many parts: only the first ones were read"]);
    let names: Vec<String> = (0..8).map(|number| format!("{number}.gz")).collect();
    let twice: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), nothing.as_slice())).collect();
    assert_eq!(unpack("logs.zip", &zipped(&twice)).unwrap().text, "one\n".repeat(8));
    let mut stored = GzEncoder::new(Vec::new(), Compression::none());
    stored.write_all(&vec![b'x'; 21 << 20]).unwrap();
    assert_eq!(refusal("logs.zip", &zipped(&[("a.gz", &stored.finish().unwrap())])), as_zip);
}

#[test]
fn exactly_as_much_text_as_may_be_is_read() {
    let whole = vec![b'x'; MAX_TEXT];
    assert_eq!(text("a.gz", &gz(&whole)).len(), MAX_TEXT);
    assert!(unpack("a.gz", &[gz(&whole), gz(b"x")].concat()).is_err());
    let read = unpack("a.gz", &gz(&whole)).unwrap();
    assert_eq!(read.text.capacity(), MAX_TEXT);
}

#[test]
fn no_bytes_make_it_panic() {
    let mut numbers = Numbers(42);
    let log = LINE.repeat(50);
    let seeds = [
        gz(log.as_bytes()),
        zipped(&[("a.log", log.as_bytes()), ("b.log.gz", &gz(log.as_bytes())), ("c/", b""), ("d.png", b"x")]),
        log.into_bytes(),
        b"\xff\xfeE\0R\0R\0".to_vec(),
        Vec::new(),
    ];
    for _ in 0..20_000 {
        let mut bytes = seeds[numbers.below(seeds.len())].clone();
        for _ in 0..numbers.below(6) {
            match numbers.below(4) {
                0 if !bytes.is_empty() => {
                    let at = numbers.below(bytes.len());
                    bytes[at] = numbers.next().to_le_bytes()[0];
                }
                1 => bytes.truncate(numbers.below(bytes.len() + 1)),
                2 => {
                    let at = numbers.below(bytes.len() + 1);
                    let length = numbers.below(40);
                    let inserted = numbers.bytes(length);
                    bytes.splice(at..at, inserted);
                }
                _ => {
                    let length = numbers.below(300);
                    bytes.extend(numbers.bytes(length));
                }
            }
        }
        let name = String::from_utf8_lossy(&numbers.bytes(12)).into_owned();
        let _ = may_hold_logs(&name); // that it does not panic
        match unpack(&name, &bytes) {
            Ok(read) => assert!(!read.text.is_empty() && read.notes.len() <= NOTES + 1),
            Err(Unreadable(why)) => assert!(!why.is_empty()),
        }
    }
}

#[test]
fn a_name_is_shown_on_one_line_and_never_runs_in_a_shell() {
    assert_eq!(shown("a\nb\u{202e}.log"), "ab.log");
    assert_eq!(shown("\0"), "the file");
    assert_eq!(shown(&"x".repeat(200)).chars().count(), NAME);
    assert_eq!(command("app.log.gz", "zcat FILE"), "zcat app.log.gz");
    for name in ["$(reboot).gz", "`id`.gz", "a b.gz", "-n", "a;b", "", "ü.gz"] {
        assert_eq!(command(name, "zcat FILE"), "zcat FILE", "{name}");
    }
}
