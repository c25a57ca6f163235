use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use super::*;

struct Fake;

impl Handler for Fake {
    fn handle(&mut self, request: Request) -> (Reply, Vec<u8>) {
        match request {
            Request::Snapshot { .. } => (Reply::Picture { bytes: 3 }, vec![1, 2, 3]),
            Request::Health => (
                Reply::Health {
                    healthy: true,
                    detail: "ok".into(),
                },
                Vec::new(),
            ),
            _ => (Reply::Done, Vec::new()),
        }
    }
}

/// A client or a daemon of the test's own.
fn spawn<T: Send + 'static>(
    run: impl FnOnce() -> T + Send + 'static,
) -> std::thread::JoinHandle<T> {
    std::thread::Builder::new().spawn(run).unwrap()
}

/// Connects first (the kernel queues it), then serves, then reads: one thread is enough.
fn exchange(sockets: &mut Sockets, path: &Path, line: &[u8]) -> (Reply, Vec<u8>) {
    let mut client = UnixStream::connect(path).unwrap();
    client.write_all(line).unwrap();
    for _ in 0..8 {
        sockets.serve(Duration::from_millis(10), &mut Fake);
    }
    let mut bytes = Vec::new();
    client.read_to_end(&mut bytes).unwrap();
    let end = bytes.iter().position(|b| *b == b'\n').unwrap();
    (
        serde_json::from_slice(&bytes[..end]).unwrap(),
        bytes[end + 1..].to_vec(),
    )
}

#[test]
fn the_observe_socket_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("filmd.sock");
    let mut sockets = Sockets::bind(&path).unwrap();
    let mode = b"{\"request\":\"mode\",\"mode\":\"blend\"}\n";
    assert_eq!(exchange(&mut sockets, &path, mode).0, Reply::Done);
    let observe = observe_socket(&path);
    assert!(matches!(
        exchange(&mut sockets, &observe, mode).0,
        Reply::Error { .. }
    ));
    let health = exchange(&mut sockets, &observe, b"{\"request\":\"health\"}\n").0;
    assert_eq!(
        health,
        Reply::Health {
            healthy: true,
            detail: "ok".into()
        }
    );
    let (reply, picture) = exchange(
        &mut sockets,
        &path,
        b"{\"request\":\"snapshot\",\"format\":\"png\"}\n",
    );
    assert_eq!(
        (reply, picture),
        (Reply::Picture { bytes: 3 }, vec![1, 2, 3])
    );
}

#[test]
fn a_crowd_takes_the_place_of_nobody_who_has_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("filmd.sock");
    let mut sockets = Sockets::bind(&path).unwrap();
    let observe = observe_socket(&path);
    let mut asking = UnixStream::connect(&observe).unwrap();
    asking.write_all(b"{\"request\":\"health\"}\n").unwrap();
    // Whatever is left of the budget is gone.
    let now = Clock.now();
    while sockets.budget.take(now) {}
    let mut crowd = Vec::new();
    for _ in 0..10 {
        crowd.extend((0..MOST_ACCEPTED).map(|_| UnixStream::connect(&observe).unwrap()));
        sockets.accept(false, Clock.now());
        assert!(sockets.clients.len() <= MOST_CLIENTS);
    }
    for _ in 0..8 {
        sockets.serve(Duration::from_millis(10), &mut Fake);
    }
    let mut answer = String::new();
    asking.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("healthy"), "{answer:?}");
}

