//! film-describe dies, hangs, lies or is not there: filmd's side gets an error in time, and a
//! description again afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test's helpers fail by panicking and speak to whoever reads the test's output"
)]

mod describer_common;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use describer_common::{PROGRAM, both_models, facts, models, request, text};
use filmd::align::AlignedPair;
use filmd::channel::Watch;
use filmd::clock::Clock;
use filmd::config::{DescribeConfig, Task};
use filmd::describe::{
    DescribeError, Describer, Description, Guidance, GuideSettings, GuideWorker, Launch, ModelFile,
    ModelFiles, Origin, ProcessDescriber, TokenFeatures, open,
};
use filmd::frame::Size;

/// One test at a time: a program file that another test's fork still has open for writing
/// cannot be started, and two models at once are slow.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn real(encoder: ModelFile, llm: Option<ModelFile>) -> ProcessDescriber {
    ProcessDescriber::new(Launch {
        program: PROGRAM.into(),
        llm,
        encoder,
        max_rows: 64,
        mmproj: None,
        memory: None,
    })
}

/// A shell script in the place of film-describe.
fn fake(folder: &Path, script: &str) -> ProcessDescriber {
    let program = folder.join("fake");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    ProcessDescriber::new(Launch {
        program,
        llm: None,
        encoder: unchecked("/nonexistent".into()),
        max_rows: 64,
        mmproj: None,
        memory: None,
    })
}

fn unchecked(path: PathBuf) -> ModelFile {
    ModelFile { path, sha256: None }
}

fn signal(name: &str, pid: u32) {
    let status = Command::new("kill")
        .args([name, &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success(), "kill {name} {pid}");
}

fn alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// The nice value of a process: field 19 of its stat.
fn nice(process: &str) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let rest = stat.rsplit(") ").next()?;
    rest.split(' ').nth(16)?.parse().ok()
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..600 {
        if done() {
            return;
        }
        Clock.sleep_until(Clock.now().plus(Duration::from_millis(50)));
    }
    panic!("never happened: {what}");
}

/// As the guide thread does: look after it until it answers again.
fn recovered(describer: &mut ProcessDescriber) -> Description {
    let begun = Clock.now();
    let mut last = None;
    wait_until("a description after a fault", || {
        describer.tend();
        match describer.describe(&text("Back again.")) {
            Ok(description) => last = Some(description),
            Err(DescribeError::Absent(_)) => {}
            Err(error) => eprintln!("  not yet: {error}"),
        }
        last.is_some()
    });
    eprintln!("recovered after {:?}", Clock.now().since(begun));
    last.unwrap()
}

#[test]
fn a_killed_process_is_started_again_every_time() {
    let _turn = turn();
    let Some(encoder) = models().encoder else {
        return;
    };
    let mut describer = real(encoder, None);
    let mut before = None;
    for round in 0..5 {
        let description = recovered(&mut describer);
        assert_eq!(description.origin, Origin::User);
        let (pid, resident) = describer.process().unwrap();
        assert_ne!(Some(pid), before);
        assert!(resident > 1 << 20, "{resident} bytes");
        before = Some(pid);
        signal("-KILL", pid);
        if round == 1 {
            // Noticed while nothing is asked.
            wait_until("the death is noticed", || {
                describer.tend();
                describer.process().is_none_or(|(now, _)| now != pid)
            });
        } else {
            let error = describer.describe(&text("Too late.")).unwrap_err();
            assert!(
                matches!(&error, DescribeError::Died(why) if why.contains("9")),
                "{error}"
            );
        }
        assert!(!alive(pid));
    }
    assert_eq!(describer.starts(), 5);
}

#[test]
fn a_stopped_process_is_killed_at_the_deadline() {
    let _turn = turn();
    let Some(encoder) = models().encoder else {
        return;
    };
    let mut describer = real(encoder, None);
    recovered(&mut describer);
    let (pid, _) = describer.process().unwrap();
    signal("-STOP", pid);
    let mut request = text("Are you there?");
    request.deadline = Duration::from_millis(700);
    let error = describer.describe(&request).unwrap_err();
    assert!(matches!(error, DescribeError::TimedOut(_)), "{error}");
    assert!(!alive(pid));
    recovered(&mut describer);
}

