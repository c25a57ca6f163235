//! A control group for film-describe, with limits of its own.
//!
//! Input: the part of the control-group tree that a service manager has handed over to filmd (systemd:
//! `Delegate=cpu memory`). Output: a group that processes can be put in. Blocks: for a few small files of
//! the kernel's. Fails when: the kernel refuses ([`std::io::Error`] with the file's name). Not its job:
//! limits a process sets itself (see film-describe).
//!
//! Control groups v2 forbid processes in a group that hands out controllers ("no internal
//! processes", Documentation/admin-guide/cgroup-v2.rst), so filmd moves to a child, `frames`, and
//! film-describe goes into its sibling, `describe`.

use std::io;
use std::path::{Path, PathBuf};

/// Where Linux shows control groups, version 2.
const ROOT: &str = "/sys/fs/cgroup";
const FRAMES: &str = "frames";
const DESCRIBE: &str = "describe";

/// What film-describe may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory with its files' pages, bytes; beyond it the kernel ends film-describe alone.
    pub memory: u64,
    /// Share of the processor when others want it too, 1..=10000; filmd has 100.
    pub cpu_weight: u32,
}

/// film-describe's group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlGroup {
    folder: PathBuf,
}

impl ControlGroup {
    /// The group, with `limits`; `None` where nothing has been handed over to this process.
    ///
    /// # Errors
    /// Something has been, but the kernel refuses.
    pub fn of_this_process(limits: Limits) -> io::Result<Option<Self>> {
        let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        match handed_over(Path::new(ROOT), &own, is_this_users) {
            Some(base) => Self::divide(&base, limits).map(Some),
            None => Ok(None),
        }
    }

    /// Moves this process to one child of `base` and makes the other.
    fn divide(base: &Path, limits: Limits) -> io::Result<Self> {
        let frames = make(&base.join(FRAMES))?;
        // "0" is the writer's whole process.
        put(&frames.join("cgroup.procs"), "0")?;
        put(&base.join("cgroup.subtree_control"), "+cpu +memory")?;
        let folder = make(&base.join(DESCRIBE))?;
        put(&folder.join("memory.max"), &limits.memory.to_string())?;
        // Swapping in while a description is due would only keep the disk busy. A kernel without
        // swap has no such file.
        let _ = put(&folder.join("memory.swap.max"), "0");
        put(&folder.join("cpu.weight"), &limits.cpu_weight.to_string())?;
        Ok(Self { folder })
    }

    /// Puts a process in.
    ///
    /// # Errors
    /// The kernel refuses; the process stays where it is.
    pub fn take(&self, pid: u32) -> io::Result<()> {
        put(&self.folder.join("cgroup.procs"), &pid.to_string())
    }
}

/// The service's own group, where `owned` says that its file is the user's: a terminal's or a whole
/// session's is not to be rearranged, whoever owns it. `own` is as in /proc/PID/cgroup.
fn handed_over(root: &Path, own: &str, owned: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let path = Path::new(path.strip_suffix(&format!("/{FRAMES}")).unwrap_or(path));
    if path.extension()? != "service" {
        return None;
    }
    let base = root.join(path);
    let offered = std::fs::read_to_string(base.join("cgroup.controllers")).ok()?;
    let has = |name| offered.split_whitespace().any(|found| found == name);
    let whole = has("cpu") && has("memory") && owned(&base.join("cgroup.subtree_control"));
    whole.then_some(base)
}

/// Root owns every group, handed over or not, so for root this is no sign.
fn is_this_users(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let user = rustix::process::geteuid();
    !user.is_root() && std::fs::metadata(file).is_ok_and(|m| m.uid() == user.as_raw())
}

fn make(folder: &Path) -> io::Result<PathBuf> {
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(named(folder, &error)),
        _ => Ok(folder.to_owned()),
    }
}

fn put(file: &Path, value: &str) -> io::Result<()> {
    std::fs::write(file, value).map_err(|error| named(file, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]
mod tests {
    use super::*;
    use std::fs;

    const LIMITS: Limits = Limits {
        memory: 300 << 20,
        cpu_weight: 20,
    };
    const OWN: &str = "0::/system.slice/filmd.service\n";

    /// A folder that looks like a group with these controllers.
    fn tree(controllers: &str) -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let base = root.path().join("system.slice/filmd.service");
        fs::create_dir_all(&base).unwrap();
        fs::write(base.join("cgroup.controllers"), controllers).unwrap();
        (root, base)
    }

    fn read(path: PathBuf) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_group_is_divided_and_takes_a_process() {
        let (_root, base) = tree("");
        for folder in ["frames", "describe"] {
            fs::create_dir(base.join(folder)).unwrap(); // of an earlier start
        }
        let group = ControlGroup::divide(&base, LIMITS).unwrap();
        assert_eq!(read(base.join("frames/cgroup.procs")), "0");
        assert_eq!(read(base.join("cgroup.subtree_control")), "+cpu +memory");
        assert_eq!(read(base.join("describe/memory.max")), "314572800");
        assert_eq!(read(base.join("describe/cpu.weight")), "20");
        group.take(4711).unwrap();
        assert_eq!(read(base.join("describe/cgroup.procs")), "4711");
    }

    #[test]
    fn only_a_services_own_group_counts_as_handed_over() {
        let (root, base) = tree("cpuset cpu io memory pids");
        let found = |own: &str, owned: bool| handed_over(root.path(), own, |_| owned);
        assert_eq!(found(OWN, true), Some(base.clone()));
        let again = "0::/system.slice/filmd.service/frames\n";
        assert_eq!(found(again, true), Some(base));
        assert_eq!(found(OWN, false), None);
        assert_eq!(found("0::/user.slice/session-2.scope\n", true), None);
        assert_eq!(found("1:memory:/system.slice/filmd.service\n", true), None);
        assert_eq!(found("", true), None);
    }

    #[test]
    fn controllers_that_are_not_offered_are_not_missed_later() {
        let (root, _base) = tree("cpu pids");
        assert_eq!(handed_over(root.path(), OWN, |_| true), None);
    }

    #[test]
    fn a_refusal_names_the_file() {
        let root = tempfile::tempdir().unwrap();
        let error = ControlGroup::divide(&root.path().join("gone"), LIMITS).unwrap_err();
        assert!(error.to_string().contains("gone/frames"), "{error}");
    }
}
