//! Minutes of misuse, each against the same daemon left alone: random lines, silent, slow and greedy clients, also
//! of another user; commands by the thousand while the describer is killed and the sources stall.
//!
//! `FILMD_SOAK_S=1800 cargo test --release --test endurance -- --nocapture` is the long form, with the bounds of an
//! otherwise idle machine; without it each part takes seconds.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test ends where something is not as it must be, and prints what it measured"
)]

mod common;

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use common::Daemon;
use filmd::config::{Mode, Palette};
use filmd::control::{Reply, Request, SnapshotFormat, ask, observe_socket};

const QUIET: &str = "[source]\nkind = \"synthetic\"\nfps = 20.0\n[output]\nwidth = 320\nheight = 240\n\
                     [fuse]\nengine = \"classic\"\n[describe]\nenabled = false\n";
/// The variables of the process that another user runs.
const FOREIGN: &str = "FILMD_TEST_FOREIGN";

/// Seconds of the long form, where it is asked for.
fn long() -> Option<u64> {
    std::env::var("FILMD_SOAK_S").ok()?.parse().ok()
}

/// One part at a time: they measure.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// Resident memory in KiB and open descriptors of a process.
fn held(pid: u32) -> (u64, usize) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    let resident = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    (resident, open.count())
}

/// Frames that were due and were not shown while `during` ran.
fn unseen(daemon: &Daemon, during: impl FnOnce()) -> (u64, u64) {
    let before = daemon.status().frames;
    during();
    let after = daemon.status().frames;
    let due = after.pairs - before.pairs;
    (due, due.saturating_sub(after.presented - before.presented))
}

/// Frames shown within a hundredth of what is shown without; the edges of both windows may cost two each.
fn assert_shown(name: &str, without: (u64, u64), with: (u64, u64)) {
    eprintln!("{name}: unseen of due: without {without:?}, with {with:?}");
    assert!(with.0 > 40, "{name}: {} frames were due", with.0);
    let share = |(due, unseen): (u64, u64)| unseen as f64 / due as f64;
    let most = share(without) + 0.01 + 4.0 / with.0 as f64;
    assert!(share(with) <= most, "{name}: {without:?} {with:?}");
}

/// Asks both sockets until `stop`; the longest wait for an answer.
fn probe(socket: &Path, stop: &AtomicBool) -> Duration {
    let observe = observe_socket(socket);
    let mut slowest = Duration::ZERO;
    while !stop.load(Relaxed) {
        let begun = common::now();
        let health = ask(&observe, &Request::Health).unwrap().0;
        assert!(
            matches!(health, Reply::Health { healthy: true, .. }),
            "{health:?}"
        );
        slowest = slowest.max(common::now() - begun);
        let begun = common::now();
        let nudge = ask(socket, &Request::Nudge { right: 0, down: 0 });
        assert_eq!(nudge.unwrap().0, Reply::Done);
        slowest = slowest.max(common::now() - begun);
        sleep(Duration::from_millis(50));
    }
    slowest
}

/// A line that is nearly a request, or none at all.
fn random_line(random: &mut Random) -> Vec<u8> {
    let mut line = match random.below(4) {
        0 => Vec::new(),
        1 => b"{\"request\":\"status\"}".to_vec(),
        2 => b"{\"request\":\"guide\",\"text\":\"Bring out the people.\"}".to_vec(),
        _ => b"{\"request\":\"nudge\",\"right\":9999999999,\"down\":-1}".to_vec(),
    };
    for _ in 0..random.below(12) {
        let at = random.below(line.len() + 1);
        line.insert(at, random.below(256) as u8);
    }
    line.push(b'\n');
    line
}

fn send_lines(socket: &Path, count: usize) {
    let mut random = Random(7);
    let paths = [socket.to_owned(), observe_socket(socket)];
    for n in 0..count {
        let Ok(mut client) = UnixStream::connect(&paths[n % 2]) else {
            continue;
        };
        client.set_read_timeout(Some(common::PATIENCE)).unwrap();
        let _ = client.write_all(&random_line(&mut random));
        let _ = client.read(&mut [0; 256]);
    }
}

/// Keeps `count` connections that say nothing, or a byte at a time, until `stop`.
fn hold_connections(socket: &Path, count: usize, stop: &AtomicBool) {
    let paths = [socket.to_owned(), observe_socket(socket)];
    let mut clients: Vec<Option<UnixStream>> = (0..count).map(|_| None).collect();
    while !stop.load(Relaxed) {
        for (n, client) in clients.iter_mut().enumerate() {
            let is_open = client
                .as_mut()
                .is_some_and(|c| n % 3 != 0 || c.write_all(b"{").is_ok());
            if !is_open || n % 50 == 0 {
                *client = UnixStream::connect(&paths[n % 2]).ok();
            }
        }
        sleep(Duration::from_millis(100));
    }
}