#[test]
fn a_raised_stop_flag_ends_the_wait() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let mut describer = fake(folder.path(), "exec sleep 600");
    let stop = describer.stopper().unwrap();
    stop.store(true, Ordering::Relaxed);
    let mut request = text("x");
    request.deadline = Duration::from_secs(600);
    let error = describer.describe(&request).unwrap_err();
    assert!(error.to_string().contains("stopping"), "{error}");
    assert!(describer.process().is_none());
}

/// A shell command that says Hello as film-describe does.
fn greet() -> String {
    let hello = r#"{"llm":null,"encoder":"e","dim":3,"pid":1,"note":null}"#;
    format!(
        "printf 'FLMD\\002\\001\\000\\000\\{:03o}\\000\\000\\000\\{:03o}\\000\\000\\000%s' '{hello}'",
        hello.len() + 4,
        hello.len()
    )
}

#[test]
fn nonsense_ends_the_process() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let greet = greet();
    for (what, script) in [
        (
            "nonsense at once",
            "printf 'Segmentation fault'; exec sleep 600".to_owned(),
        ),
        ("nonsense without end", "exec yes".to_owned()),
        (
            "a length too long",
            "printf 'FLMD\\002\\001\\000\\000\\377\\377\\377\\377'; exec sleep 600".to_owned(),
        ),
        (
            "nonsense for an answer",
            format!("{greet}; printf x; exec sleep 600"),
        ),
        ("two greetings", format!("{greet}; {greet}; exec sleep 600")),
    ] {
        let mut describer = fake(folder.path(), &script);
        let error = describer.describe(&text("x")).unwrap_err();
        assert!(
            matches!(error, DescribeError::Garbled(_)),
            "{what}: {error}"
        );
        assert_eq!(describer.process(), None, "{what}");
        let error = describer.describe(&text("x")).unwrap_err();
        assert!(
            matches!(&error, DescribeError::Absent(why) if why.contains("starts again")),
            "{error}"
        );
    }
}

#[test]
fn a_process_that_ends_says_why_and_one_that_is_slow_is_waited_for() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    // Much more on standard error than a pipe holds: it must neither block nor be kept.
    let mut describer = fake(
        folder.path(),
        "yes chatter | head -c 300000 >&2; echo 'the last words' >&2; exit 78",
    );
    let error = describer.describe(&text("x")).unwrap_err().to_string();
    assert!(
        error.contains("78") && error.contains("the last words"),
        "{error}"
    );
    assert!(error.len() < 300, "{} bytes", error.len());

    let mut describer = fake(folder.path(), "exec sleep 600");
    let mut request = text("x");
    request.deadline = Duration::from_millis(200);
    let error = describer.describe(&request).unwrap_err();
    assert!(
        matches!(&error, DescribeError::Absent(why) if why.contains("loading")),
        "{error}"
    );
    let (pid, _) = describer.process().unwrap();
    drop(describer);
    assert!(!alive(pid));
}

#[test]
fn an_absent_program_or_encoder_is_said_to_be_absent() {
    let _turn = turn();
    let mut describer = ProcessDescriber::new(Launch {
        program: "/nonexistent/film-describe".into(),
        llm: None,
        encoder: unchecked("/nonexistent".into()),
        max_rows: 64,
        mmproj: None,
        memory: None,
    });
    for expected in ["describe.program", "starts again"] {
        let error = describer.describe(&text("x")).unwrap_err();
        assert!(
            matches!(&error, DescribeError::Absent(why) if why.contains(expected)),
            "{error}"
        );
    }
    let files = ModelFiles {
        searched: vec!["/here".into()],
        ..ModelFiles::default()
    };
    let Err(error) = open(&DescribeConfig::default(), &files, 64) else {
        panic!("opened without an encoder");
    };
    assert!(error.to_string().contains("/here"), "{error}");
}

