use clew_tests::{Failure, clew, clew_with};
use serde_json::Value;

use crate::{CLEW, FULL_DISK, HEALTHY};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn someone_pipes_a_log_and_reads_the_cause_its_proof_and_what_to_do() -> Result<(), Failure> {
    let output = clew(CLEW, &["triage", "-"], FULL_DISK.as_bytes())?;
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}{}", text(&output.stderr));
    assert!(shown.starts_with("Disk full"), "{shown}");
    assert!(shown.contains("     3  2024-05-01 10:02:12.001"), "the line that proves it, with its number: {shown}");
    assert!(shown.contains("Next steps") && shown.contains("df -"), "{shown}");
    assert!(shown.contains("6 lines") && shown.contains("2 secrets redacted (email, password)"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("jane@"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "no colours into a pipe");
    Ok(())
}

#[test]
fn a_script_reads_the_verdict_as_json_and_the_exit_code() -> Result<(), Failure> {
    let output = clew(CLEW, &["triage", "--json"], FULL_DISK.as_bytes())?;
    let verdict: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(verdict["root_cause_id"], "disk_full");
    let sum: f64 = verdict["candidates"].as_array().unwrap().iter().filter_map(|c| c["probability"].as_f64()).sum();
    assert!((sum - 1.0).abs() < 1e-9, "the candidates sum to 1, not {sum}");
    let healthy = clew(CLEW, &["triage", "-"], HEALTHY.as_bytes())?;
    assert_eq!(healthy.status.code(), Some(3), "{}", text(&healthy.stdout));
    assert!(text(&healthy.stdout).starts_with("Unknown"));
    Ok(())
}

#[test]
fn the_same_log_gives_the_same_verdict_to_the_byte() -> Result<(), Failure> {
    let verdict = || -> Result<Value, Failure> {
        let mut verdict: Value =
            serde_json::from_slice(&clew(CLEW, &["triage", "--json"], FULL_DISK.as_bytes())?.stdout)?;
        verdict.as_object_mut().unwrap().remove("timings_ms");
        Ok(verdict)
    };
    assert_eq!(verdict()?.to_string(), verdict()?.to_string());
    Ok(())
}

#[test]
fn input_that_cannot_be_used_is_refused_with_the_remedy() -> Result<(), Failure> {
    for (arguments, input, part) in [
        (&["triage", "-"][..], &b""[..], "empty"),
        (&["triage", "-"], &b"\x1f\x8b\x08\x00 compressed"[..], "zcat"),
        (&["triage", "no-such-file.log"], b"", "no-such-file.log"),
        (&["triage", "pipeline"], b"", "folder"),
        (&["eval", "Cargo.toml"], b"", "line 1"),
    ] {
        let output = clew(CLEW, arguments, input)?;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(part), "{arguments:?}: {}", text(&output.stderr));
    }
    Ok(())
}

#[test]
fn the_ugliest_inputs_get_an_answer() -> Result<(), Failure> {
    let million = b"x".repeat(1_000_000);
    let json = format!("{{\"level\":\"error\",\"msg\":\"boom\",\"blob\":\"{}\"}}\n", "y".repeat(3_000_000));
    let deep = format!("{}\n{}", "[".repeat(100_000), "{\"a\":".repeat(50_000));
    let trace = format!("java.lang.IllegalStateException: x\n{}", "\tat a.B.c(B.java:1)\n".repeat(100_000));
    for (name, input) in [
        ("one line of 1 MB", &million[..]),
        ("invalid UTF-8", b"ERROR caf\xe9 \xff\xfe connection refused\n"),
        ("NUL bytes", b"ERROR disk\0full: no space left on device, and more text around it\n"),
        ("right-to-left", "\u{202e}ERROR שגיאה connection refused\n".as_bytes()),
        ("gigantic JSON", json.as_bytes()),
        ("deep brackets", deep.as_bytes()),
        ("endless trace", trace.as_bytes()),
        ("only line breaks and one word", b"\n\r\n\n\nword\n\n"),
    ] {
        let output = clew(CLEW, &["triage", "-"], input)?;
        assert!(matches!(output.status.code(), Some(0 | 3)), "{name}: {:?} {}", output.status, text(&output.stderr));
    }
    Ok(())
}

#[test]
fn without_models_it_says_what_is_missing_and_still_shows_what_stands_out() -> Result<(), Failure> {
    let output = clew_with(CLEW, &["triage", "-"], FULL_DISK.as_bytes(), &[("CLEW_MODEL_DIR", "no-such-folder")])?;
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("CLEW_MODEL_DIR") && shown.contains("What stands out"), "{shown}");
    Ok(())
}

#[test]
fn help_tells_the_exit_codes() -> Result<(), Failure> {
    let shown = text(&clew(CLEW, &["triage", "--help"], b"")?.stdout);
    assert!(shown.contains("3  the root cause is unknown") && shown.contains("kubectl logs"), "{shown}");
    Ok(())
}
