use zip::unstable::write::FileOptionsExt;

use super::*;

#[test]
fn files_of_a_zip_are_joined_in_the_order_of_their_names() {
    let bytes = zipped(&[
        ("logs/", b""),
        ("logs/b.log", b"second\n"),
        ("logs/a.log", b"first"),
        ("c.log.gz", &gz(b"third")),
        ("../../etc/passwd", b"zeroth"),
        ("__MACOSX/logs/._a.log", b"\0\0\0\x05"),
        ("logs/.hidden", b"hidden"),
        ("./d.log", b"before"),
        ("empty.log", b""),
    ]);
    let read = unpack("logs.zip", &bytes).unwrap();
    assert_eq!(read.text, "zeroth\nbefore\nthird\nfirst\nsecond\n");
    assert_eq!(read.notes, Vec::<String>::new());
    let stored = zip_with(
        &[("a.log", LINE.as_bytes())],
        SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored),
    );
    assert_eq!(text("a.zip", &stored), LINE);
}

#[test]
fn what_a_zip_holds_besides_logs_is_named() {
    let bytes = zipped(&[
        ("a.log", LINE.as_bytes()),
        ("b.png", b"whatever"),
        ("core", &[0; 100]),
        ("inner.zip", &zipped(&[("x.log", b"x")])),
        ("twice.gz", &gz(&gz(b"x"))),
        ("\u{202e}gpj.evil\n.exe", b"x"),
    ]);
    let read = unpack("logs.zip", &bytes).unwrap();
    assert_eq!(read.text, LINE);
    assert_eq!(
        read.notes,
        [
            "core is no log, it is a binary file: skipped",
            "inner.zip is a zip in a zip: skipped; unpack it and drop what is in it",
            "twice.gz holds no text, but another archive or a binary file: skipped",
            "b.png is no log: skipped",
            "gpj.evil.exe is no log: skipped",
        ]
    );
    assert_eq!(
        refusal("logs.zip", &zipped(&[("b.png", b"x")])),
        "logs.zip holds no text that can be read: b.png is no log: skipped"
    );
}

#[test]
fn an_entry_with_a_password_is_named() {
    let locked = SimpleFileOptions::default().with_deprecated_encryption(b"secret").unwrap();
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("locked.log", locked).unwrap();
    writer.write_all(LINE.as_bytes()).unwrap();
    writer.start_file("open.log", SimpleFileOptions::default()).unwrap();
    writer.write_all(LINE.as_bytes()).unwrap();
    let read = unpack("logs.zip", &writer.finish().unwrap().into_inner()).unwrap();
    assert_eq!(read.text, LINE);
    assert_eq!(read.notes, ["locked.log has a password: skipped; zip it without one"]);
}

#[test]
fn a_zip_of_many_files_is_read_in_part_and_says_so() {
    let names: Vec<String> = (0..12_000).map(|number| format!("{number:05}.log")).collect();
    let entries: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), name.as_bytes())).collect();
    let read = unpack("logs.zip", &zipped(&entries)).unwrap();
    assert_eq!(read.text.lines().count(), 100);
    assert!(read.text.ends_with("\n00099.log"));
    assert_eq!(
        read.notes,
        [
            "logs.zip holds 12000 entries: only the first 10000 were looked at",
            "logs.zip holds 10000 files: only the first 100 by name were read",
        ]
    );
    let pictures: Vec<String> = (0..50).map(|number| format!("{number:02}.png")).collect();
    let mut entries: Vec<(&str, &[u8])> = pictures.iter().map(|name| (name.as_str(), name.as_bytes())).collect();
    entries.push(("a.log", LINE.as_bytes()));
    let read = unpack("logs.zip", &zipped(&entries)).unwrap();
    assert_eq!(read.notes.len(), 11);
    assert_eq!(read.notes[10], "40 more notes like these");
}

#[test]
fn a_zip_that_lies_is_not_believed() {
    let honest = zipped(&[("a.log", LINE.as_bytes()), ("b.log", b"fine")]);
    let central = position(&honest, b"PK\x01\x02");
    let end = position(&honest, b"PK\x05\x06");

    // It says that there are four gibibytes.
    let mut huge = honest.clone();
    huge[central + 24..central + 28].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    assert_eq!(text("a.zip", &huge), format!("{LINE}fine"));
    // It says that there is one byte.
    let mut tiny = honest.clone();
    tiny[central + 24..central + 28].copy_from_slice(&1_u32.to_le_bytes());
    let read = unpack("a.zip", &tiny).unwrap();
    assert_eq!(read.text, "fine");
    assert_eq!(read.notes, ["a.log is damaged: only what stands before the damage was read"]);
    // It says that its data is larger than the file.
    let mut beyond = honest.clone();
    beyond[central + 20..central + 24].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    let read = unpack("a.zip", &beyond).unwrap();
    assert_eq!((read.text.as_str(), read.notes), ("fine", vec!["a.log is damaged: skipped".to_owned()]));
    // Both files are the same bytes, which are all there are.
    let mut twice = zip_with(
        &[("a.log", LINE.repeat(10).as_bytes()), ("b.log", b"x")],
        SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored),
    );
    let first = position(&twice, b"PK\x01\x02");
    let second = first + 4 + position(&twice[first + 4..], b"PK\x01\x02");
    twice.copy_within(first + 16..first + 28, second + 16);
    twice.copy_within(first + 42..first + 46, second + 42);
    let read = unpack("a.zip", &twice).unwrap();
    assert_eq!((read.text, read.notes), (LINE.repeat(10), vec!["b.log is damaged: skipped".to_owned()]));
    // Its data is where nothing is.
    let mut nowhere = honest.clone();
    nowhere[central + 42..central + 46].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    assert_eq!(unpack("a.zip", &nowhere).unwrap().notes, ["a.log is damaged: skipped"]);
    // It says that there are more entries than there are, and that their list is four gibibytes long.
    let mut many = honest.clone();
    for at in [end + 8, end + 10] {
        many[at..at + 2].copy_from_slice(&60_000_u16.to_le_bytes());
    }
    many[end + 12..end + 16].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    drop(unpack("a.zip", &many));
    // Its list is somewhere else.
    let mut lost = honest.clone();
    lost[end + 16..end + 20].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    drop(unpack("a.zip", &lost));
    // Compressed in a way that is not built in.
    let mut other = honest;
    other[central + 10..central + 12].copy_from_slice(&93_u16.to_le_bytes());
    let read = unpack("a.zip", &other).unwrap();
    assert_eq!(read.text, "fine");
    assert!(read.notes[0].contains("compressed in a way that is not read here"), "{:?}", read.notes);
}

#[test]
fn signatures_without_end_take_no_time() {
    let began = Instant::now();
    for signature in [b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x03\x04"] {
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.extend(signature.repeat(usize::try_from(MAX_FILE / 4).unwrap() - 100));
        let mut end = b"PK\x05\x06".to_vec();
        end.extend([0; 18]);
        bytes.extend(end);
        drop(unpack("a.zip", &bytes));
    }
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
}