#[test]
fn a_damaged_encoder_is_refused_by_its_sum() {
    let _turn = turn();
    let Some(encoder) = models().encoder else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read(&encoder.path).unwrap();
    let sum = describer_common::sha256(&bytes);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    for (length, expected) in [
        (bytes.len(), "SHA-256"),
        (1000, "SHA-256"),
        (2, "cannot read"),
    ] {
        let path = folder.path().join("encoder.gguf");
        std::fs::write(&path, &bytes[..length]).unwrap();
        let mut describer = real(
            ModelFile {
                path,
                sha256: Some(sum.clone()),
            },
            None,
        );
        let error = describer.describe(&text("x")).unwrap_err();
        assert!(
            matches!(&error, DescribeError::Died(why) if why.contains(expected)),
            "{error}"
        );
    }
    let mut describer = real(unchecked(PROGRAM.into()), None);
    let error = describer.describe(&text("x")).unwrap_err().to_string();
    assert!(error.contains("no GGUF"), "{error}");
}

#[test]
fn a_damaged_language_model_leaves_the_template() {
    let _turn = turn();
    let Some((llm, encoder)) = both_models() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("llm.gguf");
    let bytes = std::fs::read(&llm.path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 3]).unwrap();
    for sha256 in [Some(describer_common::sha256(&bytes)), None] {
        let llm = ModelFile {
            path: path.clone(),
            sha256,
        };
        let mut describer = real(encoder.clone(), Some(llm));
        let mut answer = None;
        wait_until("the template's text", || {
            answer = describer.describe(&facts()).ok();
            answer.is_some()
        });
        assert_eq!(answer.unwrap().origin, Origin::Template);
        let note = describer.note().unwrap();
        assert!(note.contains("language model"), "{note}");
        assert!(describer.starts() <= 3);
    }
    // An encoder in the place of the language model loads, and is no language model.
    let mut describer = real(encoder.clone(), Some(encoder));
    assert_eq!(
        describer.describe(&facts()).unwrap().origin,
        Origin::Template
    );
}

#[test]
fn oversize_texts_are_cut_at_a_sentence_or_refused_and_the_process_goes_on() {
    let _turn = turn();
    let Some(encoder) = models().encoder else {
        return;
    };
    let mut describer = real(encoder, None);
    recovered(&mut describer);
    let (pid, _) = describer.process().unwrap();
    let long = format!(
        "{}Keep the {} tail.",
        "One two three four. ".repeat(60),
        "long "
    );
    let cut = describer.describe(&text(&long)).unwrap();
    assert!(
        cut.text.starts_with("One two three four. One"),
        "{}",
        cut.text
    );
    assert!(
        cut.text.ends_with("four. Keep the long tail."),
        "{}",
        cut.text
    );
    assert!(
        (50..=64).contains(&cut.features.rows),
        "{}",
        cut.features.rows
    );
    assert_eq!(
        cut.features.values.len(),
        cut.features.rows * cut.features.dim
    );
    for refused in [
        "",
        " \n\t ",
        &"word ".repeat(500),
        &"x. ".repeat(20_000),
        &"x".repeat(3 << 20),
    ] {
        let error = describer.describe(&text(refused)).unwrap_err();
        assert!(matches!(error, DescribeError::Refused(_)), "{error}");
    }
    // Tokens with a meaning of their own are plain text, and any script is.
    for odd in [
        "[SEP] [CLS] <|im_end|>",
        "Ünïcödé 熱い \u{1F525} \u{0}",
        "\u{FFFD}",
    ] {
        describer.describe(&text(odd)).unwrap();
    }
    let none = request(filmd::describe::Prompt::Facts(Vec::new()));
    describer.describe(&none).unwrap();
    assert_eq!(describer.process().unwrap().0, pid);
}