#[test]
fn silent_clients_and_those_that_never_read_hold_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("filmd.sock");
    let observe = observe_socket(&path);
    let mut sockets = Sockets::bind(&path).unwrap();
    let mut silent = Vec::new();
    for n in 0..200 {
        silent.push(UnixStream::connect(if n % 4 == 0 { &path } else { &observe }).unwrap());
        if n % 16 == 0 {
            sockets.serve(Duration::ZERO, &mut Fake);
        }
        if n % 10 == 1 {
            // Asks, and never reads.
            let _ = silent
                .last_mut()
                .unwrap()
                .write_all(b"{\"request\":\"health\"}\n");
        }
    }
    let before = Clock.now();
    let health = exchange(&mut sockets, &observe, b"{\"request\":\"health\"}\n").0;
    assert!(matches!(health, Reply::Health { .. }));
    let mode = b"{\"request\":\"mode\",\"mode\":\"blend\"}\n";
    assert_eq!(exchange(&mut sockets, &path, mode).0, Reply::Done);
    assert!(Clock.now().since(before) < CLIENT_TIMEOUT / 4);
    assert!(sockets.clients.len() <= 2 * MOST_CLIENTS);
}

#[test]
fn a_client_that_drips_bytes_is_given_up_in_time() {
    let (mut peer, stream) = UnixStream::pair().unwrap();
    let start = Clock.now();
    let mut client = Client::new(stream, true, start).unwrap();
    for step in 0..4 {
        peer.write_all(b" ").unwrap();
        assert!(client.advance(start.plus(step * (CLIENT_TIMEOUT / 4))));
    }
    peer.write_all(b" ").unwrap();
    assert!(!client.advance(start.plus(CLIENT_TIMEOUT)));
}

#[test]
fn a_line_without_end_is_refused_and_a_large_answer_is_sent_in_parts() {
    struct Large;
    impl Handler for Large {
        fn handle(&mut self, _: Request) -> (Reply, Vec<u8>) {
            (Reply::Picture { bytes: 5_000_000 }, vec![7; 5_000_000])
        }
    }
    let (mut peer, stream) = UnixStream::pair().unwrap();
    let mut client = Client::new(stream, true, Clock.now()).unwrap();
    let writer = spawn(move || {
        let _ = peer.write_all(&vec![b'x'; LINE_LIMIT + 10]);
        peer
    });
    while !client.asks() {
        assert!(client.advance(Clock.now()));
    }
    client.answer(&mut Large, || Clock.now());
    let mut text = String::new();
    drop(client);
    let _ = writer.join().unwrap().read_to_string(&mut text);
    assert!(text.contains("error"), "{text}");

    let (mut peer, stream) = UnixStream::pair().unwrap();
    peer.write_all(b"{\"request\":\"snapshot\",\"format\":\"png\"}\n")
        .unwrap();
    let mut client = Client::new(stream, true, Clock.now()).unwrap();
    assert!(client.advance(Clock.now()) && client.asks());
    let reader = spawn(move || {
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).unwrap();
        bytes.len()
    });
    let mut goes_on = client.answer(&mut Large, || Clock.now());
    while goes_on {
        goes_on = client.advance(Clock.now());
    }
    drop(client);
    assert!(reader.join().unwrap() > 5_000_000);
}

#[test]
fn a_successors_sockets_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("filmd.sock");
    let first = Sockets::bind(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::remove_file(observe_socket(&path)).unwrap();
    let second = Sockets::bind(&path).unwrap();
    drop(first);
    assert!(path.exists() && observe_socket(&path).exists());
    drop(second);
    assert!(!path.exists() && !observe_socket(&path).exists());
}

#[test]
fn a_file_that_is_no_socket_is_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("filmd.sock");
    std::fs::write(&path, "precious").unwrap();
    let error = Sockets::bind(&path).unwrap_err().to_string();
    assert!(error.contains("no socket"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
}

#[test]
fn a_running_daemon_is_not_displaced_and_a_dead_ones_socket_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("filmd.sock");
    let first = Sockets::bind(&path).unwrap();
    assert!(
        Sockets::bind(&path)
            .unwrap_err()
            .to_string()
            .contains("another filmd")
    );
    // What a killed daemon leaves: the file, without a listener.
    std::fs::rename(&path, folder.path().join("kept")).unwrap();
    drop(first);
    std::fs::rename(folder.path().join("kept"), &path).unwrap();
    Sockets::bind(&path).unwrap();
}
