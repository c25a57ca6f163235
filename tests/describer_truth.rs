//! The language model's paragraphs contradict no fact: each is proved against the facts it was
//! given, by a reader that does not know the grammar. Runs where the model files are in the cache.
//! `FILMD_PARAGRAPHS=200` for more than a few.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test ends where something is not as it must be, and says what it measured"
)]

mod describer_common;

use std::time::Duration;

use describer_common::{PROGRAM, both_models};
use filmd::clock::Clock;
use filmd::config::Task;
use filmd::describe::words::faithful;
use filmd::describe::words::questions::{Answer, Level};
use filmd::describe::{
    DescribeRequest, Describer, Description, Launch, ModelFile, Origin, ProcessDescriber, Prompt,
};

/// A busy machine's slow text is not a wrong one.
const PATIENCE: Duration = Duration::from_secs(1800);

/// One of `from`, drawn by `n`.
fn pick(n: usize, from: &[&str], salt: usize) -> String {
    let mixed = (n * 7 + salt).wrapping_mul(2_654_435_761) >> 7;
    from[mixed % from.len()].to_owned()
}

fn place(n: usize, salt: usize) -> String {
    pick(n, &["on the left", "in the centre", "on the right"], salt)
}

/// Facts of an infrared-visible pair.
fn infrared_visible(n: usize) -> Vec<String> {
    let count = pick(n, &["one", "two", "three", "several"], 1);
    let s = if count == "one" { "" } else { "s" };
    let shape = pick(n, &["upright ", "wide ", "", "small "], 2);
    let heat = pick(n, &["warm", "hot", "nearby warm", "distant warm"], 3);
    let more = pick(
        n,
        &[
            "",
            " and has glare on the left",
            " and is noisy",
            ", has strong noise and is slightly blurred",
            ", has haze everywhere and hides the warm objects on the left",
        ],
        5,
    );
    let lights = [
        "dark",
        "dim",
        "unevenly lit",
        "moderately lit",
        "well lit",
        "bright",
    ];
    let light = pick(n, &lights, 6);
    let motion = pick(n, &["", " moving left", " approaching"], 8);
    let counted = format!("{count} {heat} {shape}object{s}{motion} {}", place(n, 4));
    // Of a stretched picture nothing is counted.
    let stretched = [
        "no warm objects that stand out".to_owned(),
        format!("warm areas {}", place(n, 4)),
        format!("a warm upright object {}", place(n, 4)),
        format!(
            "warm upright objects {} and warm areas {}",
            place(n, 4),
            place(n, 9)
        ),
    ];
    let shown = match n / 4 % 3 {
        0 => &stretched[n / 12 % stretched.len()],
        _ => &counted,
    };
    let faults = [
        "",
        "",
        " and has strong vertical stripes",
        ", has slight horizontal stripes and is noisy",
    ];
    let fault = pick(n, &faults, 10);
    vec![
        format!("The infrared image shows {shown}{fault}."),
        format!("The visible image is {light}{more}."),
    ]
}

/// Facts as the measurements word them, drawn by `n`.
fn facts(n: usize) -> (Task, Vec<String>) {
    let side = |salt| pick(n, &["at the top", "at the bottom", "on the left"], salt);
    let task = Task::ALL[n % 4];
    let sentences = match task {
        Task::Ivf => infrared_visible(n),
        Task::Mif => vec![
            format!(
                "The {} image shows {} {}.",
                pick(n, &["PET", "SPECT", "functional"], 1),
                "high activity",
                pick(n, &["on the left", "on the right", "on both sides"], 2)
            ),
            "The MRI image shows the structure of the soft tissue.".to_owned(),
        ],
        Task::Mef => vec![
            format!(
                "The under-exposed image keeps the details {} and is black {}.",
                side(1),
                place(n, 2)
            ),
            match n / 4 % 4 {
                0 => "The over-exposed image keeps the details in most parts.".to_owned(),
                _ => format!(
                    "The over-exposed image keeps the details {} and is white {}.",
                    place(n, 3),
                    side(4)
                ),
            },
        ],
        Task::Mff => vec![
            format!(
                "The first image is sharp {} and is blurred {}.",
                place(n, 1),
                side(2)
            ),
            format!(
                "The second image is sharp {} and is blurred {}.",
                side(3),
                place(n, 4)
            ),
        ],
    };
    (task, sentences)
}