/// So many connections that are held and lines that are sent; then `done`.
fn crowd(socket: &Path, connections: usize, lines: usize, done: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| hold_connections(socket, connections, &stop));
        send_lines(socket, lines);
        sleep(Duration::from_secs(3));
        done();
        stop.store(true, Relaxed);
    });
}

#[test]
fn random_lines_and_idle_connections_cost_no_picture_no_memory_and_no_answer() {
    let _alone = alone();
    let (lines, connections) = if long().is_some() {
        (20_000, 500)
    } else {
        (2_000, 120)
    };
    let daemon = Daemon::start(QUIET);
    let pid = daemon.child.id();
    let without = unseen(&daemon, || sleep(Duration::from_secs(5)));
    // The buffers of a first crowd of clients are no growth.
    crowd(&daemon.socket, connections, lines / 10, || {});
    sleep(Duration::from_secs(1));
    let before = held(pid);
    let (stop, slowest) = (AtomicBool::new(false), Mutex::new(Duration::ZERO));
    let with = unseen(&daemon, || {
        std::thread::scope(|scope| {
            scope.spawn(|| *slowest.lock().unwrap() = probe(&daemon.socket, &stop));
            crowd(&daemon.socket, connections, lines, || {
                stop.store(true, Relaxed)
            });
        });
    });
    let slowest = slowest.into_inner().unwrap();
    // The clients are gone; the daemon sees it with its next turn.
    sleep(Duration::from_secs(1));
    let after = held(pid);
    eprintln!("random lines: slowest answer {slowest:?}; KiB and descriptors {before:?} {after:?}");
    assert_shown("random lines", without, with);
    let most = if long().is_some() { 500 } else { 2_000 };
    assert!(slowest <= Duration::from_millis(most), "{slowest:?}");
    assert!(after.0 <= before.0 + 2048, "{before:?} {after:?}");
    assert!(after.1 <= before.1 + 2, "{before:?} {after:?}");
}

/// What another user does: run by [`another_user_holds_up_nobody`] in a process of its own.
#[test]
#[ignore = "the other user's part of another_user_holds_up_nobody"]
fn foreign_clients() {
    let Some(observe) = std::env::var_os(FOREIGN).map(PathBuf::from) else {
        return;
    };
    let stop = AtomicBool::new(false);
    let silent: Vec<_> = (0..200).map(|_| UnixStream::connect(&observe)).collect();
    assert!(silent[..60].iter().all(Result::is_ok), "{silent:?}");
    let greedy: Vec<_> = (0..10)
        .filter_map(|_| {
            let mut client = UnixStream::connect(&observe).ok()?;
            client.write_all(b"{\"request\":\"status\"}\n").ok()?;
            Some(client)
        })
        .collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                let _ = ask(&observe, &Request::Status);
            }
        });
        scope.spawn(|| hold_connections(&observe, 200, &stop));
        // Until the test closes its end.
        let _ = std::io::stdin().read(&mut [0]);
        stop.store(true, Relaxed);
    });
    drop((silent, greedy));
}

#[test]
fn another_user_holds_up_nobody() {
    let _alone = alone();
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can become another user");
        return;
    }
    let daemon = Daemon::start(QUIET);
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(daemon.folder.path(), open).unwrap();
    let without = unseen(&daemon, || sleep(Duration::from_secs(5)));
    // Another user may not read the folder that the test was built in.
    let program = daemon.folder.path().join("foreign");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut other = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["--ignored", "--exact", "foreign_clients"])
        .env(FOREIGN, observe_socket(&daemon.socket))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    sleep(Duration::from_secs(1));
    let (stop, mut slowest) = (AtomicBool::new(false), Duration::ZERO);
    let with = unseen(&daemon, || {
        std::thread::scope(|scope| {
            let probe = scope.spawn(|| probe(&daemon.socket, &stop));
            sleep(Duration::from_secs(long().map_or(5, |_| 60)));
            stop.store(true, Relaxed);
            slowest = probe.join().unwrap();
        });
    });
    assert!(
        other.try_wait().unwrap().is_none(),
        "the other user's part ended early"
    );
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
    eprintln!("another user: slowest answer {slowest:?}");
    assert_shown("another user", without, with);
    let most = if long().is_some() { 200 } else { 2_000 };
    assert!(slowest <= Duration::from_millis(most), "{slowest:?}");
}