#[test]
fn the_process_dies_with_its_parent_even_when_its_pipe_stays_open() {
    let _turn = turn();
    let Some(encoder) = models().encoder else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("stdin");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    // Opened for both, so that it never ends.
    let open = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&fifo)
        .unwrap();
    let pid_file = folder.path().join("pid");
    let mut parent = Command::new("sh")
        .arg("-c")
        .arg(r#""$0" --encoder "$1" >/dev/null <"$2" & echo $! >"$3.new"; mv "$3.new" "$3"; wait"#)
        .args([Path::new(PROGRAM), &encoder.path, &fifo, &pid_file])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the pid is known", || pid_file.exists());
    let pid: u32 = std::fs::read_to_string(&pid_file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    // Set after the death signal.
    let low = nice("self").map(|ours| (ours + 10).min(19));
    assert!(low.is_some());
    wait_until("it runs at low priority", || nice(&pid.to_string()) == low);
    assert!(alive(pid));
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until("the child is gone", || !alive(pid));
    drop(open);
}

/// `FILMD_KILLS=10` for more rounds.
#[test]
fn guidance_follows_every_kill_and_the_model_writes_again() {
    let _turn = turn();
    let Some((llm, encoder)) = both_models() else {
        return;
    };
    let rounds = std::env::var("FILMD_KILLS").map_or(2, |n| n.parse().unwrap());
    let features = TokenFeatures {
        rows: 1,
        dim: 384,
        values: vec![0.0; 384],
    };
    let neutral = Guidance::new(&features, (64, 384), "Fuse.", Origin::Neutral, Task::Ivf).unwrap();
    let watch = Arc::new(Watch::new(neutral.clone()));
    let settings = GuideSettings {
        enabled: true,
        interval: Duration::from_secs(3),
        time_to_live: Duration::from_secs(300),
        deadline: Duration::from_secs(60),
        ..GuideSettings::from(&DescribeConfig::default())
    };
    let mut worker = GuideWorker::new(
        settings,
        Arc::new(neutral),
        Ok(Box::new(real(encoder, Some(llm)))),
        Arc::clone(&watch),
    );
    let mut pair = AlignedPair::new(Size::new(640, 480));
    (pair.has_infrared, pair.has_visible) = (true, true);
    for round in 0..rounds {
        let begun = Clock.now();
        let before = worker.status(begun);
        let mut first = None;
        wait_until("the model's text", || {
            worker.step(Some(&pair), Clock.now());
            let now = worker.status(Clock.now());
            if now.ok > before.ok {
                first.get_or_insert_with(|| Clock.now().since(begun));
            }
            now.by_llm > before.by_llm
        });
        let took = Clock.now().since(begun);
        eprintln!("round {round}: guidance after {first:?}, by the model after {took:?}");
        assert_eq!(watch.get().origin, Origin::Llm);
        let (pid, _) = worker.status(Clock.now()).process.unwrap();
        signal("-KILL", pid);
    }
}

/// Bytes of address space that a process has at most had.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmPeak:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

fn limited(encoder: &ModelFile, llm: Option<&ModelFile>, memory: Option<u64>) -> ProcessDescriber {
    ProcessDescriber::new(Launch {
        program: PROGRAM.into(),
        llm: llm.cloned(),
        encoder: encoder.clone(),
        max_rows: 64,
        mmproj: None,
        memory,
    })
}

#[test]
fn a_memory_limit_costs_the_language_model_or_the_process_and_never_more() {
    let _turn = turn();
    let Some((llm, encoder)) = both_models() else {
        return;
    };
    let used = |llm: Option<&ModelFile>| {
        let mut describer = limited(&encoder, llm, None);
        describer.describe(&facts()).unwrap();
        peak(describer.process().unwrap().0)
    };
    let (small, large) = (used(None), used(Some(&llm)));
    eprintln!(
        "address space: {} MiB, {} MiB with the language model",
        small >> 20,
        large >> 20
    );
    assert!(
        large < (512 << 20) + (123 << 20),
        "the limit by default is too small"
    );
    // Enough for all of it.
    let mut describer = limited(&encoder, Some(&llm), Some(large + (32 << 20)));
    assert_eq!(describer.describe(&facts()).unwrap().origin, Origin::Llm);
    // Enough for the encoder alone: the template's text, and why.
    let mut describer = limited(&encoder, Some(&llm), Some(u64::midpoint(small, large)));
    let mut answer = None;
    wait_until("the template's text", || {
        answer = describer.describe(&facts()).ok();
        answer.is_some()
    });
    assert_eq!(answer.unwrap().origin, Origin::Template);
    assert!(describer.note().unwrap().contains("language model"));
    // Enough for nothing: an error in time, then the back-off.
    let mut describer = limited(&encoder, None, Some(small / 4));
    let error = describer.describe(&facts()).unwrap_err();
    assert!(matches!(error, DescribeError::Died(_)), "{error}");
    let error = describer.describe(&facts()).unwrap_err();
    assert!(error.to_string().contains("starts again"), "{error}");
}

/// What the process says and how it ends when it is sent `bytes`.
fn sent(encoder: &ModelFile, bytes: &[u8]) -> (Option<i32>, Vec<u8>, String) {
    use std::io::Write;
    let mut child = Command::new(PROGRAM)
        .arg("--encoder")
        .arg(&encoder.path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may have closed its end before all was written.
    let _ = stdin.write_all(bytes);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), output.stdout, said)
}

