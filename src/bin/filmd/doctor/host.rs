//! What the machine's own file systems say; below another folder in tests.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// The machine.
pub struct Host {
    root: PathBuf,
}

impl Default for Host {
    fn default() -> Self {
        Self::at(Path::new("/"))
    }
}

impl Host {
    /// The one whose /proc, /sys, /dev and /etc lie below `root`.
    pub fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// A small file's words; `None` where it cannot be read.
    pub fn read(&self, path: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.path(path)).ok()?;
        Some(text.trim().to_owned())
    }

    /// Something is there.
    pub fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// Names in a folder that begin with `prefix`, sorted.
    pub fn names(&self, folder: &str, prefix: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).into_iter().flatten();
        let names =
            entries.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned()));
        let mut names: Vec<_> = names.filter(|n| n.starts_with(prefix)).collect();
        names.sort();
        names
    }

    /// Device nodes in a folder that begin with `prefix`, as paths.
    pub fn nodes(&self, folder: &str, prefix: &str) -> Vec<String> {
        let names = self.names(folder, prefix).into_iter();
        names.map(|name| format!("{folder}/{name}")).collect()
    }

    /// This user may read and write it.
    pub fn may_use(&self, node: &str) -> bool {
        access(self.path(node), Access::READ_OK | Access::WRITE_OK).is_ok()
    }

    /// The group that a node belongs to, by name where it has one.
    pub fn group_of(&self, node: &str) -> Option<String> {
        let id = std::fs::metadata(self.path(node)).ok()?.gid().to_string();
        let groups = self.read("/etc/group")?;
        let mut lines = groups.lines().map(|line| line.split(':'));
        let name = lines.find_map(|mut fields| {
            let name = fields.next()?;
            (fields.nth(1)? == id).then(|| name.to_owned())
        });
        Some(name.unwrap_or(id))
    }
}