/// A command as someone who plays with the buttons sends it.
fn random_request(random: &mut Random) -> Request {
    const TEXTS: [&str; 6] = [
        "Bring out the people.",
        "Hello",
        "Sharpen the blurred visible picture.",
        "",
        "Zeig mir die Leute.",
        "The infrared picture has stripes.",
    ];
    match random.below(9) {
        0 => Request::Status,
        1 => Request::Health,
        2 => Request::Mode {
            mode: Mode::ALL[random.below(Mode::ALL.len())],
        },
        3 => Request::Palette {
            palette: Palette::ALL[random.below(Palette::ALL.len())],
        },
        4 => Request::Freeze {
            on: random.below(4) == 0,
        },
        5 => Request::Nudge {
            right: random.below(21) as i32 - 10,
            down: random.below(21) as i32 - 10,
        },
        6 => Request::Guide {
            text: TEXTS[random.below(TEXTS.len())].to_owned(),
        },
        7 => Request::GuideAuto,
        _ if random.below(20) == 0 => Request::Reload,
        _ => Request::Snapshot {
            format: SnapshotFormat::Png,
        },
    }
}

/// The synthetic source with a silence of two seconds in every twenty, and now and then one camera missing.
fn stalling(seconds: u64) -> String {
    let mut config = "[source]\nkind = \"synthetic\"\nfps = 10.0\n".to_owned();
    for from in (8..seconds + 60).step_by(20) {
        let _ = writeln!(
            config,
            "[[source.faults]]\nkind = \"stall\"\nfrom_s = {from}.0\nfor_s = 2.0"
        );
        let _ = writeln!(
            config,
            "[[source.faults]]\nkind = \"no-infrared\"\nfrom_s = {}.0\nfor_s = 1.0",
            from + 6
        );
    }
    config + "[output]\nwidth = 320\nheight = 240\n[describe]\ninterval_s = 1.0\n"
}

/// Commands at random for `seconds`, and film-describe killed every so often; (killed, refused).
fn play(daemon: &Daemon, random: &mut Random, seconds: u64, kill_every: u64) -> (u32, u32) {
    let (begun, mut killed, mut refused) = (common::now(), 0, 0);
    let mut next_kill = begun + Duration::from_secs(kill_every);
    while common::now() - begun < Duration::from_secs(seconds) {
        let reply = ask(&daemon.socket, &random_request(random)).unwrap().0;
        refused += u32::from(matches!(reply, Reply::Error { .. }));
        if common::now() >= next_kill {
            next_kill += Duration::from_secs(kill_every);
            if let Some((pid, ..)) = daemon.status().guide.process {
                let gone = Command::new("kill")
                    .arg("-KILL")
                    .arg(pid.to_string())
                    .status();
                killed += u32::from(gone.unwrap().success());
            }
        }
        sleep(Duration::from_millis(50 + random.below(300) as u64));
    }
    (killed, refused)
}

#[test]
fn commands_kills_and_stalls_cost_neither_pictures_nor_memory() {
    let _alone = alone();
    let seconds = long().unwrap_or(24);
    let kill_every = if long().is_some() { 20 } else { 5 };
    let mut daemon = Daemon::start(&stalling(seconds));
    let pid = daemon.child.id();
    let mut random = Random(11);
    // The network, the first texts and the first snapshots take their memory once.
    daemon.wait("the network", |s| !s.engine.starts_with("classic"));
    play(&daemon, &mut random, (seconds / 3).min(120), kill_every);
    let before = held(pid);
    let mut done = (0, 0);
    let shown = unseen(&daemon, || {
        done = play(&daemon, &mut random, seconds, kill_every);
    });
    let after = held(pid);
    eprintln!(
        "soak of {seconds} s: due and unseen {shown:?}, killed and refused {done:?}, KiB and descriptors {before:?} {after:?}"
    );
    assert!(shown.0 > 50, "{shown:?}");
    assert!(shown.1 as f64 <= 0.01 * shown.0 as f64 + 2.0, "{shown:?}");
    assert!(after.0 <= before.0 + 2048, "{before:?} {after:?}");
    if common::film_describe().is_some() && common::encoder().is_some() {
        assert!(done.0 > 0, "film-describe was never killed");
    }
    let begun = common::now();
    common::signal(pid, "TERM");
    assert!(daemon.child.wait().unwrap().success());
    let took = common::now() - begun;
    eprintln!("end on SIGTERM after {took:?}");
    let most = if long().is_some() { 1 } else { 10 };
    assert!(took <= Duration::from_secs(most), "{took:?}");
}