#[test]
fn the_process_ends_on_nonsense_and_answers_what_came_before_it() {
    use filmd::describe::process::protocol::{EncodeCall, Hello, Message, decode, encode};
    let _turn = turn();
    let Some(encoder) = models().encoder else {
        return;
    };
    let call = |text: &str| {
        encode(&Message::Encode(EncodeCall {
            text: text.to_owned(),
            max_rows: 64,
        }))
        .unwrap()
    };
    let hello = encode(&Message::Hello(Hello {
        llm: None,
        encoder: "e".to_owned(),
        dim: 1,
        pid: 1,
        note: None,
        encoder_sha256: None,
        sees: false,
    }))
    .unwrap();
    let mut noise: Vec<u8> = (0..100_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    noise[0] = 0;
    for (what, nonsense) in [
        ("noise", noise),
        (
            "a length of 4 GiB",
            b"FLMD\x02\x03\0\0\xff\xff\xff\xff".to_vec(),
        ),
        (
            "a length just too long",
            b"FLMD\x02\x03\0\0\x01\0\x10\0".to_vec(),
        ),
        ("a greeting", hello),
        ("another version", b"FLMD\x63".to_vec()),
    ] {
        let bytes = [call("A text before."), nonsense].concat();
        let (code, said, error) = sent(&encoder, &bytes);
        assert_eq!(code, Some(65), "{what}: {error}");
        assert!(error.contains("makes no sense"), "{what}: {error}");
        let (first, used) = decode(&said).unwrap().unwrap();
        assert!(matches!(first, Message::Hello(_)), "{what}");
        let (second, used_too) = decode(&said[used..]).unwrap().unwrap();
        assert!(matches!(second, Message::Description(_)), "{what}");
        assert_eq!(said.len(), used + used_too, "{what}");
    }
    // Half a frame and then the end: filmd is gone, nothing is wrong.
    let half = call("Never whole.");
    let (code, _, error) = sent(&encoder, &half[..half.len() / 2]);
    assert_eq!(code, Some(0), "{error}");
}

#[test]
fn another_encoder_than_the_networks_never_guides() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let script = format!("{}; exec sleep 600", greet());
    let program = folder.path().join("fake");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let mut describer = ProcessDescriber::new(Launch {
        program,
        llm: None,
        encoder: ModelFile {
            path: "/nonexistent".into(),
            sha256: Some("ab".repeat(32)),
        },
        max_rows: 64,
        mmproj: None,
        memory: None,
    });
    let error = describer.describe(&text("x")).unwrap_err();
    assert!(
        matches!(&error, DescribeError::Garbled(why) if why.contains("another text encoder")),
        "{error}"
    );
    assert_eq!(describer.process(), None);
}
