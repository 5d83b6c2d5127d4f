//! A folder of a real disk as a tree; for tools and tests, never for what a stranger sent.

use std::path::Path;

use file_tree::{File, FileTree, TreePath};

/// Deepest nesting of folders: links may form a ring.
const MAX_DEPTH: usize = 64;

/// Reads a folder with all below it. Links are followed, as Helm follows them.
///
/// # Errors
/// If something cannot be read, is neither file nor folder, or has a name that is no UTF-8.
pub fn read(folder: &Path) -> std::io::Result<FileTree> {
    let mut builder = FileTree::builder();
    let mut pending = vec![(folder.to_owned(), TreePath::ROOT, 0)];
    while let Some((folder, path, depth)) = pending.pop() {
        if depth > MAX_DEPTH {
            return Err(std::io::Error::other("folders nest too deep"));
        }
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| std::io::Error::other("a name is no UTF-8"))?;
            let path = path.join(name).map_err(std::io::Error::other)?;
            let kind = std::fs::metadata(entry.path())?;
            if kind.is_dir() {
                builder.directory(&path).map_err(std::io::Error::other)?;
                pending.push((entry.path(), path, depth + 1));
            } else {
                let bytes = std::fs::read(entry.path())?.into();
                let file = File { bytes, executable: false };
                builder.file(&path, file).map_err(std::io::Error::other)?;
            }
        }
    }
    Ok(builder.build())
}