#[test]
fn paragraphs_contradict_no_fact_and_come_again_the_same() {
    let Some((llm, encoder)) = both_models() else {
        return;
    };
    let number: usize = std::env::var("FILMD_PARAGRAPHS").map_or(8, |n| n.parse().unwrap());
    let mut runs = Vec::new();
    // The same input in another process, and in another order, gives the same text and bytes.
    for run in 0..3 {
        let mut describer = start(&llm, &encoder);
        let count = if run == 0 { number } else { number.min(4) };
        let mut said = Vec::new();
        for n in 0..count {
            let (task, sentences) = facts(n);
            let reply = describer
                .describe(&DescribeRequest {
                    task,
                    text: Prompt::Facts(sentences.clone()),
                    deadline: PATIENCE,
                    views: Vec::new(),
                })
                .unwrap();
            let why = (describer.note(), reply.took, &sentences);
            assert_eq!(reply.origin, Origin::Llm, "{why:?}");
            faithful::check(task, &sentences, &reply.text).unwrap();
            if run == 0 && n < 20 {
                eprintln!("{n}: {}", reply.text);
            }
            said.push((reply.text, reply.features));
        }
        if run == 0 {
            report(&describer, number);
        }
        runs.push(said);
    }
    for n in 0..number.min(4) {
        assert!(runs.iter().all(|run| run[n] == runs[0][n]), "{n}");
    }
}

/// Three answers: a fact each, and the wish.
fn answers(sentences: &[String]) -> Vec<Answer> {
    let answer = |level, question: &str, sentences: &[String], weight| Answer {
        level,
        question: question.to_owned(),
        sentences: sentences.to_vec(),
        weight,
    };
    vec![
        answer(Level::Object, "What is where?", &sentences[..1], 1.0),
        answer(Level::Scene, "What is it like?", &sentences[1..], 0.5),
        answer(
            Level::Wish,
            "What should the fused image do?",
            sentences,
            0.8,
        ),
    ]
}

/// Each answer of the model is proved against its own facts; its rows of guidance are its own
/// features times its weight.
#[test]
fn answers_contradict_no_fact_and_come_again_the_same() {
    let Some((llm, encoder)) = both_models() else {
        return;
    };
    let number: usize = std::env::var("FILMD_PARAGRAPHS").map_or(8, |n| n.parse().unwrap());
    let mut runs = Vec::new();
    for run in 0..2 {
        let mut describer = start(&llm, &encoder);
        let mut said = Vec::new();
        let before = Clock.now();
        for n in 0..if run == 0 { number } else { number.min(4) } {
            let (task, sentences) = facts(n);
            let answers = answers(&sentences);
            let mut ask = |by_llm| {
                describer
                    .describe(&DescribeRequest {
                        task,
                        text: Prompt::Answers {
                            answers: answers.clone(),
                            by_llm,
                        },
                        deadline: PATIENCE,
                        views: Vec::new(),
                    })
                    .unwrap()
            };
            let plain = ask(false);
            assert_eq!(plain.origin, Origin::Template);
            let reply = ask(true);
            let why = (describer.note(), reply.took, &sentences);
            assert_eq!(reply.origin, Origin::Llm, "{why:?}");
            assert_eq!(reply.segments.len(), answers.len());
            for (segment, answer) in reply.segments.iter().zip(&answers) {
                let facts = answer.merged();
                faithful::check_answer(task, &facts, answer.is_advice(), &segment.text).unwrap();
                assert!(reply.text.contains(&segment.text));
            }
            if run == 0 && n < 8 {
                eprintln!("{n}: {}", reply.text);
            }
            check_rows(&mut describer, task, &reply);
            said.push((reply.text, reply.features));
        }
        if run == 0 {
            eprintln!("{:?} for all", Clock.now().since(before));
            report(&describer, number);
        }
        runs.push(said);
    }
    for (n, (first, again)) in runs[0].iter().zip(&runs[1]).enumerate() {
        assert!(first == again, "{n}");
    }
}

