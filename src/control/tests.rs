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

/// Connects first (the kernel queues it), then serves, then reads: one thread is enough.
fn exchange(sockets: &Sockets, path: &Path, line: &[u8]) -> (Reply, Vec<u8>) {
    let mut client = UnixStream::connect(path).unwrap();
    client.write_all(line).unwrap();
    sockets.serve(Duration::from_secs(1), &mut Fake);
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
    let sockets = Sockets::bind(&path).unwrap();
    let mode = b"{\"request\":\"mode\",\"mode\":\"blend\"}\n";
    assert_eq!(exchange(&sockets, &path, mode).0, Reply::Done);
    let observe = observe_socket(&path);
    assert!(matches!(
        exchange(&sockets, &observe, mode).0,
        Reply::Error { .. }
    ));
    let health = exchange(&sockets, &observe, b"{\"request\":\"health\"}\n").0;
    assert_eq!(
        health,
        Reply::Health {
            healthy: true,
            detail: "ok".into()
        }
    );
    let (reply, picture) = exchange(
        &sockets,
        &path,
        b"{\"request\":\"snapshot\",\"format\":\"png\"}\n",
    );
    assert_eq!(
        (reply, picture),
        (Reply::Picture { bytes: 3 }, vec![1, 2, 3])
    );
}

#[test]
fn a_client_that_drips_bytes_is_given_up_in_time() {
    let (mut client, server) = UnixStream::pair().unwrap();
    // Each byte is there at once; only the common limit can end it.
    client.write_all(&[b' '; 64]).unwrap();
    let mut hasty = Hasty::new(server);
    let mut byte = [0];
    hasty.read_exact(&mut byte).unwrap();
    hasty.until = Clock.now();
    let error = hasty.read_exact(&mut byte).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    let error = hasty.write_all(&byte).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
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