fn check_rows(describer: &mut ProcessDescriber, task: Task, reply: &Description) {
    let dim = reply.features.dim;
    let mut next = 0;
    for segment in &reply.segments {
        let (first, rows) = segment.rows.unwrap();
        assert_eq!(first, next);
        next += rows;
        let alone = describer
            .describe(&DescribeRequest {
                task,
                text: Prompt::Text(segment.text.clone()),
                deadline: PATIENCE,
                views: Vec::new(),
            })
            .unwrap();
        // Not cut: these texts are short.
        assert_eq!(alone.features.rows, rows);
        let mine = &reply.features.values[first * dim..next * dim];
        for (mine, alone) in mine.iter().zip(&alone.features.values) {
            assert_eq!(*mine, alone * segment.weight);
        }
    }
    assert_eq!(next, reply.features.rows);
}

/// Processor time and memory of the process so far.
fn report(describer: &ProcessDescriber, paragraphs: usize) {
    let (pid, resident) = describer.process().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let seconds = ticks as f64 / 100.0;
    eprintln!(
        "{paragraphs} texts, 0 contradictions; {:.2} CPU seconds each, loading and examples \
         included; resident {} MiB",
        seconds / paragraphs as f64,
        resident >> 20
    );
    assert!(resident <= 220 * 1_000_000, "{resident} bytes");
}

fn start(llm: &ModelFile, encoder: &ModelFile) -> ProcessDescriber {
    let mut describer = ProcessDescriber::new(Launch {
        program: PROGRAM.into(),
        llm: Some(llm.clone()),
        encoder: encoder.clone(),
        max_rows: 64,
        mmproj: None,
        memory: None,
    });
    describer.tend();
    describer
}

/// The kernel's list of sockets of the describer's process holds no internet socket.
#[test]
fn the_process_opens_no_internet_socket() {
    let Some((llm, encoder)) = both_models() else {
        return;
    };
    let mut describer = start(&llm, &encoder);
    let (task, sentences) = facts(0);
    describer
        .describe(&DescribeRequest {
            task,
            text: Prompt::Facts(sentences),
            deadline: PATIENCE,
            views: Vec::new(),
        })
        .unwrap();
    let (pid, _) = describer.process().unwrap();
    let open: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .map(|link| link.display().to_string())
        .collect();
    assert!(open.len() >= 3, "{open:?}");
    let sockets: Vec<&String> = open.iter().filter(|l| l.starts_with("socket:")).collect();
    for table in ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"] {
        let text = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for socket in &sockets {
            let inode = socket.trim_start_matches("socket:[").trim_end_matches(']');
            let is_in = text
                .lines()
                .any(|l| l.split_whitespace().nth(9) == Some(inode));
            assert!(!is_in, "{socket} is in {table}");
        }
    }
}

/// No system call of a whole life makes an internet socket, as strace sees it.
#[test]
fn strace_sees_no_internet_socket() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let Some((llm, encoder)) = both_models() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let traced = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=network,execve", "-o"])
        .arg(&log)
        .arg(PROGRAM)
        .arg("--llm")
        .arg(&llm.path)
        .arg("--encoder")
        .arg(&encoder.path)
        .arg("--once")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = traced else {
        eprintln!("SKIPPED: no strace");
        return;
    };
    let fact = b"The infrared image shows one warm object on the left.\n";
    child.stdin.take().unwrap().write_all(fact).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let log = std::fs::read_to_string(&log).unwrap_or_default();
    if !log.contains("execve") {
        eprintln!("SKIPPED: strace may not trace here");
        return;
    }
    assert!(text.contains("one warm object on the left"), "{text}");
    assert!(!log.contains("AF_INET"), "{log}");
}
